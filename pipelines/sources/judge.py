"""What came of reading each split → which sources failed, which have no text here, which are good.

The build and `python -m pipelines.sources --verify` judge by this alone, so that they agree.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines import sources
from pipelines.sources import Source
from schemas.example import LAYER
from schemas.manifests import SplitRead, Stored

FEW = 10
"""Up to so many bad records a rate says nothing: one bad line of 40 is no reason to lose the other 39."""


@dataclass
class Verdict:
    """`failed`: source key → why. `absent`: keys of sources whose files hold texts of their siblings alone."""

    failed: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)


class SplitOutcome(Stored, frozen=True):
    """What came of reading a split: an element of `examples/.summary.json`.

    `counts` what was read of it; `failed`: why it cannot be read; `empty`: why it has no record. A split that failed or
    is empty may have the counts of its bad records.
    """

    key: str
    split: str
    counts: SplitRead | None = None
    failed: str = ""
    empty: str = ""

    @property
    def read(self) -> SplitRead | None:
        """The counts of a split that was read to its end."""
        return None if self.failed or self.empty else self.counts


def judge(outcomes: Iterable[SplitOutcome], by_key: dict[str, Source], max_reject_rate: float) -> Verdict:
    """`by_key`: the sources that were read.

    A source fails where a file of it cannot be read or holds no record, where too many records of a split are bad, and
    where no record of any split has the fields that its tasks need. Up to `FEW` bad records are never too many unless
    they are more than half of the split's, or `max_reject_rate` is 0.
    """
    verdict = Verdict()
    groups: dict[str, list[SplitOutcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.key, []).append(outcome)
    read: Counter[tuple[str, str]] = Counter()  # folder and split → good records: cuts of one dataset share its files
    for key, group in groups.items():
        for outcome in group:
            read[folder(key), outcome.split] += good_records(outcome)
    for key, group in sorted(groups.items()):
        elsewhere = is_cut(key) and any(read[folder(key), outcome.split] for outcome in group)
        failures = [outcome.failed for outcome in group if outcome.failed]
        empty = [outcome.empty for outcome in group if outcome.empty]
        if failures or (empty and not elsewhere):
            verdict.failed[key] = (failures or empty)[0]
        elif elsewhere and not any(map(good_records, group)):
            verdict.absent.append(key)
        else:
            splits = [outcome.read for outcome in group if outcome.read]
            problems = [too_many_bad(split, read[folder(key), split.split], max_reject_rate) for split in splits]
            problem = next(filter(None, problems), "") or unannotated(splits, by_key[key])
            if problem:
                verdict.failed[key] = problem
    return verdict


def good_records(outcome: SplitOutcome) -> int:
    return outcome.read.read.examples + outcome.read.beyond_limit if outcome.read else 0


def folder(key: str) -> str:
    """Where the files of a source lie: those of the cuts of one dataset in one folder."""
    return sources.folder(key) if key in sources.keys() else key


def is_cut(key: str) -> bool:
    """Whether other sources read the same files: a file then need not hold texts of each."""
    return key in sources.keys() and sum(sources.folder(key) == sources.folder(other) for other in sources.keys()) > 1


def too_many_bad(split: SplitRead, good: int, max_reject_rate: float) -> str:
    """Why a split has too many bad records beside its `good` ones: empty where it has not."""
    bad = sum(n for reason, n in split.rejected.items() if not reason.is_rule)
    allowed = max(max_reject_rate * (good + bad), min(FEW, (good + bad) // 2)) if max_reject_rate else 0
    if bad <= allowed:
        return ""
    return (
        f"{split.split}: {bad} of {good + bad} records rejected ({bad / (good + bad):.1%}, allowed "
        f"{max_reject_rate:.1%}), first {split.first_rejects[0]}; mend the file or raise ingest.max_reject_rate"
    )


def unannotated(splits: list[SplitRead], source: Source) -> str:
    """Texts alone are fine as test data, to predict on, not to learn from."""
    learnt = sum(split.read.examples for split in splits if split.split != "test")
    if not learnt or any(split.annotated for split in splits):
        return ""
    layers = " or ".join(sorted({LAYER[task] for task in source.tasks}))
    return f"none of its records has {layers}, so nothing can be learnt from it; expected: {source.get}"
