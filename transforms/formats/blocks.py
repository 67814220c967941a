"""Blocks of a numbered, quoted sentence with two tagged mentions and the line of their relation → RawExamples.

The layout of SemEval-2010 task 8 (Hendrickx et al. 2010, https://aclanthology.org/S10-1006), which KBP37 shares:

    12<TAB>"The <e1>smoke</e1> came from the <e2>oven</e2>."
    Entity-Origin(e1,e2)
    Comment: may be absent
"""

import re
from collections.abc import Container, Iterable, Iterator

from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation, Span
from transforms.files import File

START = re.compile(r"[0-9]+[ \t]")
SENTENCE = re.compile(r'[0-9]+[ \t]+"(.*)"[ \t]*')
RELATION = re.compile(r"(.+)\((e1,e2|e2,e1)\)")
# Spaces inside the tags belong neither to the mention nor to the text; a run of spaces matches only from its first one.
TAG = re.compile(r"<(e[12])> *|(?:(?<! ) +)?</(e[12])>")
BARE_TAG = re.compile(r"<(e[12])>|</(e[12])>")

Line = tuple[int, str]
"""Line number and line."""


def read(files: Iterable[File], undirected: Container[str]) -> Iterator[RawExample | BadRecord]:
    """Every block as its sentence, without quotes and tags, with one relation. The place is the line of the sentence.

    `Name(e2,e1)` has e2 as its head. The labels in `undirected` (`Other`, `no_relation`) have no direction; e1 is their
    head. A block ends at a blank line or at the number that starts the next sentence.
    """
    for file in files:
        for block in _blocks(file):
            place = f"{file.name}:{block[0][0]}"
            try:
                yield _example(place, [line for _, line in block], undirected)
            except Broken as problem:
                yield BadRecord(place, Reason.BROKEN_RECORD, str(problem))


class Broken(Exception):
    """A block or its tags violate the format; `read` catches it."""


def _blocks(file: File) -> Iterator[list[Line]]:
    block: list[Line] = []
    for number, line in file.lines():
        if block and (not line.strip() or START.match(line)):
            yield block
            block = []
        if line.strip():
            block.append((number, line))
    if block:
        yield block


def _example(place: str, lines: list[str], undirected: Container[str]) -> RawExample:
    sentence = SENTENCE.fullmatch(lines[0])
    if not sentence:
        raise Broken(f'{lines[0][:80]!r} is not `number<TAB>"sentence"`')
    if len(lines) < 2 or len(lines) > 3 or not all(line.startswith("Comment") for line in lines[2:]):
        raise Broken("a block is a sentence, a relation and at most one comment; is a line missing or broken?")
    text, spans = parse(sentence[1].strip(" "))
    name = lines[1].strip()
    directed = RELATION.fullmatch(name)
    if not directed and name not in undirected:
        raise Broken(f"{name[:80]!r} is not a relation with a direction, such as `Name(e1,e2)`")
    label, ends = directed.groups() if directed else (name, "e1,e2")
    head, tail = (Mention(text[slice(*spans[end])], (spans[end],)) for end in ends.split(","))
    return RawExample(place, text, relations=(Relation(label, head, tail),))


def parse(tagged: str, pattern: re.Pattern = TAG) -> tuple[str, dict[str, Span]]:
    """`The <e1>smoke</e1> ...` → the text without the matches of `pattern`, and the spans of e1 and e2 in it.

    Raises Broken unless each mention is opened exactly once and then closed exactly once.
    """
    opened: dict[str, int] = {}
    closed: dict[str, int] = {}
    text, position = "", 0
    for tag in pattern.finditer(tagged):
        text += tagged[position : tag.start()]
        position = tag.end()
        name, ends = (tag[1], opened) if tag[1] else (tag[2], closed)
        if name in ends:
            raise Broken(f"{tag[0].strip()} occurs twice in {tagged[:80]!r}")
        ends[name] = len(text)
    text += tagged[position:]
    for name in ("e1", "e2"):
        if name not in opened or name not in closed:
            raise Broken(f"<{name}>...</{name}> is not opened and closed in {tagged[:80]!r}")
        if opened[name] > closed[name]:
            raise Broken(f"</{name}> comes before <{name}> in {tagged[:80]!r}")
    return text, {name: (opened[name], closed[name]) for name in ("e1", "e2")}
