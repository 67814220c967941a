"""Annotations of one text by several people, for tests."""

from schemas.example import Entity, Mention, RawExample, Relation

TEXT = "Ada met Bo in Rome ."
ADA, MET, BO, ROME = (Mention(TEXT[s:e], ((s, e),)) for s, e in ((0, 3), (4, 7), (8, 10), (14, 18)))


def annotated(annotator: str | None, *items, item: str | None = "1", is_gold: bool = False, **fields) -> RawExample:
    """`items`: (label, mention) of each entity."""
    entities = tuple(Entity(label, mention, str(n)) for n, (label, mention) in enumerate(items))
    fields = {"entities": entities, **fields}
    return RawExample(f"f:{annotator}", TEXT, item=item, annotator=annotator, is_gold=is_gold, **fields)


def bare(annotator: str | None = None, item: str | None = "1") -> RawExample:
    return RawExample("f:bare", TEXT, item=item, annotator=annotator)


def relation(head: str, tail: str, label: str = "lives", types: tuple[str, str] = ("PER", "LOC")) -> Relation:
    return Relation(label, ADA, ROME, *types, head, tail)
