"""PubTator blocks (title, abstract, mentions, relations between concepts) → one RawExample per document.

Format: https://www.ncbi.nlm.nih.gov/research/pubtator3/tutorial and Li et al. 2016 (BC5CDR).
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import itemgetter

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats.head import Head
from transforms.formats.offsets import is_offset

PASSAGE = re.compile(r"([^|\t]+)\|([ta])\|(.*)")
SEPARATOR = re.compile(r"[|;,+]")
"""Separators of the concepts of a mention: `|` in BC5CDR, also `+` in NCBI Disease, `;` and `,` in PubTator's files."""
NO_CONCEPT = ("", "-1")

Extent = tuple[int, int, int]
"""Start and end of a mention, and its number in the document."""


def parse_concepts(ids: str, vocabulary: str) -> tuple[str, ...]:
    """`D014786|D006311` → both concepts, without repetition (`MESH:D014786` if `vocabulary` is `MESH`); `-1` → none.

    `vocabulary`: that of ids without one (`OMIM:126200` has one); empty if it is unknown.
    """
    concepts = [concept for part in SEPARATOR.split(ids) if (concept := part.strip()) not in NO_CONCEPT]
    return tuple(dict.fromkeys(qualified_concept(concept, vocabulary) for concept in concepts))


def qualified_concept(id_: str, vocabulary: str) -> str:
    return f"{vocabulary}:{id_}" if vocabulary and ":" not in id_ else id_


class ConceptMentions:
    """The mentions of one document by concept, to find mentions for its relations between concepts."""

    def __init__(self, entities: Sequence[Entity]):
        self.entities = entities
        self.closest: dict[tuple[str, str], tuple[int, int] | None] = {}
        self.extents: dict[str, list[Extent]] = {}
        for number, item in enumerate(entities):
            spans = item.mention.spans
            for concept in item.concepts:
                self.extents.setdefault(concept, []).append((spans[0][0], spans[-1][1], number))
        self.furthest: dict[str, list[int]] = {}  # concept → running maximum of the ends of its extents
        for concept, extents in self.extents.items():
            extents.sort()
            self.furthest[concept] = list(accumulate((end for _, end, _ in extents), max))

    def relation(self, label: str, head: str, tail: str) -> Relation | None:
        """The relation between two concepts as a relation between the two of their mentions that are closest.

        Distance is the number of characters between them; ties go to the pair that starts first, then to the shorter
        first mention. Thus a window keeps the relation if any window can. The ends refer to the concepts. None if a
        concept has no mention, or if both concepts have only one and the same mention.
        """
        if (head, tail) not in self.closest:
            self.closest[head, tail] = self._closest(head, tail)
        pair = self.closest[head, tail]
        if pair is None:
            return None
        first, second = (self.entities[number] for number in pair)
        return Relation(label, first.mention, second.mention, first.label, second.label, head, tail)

    def _closest(self, head: str, tail: str) -> tuple[int, int] | None:
        """The numbers of the two closest mentions of the concepts."""
        heads, tails = self.extents.get(head, ()), self.extents.get(tail, ())
        turned = len(tails) < len(heads)
        few, many = (tails, head) if turned else (heads, tail)
        pairs = [
            (max(0, right[0] - left[1]), left[0], right[0], right[1], left[1], *ends)
            for one in few
            for other in self._nearest(one, many)
            for left, right in [sorted((one, other))]
            for ends in [(other[2], one[2]) if turned else (one[2], other[2])]
        ]
        return min(pairs)[-2:] if pairs else None

    def _nearest(self, one: Extent, concept: str) -> Iterator[Extent]:
        """Up to two mentions of the concept, except `one` itself: the closest that starts before it and the closest
        that does not.

        The closest before it is the first that reaches it, or if none does, the first that reaches furthest.
        """
        extents = self.extents.get(concept, ())
        at = bisect_left(extents, one[:2], key=itemgetter(0, 1))
        if at:
            furthest = self.furthest[concept]
            yield extents[bisect_left(furthest, min(one[0], furthest[at - 1]), 0, at)]
        after = at + 1 if at < len(extents) and extents[at] == one else at
        if after < len(extents):
            yield extents[after]


def recognises(head: Head) -> bool:
    """Whether the first lines are those of a title and an abstract."""
    first, second = (*(line for line in head.lines if line.strip()), "", "")[:2]
    title, abstract = PASSAGE.fullmatch(first), PASSAGE.fullmatch(second)
    return bool(title and abstract and (title[1], title[2], abstract[2]) == (abstract[1], "t", "a"))


def read(files: Iterable[File], vocabulary: str = "", lenient: bool = False) -> Iterator[RawExample | BadRecord]:
    """Every document. The text is the title, a space and the abstract. Offsets count code points; ends are exclusive.

    `vocabulary`: see `parse_concepts`. A block ends at a blank line or the next title. A broken line makes the document
    a BadRecord. A relation between concepts that have no two mentions is lost alone. `lenient`, for data of users: a
    mention needs no concept, one without a place in the text is lost alone, and the id is that of a document.
    """
    for file in files:
        block: list[tuple[int, str]] = []
        for number, line in file.lines():
            passage = PASSAGE.fullmatch(line)
            if block and (not line.strip() or (passage and passage[2] == "t")):
                yield _document(file.name, block, vocabulary, lenient)
                block = []
            if line.strip():
                block.append((number, line))
        if block:
            yield _document(file.name, block, vocabulary, lenient)


def read_documents(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every document of a user's files."""
    return read(files, lenient=True)


def _document(name: str, block: list[tuple[int, str]], vocabulary: str, lenient: bool) -> RawExample | BadRecord:
    def broken(number: int, reason: Reason, detail: str, *unknown: UnknownLabel) -> BadRecord:
        return BadRecord(f"{name}:{number}", reason, detail, unknown)

    first = block[0][0]
    title, abstract = (PASSAGE.fullmatch(line) for _, line in (block * 2)[:2])
    if not (title and title[2] == "t" and abstract and abstract[2] == "a" and title[1] == abstract[1]):
        return broken(first, Reason.BROKEN_RECORD, "a document starts with `id|t|title` and `id|a|abstract`")
    text = f"{title[3]} {abstract[3]}"
    entities: list[Entity] = []
    links: list[tuple[int, list[str]]] = []
    lost: list[BadRecord] = []
    for number, line in block[2:]:
        identifier, *columns = line.split("\t")
        if identifier != title[1]:
            return broken(number, Reason.BROKEN_RECORD, f"{identifier!r} occurs in the block of {title[1]!r}")
        if len(columns) == 3 and not is_offset(columns[0]):
            links.append((number, columns))
            continue
        if lenient and len(columns) == 4:
            columns.append("")
        if len(columns) not in (5, 6) or not (is_offset(columns[0]) and is_offset(columns[1])):
            return broken(
                number,
                Reason.WRONG_COLUMNS,
                "neither `id start end text type concept [parts]` nor `id relation concept concept`, tab-separated",
            )
        start, end = int(columns[0]), int(columns[1])
        if not start < end <= len(text):
            detail = f"{start} {end} is not a span of a text of {len(text)} characters"
            misplaced = broken(number, Reason.OFFSET_MISMATCH, detail, UnknownLabel("entities", columns[3]))
            if not lenient:
                return misplaced
            lost.append(misplaced)
            continue
        mention = Mention(columns[2].strip(), ((start, end),))  # NCBI Disease has trailing spaces in some
        entities.append(Entity(columns[3], mention, concepts=parse_concepts(columns[4], vocabulary)))
    relations, placed = [], ConceptMentions(entities)
    for number, (label, *ends) in links:
        relation = placed.relation(label, *(qualified_concept(end, vocabulary) for end in ends))
        if relation is None:
            detail = f"{ends[0]} and {ends[1]} have no two mentions; their relation is left out"
            lost.append(broken(number, Reason.MISSING_FIELD, detail, UnknownLabel("relations", label)))
        else:
            relations.append(relation)
    return RawExample(
        f"{name}:{first}",
        text,
        entities=tuple(entities),
        relations=tuple(relations),
        lost=tuple(lost),
        document=title[1] if lenient else None,
        item=title[1] if lenient else None,
    )
