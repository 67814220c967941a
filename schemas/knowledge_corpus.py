"""A themed corpus that `pipelines.knowledge` exports: `knowledge.json`, and the rows of its JSON lines.

The folder of a corpus has one theme and one language. `pipelines.sources.knowledge_data` reads it as a source.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.manifests import Count, Stored, Task

FILE = "knowledge.json"
"""The name of the file that describes a corpus; its rows are in `train.jsonl`, `validation.jsonl` and `test.jsonl`."""

FORMAT = 1
TASKS: tuple[Task, ...] = ("RE", "SPO", "KG")

Name = Annotated[str, Meta(min_length=1)]
Score = Annotated[float, Meta(ge=0, le=1)]


class Dump(Stored, frozen=True):
    """A file that the corpus was made from. `date`: YYYY-MM-DD, None if the name of the file does not have it."""

    name: Name
    date: str | None = None


class EntityType(Stored, frozen=True):
    """`key`: as rows name it. `name`, `description`: as prompts show it, in the language of the texts."""

    key: Name
    name: Name
    description: str = ""


class RelationType(Stored, frozen=True):
    """A relation of the theme, as EntityType. `head_types`, `tail_types`: keys of the entity types of its ends."""

    key: Name
    name: Name
    description: str
    head_types: Annotated[tuple[Name, ...], Meta(min_length=1)]
    tail_types: Annotated[tuple[Name, ...], Meta(min_length=1)]


class KnowledgeCorpus(Stored, frozen=True):
    """The content of `knowledge.json`.

    `licence`: that of the texts. `scorer`: what judged whether a text states a fact. Facts with a score below
    `min_score` are not in the rows. `settings`: the seed, and the settings that affect the rows and differ from their
    defaults; empty for a corpus of an earlier version.
    """

    version: Literal[1]
    name: Name
    title: Name
    lang: Literal["en", "zh"]
    theme: Name
    licence: Name
    wikidata: tuple[Dump, ...]
    wikipedia: tuple[Dump, ...]
    scorer: Name
    min_score: Score
    entity_types: Annotated[tuple[EntityType, ...], Meta(min_length=1)]
    relations: Annotated[tuple[RelationType, ...], Meta(min_length=1)]
    settings: dict[str, str | int | float | bool | None] = msgspec.field(default_factory=dict)


class ExportedEntity(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A mention. `type`: the key of its entity type. `id`: its item (`Q42`), None for a value."""

    mention: str
    start: int
    end: int
    type: str
    id: str | None = None


class ExportedRelation(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A fact. `head`, `tail`: indices of `entity`. `head_type`, `tail_type`: entity types that the relation allows.
    `property`: the property of the statement behind it (`P19`); for one that themes write `^P50`, that statement is one
    of the tail about the head.
    """

    head: int
    tail: int
    relation: str
    property: str
    head_type: str
    tail_type: str
    score: Score | None = None


class ExportedText(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A row. `page`: the item that the page is about. `unknown`: relations that must not be asked of this text."""

    id: str
    text: str
    entity: tuple[ExportedEntity, ...]
    relation: tuple[ExportedRelation, ...]
    title: str | None = None
    page: str | None = None
    unknown: tuple[str, ...] = ()


class ExportedSplit(Stored, frozen=True):
    """Counts of one split of the corpus with this name. `without_facts`: texts that state no fact that can be asked."""

    corpus: Name
    split: str
    texts: Count
    facts: Count
    without_facts: Count
