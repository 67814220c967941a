"""The rows of a corpus that `pipelines.knowledge` exported (`schemas.knowledge_corpus`), JSON lines → RawExamples.

Every mention becomes an entity with an id that is unique in its text and its item (`Q42`) as concept, and relations
refer to the ids.
"""

from collections.abc import Iterable, Iterator
from functools import partial

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation
from schemas.knowledge_corpus import ExportedRelation, ExportedText, RelationType
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import json_rows


def read(files: Iterable[File], relations: Iterable[RelationType]) -> Iterator[RawExample | BadRecord]:
    """`relations`: those of the corpus. A record with a relation that is not among them, or between types that it does
    not allow, is a BadRecord. Entity types and offsets are checked by `transforms.normalize`.
    """
    by_key = {relation.key: relation for relation in relations}
    return json_rows.read(files, partial(example, relations=by_key), ExportedText)


def example(place: str, row: ExportedText, relations: dict[str, RelationType]) -> RawExample | BadRecord:
    mentions = [Mention(entity.mention, ((entity.start, entity.end),)) for entity in row.entity]
    entities = tuple(
        Entity(entity.type, mention, f"T{number}", (entity.id,) if entity.id else ())
        for number, (entity, mention) in enumerate(zip(row.entity, mentions, strict=True))
    )
    facts = []
    for fact in row.relation:
        problem = wrong_relation(fact, relations, len(mentions))
        if problem:
            return BadRecord(place, *problem)
        facts.append(
            Relation(
                fact.relation,
                mentions[fact.head],
                mentions[fact.tail],
                fact.head_type,
                fact.tail_type,
                f"T{fact.head}",
                f"T{fact.tail}",
                fact.score,
            )
        )
    for name in row.unknown:
        if name not in relations:
            return BadRecord(place, Reason.UNKNOWN_LABEL, f"the unknown relation {name!r} is not in knowledge.json")
    unknown = tuple(UnknownLabel("relations", name) for name in row.unknown)
    return RawExample(place, row.text, entities, tuple(facts), unknown_labels=unknown)


def wrong_relation(
    fact: ExportedRelation, relations: dict[str, RelationType], mentions: int
) -> tuple[Reason, str] | None:
    """What is wrong with a fact of a text with `mentions` mentions; None if nothing is."""
    relation = relations.get(fact.relation)
    if relation is None:
        return Reason.UNKNOWN_LABEL, f"the relation {fact.relation!r} is not in knowledge.json"
    if fact.head_type not in relation.head_types or fact.tail_type not in relation.tail_types:
        types = f"from {fact.head_type!r} to {fact.tail_type!r}"
        return Reason.UNKNOWN_LABEL, f"knowledge.json does not allow {fact.relation!r} {types}"
    if not (0 <= fact.head < mentions and 0 <= fact.tail < mentions):
        return Reason.MISSING_FIELD, f"an end of {fact.relation!r} is not the index of a mention"
    return None
