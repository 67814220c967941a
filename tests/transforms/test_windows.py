from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.example import Argument, Entity, Event, Example, Mention, Relation, mentions, surface
from tests.strategies import CLEAN, examples, texts
from transforms.sentences import pieces, sentences
from transforms.windows import _runs, windows

#       0         10        20        30        40
TEXT = "Ann sang. Bob rang. Cid swam. Dot flew."
FIRST, SECOND, THIRD, FOURTH = "Ann sang.", "Bob rang.", "Cid swam.", "Dot flew."


def at(string: str) -> Mention:
    start = TEXT.index(string)
    return Mention(string, ((start, start + len(string)),))


def document(text=TEXT, tasks=("NER", "RE"), entities=None, relations=None, events=None, lang="en") -> Example:
    return Example("made/train/7", "Made", "train", lang, text, tasks, entities, relations, events)


def test_an_example_that_is_short_enough_is_itself():
    short = document()
    cut, lost = windows(short, len(TEXT))
    assert cut == [short] and cut[0] is short and not lost


def test_windows_are_few_then_leftmost():
    cut, lost = windows(document(entities=(Entity("person", at("Dot")),)), 29)
    assert [(window.id, window.text) for window in cut] == [
        ("made/train/7/0", FIRST),
        ("made/train/7/1", f"{SECOND} {THIRD} {FOURTH}"),
    ]
    assert cut[0].entities == () and cut[0].relations is None
    assert cut[1].entities == (Entity("person", Mention("Dot", ((20, 23),))),)
    assert not lost


def test_cuts_are_where_no_relation_crosses():
    cut, lost = windows(document(relations=(Relation("knows", at("Bob"), at("Ann")),)), 29)
    assert [window.text for window in cut] == [f"{FIRST} {SECOND}", f"{THIRD} {FOURTH}"]
    assert cut[0].relations == (Relation("knows", Mention("Bob", ((10, 13),)), Mention("Ann", ((0, 3),))),)
    assert cut[1].relations == () and not lost


def test_an_entity_weighs_more_than_relations_since_no_extra_window_brings_it_back():
    across = Mention("rang. Cid", ((14, 23),))
    knows = Relation("knows", at("Ann"), at("Bob"))
    cut, lost = windows(document(entities=(Entity("song", across),), relations=(knows, knows)), 19)
    assert [window.text for window in cut] == [FIRST, f"{SECOND} {THIRD}", FOURTH, f"{FIRST} {SECOND}"]
    assert cut[1].entities == (Entity("song", Mention("rang. Cid", ((4, 13),))),)
    assert cut[3].relations == (replace(knows, tail=at("Bob")),) * 2 and not lost


def test_crossing_relations_share_extra_windows_for_their_tasks_only():
    relations = (
        Relation("ab", at("Ann"), at("Bob")),
        Relation("bc", at("Bob"), at("Cid")),
        Relation("cd", at("Cid"), at("Dot")),
        Relation("ad", at("Ann"), at("Dot")),
    )
    entities = (Entity("person", at("Bob")), Entity("person", at("Cid")))
    cut, lost = windows(document(entities=entities, relations=relations, events=()), 19)
    # One cut has to be crossed twice or two once; either way `bc` needs a window of its own.
    assert [(window.text, window.tasks) for window in cut] == [
        (f"{FIRST} {SECOND}", ("NER", "RE")),
        (f"{THIRD} {FOURTH}", ("NER", "RE")),
        (f"{SECOND} {THIRD}", ("RE",)),
    ]
    assert [[relation.label for relation in window.relations] for window in cut] == [["ab"], ["cd"], ["bc"]]
    assert cut[2].entities is None and cut[2].events is None and cut[0].events == ()
    assert lost == Counter(crosses_window_relations=1)


def test_an_extra_window_holds_all_relations_that_lie_in_it():
    ac, ab, bc, cd = (Relation(a + c, at(a), at(c)) for a, c in (("Ann", "Cid"), ("sang", "Bob"), ("rang", "Cid"), ("swam", "Dot")))
    cut, _ = windows(document(relations=(ac, ab, bc, cd, cd, cd)), 29)
    assert [window.text for window in cut] == [FIRST, f"{SECOND} {THIRD} {FOURTH}", f"{FIRST} {SECOND} {THIRD}"]
    assert cut[2].relations == (ac, ab, bc)


def test_no_extra_window_where_no_task_needs_it():
    relations = (Relation("ab", at("Ann"), at("Bob")),)
    cut, lost = windows(document(tasks=("NER",), relations=relations), 12)
    assert [window.text for window in cut] == [FIRST, SECOND, THIRD, FOURTH]
    assert lost == Counter(crosses_window_relations=1)


def test_an_event_stays_with_its_trigger_and_leaves_what_is_elsewhere():
    near, far = Argument("who", at("Bob")), Argument("whom", at("Dot"))
    event = Event("ring", at("rang"), (near, Argument("with", at("Cid")), far))
    cut, lost = windows(document(tasks=("EE", "EEA", "EET"), events=(event,)), 19)
    trigger, bob = Mention("rang", ((4, 8),)), Argument("who", Mention("Bob", ((0, 3),)))
    assert [(window.text, window.events) for window in cut] == [
        (FIRST, ()),
        (f"{SECOND} {THIRD}", (Event("ring", trigger, (bob, Argument("with", Mention("Cid", ((10, 13),))))),)),
        (FOURTH, ()),
    ]
    assert lost == Counter(crosses_window_arguments=1)


def test_crossing_arguments_get_an_extra_window_for_the_tasks_that_ask_for_arguments():
    sing = Event("sing", at("sang"), (Argument("with", at("Bob")),))
    ring = Event("ring", at("rang"), (Argument("with", at("Cid")), Argument("at", at("Dot"))))
    cut, lost = windows(document(tasks=("EE", "EEA", "EET"), events=(sing, ring)), 19)
    extra = cut[-1]
    assert extra.tasks == ("EE", "EEA") and extra.entities is None and extra.relations is None
    held = [[(event.label, [a.role for a in event.arguments]) for event in window.events] for window in cut]
    assert [window.text for window in cut] == [FIRST, f"{SECOND} {THIRD}", FOURTH, f"{FIRST} {SECOND}"]
    assert held == [[("sing", [])], [("ring", ["with"])], [], [("sing", ["with"]), ("ring", [])]]
    assert lost == Counter(crosses_window_arguments=1)


def test_an_event_without_trigger_is_where_its_arguments_are():
    event = Event("meet", None, (Argument("a", at("Ann")), Argument("b", at("Dot")), Argument("kind", Mention("public"))))
    cut, lost = windows(document(tasks=("EE",), events=(event, Event("rest", None))), 12)
    held = [[(event.label, [a.role for a in event.arguments]) for event in window.events] for window in cut]
    assert held == [[("meet", ["a", "kind"]), ("rest", [])], [], [], [("meet", ["b", "kind"])]]
    assert not lost


def test_strings_are_in_every_window_in_which_they_occur():
    text = "Ann sang. Bob rang. Ann swam. Bob flew."
    ann, bob, cid = Mention("Ann"), Mention("Bob"), Mention("Cid")
    cut, lost = windows(
        document(
            text,
            entities=(Entity("person", ann), Entity("absent", cid)),
            relations=(Relation("knows", ann, bob), Relation("misses", bob, cid), Relation("is", cid, cid)),
            events=(Event("sing", Mention("swam"), (Argument("who", ann), Argument("how", cid), Argument("x", bob))),),
        ),
        12,
    )
    assert [[entity.label for entity in window.entities or ()] for window in cut] == [["person", "absent"], [], ["person"], [], []]
    # Only two sentences hold both Ann and Bob, so `knows` has no window of at most 12 characters.
    assert [[relation.label for relation in window.relations or ()] for window in cut][:4] == [["is"], ["misses"], [], ["misses"]]
    assert cut[2].events == (Event("sing", Mention("swam"), (Argument("who", ann), Argument("how", cid))),)
    assert lost == Counter(crosses_window_relations=1, crosses_window_arguments=1)
