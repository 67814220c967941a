"""How surely a text states a fact: the interface of scorers, and the scorer of a name.

The filter of KG2Instruction: what a knowledge graph says about two things in a text, the text need not say.
"""

from collections.abc import Sequence
from typing import Protocol

from validation import cross_encoder
from validation.claims import Claim, claims
from validation.cross_encoder import CrossEncoder
from validation.lexical_entailment import Lexical

__all__ = ["LEXICAL", "Claim", "CrossEncoder", "Lexical", "Scorer", "check", "claims", "display_name", "load"]

LEXICAL = Lexical.name


class Scorer(Protocol):
    """`name`: how artefacts name the scorer, without local paths."""

    name: str

    def score(self, pairs: Sequence[Claim]) -> list[float]:
        """A score from 0 to 1 for each claim, whatever the order and the number of claims."""


def load(model: str, batch_size: int) -> Scorer:
    """The scorer `lexical`, or the cross-encoder of this name or path.

    Raises ConfigError if the model cannot be loaded or does not judge entailment.
    """
    return Lexical() if model == LEXICAL else CrossEncoder(model, batch_size)


def check(model: str) -> None:
    """Raises ConfigError if `model` is the path of no model for entailment. A model named otherwise is not looked for,
    so that `load` may still raise an error.
    """
    if model != LEXICAL:
        cross_encoder.check(model)


def display_name(model: str) -> str:
    """The `name` of the scorer, without loading it."""
    return model if model == LEXICAL else cross_encoder.display_name(model)
