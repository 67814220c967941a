"""Hypothesis strategies: random texts in several scripts and Examples whose mentions are valid for them."""

from hypothesis import strategies as st

from schemas.example import SPLITS, TASKS, Argument, Entity, Event, Example, Mention, RawExample, Relation, surface

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


def layers(text: str, mention: st.SearchStrategy[Mention], max_size: int = 4) -> st.SearchStrategy[dict]:
    """Random entities, relations and events over `text`; each layer may be None."""
    relation = st.builds(
        Relation, LABELS, mention, mention, head_label=st.none() | LABELS, tail_label=st.none() | LABELS
    )
    arguments = st.lists(st.builds(Argument, ROLES, mention), max_size=3).map(tuple)
    items = {
        "entities": st.builds(Entity, LABELS, mention),
        "relations": relation,
        "events": st.builds(Event, LABELS, st.none() | mention, arguments),
    }
    return st.fixed_dictionaries(
        {name: st.none() | st.lists(item, max_size=max_size).map(tuple) for name, item in items.items()}
    )


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
        **draw(layers(string, mention(string), max_size)),
    )


@st.composite
def raw_examples(draw, text=None, mention=mentions_of, max_size: int = 4) -> RawExample:
    """What a reader yields, with valid offsets."""
    string = draw(texts() if text is None else text)
    return RawExample(f"made.txt:{draw(st.integers(1, 99))}", string, **draw(layers(string, mention(string), max_size)))
