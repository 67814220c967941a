"""The parts of a record that its reader leaves out, as BadRecords for `RawExample.lost`."""

from collections.abc import Mapping

from schemas.errors import BadRecord, Reason


def ignored(place: str, counts: Mapping[str, int]) -> tuple[BadRecord, ...]:
    """One BadRecord per kind of annotation that information extraction does not use. `counts`: kind → how many the
    record has.
    """
    return tuple(
        BadRecord(place, Reason.IGNORED_ANNOTATION, f"{count:,} x {kind}, which is not used")
        for kind, count in sorted(counts.items())
    )
