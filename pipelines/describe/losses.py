"""The manifests of a build → lines for the user about what was lost."""

from collections import Counter
from collections.abc import Sequence

from pipelines import sources
from schemas.errors import Reason
from schemas.label import LabelSet
from schemas.manifests import Cleaned, Ingested

MOST = 0.5
"""A split that loses a larger share of its rows in cleaning is reported."""

NAMED = 5
"""The largest number of sources that are reported one by one, or named in one line."""


def in_ingest(ingested: Ingested) -> list[str]:
    """A line for every failed source, and for sources with rejected records: one line per source, or one for many. A
    user's source that loses most of its annotations has a line of its own.
    """
    lines = [f"error: source {key}: {reason}" for key, reason in ingested.failed.items()]
    if ingested.absent:
        lines.append(f"note: the files contain no text for {named(ingested.absent)}; skipped")
    records: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for split in ingested.splits:
        bad = sum(n for reason, n in split.rejected.items() if not reason.is_rule)
        records[split.key] += bad
        parts[split.key] += sum(split.lost.values())
        for problem in (*(split.first_rejects if bad else ()), *split.first_lost):
            first.setdefault(split.key, problem)
    where = "see rejects/ingest/ for place and reason"
    keys = sorted(key for key in records if records[key] or parts[key])
    if len(keys) > NAMED:
        lines.append(f"note: {counted(records.total(), parts.total())} in {len(keys)} sources; {where}")
    else:
        lines += [f"note: {key}: {counted(records[key], parts[key])}, first {first.get(key)}; {where}" for key in keys]
    return lines + most_annotations_lost(ingested)


CAUSES = {
    Reason.OFFSET_MISMATCH: "their offsets do not fit the text, which may have been changed after it was annotated",
    Reason.MENTION_NOT_IN_TEXT: "their strings are not in the text, which may have been changed after it was annotated",
    Reason.UNKNOWN_LABEL: "the label set does not have their labels",
    Reason.MISSING_FIELD: "an end or another part of them is missing",
}
"""Reason → why annotations cannot be used."""


def most_annotations_lost(ingested: Ingested) -> list[str]:
    """A line per user's source of whose annotations more than MOST cannot be used."""
    kept: Counter[str] = Counter()
    lost: dict[str, Counter[Reason]] = {}
    for split in ingested.splits:
        if split.key not in sources.keys():
            kept[split.key] += split.read.entities + split.read.relations + split.read.events
            unusable = {reason: n for reason, n in split.lost.items() if not reason.is_rule}
            lost.setdefault(split.key, Counter()).update(unusable)
    lines = []
    for key, reasons in sorted(lost.items()):
        number, total = reasons.total(), kept[key] + reasons.total()
        if lost_most(total, kept[key]):
            reason, _ = max(reasons.items(), key=lambda item: (item[1], item[0]))
            cause = CAUSES.get(reason, str(reason))
            lines.append(f"warning: {key}: {number:,} of {total:,} annotations cannot be used, most because {cause}")
    return lines


def counted(records: int, parts: int) -> str:
    counts = [f"{records:,} bad record{'s' * (records > 1)}"] if records else []
    return " and ".join([*counts, *([f"{parts:,} lost part{'s' * (parts > 1)} of records"] if parts else [])])


LEAKS = {Reason.LEAKAGE: "equal", Reason.CONTAINED_LEAK: "contained", Reason.NEAR_LEAK: "near"}
"""Reason → the field of `LeakCounts` with these texts."""


def in_clean(cleaned: Cleaned) -> list[str]:
    """A line per split that lost most of its rows."""
    rows: Counter[tuple[str, str]] = Counter()
    kept: Counter[tuple[str, str]] = Counter()
    reasons: dict[tuple[str, str], Counter] = {}
    leaks: dict[tuple[str, str], dict[Reason, set[str]]] = {}
    for shard in cleaned.shards:
        at = shard.key, shard.split
        rows[at] += shard.windows
        kept[at] += shard.kept.examples
        reasons.setdefault(at, Counter()).update(shard.rejected)
        for key, counts in shard.leaks_into.items():
            for reason, kind in LEAKS.items():
                if getattr(counts, kind):
                    leaks.setdefault(at, {}).setdefault(reason, set()).add(key)
    lines = []
    for at in sorted(rows):
        if lost_most(rows[at], kept[at]):
            into = {
                reason: f" into the test split of {', '.join(sorted(keys))}"
                for reason, keys in leaks.get(at, {}).items()
            }
            why = ", ".join(f"{reason} {n:,}{into.get(reason, '')}" for reason, n in sorted(reasons[at].items()))
            lines.append(
                f"{'note' if kept[at] else 'warning'}: {'/'.join(at)}: cleaning kept {kept[at]:,} of {rows[at]:,} rows "
                f"({why}); rejects/clean/ lists the others"
            )
    return lines


def lost_most(rows: int, kept: int) -> bool:
    return rows - kept > MOST * rows


def in_labels(label_sets: Sequence[LabelSet], without_task: Sequence[str]) -> list[str]:
    """A line for the label sets without a label in any text, which only teach empty answers, and a line for the sources
    `without_task`: those that have none of the requested tasks.
    """
    empty = [f"{labels.key} {labels.task}" for labels in label_sets if not any(labels.counts.values())]
    lines = [f"warning: no text has a label of {named(empty)}; all its answers are empty"] if empty else []
    if without_task:
        names = named(without_task)
        lines.append(f"note: {names}: none of the requested tasks; texts are only used to detect leaks")
    return lines


def named(names: Sequence[str]) -> str:
    """The first NAMED names, and the number of the others."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
