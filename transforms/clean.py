"""Examples → Examples with repaired text and matching offsets, or the reason why an Example is dropped."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import pairwise, takewhile
from operator import itemgetter
from string import ascii_letters
from unicodedata import category, is_normalized

from msgspec.structs import replace

from schemas.example import Argument, Entity, Event, Example, Mention, Relation, Span, mentions, surface
from transforms.normal_forms import normalize

CHANGED = "[\x00-\x09\x0b-\x1f\x7f-\xa0\xad\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f\u2060\u2066-\u2069\ufeff]"
"""Controls except the line feed, blanks except U+0020 and U+3000 (usual in Chinese), zero-width and direction marks.

The joiners U+200C and U+200D are kept because they change how a word is read.
"""

CHANGED_ANYWHERE = re.compile(CHANGED)
CHANGED_ONCE = re.compile("\r\n|" + CHANGED)
LINE_ENDS = frozenset(("\r\n", "\r", "\x85", "\u2028", "\u2029"))

MIN_CHARS = 5
ASCII_LETTERS = ascii_letters.encode()
ONE_LETTER_IN = 5
"""A text is low quality if it has fewer than one letter per this many characters, so that over 80 % are not letters."""

Edit = tuple[int, int, str]
"""Start and end in the old text, and the replacement string."""

Move = tuple[int, int, int, int]
"""Start and end of an edit in the old text, start and end of its string in the new text."""

Steps = list[list[Move]]
"""The moves of each step of a repair, in order."""


def is_clean(text: str) -> bool:
    """Whether `repair` leaves this string unchanged."""
    return (
        not CHANGED_ANYWHERE.search(text)
        and is_normalized("NFC", text)
        and not text[:1].isspace()
        and not text[-1:].isspace()
    )


def repair(example: Example) -> Example:
    """The example in NFC (Unicode annex 15), with one kind of space and line break and no invisible characters.

    Other line breaks become a line feed, other spaces and the tab a space. Other controls, zero-width characters, soft
    hyphens and direction marks are removed, and so is whitespace at the edges of the text. Nothing is collapsed. Spans
    are moved with the text, and mentions get the new text at their spans. A span that ends inside characters that NFC
    composes is extended to the composed character; a piece of only removed characters is left out. Mentions without
    spans are repaired as strings. A mention that becomes empty has the text "" and no spans, and `low_quality` then
    reports its example. An example that needs no repair is returned unchanged.
    """
    if is_clean(example.text) and all(mention.spans or is_clean(mention.text) for mention in mentions(example)):
        return example
    text, steps = repair_text(example.text)

    def mention(old: Mention) -> Mention:
        if not old.spans:
            return old if is_clean(old.text) else Mention(repair_text(old.text)[0])
        spans = old.spans
        for moves in steps:
            spans = tuple(_moved(span, moves) for span in spans)
        spans = tuple((start, end) for start, end in spans if start < end)
        return Mention(surface(text, spans), spans)

    return replace(with_mentions(example, mention), text=text)


def with_mentions(example: Example, convert: Callable[[Mention], Mention]) -> Example:
    """The example with every mention of every layer converted."""

    def entity(item: Entity) -> Entity:
        return Entity(item.label, convert(item.mention), item.id, item.concepts)

    def relation(item: Relation) -> Relation:
        others = item.head_label, item.tail_label, item.head_entity, item.tail_entity, item.score
        return Relation(item.label, convert(item.head), convert(item.tail), *others)

    def event(item: Event) -> Event:
        arguments = tuple(Argument(a.role, convert(a.mention), a.entity) for a in item.arguments)
        return Event(item.label, item.trigger and convert(item.trigger), arguments)

    def layer(items, change):
        return None if items is None else tuple(map(change, items))

    return replace(
        example,
        entities=layer(example.entities, entity),
        relations=layer(example.relations, relation),
        events=layer(example.events, event),
    )


def repair_text(text: str) -> tuple[str, Steps]:
    """The string repaired according to the rules of `repair`, and the steps of the repair."""
    steps = []
    for find in (_character_edits, _composition_edits, _edge_edits):
        edits = find(text)
        if edits:
            text, moves = _apply(text, edits)
            steps.append(moves)
    return text, steps


def _character_edits(text: str) -> list[Edit]:
    edits = []
    for match in CHANGED_ONCE.finditer(text):
        string = match[0]
        edits.append((*match.span(), "\n" if string in LINE_ENDS else " " if string.isspace() else ""))
    return edits


def _composition_edits(text: str) -> list[Edit]:
    """The edits for groups of a character and its following marks that NFC changes."""
    if is_normalized("NFC", text):
        return []
    heads = [i for i, character in enumerate(text) if i and not _composes_backward(character)]
    edits = []
    for start, end in pairwise((0, *heads, len(text))):
        old, new = text[start:end], normalize("NFC", text[start:end])
        if old != new:
            left = _common(old, new)
            right = _common(old[left:][::-1], new[left:][::-1])
            edits.append((start + left, end - right, new[left : len(new) - right]))
    return edits


def _common(one: str, other: str) -> int:
    """The length of the common prefix."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _composes_backward(character: str) -> bool:
    """Whether NFC may compose it with the preceding character: marks, Hangul vowels and final consonants."""
    return character >= "\u0300" and (category(character)[0] == "M" or "\u1160" <= character <= "\u11ff")


def _edge_edits(text: str) -> list[Edit]:
    start = len(text) - len(text.lstrip())
    end = max(start, len(text.rstrip()))
    return [(left, right, "") for left, right in ((0, start), (end, len(text))) if left < right]


def _apply(text: str, edits: list[Edit]) -> tuple[str, list[Move]]:
    pieces: list[str] = []
    moves, read, written = [], 0, 0
    for start, end, string in edits:
        written += start - read
        moves.append((start, end, written, written + len(string)))
        pieces += (text[read:start], string)
        read, written = end, written + len(string)
    return "".join((*pieces, text[read:])), moves


def _moved(span: Span, moves: list[Move]) -> Span:
    def position(old: int, side: int) -> int:
        number = bisect_left(moves, old, key=itemgetter(0)) - 1
        if number < 0:
            return old
        _, end, *new = moves[number]
        return new[1] + old - end if old >= end else new[side]

    return position(span[0], 0), position(span[1], 1)


def span_before(span: Span, steps: Steps) -> Span:
    """The span before these steps for a span of a repaired string: without characters that were removed at its edges,
    and extended to whole characters if it cuts a composed one.
    """
    start, end = span
    for moves in reversed(steps):
        start, end = _place_before(start, moves, bisect_right, 0), _place_before(end, moves, bisect_left, 1)
    return start, end


def _place_before(new: int, moves: list[Move], bisect: Callable[..., int], side: int) -> int:
    number = bisect(moves, new, key=itemgetter(2)) - 1
    if number < 0:
        return new
    *old, _, new_end = moves[number]
    return old[1] + new - new_end if new >= new_end else old[side]


def letter_count(text: str) -> int:
    if text.isascii():  # most texts, and much faster
        return len(text) - len(text.encode().translate(None, ASCII_LETTERS))
    return sum(map(str.isalpha, text))


EMPTY_TEXT, EMPTY_MENTION = "the text is empty after repair", "a mention is empty after repair"


def low_quality(example: Example) -> str | None:
    """Why the repaired example is of low quality; None if it is not.

    An example is of low quality if over 80 % of its non-blank characters are neither letters nor marks of any script,
    if it has fewer than MIN_CHARS characters and all its annotated layers are empty (a text without annotated layers,
    such as a text to predict on, is kept), or if its text or a mention is empty after the repair.
    """
    text = example.text
    if not text:
        return EMPTY_TEXT
    layers = [layer for layer in (example.entities, example.relations, example.events) if layer is not None]
    if len(text) < MIN_CHARS and layers and not any(layers):
        return f"{len(text)} characters and no annotation"
    if not all(mention.text for mention in mentions(example)):
        return EMPTY_MENTION
    letters = letter_count(text)
    if letters * ONE_LETTER_IN < len(text):
        # This is rare, so marks are counted and blanks are left out only here.
        letters += sum(category(character)[0] == "M" for character in text)
        visible = sum(map(len, text.split()))
        if letters * ONE_LETTER_IN < visible:
            return f"{visible - letters} of {visible} characters are not letters"
    return None
