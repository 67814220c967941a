"""What cleaning dropped → the splits that lost most of their rows, which nobody should have to look up to know."""

from collections import Counter
from collections.abc import Iterable, Mapping

MOST = 0.5
"""A split that lost a larger share of its rows than this is told of."""


def lost_most(rows: int, kept: int) -> bool:
    return rows - kept > MOST * rows


def lines(shards: Iterable[Mapping]) -> list[str]:
    """A line for each split that lost most of its rows in cleaning. `shards`: as the manifest of clean/ has them."""
    rows: Counter[tuple[str, str]] = Counter()
    kept: Counter[tuple[str, str]] = Counter()
    reasons: dict[tuple[str, str], Counter] = {}
    leaks: dict[tuple[str, str], set[str]] = {}
    for part in shards:
        at = part["key"], part["split"]
        rows[at] += part["windows"]
        kept[at] += part["kept"]["examples"]
        reasons.setdefault(at, Counter()).update(part["rejected"])
        leaks.setdefault(at, set()).update(part["leaks_into"])
    told = []
    for at in sorted(rows):
        if lost_most(rows[at], kept[at]):
            why = ", ".join(f"{reason} {n:,}" for reason, n in sorted(reasons[at].items()))
            into = f" into the test split of {', '.join(sorted(leaks[at]))}" if leaks[at] else ""
            told.append(
                f"{'note' if kept[at] else 'warning'}: {'/'.join(at)}: cleaning left {kept[at]:,} of {rows[at]:,} rows "
                f"({why}{into}); rejects/clean/ tells which"
            )
    return told
