"""The labels that a text is asked about → batches of them, one per prompt."""

from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush

import numpy as np

from schemas.label import Label
from transforms.render import answer_key

SPLIT_NUM = {"NER": 6, "RE": 4, "SPO": 4, "EE": 4, "EET": 4, "EEA": 4, "KG": 1}
"""Task → labels per batch, by default."""


def smallest_rest(size: int | np.ndarray) -> np.ndarray:
    """A last batch with fewer labels than this joins the batch before it. `size`: labels per batch."""
    return np.maximum(1, size // 2)


def cut(labels: Sequence[Label], size: int) -> list[list[Label]]:
    """`labels` in batches of `size` (-1: all in one); a rest below `smallest_rest` joins the batch before it.

    The answer's keys of a typed triple are predicates, so no batch holds one predicate twice: a label whose
    predicate is already in the batch is passed over and stands first in line for the next one. Every label comes
    exactly once. A batch before the last holds fewer than `size` only where no predicate was left that it lacks; a
    rest stays on its own where joining would repeat a predicate; and with -1 there are as many batches as the
    commonest predicate has labels.
    """
    size = len(labels) if size == -1 else size
    queues: dict[str, deque[int]] = {}  # key → the numbers of its labels that wait
    for number, label in enumerate(labels):
        queues.setdefault(answer_key(label), deque()).append(number)
    first = [queue[0] for queue in queues.values()]  # ascending, so a heap
    batches = []
    while first:
        numbers = [heappop(first) for _ in range(min(size, len(first)))]
        batches.append([labels[number] for number in numbers])
        for label in batches[-1]:
            queue = queues[answer_key(label)]
            queue.popleft()
            if queue:
                heappush(first, queue[0])
    if len(batches) > 1 and len(batches[-1]) < smallest_rest(size):
        rest = set(map(answer_key, batches[-1]))
        if not any(answer_key(label) in rest for label in batches[-2]):
            batches[-2].extend(batches.pop())
    return batches
