"""What the checks of a shard's tables found of rows that break no rule → what the corpus suite adds up."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

ID = re.compile(r"^(?P<key>.+)/(?P<split>train|validation|test)/(?P<number>\d+)(/(?P<window>\d+))?$")
"""An Example's id, with or without its window."""

Place = tuple[int, int]
"""Number and window (-1: not cut) of an example in its source and split."""


Names = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Of rows without a fault. `places`: `<key>/<split>` → the first and the last example, which stand in order.

    `negatives` and `positives` are those of `profile.negative_counts`, 0 for test rows. `labels` are the different ones
    of the layers of Examples, to be held against label sets that are made later: (layer, label), of relations with
    the labels of head and tail, of events also with each role.
    """

    rows: int
    places: dict[str, tuple[Place, Place]]
    negatives: int = 0
    positives: int = 0
    labels: tuple[Names, ...] = ()


def place(example_id: str) -> tuple[str, Place] | None:
    """`<key>/<split>` and the place of the example, None for an id of another form."""
    match = ID.search(example_id)
    return match and (f"{match['key']}/{match['split']}", (int(match["number"]), int(match["window"] or -1)))


def places(example_ids: Iterable[str]) -> dict[str, tuple[Place, Place]] | None:
    """The places of examples of one source and split; None where they are not, or not in order, or some twice."""
    ids = list(example_ids)
    first = place(ids[0]) if ids else None
    if first is None:
        return None
    prefix = first[0]
    numbers = [id_[len(prefix) + 1 :] for id_ in ids]
    if "".join(numbers).isdecimal() and all(numbers) and all(id_.startswith(f"{prefix}/") for id_ in ids):
        found = [(int(number), -1) for number in numbers]  # none was cut: four times as fast as to match each
    else:
        matched = [at for at in map(place, ids) if at and at[0] == prefix]
        if len(matched) < len(ids):
            return None
        found = [at for _, at in matched]
    return {prefix: (found[0], found[-1])} if all(a < b for a, b in pairwise(found)) else None


def joined(tables: Iterable[Facts | None]) -> Facts | None:
    """The facts of a shard from those of its tables, in their order; None where a table's are, or where two tables
    might hold the same example.
    """
    rows = negatives = positives = 0
    together: dict[str, tuple[Place, Place]] = {}
    labels: set[Names] = set()
    for facts in tables:
        if facts is None:
            return None
        for prefix, (first, last) in facts.places.items():
            if prefix in together and together[prefix][1] >= first:
                return None
            together[prefix] = (together.get(prefix, (first, last))[0], last)
        rows, negatives, positives = rows + facts.rows, negatives + facts.negatives, positives + facts.positives
        labels.update(facts.labels)
    return Facts(
        rows, together, negatives, positives, tuple(sorted(labels, key=lambda names: [n or "" for n in names]))
    )
