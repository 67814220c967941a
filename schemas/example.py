"""One text with its gold entities, relations and events: the record that every source is read into.

These are msgspec structs for speed, since every text of a corpus becomes one: frozen dataclasses take five times as
long to create and to hash. `gc=False` is safe because the structs contain no reference cycles.
"""

from collections.abc import Iterator
from typing import Literal, get_args

import msgspec

from schemas.errors import BadRecord
from schemas.label import UnknownLabel

Span = tuple[int, int]
"""Start and end in code points, half-open."""


class Mention(msgspec.Struct, frozen=True, gc=False):
    """A string of the text. `spans`: usually one, several (in order) for a discontinuous mention, none if the source
    gives only the string. With spans, `" ".join(text[s:e] for s, e in spans) == mention.text`.
    """

    text: str
    spans: tuple[Span, ...] = ()


class Entity(msgspec.Struct, frozen=True, gc=False):
    """`id`: the id in the file, unique within its Example; None if the file has none. `concepts`: the vocabulary
    concepts that it refers to, such as `MESH:D003920`; several for a composite mention.
    """

    label: str
    mention: Mention
    id: str | None = None
    concepts: tuple[str, ...] = ()


class Relation(msgspec.Struct, frozen=True, gc=False):
    """A typed triple if the source gives the types of its ends (`head_label`, `tail_label`), else a plain triple.

    `head_entity` and `tail_entity` refer to entities of the Example by id, or by concept (meaning any entity with that
    concept) if the file relates concepts. They are None if the file has no such reference.

    `score`: how surely the text states the relation, 0 to 1; None if people annotated it.
    """

    label: str
    head: Mention
    tail: Mention
    head_label: str | None = None
    tail_label: str | None = None
    head_entity: str | None = None
    tail_entity: str | None = None
    score: float | None = None


class Argument(msgspec.Struct, frozen=True, gc=False):
    """`entity` refers to an entity in the same way as `Relation.head_entity`."""

    role: str
    mention: Mention
    entity: str | None = None


class Event(msgspec.Struct, frozen=True, gc=False):
    label: str
    trigger: Mention | None
    arguments: tuple[Argument, ...] = ()


class Example(msgspec.Struct, frozen=True, gc=False):
    """A sentence or a document: as in its file after ingest, a window of at most `max_chars` after clean.

    `id` is `<source key>/<split>/<n>`, that of a window `<source key>/<split>/<n>/<w>`. `source` is the name that the
    published corpora use. `tasks` are the tasks that the text is used for (NER, RE, ...). A layer that is None is not
    annotated (unknown, as in unlabelled test files); an empty layer means that the text has no such annotation.
    `unknown_labels` are labels of annotated layers whose annotations may be incomplete for this text, without
    repetition. No instruction asks for them.
    """

    id: str
    source: str
    split: str
    lang: str
    text: str
    tasks: tuple[str, ...]
    entities: tuple[Entity, ...] | None
    relations: tuple[Relation, ...] | None
    events: tuple[Event, ...] | None
    unknown_labels: tuple[UnknownLabel, ...] = ()


class RawExample(msgspec.Struct, frozen=True, gc=False):
    """What the reader of a file format yields: the text and its layers with the labels of the file. `place` is
    `file:line`.

    `lost`: the parts of the record that could not be read, such as an argument whose offsets match nothing.
    `transforms.normalize`, which maps all labels to prompt words, adds the labels of these parts to `unknown_labels`.

    `document`: the document that the text is a part of; texts of one document never fall into different splits.
    `item`: the id of the text in its project. Several RawExamples with the same item are the same text, annotated by
    several people (`annotator`); one of them may be marked as the agreed annotation (`is_gold`). These fields are for
    users' own data; built-in sources leave them out.
    """

    place: str
    text: str
    entities: tuple[Entity, ...] | None = None
    relations: tuple[Relation, ...] | None = None
    events: tuple[Event, ...] | None = None
    lost: tuple[BadRecord, ...] = ()
    unknown_labels: tuple[UnknownLabel, ...] = ()
    document: str | None = None
    item: str | None = None
    annotator: str | None = None
    is_gold: bool = False


Task = Literal["NER", "RE", "SPO", "EE", "EET", "EEA", "KG"]
TASKS: tuple[Task, ...] = get_args(Task)
SPLITS = ("train", "validation", "test")
LAYER = {
    "NER": "entities",
    "RE": "relations",
    "SPO": "relations",
    "KG": "relations",
    "EE": "events",
    "EET": "events",
    "EEA": "events",
}
"""Task → the layer with its gold annotations."""


def surface(text: str, spans: tuple[Span, ...]) -> str:
    """The string that `spans` mark in `text`: its pieces, joined by spaces."""
    if len(spans) == 1:  # nearly all
        ((start, end),) = spans
        return text[start:end]
    return " ".join(text[start:end] for start, end in spans)


def mentions(example: Example | RawExample) -> Iterator[Mention]:
    """Every mention of every layer, in no particular order; a mention that is used twice is yielded twice."""
    for entity in example.entities or ():
        yield entity.mention
    for relation in example.relations or ():
        yield relation.head
        yield relation.tail
    for event in example.events or ():
        if event.trigger is not None:
            yield event.trigger
        for argument in event.arguments:
            yield argument.mention
