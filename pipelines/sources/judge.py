"""The outcome of reading each split → the sources that failed, and those without any text in the files.

Used by the build and by `python -m pipelines.sources --verify`, so that both agree.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines import sources
from pipelines.sources import Source
from schemas.agreement import Annotators
from schemas.example import LAYER
from schemas.label import OpenLabels, typed_label
from schemas.manifests import LayerCounts, SplitRead, Stored
from transforms.formats.label_studio import UNREAD_PREDICTIONS

FEW = 10
"""Up to this many bad records, the rate is not checked: one bad line of 40 must not cost the other 39."""


@dataclass
class Verdict:
    """`failed`: source key → reason. `absent`: keys of sources whose files contain only texts of sibling sources."""

    failed: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)


class SplitOutcome(Stored, frozen=True):
    """The outcome of reading a split: an element of `examples/.summary.json`.

    `counts`: the records read. `failed`: the reason why the split cannot be read. `empty`: the message if it has no
    record. A split that failed or is empty may still have counts of bad records. `annotators`: those of the texts, with
    all pairs, if they are named; those of files that are divided into splits are in the outcome of the first split.
    `triples`: the typed triples (subject type, predicate, object type) whose name may be that of another one.
    """

    key: str
    split: str
    counts: SplitRead | None = None
    failed: str = ""
    empty: str = ""
    annotators: Annotators | None = None
    triples: tuple[tuple[str, str, str], ...] = ()

    @property
    def read(self) -> SplitRead | None:
        """The counts of a split that was read to the end; None if it failed or is empty."""
        return None if self.failed or self.empty else self.counts


def judge(outcomes: Iterable[SplitOutcome], by_key: dict[str, Source], max_reject_rate: float) -> Verdict:
    """The verdict on the sources that were read. `by_key`: these sources.

    A source fails if one of its files cannot be read or contains no record, if too many records of a split are bad, if
    no record is a text, if no record of any split has the annotation that its tasks need, or if two typed triples have
    the same name. Up to `FEW` bad records are accepted unless they are more than half of the records of the split, or
    `max_reject_rate` is 0.
    """
    verdict = Verdict()
    groups: dict[str, list[SplitOutcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.key, []).append(outcome)
    read: Counter[tuple[str, str]] = Counter()  # (folder, split) → good records: subsets of one dataset share its files
    for key, group in groups.items():
        for outcome in group:
            read[folder(key), outcome.split] += good_records(outcome)
    for key, group in sorted(groups.items()):
        siblings_have_records = is_subset(key) and any(read[folder(key), outcome.split] for outcome in group)
        failures = [outcome.failed for outcome in group if outcome.failed]
        empty = [outcome.empty for outcome in group if outcome.empty]
        if failures or (empty and not siblings_have_records):
            verdict.failed[key] = (failures or empty)[0]
        elif siblings_have_records and not any(map(good_records, group)):
            verdict.absent.append(key)
        else:
            splits = [outcome.read for outcome in group if outcome.read]
            problems = [too_many_bad(split, read[folder(key), split.split], max_reject_rate) for split in splits]
            problem = next(filter(None, problems), "") or no_text(splits) or unannotated(splits, by_key[key])
            problem = problem or same_name(triple for outcome in group for triple in outcome.triples)
            if problem:
                verdict.failed[key] = problem
    return verdict


TOO_MANY_BAD = "{}: {} of {} records rejected ({}, allowed {}), first {}; fix the file or raise ingest.max_reject_rate"
NO_TEXT = "none of its {} records is a text, first {}"
NONE_ANNOTATED = "none of its texts has entities, relations or events, so nothing can be learnt from it; {}"
NONE_USED = (
    "none of its texts has entities, relations or events that can be used (left out: {}), so nothing can be learnt "
    "from it; {}"
)
ANNOTATE = "annotate some, or move it away"


def good_records(outcome: SplitOutcome) -> int:
    return outcome.read.read.examples + outcome.read.beyond_limit if outcome.read else 0


def folder(key: str) -> str:
    """The folder of a source's files below the data root; all subsets of a dataset share one."""
    return sources.folder(key) if key in sources.keys() else key


def is_subset(key: str) -> bool:
    """Whether other sources read the same files; a file then need not contain texts of every source."""
    return key in sources.keys() and sum(sources.folder(key) == sources.folder(other) for other in sources.keys()) > 1


def too_many_bad(split: SplitRead, good: int, max_reject_rate: float) -> str:
    """The message if a split has too many bad records compared to its `good` ones, else empty."""
    bad = sum(n for reason, n in split.rejected.items() if not reason.is_rule)
    allowed = max(max_reject_rate * (good + bad), min(FEW, (good + bad) // 2)) if max_reject_rate else 0
    if bad <= allowed:
        return ""
    rates = f"{bad / (good + bad):.1%}", f"{max_reject_rate:.1%}"
    return TOO_MANY_BAD.format(split.split, bad, good + bad, *rates, split.first_rejects[0])


def no_text(splits: list[SplitRead]) -> str:
    """The message if all records were left out, such as the tasks of a project with images, else empty."""
    if any(split.read.examples or split.beyond_limit for split in splits):
        return ""
    number = sum(sum(split.rejected.values()) for split in splits)
    first = next((problem for split in splits for problem in split.first_rejects), "")
    return NO_TEXT.format(f"{number:,}", first) if number else ""


def unannotated(splits: list[SplitRead], source: Source) -> str:
    """The message if training or validation records have no annotation, else empty. Test data may be bare texts, unless
    only the annotations tell the labels.
    """
    is_open = isinstance(source.entity_labels, OpenLabels)
    trainable = sum(split.read.examples for split in splits if is_open or split.split != "test")
    if not trainable or any(annotations(split.read) if is_open else split.annotated for split in splits):
        return ""
    if is_open and any(split.beyond_limit for split in splits):
        return ""  # the texts that were drawn happen to have no annotation
    if is_open:
        lost = sum(sum(split.lost.values()) for split in splits)
        remedy = ANNOTATE
        if any(line.endswith(UNREAD_PREDICTIONS) for split in splits for line in split.first_lost):
            remedy = f"{UNREAD_PREDICTIONS}; add it, or annotate some"
        return NONE_USED.format(f"{lost:,}", remedy) if lost else NONE_ANNOTATED.format(remedy)
    layers = " or ".join(sorted({LAYER[task] for task in source.tasks}))
    return f"none of its records has {layers}, so nothing can be learnt from it; expected: {source.get}"


def same_name(triples: Iterable[tuple[str, str, str]]) -> str:
    """The message if two typed triples have the same name, else empty."""
    by_name: dict[str, tuple[str, str, str]] = {}
    for triple in triples:
        name = typed_label(*triple).name
        if by_name.setdefault(name, triple) != triple:
            return (
                f"{by_name[name]} and {triple} have the same name {name!r} in SPO; "
                "rename one of the labels in source.yaml"
            )
    return ""


def annotations(counts: LayerCounts) -> int:
    return counts.entities + counts.relations + counts.events
