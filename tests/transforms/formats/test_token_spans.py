"""The reader of DyGIE documents: sentence offsets from document tokens, escapes, invalid spans."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation
from transforms.files import File
from transforms.formats.token_spans import PTB_ESCAPES, read, sentence


@pytest.fixture
def read_documents(tmp_path):
    def read_all(*documents: dict | str):
        lines = [document if isinstance(document, str) else json.dumps(document) for document in documents]
        (tmp_path / "a.json").write_text("\n".join(lines))
        return list(read([File(str(tmp_path / "a.json"), "a.json")]))

    return read_all


def test_document_offsets_include_the_last_token(read_documents):
    got = read_documents(
        {
            "doc_key": "x",
            "clusters": [[[0, 0], [3, 3]]],
            "sentences": [
                ["We", "tag", "."],
                ["It", "-LRB-", "a", "tree", "model", "-RRB-", "``", "parses", "''"],
                ["."],
            ],
            "ner": [[], [[3, 3, "G"], [6, 7, "M"], [6, 6, "O"], [10, 10, "T"]], []],
            "relations": [[], [[6, 7, 10, 10, "USED-FOR"], [5, 5, 3, 3, "PART-OF"]], []],
        }
    )
    model, tree = Mention("tree model", ((7, 17),)), Mention("tree", ((7, 11),))
    it, parses = Mention("It", ((0, 2),)), Mention("parses", ((22, 28),))
    assert got == [
        RawExample("a.json:1", "We tag .", (), ()),
        RawExample(
            "a.json:1",
            'It ( a tree model ) " parses "',
            (Entity("G", it), Entity("M", model), Entity("O", tree), Entity("T", parses)),
            (
                Relation("USED-FOR", model, parses, "M", "T"),
                Relation("PART-OF", Mention("a", ((5, 6),)), it, None, "G"),  # a span that is not an entity
            ),
        ),
        RawExample("a.json:1", ".", (), ()),
    ]


def test_relation_ends_take_the_type_at_their_span():
    example = sentence("a:1", ["A", "b"], [((0, 1), "X"), ((0, 2), "Y"), ((0, 1), "Z")], [((0, 1), (0, 2), "R")])
    assert [entity.label for entity in example.entities] == ["X", "Y", "Z"]
    assert [(r.head_label, r.tail_label) for r in example.relations] == [("X", "Y")]


def test_an_absent_layer_is_unknown(read_documents):
    (example,) = read_documents({"sentences": [["A", "b"]], "ner": [[[0, 1, "X"]]]})
    assert example == RawExample("a.json:1", "A b", (Entity("X", Mention("A b", ((0, 3),))),), None)


@pytest.mark.parametrize("span", [[2, 4], [1, 2], [4, 3], [-1, 2], [9, 9]])
@pytest.mark.parametrize("layer", ["ner", "relations"])
def test_only_the_sentence_with_an_outside_span_is_lost(read_documents, span, layer):
    document = {"sentences": [["a", "b"], ["c", "d"], ["e"]], "ner": [[], [], []], "relations": [[], [], []]}
    document[layer][1] = [[*span, "X"] if layer == "ner" else [2, 2, *span, "X"]]
    first, bad, last = read_documents(document)
    assert (first.text, last.text) == ("a b", "e")
    assert isinstance(bad, BadRecord)
    assert (bad.place, bad.reason) == ("a.json:1", Reason.OFFSET_MISMATCH)
    assert "'c d'" in bad.detail


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"sentences": [["a"], ["b"', Reason.BROKEN_JSON),
        ('{"ner": [[]]}', Reason.MISSING_FIELD),
        ('{"sentences": [["a"]], "ner": [[[0, "X"]]]}', Reason.MISSING_FIELD),
        ('{"sentences": [["a"], ["b"]], "ner": [[]]}', Reason.BROKEN_RECORD),
    ],
)
def test_only_a_broken_document_is_lost(read_documents, line, reason):
    bad, good = read_documents(line, {"sentences": [["a"]]})
    assert (bad.place, bad.reason) == ("a.json:1", reason)
    assert good == RawExample("a.json:2", "a")


@given(
    st.lists(st.one_of(st.sampled_from(sorted(PTB_ESCAPES)), st.text("xyé-", min_size=1)), min_size=1),
    st.sampled_from(["", " "]),
    st.data(),
)
def test_a_mention_is_its_tokens_joined(tokens, joiner, data):
    first = data.draw(st.integers(0, len(tokens) - 1))
    end = data.draw(st.integers(first + 1, len(tokens)))
    example = sentence("a:1", tokens, [((first, end), "X")], None, joiner=joiner)
    words = [PTB_ESCAPES.get(token, token) for token in tokens]
    ((mention,),) = [[entity.mention for entity in example.entities]]
    ((start, stop),) = mention.spans
    assert example.text == joiner.join(words)
    assert example.text[start:stop] == mention.text == joiner.join(words[first:end])
    assert example.text[:start] == joiner.join([*words[:first], ""] if first else [])


def test_events_have_triggers_and_arguments_over_tokens():
    tokens = ["Oil", "fell", "-LRB-", "3", "%", "-RRB-", "today"]
    events = [((1, 2), "Fall", [((0, 1), "Item"), ((2, 6), "Size")]), ((1, 2), "Alone", [])]
    got = sentence("a:1", tokens, None, None, events=events)
    fell = Mention("fell", ((4, 8),))
    assert got == RawExample(
        "a:1",
        "Oil fell ( 3 % ) today",
        events=(
            Event(
                "Fall",
                fell,
                (Argument("Item", Mention("Oil", ((0, 3),))), Argument("Size", Mention("( 3 % )", ((9, 16),)))),
            ),
            Event("Alone", fell),
        ),
    )


@pytest.mark.parametrize("trigger", [(1, 8), (-1, 1), (1, 1)])
def test_a_trigger_outside_the_sentence_is_a_bad_record(trigger):
    bad = sentence("a:1", ["A", "b", "c"], None, None, events=[(trigger, "X", [])])
    assert isinstance(bad, BadRecord) and bad.reason == Reason.OFFSET_MISMATCH
