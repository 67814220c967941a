"""Annotated texts → claims with the answer whether the text states them, to fit and measure scorers of entailment.

- `rebel`: every statement of the graph between two mentions of a text, with one of the properties of the set.
- `knowledgenet`: every statement of the graph between two names of items in a passage, with a property that is
  annotated completely in it. Names are recognised by string comparison.
- `pairs`: annotated mentions of a passage of KnowledgeNet, paired in a way that is not annotated ("born in Paris, she
  moved to London": born in London). The graph has no part in them, so they test only the words of the text.
- `words`: every statement of the graph about a lower-case word in the texts of REBEL that is the name of an item
  ("designer": subclass of artist).
- `text2kgbench`: annotated triples whose ends are named. Only for recall: what is missing there is not wrong.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from benchmarks.knowledge_facts import Gold, GoldText
from benchmarks.knowledge_gold import is_name
from schemas.example import Span
from transforms.knowledge import dump_files, wikidata
from validation.claims import Claim

TOKEN = re.compile(r"\w+(?:[.'’&-]\w+)*|\S")
MAX_NAME_TOKENS = 8
MIN_NAME_CHARS = 3

KINDS = (
    ("PLACE_OF_BIRTH", "PLACE_OF_RESIDENCE", "NATIONALITY"),
    ("SPOUSE", "CHILD_OF"),
    ("EMPLOYEE_OR_MEMBER_OF", "EDUCATED_AT", "POLITICAL_AFFILIATION"),
    ("FOUNDED_BY", "CEO"),
    ("DATE_OF_BIRTH", "DATE_OF_DEATH"),
)
"""Relations of KnowledgeNet between ends of the same kinds."""

PAIR_PROPERTIES = {"CHILD_OF": 22}
"""The property of a pair, if it is not the first one of the relation: one from child to parent."""


@dataclass(frozen=True)
class Case:
    """A possible fact of the text number `text`. `claims`: one for each pair of its mentions."""

    text: int
    claims: tuple[Claim, ...]
    stated: bool


@dataclass(frozen=True)
class Graph:
    """`statements`: item → (property, item) of its statements with an item as value. `names`: name → items."""

    statements: Mapping[int, Sequence[tuple[int, int]]]
    names: Mapping[str, Sequence[int]]


def read_graph(paths: Sequence[str], sets: Iterable[Gold]) -> Graph:
    """The statements of all properties that the sets use, and the English names of all items."""
    relations = [relation for gold in sets for relation in gold.relations.values()]
    properties = frozenset(property for relation in relations for property in relation.properties)
    reader = wikidata.Reader("en", properties)
    statements: dict[int, list[tuple[int, int]]] = {}
    names: dict[str, list[int]] = defaultdict(list)
    for file in dump_files.find(paths, "--wikidata"):
        for row in reader.read(dump_files.lines(file), file.name):
            if isinstance(row, wikidata.ItemRow) and row.qid not in statements:
                statements[row.qid] = [(number, value) for number, _, value, *_ in row.statements if value is not None]
                for name in row.names:
                    names[name].append(row.qid)
    return Graph(statements, names)


def spans_by_item(mentions: Iterable[tuple[Span, Sequence[int]]]) -> dict[int, list[Span]]:
    spans: dict[int, list[Span]] = defaultdict(list)
    for span, qids in mentions:
        for qid in qids:
            spans[qid].append(span)
    return spans


def known_facts(graph: Graph, items: Iterable[int], properties: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """(item, property, item) of the statements between two different items of a text, sorted."""
    items, properties = set(items), frozenset(properties)
    facts = {
        (item, property, value)
        for item in items
        for property, value in graph.statements.get(item, ())
        if property in properties and value in items and value != item
    }
    return iter(sorted(facts))


def claims(
    text: GoldText,
    property: int,
    heads: Sequence[Span],
    tails: Sequence[Span],
    mentions: Sequence[Span],
    page: tuple[bool, bool] = (False, False),
    by_name: bool = True,
) -> tuple[Claim, ...]:
    """`page`: whether head and tail are the item of the page."""
    name = f"P{property}"
    return tuple(
        Claim(text.text, "en", head, tail, name, name, property, tuple(mentions), *page, by_name)
        for head, tail in product(heads, tails)
        if head != tail
    )


def rebel(gold: Gold, graph: Graph) -> Iterator[Case]:
    properties = [property for relation in gold.relations.values() for property in relation.properties]
    for number, text in enumerate(gold.texts):
        spans = spans_by_item(((m.start, m.end), (m.qid,)) for m in text.mentions)
        mentions = sorted({span for group in spans.values() for span in group})
        stated = {(fact.head.qid, int(fact.relation[1:]), fact.tail.qid) for fact in text.facts}
        for head, property, tail in known_facts(graph, spans, properties):
            page = (head == text.page, tail == text.page)
            cases = claims(text, property, spans[head], spans[tail], mentions, page, by_name=False)
            if cases:
                yield Case(number, cases, (head, property, tail) in stated)


def words(gold: Gold, graph: Graph) -> Iterator[Case]:
    properties = [property for relation in gold.relations.values() for property in relation.properties]
    for number, text in enumerate(gold.texts):
        words = list(linked(text.text, graph.names, lower_case=True))
        heads = spans_by_item(words)
        spans = spans_by_item([*words, *(((m.start, m.end), (m.qid,)) for m in text.mentions)])
        mentions = sorted({span for group in spans.values() for span in group})
        stated = {(fact.head.qid, int(fact.relation[1:]), fact.tail.qid) for fact in text.facts}
        for head, property, tail in known_facts(graph, spans, properties):
            cases = claims(text, property, heads.get(head, ()), spans[tail], mentions)
            if cases:
                yield Case(number, cases, (head, property, tail) in stated)


def linked(
    text: str, names: Mapping[str, Sequence[int]], lower_case: bool = False
) -> Iterator[tuple[Span, Sequence[int]]]:
    """The longest names of items in the text from left to right, with their items: those with a word in upper case, or
    those that begin in lower case.
    """
    tokens = [match.span() for match in TOKEN.finditer(text)]
    first = 0
    while first < len(tokens):
        for last in range(min(len(tokens), first + MAX_NAME_TOKENS), first, -1):
            start, end = tokens[first][0], tokens[last - 1][1]
            name = text[start:end]
            fits = name[0].islower() if lower_case else is_name(name)
            if fits and end - start >= MIN_NAME_CHARS and name in names:
                yield (start, end), names[name]
                first = last - 1
                break
        first += 1


def overlap(some: Iterable[Span], others: Iterable[Span]) -> bool:
    return any(a[0] < b[1] and b[0] < a[1] for a, b in product(some, others))


def knowledgenet(gold: Gold, graph: Graph) -> Iterator[Case]:
    for number, text in enumerate(gold.texts):
        spans = spans_by_item(linked(text.text, graph.names))
        mentions = sorted({span for group in spans.values() for span in group})
        for relation in sorted(text.relations):
            properties = gold.relations[relation].properties
            for item, property, value in known_facts(graph, spans, properties):
                head, tail = (value, item) if properties[property] else (item, value)
                stated = any(
                    fact.relation == relation
                    and (fact.head.qid == head or overlap(fact.head.spans, spans[head]))
                    and (fact.tail.qid == tail or overlap(fact.tail.spans, spans[tail]))
                    for fact in text.facts
                )
                cases = claims(text, property, spans[item], spans[value], mentions)
                if cases:
                    yield Case(number, cases, stated)


def pairs(gold: Gold, graph: Graph) -> Iterator[Case]:
    for number, text in enumerate(gold.texts):
        names = {span for span, _ in linked(text.text, graph.names)}
        ends = {span for fact in text.facts for end in (fact.head, fact.tail) for span in end.spans}
        mentions = sorted(names | ends)
        for kind in KINDS:
            facts = [fact for fact in text.facts if fact.relation in kind]
            facts = [f for f in facts if is_name(f.head.text) and (f.is_value or is_name(f.tail.text))]
            stated = {(fact.relation, fact.head.text, fact.tail.text) for fact in facts}
            heads, tails = {fact.head.text: fact.head for fact in facts}, {fact.tail.text: fact.tail for fact in facts}
            if kind == ("SPOUSE", "CHILD_OF"):
                heads = tails = heads | tails
            for relation, (head, first), (tail, second) in product(kind, heads.items(), tails.items()):
                if relation in text.relations and head != tail:
                    property = PAIR_PROPERTIES.get(relation, next(iter(gold.relations[relation].properties)))
                    cases = claims(text, property, first.spans, second.spans, mentions)
                    if cases:
                        yield Case(number, cases, (relation, head, tail) in stated)


def text2kgbench(gold: Gold) -> Iterator[Case]:
    for number, text in enumerate(gold.texts):
        mentions = [(mention.start, mention.end) for mention in text.mentions]
        for fact in text.facts:
            if fact.named and fact.tail.qid is not None:
                property = int(fact.relation[1:])
                cases = claims(text, property, fact.head.spans, fact.tail.spans, mentions)
                if cases:
                    yield Case(number, cases, True)
