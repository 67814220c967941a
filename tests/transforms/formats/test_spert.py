"""The reader of tokenised sentences in JSON: spans or tags, relations between entity numbers, broken sentences."""

import json

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation
from transforms.files import File
from transforms.formats.spert import read

TOKENS = ["Ada", "Poe", "left", "-LRB-", "Rye", "-RRB-"]
RELATIONS = [{"type": "Live_In", "head": 0, "tail": 1}]
SPANS = {"tokens": TOKENS, "entities": [{"type": "Peop", "start": 0, "end": 2}, {"type": "Loc", "start": 4, "end": 5}]}
TAGS = {"tokens": TOKENS, "tags": ["B-Peop", "L-Peop", "O", "O", "U-Loc", "O"]}


@pytest.fixture
def read_rows(tmp_path):
    def read_all(*rows: dict | str) -> list[RawExample | BadRecord]:
        content = ",\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
        (tmp_path / "a.json").write_text(f"[{content}]")
        return list(read([File(str(tmp_path / "a.json"), "a.json")]))

    return read_all


@pytest.mark.parametrize("row", [SPANS, TAGS])
def test_entities_and_relations(read_rows, row):
    ada, rye = Mention("Ada Poe", ((0, 7),)), Mention("Rye", ((15, 18),))
    assert read_rows(row | {"relations": RELATIONS, "orig_id": 7}) == [
        RawExample(
            "a.json:1",
            "Ada Poe left ( Rye )",
            entities=(Entity("Peop", ada), Entity("Loc", rye)),
            relations=(Relation("Live_In", ada, rye, "Peop", "Loc"),),
        )
    ]


def test_a_layer_that_is_absent_is_unknown(read_rows):
    text, entities, none = read_rows({"tokens": TOKENS}, SPANS, SPANS | {"entities": [], "relations": []})
    assert (text.entities, text.relations) == (None, None)
    assert len(entities.entities) == 2 and entities.relations is None
    assert (none.entities, none.relations) == ((), ())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"relations": [{"type": "Kill", "head": 0, "tail": 2}]}, Reason.BROKEN_RECORD),
        ({"relations": [{"type": "Kill", "head": -1, "tail": 0}]}, Reason.MISSING_FIELD),
        ({"relations": [{"type": "Kill", "head": 0}]}, Reason.MISSING_FIELD),
        ({"entities": [{"type": "Loc", "start": 4, "end": 7}]}, Reason.OFFSET_MISMATCH),
        ({"entities": [{"type": "Loc", "start": 4, "end": 4}]}, Reason.OFFSET_MISMATCH),
        ({"entities": [{"type": "Loc", "start": -2, "end": 4}]}, Reason.MISSING_FIELD),
        ({"entities": None, "tags": ["O"]}, Reason.BROKEN_RECORD),
        ({"entities": None, "tags": ["O", "O", "O", "O", "Loc", "O"]}, Reason.BROKEN_RECORD),
        ({"tokens": "Ada"}, Reason.MISSING_FIELD),
    ],
)
def test_only_a_broken_sentence_is_lost(read_rows, change, reason):
    good, bad, last = read_rows(SPANS, SPANS | change, SPANS)
    assert isinstance(good, RawExample) and isinstance(last, RawExample)
    assert (bad.place, bad.reason) == ("a.json:2", reason)


def test_an_orphan_inside_tag_starts_an_entity(read_rows):
    (example,) = read_rows({"tokens": ["a", "b", "c"], "tags": ["I-X", "L-X", "L-Y"]})
    assert [(entity.label, entity.mention.text) for entity in example.entities] == [("X", "a b"), ("Y", "c")]
