"""A sentence's tokens and the numbers of those that make up two mentions → RawExamples with a relation for each pair.

What FewRel (Han et al. 2018, https://aclanthology.org/D18-1514) and Wiki-ZSL (Chen and Li 2021,
https://aclanthology.org/2021.naacl-main.272) have in common; `read` is for the layout in which RelationPrompt (Chia et
al. 2022, https://aclanthology.org/2022.findings-acl.5) distributes both.
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
    """The triplets of a row have the same tokens."""

    tokens: list[str]
    head: list[Offset]
    tail: list[Offset]
    label_id: str


class Row(msgspec.Struct):
    triplets: list[Triplet]


def read(files: Iterable[File], labels: Container[str], known: Container[str]) -> Iterator[RawExample | BadRecord]:
    """JSON lines of `Row`s; `labels` and `known` as in `to_example`, whose left out rows are left out."""

    def example(place: str, row: Row) -> RawExample | BadRecord | None:
        if not row.triplets:
            return BadRecord(place, Reason.MISSING_FIELD, "no triplet, and so no tokens")
        pairs = [(triplet.head, triplet.tail, triplet.label_id) for triplet in row.triplets]
        return to_example(place, row.triplets[0].tokens, pairs, labels, known)

    return (record for record in json_rows.read(files, example, Row) if record is not None)


def to_example(
    place: str, tokens: Sequence[str], pairs: Sequence[Pair], labels: Container[str], known: Container[str]
) -> RawExample | BadRecord | None:
    """The tokens joined by blanks, those that are nothing but blanks left out, with the pairs labelled by `labels`.

    None where no pair is; a label that is not even in `known` makes the sentence a BadRecord, and so do no numbers or
    one outside the sentence. Numbers that do not follow one another are several mentions of one entity: the first
    counts.
    """
    strange = [label for *_, label in pairs if label not in known]
    if strange:
        return BadRecord(place, Reason.UNKNOWN_LABEL, f"{strange[0]!r} is none of the data set's relations")
    words = [token for token in tokens if token.strip()]
    kept = [number for number, token in enumerate(tokens) if token.strip()]
    position = {number: index for index, number in enumerate(kept)}

    def span(numbers: Sequence[int]) -> Span | None:
        found = {position[number] for number in numbers if number in position}
        if not found or not all(0 <= number < len(tokens) for number in numbers):
            return None
        first = end = min(found)
        while end in found:
            end += 1
        return first, end

    relations = []
    for head, tail, label in pairs:
        if label in labels:
            of_head, of_tail = span(head), span(tail)
            if of_head is None or of_tail is None:
                detail = f"tokens {list(head)} and {list(tail)} are no two mentions in {len(tokens)} tokens"
                return BadRecord(place, Reason.OFFSET_MISMATCH, detail)
            relations.append((of_head, of_tail, label))
    return sentence(place, words, None, relations) if relations else None
