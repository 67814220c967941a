"""How far people agree who annotated the same texts: counts, from which F1 scores and kappa follow.

The labels are those of the files, before source.yaml maps them to words of prompts.
"""

import msgspec

from schemas.json_values import Count


def kappa(total: int, first: int, second: int, both: int) -> float | None:
    """Cohen's kappa of two yes-or-no decisions on `total` tokens: how often each said yes, and both. None if chance
    agreement is complete.
    """
    observed = total - first - second + 2 * both
    expected = first * second + (total - first) * (total - second)
    return None if expected == total * total else (observed * total - expected) / (total * total - expected)


class Votes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many each of two annotators has, and how many of these both have."""

    first: Count = 0
    second: Count = 0
    both: Count = 0

    def __add__(self, other: "Votes") -> "Votes":
        return Votes(self.first + other.first, self.second + other.second, self.both + other.both)

    @property
    def f1(self) -> float | None:
        """The F1 score of one annotator against the other, the same in both directions; None if both have nothing."""
        total = self.first + self.second
        return 2 * self.both / total if total else None


class LabelAgreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`votes`: annotations; those of both have the same label and the same spans. `tokens`: tokens inside an entity
    with this label, 0 for relations and events.
    """

    layer: str
    label: str
    votes: Votes
    tokens: Votes


class Confusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`count` annotations at the same place have the label `first` by one annotator, `second` by the other."""

    layer: str
    first: str
    second: str
    count: Count


class Disagreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An annotation (`what`) that only `annotator` has. `other`: what the other one has at the same place, if any.
    `place`: `file:line`; `item`: the id of the text, if any.
    """

    place: str
    item: str
    layer: str
    annotator: str
    what: str
    other: str


class Agreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far two annotators agree.

    `texts`: those that both annotated; `tokens`: the tokens of those in which both annotated entities. `places`: layer
    → marked places, whatever the label: the spans of an entity, the ends of a relation, the trigger of an event.
    `labels` are sorted by layer and label, `confusions` by count. `disagreements`: the first of `disagreement_count`.
    """

    first: str
    second: str
    texts: Count
    tokens: Count
    places: dict[str, Votes]
    labels: tuple[LabelAgreement, ...]
    confusions: tuple[Confusion, ...]
    disagreement_count: Count
    disagreements: tuple[Disagreement, ...]

    def kappa(self, label: LabelAgreement) -> float | None:
        """Cohen's kappa over tokens, of whether a token is inside a mention with this label; None for relations and
        events, and if it is undefined because both have the same decision everywhere.
        """
        votes = label.tokens
        return kappa(self.tokens, votes.first, votes.second, votes.both) if label.layer == "entities" else None


class Annotators(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The annotators of a source. `choice`: the value of `annotators` in source.yaml, `gold` by default. `texts`:
    annotator → texts that they annotated. `pairs`: those with texts in common, the most texts first; those beyond a
    limit are only counted in `pair_count`.
    """

    choice: str
    texts: dict[str, Count]
    pairs: tuple[Agreement, ...]
    pair_count: Count
