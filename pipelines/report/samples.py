"""Parts of the report that show some of many rows: in turn from every group, cut to a bounded size."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

import msgspec

from transforms.draw import seed_key
from transforms.pages.phrases import escaped

TEXT_CHARS = 4_000
NAME_CHARS = 120
LABEL_CHARS = 400
DETAIL_CHARS = 300


def short(text: str, most: int = NAME_CHARS) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def label_name(label: str) -> str:
    """The label, by which the page knows it: characters that turn the words of the page around or cannot be seen are
    escaped. One longer than LABEL_CHARS is cut, and a hash of it keeps it apart from others that begin alike.
    """
    name = escaped(label)
    return name if len(name) <= LABEL_CHARS else f"{name[: LABEL_CHARS - 18]}… {seed_key(0, label):016x}"


def size(value) -> int:
    return len(msgspec.json.encode(value))


def in_turn(groups: Iterable[Sequence]) -> Iterator:
    """The first of each group, then the second of each, and so on."""
    for rank in zip_longest(*groups):
        yield from (item for item in rank if item is not None)


def within(rows: Iterable, most: int) -> list:
    """The first rows whose JSON takes at most `most` bytes in total; a row that does not fit is skipped."""
    kept = []
    for row in rows:
        cost = size(row) + 1
        if cost <= most:
            kept.append(row)
            most -= cost
    return kept
