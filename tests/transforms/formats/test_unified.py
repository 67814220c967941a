import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason, SourceError
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation
from schemas.label import Label, Role, UnknownLabel, named_roles, typed_label
from transforms.files import File
from transforms.formats.unified import read, read_open, read_schema, split_typed

TEXT = "Ola, Eli and Mo left Bodø."


def records(tmp_path, task: str, labels, *rows) -> list:
    """The records of one file with these rows, which are objects or lines."""
    path = tmp_path / "train.json"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return list(read([File(str(path), "train.json")], task, labels))


def schema(tmp_path, task: str, *lines) -> tuple[Label, ...]:
    path = tmp_path / "schema.json"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return read_schema(File(str(path), "schema.json"), task)


def test_ner(tmp_path):
    row = {"id": 4, "text": "Oslo is big", "entity": [{"entity": "Oslo", "entity_type": "town", "offset": [0, 4]}]}
    assert records(tmp_path, "NER", (), row, "", {"text": "nothing", "entity": []}) == [
        RawExample("train.json:1", "Oslo is big", entities=(Entity("town", Mention("Oslo")),)),
        RawExample("train.json:3", "nothing", entities=()),
    ]


def test_without_a_label_set_all_layers_are_read(tmp_path):
    """Rows with JSON arrays as well as with lines; a layer that a text does not have is unknown in it."""
    rows = [
        {
            "text": TEXT,
            "case": 7,
            "entity": [{"entity": "Ola", "entity_type": "person"}, {"entity": "Per", "entity_type": "person"}],
            "relation": [
                {"head": "Ola", "relation": "left", "tail": "Bodø", "head_type": "person", "tail_type": "town"},
                {"head": "Ola", "relation": "met", "tail": "Per"},
            ],
        },
        {"text": TEXT, "event": [{"event_trigger": "left", "event_type": "leaving"}]},
        {"text": TEXT, "entity": [{"entity": "Ola"}]},
    ]
    for name, content in (("a.json", json.dumps(rows)), ("a.jsonl", "\n".join(map(json.dumps, rows)))):
        (tmp_path / name).write_text(content, encoding="utf-8")
        first, second, broken = read_open([File(str(tmp_path / name), name)], group_by="case")
        assert first.entities == (Entity("person", Mention("Ola")),)
        assert first.relations == (Relation("left", Mention("Ola"), Mention("Bodø"), "person", "town"),)
        assert [part.unknown for part in first.lost] == [
            (UnknownLabel("entities", "person"),),
            (UnknownLabel("relations", "met"),),
        ]
        assert (first.events, first.document, second.document) == (None, "7", None)
        assert (second.entities, second.events) == (None, (Event("leaving", Mention("left")),))
        assert broken.reason == Reason.MISSING_FIELD


def test_an_event_without_arguments_is_complete_only_if_no_event_has_them(tmp_path):
    leaving = {"event_trigger": "left", "event_type": "leaving"}
    rows = [{"text": TEXT, "event": [leaving]}, {"text": TEXT, "event": [{**leaving, "arguments": []}]}]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    first, second = read_open([File(str(path), "a.json")])
    assert (first.events, second.events) == (None, (Event("leaving", Mention("left")),))


def test_re_omits_types(tmp_path):
    triple = {"head": "Ola", "relation": "born in", "tail": "Bodø", "head_type": "person", "tail_type": "town"}
    assert records(tmp_path, "RE", (), {"text": TEXT, "relation": [triple]}) == [
        RawExample("train.json:1", TEXT, relations=(Relation("born in", Mention("Ola"), Mention("Bodø")),))
    ]


def test_spo(tmp_path):
    labels = (typed_label("person", "born in", "town"),)
    triple = {"head": "Ola", "head_type": "person", "relation": "born in", "tail": "Bodø", "tail_type": "town"}
    rows = [[triple], [{**triple, "tail_type": "land"}], [{k: v for k, v in triple.items() if k != "head_type"}], []]
    good, strange, untyped, empty = records(
        tmp_path, "SPO", labels, *({"text": TEXT, "relation": relation} for relation in rows)
    )
    assert good.relations == (Relation("born in", Mention("Ola"), Mention("Bodø"), "person", "town"),)
    assert strange == BadRecord("train.json:2", Reason.UNKNOWN_LABEL, "'person_born in_land' is not in schema.json")
    assert untyped == BadRecord("train.json:3", Reason.MISSING_FIELD, "'born in' lacks head_type or tail_type")
    assert empty == RawExample("train.json:4", TEXT, relations=())


@pytest.mark.parametrize("task", ["EE", "EEA"])
def test_events(tmp_path, task):
    arguments = [{"argument": "Ola", "role": "who"}, {"argument": "", "role": "when"}]
    row = {
        "text": TEXT,
        "event": [
            {"event_trigger": "left", "event_type": "leave", "arguments": arguments},
            {"event_trigger": "", "event_type": "leave", "arguments": []},
            {"event_trigger": None, "event_type": "leave", "arguments": []},
            {"event_type": "leave", "arguments": []},
        ],
    }
    assert records(tmp_path, task, (), row) == [
        RawExample(
            "train.json:1",
            TEXT,
            events=(
                Event("leave", Mention("left"), (Argument("who", Mention("Ola")),)),
                Event("leave", None),
                Event("leave", None),
                Event("leave", None),
            ),
        )
    ]


def test_unannotated_arguments(tmp_path):
    known = {"event_trigger": "left", "event_type": "leave", "arguments": []}
    rows = [
        {"text": TEXT, "event": [known, {**known, "arguments": None}]},
        {"text": TEXT, "event": [{"event_trigger": "left", "event_type": "leave"}]},
    ]
    for task in ("EE", "EEA"):
        assert [example.events for example in records(tmp_path, task, (), *rows)] == [None, None]
    # EET does not need arguments. Those in the file are left out, since its label set has no roles.
    rows.append({"text": TEXT, "event": [{**known, "arguments": [{"argument": "Ola", "role": "who"}]}]})
    leave = Event("leave", Mention("left"))
    assert [example.events for example in records(tmp_path, "EET", (), *rows)] == [(leave, leave), (leave,), (leave,)]


PEOPLE = (Label("firm", roles=named_roles(("name", "seat"))), Label("person", roles=named_roles(("name", "spouse"))))


def triple(head: str, relation: str, tail: str, **types) -> dict:
    return {"head": head, "relation": relation, "tail": tail, **types}


def test_kg(tmp_path):
    row = {
        "text": TEXT,
        "entity": [
            {"entity": "Ola", "entity_type": "person"},
            {"entity": "Mo", "entity_type": "person"},
            {"entity": "Mo", "entity_type": "town"},
        ],
        "relation": [
            triple("Ola", "spouse", "Eli"),
            triple("Mo", "spouse", "Eli"),  # two types, so neither is taken
            triple("Eli", "spouse", "Ola"),
            triple("Ola", "seat", "Bodø", head_type="firm", tail_type="town"),
        ],
    }
    [example] = records(tmp_path, "KG", PEOPLE, row)
    assert [(r.head.text, r.label, r.tail.text, r.head_label, r.tail_label) for r in example.relations] == [
        ("Ola", "spouse", "Eli", "person", None),
        ("Mo", "spouse", "Eli", None, None),
        ("Eli", "spouse", "Ola", None, None),
        ("Ola", "seat", "Bodø", "firm", None),
    ]
    assert example.entities is None  # the types of values are not in the label set


@pytest.mark.parametrize(
    ("relation", "detail"),
    [
        (triple("Ola", "height", "2 m"), "schema.json has no attribute 'height' of any entity type"),
        (triple("Ola", "spouse", "Eli", head_type="firm"), "schema.json has no attribute 'spouse' of 'firm'"),
        (triple("Ola", "spouse", "Eli", head_type="god"), "schema.json has no attribute 'spouse' of 'god'"),
    ],
)
def test_kg_attributes_outside_the_schema(tmp_path, relation, detail):
    row = {"text": TEXT, "relation": [relation]}
    assert records(tmp_path, "KG", PEOPLE, row) == [BadRecord("train.json:1", Reason.UNKNOWN_LABEL, detail)]


@pytest.mark.parametrize("task", ["NER", "RE", "SPO", "EE", "EET", "EEA", "KG"])
def test_a_missing_layer_is_unknown(tmp_path, task):
    row = {"text": TEXT, "entity": None, "relation": None, "event": None}
    assert records(tmp_path, task, PEOPLE, {"text": TEXT}, row) == [
        RawExample("train.json:1", TEXT),
        RawExample("train.json:2", TEXT),
    ]


def test_only_bad_records_are_lost(tmp_path):
    path = tmp_path / "train.json"
    lines = [
        b'{"text": "a", "entity": []}',
        b'{"text": "b", "entity": [',
        b'{"entity": []}',
        b'{"text": "c", "entity": [{"entity": null, "entity_type": "town"}]}',
        b'{"text": "\xe9", "entity": []}',
        b"[1]",
        b'{"text": "d", "entity": []}',
    ]
    path.write_bytes(b"\r\n".join(lines))
    got = list(read([File(str(path), "train.json")], "NER", ()))
    assert [item.reason if isinstance(item, BadRecord) else item.text for item in got] == [
        "a", Reason.BROKEN_JSON, Reason.MISSING_FIELD, Reason.MISSING_FIELD, Reason.NOT_UTF8, Reason.MISSING_FIELD, "d",
    ]  # fmt: skip
    assert [item.place for item in got] == [f"train.json:{n}" for n in range(1, 8)]


def test_label_sets(tmp_path):
    assert schema(tmp_path, "NER", ["b", "a"], [], {}) == (Label("a"), Label("b"))
    assert schema(tmp_path, "RE", [], ["出生地", "作者"], {}, "") == (Label("作者"), Label("出生地"))
    roles = {"leave": ["who", "when", "who"]}
    event_types = (Label("leave", roles=named_roles(("who", "when"))), Label("meet"))
    assert schema(tmp_path, "EE", ["meet", "leave"], ["who", "when"], roles) == event_types
    assert schema(tmp_path, "EEA", ["meet", "leave"], ["who", "when"], roles) == event_types
    assert schema(tmp_path, "EET", ["meet", "leave"], [], {}) == (Label("leave"), Label("meet"))
    assert schema(tmp_path, "KG", ["person_name_text"], ["name"], {"person": ["name"], "firm": ["seat"]}) == (
        Label("firm", roles=named_roles(("seat",))),
        Label("person", roles=named_roles(("name",))),
    )
    assert schema(tmp_path, "SPO", ["person_born in_town", "big_town_part_of_land"], ["part_of", "born in"], {}) == (
        typed_label("big_town", "part_of", "land"),
        typed_label("person", "born in", "town"),
    )


def test_roles_and_attributes_may_have_descriptions(tmp_path):
    leave = {"who": "the person who leaves", "when": ""}
    assert schema(tmp_path, "EE", ["meet", "leave"], ["who"], {"leave": leave, "meet": ["who"]}) == (
        Label("leave", roles=(Role("who", "the person who leaves"), Role("when"))),
        Label("meet", roles=(Role("who"),)),
    )
    assert schema(tmp_path, "KG", [], [], {"firm": {"seat": "where it is led from"}}) == (
        Label("firm", roles=(Role("seat", "where it is led from"),)),
    )
    with pytest.raises(SourceError, match=r"^schema\.json:3: expected a map .* Expected `str`, got `int`"):
        schema(tmp_path, "EE", ["meet"], [], {"meet": {"who": 1}})


@pytest.mark.parametrize("indent", [None, 0, 2, "\t"])
@pytest.mark.parametrize("between", ["\n", "\n\n", " ", ""])
def test_a_schema_may_be_broken_into_any_lines(tmp_path, indent, between):
    values = ["meet", "leave"], ["who [", "when"], {"leave": ["who [", "when"], "meet": []}
    text = between.join(json.dumps(value, indent=indent) for value in values)
    assert schema(tmp_path, "EE", text) == (Label("leave", roles=named_roles(("who [", "when"))), Label("meet"))


def test_errors_in_an_indented_schema_have_their_line(tmp_path):
    text = "\n".join(json.dumps(value, indent=1) for value in (["a"], ["r"], ["r"]))
    with pytest.raises(SourceError, match=r"^schema\.json:7: expected a map from type to a list of roles"):
        schema(tmp_path, "EE", text)
    with pytest.raises(SourceError, match=r"^schema\.json:6: 6 JSON lines, not exactly three"):
        schema(tmp_path, "NER", json.dumps([["a"], [], {}], indent=1).replace(" {}\n", " {}"))


@pytest.mark.parametrize(
    ("task", "lines", "message"),
    [
        ("NER", [], "schema.json:1: 0 JSON lines, not exactly three: a list of types; a list of roles"),
        ("NER", [["a"], []], "schema.json:2: 2 JSON lines, not exactly three"),
        ("NER", [["a"], [], {}, {}], "schema.json:4: 4 JSON lines, not exactly three"),
        ("NER", ['["a"', [], {}], "schema.json:1: expected a list of types in JSON"),
        ("NER", [["a"], {}, {}], "schema.json:2: expected a list of roles or relations in JSON"),
        ("NER", [["a"], [], []], "schema.json:3: expected a map from type to a list of roles or"),
        ("NER", ['["a"]', "", "[]", "[]"], "schema.json:4: expected a map"),
        ("EE", [["a"], [], {"a": "b"}], "schema.json:3: expected a map from type to a list of roles or"),
        ("NER", [[], ["a"], {}], "schema.json:1: no labels for NER"),
        ("NER", [["a", " "], [], {}], "schema.json:1: a label has an empty name"),
        ("KG", [["a"], ["b"], {"": ["b"]}], "schema.json:3: a label has an empty name"),
        ("RE", [["a"], [], {}], "schema.json:2: no labels for RE"),
        ("KG", [["a"], ["b"], {}], "schema.json:3: no labels for KG"),
        ("EE", [["a"], ["r"], {"b": ["r"]}], "schema.json:3: 'b' is not among the event types of schema.json:1"),
        ("SPO", [["a_p_b", "a_q_b"], ["p"], {}], "schema.json:1: 'a_q_b' has no predicate between two types"),
        ("SPO", [["_p_b"], ["p"], {}], "schema.json:1: '_p_b' has no predicate"),
        ("SPO", [["a_p_"], ["p"], {}], "schema.json:1: 'a_p_' has no predicate"),
        (
            "SPO",
            [["a_p_q_b"], ["p", "q"], {}],
            "schema.json:1: 'a_p_q_b' could be ('a', 'p', 'q_b') or (",
        ),
    ],
)
def test_an_invalid_schema_is_refused(tmp_path, task, lines, message):
    with pytest.raises(SourceError) as error:
        schema(tmp_path, task, *lines)
    assert str(error.value).startswith(message)


def test_a_schema_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "schema.json").write_bytes('["人物"]\n[]\n{}'.encode("gbk"))
    with pytest.raises(SourceError, match=r"^schema\.json:1: expected a list of types"):
        read_schema(File(str(tmp_path / "schema.json"), "schema.json"), "NER")


def test_typed_strings_are_split_at_their_predicate():
    assert split_typed(["_p_a_p_b"], ["p"], "s:1") == [("_p_a", "p", "b")]
    # The predicate is also a type.
    assert split_typed(["place_climate_climate"], ["climate"], "s:1") == [("place", "climate", "climate")]
    # Several splits are possible; the types of the other strings decide.
    assert split_typed(["x_of_of_b", "b_of_x"], ["of", "of_of"], "s:1") == [("x", "of_of", "b"), ("b", "of", "x")]
    typed = ["big_town_in_land", "river_in_land", "big_town_near_river"]
    assert split_typed(typed, ["in", "near", "town"], "s:1")[0] == ("big_town", "in", "land")


words = st.text("abc", min_size=1, max_size=2)
names = st.lists(words, min_size=1, max_size=3).map("_".join)


@given(st.lists(st.tuples(names, st.sampled_from(["P", "Q_R", "S"]), names), unique=True))
def test_types_with_underscores_are_kept(triples):
    typed = ["_".join(triple) for triple in triples]
    assert split_typed(typed, {"P", "Q_R", "S"}, "s:1") == triples


def lost(example: RawExample) -> list[tuple[Reason, str]]:
    assert all(bad.place == example.place for bad in example.lost)
    return [(bad.reason, bad.detail) for bad in example.lost]


NOT_THERE = Reason.MENTION_NOT_IN_TEXT


def test_only_an_entity_missing_from_the_text_is_lost(tmp_path):
    names = ["Ola", "Zork", "BODØ", "", " "]
    row = {"text": TEXT, "entity": [{"entity": name, "entity_type": "name"} for name in names]}
    [example] = records(tmp_path, "NER", (), row)
    assert [entity.mention for entity in example.entities] == [Mention("Ola"), Mention("Bodø")]
    assert lost(example) == [
        (NOT_THERE, "'Zork' is not in the text; its entity 'name' is left out"),
        (Reason.MISSING_FIELD, "a mention is empty; its entity 'name' is left out"),
        (Reason.MISSING_FIELD, "a mention is empty; its entity 'name' is left out"),
    ]
    [example] = records(tmp_path, "NER", (), {"text": TEXT, "entity": row["entity"][1:2]})
    assert example.entities == () and len(example.lost) == 1
    assert example.lost[0].unknown == (UnknownLabel("entities", "name"),)


@pytest.mark.parametrize("task", ["RE", "SPO", "KG"])
def test_a_relation_with_a_missing_end_is_lost(tmp_path, task):
    labels = {"SPO": (typed_label("person", "spouse", "person"),), "KG": PEOPLE}.get(task, ())
    types = {"head_type": "person", "tail_type": "person"}
    ends = [("Ola", "Eli"), ("Ola", "Zork"), ("Zork", "Eli"), ("Zork", "Quux"), ("eli", "mo")]
    row = {"text": TEXT, "relation": [triple(head, "spouse", tail, **types) for head, tail in ends]}
    [example] = records(tmp_path, task, labels, row)
    assert [(r.head.text, r.tail.text) for r in example.relations] == [("Ola", "Eli"), ("Eli", "Mo")]
    detail = "'Zork' is not in the text; its relation 'spouse' is left out"
    assert lost(example) == [(NOT_THERE, detail)] * 3
    assert {part.unknown for part in example.lost} == {(UnknownLabel("relations", "spouse"),)}


def event(trigger: str | None, **arguments: str) -> dict:
    made = [{"role": role, "argument": argument} for role, argument in arguments.items()]
    return {"event_type": "leave", "event_trigger": trigger, "arguments": made}


@pytest.mark.parametrize("task", ["EE", "EEA"])
def test_events_need_their_trigger_but_not_every_argument(tmp_path, task):
    row = {"text": TEXT, "event": [event("fled", who="Ola"), event("LEFT", who="Zork", whence="bodø")]}
    [example] = records(tmp_path, task, (), row)
    assert example.events == (Event("leave", Mention("left"), (Argument("whence", Mention("Bodø")),)),)
    assert lost(example) == [
        (NOT_THERE, "'fled' is not in the text; its event 'leave' is left out"),
        (NOT_THERE, "'Zork' is not in the text; its argument 'who' is left out"),
    ]
    assert {part.unknown for part in example.lost} == {(UnknownLabel("events", "leave"),)}


def test_nan_means_a_missing_trigger_or_argument(tmp_path):
    row = {"text": f"{TEXT} NAN", "event": [event("NAN", who="NAN", whence="Bodø")]}
    [example] = records(tmp_path, "EE", (), row)
    assert example.events == (Event("leave", None, (Argument("whence", Mention("Bodø")),)),)
    assert example.lost == ()


def test_an_array_is_read_like_lines(tmp_path):
    rows = [{"text": "Ola left", "entity": [{"entity": "Ola", "entity_type": "name"}]}, {"text": "b", "entity": []}]
    [*array] = records(tmp_path, "NER", (), json.dumps(rows, indent=2))
    assert [(example.text, example.entities) for example in array] == [
        (example.text, example.entities) for example in records(tmp_path, "NER", (), *rows)
    ]


def test_a_schema_that_is_nested_too_deeply_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"^schema\.json:1: expected a list of types"):
        schema(tmp_path, "NER", "[" * 9000, [], {})
