"""The results of the stages → lines for the user about what was left out."""

from collections.abc import Mapping, Sequence

from pipelines.knowledge import rejects
from schemas.errors import Reason
from schemas.knowledge_manifests import DumpRead, Entities, PageFile, Pages
from transforms.knowledge import themes

NAMED = 5
"""The largest number of files that are reported one by one."""


def in_entities(entities: Entities, themes_file: str | None) -> list[str]:
    """A line for every dump with lines or statements that could not be read, one for the items that were left out, and
    one for each property in the user's file of themes of which the dumps have no statement.
    """
    lines = rejected(entities.dumps, entities.stage)
    counts = {"repeated": entities.repeated_items, "merged into others": entities.merged_items}
    left_out = [f"{n:,} {why}" for why, n in counts.items() if n]
    lines += [f"note: items left out: {', '.join(left_out)}"] if left_out else []
    return lines + (unused(entities.unused_properties, themes_file) if themes_file else [])


def unused(numbers: Sequence[int], themes_file: str) -> list[str]:
    """A line for each place of properties that no item has; one line for more than NAMED."""
    places = themes.uses(themes_file, numbers)
    if len(places) > NAMED:
        return [
            f"note: {themes_file}: no item of the dump has a statement of {len(numbers)} properties, first {places[0]}"
        ]
    return [f"note: {place}: no item of the dump has a statement of this property" for place in places]


def in_pages(pages: Pages) -> list[str]:
    """A line for every file with pages that could not be read, and one for redirects that lead to no page."""
    lines = rejected(pages.sources, pages.stage)
    if pages.redirect_loops:
        lines.append(f"note: {pages.redirect_loops:,} redirects lead to no page")
    return lines


def rejected(read: Sequence[DumpRead] | Sequence[PageFile], stage: str) -> list[str]:
    """The lines about the files with rejected records; one line for more than NAMED files."""
    where = f"see {rejects.folder(stage)}/ for place and reason"
    bad = [file for file in read if file.rejected]
    if len(bad) > NAMED:
        total = sum(sum(file.rejected.values()) for file in bad)
        return [f"note: {total:,} bad records in {len(bad)} files, first {bad[0].first_rejects[0]}; {where}"]
    return [f"note: {file.name}: {counted(file.rejected)}, first {file.first_rejects[0]}; {where}" for file in bad]


def counted(reasons: Mapping[Reason, int]) -> str:
    total = sum(reasons.values())
    return f"{total:,} bad record{'s' * (total > 1)}"
