"""The training rows of the arms → how much of them differs; arms that hardly differ are refused before any training."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from itertools import chain

import msgspec

from schemas.errors import ConfigError
from train import corpus

LEAST_DIFFERING = 0.1
"""Arms whose training rows differ by a smaller share are not compared: the scores could hardly show a difference."""


class Instruction(msgspec.Struct):
    """What a prompt says and asks for."""

    instruction: str
    schema: list | dict
    input: str


INSTRUCTION = msgspec.json.Decoder(Instruction)


@dataclass(frozen=True, slots=True)
class Questions:
    """What the training rows of an arm ask for, as digests. `rows`: text, prompt and labels of each row, whatever the
    order of its labels. `pairs`: each (text, label).
    """

    rows: Counter[bytes]
    pairs: Counter[bytes]


@dataclass(frozen=True, slots=True)
class Distance:
    """The shares of the rows, and of the (text, label) pairs, of two arms that have no equal in the other arm."""

    rows: float
    pairs: float


def read_questions(data: str, tasks: Collection[str], sources: Collection[str]) -> Questions:
    """What the training rows of a build ask for. Raises the errors of `corpus.rows`."""
    rows: Counter[bytes] = Counter()
    pairs: Counter[bytes] = Counter()
    for row in corpus.rows(data, "train", tasks=tasks, sources=sources):
        prompt = INSTRUCTION.decode(row["instruction"])
        text = "\0".join((row["task"], row["source"], prompt.input))
        schema = prompt.schema.items() if isinstance(prompt.schema, dict) else prompt.schema
        items = sorted(msgspec.json.encode(item) for item in schema)
        rows[_digest(text.encode(), prompt.instruction.encode(), *items)] += 1
        pairs.update(_digest(text.encode(), label.encode()) for label in row["labels"])
    return Questions(rows, pairs)


def _digest(*parts: bytes) -> bytes:
    return blake2b(b"\0".join(parts), digest_size=16).digest()


def distance(first: Questions, second: Questions) -> Distance:
    return Distance(_differing(first.rows, second.rows), _differing(first.pairs, second.pairs))


def _differing(first: Counter, second: Counter) -> float:
    return 1 - 2 * (first & second).total() / (first.total() + second.total())


def check(distances: Mapping[str, Distance], settings: Mapping[str, Mapping]) -> None:
    """Refuses arms that differ in less than LEAST_DIFFERING of their rows from the first one.

    `distances`: arm → its distance from the first arm. `settings`: arm → the settings of its build, all arms. Arms that
    differ only in `mine` differ in which labels are asked of a text, so the (text, label) pairs count: where label sets
    are small, nearly all labels are asked of all texts in both arms, and only move between prompts. Raises ConfigError.
    """
    baseline = next(iter(settings))
    for arm, apart in distances.items():
        arms = f"{arm} and {baseline}"
        if not apart.rows:
            raise ConfigError(f"{arms}: the training rows are the same, so there is nothing to compare")
        if apart.rows < LEAST_DIFFERING:
            raise ConfigError(
                f"{arms}: only {apart.rows:.1%} of the training rows differ, less than {LEAST_DIFFERING:.0%}; "
                "choose settings or sources that change more rows"
            )
        if apart.pairs < LEAST_DIFFERING and _differing_sections(settings[arm], settings[baseline]) == {"mine"}:
            raise ConfigError(
                f"{arms}: only {apart.pairs:.1%} of the labels asked of a text differ, less than "
                f"{LEAST_DIFFERING:.0%}: the label sets are so small that nearly every text is asked for all labels "
                "in both arms; choose sources with more labels, or let the arms differ in instruct, too"
            )


def _differing_sections(first: Mapping, second: Mapping) -> set[str]:
    return {name for name in chain(first, second) if first.get(name) != second.get(name)}


def as_json(distances: Mapping[str, Distance]) -> dict[str, dict[str, float]]:
    return {arm: asdict(apart) for arm, apart in distances.items()}
