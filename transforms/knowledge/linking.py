"""Which items a paragraph mentions: links, repetitions of their texts, names of the page's item, names of any item.

The choice among several items with one name follows KG2Instruction (Gui et al. 2023, arXiv 2305.11527): the item that
has most neighbours in the graph among the items that the other names of the paragraph may mean. Ties never depend on
an order of input.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, get_args

from schemas.knowledge import Item, LinkedMention, MentionKind, NameKind, Paragraph
from transforms.knowledge.name_rules import LANGUAGE, is_common_word, is_quoted, occurrences
from transforms.knowledge.spans import is_name, stop_words
from transforms.knowledge.titles import without_bracket

NAME_KINDS: Mapping[str, int] = {kind: rank for rank, kind in enumerate(get_args(NameKind))}
"""Kind of a name → its rank; the first is the best."""

SHORT_CHINESE_NAME = 2
PROPER = frozenset({"human", "geographic_region", "organization"})
"""Types of items whose Chinese labels are linked without a neighbour even if they are as short as this."""

SHORTEST_SURNAME = 3

OTHER_CASE = len(NAME_KINDS)
"""Added to the rank of a name that the text has in another letter case."""


class Candidate(NamedTuple):
    """A span of a paragraph that is spelled as a name of an item, apart from letter case unless `same_case`."""

    start: int
    end: int
    qid: int
    kind: NameKind
    same_case: bool = True


class Choice(NamedTuple):
    """`ambiguous`: number of mentions whose name several items have."""

    mentions: tuple[LinkedMention, ...]
    ambiguous: int


class Option(NamedTuple):
    """A possible mention, with the best kind of name (see NAME_KINDS) of each item that it may mean."""

    start: int
    end: int
    kind: MentionKind
    items: dict[int, int]


def link_mentions(paragraph: Paragraph, kind: MentionKind) -> list[Option]:
    """The links that lead to an item. A link with offsets outside the text is left out."""
    return [
        Option(link.start, link.end, kind, {link.qid: 0})
        for link in paragraph.links
        if link.qid is not None and 0 <= link.start < link.end <= len(paragraph.text)
    ]


def repeated_links(paragraph: Paragraph, links: Iterable[Option]) -> Iterator[Option]:
    """Later occurrences of the texts of links; each means the item of the last link with this text before it."""
    text = paragraph.text
    by_text: dict[str, list[Option]] = defaultdict(list)
    for link in sorted(links, key=lambda link: (link.start, link.end, *link.items)):
        by_text[text[link.start : link.end]].append(link)
    for surface, same in by_text.items():
        if is_name(surface, paragraph.lang):
            for start, end in occurrences(text, surface, paragraph.lang, same[0].end):
                if paragraph.lang == "zh" and LANGUAGE.match(text, end):
                    continue
                latest = next(link for link in reversed(same) if link.end <= start or link is same[0])
                yield Option(start, end, "repeat", latest.items)


def page_names(paragraph: Paragraph, items: Mapping[int, Item]) -> Iterator[Option]:
    """Occurrences of the title of the page and of the names of its item."""
    if paragraph.page is None:
        return
    item = items.get(paragraph.page)
    names = {paragraph.title, without_bracket(paragraph.title)} if paragraph.title else set()
    names.update(item.names if item else ())
    for name in sorted(names):
        if name in paragraph.text and is_name(name, paragraph.lang):
            for start, end in occurrences(paragraph.text, name, paragraph.lang):
                if not item or not is_common_word(paragraph.text, start, end, item, paragraph.lang):
                    yield Option(start, end, "title", {paragraph.page: 0})


def named(paragraph: Paragraph, candidates: Iterable[Candidate], items: Mapping[int, Item]) -> Iterator[Option]:
    """The spans of the candidates, each with all items that it may mean."""
    text, lang = paragraph.text, paragraph.lang
    by_span: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for start, end, qid, kind, case in candidates:
        item = items.get(qid)
        if item is not None and not is_common_word(text, start, end, item, lang):
            ranks, rank = by_span[start, end], NAME_KINDS[kind] + (0 if case else OTHER_CASE)
            ranks[qid] = min(rank, ranks.get(qid, rank))
    if lang == "en":
        split(text, by_span)
    for (start, end), ranks in by_span.items():
        if ranks:
            yield Option(start, end, "name", ranks)


def split(text: str, by_span: dict[tuple[int, int], dict[int, int]]) -> None:
    """Removes `the` from names that also occur without it, and divides `Dallas, Texas` into two names if `Dallas` alone
    may mean the same item.
    """
    for start, end in sorted(by_span):
        span = text[start:end]
        if span.startswith("the ") and (start + 4, end) in by_span:
            inner = by_span[start + 4, end]
            for qid, rank in by_span[start, end].items():
                inner[qid] = min(rank, inner.get(qid, rank))
            del by_span[start, end]
    for start, end in sorted(by_span):
        first, comma, second = text[start:end].partition(", ")
        whole = by_span[start, end]
        city = by_span.get((start, start + len(first)), {})
        if comma and whole.keys() & city.keys() and (end - len(second), end) in by_span:
            for qid in city.keys() - whole.keys():
                del city[qid]
            del by_span[start, end]


PRIORITY: Mapping[str, int] = {"anchor": 0, "given": 0, "repeat": 1, "title": 2, "name": 3}


def disjoint(options: Iterable[Option], length: int, blocked: Iterable[tuple[int, int]] = ()) -> list[Option]:
    """The options that remain if no two may overlap, in the order of the text: links before others, then longer spans,
    then earlier ones, then the kinds in the order of PRIORITY. An option that overlaps a `blocked` span must be it.
    """
    taken = bytearray(length)
    blocked = set(blocked)
    for start, end in blocked:
        taken[start:end] = b"\x01" * (end - start)
    kept = []
    for option in sorted(options, key=order):
        start, end = option.start, option.end
        if 1 not in taken[start:end] or (start, end) in blocked:
            blocked.discard((start, end))
            taken[start:end] = b"\x01" * (end - start)
            kept.append(option)
    return sorted(kept, key=lambda option: option.start)


def order(option: Option) -> tuple:
    priority = PRIORITY[option.kind]
    return priority > 0, option.start - option.end, option.start, priority, sorted(option.items.items())


def surnames(paragraph: Paragraph, mentions: list[Option], items: Mapping[int, Item]) -> Iterator[Option]:
    """Later occurrences of the last word of the names of people, which in English is usually the surname."""
    text = paragraph.text
    for mention in mentions:
        surface = text[mention.start : mention.end]
        surname = surface.rpartition(" ")[2]
        people = {qid: rank for qid, rank in mention.items.items() if qid in items and "human" in items[qid].types}
        if len(people) == len(mention.items) and surname != surface and len(surname) >= SHORTEST_SURNAME:
            places = occurrences(text, surname, paragraph.lang, mention.end) if surname[0].isupper() else ()
            yield from (Option(start, end, "repeat", people) for start, end in places if is_name(surname, "en"))


def scores(paragraph: Paragraph, options: Sequence[Option], items: Mapping[int, Item]) -> list[dict[int, int]]:
    """For each option and each of its items: the number of other texts of options that may mean a neighbour of it.

    Neighbours are counted in both directions. Options that overlap do not count for each other. The item of the page
    counts as one more option.
    """
    places: dict[int, list[tuple[str, int, int]]] = defaultdict(list)  # item → options that may mean it
    for start, end, _, ids in options:
        for qid in ids:
            places[qid].append((paragraph.text[start:end], start, end))
    if paragraph.page is not None and paragraph.page not in places:
        places[paragraph.page].append(("", -1, -1))
    neighbours: dict[int, set[int]] = defaultdict(set)
    for qid in places:
        if qid in items:
            for neighbour in places.keys() & items[qid].neighbours:
                if neighbour != qid:
                    neighbours[qid].add(neighbour)
                    neighbours[neighbour].add(qid)
    support = {qid: {place for other in others for place in places[other]} for qid, others in neighbours.items()}
    result = []
    for start, end, _, ids in options:
        text = paragraph.text[start:end]
        result.append(dict.fromkeys(ids, 0))
        for qid in support.keys() & ids:
            result[-1][qid] = len({other for other, a, b in support[qid] if other != text and (b <= start or a >= end)})
    return result


Scored = list[tuple[Option, dict[int, int]]]
"""Options with their `scores`."""


def plausible(paragraph: Paragraph, options: list[Option], items: Mapping[int, Item]) -> Scored:
    """The options without names that are mentions only if a neighbour is mentioned too, and none is.

    In English these are names in another letter case, single words in lower case, and names with a word in lower case
    that contain the name of an item with a neighbour: `American football team`, if the text is about American football.
    In Chinese see `plausible_chinese`.
    """
    scored = list(zip(options, scores(paragraph, options, items), strict=True))
    if paragraph.lang == "zh":
        chinese = ((plausible_chinese(paragraph.text, *each, items), each[1]) for each in scored)
        return [(option, score) for option, score in chinese if option]
    supported = [(option.start, option.end) for option, score in scored if any(score.values())]
    stop = stop_words("en").words
    kept: Scored = []
    for option, score in scored:
        ids = {qid: rank for qid, rank in option.items.items() if rank < OTHER_CASE or score[qid]}
        if not ids:
            continue
        if option.kind == "name" and not any(score.values()):
            words = paragraph.text[option.start : option.end].split()
            if any(word[0].islower() and word not in stop for word in words):
                within = any(option.start <= start and end <= option.end for start, end in supported)
                if len(words) == 1 or within:
                    continue
        kept.append((option if len(ids) == len(option.items) else option._replace(items=ids), score))
    return kept


def plausible_chinese(text: str, option: Option, score: dict[int, int], items: Mapping[int, Item]) -> Option | None:
    """The option without items that need a neighbour and have none; None if no item is left.

    These are items with a name of at most SHORT_CHINESE_NAME characters, unless it is in quotation marks or the label
    of a PROPER item.
    """
    length = option.end - option.start
    if option.kind != "name" or length > SHORT_CHINESE_NAME or is_quoted(text, option.start, option.end):
        return option
    kept = {
        qid: rank
        for qid, rank in option.items.items()
        if score[qid] or (rank < NAME_KINDS["alias"] and PROPER.intersection(items[qid].types))
    }
    return option._replace(items=kept) if kept else None


def choose(paragraph: Paragraph, candidates: Iterable[Candidate], items: Mapping[int, Item]) -> Choice:
    """The mentions of the paragraph, disjoint and sorted.

    `candidates`: spans that are names of items (`spells`), in any order. `items`: the items of candidates, links and
    the page that the graph has; of each, `label`, `names`, `types` and `neighbours` are used.

    A name that several items have means the item with the highest of `scores`, then with the best kind of name, then
    with the lowest id; a text that is also linked means the item of the first link. Some names with a
    score of 0 are not linked (`plausible`), since they cannot be in a fact. A link without an item may still be a
    name, but no other name overlaps it.
    """
    text = paragraph.text
    links = disjoint(link_mentions(paragraph, "anchor"), len(text))
    without_item = [
        (link.start, link.end)
        for link in paragraph.links
        if link.qid is None and 0 <= link.start < link.end <= len(text)
    ]
    options = [
        *links,
        *repeated_links(paragraph, links),
        *page_names(paragraph, items),
        *named(paragraph, candidates, items),
    ]
    options = [option for option, _ in plausible(paragraph, options, items)]
    mentions = disjoint(options, len(text), without_item)
    if paragraph.lang == "en":
        people = list(surnames(paragraph, mentions, items))
        if people:
            mentions = disjoint([*options, *people], len(text), without_item)
        mentions = whole_names(text, mentions, items)
    linked: dict[str, int] = {}
    for link in links:
        linked.setdefault(text[link.start : link.end], *link.items)
    chosen, ambiguous = [], 0
    for mention, by_score in plausible(paragraph, mentions, items):
        qid = linked.get(text[mention.start : mention.end])
        if qid not in mention.items:
            ambiguous += len(mention.items) > 1
            qid = min(mention.items, key=lambda each: (-by_score[each], mention.items[each], each))
        types = items[qid].types if qid in items else ()
        chosen.append(LinkedMention(mention.start, mention.end, mention.kind, qid, types))
    return Choice(tuple(chosen), ambiguous)


WORD_BEFORE = re.compile(r"([^\W\d_][\w'’.-]*) \Z")
WORD_AFTER = re.compile(r" ([^\W\d_][\w'’-]*)")


def whole_names(text: str, mentions: list[Option], items: Mapping[int, Item]) -> list[Option]:
    """The mentions without single words that are probably part of an unknown longer name, such as `Washington` in
    `Ada Washington`: another capitalised word that is in no mention stands before it, or after a name of a person.
    """
    taken = bytearray(len(text) + 1)
    for mention in mentions:
        taken[mention.start : mention.end] = b"\x01" * (mention.end - mention.start)
    stop = stop_words("en").words | stop_words("en").titles
    kept = []
    for mention in mentions:
        surface = text[mention.start : mention.end]
        if mention.kind == "name" and " " not in surface and surface[0].isupper():
            before = WORD_BEFORE.search(text, max(mention.start - 30, 0), mention.start)
            if before and not taken[before.start()] and before[1][0].isupper() and before[1].lower() not in stop:
                continue
            after = WORD_AFTER.match(text, mention.end)
            if after and not taken[after.start(1)] and after[1][0].isupper() and after[1].lower() not in stop:
                others = {qid: rank for qid, rank in mention.items.items() if "human" not in items[qid].types}
                if not others:
                    continue
                mention = mention._replace(items=others)
        kept.append(mention)
    return kept


def given(paragraph: Paragraph, items: Mapping[int, Item]) -> Choice:
    """The links that come with the paragraph, and nothing else."""
    mentions = disjoint(link_mentions(paragraph, "given"), len(paragraph.text))
    return Choice(
        tuple(
            LinkedMention(start, end, kind, qid, items[qid].types if qid in items else ())
            for start, end, kind, ids in mentions
            for qid in ids
        ),
        0,
    )
