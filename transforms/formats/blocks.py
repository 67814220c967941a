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
# Blanks within the tags are no part of the mention nor of the text; a run of them is looked at from its first alone.
TAG = re.compile(r"<(e[12])> *|(?:(?<! ) +)?</(e[12])>")
BARE_TAG = re.compile(r"<(e[12])>|</(e[12])>")

Line = tuple[int, str]
"""Line number and line."""


def read(files: Iterable[File], undirected: Container[str]) -> Iterator[RawExample | BadRecord]:
    """Every block as its sentence without quotes and tags and one relation, placed at the sentence's line.

    `Name(e2,e1)` has e2 as its head; the labels in `undirected` (`Other`, `no_relation`) stand without direction,
    with e1 as head. Blocks are told apart by blank lines (any number) and by the number that opens a sentence.
    """
    for file in files:
        for block in _blocks(file):
            place = f"{file.name}:{block[0][0]}"
            try:
                yield _example(place, [line for _, line in block], undirected)
            except Broken as problem:
                yield BadRecord(place, Reason.BROKEN_RECORD, str(problem))


class Broken(Exception):
    """Carries what is wrong with a block or its tags out of the parser; caught where a file is read."""


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
        raise Broken(f'{lines[0][:80]!r} is no `number<TAB>"sentence"`')
    if len(lines) < 2 or len(lines) > 3 or not all(line.startswith("Comment") for line in lines[2:]):
        raise Broken("a block is a sentence, a relation and at most one comment; is a line missing or broken?")
    text, spans = parse(sentence[1].strip(" "))
    name = lines[1].strip()
    directed = RELATION.fullmatch(name)
    if not directed and name not in undirected:
        raise Broken(f"{name[:80]!r} is no relation with a direction, as `Name(e1,e2)`")
    label, ends = directed.groups() if directed else (name, "e1,e2")
    head, tail = (Mention(text[slice(*spans[end])], (spans[end],)) for end in ends.split(","))
    return RawExample(place, text, relations=(Relation(label, head, tail),))


def parse(tagged: str, pattern: re.Pattern = TAG) -> tuple[str, dict[str, Span]]:
    """`The <e1>smoke</e1> ...` → the text without what `pattern` matches, and the spans of e1 and e2 in it.

    Raises Broken where a mention is not opened once and then closed once.
    """
    opened: dict[str, int] = {}
    closed: dict[str, int] = {}
    text, position = "", 0
    for tag in pattern.finditer(tagged):
        text += tagged[position : tag.start()]
        position = tag.end()
        name, ends = (tag[1], opened) if tag[1] else (tag[2], closed)
        if name in ends:
            raise Broken(f"{tag[0].strip()} stands twice in {tagged[:80]!r}")
        ends[name] = len(text)
    text += tagged[position:]
    for name in ("e1", "e2"):
        if name not in opened or name not in closed:
            raise Broken(f"<{name}>...</{name}> is not opened and closed in {tagged[:80]!r}")
        if opened[name] > closed[name]:
            raise Broken(f"</{name}> comes before <{name}> in {tagged[:80]!r}")
    return text, {name: (opened[name], closed[name]) for name in ("e1", "e2")}
