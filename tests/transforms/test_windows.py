from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.example import Argument, Entity, Event, Example, Mention, Relation, mentions, surface
from schemas.label import UnknownLabel
from tests.strategies import CLEAN, assert_references_hold, examples, texts
from transforms.sentences import pieces, sentences
from transforms.windows import _runs, _shortest, windows

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


LONG = "the very long sentence without an end"


def test_a_sentence_that_is_too_long_is_cut_at_blanks_outside_mentions():
    assert list(pieces(LONG, (0, 37), 18, [])) == [(0, 13), (14, 30), (31, 37)]
    assert list(pieces(LONG, (0, 37), 13, [])) == [(0, 13), (14, 22), (23, 33), (34, 37)]
    # the blank at 13 is in "long sentence", so the cut moves left to the one before it
    assert list(pieces(LONG, (0, 37), 18, [(9, 22)])) == [(0, 8), (9, 22), (23, 37)]
    assert list(pieces("abcdefghij", (0, 10), 4, [])) == [(0, 4), (4, 8), (8, 10)]
    assert list(pieces("abcdefghij", (0, 10), 4, [(3, 6), (6, 8)])) == [(0, 3), (3, 6), (6, 10)]
    assert list(pieces("abcdefghij", (0, 10), 4, [(0, 10)])) == [(0, 4), (4, 8), (8, 10)]
    assert list(pieces("甲方，乙方，丙方签字", (0, 10), 8, [])) == [(0, 6), (6, 10)]
    assert list(pieces(LONG, (4, 13), 9, [])) == [(4, 13)]


def test_a_sentence_that_is_too_long_gives_several_windows():
    mention = Mention("long sentence", ((9, 22),))
    cut, lost = windows(document(LONG, entities=(Entity("form", mention),)), 18)
    assert [window.text for window in cut] == ["the very", "long sentence", "without an end"]
    assert cut[1].entities == (Entity("form", Mention("long sentence", ((0, 13),))),) and not lost


@pytest.mark.parametrize(
    ("lang", "parts"),
    [
        ("en", ["Dr. Wu saw it, i.e. the U.S. map (Fig. 2).", " ", "E. coli grew.", "\n\n", "Was it 2.5 mg?"]),
        ("en", ["A title", "\n\n", "Wrapped\nlines stay.", "\n", "So they do."]),
        ("zh", ["他说：“走吧。”", "她问为什么？", "\n", "2.5万元……未付；", "两人分居。"]),
        ("zh", []),
    ],
)
def test_sentence_boundaries(lang, parts):
    text = "".join(parts)
    spans = sentences(text, lang)
    if lang == "zh" and parts:
        parts = [*parts[:3], parts[3] + parts[4]]  # an ellipsis or a semicolon does not end a sentence
    assert [text[start:end] for start, end in spans] == [part for part in parts if part.strip()]


def test_multibyte_blanks_after_an_initial():
    """A multi-byte blank between an initial and a full stop makes sentencex 1.0.32 panic."""
    for blank in "\u3000\u00a0\u2003\u2028\x85":
        text = f"J{blank}. Wu came. He left."
        assert [text[start:end] for start, end in sentences(text, "en")] == [f"J{blank}. Wu came.", "He left."]


@given(texts(), st.sampled_from(["en", "zh"]))
def test_sentences_cover_the_whole_text(text, lang):
    spans = sentences(text, lang)
    assert "".join("".join(text[start:end] for start, end in spans).split()) == "".join(text.split())
    assert spans == sorted(spans) and all(text[start:end] == text[start:end].strip() for start, end in spans)


@st.composite
def units_and_items(draw):
    """Up to seven units of one to five characters, with or without blanks between, and stretches over them."""
    units, end = [], 0
    for length in draw(st.lists(st.integers(1, 5), min_size=1, max_size=7)):
        units.append((end, end + length))
        end += length + draw(st.integers(0, 1))
    number = st.integers(0, len(units) - 1)
    kind = st.sampled_from(["entities", "relations"])
    items = draw(st.lists(st.tuples(kind, number, number), max_size=6))
    spans = [(kind, (units[min(a, b)][0], units[max(a, b)][1])) for kind, a, b in items]
    return units, spans, draw(st.integers(5, 15))


@given(st.lists(st.integers(0, 30), min_size=1, unique=True), st.lists(st.integers(0, 30), min_size=1, unique=True))
def test_the_shortest_stretch_with_two_mentions(heads, tails):
    one, other = [(n, n + 2) for n in sorted(heads)], [(n, n + 5) for n in sorted(tails)]
    stretches = [(min(a, b), max(c, d)) for a, c in one for b, d in other]
    shortest = _shortest(tuple(one), tuple(other))
    assert shortest in stretches and shortest[1] - shortest[0] == min(end - start for start, end in stretches)
    assert _shortest(tuple(one), None) == one[0]


@given(units_and_items())
def test_runs_equal_an_exhaustive_search(case):
    units, items, max_chars = case
    best = None
    for size in range(len(units)):
        for cuts in combinations(range(1, len(units)), size):
            ends = [*cuts, len(units)]
            runs = [(units[a][0], units[b - 1][1]) for a, b in zip([0, *cuts], ends, strict=True)]
            if any(end - start > max_chars for start, end in runs):
                continue
            cut = [kind for kind, (s, e) in items if not any(start <= s and e <= end for start, end in runs)]
            rank = (cut.count("entities"), cut.count("relations"), len(runs), cuts)
            best = min(best, (rank, runs)) if best else (rank, runs)
    assert _runs(units, items, max_chars) == best[1]


def traced(example: Example) -> Example:
    """The example with a unique label or role for every annotation, so that each can be identified in the windows."""

    def numbered(layer):
        return layer and tuple(replace(item, label=f"{n}") for n, item in enumerate(layer))

    events = example.events and tuple(
        replace(event, arguments=tuple(replace(argument, role=f"{n}") for n, argument in enumerate(event.arguments)))
        for event in example.events
    )
    layers = {"entities": numbered(example.entities), "relations": numbered(example.relations)}
    return replace(example, **layers, events=numbered(events))


def visible(parts: list[Example]) -> str:
    return "".join("".join(part.text.split()) for part in parts)


@given(examples(text=texts(CLEAN * 2 + ("\u00a0", "e\u0301", "\u3000")), max_size=3).map(traced), st.integers(5, 25))
def test_windows_keep_or_count_everything(example, max_chars):
    cut, lost = windows(example, max_chars)
    if len(example.text) <= max_chars:
        assert cut == [example]
        return
    assert [window.id for window in cut] == [f"{example.id}/{n}" for n in range(len(cut))]
    assert all(0 < len(window.text) <= max_chars and window.text == window.text.strip() for window in cut)
    assert all(surface(window.text, m.spans) == m.text for window in cut for m in mentions(window) if m.spans)

    base = cut[: next(n for n in range(1, len(cut) + 1) if visible(cut[:n]) == visible([example]))]
    for window in base:
        assert window.tasks == example.tasks
        for layer in ("entities", "relations", "events"):
            assert (getattr(window, layer) is None) == (getattr(example, layer) is None)
    for window in cut[len(base) :]:
        assert window.tasks and set(window.tasks) <= set(example.tasks) and window.entities is None
        assert visible([window]) in visible([example])

    for window in cut:
        assert_references_hold(window)
        assert set(example.unknown_labels) <= set(window.unknown_labels)
    unknown = {label for window in cut for label in window.unknown_labels} - set(example.unknown_labels)
    assert lost or not unknown

    kept = Counter(entity.label for window in cut for entity in window.entities or ())
    spanned = {entity.label for entity in example.entities or () if entity.mention.spans}
    assert all(count == 1 for label, count in kept.items() if label in spanned)
    cut_through = {entity.label for entity in example.entities or ()} - kept.keys()
    assert {label.label for label in unknown if label.layer == "entities"} == cut_through
    relations = {relation.label for window in cut for relation in window.relations or ()}
    events = {event.label for window in cut for event in window.events or ()}
    arguments = {(e.label, a.role) for window in cut for e in window.events or () for a in e.arguments}
    everything = {
        "entities": len(example.entities or ()) - len(kept),
        "relations": len(example.relations or ()) - len(relations),
        "events": len(example.events or ()) - len(events),
        "arguments": sum(len(event.arguments) for event in example.events or ()) - len(arguments),
    }
    assert lost == Counter({f"{kind}": count for kind, count in everything.items() if count})


def test_a_window_before_a_cut_mention_knows_its_label():
    whole = Mention("Ann of the long long house", ((8, 34),))
    cut, _ = windows(document("Al ran. Ann of the long long house sang.", entities=(Entity("person", whole),)), 15)
    unknown = [bool(window.unknown_labels) for window in cut]
    assert cut[0].text == "Al ran." and unknown == [False] + [True] * (len(cut) - 2) + [False]
