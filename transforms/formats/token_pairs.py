"""Tokens of a sentence and pairs of mentions given as token numbers → RawExamples with one relation per pair.

This is the common part of FewRel (Han et al. 2018, https://aclanthology.org/D18-1514) and Wiki-ZSL (Chen and Li 2021,
https://aclanthology.org/2021.naacl-main.272). `read` reads the layout in which RelationPrompt (Chia et al. 2022,
https://aclanthology.org/2022.findings-acl.5) distributes both.
"""

from collections.abc import Container, Iterable, Iterator, Sequence

import msgspec

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample, Span
from transforms.files import File
from transforms.formats import json_rows
from transforms.formats.offsets import Offset
from transforms.formats.token_spans import sentence

Pair = tuple[Sequence[int], Sequence[int], str]
"""The token numbers of head and tail, from 0, and the label."""


class Triplet(msgspec.Struct):
    """One relation; all triplets of a row have the same tokens."""

    tokens: list[str]
    head: list[Offset]
    tail: list[Offset]
    label_id: str


class Row(msgspec.Struct):
    triplets: list[Triplet]


def read(files: Iterable[File], labels: Container[str], known: Container[str]) -> Iterator[RawExample | BadRecord]:
    """Every row of JSON lines of `Row`s that `to_example` does not skip; `labels` and `known` are passed to it."""

    def example(place: str, row: Row) -> RawExample | BadRecord | None:
        if not row.triplets:
            return BadRecord(place, Reason.MISSING_FIELD, "no triplet, and so no tokens")
        pairs = [(triplet.head, triplet.tail, triplet.label_id) for triplet in row.triplets]
        return to_example(place, row.triplets[0].tokens, pairs, labels, known)

    return (record for record in json_rows.read(files, example, Row) if record is not None)


def to_example(
    place: str, tokens: Sequence[str], pairs: Sequence[Pair], labels: Container[str], known: Container[str]
) -> RawExample | BadRecord | None:
    """The tokens joined by spaces, without blank tokens, with the pairs whose label is in `labels`.

    None if there is no such pair. The sentence is a BadRecord if a label is not in `known`, or if the token numbers of
    a mention are missing or outside the sentence. Numbers that are not consecutive are several mentions of one entity,
    of which the first is used.
    """
    unknown = [label for *_, label in pairs if label not in known]
    if unknown:
        return BadRecord(place, Reason.UNKNOWN_LABEL, f"{unknown[0]!r} is not a relation of the dataset")
    wanted = [pair for pair in pairs if pair[2] in labels]
    if not wanted:
        return None
    kept = [number for number, token in enumerate(tokens) if token.strip()]
    position = {number: index for index, number in enumerate(kept)}

    def span(numbers: Sequence[int]) -> Span | None:
        places = {position[number] for number in numbers if number in position}
        if not places or not all(0 <= number < len(tokens) for number in numbers):
            return None
        first = end = min(places)
        while end in places:
            end += 1
        return first, end

    relations = []
    for head, tail, label in wanted:
        head_span, tail_span = span(head), span(tail)
        if head_span is None or tail_span is None:
            detail = f"tokens {list(head)} and {list(tail)} are not two mentions in {len(tokens)} tokens"
            return BadRecord(place, Reason.OFFSET_MISMATCH, detail)
        relations.append((head_span, tail_span, label))
    return sentence(place, [tokens[number] for number in kept], None, relations)
