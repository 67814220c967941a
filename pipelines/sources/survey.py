"""A source's files → what is in them, without a build: counts, labels with examples, first texts and problems.

Memory does not grow with the files, except for the sets of labels and of mentions, which are limited.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from pipelines.sources import Form, Source, problems
from pipelines.sources.judge import SplitOutcome
from pipelines.sources.problems import Consistency, Problem
from pipelines.sources.reading import NoRecord, barrier, no_record
from pipelines.sources.registry import Located
from pipelines.sources.source_files import SourceFiles
from schemas.errors import BadRecord, Reason, SourceError
from schemas.example import RawExample
from schemas.manifests import LayerCounts, SplitRead
from transforms.files import File
from transforms.normalize import normalize

LAYERS = ("entities", "relations", "events")
TEXTS, EXAMPLES, PROBLEMS = 3, 3, 20
"""Texts shown; examples per label; problems kept per kind."""

LABELS = 10_000
"""The number of labels of a layer, and of kinds of ignored annotations, that are counted one by one."""

COUNTED = re.compile(r"([\d,]+) x (.*)", re.DOTALL)
"""The detail of annotations that a reader ignores in one piece: `651 x annotation of coref, which is not used`."""


@dataclass
class LabelUse:
    """`place`: of the first annotation. `roles`: of an event type."""

    place: str
    count: int = 0
    examples: list[str] = field(default_factory=list)
    roles: dict[str, None] = field(default_factory=dict)


@dataclass
class SplitCounts:
    texts: int = 0
    annotated: int = 0
    layers: Counter[str] = field(default_factory=Counter)
    rejected: Counter[Reason] = field(default_factory=Counter)
    lost: Counter[Reason] = field(default_factory=Counter)
    first_rejects: list[str] = field(default_factory=list)


@dataclass
class Survey:
    """`failed`: why a split cannot be read. `problems`: kind → (number, first PROBLEMS). `ignored`: kind of annotation
    that is not used → number. `layers`: those annotated in a text.
    """

    source: Source
    splits: dict[str, SplitCounts] = field(default_factory=dict)
    labels: dict[str, dict[str, LabelUse]] = field(default_factory=lambda: {layer: {} for layer in LAYERS})
    uncounted: Counter[str] = field(default_factory=Counter)  # layer → annotations with a label beyond LABELS
    first_texts: list[RawExample] = field(default_factory=list)
    problems: dict[str, tuple[int, list[Problem]]] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    annotators: Counter[str] = field(default_factory=Counter)
    layers: dict[str, None] = field(default_factory=dict)
    nested: int = 0
    outcomes: list[SplitOutcome] = field(default_factory=list)

    def note(self, problem: Problem, record: RawExample | None = None) -> None:
        """`record`: the one that has the problem. Its id is shown, since a tool may export all records in one line."""
        if record and record.item and record.item not in problem.place.rpartition(":")[0].split("/"):
            problem = replace(problem, place=f"{problem.place} (id {record.item})")
        number, first = self.problems.get(problem.kind, (0, []))
        if len(first) < PROBLEMS:
            first.append(problem)
        self.problems[problem.kind] = number + 1, first

    def ignore(self, detail: str) -> None:
        counted = COUNTED.fullmatch(detail)
        number, kind = (int(counted[1].replace(",", "")), counted[2]) if counted else (1, detail)
        kind = kind.removesuffix(", which is not used")
        if kind in self.ignored or len(self.ignored) < LABELS:
            self.ignored[kind] += number

    def reject(self, counts: SplitCounts, record: BadRecord) -> None:
        """Counts a record that is left out."""
        reason = Reason(record.reason)
        counts.rejected[reason] += 1
        if len(counts.first_rejects) < TEXTS:
            counts.first_rejects.append(f"{record.place}: {record.reason}: {record.detail}")
        if reason in (Reason.IGNORED_ANNOTATION, Reason.SAME_TEXT_UNITED):
            self.ignore(record.detail)
        else:
            self.note(Problem(f"records left out: {problems.in_words(reason, True)}", record.place, record.detail))

    def lose(self, counts: SplitCounts, part: BadRecord, record: RawExample) -> None:
        """Counts a part that is lost from `record`."""
        reason = Reason(part.reason)
        counts.lost[reason] += 1
        if reason == Reason.IGNORED_ANNOTATION:
            self.ignore(part.detail)
        else:
            kind = f"annotations left out: {problems.in_words(reason, False)}"
            self.note(Problem(kind, part.place, part.detail), record)

    def add(self, counts: SplitCounts, raw: RawExample, record: RawExample) -> None:
        counts.texts += 1
        if record.annotator and (record.annotator in self.annotators or len(self.annotators) < LABELS):
            self.annotators[record.annotator] += 1
        for part in record.lost:
            self.lose(counts, part, record)
        layers = [layer for layer in LAYERS if getattr(record, layer) is not None]
        self.layers |= dict.fromkeys(layers)
        counts.annotated += bool(layers)
        for layer in layers:
            counts.layers[layer] += len(getattr(record, layer))
        for problem in problems.of_text(raw, record):
            self.note(problem, record)
        self.nested += count_nested(record)
        self.use_labels(record)
        has_annotation = any(getattr(record, layer) for layer in layers)
        if has_annotation and len(self.first_texts) < TEXTS:
            self.first_texts.append(record)

    def use_labels(self, record: RawExample) -> None:
        for entity in record.entities or ():
            self.use("entities", entity.label, record.place, entity.mention.text)
        for relation in record.relations or ():
            self.use("relations", relation.label, record.place, f"{relation.head.text} -> {relation.tail.text}")
        for event in record.events or ():
            use = self.use("events", event.label, record.place, event.trigger.text if event.trigger else "")
            if use:
                use.roles |= dict.fromkeys(argument.role for argument in event.arguments)

    def use(self, layer: str, label: str, place: str, example: str) -> LabelUse | None:
        labels = self.labels[layer]
        if label not in labels:
            if len(labels) == LABELS:
                self.uncounted[layer] += 1
                return None
            labels[label] = LabelUse(place)
        use = labels[label]
        use.count += 1
        if example and len(use.examples) < EXAMPLES and example not in use.examples:
            use.examples.append(example)
        return use


def count_nested(record: RawExample) -> int:
    """The number of entities inside other entities of the text."""
    nested, furthest = 0, -1
    for _, end, _ in problems.whole_spans(record.entities or ()):
        nested += end <= furthest
        furthest = max(furthest, end)
    return nested


def survey(located: Located, source_files: SourceFiles, hash_split: Callable[[str], str]) -> Survey:
    """Reads `source_files`, the files of a source. `hash_split`: text → split, for a source whose files have no splits.

    A file that cannot be read ends its split, as in a build; the outcomes tell `judge` so.
    """
    result, source = Survey(located.source), located.source
    consistency = Consistency()
    for split, files in source_files.splits.items():
        failed = empty = ""
        form = source_files.other_forms.get(split, source_files.form)
        names: dict[str, SplitCounts] = {}
        try:
            for raw, record in pairs(source, form, files):
                name = split
                if split == "all":
                    name = "train" if isinstance(record, BadRecord) else hash_split(record.text)
                if name not in names:
                    names[name] = result.splits.setdefault(name, SplitCounts())
                if isinstance(record, BadRecord):
                    result.reject(names[name], record)
                elif raw is not None:
                    result.add(names[name], raw, record)
                    consistency.add(record)
            if not names:
                raise no_record(files)
        except NoRecord as error:
            empty = str(error)
        except SourceError as error:
            failed = str(error)
        if failed or empty:
            result.outcomes.append(SplitOutcome(located.key, split, failed=failed, empty=empty))
    for name, counts in result.splits.items():
        result.outcomes.append(SplitOutcome(located.key, name, as_read(located.key, name, counts)))
    for problem in consistency.problems():
        result.note(problem)
    for labels in result.labels.values():
        uses = {label: use.count for label, use in labels.items()}
        for problem in problems.similar_labels(uses, {label: use.place for label, use in labels.items()}):
            result.note(problem)
    return result


def pairs(source: Source, form: Form, files: list[File]) -> Iterator[tuple[RawExample | None, RawExample | BadRecord]]:
    """(record as in the file, the same for a build) of one split; (None, bad record) if it cannot be read."""
    maps = source.entity_labels, source.relation_labels, source.event_labels, source.role_names
    with barrier():
        for record in form.read(files):
            if isinstance(record, RawExample):
                yield record, normalize(record, *maps)
            else:
                yield None, record


def as_read(key: str, split: str, counts: SplitCounts) -> SplitRead:
    read = LayerCounts(counts.texts, *(counts.layers[layer] for layer in LAYERS))
    rejects, lost = tuple(counts.first_rejects), dict(counts.lost)
    return SplitRead(key, split, read, counts.annotated, 0, dict(counts.rejected), lost, rejects, (), ())
