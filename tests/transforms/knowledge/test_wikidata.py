"""Entities of a Wikidata dump → items: names, statements by type of value, merged items, and bad lines."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from tests.transforms.knowledge.entities import (
    claims,
    dump,
    entity,
    no_value,
    quantity,
    statement,
    time,
    to_item,
)
from transforms.knowledge.wikidata import ItemRow, Merged, Reader

PROPERTIES = frozenset({10, 20, 30, 279})


def read(content: bytes, lang: str = "en") -> tuple[list, Reader]:
    reader = Reader(lang, PROPERTIES)
    lines = ((number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip())
    return list(reader.read(lines, "dump.json")), reader


def read_one(one: dict, lang: str = "en") -> ItemRow:
    (row,), _ = read(dump([one]), lang)
    assert isinstance(row, ItemRow)
    return row


def term(value: str) -> dict:
    return {"language": "en", "value": value}


@pytest.mark.parametrize("content", [dump([entity("Q7", "mole")]), dump([entity("Q7", "mole")], brackets=False)])
def test_a_dump_with_and_without_brackets(content):
    rows, reader = read(content)
    assert rows == [ItemRow(7, 0, "mole", ["mole"], ["label"], [], [], [], [])]
    assert reader.counts == {"items": 1, "unnamed": 0}


def test_names_come_in_order_and_once():
    one = entity(
        "Q7",
        labels={"de": term("Merkur"), "en-gb": term("Mercury of Britain"), "en": term(" Mercury"), "mul": term("☿")},
        aliases={"mul": [term("Hg")], "en": [term("the  winged one"), term(""), term("Mercury")]},
        sitelinks={"enwiki": {"site": "enwiki", "title": "Mercury (planet)"}, "zhwiki": {"title": "水星"}},
    )
    row = read_one(one)
    assert row.label == "Mercury"
    assert list(zip(row.names, row.kinds, strict=True)) == [
        ("Mercury", "label"),
        ("Mercury (planet)", "title"),
        ("Mercury of Britain", "label"),
        ("☿", "label"),
        ("the winged one", "alias"),
        ("Hg", "alias"),
    ]


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("mole", [("mole", "title")]),
        ("mole (unit)", [("mole", "label"), ("mole (unit)", "title")]),
        ("Talpa (beast)", [("mole", "label"), ("Talpa (beast)", "title"), ("Talpa", "alias")]),
        ("(beast)", [("mole", "label"), ("(beast)", "title")]),
        ("Talpa (beast) 2", [("mole", "label"), ("Talpa (beast) 2", "title")]),
    ],
)
def test_the_title_is_also_a_name_without_its_bracketed_part(title, names):
    row = read_one(entity("Q7", "mole", sitelinks={"enwiki": {"title": title}}))
    assert list(zip(row.names, row.kinds, strict=True)) == names


def test_chinese_names_of_all_variants():
    labels = {code: term(value) for code, value in [("zh-hant", "鼴鼠"), ("zh-cn", "鼹鼠"), ("en", "mole")]}
    one = entity("Q7", labels=labels, sitelinks={"zhwiki": {"title": "鼹科（动物）"}, "enwiki": {"title": "Mole"}})
    row = read_one(one, "zh")
    assert (row.label, row.names) == ("鼴鼠", ["鼴鼠", "鼹科（动物）", "鼹科", "鼹鼠"])
    assert row.kinds == ["label", "title", "alias", "label"]


def test_another_language_has_its_names_and_those_of_all_languages():
    row = read_one(entity("Q7", labels={"mul": term("Mo"), "fr": term("taupe"), "en": term("mole")}), "fr")
    assert row.names == ["taupe", "Mo"]


@pytest.mark.parametrize("empty", [{}, []])
def test_an_item_without_names_and_statements_is_kept(empty):
    one = {"type": "item", "id": "Q7", "labels": empty, "aliases": empty, "claims": empty, "sitelinks": empty}
    (row,), reader = read(dump([one]))
    assert row == ItemRow(7, 0, None, [], [], [], [], [], [])
    assert reader.counts["unnamed"] == 1


def test_old_and_missing_fields():
    (row,), _ = read(b'{"id":"Q7"}\n')
    assert row == ItemRow(7, 0, None, [], [], [], [], [], [])
    old = statement("P10", "wikibase-entityid", {"entity-type": "item", "numeric-id": 8})
    assert read_one(entity("Q7", claims=claims(old))).statements == [(10, "item", 8, None, None, None)]


UNKNOWN = ("unknown", None, None, None, None)
MONOLINGUAL = "monolingualtext"


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (to_item("P10", 9), ("item", 9, None, None, None)),
        (statement("P10", "wikibase-entityid", {"id": "Q9"}), ("item", 9, None, None, None)),
        (statement("P10", "wikibase-entityid", {"entity-type": "item", "id": "Q9"}), ("item", 9, None, None, None)),
        (statement("P10", "wikibase-entityid", {"entity-type": "property", "id": "P9", "numeric-id": 9}), UNKNOWN),
        (statement("P10", "wikibase-entityid", {"entity-type": "lexeme", "id": "L9-F1"}), UNKNOWN),
        (time("P10", "+1952-03-11T00:00:00Z"), ("time", None, "+1952-03-11T00:00:00Z", None, 11)),
        (time("P10", "-0044-03-15T00:00:00Z"), ("time", None, "-0044-03-15T00:00:00Z", None, 11)),
        (time("P10", "+00000001952-00-00T00:00:00Z", 9), ("time", None, "+1952-00-00T00:00:00Z", None, 9)),
        (time("P10", "-13798000000-00-00T00:00:00Z", 3), ("time", None, "-13798000000-00-00T00:00:00Z", None, 3)),
        (time("P10", "+1952-03-11T00:00:00Z", 0.5), ("time", None, "+1952-03-11T00:00:00Z", None, None)),
        (time("P10", "1952"), UNKNOWN),
        (quantity("P10", "+12.5", unit="1"), ("quantity", None, "+12.5", None, None)),
        (quantity("P10", "+12.5"), ("quantity", None, "+12.5", None, None)),
        (quantity("P10", "-3", unit="http://www.wikidata.org/entity/Q11573"), ("quantity", None, "-3", 11573, None)),
        (quantity("P10", "-3", unit="metre"), UNKNOWN),
        (statement("P10", "string", "A 1"), ("string", None, "A 1", None, None)),
        (statement("P10", "string", " A\t 1 ", "string"), ("string", None, "A 1", None, None)),
        (statement("P10", "string", "978", "external-id"), ("string", None, "978", None, None)),
        (statement("P10", "string", " "), UNKNOWN),
        (statement("P10", "string", "Mole.jpg", "commonsMedia"), UNKNOWN),
        (statement("P10", MONOLINGUAL, {"text": "Mole", "language": "en-gb"}), ("string", None, "Mole", None, None)),
        (statement("P10", MONOLINGUAL, {"text": "Maulwurf", "language": "de"}), UNKNOWN),
        (statement("P10", "globecoordinate", {"latitude": 1.5, "longitude": 2, "precision": 0.01}), UNKNOWN),
        (statement("P10", "globecoordinate", {"latitude": 1.5, "longitude": 2, "precision": None}), UNKNOWN),
        (statement("P10", "of-the-future", {"new": [1]}), UNKNOWN),
        (no_value("P10", "somevalue"), UNKNOWN),
        (no_value("P10", "value"), UNKNOWN),
    ],
)
def test_the_kind_of_a_statement_follows_from_its_value(claim, expected):
    row = read_one(entity("Q7", claims=claims(claim)))
    assert row.statements == [(10, *expected)]
    assert row.neighbours == ([9] if expected[0] == "item" else [])


def test_deprecated_repeated_and_valueless_statements_are_dropped():
    dropped = [to_item("P10", 9, "deprecated"), no_value("P10", "novalue"), to_item("P10", 8)]
    (row,), reader = read(dump([entity("Q7", claims=claims(to_item("P10", 8, "preferred"), *dropped))]))
    assert row.statements == [(10, "item", 8, None, None, None)]
    assert row.neighbours == [8]
    assert {name: reader.counts[name] for name in ("deprecated", "novalue", "repeated")} == {
        "deprecated": 1,
        "novalue": 1,
        "repeated": 1,
    }


def test_classes_and_neighbours_are_kept_for_all_properties():
    described = [to_item("P31", 5), to_item("P31", 4), to_item("P31", 5), to_item("P279", 6), to_item("P99", 3)]
    described += [to_item("P31", 1, "deprecated"), time("P99", "+1952-03-11T00:00:00Z"), no_value("P31", "somevalue")]
    row = read_one(entity("Q7", claims=claims(*described)))
    assert (row.classes, row.superclasses, row.neighbours) == ([5, 4], [6], [3, 4, 5, 6])
    assert row.statements == [(279, "item", 6, None, None, None)]


def test_other_entities_are_counted_and_skipped():
    others = [{"type": "property", "id": "P31"}, {"type": "lexeme", "id": "L1"}, {"id": "P5"}]
    rows, reader = read(dump([*others, {"type": "mediainfo", "id": "M1"}]))
    assert not rows
    assert reader.counts == {"skipped.property": 2, "skipped.lexeme": 1, "skipped.mediainfo": 1}


def test_merged_items_are_named():
    rows, _ = read(
        dump(
            [
                {"entity": "Q1", "redirect": "Q2"},
                entity("Q4", redirects={"from": "Q3", "to": "Q4"}),
                entity("Q6", title="Q5"),
                entity("Q8", title="Q8"),
                entity("Q9", title="Item:Q9", redirects=[]),
            ]
        )
    )
    assert [row for row in rows if isinstance(row, Merged)] == [Merged(1, 2), Merged(3, 4), Merged(5, 6)]
    assert [row.qid for row in rows if isinstance(row, ItemRow)] == [4, 6, 8, 9]


GOOD = json.dumps(entity("Q7", "mole")).encode()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD[:-5], Reason.BROKEN_JSON),
        (b"mole", Reason.BROKEN_JSON),
        (b'{"id":"Q1","labels":{"en":{"value":"\\ud800"}}}', Reason.BROKEN_JSON),
        (b'{"id":"Q1","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", Reason.BROKEN_JSON),
        (GOOD.replace(b"mole", b"mo\xffle"), Reason.NOT_UTF8),
        (b"[]", Reason.BROKEN_RECORD),
        (b"{}", Reason.BROKEN_RECORD),
        (b'{"id":"L1"}', Reason.BROKEN_RECORD),
        (b'{"id":"Q0"}', Reason.BROKEN_RECORD),
        (b'{"id":"Q1234567890123456789"}', Reason.BROKEN_RECORD),
        (b'{"id":7}', Reason.BROKEN_RECORD),
        (b'{"id":"Q1","claims":7}', Reason.BROKEN_RECORD),
        (b'{"entity":"Q1","redirect":"P2"}', Reason.BROKEN_RECORD),
        (b'{"id":"Q1","lastrevid":-1}', Reason.BROKEN_RECORD),
    ],
)
def test_a_bad_line_costs_only_itself(line, reason):
    rows, reader = read(b"[\n" + GOOD + b",\n" + line + b",\n" + GOOD.replace(b"Q7", b"Q8") + b"\n]\n")
    first, bad, last = rows
    assert (first.qid, last.qid) == (7, 8)
    assert (bad.place, bad.reason) == ("dump.json:3", reason)
    assert reader.counts["items"] == 2


def test_a_malformed_statement_costs_only_itself():
    good = b'{"mainsnak":{"snaktype":"value","datavalue":{"type":"wikibase-entityid","value":{"id":"Q5"}}}}'
    wrong = b'{"mainsnak":{"snaktype":"value","datavalue":7}}'
    (*malformed, row), reader = read(b'{"id":"Q1","claims":{"P31":[%s,%s],"P279":[7,null]}}' % (wrong, good))
    assert (row.classes, row.superclasses) == ([5], [])
    assert [(bad.place, bad.reason) for bad in malformed] == [("dump.json:1", Reason.BROKEN_RECORD)] * 3
    assert [bad.detail.partition(": ")[0] for bad in malformed] == [
        f"a statement of {key!r} of 'Q1'" for key in ("P31", "P279", "P279")
    ]
    assert reader.counts["items"] == 1


def test_a_bad_line_is_quoted_up_to_a_limit():
    (bad,), _ = read(b'{"id": "Q1", "labels": 7}')
    assert bad.detail.endswith("""`$.labels`: '{"id": "Q1", "labels": 7}'""")
    (bad,), _ = read(b'{"id": "Q1", "labels": 7, "x": "' + b"y" * 1_000 + b'"}')
    assert bad.detail.endswith("yyy'...") and len(bad.detail) < 200


def test_the_reader_remembers_which_properties_are_declared_and_used():
    lines = [entity("Q1", claims=claims(to_item("P10", 5), to_item("P7", 5))), {"type": "property", "id": "P10"}]
    _, reader = read(dump([*lines, {"type": "property", "id": "P7"}, {"id": "P20"}]))
    assert reader.used == {10}
    assert reader.declared == {10, 20}
    assert 7 not in PROPERTIES


@pytest.mark.parametrize(
    ("content", "is_opened", "is_closed"),
    [(b"[\n%s\n]\n\n", True, True), (b"[\n%s,\n", True, False), (b"%s\n]", False, True), (b"%s\n", False, False)],
)
def test_the_reader_remembers_brackets_and_the_last_line(content, is_opened, is_closed):
    (row,), reader = read(content % GOOD)
    assert row.qid == 7
    assert (reader.is_opened, reader.is_closed) == (is_opened, is_closed)
    assert reader.lines == content.strip().count(b"\n") + 1


def test_bad_records_among_the_lines_are_passed_on():
    cut = BadRecord("dump.json:3", Reason.BROKEN_RECORD, "the compressed data is cut off; the rest is lost")
    reader = Reader("en", PROPERTIES)
    first, last = reader.read([(1, b"["), (2, GOOD), cut], "dump.json")
    assert (first.qid, last) == (7, cut)
    assert reader.is_closed  # the cut explains why there is no ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    st.randoms(use_true_random=False),
)
def test_any_value_anywhere_is_an_item_or_a_bad_record(value, chance: random.Random):
    """A part of an entity is replaced by any JSON value."""
    described = [to_item("P31", 5), time("P10", "+1952-03-11T00:00:00Z"), quantity("P20", "+1", unit="1")]
    one = entity("Q7", "mole", aliases={"en": [term("talpa")]}, claims=claims(*described), lastrevid=5)
    place: dict | list = one
    while True:
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or chance.random() < 0.2:
            place[key] = value
            break
        place = place[key]
    rows, _ = read(dump([one, entity("Q8")]))
    assert isinstance(rows[-1], ItemRow)
    assert all(isinstance(row, ItemRow | Merged | BadRecord) for row in rows)
