import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.example import Argument, Entity, Event, Example, Mention, Relation, mentions, surface
from tests.strategies import CLEAN, examples, texts
from transforms.clean import _composes_backward, low_quality, repair, repair_text, span_before


def example(text: str, *entity_mentions: Mention, **layers) -> Example:
    entities = tuple(Entity("drug", mention) for mention in entity_mentions)
    made = Example("made/train/0", "Made", "train", "en", text, ("NER",), entities, None, None)
    return replace(made, **layers)


def test_repair_of_each_kind_of_character():
    cases = {
        "a\u00a0b\tc\u202fd\u2003e\u205ff\x0bg\x1fh": "a b c d e f g h",
        "one\r\ntwo\rthree\x85four\u2028five\u2029six\n\nseven": "one\ntwo\nthree\nfour\nfive\nsix\n\nseven",
        "so\u00adft\u200b h\u2060y\ufeffp\u200ehen\x00\x92": "soft hyphen",
        "两个　空格": "两个　空格",  # the ideographic space is ordinary
        "\u3000\u3000开头\n": "开头",
        "family 👩\u200d👩\u200d👧, \u0645\u06cc\u200c\u062e": "family 👩\u200d👩\u200d👧, \u0645\u06cc\u200c\u062e",
        "no  collapse ,  no detokenising .": "no  collapse ,  no detokenising .",
        "cafe\u0301 \u212b \uf900": "café \u00c5 \u8c48",
        "\u1112\u1161\u11ab\u1100\u1173\u11af": "\ud55c\uae00",
    }
    for raw, expected in cases.items():
        assert repair(example(raw)).text == expected, raw


def test_offsets_follow_the_text():
    raw = "\ufeff Cafe\u0301\u00a0au lait\u200b, caf\u00e9 noir \r\n"
    marked = (
        Mention("Cafe\u0301\u00a0au", ((2, 10),)),
        Mention("lait\u200b", ((11, 16),)),
        Mention("Cafe\u0301 noir", ((2, 7), (23, 27))),
    )
    repaired = repair(example(raw, *marked))
    assert repaired.text == "Café au lait, café noir"
    assert [entity.mention for entity in repaired.entities] == [
        Mention("Café au", ((0, 7),)),
        Mention("lait", ((8, 12),)),
        Mention("Café noir", ((0, 4), (19, 23))),
    ]


def test_a_span_grows_to_the_whole_composed_character():
    letter, mark = Mention("e", ((1, 2),)), Mention("\u0301", ((2, 3),))
    repaired = repair(example("re\u0301el", letter, mark))
    assert [entity.mention for entity in repaired.entities] == [Mention("é", ((1, 2),))] * 2
    accented = repair(example("re\u0301\u0302el", Mention("e\u0301", ((1, 3),))))
    assert accented.entities[0].mention == Mention("é", ((1, 2),))


def test_mentions_in_all_layers_are_repaired():
    def at(start, end):
        return Mention("\tAlice met Bob"[start:end], ((start, end),))

    raw = example(
        "\tAlice met Bob",
        relations=(Relation("knows", at(1, 6), at(11, 14), "person", None),),
        events=(Event("meet", at(7, 10), (Argument("who", at(1, 6)),)), Event("meet", None, ())),
    )
    repaired = repair(raw)
    alice, met, bob = Mention("Alice", ((0, 5),)), Mention("met", ((6, 9),)), Mention("Bob", ((10, 13),))
    assert repaired.relations == (Relation("knows", alice, bob, "person"),)
    assert repaired.events == (
        Event("meet", met, (Argument("who", alice),)),
        Event("meet", None, ()),
    )
    assert repaired.entities == ()
    assert repair(replace(raw, events=None)).events is None


def test_a_mention_without_spans_is_repaired_as_a_string():
    mention = Mention("Cafe\u0301\u00a0noir ")
    assert repair(example("clean text", mention)).entities[0].mention == Mention("Café noir")


def test_invisible_spans_are_removed_and_empty_mentions_reported():
    pieces = Mention("\u200b ab", ((0, 1), (1, 3)))
    assert repair(example("\u200bab", pieces)).entities[0].mention == Mention("ab", ((0, 2),))
    nothing = repair(example("ab\u200b cd", Mention("\u200b", ((2, 3),))))
    assert nothing.entities[0].mention == Mention("", ())
    assert low_quality(nothing) == "a mention is empty after repair"
    assert low_quality(repair(example("\u200b\ufeff"))) == "the text is empty after repair"


def test_a_clean_example_is_returned_unchanged():
    fine = example("Zoë 看 𝒜.\nNext", Mention("Zoë", ((0, 3),)), Mention("看 𝒜"))
    assert repair(fine) is fine


def naive(text: str) -> str:
    """The repaired text before its ends are stripped, character by character."""
    kept = []
    for character in text.replace("\r\n", "\n"):
        if character in "\r\x85\u2028\u2029":
            kept.append("\n")
        elif character.isspace():
            kept.append(character if character in "\n\u3000" else " ")
        elif unicodedata.category(character) != "Cc" and character not in "\u200b\ufeff\u2060\u00ad\u200e":
            kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))


def identity(example) -> tuple[list, list, list]:
    """Ids and concepts of the entities, and the references of relations and arguments."""
    entities = [(entity.id, entity.concepts) for entity in example.entities or ()]
    relations = [(relation.head_entity, relation.tail_entity) for relation in example.relations or ()]
    return entities, relations, [argument.entity for event in example.events or () for argument in event.arguments]


@given(examples())
def test_repair_keeps_offsets_valid_and_is_idempotent(raw):
    repaired = repair(raw)
    assert repaired.text == naive(raw.text).strip()
    assert all(surface(repaired.text, m.spans) == m.text for m in mentions(repaired) if m.spans)
    assert all(start < end for m in mentions(repaired) for start, end in m.spans)
    assert all(m.text == naive(m.text) for m in mentions(repaired))
    assert repair(repaired) is repaired
    assert len(list(mentions(repaired))) == len(list(mentions(raw)))
    assert (repaired.unknown_labels, *identity(repaired)) == (raw.unknown_labels, *identity(raw))
    assert [len(layer or ()) for layer in (repaired.entities, repaired.relations, repaired.events)] == [
        len(layer or ()) for layer in (raw.entities, raw.relations, raw.events)
    ]


@given(texts(), texts(), texts())
def test_a_span_marks_the_same_text_after_repair(before, marked, after):
    raw = before + marked + after
    if naive(raw) != naive(before) + naive(marked) + naive(after):
        return  # characters compose, or CR LF is split, across a border
    if any(_composes_backward(naive(part + "a")[0]) for part in (marked, after)):
        return  # a border separates a character from its combining marks
    mention = Mention(marked, ((len(before), len(before) + len(marked)),))
    repaired = repair(example(raw, mention)).entities[0].mention
    cut = len(naive(raw)) - len(naive(raw).lstrip())
    start, end = len(naive(before)) - cut, len(naive(before) + naive(marked)) - cut
    length = len(naive(raw).strip())
    expected = (max(start, 0), min(end, length))
    assert repaired.spans == ((expected,) if expected[0] < expected[1] else ())


@given(texts(CLEAN).map(str.strip))
def test_a_clean_text_is_unchanged(text):
    fine = example(text)
    assert repair(fine) is fine


def test_backward_composing_marks_match_this_unicode_version():
    """`repair` splits a text before each character that does not compose with the one before it, so it must know all
    characters that do.
    """
    for code in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            second = chr(int(parts[1], 16))
            if unicodedata.normalize("NFC", chr(int(parts[0], 16)) + second) == chr(code):
                assert _composes_backward(second), hex(code)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a1234", None),  # exactly 80 % is not over 80 %
        ("a 12 34", None),
        ("a 12 34 5", "5 of 6 characters are not letters"),
        ("+ 1 2 3 . 4 5 %", "8 of 8 characters are not letters"),
        ("的 12 : 34 , 5", "7 of 8 characters are not letters"),
        ("किं 1234567", None),  # a letter and two marks: 7 of 10
        ("ab .", "4 characters and no annotation"),
        ("ab cd", None),
        ("北京大学", "4 characters and no annotation"),
    ],
)
def test_low_quality(text, reason):
    assert low_quality(example(text)) == reason


def test_short_texts_are_kept_if_annotated_or_unknown():
    assert low_quality(example("Yes", Mention("Yes", ((0, 3),)))) is None
    assert low_quality(example("Yes", entities=None)) is None
    assert low_quality(example("Yes", entities=None, events=())) == "3 characters and no annotation"
    assert low_quality(example("Yes", events=(Event("say", None, ()),))) is None


@given(st.text(min_size=5))
def test_low_quality_counts_letters_like_unicodedata(text):
    visible = [character for character in text if not character.isspace()]
    letters = [character for character in visible if unicodedata.category(character)[0] in "LM"]
    poor = 10 * (len(visible) - len(letters)) > 8 * len(visible)
    assert (low_quality(example(text, entities=None)) is not None) == poor


@given(texts(), st.data())
def test_repaired_spans_are_located_in_the_original_text(text, data):
    repaired, steps = repair_text(text)
    start, end = data.draw(st.tuples(st.integers(0, len(repaired)), st.integers(0, len(repaired))).map(sorted))
    if start == end:
        return
    first, last = span_before((start, end), steps)
    assert 0 <= first < last <= len(text)
    # Repaired alone, the part is the same, or longer if the span cuts a composed character. Its ends are stripped.
    alone = repair_text(text[first:last])[0]
    assert repaired[start:end].strip() in alone
    carried = repair(Example("k/train/0", "K", "train", "en", text, (), (entity(text, first, last),), None, None))
    (span,) = carried.entities[0].mention.spans
    assert span[0] <= start and end <= span[1]
    if span == (start, end) and repaired[start:end].strip() == repaired[start:end]:
        assert alone == repaired[start:end]


def entity(text: str, start: int, end: int) -> Entity:
    return Entity("x", Mention(text[start:end], ((start, end),)))


@pytest.mark.parametrize(
    ("text", "mention", "before"),
    [
        ("\u200b Asta\u00a0 met", "Asta", "Asta"),
        ("a\r\nb", "a\nb", "a\r\nb"),
        ("a\u200b\u200bb\u200b", "b", "b"),
        ("a\u200bb", "ab", "a\u200bb"),
        ("e\u200b\u0301t", "é", "e\u200b\u0301"),
        ("\u0958\u200b!", "\u0915", "\u0958"),  # NFC writes it as two characters
    ],
)
def test_spans_before_repair(text, mention, before):
    repaired, steps = repair_text(text)
    start = repaired.index(mention)
    first, last = span_before((start, start + len(mention)), steps)
    assert text[first:last] == before
