"""Validation rows → the solved examples before an instruction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from schemas.answer_form import DEFAULT
from schemas.errors import ConfigError
from train.corpus import row_form
from transforms.draw import nth_key, seed_key

if TYPE_CHECKING:
    import datasets

Kind = tuple[str, str, str]
"""The task, the source and the form of answer of a row."""

DRAWS_PER_EXAMPLE = 20
"""Random draws per example. If they do not suffice, the rows are tried in order."""


@dataclass(frozen=True)
class Shots:
    """The examples. `rows`: the validation split. `numbers`: kind → indices of rows with an answer."""

    rows: "datasets.Dataset"
    numbers: Mapping[Kind, list[int]]
    count: int
    seed: int

    def draw(self, row: Mapping) -> tuple[tuple[str, str], ...]:
        """(instruction, output) of `count` rows of the same task, source and form, drawn by a hash of (seed, row id).

        Their texts differ from each other and from that of `row`. Raises ConfigError if there are too few.
        """
        numbers = self.numbers[_kind(row)]
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
        raise _too_few(self.count, _kind(row))


def read(rows: "datasets.Dataset", todo: Iterable[Mapping], count: int, seed: int) -> Shots:
    """Reads the examples for the rows `todo` from a validation split. Raises ConfigError if it has too few."""
    numbers: dict[Kind, list[int]] = {}
    texts: dict[Kind, set[str]] = {}
    columns = [name for name in ("task", "source", "text_sha256", "output", "form") if name in rows.column_names]
    for number, row in enumerate(rows.select_columns(columns)):
        if row["output"] is not None:
            numbers.setdefault(_kind(row), []).append(number)
            texts.setdefault(_kind(row), set()).add(row["text_sha256"])
    for kind in sorted(set(map(_kind, todo))):
        if len(texts.get(kind, ())) < count:
            raise _too_few(count, kind)
    return Shots(rows, numbers, count, seed)


def _kind(row: Mapping) -> Kind:
    return row["task"], row["source"], row_form(row)


def _too_few(count: int, kind: Kind) -> ConfigError:
    task, source, form = kind
    in_form = "" if form == DEFAULT else f" in the form {form}"
    return ConfigError(
        f"--shots {count}: the validation split has fewer other texts of {source} for {task}{in_form}; use fewer, "
        "or restrict --sources and --tasks"
    )
