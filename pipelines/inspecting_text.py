"""The inspection of a folder or file of a user → text for people."""

from collections.abc import Iterator, Sequence

from pipelines.describe import agreement
from pipelines.describe.plural import counted
from pipelines.inspecting import Inspected, Inspection, next_command, recognised_as
from pipelines.sources import marked_text, problems
from pipelines.sources.licences import publishing
from pipelines.sources.source import NO_TEST, SHARES
from pipelines.sources.survey import LAYERS, Survey, first_problems, kinds
from pipelines.sources.unread import EMPTY
from pipelines.sources.user_forms import possible_forms
from pipelines.stages.ingest_result import facts
from schemas import language
from schemas.example import SPLITS
from transforms import files
from transforms.language import note

BY_HASH = " (no file name says its split: divided by a hash of the text)"
BY_SHARES = " (divided by a hash of the text, or of its document, into the shares of source.yaml)"

NAMED, LABELS_SHOWN, IGNORED_SHOWN = 10, 50, 5
"""Names of files per line; labels per layer; kinds of annotations that are not used."""


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


def why_nothing(inspection: Inspection) -> str:
    """Why nothing at the path can be read, and what to do."""
    reasons = {reason for _, _, reason in inspection.not_read}
    is_folder = files.is_folder(inspection.path)
    if not reasons:
        return "contains no file; put the files of your annotation tool into it"
    if reasons == {EMPTY}:
        return "all its files are empty; export them again" if is_folder else f"{EMPTY}; export it again"
    if is_folder:
        return "no file in it is in a known format; docs/user_data.md lists the formats"
    return "; ".join(sorted(reasons))


def more(number: int, shown: int) -> str:
    return f" and {number - shown:,} more" if number > shown else ""


def source_lines(source: Inspected) -> Iterator[str]:
    names = [file.name for file in source.files]
    number = f", {counted(len(names), 'files')}" if names or not source.problem else ""
    yield f"{source.located.key}: {recognised_as(source)}{number}"
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
    yield f"  licence: {about.licence_text}; {''.join(publishing(facts(about)))}"
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


def count_lines(source: Inspected, survey: Survey) -> Iterator[str]:
    by_hash = source.located.files and list(source.located.files.splits) == ["all"]
    how = BY_HASH if source.located.source.shares is SHARES else BY_SHARES
    yield f"  texts{how if by_hash else ''}:"
    for split in (name for name in SPLITS if name in survey.splits):
        counts = survey.splits[split]
        numbers = [counted(counts.texts, "texts")]
        if counts.annotated < counts.texts:
            numbers.append(f"{counts.annotated:,} of them annotated")
        numbers += [counted(counts.layers[layer], layer) for layer in LAYERS if layer in survey.layers]
        if counts.left_out:
            numbers.append(f"{counted(counts.left_out, 'records')} left out")
        yield f"    {split}: {', '.join(numbers)}"
    if source.form and "train" not in survey.splits:
        yield (
            "    none is in train, so a build has nothing to learn from it: a file's name or folder says its split; "
            "splits: in source.yaml says it otherwise"
        )
    if by_hash and source.located.source.shares is SHARES and "test" not in survey.splits:
        yield f"    {NO_TEST}"
    if survey.nested:
        yield f"    nested: {counted(survey.nested, 'entities')} inside other entities"
    annotators = survey.comparison.annotators()
    if len(annotators.texts) > 1 or survey.not_chosen:
        yield from (f"    {line}" for line in agreement.choice_lines(annotators, survey.not_chosen, survey.outvoted))
    if annotators.pairs:
        yield "  agreement of the annotators:"
    yield from (f"    {line}" for line in agreement.lines(annotators))


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
    shown = first_problems(survey.problems)
    yield f"  problems: {f'{number:,}' if number else 'none'}{f', the first {len(shown)}:' * (number > len(shown))}"
    for kind in kinds(survey.problems):
        count, _ = survey.problems[kind]
        yield f"    {kind}: {count:,}"
        yield from (f"      {problem.place}: {problem.detail}" for problem in shown if problem.kind == kind)


def ignored_lines(survey: Survey) -> Iterator[str]:
    kinds = survey.ignored.most_common(IGNORED_SHOWN)
    if kinds:
        words = "; ".join(f"{kind} ({number:,} x)" for kind, number in kinds)
        yield f"  not used: {words}{more(len(survey.ignored), IGNORED_SHOWN)}"
