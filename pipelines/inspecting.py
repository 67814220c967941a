"""A folder or file of a user → what a build would read in it, and a source.yaml to correct.

`inspecting_text` and `inspecting_json` show it.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelines import sources
from pipelines.config import Ingest
from pipelines.describe import shell
from pipelines.sources import knowledge_data, registry, source_yaml
from pipelines.sources.judge import judge
from pipelines.sources.registry import Located
from pipelines.sources.source import SHARES
from pipelines.sources.survey import LAYERS, Survey
from pipelines.sources.survey_files import survey
from pipelines.sources.unread import unread_files
from pipelines.sources.user_forms import UserForm, form_named, other_forms
from pipelines.stages.ingest import hashed_split
from schemas import command
from schemas.errors import ConfigError, printable
from transforms import files
from transforms.files import File

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
    result, outcomes = survey(located, located.files, hashed_split)
    verdict = judge(outcomes, {located.key: located.source}, Ingest().max_reject_rate)
    inspected = Inspected(located, form, result, verdict.failed.get(located.key, ""))
    if form:
        inspected.others = other_forms(form, inspected.files)
    return inspected


def recognised_as(source: Inspected) -> str:
    if about := registry.user_source(source.located):
        return about.format
    if source.located.key in sources.keys() and not source.located.settings:
        return f"the data set {source.located.source.title}"
    names = {file.name.rpartition("/")[2] for file in source.located.settings}
    return "a corpus that ieforge knowledge exported" if knowledge_data.FILE in names else "not readable"


def next_command(inspection: Inspection) -> str:
    """The command that builds a corpus from the sources; empty if none can be read."""
    if all(source.problem for source in inspection.sources):
        return ""
    is_command = sys.argv[0].startswith(f"{command.PROGRAM} ")
    program = [command.PROGRAM, "build"] if is_command else ["python", "-m", "pipelines.build"]
    root = f"{files.absolute(inspection.path).rstrip('/')}/"
    inside = files.is_folder(inspection.path) and files.absolute("corpus").startswith(root)
    return shell.command([*program, inspection.path, "--output", "../corpus" if inside else "corpus"])


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
    about, inspected = source.located.source, source.survey or Survey()
    yield "# What `ieforge inspect` assumed. Correct what is wrong; every key may be left out."
    yield f"name: {yaml_word(about.name)}"
    if source.form:
        yield f"format: {source.form.name}"
    tasks = [task for layer in inspected.layers for task in TASKS[layer]]
    if tasks:
        yield f"task: [{', '.join(tasks)}]"
    yield f"lang: {about.lang}{'  # a guess by the script of the texts' if about.lang_is_guess else ''}"
    yield "# license: CC-BY-4.0  # an SPDX name; without one, `ieforge publish` leaves the source out"
    if about.shares is SHARES and source.located.files and list(source.located.files.splits) == ["all"]:
        shares = ", ".join(f"{split}: {share}" for split, share in SHARES.items())
        yield f"# splits: {{{shares}}}  # by a hash of the text, or file patterns"
    if len(inspected.comparison.texts) > 1:
        yield "# annotators: gold  # the annotation marked as gold, else the first; or first, all, majority or a name"
    labels = {label: use for layer in LAYERS for label, use in inspected.labels[layer].items()}
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
