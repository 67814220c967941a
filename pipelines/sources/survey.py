"""The texts of a source → what is in them: counts, labels with examples, first texts and problems.

Memory does not grow with the number of texts, except for the sets of labels and of mentions, which are limited.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipelines.sources import problems
from pipelines.sources.agreement import Comparison
from pipelines.sources.problems import Consistency, Ids, Problem
from schemas.errors import BadRecord, Reason
from schemas.example import RawExample

LAYERS = ("entities", "relations", "events")
TEXTS, EXAMPLES, PROBLEMS = 3, 3, 20
"""Texts shown; examples per label; problems kept per kind."""

ProblemsByKind = Mapping[str, tuple[int, Sequence[Problem]]]
"""Kind of problem → (number, the first PROBLEMS)."""

IGNORED_RECORDS = (Reason.IGNORED_ANNOTATION, Reason.SAME_TEXT_UNITED)
"""Reasons of records that are left out and are no problem."""

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
    first_lost: str = ""

    @property
    def left_out(self) -> int:
        """The records that are left out, except annotations of texts that several people annotated."""
        return self.rejected.total() - self.rejected[Reason.NOT_CHOSEN]


@dataclass
class Survey:
    """`problems`: kind → (number, first PROBLEMS). `ignored`: kind of annotation that is not used → number. `layers`:
    those annotated in a text.
    """

    splits: dict[str, SplitCounts] = field(default_factory=dict)
    labels: dict[str, dict[str, LabelUse]] = field(default_factory=lambda: {layer: {} for layer in LAYERS})
    uncounted: Counter[str] = field(default_factory=Counter)  # layer → annotations with a label beyond LABELS
    first_texts: list[RawExample] = field(default_factory=list)
    problems: dict[str, tuple[int, list[Problem]]] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    comparison: Comparison = field(default_factory=Comparison)  # of the annotators
    not_chosen: int = 0  # annotations of a text beside the one that is read
    outvoted: int = 0  # parts of these that a majority does not have
    layers: dict[str, None] = field(default_factory=dict)
    nested: int = 0
    consistency: Consistency = field(default_factory=Consistency)
    ids: Ids = field(default_factory=Ids)

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
        if reason == Reason.NOT_CHOSEN:
            self.not_chosen += 1
            return
        if len(counts.first_rejects) < TEXTS:
            counts.first_rejects.append(f"{record.place}: {record.reason}: {record.detail}")
        if reason in IGNORED_RECORDS:
            self.ignore(record.detail)
        else:
            self.note(Problem(problems.of_record(reason), record.place, record.detail))

    def lose(self, counts: SplitCounts, part: BadRecord, record: RawExample | None = None) -> None:
        """Counts a part that is lost from `record`, if this is known."""
        reason = Reason(part.reason)
        counts.lost[reason] += 1
        counts.first_lost = counts.first_lost or f"{part.place}: {part.reason}: {part.detail}"
        if reason == Reason.IGNORED_ANNOTATION:
            self.ignore(part.detail)
        elif reason == Reason.NOT_CHOSEN:
            self.outvoted += 1
        else:
            self.note(Problem(problems.of_part(reason), part.place, part.detail), record)

    def add(self, counts: SplitCounts, raw: RawExample, record: RawExample) -> None:
        """Counts a text. `raw`: as in the file; `record`: with the labels and offsets that a build uses."""
        counts.texts += 1
        for part in record.lost:
            self.lose(counts, part, record)
        layers = [layer for layer in LAYERS if getattr(record, layer) is not None]
        self.layers |= dict.fromkeys(layers)
        counts.annotated += bool(layers)
        for layer in layers:
            counts.layers[layer] += len(getattr(record, layer))
        for problem in self.ids.problems(record):
            self.note(problem)
        for problem in problems.of_text(raw, record):
            self.note(problem, record)
        self.nested += count_nested(record)
        self.use_labels(record)
        has_annotation = any(getattr(record, layer) for layer in layers)
        if has_annotation and len(self.first_texts) < TEXTS:
            self.first_texts.append(record)
        self.consistency.add(record)

    def finish(self) -> None:
        """Notes the problems that only all texts show. To be called after the last text."""
        for problem in self.consistency.problems():
            self.note(problem)
        for labels in self.labels.values():
            uses = {label: use.count for label, use in labels.items()}
            for problem in problems.similar_labels(uses, {label: use.place for label, use in labels.items()}):
                self.note(problem)

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


def kinds(by_kind: ProblemsByKind) -> list[str]:
    """The kinds of problems in the order in which they are shown: first those that cost a record or a part of it."""
    order = {kind: number for number, kind in enumerate(problems.KINDS)}
    return sorted(by_kind, key=lambda kind: (order.get(kind, -1), not kind.startswith("records"), kind))


def first_problems(by_kind: ProblemsByKind) -> list[Problem]:
    """At most PROBLEMS problems: the first of each kind, then the second of each kind, and so on."""
    groups = [by_kind[kind][1] for kind in kinds(by_kind)]
    turns = (group[turn] for turn in range(PROBLEMS) for group in groups if turn < len(group))
    return [problem for problem, _ in zip(turns, range(PROBLEMS), strict=False)]
