"""Hypothesis strategies: random texts in several scripts and Examples whose mentions are valid for them."""

from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.example import SPLITS, TASKS, Argument, Entity, Event, Example, Mention, RawExample, Relation, surface
from schemas.label import UnknownLabel

CLEAN = (
    *("a", "Bo", "rat ", "cell-line", " ", ". ", "? ", ", ", "7", "% ", "\n"),
    *("药", "北京", "。", "，", "！", "é", "𝒜", "😀"),
)
"""Fragments that repair leaves alone: Latin, CJK, astral, blanks and sentence ends."""

DIRTY = (
    *("\t", "\r\n", "\r", "\x00", "\x0c", "\x85", "\x92", "\u00a0", "\u2009", "\u202f", "\u2028", "\u3000"),
    *("\u200b", "\ufeff", "\u2060", "\u00ad", "\u200e"),
    *("e\u0301", "\u0301", "o\u0323\u0302", "\u212b", "\u1112\u1161\u11ab", "\u11ab", "\u09c7\u09be", "\uf900"),
)
"""Fragments that repair changes (or, the ideographic space, keeps): controls, blanks, zero width, not NFC."""


def texts(fragments: tuple[str, ...] = CLEAN + DIRTY, max_fragments: int = 30) -> st.SearchStrategy[str]:
    """Texts with at least one character that is not blank."""
    return st.lists(st.sampled_from(fragments), min_size=1, max_size=max_fragments).map("".join).filter(str.strip)


@st.composite
def spanned_mentions(draw, text: str) -> Mention:
    """A mention of one to three pieces in order, none of them blank; the text must have one non-blank character."""
    bounds = draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=6, unique=True).map(sorted))
    pieces = [span for span in zip(bounds[::2], bounds[1::2], strict=False) if text[slice(*span)].strip()]
    if not pieces:
        start = draw(st.sampled_from([i for i, character in enumerate(text) if not character.isspace()]))
        pieces = [(start, start + 1)]
    spans = tuple(pieces)
    return Mention(surface(text, spans), spans)


def string_mentions(text: str) -> st.SearchStrategy[Mention]:
    """A mention without spans: a string of the text or, as a normalised word, one that need not occur in it."""
    inside = spanned_mentions(text).map(lambda mention: text[mention.spans[0][0] : mention.spans[0][1]])
    return st.one_of(inside, texts(max_fragments=3)).map(Mention)


def mentions_of(text: str) -> st.SearchStrategy[Mention]:
    return st.one_of(spanned_mentions(text), spanned_mentions(text), string_mentions(text))


LABELS = st.sampled_from(["drug", "disease", "地点"])
ROLES = st.sampled_from(["agent", "time", "对象"])


CONCEPTS = st.lists(st.sampled_from(["Q42", "MESH:D003920", "id1"]), unique=True, max_size=2).map(tuple)
"""One may be the same string as an entity's id."""

UNKNOWN_LABELS = st.lists(
    st.builds(UnknownLabel, st.sampled_from(["entities", "relations", "events"]), LABELS), unique=True, max_size=2
).map(tuple)


@st.composite
def layers(draw, text: str, mention: st.SearchStrategy[Mention], max_size: int = 4) -> dict:
    """Random entities, relations and events over `text`; each layer may be None. Every entity that a relation or an
    argument refers to is there.
    """

    def layer(item: st.SearchStrategy) -> st.SearchStrategy[tuple | None]:
        return st.none() | st.lists(item, max_size=max_size).map(tuple)

    entities = draw(layer(st.builds(Entity, LABELS, mention, concepts=st.just(()) | CONCEPTS)))
    if entities and draw(st.booleans()):
        ids = draw(st.permutations([None, *(f"id{n}" for n in range(len(entities)))]))
        entities = tuple(replace(entity, id=ids[n]) for n, entity in enumerate(entities))
    names = sorted(entity_names(entities))
    reference = st.none() | st.sampled_from(names) if names else st.none()
    label = st.none() | LABELS
    relation = st.builds(Relation, LABELS, mention, mention, label, label, reference, reference)
    arguments = st.lists(st.builds(Argument, ROLES, mention, reference), max_size=3).map(tuple)
    return {
        "entities": entities,
        "relations": draw(layer(relation)),
        "events": draw(layer(st.builds(Event, LABELS, st.none() | mention, arguments))),
    }


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


@st.composite
def examples(draw, text=None, mention=mentions_of, max_size: int = 4) -> Example:
    """Examples of every split and task; `text` is a strategy of texts, `mention` gives the mentions of a text."""
    string = draw(texts() if text is None else text)
    split = draw(st.sampled_from(SPLITS))
    return Example(
        id=f"made/{split}/{draw(st.integers(0, 99))}",
        source="Made",
        split=split,
        lang=draw(st.sampled_from(["en", "zh"])),
        text=string,
        tasks=tuple(draw(st.lists(st.sampled_from(TASKS), unique=True).map(sorted))),
        unknown_labels=draw(UNKNOWN_LABELS),
        **draw(layers(string, mention(string), max_size)),
    )


@st.composite
def raw_examples(draw, text=None, mention=mentions_of, max_size: int = 4) -> RawExample:
    """What a reader yields, with valid offsets."""
    string = draw(texts() if text is None else text)
    return RawExample(
        f"made.txt:{draw(st.integers(1, 99))}",
        string,
        unknown_labels=draw(UNKNOWN_LABELS),
        **draw(layers(string, mention(string), max_size)),
    )
