"""Whether a span of a text may be a name of an item: letter case, common words, and parts of longer names."""

import re
from collections.abc import Iterator
from typing import Literal

from schemas.knowledge import Item
from transforms.knowledge.spans import is_name, stop_words, with_usual_signs

SENTENCE_ENDS = ".!?\n。！？"
OPENING = " \t\"'“‘(["
QUOTES = {"《": "》", "〈": "〉", "「": "」", "『": "』", "“": "”", '"': '"'}
PRODUCTS = frozenset({"product", "creative_work"})
SHORT_CHINESE_TITLE = 3
"""Chinese titles of works of at most this length are linked only in quotes, because many are also common words."""

LANGUAGE = re.compile(r"[语語](?![言音气氣调調录錄境])|文(?=[版名原：:）)，。、；”」《\s]|维基|維基|\Z)")
"""What follows the name of a place in the Chinese name of its language: `西班牙語`."""

PEOPLE = re.compile("[裔籍族]|人(?![民口才类類物士员員权權数數工大])")
"""What follows the name of a place in a Chinese word for its people: `西班牙人`."""

DEMONYM = re.compile(r"(\w{3,}?)(?:ian|an|ese|ish|i|ic|er|ine)s?")
"""English words for the people of a place, with the part that they share with a name of the place."""

LATIN_END, LATIN_START = re.compile(r"[A-Za-z][ -]?\Z"), re.compile(r"[ -]?[A-Za-z]")
WORDS = re.compile(r"\w+")
FOREIGN_DOTS = frozenset("·・•")


def at_sentence_start(text: str, start: int) -> bool:
    before = text[:start].rstrip(OPENING)
    return not before or before[-1] in SENTENCE_ENDS


def same_case(text: str, start: int, written: str, name: str) -> bool:
    """Whether `written`, at `start` of an English text, is certainly a name that it equals except for letter case.

    The first word of a sentence may have a capital letter that the name has not, and `the` may be in lower case.
    Otherwise letter case may differ only in names of several words that have capital letters both in the text and in
    the name, such as `president of Eritrea` and `President of Eritrea`.
    """
    if written == name:
        return True
    usual = name.startswith("The ") or (name[:1].islower() and at_sentence_start(text, start))
    if usual and written[1:] == name[1:]:
        return True
    return " " in written and any(map(str.isupper, written)) and any(map(str.isupper, name))


def spelling(text: str, start: int, end: int, name: str, lang: str) -> Literal["same", "other case"] | None:
    """How the span spells this name of an item; None if it does not, or if it cannot be linked (`is_name`)."""
    span = text[start:end]
    if not is_name(span, lang):
        return None
    if span == name:
        return "same"
    written, name = with_usual_signs(span), with_usual_signs(name)
    if written.lower() != name.lower():
        return None
    return "same" if lang == "zh" or same_case(text, start, written, name) else "other case"


def is_common_word(text: str, start: int, end: int, item: Item, lang: str) -> bool:
    """Whether the span is rather a word of the language than a name of the item.

    English: one word in lower case may only be a class, which Wikidata gives a label in lower case, or a word of the
    label: `football` of `American football`. Chinese: see LANGUAGE and SHORT_CHINESE_TITLE.
    """
    span = text[start:end]
    if lang == "zh":
        if LANGUAGE.match(text, end) or is_part_of_foreign_name(text, start, end):
            return True
        if end - start > SHORT_CHINESE_TITLE or not item.types or not PRODUCTS.issuperset(item.types):
            return False
        return not is_quoted(text, start, end)
    if " " in span or not span.islower() or item.label is None:
        return False
    return not (item.label[:1].islower() or span in item.label.lower().split()) or "human" in item.types


def is_demonym(text: str, start: int, end: int, item: Item, lang: str) -> bool:
    """Whether the span names people or things of a place, not the place: `American`, or `西班牙` of `西班牙人`.

    English: a word that does not end the label of the place, and is listed or derived from one of its names.
    """
    if "geographic_region" not in item.types:
        return False
    if lang == "zh":
        return bool(PEOPLE.match(text, end))
    span = text[start:end]
    if item.label is None or WORDS.findall(item.label)[-1:] == [span]:
        return False
    if span.lower() in stop_words("en").demonyms:
        return True
    match = DEMONYM.fullmatch(span)
    words = (word for name in item.names for word in WORDS.findall(name) if word not in (span, f"{span}s"))
    return match is not None and any(word.startswith(match[1]) for word in words)


def are_script_variants(name: str, other: str) -> bool:
    """Whether two Chinese names differ only in characters that are simplified in one and traditional in the other, as
    far as the character sets GB 2312 and Big5 tell: `英国` and `英國`.
    """
    return len(name) == len(other) and all(
        a == b or (is_simplified(a) and is_traditional(b)) or (is_traditional(a) and is_simplified(b))
        for a, b in zip(name, other, strict=True)
    )


def is_simplified(character: str) -> bool:
    return is_in(character, "gb2312") and not is_in(character, "big5")


def is_traditional(character: str) -> bool:
    return is_in(character, "big5") and not is_in(character, "gb2312")


def is_in(character: str, charset: str) -> bool:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def is_quoted(text: str, start: int, end: int) -> bool:
    """Whether the span stands between Chinese quotation marks or brackets of titles."""
    return end < len(text) and QUOTES.get(text[max(start - 1, 0) : start]) == text[end]


def is_part_of_foreign_name(text: str, start: int, end: int) -> bool:
    """Whether a span of a Chinese text is probably part of a name in Latin letters, or of a foreign name in Chinese:
    `菲尔德` in `阿什菲尔德`.
    """
    span, before, after = text[start:end], text[max(start - 2, 0) : start], text[end : end + 2]
    if span.isascii():
        return span.islower() or bool(LATIN_END.search(before) or LATIN_START.match(after))
    if not FOREIGN_DOTS.isdisjoint((before[-1:], after[:1])):
        return True
    foreign = stop_words("zh").foreign
    return foreign.issuperset(span) and not foreign.isdisjoint((before[-1:], after[:1]))


def occurrences(text: str, name: str, lang: str, first: int = 0) -> Iterator[tuple[int, int]]:
    """The spans from `first` on that are exactly `name`, and not part of a longer word."""
    start = text.find(name, first)
    while start >= 0:
        end = start + len(name)
        if lang == "zh" or is_whole(text, start, end):
            yield start, end
        start = text.find(name, end)


def is_whole(text: str, start: int, end: int) -> bool:
    return not (text[start - 1 : start].isalnum() and text[start].isalnum()) and not (
        text[end : end + 1].isalnum() and text[end - 1].isalnum()
    )
