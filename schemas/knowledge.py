"""What the stages of `pipelines.knowledge` pass on: items of a knowledge graph, paragraphs, linked mentions and facts.

Ids are numbers: item Q42 is 42, property P31 is 31. The graph has the form of Wikidata's JSON dumps
(https://doc.wikimedia.org/Wikibase/master/php/docs_topics_json.html). Offsets are in code points, half-open.
"""

from collections.abc import Iterable
from typing import Literal, TypeVar

import msgspec
import pyarrow as pa

from schemas.arrow import STRINGS, required

NameKind = Literal["title", "label", "alias"]
"""`title`: the name of the item's page in the encyclopaedia."""

MentionKind = Literal["anchor", "repeat", "title", "name", "given", "value"]
"""How a mention was recognised: a link of the page, a repetition of a link's text, the page's own title or another
name of its item, a name of any item, given with the text, or the value of a statement.
"""

ValueKind = Literal["item", "time", "quantity", "string", "unknown"]
"""`unknown`: the graph says that the item has this property, but not which value (`somevalue`), or a value of a type
that is not used, such as a coordinate.
"""


class Statement(msgspec.Struct, frozen=True, gc=False):
    """A statement about an item that is not deprecated.

    `item`: the value of kind `item`. `text`: the value of kind `time` (`+1952-03-11T00:00:00Z`, the year before our era
    with `-`), `quantity` (`+12.5`) or `string`. `unit`: the item of a quantity's unit, None if it has none.
    `precision`: of a time, as in Wikidata (7 century, 8 decade, 9 year, 10 month, 11 day).
    """

    property: int
    kind: ValueKind
    item: int | None = None
    text: str | None = None
    unit: int | None = None
    precision: int | None = None


class Item(msgspec.Struct, frozen=True, gc=False):
    """An item with what linking and matching need. `names`: its label first, then its title and aliases, in the
    language of the texts. `types`: entity types, sorted. `neighbours`: all items that its statements have as values.
    """

    qid: int
    label: str | None
    names: tuple[str, ...]
    types: tuple[str, ...]
    statements: tuple[Statement, ...]
    neighbours: frozenset[int]


class Link(msgspec.Struct, frozen=True, gc=False):
    """A link in a paragraph. `title`: the page that it leads to, with redirects resolved. `qid`: its item if known."""

    start: int
    end: int
    title: str | None = None
    qid: int | None = None


class Paragraph(msgspec.Struct, frozen=True, gc=False):
    """`id` is unique in a corpus and sorts in the order of the input. `page`: the item that the page is about."""

    id: str
    lang: str
    text: str
    title: str | None = None
    page: int | None = None
    links: tuple[Link, ...] = ()


class LinkedMention(msgspec.Struct, frozen=True, gc=False):
    """A mention of an item, or of a value (`qid` None). `types`: entity types; a value has `time`, `measure` or
    `text`.
    """

    start: int
    end: int
    kind: MentionKind
    qid: int | None = None
    types: tuple[str, ...] = ()


class Fact(msgspec.Struct, frozen=True, gc=False):
    """A relation between two mentions of a paragraph. `relation`: its key in the themes file. `head`, `tail`: indices
    of mentions. `property`: the property of the statement behind it. `score`: how surely the text states it, 0 to 1.
    """

    relation: str
    head: int
    tail: int
    property: int
    score: float | None = None


class LinkedParagraph(msgspec.Struct, frozen=True, gc=False):
    """A paragraph with its mentions, sorted by start and end."""

    paragraph: Paragraph
    mentions: tuple[LinkedMention, ...]


class MatchedParagraph(msgspec.Struct, frozen=True, gc=False):
    """A linked paragraph with its theme and the facts that the schema of the theme allows.

    `theme`: its key in the themes file, None if no theme applies. `unknown`: relations of the theme that must not be
    asked of this text, because the graph cannot tell whether the text states them, sorted.
    """

    paragraph: Paragraph
    theme: str | None
    mentions: tuple[LinkedMention, ...]
    facts: tuple[Fact, ...]
    unknown: tuple[str, ...] = ()


NAMES = pa.schema(
    [
        required("name", pa.string()),
        required("qid", pa.int64()),
        required("kind", pa.string()),  # NameKind
    ]
)
"""One row per name of an item in the language of the texts."""

STATEMENT = pa.struct(
    [
        required("property", pa.int32()),
        required("kind", pa.string()),
        pa.field("item", pa.int64()),
        pa.field("text", pa.string()),
        pa.field("unit", pa.int64()),
        pa.field("precision", pa.int8()),
    ]
)

IDS = pa.list_(required("element", pa.int64()))

ITEMS = pa.schema(
    [
        required("qid", pa.int64()),
        pa.field("label", pa.string()),
        required("names", STRINGS),  # as in Item
        required("classes", IDS),  # instance of (P31)
        required("superclasses", IDS),  # subclass of (P279)
        required("statements", pa.list_(required("element", STATEMENT))),  # of the properties that the themes use
        required("neighbours", IDS),
    ]
)

TYPES = pa.schema([required("qid", pa.int64()), required("types", STRINGS)])

CONTEXT = pa.schema(
    [
        required("qid", pa.int64()),
        pa.field("label", pa.string()),
        required("names", STRINGS),
        required("types", STRINGS),
        required("statements", pa.list_(required("element", STATEMENT))),
        required("neighbours", IDS),
    ]
)
"""The fields of Item."""

LINK = pa.struct(
    [
        required("start", pa.int32()),
        required("end", pa.int32()),
        pa.field("title", pa.string()),
        pa.field("qid", pa.int64()),
    ]
)

PARAGRAPHS = pa.schema(
    [
        required("id", pa.string()),
        required("lang", pa.string()),
        required("text", pa.string()),
        pa.field("title", pa.string()),
        pa.field("page", pa.int64()),
        required("links", pa.list_(required("element", LINK))),
    ]
)

MENTION = pa.struct(
    [
        required("start", pa.int32()),
        required("end", pa.int32()),
        required("kind", pa.string()),
        pa.field("qid", pa.int64()),
        required("types", STRINGS),
    ]
)

LINKED = pa.schema([*PARAGRAPHS, required("mentions", pa.list_(required("element", MENTION)))])

FACT = pa.struct(
    [
        required("relation", pa.string()),
        required("head", pa.int32()),
        required("tail", pa.int32()),
        required("property", pa.int32()),
        pa.field("score", pa.float64()),
    ]
)

MATCHED = pa.schema(
    [
        *LINKED,
        pa.field("theme", pa.string()),
        required("facts", pa.list_(required("element", FACT))),
        required("unknown", STRINGS),
    ]
)


Record = TypeVar("Record", Item, Paragraph, LinkedParagraph, MatchedParagraph)


def to_table(records: Iterable[Record], schema: pa.Schema) -> pa.Table:
    """Items (CONTEXT), Paragraphs (PARAGRAPHS), LinkedParagraphs (LINKED) or MatchedParagraphs (MATCHED) as a table."""
    rows = [msgspec.to_builtins(record, order="deterministic") for record in records]
    return pa.Table.from_pylist([row.pop("paragraph", {}) | row for row in rows], schema=schema)


def from_table(table: pa.Table, kind: type[Record]) -> list[Record]:
    """The records of type `kind` in a table with the schema of this type."""
    rows = table.to_pylist()
    if kind in (LinkedParagraph, MatchedParagraph):
        rows = [row | {"paragraph": {name: row[name] for name in PARAGRAPHS.names}} for row in rows]
    return [msgspec.convert(row, kind) for row in rows]
