"""A paragraph and the items that its spans may name → linked mentions.

Of the spans that overlap, links win over repetitions of their texts, these over names of the page's item, and these
over other names; then longer spans win, then earlier ones. If several items have the name of a span, the item is chosen
as in KG2Instruction (arXiv 2305.11527, section 3): the one that has most neighbours among the items of the other spans.
Ties are decided by the kind of the name, then by the lowest item number, so that the result never depends on the order
of the input.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.example import Span
from schemas.knowledge import Item, Link, LinkedMention, MentionKind, NameKind, Paragraph
from transforms.knowledge.spans import fold, is_han

RANKS: dict[MentionKind, int] = {"given": 0, "anchor": 0, "repeat": 1, "title": 2, "name": 3}
NAME_RANKS: dict[NameKind, int] = {"title": 0, "label": 0, "alias": 1}

STOP_WORDS = frozenset(
    """
    a an and are as at be been but by for from had has have he her his i if in into is it its may me my
    no nor not of off on one or our out over she so than that the their them then there they this to
    under up us was we were what when where which who will with you your
    """.split()  # noqa: SIM905  (a list would take a hundred lines)
)


class Candidate(NamedTuple):
    """An item that a span may name. `name`: the name of the item, as the graph has it."""

    start: int
    end: int
    qid: int
    kind: NameKind
    name: str


def choose(
    paragraph: Paragraph, candidates: Sequence[Candidate], items: Mapping[int, Item], only_links: bool = False
) -> tuple[LinkedMention, ...]:
    """The mentions of the paragraph, disjoint and in order. `items`: all candidates that the graph has.

    `only_links`: only the links of the paragraph are mentions, of kind `given`.
    """
    text = paragraph.text
    kind: MentionKind = "given" if only_links else "anchor"
    spans: dict[Span, tuple[int, tuple[int, ...]]] = {
        (link.start, link.end): (RANKS[kind], (link.qid,)) for link in disjoint(paragraph.links) if link.qid is not None
    }
    kinds: dict[Span, MentionKind] = dict.fromkeys(spans, kind)
    if not only_links:
        linked: dict[str, int] = {}
        for start, end in sorted(spans, reverse=True):
            linked[text[start:end]] = spans[start, end][1][0]
        by_span: dict[Span, dict[int, int]] = defaultdict(dict)
        for candidate in candidates:
            span = (candidate.start, candidate.end)
            if span not in spans and is_name(text, span, candidate.name) and candidate.qid in items:
                rank = NAME_RANKS[candidate.kind]
                by_span[span][candidate.qid] = min(rank, by_span[span].get(candidate.qid, rank))
        for span in [span for span in by_span if names_more(text, span, by_span)]:
            del by_span[span]
        for surface, qid in linked.items():
            for span in occurrences(text, surface):
                if span not in spans:
                    spans[span], kinds[span] = (RANKS["repeat"], (qid,)), "repeat"
        for span, ranks in by_span.items():
            if span in spans:
                continue
            kinds[span] = "title" if paragraph.page in ranks else "name"
            qids = (paragraph.page,) if paragraph.page in ranks else tuple(sorted(ranks, key=lambda q: (ranks[q], q)))
            spans[span] = (RANKS[kinds[span]], qids)
    chosen = resolve(spans, items)
    mentions = []
    for start, end in without_overlaps(
        (span for span in chosen if keeps(text, span, kinds[span], chosen[span])), spans
    ):
        qid, _ = chosen[start, end]
        types = items[qid].types if qid in items else ()
        mentions.append(LinkedMention(start, end, kinds[start, end], qid, types))
    return tuple(mentions)


def disjoint(links: Iterable[Link]) -> list[Link]:
    """The links that overlap no earlier one."""
    kept: list[Link] = []
    for link in sorted(links, key=lambda link: (link.start, -link.end)):
        if not kept or link.start >= kept[-1].end:
            kept.append(link)
    return kept


def is_name(text: str, span: Span, name: str) -> bool:
    """Whether the span can be the name. Spans are compared with names without case. A name of one word may only differ
    from the text in its first letter: a lower-case name at the start of a sentence, or in a heading.
    """
    name = unicodedata.normalize("NFC", name.strip())
    surface = text[span[0] : span[1]]
    if fold(surface) != fold(name):
        return False
    if surface == name or (name[:1].islower() and surface[1:] == name[1:]):
        return not is_common(surface)
    return len(name.split()) > 1  # a proper name of one word is not written like a common word


def names_more(text: str, span: Span, by_span: Mapping[Span, Mapping[int, int]]) -> bool:
    """Whether a span such as `Oslo, Norway` names an item that its part before the comma names too."""
    start, end = span
    comma = text.find(", ", start, end)
    return comma > 0 and not by_span[span].keys().isdisjoint(by_span.get((start, comma), ()))


def is_common(surface: str) -> bool:
    """Whether the string is too common to be a name by itself: stop words, numbers, single letters."""
    if len(surface) == 1:
        return True
    return surface in STOP_WORDS or not any(character.isalpha() for character in surface)


def occurrences(text: str, surface: str) -> list[Span]:
    """Where the string occurs as whole words."""
    spans = []
    start = text.find(surface)
    while start >= 0:
        end = start + len(surface)
        if is_boundary(text, start) and is_boundary(text, end):
            spans.append((start, end))
        start = text.find(surface, end)
    return spans


def is_boundary(text: str, place: int) -> bool:
    """Whether no word goes on across the place."""
    if place in (0, len(text)):
        return True
    before, after = text[place - 1], text[place]
    return not (before.isalnum() and after.isalnum()) or is_han(before) or is_han(after)


def resolve(
    spans: Mapping[Span, tuple[int, tuple[int, ...]]], items: Mapping[int, Item]
) -> dict[Span, tuple[int, int]]:
    """Span → (its item, the number of other spans with a neighbour of this item). `spans`: span → (rank, its possible
    items, the most likely first).
    """
    spans_by_item: dict[int, set[Span]] = defaultdict(set)
    for span, (_, qids) in spans.items():
        for qid in qids:
            spans_by_item[qid].add(span)
    neighbours: dict[int, set[int]] = {qid: set() for qid in spans_by_item}
    for qid in spans_by_item:
        if qid in items:
            for other in items[qid].neighbours & spans_by_item.keys():
                neighbours[qid].add(other)
                neighbours[other].add(qid)
    chosen = {}
    for span, (_, qids) in spans.items():
        best = None
        for order, qid in enumerate(qids):
            supporting = set().union(*(spans_by_item[other] for other in neighbours[qid] - {qid}))
            score = sum(1 for other in supporting if other[0] >= span[1] or other[1] <= span[0])
            if best is None or score > best[0]:
                best = (score, order, qid)
        assert best is not None  # every span has an item
        chosen[span] = (best[2], best[0])
    return chosen


def keeps(text: str, span: Span, kind: MentionKind, choice: tuple[int, int]) -> bool:
    """Whether a span is a mention. Words in lower case are mentions only if a neighbour of their item is named too."""
    start, end = span
    if kind != "name" or choice[1]:
        return True
    return not text[start:end].islower()


def without_overlaps(chosen: Iterable[Span], spans: Mapping[Span, tuple[int, tuple[int, ...]]]) -> list[Span]:
    """The spans that remain where they overlap, in order."""
    taken: list[Span] = []
    covered: set[int] = set()
    for start, end in sorted(chosen, key=lambda span: (spans[span][0], span[0] - span[1], span[0])):
        places = range(start, end)
        if covered.isdisjoint(places):
            covered.update(places)
            taken.append((start, end))
    return sorted(taken)
