"""One text with its gold entities, relations and events: the record that every source is read into.

msgspec's structs, as all of them are made for every text of a corpus: a frozen dataclass takes five times as long to
make and to hash. They hold no cycles, so that the garbage collector need not know them.
"""

from collections.abc import Iterator
from typing import Literal, get_args

import msgspec

from schemas.errors import BadRecord
from schemas.label import UnknownLabel

Span = tuple[int, int]
"""Start and end in code points, half-open."""


class Mention(msgspec.Struct, frozen=True, gc=False):
    """A string of the text. `spans`: one as a rule, several (in order) for a discontinuous mention, none where
    the source gives only the string. `" ".join(text[s:e] for s, e in spans) == mention.text` where there are any.
    """

    text: str
    spans: tuple[Span, ...] = ()


class Entity(msgspec.Struct, frozen=True, gc=False):
    """`id`: the file's name for it, unique within its Example, None where the file has none. `concepts`: what it stands
    for in vocabularies, as `MESH:D003920`; several for a composite mention.
    """

    label: str
    mention: Mention
    id: str | None = None
    concepts: tuple[str, ...] = ()


class Relation(msgspec.Struct, frozen=True, gc=False):
    """A typed triple where the source types its ends (`head_label`, `tail_label`), else a plain one.

    `head_entity`, `tail_entity`: the entity of the Example that the end is, by its id, or by its concept where the file
    relates concepts (any entity with that concept then); None where the file does not say.
    """

    label: str
    head: Mention
    tail: Mention
    head_label: str | None = None
    tail_label: str | None = None
    head_entity: str | None = None
    tail_entity: str | None = None


class Argument(msgspec.Struct, frozen=True, gc=False):
    """`entity` refers to an entity as the ends of a Relation do."""

    role: str
    mention: Mention
    entity: str | None = None


class Event(msgspec.Struct, frozen=True, gc=False):
    label: str
    trigger: Mention | None
    arguments: tuple[Argument, ...] = ()


class Example(msgspec.Struct, frozen=True, gc=False):
    """A sentence or a document, as its file has it at ingest and as a window of at most `max_chars` after clean.

    `id` is `<source key>/<split>/<n>`, a window's `<source key>/<split>/<n>/<w>`. `source` is the name that the
    published corpora use. `tasks` names what the text is used for (NER, RE, ...). A layer that is None is not
    annotated (unknown, as in unlabelled test files); an empty layer says that there is nothing. `unknown_labels` are
    the labels of annotated layers of which the text may have more than is annotated, without repetition; they are
    never asked of it.
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
    """What a file format's reader yields: the text and layers with the file's own labels. `place` is `file:line`.

    `lost`: the parts of the record that could not be read, such as an argument whose offsets fit nothing, while the
    rest of it could. Their labels are among `unknown_labels` once `transforms.normalize` has put all labels into prompt
    words.
    """

    place: str
    text: str
    entities: tuple[Entity, ...] | None = None
    relations: tuple[Relation, ...] | None = None
    events: tuple[Event, ...] | None = None
    lost: tuple[BadRecord, ...] = ()
    unknown_labels: tuple[UnknownLabel, ...] = ()


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
"""The layer that holds a task's gold."""


def surface(text: str, spans: tuple[Span, ...]) -> str:
    """The string that `spans` mark in `text`: the pieces, joined by blanks."""
    if len(spans) == 1:  # nearly all
        ((start, end),) = spans
        return text[start:end]
    return " ".join(text[start:end] for start, end in spans)


def mentions(example: Example | RawExample) -> Iterator[Mention]:
    """Every mention of every layer, in no particular order (a mention of two layers comes twice)."""
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
