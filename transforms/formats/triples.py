"""JSON objects with a sentence and its triples of strings, in the three layouts of the NYT datasets → RawExamples.

The layouts have no offsets or entity types and differ in their keys. The objects are in an array or one per line:

    sentText, relationMentions: [{em1Text, label, em2Text}]   CopyRE (https://aclanthology.org/P18-1047)
    sentext, relations: [{em1, rtext, em2}]                   HRL-RE (https://arxiv.org/abs/1811.03925)
    text, triple_list: [[head, label, tail]]                  CasRel (https://aclanthology.org/2020.acl-main.136)
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation
from transforms.files import File
from transforms.formats import json_rows


class Pair(msgspec.Struct):
    head: str = msgspec.field(name="em1Text")
    label: str
    tail: str = msgspec.field(name="em2Text")


class TaggedPair(msgspec.Struct):
    head: str = msgspec.field(name="em1")
    label: str = msgspec.field(name="rtext")
    tail: str = msgspec.field(name="em2")


class Row(msgspec.Struct):
    """One of the three layouts. A sentence without triples (the key is missing) is not annotated."""

    sent_text: str | None = msgspec.field(name="sentText", default=None)
    pairs: list[Pair] | None = msgspec.field(name="relationMentions", default=None)
    sentext: str | None = None
    tagged_pairs: list[TaggedPair] | None = msgspec.field(name="relations", default=None)
    text: str | None = None
    triples: list[tuple[str, str, str]] | None = msgspec.field(name="triple_list", default=None)


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every sentence, stripped, with its triples as in the file, including repetitions."""
    return json_rows.read(files, to_example, Row)


def to_example(place: str, row: Row) -> RawExample | BadRecord:
    pairs: Sequence[Pair | TaggedPair] | None = None
    triples: Iterable[tuple[str, str, str]] | None = None
    if row.sent_text is not None:
        text, pairs = row.sent_text, row.pairs
    elif row.sentext is not None:
        text, pairs = row.sentext, row.tagged_pairs
    elif row.text is not None:
        text, triples = row.text, row.triples
    else:
        return BadRecord(place, Reason.MISSING_FIELD, "no `sentText`, `sentext` or `text`")
    if pairs is not None:
        triples = ((pair.head, pair.label, pair.tail) for pair in pairs)
    if triples is None:
        return RawExample(place, text.strip())
    relations = tuple(Relation(label, Mention(head), Mention(tail)) for head, label, tail in triples)
    return RawExample(place, text.strip(), relations=relations)
