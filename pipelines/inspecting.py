"""A folder or file of a user → what a build would read in it, as text or JSON, and as a source.yaml to correct."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from pipelines import sources
from pipelines.config import Ingest
from pipelines.describe import shell
from pipelines.sources import knowledge_data, marked_text, problems, registry, source_yaml, user_data
from pipelines.sources.judge import judge
from pipelines.sources.licences import Terms, terms
from pipelines.sources.problems import Problem
from pipelines.sources.registry import Located
from pipelines.sources.survey import LAYERS, PROBLEMS, Survey, survey
from pipelines.sources.unread import unread_files
from pipelines.sources.user_forms import UserForm, form_named, other_forms, possible_forms
from pipelines.stages.ingest import facts, hash_split
from schemas import command, language
from schemas.errors import ConfigError, printable
from schemas.example import SPLITS
from transforms import files
from transforms.files import File
from transforms.language import note

NAMED, LABELS_SHOWN, IGNORED_SHOWN = 10, 50, 5
"""Names of files per line; labels per layer; kinds of annotations that are not used."""

PUBLISHING = {
    Terms.FORBIDDEN: "ieforge publish never publishes this source",
    Terms.UNSTATED: "ieforge publish leaves this source out, unless you add --include_unlicensed; if you may pass the "
    "texts on, write their licence into source.yaml, such as license: CC-BY-4.0",
    Terms.NON_COMMERCIAL_SHARE_ALIKE: "may be published with attribution, not for commercial use, under the same "
    "licence",
    Terms.NON_COMMERCIAL: "may be published with attribution, not for commercial use",
    Terms.SHARE_ALIKE: "may be published with attribution, under the same licence",
    Terms.ATTRIBUTION: "may be published with attribution",
    Terms.AS_STATED: "may be published as stated",
}
"""Terms of a source → what they mean for publishing a corpus."""

TASKS = {"entities": ("NER",), "relations": ("RE",), "events": ("EE", "EET", "EEA")}
"""Layer → the tasks that it is used for."""


@dataclass
class Inspected:
    """A source with files. `problem`: why a build leaves it out; `survey`: None if its files are not read at all.

    `others`: other formats in which its files may be. `label_maps`: whether source.yaml names labels.
    """

    located: Located
    form: UserForm | None
    survey: Survey | None
    problem: str
    others: list[UserForm] = field(default_factory=list)

    @property
    def files(self) -> list[File]:
        """The files that are read, each once."""
        groups = self.located.files.splits.values() if self.located.files else ()
        return list({file.path: file for group in groups for file in group}.values())

    @property
    def folder(self) -> str:
        """The folder of its source.yaml."""
        groups = self.located.files
        rest = (*groups.unassigned, *groups.ignored) if groups else ()
        first = next(iter((*self.files, *rest, *self.located.settings)))
        return first.path.removesuffix(f"/{first.name}")

    @property
    def settings(self) -> File | None:
        """Its source.yaml."""
        return next((file for file in self.located.settings if file.name == source_yaml.FILE), None)


@dataclass
class Inspection:
    """`not_read`: (folder or "", names of its files, reason); no names for a folder that cannot be listed."""

    path: str
    sources: list[Inspected]
    not_read: list[tuple[str, tuple[str, ...], str]]


def inspect(path: str) -> Inspection:
    """Reads all files at `path`, a folder or a file. Raises ConfigError if it does not exist."""
    if not path or not files.exists(path):
        raise ConfigError(f"{path or '(empty)'}: no such folder or file; check the path")
    listing = registry.list_root(path.rstrip("/") or "/")
    everything = registry.locate_all(listing)
    inspected = [inspect_source(each) for each in everything if each.files or each.unreadable]
    unread = unread_files(listing, everything, None)
    return Inspection(path, inspected, [(each.folder, each.files, each.reason) for each in unread])


def inspect_source(located: Located) -> Inspected:
    form = None
    if located.files and located.files.form.user_form:
        form = form_named(located.files.form.user_form)
    if located.problem or not located.files or not located.files.splits:
        return Inspected(located, form, None, located.problem or "none of its files has a split")
    result = survey(located, located.files, hash_split)
    verdict = judge(result.outcomes, {located.key: located.source}, Ingest().max_reject_rate)
    inspected = Inspected(located, form, result, verdict.failed.get(located.key, ""))
    if form:
        inspected.others = other_forms(form, inspected.files)
    return inspected


# Text


def lines(inspection: Inspection, written: Sequence[str] = ()) -> list[str]:
    """The inspection as text. `written`: the files that `write_source_yaml` wrote."""
    text = []
    for source in inspection.sources:
        text += [*source_lines(source), ""]
    if inspection.not_read:
        text.append("not read:")
        for folder, names, reason in inspection.not_read:
            where = f"{folder}/" if folder else ""
            shown = ", ".join(f"{where}{name}" for name in names[:NAMED]) or where
            text.append(f"  {shown}{more(len(names), NAMED)}: {reason}")
        text.append("")
    text += [f"wrote {path}; correct it, and inspect again" for path in written]
    if following := next_command(inspection):
        text.append(f"next: {following}")
    return text if text[-1:] != [""] else text[:-1]


ONE = {
    "files": "file",
    "texts": "text",
    "records": "record",
    "entities": "entity",
    "relations": "relation",
    "events": "event",
}
"""Plural → singular."""


def counted(number: int, what: str) -> str:
    return f"{number:,} {ONE[what] if number == 1 else what}"


def more(number: int, shown: int) -> str:
    return f" and {number - shown:,} more" if number > shown else ""


def source_lines(source: Inspected) -> Iterator[str]:
    names = [file.name for file in source.files]
    yield f"{source.located.key}: {recognised_as(source)}, {counted(len(names), 'files')}"
    if names:
        yield f"  files: {', '.join(names[:NAMED])}{more(len(names), NAMED)}"
    if source.others and source.located.files and source.located.files.form.is_guess:
        yield f"  {possible_forms(source.others)}"
    if source.problem:
        yield f"  problem: {source.problem}"
    if source.survey is None or not any(counts.texts for counts in source.survey.splits.values()):
        yield from ignored_lines(source.survey) if source.survey and not source.problem else ()
        return
    about = source.located.source
    sure = f"{language.name(about.lang)} ({about.lang})"
    yield f"  language: {note(about.lang) if about.lang_is_guess else sure}"
    yield f"  licence: {about.licence_text}; {PUBLISHING[terms(facts(about))]}"
    yield from count_lines(source, source.survey)
    yield from label_lines(source.survey)
    if source.survey.first_texts:
        yield "  first texts:"
        for record in source.survey.first_texts:
            shown = marked_text.lines(record)
            yield f"    {record.place}: {shown[0]}"
            yield from (f"      {line}" for line in shown[1:])
    yield from problem_lines(source.survey)
    yield from ignored_lines(source.survey)


def recognised_as(source: Inspected) -> str:
    if source.form:
        return source.form.title
    if source.located.key in sources.keys() and not source.located.settings:
        return f"the data set {source.located.source.title}"
    names = {file.name.rpartition("/")[2] for file in source.located.settings}
    if knowledge_data.FILE in names:
        return "a corpus that ieforge knowledge exported"
    return "IEPile's unified format" if user_data.SCHEMA in names else "not readable"


def count_lines(source: Inspected, survey: Survey) -> Iterator[str]:
    by_hash = source.located.files and list(source.located.files.splits) == ["all"]
    yield f"  texts{' (no file name says its split: divided by a hash of the text)' if by_hash else ''}:"
    for split in (name for name in SPLITS if name in survey.splits):
        counts = survey.splits[split]
        numbers = [counted(counts.texts, "texts")]
        if counts.annotated < counts.texts:
            numbers.append(f"{counts.annotated:,} of them annotated")
        numbers += [counted(counts.layers[layer], layer) for layer in LAYERS if layer in survey.layers]
        if counts.rejected:
            numbers.append(f"{counted(counts.rejected.total(), 'records')} left out")
        yield f"    {split}: {', '.join(numbers)}"
    if source.form and "train" not in survey.splits:
        yield (
            "    none is in train, so a build has nothing to learn from it: a file's name or folder says its split; "
            "splits: in source.yaml says it otherwise"
        )
    if survey.nested:
        yield f"    nested: {counted(survey.nested, 'entities')} inside other entities"
    if len(survey.annotators) > 1:
        names = [f"{name} ({counted(number, 'texts')})" for name, number in survey.annotators.most_common(NAMED)]
        yield f"    annotators: {', '.join(names)}{more(len(survey.annotators), NAMED)}"


def label_lines(survey: Survey) -> Iterator[str]:
    for layer in LAYERS:
        labels = survey.labels[layer]
        if not labels:
            continue
        yield f"  labels of {layer}: {len(labels):,}"
        order = sorted(labels.items(), key=lambda item: (-item[1].count, item[0]))
        for label, use in order[:LABELS_SHOWN]:
            roles = f"; roles {', '.join(use.roles)}" if use.roles else ""
            examples = f": {', '.join(map(problems.quote, use.examples))}" if use.examples else ""
            yield f"    {label} {use.count:,} x{examples}{roles}"
        if len(order) > LABELS_SHOWN:
            yield f"    and {len(order) - LABELS_SHOWN:,} more"
        if survey.uncounted[layer]:
            yield f"    and {survey.uncounted[layer]:,} annotations with still other labels"


def problem_lines(survey: Survey) -> Iterator[str]:
    number = sum(count for count, _ in survey.problems.values())
    shown = first_problems(survey)
    yield f"  problems: {f'{number:,}' if number else 'none'}{f', the first {len(shown)}:' * (number > len(shown))}"
    for kind in kinds(survey):
        count, _ = survey.problems[kind]
        yield f"    {kind}: {count:,}"
        yield from (f"      {problem.place}: {problem.detail}" for problem in shown if problem.kind == kind)


def kinds(survey: Survey) -> list[str]:
    """The kinds of problems of a source: first those that cost a record or a part of it."""
    order = {kind: number for number, kind in enumerate(problems.KINDS)}
    return sorted(survey.problems, key=lambda kind: (order.get(kind, -1), not kind.startswith("records"), kind))


def first_problems(survey: Survey) -> list[Problem]:
    """At most PROBLEMS problems: the first of each kind, then the second of each kind, and so on."""
    by_kind = [survey.problems[kind][1] for kind in kinds(survey)]
    turns = (group[turn] for turn in range(PROBLEMS) for group in by_kind if turn < len(group))
    return [problem for problem, _ in zip(turns, range(PROBLEMS), strict=False)]


def ignored_lines(survey: Survey) -> Iterator[str]:
    kinds = survey.ignored.most_common(IGNORED_SHOWN)
    if kinds:
        words = "; ".join(f"{kind} ({number:,} x)" for kind, number in kinds)
        yield f"  not used: {words}{more(len(survey.ignored), IGNORED_SHOWN)}"


def next_command(inspection: Inspection) -> str:
    """The command that builds a corpus from the sources; empty if none can be read."""
    if all(source.problem for source in inspection.sources):
        return ""
    is_command = sys.argv[0].startswith(f"{command.PROGRAM} ")
    program = [command.PROGRAM, "build"] if is_command else ["python", "-m", "pipelines.build"]
    root = f"{files.absolute(inspection.path).rstrip('/')}/"
    inside = files.is_folder(inspection.path) and files.absolute("corpus").startswith(root)
    return shell.command([*program, inspection.path, "--output", "../corpus" if inside else "corpus"])


# JSON


def as_json(inspection: Inspection, written: Sequence[str] = ()) -> dict:
    return {
        "path": inspection.path,
        "sources": [source_json(source) for source in inspection.sources],
        "not_read": [
            {"folder": folder, "files": list(names), "reason": reason} for folder, names, reason in inspection.not_read
        ],
        "written": list(written),
        "next": next_command(inspection),
    }


def source_json(source: Inspected) -> dict:
    about, survey = source.located.source, source.survey or Survey(source.located.source)
    return {
        "key": source.located.key,
        "format": source.form.name if source.form else "",
        "recognised_as": recognised_as(source),
        "other_formats": [form.name for form in source.others],
        "files": [file.name for file in source.files],
        "problem": source.problem,
        "lang": about.lang,
        "lang_is_guess": about.lang_is_guess,
        "licence": str(about.licence),
        "licence_text": about.licence_text,
        "publishing": PUBLISHING[terms(facts(about))],
        "splits": {
            split: {
                "texts": counts.texts,
                "annotated": counts.annotated,
                **{layer: counts.layers[layer] for layer in LAYERS if layer in survey.layers},
                "records_left_out": counts.rejected.total(),
            }
            for split, counts in survey.splits.items()
        },
        "annotators": dict(survey.annotators),
        "labels": {
            layer: {
                label: {"count": use.count, "examples": use.examples, "roles": list(use.roles)}
                for label, use in labels.items()
            }
            for layer, labels in survey.labels.items()
            if labels
        },
        "first_texts": [msgspec.to_builtins(record) for record in survey.first_texts],
        "problems": {kind: survey.problems[kind][0] for kind in kinds(survey)},
        "first_problems": [
            {"kind": problem.kind, "place": problem.place, "detail": problem.detail}
            for problem in first_problems(survey)
        ],
        "not_used": dict(survey.ignored),
    }


# source.yaml


def write_source_yaml(inspection: Inspection) -> list[str]:
    """Writes a source.yaml for each source in the format of a tool; returns their paths.

    Raises ConfigError, before anything is written, if one exists, and if there is no folder for it.
    """
    if not files.is_folder(inspection.path):
        raise ConfigError(f"{inspection.path}: a single file has no source.yaml; put it into a folder of its own")
    of_tools = [source for source in inspection.sources if source.form]
    if not of_tools:
        raise ConfigError(f"{inspection.path}: no source.yaml to write, since no file is in the format of a tool")
    paths = {f"{source.folder}/{source_yaml.FILE}": source for source in of_tools}
    for path in paths:
        if files.exists(path):
            raise ConfigError(f"{path}: exists already; delete or rename it to write another")
    for path, source in paths.items():
        files.write_text(path, "\n".join(source_yaml_lines(source)) + "\n")
    return list(paths)


def source_yaml_lines(source: Inspected) -> Iterator[str]:
    about, survey = source.located.source, source.survey or Survey(source.located.source)
    yield "# What `ieforge inspect` assumed. Correct what is wrong; every key may be left out."
    yield f"name: {yaml_word(about.name)}"
    if source.form:
        yield f"format: {source.form.name}"
    tasks = [task for layer in survey.layers for task in TASKS[layer]]
    if tasks:
        yield f"task: [{', '.join(tasks)}]"
    yield f"lang: {about.lang}{'  # a guess by the script of the texts' if about.lang_is_guess else ''}"
    yield "# license: CC-BY-4.0  # an SPDX name; without one, `ieforge publish` leaves the source out"
    labels = {label: use for layer in LAYERS for label, use in survey.labels[layer].items()}
    if labels:
        yield "# labels:  # label in the files: word in prompts; null leaves the label out"
        for label, use in labels.items():
            shown = f"  # {use.count:,} x {', '.join(use.examples)}"
            yield f"#   {yaml_word(label)}: {yaml_word(label)}{printable(shown)}"


PLAIN = re.compile(r"[A-Za-z][\w-]*", re.ASCII)
NOT_TEXT = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))


def yaml_word(text: str) -> str:
    """A YAML scalar that is this text."""
    if PLAIN.fullmatch(text) and text.lower() not in NOT_TEXT:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())
