"""Texts with links: replacing parts while the links keep their places, tidying, and cutting into paragraphs."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import NamedTuple

from schemas.example import Span
from schemas.knowledge import Link
from transforms.sentences import sentences, without_blanks

HOLE = "\ufffc"
"""Marks where something was removed from a text, such as a template or a reference, until `tidy` has repaired it."""

CJK = r"\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
REPAIRS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[\x00-\x08\x0e-\x1f\u200b-\u200f\u202a-\u202e\u2060\ufeff\xad]"), ""),
    (re.compile(rf"(?<=[{CJK}])[^\S\n]*\n\s*(?=[{CJK}])"), ""),
    (re.compile(r"[^\S ]\s*| \s+"), " "),
)

SPACES = re.compile(r"(?<=[\w)%]) (?=[.,;](?: |\Z))|(?<=\() | (?=\))")

MAX_NESTED = 5
HOLES = re.compile(f"{HOLE}+")
MARKS = ",;:、，；："
ENDS = ".!?。！？"
BRACKETS = dict(zip("(（[【「『《〈“", ")）]】」』》〉”", strict=True))
RUN = re.compile(rf"(?<![\s{MARKS}{HOLE}])[\s{MARKS}]*{HOLE}[\s{MARKS}{HOLE}]*")
EMPTY = re.compile(rf"\s?[{re.escape(''.join(BRACKETS))}]{HOLE}[{re.escape(''.join(BRACKETS.values()))}]")


class Passage(NamedTuple):
    """A text with links, sorted and disjoint."""

    text: str
    links: tuple[Link, ...] = ()


Replacement = str | Callable[[re.Match[str]], str]


def substitute(passage: Passage, pattern: re.Pattern[str], replacement: Replacement) -> Passage:
    """`pattern.sub` on the text. Links keep the text that is left of theirs; links without text are dropped."""
    text, links = passage
    parts: list[str] = []
    starts: list[int] = []  # of the matches
    ends: list[int] = []
    shifts: list[int] = []  # how far the text after each match moves
    done = length = 0
    for match in pattern.finditer(text):
        new = replacement if isinstance(replacement, str) else replacement(match)
        start, end = match.span()
        parts += (text[done:start], new)
        length += start - done + len(new)
        done = end
        starts.append(start)
        ends.append(end)
        shifts.append(length - end)
    if not parts:
        return passage

    def moved(offset: int) -> int:
        """An offset inside a match moves to its end."""
        before = bisect_left(starts, offset) - 1
        return max(offset, ends[before]) + shifts[before] if before >= 0 else offset

    parts.append(text[done:])
    kept = (Link(moved(link.start), moved(link.end), link.title, link.qid) for link in links)
    return Passage("".join(parts), tuple(link for link in kept if link.start < link.end))


def tidy(passage: Passage) -> Passage:
    """The passage on one line, with what its HOLEs leave repaired (`( ; 1952)` → `(1952)`), without outer blanks."""
    for pattern, replacement in REPAIRS:
        passage = substitute(passage, pattern, replacement)
    for _ in range(MAX_NESTED):  # once more for each pair of brackets that has become empty
        if HOLE in passage.text:
            passage = substitute(substitute(passage, RUN, repaired), EMPTY, HOLE)
    passage = substitute(substitute(passage, HOLES, ""), SPACES, "")
    return cut(passage, *without_blanks(passage.text, 0, len(passage.text)))


def repaired(match: re.Match[str]) -> str:
    """What is left of a HOLE with the blanks and marks around it: HOLE itself between two brackets."""
    run, text = match[0], match.string
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    closing = BRACKETS.get(before)
    if closing:
        return HOLE if after == closing else ""
    if not before or not after or after in BRACKETS.values():
        return ""
    end = run.rstrip(f" {HOLE}")[-1:]
    mark = end if end in MARKS and after not in ENDS else ""
    return mark + (" " if " " in run and after not in ENDS else "")


def cut(passage: Passage, start: int, end: int) -> Passage:
    """The part of the passage, with the links that are inside it, without blanks at their edges."""
    text = passage.text
    links = []
    for n in range(bisect_right(passage.links, start, key=attrgetter("end")), len(passage.links)):
        link = passage.links[n]
        if link.start >= end:
            break
        left, right = without_blanks(text, max(link.start, start), min(link.end, end))
        if left < right:
            links.append(Link(left - start, right - start, link.title, link.qid))
    return Passage(text[start:end], tuple(links))


def tokens(text: str, lang: str) -> int:
    """The number of words, or for Chinese of characters that are no blanks."""
    words = text.split()
    return sum(map(len, words)) if lang == "zh" else len(words)


def pieces(passage: Passage, lang: str, max_tokens: int) -> Iterator[Passage]:
    """The passage, cut at ends of sentences outside its links into pieces of similar size of at most `max_tokens`. A
    sentence that is longer is left out.
    """
    total = tokens(passage.text, lang)
    if total <= max_tokens:
        yield passage
        return
    aim = total / -(-total // max_tokens)
    spans: list[Span] = []
    size = 0
    for start, end in whole_sentences(passage, lang):
        length = tokens(passage.text[start:end], lang)
        if spans and (size >= aim or size + length > max_tokens):
            yield cut(passage, spans[0][0], spans[-1][1])
            spans, size = [], 0
        if length <= max_tokens:
            spans.append((start, end))
            size += length
    if spans:
        yield cut(passage, spans[0][0], spans[-1][1])


def whole_sentences(passage: Passage, lang: str) -> Iterator[Span]:
    """The sentences; those that a link connects are one."""
    links = iter(passage.links)
    link = next(links, None)
    begun: int | None = None
    for start, end in sentences(passage.text, lang):
        begun = start if begun is None else begun
        while link and link.end <= end:
            link = next(links, None)
        if not (link and link.start < end):
            yield begun, end
            begun = None
