"""Records of the knowledge pipeline survive the way through a table."""

import pyarrow as pa
import pytest

from schemas.knowledge import (
    CONTEXT,
    LINKED,
    MATCHED,
    PARAGRAPHS,
    Fact,
    Item,
    Link,
    LinkedMention,
    LinkedParagraph,
    MatchedParagraph,
    Paragraph,
    Statement,
    from_table,
    to_table,
)

PARAGRAPH = Paragraph("p/1", "en", "Ada lived in Ockham.", "Ada", 7, (Link(13, 19, "Ockham", 9),))
MENTIONS = (LinkedMention(0, 3, "title", 7, ("human",)), LinkedMention(13, 19, "anchor", 9, ("geographic_region",)))
ITEM = Item(
    7,
    "Ada",
    ("Ada", "Countess"),
    ("human",),
    (Statement(569, "time", text="+1815-12-10T00:00:00Z", precision=11), Statement(19, "item", item=9)),
    frozenset({9, 5}),
)


@pytest.mark.parametrize(
    ("record", "schema"),
    [
        (ITEM, CONTEXT),
        (PARAGRAPH, PARAGRAPHS),
        (Paragraph("p/2", "zh", "无"), PARAGRAPHS),
        (LinkedParagraph(PARAGRAPH, MENTIONS), LINKED),
        (
            MatchedParagraph(PARAGRAPH, "person", MENTIONS, (Fact("place of birth", 0, 1, 19, 0.5),), ("spouse",)),
            MATCHED,
        ),
        (MatchedParagraph(PARAGRAPH, None, (), ()), MATCHED),
    ],
)
def test_records_survive_a_table(record, schema):
    table = to_table([record, record], schema)
    assert table.schema == schema
    assert from_table(table, type(record)) == [record, record]


def test_no_records_are_an_empty_table():
    assert to_table([], MATCHED) == pa.Table.from_pylist([], schema=MATCHED)
    assert from_table(to_table([], MATCHED), MatchedParagraph) == []
