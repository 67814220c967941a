"""Labels to ask about a text → batches of labels, one batch per prompt."""

from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush

import numpy as np

from schemas.label import Label
from transforms.render import answer_key

SPLIT_NUM = {"NER": 6, "RE": 4, "SPO": 4, "EE": 4, "EET": 4, "EEA": 4, "KG": 1}
"""Task → labels per batch, by default."""


def smallest_rest(size: int | np.ndarray) -> np.ndarray:
    """The smallest size of a last batch that is not merged into the batch before it. `size`: labels per batch."""
    return np.maximum(1, size // 2)


def cut(labels: Sequence[Label], size: int) -> list[list[Label]]:
    """`labels` in batches of `size` (-1: all in one batch). A last batch smaller than `smallest_rest` is merged into
    the batch before it.

    Typed triples answer under their predicate, so a batch must not contain a predicate twice. A label whose predicate
    is already in the batch is deferred and comes first in the next one. Every label occurs exactly once. A batch before
    the last has fewer than `size` labels only if all remaining predicates are already in it. The last batch is not
    merged if that would repeat a predicate. With -1 there are as many batches as the most frequent predicate has
    labels.
    """
    size = len(labels) if size == -1 else size
    queues: dict[str, deque[int]] = {}  # key → the numbers of its remaining labels
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
