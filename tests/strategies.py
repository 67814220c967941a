"""Hypothesis strategies: random texts in several scripts and Examples whose mentions are valid for them.

A strategy that depends on a drawn text would be created again for every text, which takes longer than the draws from
it. So mentions and layers are drawn as functions of a text.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import TypeVar

from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.example import SPLITS, TASKS, Argument, Entity, Event, Example, Mention, RawExample, Relation, surface
from schemas.label import UnknownLabel

CLEAN = (
    *("a", "Bo", "rat ", "cell-line", " ", ". ", "? ", ", ", "7", "% ", "\n"),
    *("药", "北京", "。", "，", "！", "é", "𝒜", "😀"),
)
"""Fragments that repair does not change: Latin, CJK, astral, blanks and sentence ends."""

DIRTY = (
    *("\t", "\r\n", "\r", "\x00", "\x0c", "\x85", "\x92", "\u00a0", "\u2009", "\u202f", "\u2028", "\u3000"),
    *("\u200b", "\ufeff", "\u2060", "\u00ad", "\u200e"),
    *("e\u0301", "\u0301", "o\u0323\u0302", "\u212b", "\u1112\u1161\u11ab", "\u11ab", "\u09c7\u09be", "\uf900"),
)
"""Fragments that repair changes (except the ideographic space): controls, blanks, zero width, not NFC."""


T = TypeVar("T")
InText = Callable[[str], T]
"""A function of a text with at least one character that is not blank."""


def texts(fragments: tuple[str, ...] = CLEAN + DIRTY, max_fragments: int = 30) -> st.SearchStrategy[str]:
    """Texts with at least one character that is not blank."""
    return st.lists(st.sampled_from(fragments), min_size=1, max_size=max_fragments).map("".join).filter(str.strip)


def spanned_mention(numbers: list[int]) -> InText[Mention]:
    """A mention of one to three pieces in order, none of them blank."""

    def in_text(text: str) -> Mention:
        free = list(range(len(text) + 1))
        bounds = sorted(free.pop(number % len(free)) for number in numbers[: len(free)])
        pieces = [span for span in zip(bounds[::2], bounds[1::2], strict=False) if text[slice(*span)].strip()]
        if not pieces:
            filled = [at for at, character in enumerate(text) if not character.isspace()]
            start = filled[numbers[0] % len(filled)]
            pieces = [(start, start + 1)]
        return Mention(surface(text, tuple(pieces)), tuple(pieces))

    return in_text


def mention_of_text(mention: InText[Mention]) -> InText[Mention]:
    """A mention without spans, of a string that occurs in the text."""

    def in_text(text: str) -> Mention:
        start, end = mention(text).spans[0]
        return Mention(text[start:end])

    return in_text


def mention_of_string(string: str) -> InText[Mention]:
    """A mention without spans, of a string that need not occur in the text."""
    return lambda text: Mention(string)


NUMBERS = st.integers(0, 255)
SPANNED_MENTIONS = st.lists(NUMBERS, min_size=2, max_size=6).map(spanned_mention)
STRING_MENTIONS = st.one_of(SPANNED_MENTIONS.map(mention_of_text), texts(max_fragments=3).map(mention_of_string))
MENTIONS = st.integers(0, 2).flatmap([STRING_MENTIONS, SPANNED_MENTIONS, SPANNED_MENTIONS].__getitem__)

LABELS = st.sampled_from(["drug", "disease", "地点"])
ROLES = st.sampled_from(["agent", "time", "对象"])


CONCEPTS = st.lists(st.sampled_from(["Q42", "MESH:D003920", "id1"]), unique=True, max_size=2).map(tuple)
"""A concept may be the same string as an entity's id."""

SCORES = st.none() | st.floats(0, 1)

UNKNOWN_LABELS = st.lists(
    st.builds(UnknownLabel, st.sampled_from(["entities", "relations", "events"]), LABELS), unique=True, max_size=2
).map(tuple)


@cache
def layers(mention: st.SearchStrategy[InText[Mention]], max_size: int) -> st.SearchStrategy[InText[dict]]:
    """Random entities, relations and events; each layer may be None. Every entity that a relation or an argument
    refers to exists.
    """
    label, reference = st.none() | LABELS, st.none() | NUMBERS
    items = {
        "entities": st.tuples(LABELS, mention, st.just(()) | CONCEPTS),
        "relations": st.tuples(LABELS, mention, mention, label, label, reference, reference, SCORES),
        "events": st.tuples(LABELS, st.none() | mention, st.lists(st.tuples(ROLES, mention, reference), max_size=3)),
    }
    drawn = {name: st.none() | st.lists(item, max_size=max_size) for name, item in items.items()}
    ids = st.none() | st.permutations([None, *(f"id{n}" for n in range(max_size))])
    return st.builds(partial, st.just(layers_in_text), st.fixed_dictionaries(drawn), ids)


def layers_in_text(drawn: dict[str, list[tuple] | None], ids: list[str | None] | None, text: str) -> dict:
    """The drawn layers over `text`. `ids`: those of the entities, None if no entity has one."""

    def layer(name: str, make: Callable) -> tuple | None:
        items = drawn[name]
        return None if items is None else tuple(make(*item) for item in items)

    def entity(label, mention, concepts) -> Entity:
        return Entity(label, mention(text), concepts=concepts)

    def reference(number: int | None) -> str | None:
        return None if number is None or not names else names[number % len(names)]

    def relation(label, head, tail, head_label, tail_label, head_entity, tail_entity, score) -> Relation:
        ends = reference(head_entity), reference(tail_entity)
        return Relation(label, head(text), tail(text), head_label, tail_label, *ends, score)

    def event(label, trigger, arguments) -> Event:
        made = tuple(Argument(role, mention(text), reference(number)) for role, mention, number in arguments)
        return Event(label, trigger and trigger(text), made)

    entities = layer("entities", entity)
    if entities and ids:
        entities = tuple(replace(entity, id=ids[n]) for n, entity in enumerate(entities))
    names = sorted(entity_names(entities))
    return {"entities": entities, "relations": layer("relations", relation), "events": layer("events", event)}


def entity_names(entities) -> set[str]:
    """The ids and concepts by which relations and arguments refer to `entities` (a layer, None where unknown)."""
    return {name for entity in entities or () for name in (entity.id, *entity.concepts) if name is not None}


def assert_references_hold(example: Example | RawExample) -> None:
    """Ids are unique, and every reference of a relation or an argument names an entity of the example."""
    ids = [entity.id for entity in example.entities or () if entity.id is not None]
    assert len(ids) == len(set(ids))
    references = [end for r in example.relations or () for end in (r.head_entity, r.tail_entity)]
    references += [argument.entity for event in example.events or () for argument in event.arguments]
    assert set(references) - {None} <= entity_names(example.entities)


TEXTS = texts()
SPLIT_NAMES = st.sampled_from(SPLITS)
LANGS = st.sampled_from(["en", "zh"])
TASK_LISTS = st.lists(st.sampled_from(TASKS), unique=True).map(sorted).map(tuple)


@st.composite
def examples(
    draw, text: st.SearchStrategy[str] = TEXTS, mention: st.SearchStrategy = MENTIONS, max_size: int = 4
) -> Example:
    """Examples of every split and task."""
    string, split = draw(text), draw(SPLIT_NAMES)
    return Example(
        id=f"made/{split}/{draw(NUMBERS)}",
        source="Made",
        split=split,
        lang=draw(LANGS),
        text=string,
        tasks=draw(TASK_LISTS),
        unknown_labels=draw(UNKNOWN_LABELS),
        **draw(layers(mention, max_size))(string),
    )


@st.composite
def raw_examples(
    draw, text: st.SearchStrategy[str] = TEXTS, mention: st.SearchStrategy = MENTIONS, max_size: int = 4
) -> RawExample:
    """Examples as a reader yields them, with valid offsets."""
    string, place = draw(text), f"made.txt:{1 + draw(NUMBERS)}"
    return RawExample(place, string, unknown_labels=draw(UNKNOWN_LABELS), **draw(layers(mention, max_size))(string))
