"""Lengths of tokenised rows → statistics by task and source: what `max_length` leaves out, and how long the rest is."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from train.scoring.table import aligned, number, share

LOUD_SHARE = 0.05
"""Share of rows longer than `max_length` above which a warning is due."""


@dataclass(frozen=True)
class Lengths:
    """Lengths in tokens, prompt and answer, of the rows of one task and source, before any is left out.

    `too_long`: number of rows longer than `max_length`. `trained`, `tokens`: rows that are trained on in one epoch,
    counted as often as each is seen, and their tokens.
    """

    task: str
    source: str
    rows: int
    median: int
    p95: int
    longest: int
    too_long: int
    trained: int
    tokens: int

    @property
    def name(self) -> str:
        return f"{self.task} {self.source}"


def measure(
    groups: Iterable[tuple[str, str]], lengths: Sequence[int], trained: Sequence[int], max_length: int
) -> tuple[Lengths, ...]:
    """Returns Lengths by task and source, sorted. Row n is of `groups[n]` (task, source) and has `lengths[n]` tokens.
    `trained`: the numbers of the rows to train on, each as often as it is seen in an epoch.
    """
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, (group, length) in enumerate(zip(groups, lengths, strict=True)):
        if length:  # a row with a special token that cannot be tokenised has none
            members[group].append(row)
    every = np.asarray(lengths, np.int64)
    seen = np.bincount(np.asarray(trained, np.int64), minlength=len(every))
    result = []
    for (task, source), numbers in sorted(members.items()):
        sizes, times = every[numbers], seen[numbers]
        median, p95 = np.percentile(sizes, [50, 95], method="inverted_cdf").tolist()
        above = int((sizes > max_length).sum())
        counts = {"too_long": above, "trained": int(times.sum()), "tokens": int((sizes * times).sum())}
        result.append(Lengths(task, source, len(numbers), median, p95, int(sizes.max()), **counts))
    return tuple(result)


def table(lengths: Sequence[Lengths], max_length: int) -> str:
    """A table for the terminal, one line per task and source."""
    header = ("task", "source", "rows", "tokens p50", "p95", "max", f"over {max_length:,}", "share", "trained on")
    cells = [
        (
            each.task,
            each.source,
            *(number(count) for count in (each.rows, each.median, each.p95, each.longest, each.too_long)),
            share(each.too_long / each.rows),
            number(each.trained),
        )
        for each in lengths
    ]
    return aligned(header, cells, last_name="source")


def warnings(lengths: Sequence[Lengths], max_length: int) -> list[str]:
    """What to say aloud: sources that vanish, and more than LOUD_SHARE of the rows longer than `max_length`.

    The advice names the `max_length` that would keep 95 % of the rows of every task and source.
    """
    lines = [
        f"{each.name}: none of its {each.rows:,} rows has at most {max_length:,} tokens, so the model learns nothing "
        f"from it; training.max_length={each.p95} would keep 95 % of them"
        for each in lengths
        if each.too_long == each.rows
    ]
    rows, above = (sum(getattr(each, field) for each in lengths) for field in ("rows", "too_long"))
    loud = [each for each in lengths if LOUD_SHARE < each.too_long / each.rows < 1]
    if loud or above > LOUD_SHARE * rows:
        worst = ", ".join(f"{each.name} {each.too_long / each.rows:.0%}" for each in loud)
        enough = max(each.p95 for each in lengths)
        lines.append(
            f"{above / rows:.0%} of the rows ({above:,} of {rows:,}) have more than {max_length:,} tokens and are left "
            f"out{f' ({worst})' if worst else ''}; training.max_length={enough} keeps 95 % of each task and source"
        )
    return lines
