"""Validation rows → the solved examples before an instruction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from schemas.errors import ConfigError
from transforms.draw import nth_key, seed_key

if TYPE_CHECKING:
    import datasets

DRAWS_PER_EXAMPLE = 20
"""Random draws per example. If they do not suffice, the rows are tried in order."""


@dataclass(frozen=True)
class Shots:
    """The examples. `rows`: the validation split. `numbers`: (task, source) → indices of rows with an answer."""

    rows: "datasets.Dataset"
    numbers: Mapping[tuple[str, str], list[int]]
    count: int
    seed: int

    def draw(self, row: Mapping) -> tuple[tuple[str, str], ...]:
        """(instruction, output) of `count` rows of the same task and source, drawn by a hash of (seed, row id).

        Their texts differ from each other and from that of `row`. Raises ConfigError if there are too few.
        """
        numbers = self.numbers[row["task"], row["source"]]
        key = seed_key(self.seed, row["id"], "shots")
        draws = (numbers[nth_key(key, draw) % len(numbers)] for draw in range(DRAWS_PER_EXAMPLE * self.count))
        texts, examples = {row["text_sha256"]}, []
        for number in chain(draws, numbers):
            shot = self.rows[number]
            if shot["text_sha256"] not in texts:
                texts.add(shot["text_sha256"])
                examples.append((shot["instruction"], shot["output"]))
            if len(examples) == self.count:
                return tuple(examples)
        raise _too_few(self.count, row["task"], row["source"])


def read(rows: "datasets.Dataset", todo: Iterable[Mapping], count: int, seed: int) -> Shots:
    """Reads the examples for the rows `todo` from a validation split. Raises ConfigError if it has too few."""
    numbers: dict[tuple[str, str], list[int]] = {}
    texts: dict[tuple[str, str], set[str]] = {}
    for number, row in enumerate(rows.select_columns(["task", "source", "text_sha256", "output"])):
        if row["output"] is not None:
            numbers.setdefault((row["task"], row["source"]), []).append(number)
            texts.setdefault((row["task"], row["source"]), set()).add(row["text_sha256"])
    for task, source in sorted({(row["task"], row["source"]) for row in todo}):
        if len(texts.get((task, source), ())) < count:
            raise _too_few(count, task, source)
    return Shots(rows, numbers, count, seed)


def _too_few(count: int, task: str, source: str) -> ConfigError:
    return ConfigError(
        f"--shots {count}: the validation split has fewer other texts of {source} for {task}; use fewer, "
        "or restrict --sources and --tasks"
    )
