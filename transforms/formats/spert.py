"""JSON arrays of tokenised sentences with relations between numbered entities → one RawExample per sentence.

The layout of SpERT (Eberts and Ulges 2020, https://github.com/lavis-nlp/spert), with `entities: [{type, start, end}]`,
and that of TableRT (Ma et al. 2022, https://aclanthology.org/2022.findings-acl.298), with BILOU `tags` instead.
"""

from collections.abc import Iterable, Iterator

import msgspec

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.formats import json_rows
from transforms.formats.columns import TAG, decode
from transforms.formats.offsets import Count
from transforms.formats.token_spans import sentence


class EntityRow(msgspec.Struct):
    """Tokens `start` to `end`, half-open."""

    type: str
    start: Count
    end: Count


class RelationRow(msgspec.Struct):
    """`head` and `tail`: numbers of entities of the sentence, from 0, in the order of `entities` or of the tags."""

    type: str
    head: Count
    tail: Count


class Row(msgspec.Struct):
    """Has `entities`, or `tags` (one per token). Without either the sentence is not annotated."""

    tokens: list[str]
    entities: list[EntityRow] | None = None
    tags: list[str] | None = None
    relations: list[RelationRow] | None = None


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every sentence as its tokens joined by spaces (see `token_spans.sentence`), with entities and relations."""
    return json_rows.read(files, to_example, Row)


def to_example(place: str, row: Row) -> RawExample | BadRecord:
    if row.entities is not None:
        entities = [((entity.start, entity.end), entity.type) for entity in row.entities]
    elif row.tags is not None:
        broken = [tag for tag in row.tags if not TAG.fullmatch(tag)]
        if broken or len(row.tags) != len(row.tokens):
            detail = f"{broken[0]!r} is not a tag" if broken else f"{len(row.tags)} tags for {len(row.tokens)} tokens"
            return BadRecord(place, Reason.BROKEN_RECORD, detail)
        entities = [((first, end), label) for label, first, end in decode(row.tags)]
    else:
        return sentence(place, row.tokens, None, None)
    relations = None
    if row.relations is not None:
        last = max((end for relation in row.relations for end in (relation.head, relation.tail)), default=-1)
        if last >= len(entities):
            return BadRecord(
                place, Reason.BROKEN_RECORD, f"a relation of entity {last}, but only {len(entities)} entities"
            )
        relations = [(entities[r.head][0], entities[r.tail][0], r.type) for r in row.relations]
    return sentence(place, row.tokens, entities, relations)
