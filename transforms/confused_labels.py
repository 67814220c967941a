"""Gold items and given items of a text → the labels that were confused.

A confusion of A with B: an item that is given under B has the mentions of a gold item with the label A, and the gold
has no such item with the label B. A mention with several gold labels is confused with each of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

TASKS = ("NER", "RE", "SPO", "EE", "EET")
"""The tasks in which the model chooses the label of a mention or pair. In EEA and KG the prompt gives it."""


def confusions(gold: Iterable[tuple[Any, ...]], given: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, Any]]:
    """(gold label, given label) of each confusion. `gold`, `given`: items (label, mention, …); equal ones count once.

    An item with an empty mention, such as an event without a trigger, is not confused.
    """
    right = dict.fromkeys(gold)
    labels: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for label, *mentions in right:
        labels[tuple(mentions)].append(label)
    for item in dict.fromkeys(given):
        if item not in right and all(item[1:]):
            for label in labels.get(item[1:], ()):
                yield label, item[0]
