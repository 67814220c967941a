"""Pairs of a relation ↔ sentences, one a line: the natural-language forms of InstructIE (arXiv 2305.11527).

Every part of a sentence that comes from an answer is a JSON string, so that a sentence is read back exactly, whatever
quotes, line breaks and brackets the part contains. A prompt shows the phrasing that it asks for, with the words
subject, relation and object (主体, 关系, 客体) in the places of the parts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import msgspec

from transforms.render import encode_string

PARTS = ("subject", "relation", "object")
WORDS = (PARTS, ("主体", "关系", "客体"))
"""The words that stand for PARTS in a prompt: English, Chinese."""

JSON_STRING = r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'


@dataclass(frozen=True)
class Phrasing:
    """`template`: a sentence with `{subject}`, `{relation}` and `{object}`, each once."""

    template: str

    def sentence(self, parts: Mapping[str, str]) -> str:
        return self.template.format(**{name: encode_string(part) for name, part in parts.items()})

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The ways in which a prompt may show this phrasing."""
        return tuple(self.sentence(dict(zip(PARTS, words, strict=True))) for words in WORDS)

    @cached_property
    def parts(self) -> list[str]:
        """The template cut at its parts: the text before each, and its name (at the odd places)."""
        return re.split(r"\{(\w+)\}", self.template)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        strings = {name: f"(?P<{name}>{JSON_STRING})" for name in PARTS}
        return re.compile("".join(strings[part] if n % 2 else re.escape(part) for n, part in enumerate(self.parts)))


PHRASINGS = tuple(
    map(
        Phrasing,
        (
            "The relation {relation} holds between {subject} and {object}.",
            "{subject} stands in the relation {relation} to {object}.",
            "{subject}与{object}之间的关系是{relation}。",
            "{subject}的{relation}是{object}。",
            "({subject}, {relation}, {object})",
            "{relation}: {subject} → {object}",
        ),
    )
)
"""Without their parts no two are equal, so that a sentence has one reading."""


def shown_phrasing(prompt: str) -> Phrasing | None:
    """The first phrasing that the text of a prompt shows; None if it shows none."""
    return next((one for one in PHRASINGS if any(shown in prompt for shown in one.shown)), None)


def parts(line: str) -> dict[str, str] | None:
    """The parts of a sentence in any phrasing; None for any other line."""
    for phrasing in PHRASINGS:
        if match := phrasing.pattern.fullmatch(line):
            try:
                return {name: msgspec.json.decode(part, type=str) for name, part in match.groupdict().items()}
            except msgspec.DecodeError:  # an unpaired surrogate
                return None
    return None


def write(pairs: Iterable[Mapping[str, str]], phrasing: Phrasing) -> str:
    return "\n".join(map(phrasing.sentence, pairs))
