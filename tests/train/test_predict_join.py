"""Answers to batches and windows become one list of annotations with offsets into the whole text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.prediction.extractions import requested
from train.prediction.join import WindowAnswer, join_answers, keep_requested, occurrences

TEXT = "Asta Holm met Inga Holm. Later Asta left the art party."


@pytest.mark.parametrize(
    ("mention", "spans"),
    [
        ("Asta", [(0, 4), (31, 35)]),
        ("Holm", [(5, 9), (19, 23)]),
        ("art", [(45, 48)]),  # not the one in "party"
        ("arty", [(50, 54)]),  # occurs only within a word
        ("Berg", []),
        ("", []),
    ],
)
def test_a_mention_occurs_where_its_words_occur(mention, spans):
    assert occurrences(TEXT, mention) == spans


def test_chinese_mentions_may_occur_within_longer_words():
    assert occurrences("海港和新海港", "海港") == [(0, 2), (4, 6)]
    assert occurrences("3号楼和13号楼", "3号楼") == [(0, 3)]


def test_occurrences_are_limited_to_the_window():
    assert occurrences(TEXT, "Asta", 10, 40) == [(31, 35)]
    assert occurrences(TEXT, "Asta", 10, 34) == []
    # not a whole word, as the letter after the window shows; but the only occurrence
    assert occurrences(TEXT, "par", 0, 52) == [(49, 52)]


@given(st.text(alphabet="ab 港", max_size=30), st.text(alphabet="ab 港", min_size=1, max_size=3))
def test_every_occurrence_is_the_mention(text, mention):
    result = occurrences(text, mention)
    assert all(text[start:end] == mention for start, end in result)
    assert bool(result) == (mention in text)
    assert all(first[1] <= second[0] for first, second in pairwise(result))


def answered(*annotations, start=0, end=None):
    return WindowAnswer(start, len(TEXT) if end is None else end, annotations)


def entity(mention, label="person"):
    return {"entity": mention, "entity_type": label}


def test_entities_of_all_batches_are_unique_and_in_text_order():
    result = join_answers(
        "NER",
        TEXT,
        [
            answered(entity("art party", "event")),
            answered(entity("Inga Holm"), entity("Asta Holm"), entity("Asta Holm")),
        ],
    )
    assert result == [
        {"entity": "Asta Holm", "entity_type": "person", "spans": [(0, 9)]},
        {"entity": "Inga Holm", "entity_type": "person", "spans": [(14, 23)]},
        {"entity": "art party", "entity_type": "event", "spans": [(45, 54)]},
    ]


def test_a_mention_outside_the_text_has_no_spans_and_is_last():
    result = join_answers("NER", TEXT, [answered(entity("Berg"), entity("Asta"))])
    assert [(e["entity"], e["spans"]) for e in result] == [("Asta", [(0, 4), (31, 35)]), ("Berg", [])]


def test_answers_of_two_windows_are_merged():
    windows = [answered(entity("Asta"), end=35), answered(entity("Asta"), start=25)]
    assert join_answers("NER", TEXT, windows) == [{**entity("Asta"), "spans": [(0, 4), (31, 35)]}]


def test_a_window_gives_a_mention_offsets_within_the_window():
    assert join_answers("NER", TEXT, [answered(entity("Asta"), start=25)]) == [{**entity("Asta"), "spans": [(31, 35)]}]


def test_triples_are_distinguished_by_their_types():
    pair = {"head": "Asta Holm", "relation": "met", "tail": "Inga Holm"}
    typed = [{**pair, "head_type": "person", "tail_type": kind} for kind in ("person", "place", "person")]
    result = join_answers("SPO", TEXT, [answered(*typed)])
    assert [f["tail_type"] for f in result] == ["person", "place"]
    assert result[0]["head_spans"] == [(0, 9)] and result[0]["tail_spans"] == [(14, 23)]


def event(trigger, *arguments, kind="meet"):
    pairs = [{"argument": argument, "role": role} for role, argument in arguments]
    return {"event_trigger": trigger, "event_type": kind, "arguments": pairs}


def summary(events):
    return [
        (e["event_trigger"], e["trigger_spans"], [(a["role"], a["argument"], a["spans"]) for a in e["arguments"]])
        for e in events
    ]


def test_events_have_offsets_of_trigger_and_arguments():
    result = join_answers("EE", TEXT, [answered(event("left", ("who", "Asta")), event("met", ("who", "Inga Holm")))])
    assert summary(result) == [
        ("met", [(10, 13)], [("who", "Inga Holm", [(14, 23)])]),
        ("left", [(36, 40)], [("who", "Asta", [(0, 4), (31, 35)])]),
    ]


def test_an_event_answered_in_two_windows_is_kept_once():
    shorter, longer = event("met", ("who", "Asta Holm")), event("met", ("who", "Asta Holm"), ("whom", "Inga Holm"))
    expected = [("met", [(10, 13)], [("who", "Asta Holm", [(0, 9)]), ("whom", "Inga Holm", [(14, 23)])])]
    for first, second in ((shorter, longer), (longer, shorter)):
        assert summary(join_answers("EE", TEXT, [answered(first, end=24), answered(second)])) == expected


def test_two_events_of_one_window_with_one_trigger_are_kept():
    events = [event("met", ("who", "Asta Holm")), event("met", ("who", "Asta Holm"), ("whom", "Inga Holm"))]
    assert len(join_answers("EE", TEXT, [answered(*events)])) == 2


def test_events_at_different_places_are_kept():
    text = "They met. They met."
    windows = [WindowAnswer(0, 9, (event("met"),)), WindowAnswer(10, 19, (event("met", ("who", "They")),))]
    assert [e["trigger_spans"] for e in join_answers("EE", text, windows)] == [[(5, 8)], [(15, 18)]]


def test_an_event_without_trigger_is_sorted_by_its_first_argument():
    result = join_answers(
        "EE", TEXT, [answered(event("left"), event("", ("who", "Inga Holm")), event("", ("who", "Berg")))]
    )
    assert [(e["event_trigger"], len(e["arguments"])) for e in result] == [("", 1), ("left", 0), ("", 1)]


def test_labels_that_were_not_requested_are_dropped():
    assert keep_requested("NER", ["person"], [entity("Asta"), entity("art", "event")]) == [entity("Asta")]


@pytest.mark.parametrize(
    ("task", "schema", "expected"),
    [
        ("NER", ["person"], [("entity", "person")]),
        ("RE", ["met"], [("relation", "met")]),
        ("EET", ["meeting"], [("event", "meeting")]),
        ("EE", [{"event_type": "meeting", "trigger": True, "arguments": ["who"]}], [("event", "meeting")]),
        (
            "SPO",
            [{"subject_type": "person", "predicate": "lives in", "object_type": "place"}],
            [("entity", "person"), ("relation", "lives in"), ("entity", "place")],
        ),
        ("KG", [{"entity_type": "ship", "attributes": ["owner"]}], [("entity", "ship"), ("relation", "owner")]),
    ],
)
def test_the_labels_that_a_prompt_asks_for(task, schema, expected):
    assert list(requested(task, schema)) == expected
