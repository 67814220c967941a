"""The summaries of the splits that were read → which sources failed, which have no text here, which are good.

The build and `python -m pipelines.sources --verify` judge by this alone, so that they agree.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines import sources
from pipelines.sources import Source
from schemas.errors import Reason
from schemas.example import LAYER

FEW = 10
"""Up to so many bad records a rate says nothing: one bad line of 40 is no reason to lose the other 39."""


@dataclass
class Verdict:
    """`failed`: source key → why. `absent`: keys of sources whose files hold texts of their siblings alone."""

    failed: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)


def judge(parts: Iterable[dict], by_key: dict[str, Source], max_reject_rate: float) -> Verdict:
    """`parts`: what `ingest.SplitWriter.close` returns, or key, split and `failed` or `nothing` (a split without a
    record) with the reason. `by_key`: the sources that were read.

    A source fails where a file of it cannot be read or holds no record, where too many records of a split are bad, and
    where no record of any split has the fields that its tasks need. Up to `FEW` bad records are never too many unless
    they are more than half of the split's, or `max_reject_rate` is 0.
    """
    verdict = Verdict()
    of_key: dict[str, list[dict]] = {}
    for part in parts:
        of_key.setdefault(part["key"], []).append(part)
    read = Counter()  # folder and split → good records: cuts of one dataset share its files, and its bad records
    for key, group in of_key.items():
        for part in group:
            read[folder(key), part["split"]] += good_records(part)
    for key, group in sorted(of_key.items()):
        elsewhere = is_cut(key) and any(read[folder(key), part["split"]] for part in group)
        failures = [part["failed"] for part in group if "failed" in part]
        nothing = [part["nothing"] for part in group if "nothing" in part]
        if failures or (nothing and not elsewhere):
            verdict.failed[key] = (failures or nothing)[0]
        elif elsewhere and not any(map(good_records, group)):
            verdict.absent.append(key)
        else:
            good = [part for part in group if "read" in part]
            problems = [too_many_bad(part, read[folder(key), part["split"]], max_reject_rate) for part in good]
            problem = next(filter(None, problems), "") or unannotated(good, by_key[key])
            if problem:
                verdict.failed[key] = problem
    return verdict


def good_records(part: dict) -> int:
    return part["read"]["examples"] + part["beyond_limit"] if "read" in part else 0


def folder(key: str) -> str:
    """Where the files of a source lie: those of the cuts of one dataset in one folder."""
    return sources.folder(key) if key in sources.keys() else key


def is_cut(key: str) -> bool:
    """Whether other sources read the same files: a file then need not hold texts of each."""
    return key in sources.keys() and sum(sources.folder(key) == sources.folder(other) for other in sources.keys()) > 1


def too_many_bad(part: dict, good: int, max_reject_rate: float) -> str:
    """Why a split has too many bad records beside its `good` ones: empty where it has not."""
    bad = sum(n for reason, n in part["rejected"].items() if not Reason(reason).is_rule)
    allowed = max(max_reject_rate * (good + bad), min(FEW, (good + bad) // 2)) if max_reject_rate else 0
    if bad <= allowed:
        return ""
    return (
        f"{part['split']}: {bad} of {good + bad} records rejected ({bad / (good + bad):.1%}, allowed "
        f"{max_reject_rate:.1%}), first {part['first_rejects'][0]}; mend the file or raise ingest.max_reject_rate"
    )


def unannotated(parts: list[dict], source: Source) -> str:
    """Texts alone are fine as test data, to predict on, not to learn from."""
    learnt = sum(part["read"]["examples"] for part in parts if part["split"] != "test")
    if not learnt or any(part["annotated"] for part in parts):
        return ""
    layers = " or ".join(sorted({LAYER[task] for task in source.tasks}))
    return f"none of its records has {layers}, so nothing can be learnt from it; expected: {source.get}"
