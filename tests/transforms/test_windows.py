"""Windows of one short document: where the text is cut, and what happens to its annotations."""

from collections import Counter

from msgspec.structs import replace

from schemas.example import Argument, Entity, Event, Example, Mention, Relation
from schemas.label import UnknownLabel
from transforms.windows import windows

#       0         10        20        30        40
TEXT = "Ann sang. Bob rang. Cid swam. Dot flew."
FIRST, SECOND, THIRD, FOURTH = "Ann sang.", "Bob rang.", "Cid swam.", "Dot flew."


def at(string: str) -> Mention:
    start = TEXT.index(string)
    return Mention(string, ((start, start + len(string)),))


def document(text=TEXT, tasks=("NER", "RE"), entities=None, relations=None, events=None, lang="en") -> Example:
    return Example("made/train/7", "Made", "train", lang, text, tasks, entities, relations, events)


def test_a_short_example_is_returned_unchanged():
    short = document()
    cut, lost = windows(short, len(TEXT))
    assert cut == [short] and cut[0] is short and not lost


def test_windows_are_as_few_as_possible_then_leftmost():
    cut, lost = windows(document(entities=(Entity("person", at("Dot")),)), 29)
    assert [(window.id, window.text) for window in cut] == [
        ("made/train/7/0", FIRST),
        ("made/train/7/1", f"{SECOND} {THIRD} {FOURTH}"),
    ]
    assert cut[0].entities == () and cut[0].relations is None
    assert cut[1].entities == (Entity("person", Mention("Dot", ((20, 23),))),)
    assert not lost


def test_cuts_avoid_crossing_relations():
    cut, lost = windows(document(relations=(Relation("knows", at("Bob"), at("Ann")),)), 29)
    assert [window.text for window in cut] == [f"{FIRST} {SECOND}", f"{THIRD} {FOURTH}"]
    assert cut[0].relations == (Relation("knows", Mention("Bob", ((10, 13),)), Mention("Ann", ((0, 3),))),)
    assert cut[1].relations == () and not lost


def test_keeping_an_entity_outweighs_keeping_relations():
    across = Mention("rang. Cid", ((14, 23),))
    knows = Relation("knows", at("Ann"), at("Bob"))
    cut, lost = windows(document(entities=(Entity("song", across),), relations=(knows, knows)), 19)
    assert [window.text for window in cut] == [FIRST, f"{SECOND} {THIRD}", FOURTH, f"{FIRST} {SECOND}"]
    assert cut[1].entities == (Entity("song", Mention("rang. Cid", ((4, 13),))),)
    assert cut[3].relations == (replace(knows, tail=at("Bob")),) * 2 and not lost


def test_crossing_relations_share_extra_windows_for_their_tasks():
    relations = (
        Relation("ab", at("Ann"), at("Bob")),
        Relation("bc", at("Bob"), at("Cid")),
        Relation("cd", at("Cid"), at("Dot")),
        Relation("ad", at("Ann"), at("Dot")),
    )
    entities = (Entity("person", at("Bob")), Entity("person", at("Cid")))
    cut, lost = windows(document(entities=entities, relations=relations, events=()), 19)
    # A cut elsewhere would lose `ab` or `cd` as well, so `bc` needs an extra window; `ad` is too long.
    assert [(window.text, window.tasks) for window in cut] == [
        (f"{FIRST} {SECOND}", ("NER", "RE")),
        (f"{THIRD} {FOURTH}", ("NER", "RE")),
        (f"{SECOND} {THIRD}", ("RE",)),
    ]
    assert [[relation.label for relation in window.relations] for window in cut] == [["ab"], ["cd"], ["bc"]]
    assert cut[2].entities is None and cut[2].events is None and cut[0].events == ()
    assert lost == Counter(relations=1)


def test_an_extra_window_has_all_relations_within_it():
    ac, ab = Relation("ac", at("Ann"), at("Cid")), Relation("ab", at("sang"), at("Bob"))
    bc, cd = Relation("bc", at("rang"), at("Cid")), Relation("cd", at("swam"), at("Dot"))
    cut, _ = windows(document(relations=(ac, ab, bc, cd, cd, cd)), 29)
    assert [window.text for window in cut] == [FIRST, f"{SECOND} {THIRD} {FOURTH}", f"{FIRST} {SECOND} {THIRD}"]
    assert cut[2].relations == (ac, ab, bc)


def test_an_entity_only_within_an_extra_window_is_lost():
    one, two = Entity("one", at("sang. Bob")), Entity("two", at("rang. Cid"))
    entities = (one, one, two)
    cut, lost = windows(document(entities=entities, relations=(Relation("bc", at("Bob"), at("Cid")),)), 19)
    assert [window.text for window in cut] == [f"{FIRST} {SECOND}", f"{THIRD} {FOURTH}", f"{SECOND} {THIRD}"]
    assert [window.entities for window in cut] == [(one, one), (), None]
    assert lost == Counter(entities=1)


def test_no_extra_window_if_no_task_needs_it():
    relations = (Relation("ab", at("Ann"), at("Bob")),)
    cut, lost = windows(document(tasks=("NER",), relations=relations), 12)
    assert [window.text for window in cut] == [FIRST, SECOND, THIRD, FOURTH]
    assert lost == Counter(relations=1)


def test_an_event_stays_with_its_trigger_and_loses_far_arguments():
    near, far = Argument("who", at("Bob")), Argument("whom", at("Dot"))
    event = Event("ring", at("rang"), (near, Argument("with", at("Cid")), far))
    cut, lost = windows(document(tasks=("EE", "EEA", "EET"), events=(event,)), 19)
    trigger, bob = Mention("rang", ((4, 8),)), Argument("who", Mention("Bob", ((0, 3),)))
    assert [(window.text, window.events) for window in cut] == [
        (FIRST, ()),
        (f"{SECOND} {THIRD}", (Event("ring", trigger, (bob, Argument("with", Mention("Cid", ((10, 13),))))),)),
        (FOURTH, ()),
    ]
    assert lost == Counter(arguments=1)


def test_crossing_arguments_get_an_extra_window_for_their_tasks():
    sing = Event("sing", at("sang"), (Argument("with", at("Bob")),))
    ring = Event("ring", at("rang"), (Argument("with", at("Cid")), Argument("at", at("Dot"))))
    cut, lost = windows(document(tasks=("EE", "EEA", "EET"), events=(sing, ring)), 19)
    extra = cut[-1]
    assert extra.tasks == ("EE", "EEA") and extra.entities is None and extra.relations is None
    kept = [[(event.label, [a.role for a in event.arguments]) for event in window.events] for window in cut]
    assert [window.text for window in cut] == [f"{FIRST} {SECOND}", f"{THIRD} {FOURTH}", f"{SECOND} {THIRD}"]
    assert kept == [[("sing", ["with"]), ("ring", [])], [], [("ring", ["with"])]]
    assert lost == Counter(arguments=1)


def test_an_event_without_trigger_follows_its_arguments():
    kind = Argument("kind", Mention("public"))
    event = Event("meet", None, (Argument("a", at("Ann")), Argument("b", at("Dot")), kind))
    cut, lost = windows(document(tasks=("EE",), events=(event, Event("rest", None))), 12)
    kept = [[(event.label, [a.role for a in event.arguments]) for event in window.events] for window in cut]
    assert kept == [[("meet", ["a", "kind"]), ("rest", [])], [], [], [("meet", ["b", "kind"])]]
    assert not lost


def test_string_mentions_are_in_every_window_where_they_occur():
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
    assert [[item.label for item in window.entities] for window in cut] == [["person", "absent"], [], ["person"], []]
    # Ann and Bob occur together only across two sentences, so no window of at most 12 characters has `knows`.
    assert [[item.label for item in window.relations] for window in cut] == [["is"], ["misses"], [], ["misses"]]
    assert cut[2].events == (Event("sing", Mention("swam"), (Argument("who", ann), Argument("how", cid))),)
    assert lost == Counter(relations=1, arguments=1)


def test_events_with_one_trigger_string_are_not_repeated():
    text = "Ann sold. Bob sold. Cid sold. Dot flew."
    events = [Event("sale", Mention("sold"), (Argument("who", Mention(who)),)) for who in ("Ann", "Bob")]
    empty = Event("sale", Mention("sold"), (Argument("who", Mention("Dot")),))
    cut, lost = windows(document(text, tasks=("EET",), events=(*events, events[0], empty)), 12)
    nothing = Event("sale", Mention("sold"), ())
    # `empty` is in every window with its trigger, without its argument: no window has both.
    assert [window.events for window in cut] == [
        (events[0], events[0], nothing),
        (events[1], nothing),
        (nothing,),
        (),
    ]
    assert lost == Counter(arguments=1)


def test_a_relation_between_strings_uses_their_nearest_pair():
    text = "Ann sang. Cid swam. Ann rang. Bob flew. Ann slept."
    knows = Relation("knows", Mention("Bob"), Mention("Ann"))
    follows = Relation("follows", Mention("sang"), Mention("swam"))
    cut, lost = windows(document(text, relations=(knows, *[replace(follows, label=f"{n}") for n in range(3)])), 20)
    assert [window.text for window in cut] == ["Ann sang. Cid swam.", "Ann rang. Bob flew.", "Ann slept."]
    assert [len(window.relations) for window in cut] == [3, 1, 0] and not lost


def test_an_event_with_a_cut_trigger_gets_an_extra_window():
    kind = Argument("kind", Mention("in public"))
    event = Event("sing", at("sang. Bob"), (Argument("who", at("Ann")), kind, Argument("what", at("Dot"))))
    across = Entity("song", at("rang. Cid"))
    cut, lost = windows(document(tasks=("NER", "EET", "EE"), entities=(across,), events=(event,)), 19)
    assert [window.text for window in cut] == [FIRST, f"{SECOND} {THIRD}", FOURTH, f"{FIRST} {SECOND}"]
    assert [len(window.events) for window in cut] == [0, 0, 0, 1]
    assert cut[3].events == (replace(event, arguments=event.arguments[:2]),) and cut[3].tasks == ("EET", "EE")
    assert lost == Counter(arguments=1)
    cut, lost = windows(document(tasks=("NER",), entities=(across,), events=(event,)), 19)
    assert lost == Counter(events=1, arguments=3)


def test_a_label_is_unknown_in_windows_that_cut_its_annotation():
    #      0         10        20        30
    text = "Ann of the long long house sang. Bob rang."
    whole = Mention("Ann of the long long house", ((0, 26),))
    bob = Mention("Bob", ((33, 36),))
    example = document(
        text,
        ("NER", "RE", "EE"),
        entities=(Entity("person", whole), Entity("name", bob)),
        relations=(Relation("knows", whole, bob), Relation("hears", bob, bob)),
        events=(Event("sing", Mention("sang", ((27, 31),)), (Argument("who", whole),)), Event("long", whole)),
    )
    before = UnknownLabel("relations", "sees")
    cut, _ = windows(replace(example, unknown_labels=(before,)), 15)
    assert [window.text for window in cut] == ["Ann of the long", "long house", "sang. Bob rang."]
    cut_labels = [("entities", "person"), ("relations", "knows"), ("events", "sing"), ("events", "long")]
    unknown = (before, *(UnknownLabel(*name) for name in cut_labels))
    assert [window.unknown_labels for window in cut] == [unknown, unknown, (before,)]
    assert [window.events for window in cut] == [(), (), (Event("sing", Mention("sang", ((0, 4),))),)]


def test_relations_in_an_extra_window_have_no_entity_references():
    people = tuple(Entity("person", at(name), f"T{n}") for n, name in enumerate(["Ann", "Bob", "Cid", "Dot"], 1))
    chain = [Relation("before", at(a), at(b), None, None, f"T{n}", f"T{n + 1}")
              for n, (a, b) in enumerate([("Ann", "Bob"), ("Bob", "Cid"), ("Cid", "Dot")], 1)]  # fmt: skip
    cut, lost = windows(document(entities=people, relations=tuple(chain)), 19)
    base = [window for window in cut if window.entities is not None]
    extra = [window for window in cut if window.entities is None]
    assert not lost
    assert [(r.head_entity, r.tail_entity) for window in base for r in window.relations] == [("T1", "T2"), ("T3", "T4")]
    assert [(r.head_entity, r.tail_entity) for window in extra for r in window.relations] == [(None, None)]


def test_unannotated_layers_remain_unannotated():
    cut, lost = windows(document(entities=None), 12)
    assert [(window.entities, window.relations, window.events) for window in cut] == [(None, None, None)] * 4
    assert not lost


def test_a_discontinuous_mention_is_complete_or_lost():
    near, far = Mention("Ann Bob", ((0, 3), (10, 13))), Mention("Ann Dot", ((0, 3), (30, 33)))
    cut, lost = windows(document(entities=(Entity("near", near), Entity("far", far))), 29)
    assert [window.text for window in cut] == [f"{FIRST} {SECOND}", f"{THIRD} {FOURTH}"]
    assert cut[0].entities == (Entity("near", near),) and cut[1].entities == ()
    assert lost == Counter(entities=1)


def test_blanks_at_window_edges_are_stripped_from_mentions():
    rang = Mention("rang. ", ((14, 20),))
    cut, lost = windows(document(entities=(Entity("sound", rang),)), 12)
    assert cut[1].entities == (Entity("sound", Mention("rang.", ((4, 9),))),) and not lost


def test_a_window_before_a_cut_mention_knows_its_label():
    whole = Mention("Ann of the long long house", ((8, 34),))
    cut, _ = windows(document("Al ran. Ann of the long long house sang.", entities=(Entity("person", whole),)), 15)
    unknown = [bool(window.unknown_labels) for window in cut]
    assert cut[0].text == "Al ran." and unknown == [False] + [True] * (len(cut) - 2) + [False]


def test_a_sentence_that_is_too_long_gives_several_windows():
    mention = Mention("long sentence", ((9, 22),))
    text = "the very long sentence without an end"
    cut, lost = windows(document(text, entities=(Entity("form", mention),)), 18)
    assert [window.text for window in cut] == ["the very", "long sentence", "without an end"]
    assert cut[1].entities == (Entity("form", Mention("long sentence", ((0, 13),))),) and not lost
