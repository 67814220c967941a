"""The agreement of a source's annotators → lines of text, JSON with F1 and kappa, and sums for the card."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from pipelines.sources.annotators import EVERY, FIRST, GOLD, MAJORITY
from schemas.agreement import Agreement, Annotators, Confusion, LabelAgreement, Votes

PAIRS, LABELS, CONFUSIONS, DISAGREEMENTS = 10, 20, 10, 5
"""How many pairs of annotators are shown, and labels per layer, pairs of labels, and disagreements of each."""

NAMED = 10
"""How many annotators are named."""

PLACES = {"entities": "spans", "relations": "pairs of ends", "events": "triggers"}
"""Layer → what two annotations have in common if only their labels differ."""


CHOICES = {
    GOLD: "of each text, the annotation that is marked as gold is taken, else the first one",
    FIRST: "of each text, the first annotation is taken",
    MAJORITY: "the annotations of each text are made one by majority",
    EVERY: "all annotations of each text are taken",
}
"""`annotators` in source.yaml, if it names no annotator → what it means."""


def choice_lines(annotators: Annotators, others: int, outvoted: int) -> Iterator[str]:
    """The annotators, and which annotation of a text is read. `others`: those that are not; `outvoted`: their parts
    that too few annotators share.
    """
    if annotators.texts:
        order = sorted(annotators.texts.items(), key=lambda item: (-item[1], item[0]))
        names = [f"{name} ({number:,} text{'s' * (number != 1)})" for name, number in order[:NAMED]]
        yield f"annotators: {', '.join([*names, *more(len(order), NAMED, '')])}"
    rule = CHOICES.get(annotators.choice, f"of each text, only the annotation by {annotators.choice} is taken")
    left_out = [f"left out: {others:,} other annotation{'s' * (others != 1)}"] if others else []
    parts = [f"{outvoted:,} entities, relations or events have too few votes"] if outvoted else []
    yield "; ".join([f"{rule} (annotators: {annotators.choice})", *left_out, *parts])


def lines(annotators: Annotators) -> Iterator[str]:
    """The agreement of each pair, nested by two spaces."""
    for pair in annotators.pairs[:PAIRS]:
        yield f"{pair.first} and {pair.second}, {pair.texts:,} text{'s' * (pair.texts != 1)} in common"
        for layer, places in pair.places.items():
            if places.f1 is not None:
                yield f"  {layer}: F1 of the {PLACES[layer]} without labels {places.f1:.2f}"
                labels = sorted(
                    (label for label in pair.labels if label.layer == layer),
                    key=lambda label: -(label.votes.first + label.votes.second),
                )
                yield from (f"    {label_line(pair, label)}" for label in labels[:LABELS])
                yield from more(len(labels), LABELS, "    ")
        yield from (f"  {confusion_line(pair, confusion)}" for confusion in pair.confusions[:CONFUSIONS])
        yield from more(len(pair.confusions), CONFUSIONS, "  ")
        if pair.disagreement_count:
            yield f"  annotations that only one of them has: {pair.disagreement_count:,}"
        for each in pair.disagreements[:DISAGREEMENTS]:
            other = f"; {pair.second if each.annotator == pair.first else pair.first} has {each.other}"
            text = f" (text {each.item})" if each.item else ""
            yield f"    {each.place}{text}: only {each.annotator} has {each.what}{other if each.other else ''}"
        yield from more(pair.disagreement_count, min(DISAGREEMENTS, len(pair.disagreements)), "    ")
    yield from more(annotators.pair_count, PAIRS, "", " pairs")


@dataclass(frozen=True)
class LayerAgreement:
    """The agreement on a layer over all pairs that are kept: on places whatever the label, and with labels."""

    layer: str
    places: Votes
    annotations: Votes


def by_layer(annotators: Annotators) -> list[LayerAgreement]:
    """The sums over pairs, for the layers that two annotators have."""
    sums = []
    for layer in PLACES:
        pairs = [pair for pair in annotators.pairs if layer in pair.places]
        places = sum((pair.places[layer] for pair in pairs), Votes())
        labels = (label.votes for pair in pairs for label in pair.labels if label.layer == layer)
        if places.f1 is not None:
            sums.append(LayerAgreement(layer, places, sum(labels, Votes())))
    return sums


def more(number: int, shown: int, indent: str, what: str = "") -> Iterator[str]:
    if number > shown:
        yield f"{indent}and {number - shown:,} more{what}"


def label_line(pair: Agreement, label: LabelAgreement) -> str:
    kappa = pair.kappa(label)
    measured = f"F1 {label.votes.f1:.2f}{'' if kappa is None else f', kappa {kappa:.2f}'}"
    votes = label.votes
    return f"{label.label}: {measured} ({votes.first:,} and {votes.second:,}, {votes.both:,} the same)"


def confusion_line(pair: Agreement, confusion: Confusion) -> str:
    first, second = f"{confusion.first} by {pair.first}", f"{confusion.second} by {pair.second}"
    return f"{confusion.layer} labelled {first}, {second}: {confusion.count:,}"


def as_json(annotators: Annotators) -> list[dict[str, Any]]:
    """The pairs, with all their labels and the disagreements that are kept."""
    return [
        {
            "first": pair.first,
            "second": pair.second,
            "texts": pair.texts,
            "places": {layer: {**msgspec.to_builtins(votes), "f1": votes.f1} for layer, votes in pair.places.items()},
            "labels": [
                {
                    "layer": label.layer,
                    "label": label.label,
                    **msgspec.to_builtins(label.votes),
                    "f1": label.votes.f1,
                    "kappa": pair.kappa(label),
                }
                for label in pair.labels
            ],
            "confusions": msgspec.to_builtins(pair.confusions),
            "disagreement_count": pair.disagreement_count,
            "disagreements": msgspec.to_builtins(pair.disagreements),
        }
        for pair in annotators.pairs
    ]
