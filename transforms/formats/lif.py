"""LIF, the format of the LAPPS Grid, which is recognised but not read; https://wiki.lappsgrid.org/interchange/."""

from transforms.formats.head import Head


def recognises(head: Head) -> bool:
    """Whether the first value is a text with views of annotations."""
    return any(
        isinstance(row, dict)
        and isinstance(row.get("text"), dict)
        and "@value" in row["text"]
        and isinstance(row.get("views"), list)
        for row in head.rows[:1]
    )
