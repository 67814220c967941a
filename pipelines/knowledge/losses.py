"""The results of the stages → lines for the user about what was left out."""

from collections.abc import Mapping, Sequence

from schemas.errors import Reason
from schemas.knowledge_manifests import DumpRead, Entities, PageFile, Pages

NAMED = 5
"""The largest number of files that are reported one by one."""


def in_entities(entities: Entities) -> list[str]:
    """A line for every dump with lines that could not be read, and one for each kind of items that were left out."""
    lines = rejected(entities.dumps, "line")
    counts = {"repeated": entities.repeated_items, "merged into others": entities.merged_items}
    left_out = [f"{n:,} {why}" for why, n in counts.items() if n]
    return lines + ([f"note: items left out: {', '.join(left_out)}"] if left_out else [])


def in_pages(pages: Pages) -> list[str]:
    """A line for every file with pages that could not be read, and one for redirects that lead to no page."""
    lines = rejected(pages.sources, "page")
    if pages.redirect_loops:
        lines.append(f"note: {pages.redirect_loops:,} redirects lead to no page")
    return lines


def rejected(read: Sequence[DumpRead] | Sequence[PageFile], unit: str) -> list[str]:
    """The lines about the files with rejected parts; one line for more than NAMED files."""
    bad = [file for file in read if file.rejected]
    if len(bad) > NAMED:
        total = sum(sum(file.rejected.values()) for file in bad)
        return [f"note: {total:,} bad {unit}s in {len(bad)} files, first {bad[0].first_rejects[0]}"]
    return [f"note: {file.name}: {counted(file.rejected, unit)}, first {file.first_rejects[0]}" for file in bad]


def counted(reasons: Mapping[Reason, int], unit: str) -> str:
    total = sum(reasons.values())
    return f"{total:,} bad {unit}{'s' * (total > 1)}"
