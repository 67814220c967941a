"""Validation rows → the solved examples that stand before an instruction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from schemas.errors import ConfigError
from transforms.draw import nth_key, seed_key

if TYPE_CHECKING:
    import datasets

DRAWS = 20
"""By hash, for each example wanted; after them the rows are gone through in order."""


@dataclass(frozen=True)
class Shots:
    """`rows`: the validation split; `numbers`: (task, source) → those of its rows that have an answer."""

    rows: "datasets.Dataset"
    numbers: Mapping[tuple[str, str], list[int]]
    count: int
    seed: int

    def of(self, row: Mapping) -> tuple[tuple[str, str], ...]:
        """(instruction, output) of `count` rows of the same task and source with different texts, none of them the
        row's own, drawn by a hash of (seed, row id). Raises ConfigError where there are not as many.
        """
        numbers = self.numbers[row["task"], row["source"]]
        key = seed_key(self.seed, row["id"], "shots")
        draws = (numbers[nth_key(key, draw) % len(numbers)] for draw in range(DRAWS * self.count))
        texts, found = {row["text_sha256"]}, []
        for number in chain(draws, numbers):
            shot = self.rows[number]
            if shot["text_sha256"] not in texts:
                texts.add(shot["text_sha256"])
                found.append((shot["instruction"], shot["output"]))
            if len(found) == self.count:
                return tuple(found)
        raise _too_few(self.count, row["task"], row["source"])


def read(rows: "datasets.Dataset", asked: Iterable[Mapping], count: int, seed: int) -> Shots:
    """The examples that a validation split has for the rows `asked`. Raises ConfigError where it has too few."""
    numbers: dict[tuple[str, str], list[int]] = {}
    texts: dict[tuple[str, str], set[str]] = {}
    for number, row in enumerate(rows.select_columns(["task", "source", "text_sha256", "output"])):
        if row["output"] is not None:
            numbers.setdefault((row["task"], row["source"]), []).append(number)
            texts.setdefault((row["task"], row["source"]), set()).add(row["text_sha256"])
    for task, source in sorted({(row["task"], row["source"]) for row in asked}):
        if len(texts.get((task, source), ())) < count:
            raise _too_few(count, task, source)
    return Shots(rows, numbers, count, seed)


def _too_few(count: int, task: str, source: str) -> ConfigError:
    return ConfigError(
        f"--shots {count}: the validation split has fewer other texts of {source} for {task}; ask for fewer, "
        "or choose with --sources and --tasks"
    )
