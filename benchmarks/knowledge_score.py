"""Compares the facts of `pipelines.knowledge` with those that others annotated.

Precision is the share of the predicted facts that are annotated; recall is that of the annotated facts whose ends the
text names. Both count each fact of a text once, and only facts between two items. Facts with a value (a date, quantity
or string) as tail are counted separately.

Two ends are the same if they have the same item. An annotated end without an item is the same as a mention that
overlaps it or has its text, and a date is the same as a mention with the same year.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.knowledge_facts import End, Gold, GoldFact, GoldText, Span
from schemas.knowledge import Fact, Item, LinkedMention, MatchedParagraph, Paragraph

NO_THEME = "none"
YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")


@dataclass(frozen=True)
class Result:
    """What the pipeline made of the texts of a set.

    `paragraphs`: by the id of the text. `items(text id)`: the candidates of a text by their ids. `allows(relation,
    types of the head, types of the tail)`: whether the themes file allows the relation between them. `theme(types)`:
    the theme of an item of these types.
    """

    paragraphs: Mapping[str, MatchedParagraph]
    items: Callable[[str], Mapping[int, Item]]
    allows: Callable[[str, Sequence[str], Sequence[str]], bool]
    theme: Callable[[Collection[str]], str | None]


@dataclass(frozen=True)
class Prediction:
    """A fact of the pipeline, with all mentions of its head and tail that state it in this text. `tail_qid`: None for
    a value.
    """

    relation: str
    head_qid: int | None
    tail_qid: int | None
    heads: tuple[LinkedMention, ...]
    tails: tuple[LinkedMention, ...]
    score: float

    @property
    def is_value(self) -> bool:
        return self.tail_qid is None


@dataclass
class Tally:
    """`named`: annotated facts whose ends are named; `matched_named`: those of them that are predicted."""

    predicted: int = 0
    right: int = 0
    gold: int = 0
    matched: int = 0
    named: int = 0
    matched_named: int = 0

    def as_json(self) -> dict:
        precision, recall = ratio(self.right, self.predicted), ratio(self.matched_named, self.named)
        total = (precision or 0.0) + (recall or 0.0)
        return {
            "precision": precision,
            "recall": recall,
            "f1": round(2 * (precision or 0.0) * (recall or 0.0) / total, 4) if total else 0.0,
            "predicted": self.predicted,
            "right": self.right,
            "facts": self.gold,
            "facts_named": self.named,
            "recall_of_all": ratio(self.matched, self.gold),
            "recall_ceiling": ratio(self.named, self.gold),
        }


@dataclass(frozen=True)
class Difference:
    """A wrong prediction or a missed fact, for reading."""

    kind: str
    cause: str
    relation: str
    head: str
    tail: str
    text: str
    score: float | None = None


@dataclass
class Report:
    """The counts over all texts. `negatives`: relations of a text that the pipeline does not predict, by whether the
    text states them and whether `unknown` keeps them from being asked.
    """

    items: Tally = field(default_factory=Tally)
    values: Tally = field(default_factory=Tally)
    by_relation: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_group: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_theme: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    counts: Counter = field(default_factory=Counter)
    negatives: Counter = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)


def ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def predictions(text: GoldText, paragraph: MatchedParagraph, min_score: float) -> list[Prediction]:
    """The facts of a paragraph with at least this score and a relation that is annotated in the text, each once."""
    by_key: dict[tuple, list[Fact]] = {}
    for fact in paragraph.facts:
        if (fact.score is None or fact.score >= min_score) and fact.relation in text.relations:
            tail = paragraph.mentions[fact.tail]
            value = text.text[tail.start : tail.end].casefold() if tail.qid is None else tail.qid
            by_key.setdefault((fact.relation, paragraph.mentions[fact.head].qid, value), []).append(fact)
    return [
        Prediction(
            relation,
            head,
            None if isinstance(value, str) else value,
            tuple(paragraph.mentions[fact.head] for fact in facts),
            tuple(paragraph.mentions[fact.tail] for fact in facts),
            max(1.0 if fact.score is None else fact.score for fact in facts),
        )
        for (relation, head, value), facts in by_key.items()
    ]


def overlaps(span: Span, mention: LinkedMention) -> bool:
    return span[0] < mention.end and mention.start < span[1]


def is_same(text: str, end: End, qid: int | None, mentions: Iterable[LinkedMention]) -> bool:
    """Whether an annotated end and the end of a prediction, with this item and these mentions, are the same."""
    if end.qid is not None and qid is not None:
        return end.qid == qid
    if end.qid is not None:
        return False
    surfaces = {text[mention.start : mention.end].casefold() for mention in mentions}
    if end.text.casefold() in surfaces or any(overlaps(span, mention) for span in end.spans for mention in mentions):
        return True
    years = set(YEAR.findall(end.text))
    return qid is None and any(years & set(YEAR.findall(surface)) for surface in surfaces)


def agrees(text: str, fact: GoldFact, prediction: Prediction) -> bool:
    return (
        fact.relation == prediction.relation
        and is_same(text, fact.head, prediction.head_qid, prediction.heads)
        and is_same(text, fact.tail, prediction.tail_qid, prediction.tails)
    )


def score(gold: Gold, result: Result, min_score: float) -> Report:
    """Compares each text with the paragraph of its id. A text that the pipeline has rejected states nothing."""
    report = Report()
    for text in gold.texts:
        paragraph = result.paragraphs.get(text.id)
        if paragraph is None:
            report.counts["texts_rejected"] += 1
            paragraph = MatchedParagraph(Paragraph(text.id, "", text.text), None, (), ())
            items: Mapping[int, Item] = {}
        else:
            items = result.items(text.id)
        predicted = predictions(text, paragraph, min_score)
        count_facts(report, text, predicted, items, result)
        count_links(report, text, paragraph)
        count_ends(report, text, paragraph, predicted, result)
        count_negatives(report, text, paragraph, predicted)
        report.differences += misses(gold, text, paragraph, predicted, items)
        report.differences += wrong(gold, text, predicted)
    return report


def count_facts(
    report: Report, text: GoldText, predicted: list[Prediction], items: Mapping[int, Item], result: Result
) -> None:
    """Facts are counted by relation, by part of the set, and by the theme of their head."""

    def tallies(fact: GoldFact | Prediction, head: int | None) -> Iterator[Tally]:
        if fact.is_value:
            yield report.values
            return
        types = items[head].types if head is not None and head in items else ()
        yield report.items
        yield report.by_relation[fact.relation]
        yield report.by_group[text.group]
        yield report.by_theme[result.theme(types) or NO_THEME]

    right = [any(agrees(text.text, fact, prediction) for fact in text.facts) for prediction in predicted]
    for prediction, is_right in zip(predicted, right, strict=True):
        for tally in tallies(prediction, prediction.head_qid):
            tally.predicted += 1
            tally.right += is_right
    for fact in text.facts:
        matched = any(agrees(text.text, fact, prediction) for prediction in predicted)
        for tally in tallies(fact, fact.head.qid):
            tally.gold += 1
            tally.matched += matched
            tally.named += fact.named
            tally.matched_named += matched and fact.named
    report.counts["texts"] += 1
    if not text.facts:
        report.counts["texts_without_fact"] += 1
        report.counts["texts_without_fact_that_get_one"] += bool(predicted)


def count_links(report: Report, text: GoldText, paragraph: MatchedParagraph) -> None:
    """A mention of an item is linked right if a mention that overlaps it has its item."""
    for mention in text.mentions:
        span = (mention.start, mention.end)
        qids = {other.qid for other in paragraph.mentions if other.qid is not None and overlaps(span, other)}
        report.counts["mentions"] += 1
        report.counts["mentions_recognised"] += bool(qids)
        report.counts["mentions_linked_right"] += mention.qid in qids


def count_ends(
    report: Report, text: GoldText, paragraph: MatchedParagraph, predicted: list[Prediction], result: Result
) -> None:
    for prediction in predicted:
        head, tail = prediction.heads[0].types, prediction.tails[0].types
        report.counts["predicted"] += 1
        report.counts["conformant"] += result.allows(prediction.relation, head, tail)
        report.counts["untyped"] += not (head and tail)
        for mention in (*prediction.heads, *prediction.tails):
            report.counts["ends"] += 1
            report.counts["hallucinated_ends"] += not spells(text.text, paragraph.paragraph.text, mention)


def spells(original: str, text: str, mention: LinkedMention) -> bool:
    """Whether the offsets of a mention cut the same words out of the text as it was given and as it came back."""
    surface = original[mention.start : mention.end]
    inside = 0 <= mention.start < mention.end <= len(original)
    return inside and surface == text[mention.start : mention.end] and surface == surface.strip()


def count_negatives(report: Report, text: GoldText, paragraph: MatchedParagraph, predicted: list[Prediction]) -> None:
    """A relation that a row does not state may be asked as a negative, which is wrong if the text states it."""
    stated = {fact.relation for fact in text.facts}
    for relation in text.relations - {prediction.relation for prediction in predicted}:
        report.negatives[relation in stated, relation in paragraph.unknown] += 1


def misses(
    gold: Gold, text: GoldText, paragraph: MatchedParagraph, predicted: list[Prediction], items: Mapping[int, Item]
) -> Iterator[Difference]:
    """The annotated facts between two named items that are not predicted."""
    everything = predictions(text, paragraph, 0.0)
    for fact in text.facts:
        is_counted = fact.named and not fact.is_value
        if is_counted and not any(agrees(text.text, fact, prediction) for prediction in predicted):
            is_cut = any(agrees(text.text, fact, prediction) for prediction in everything)
            cause = "score below the cut" if is_cut else cause_of_miss(gold, paragraph, fact, items)
            yield Difference("missed", cause, fact.relation, fact.head.text, fact.tail.text, text.text)


def cause_of_miss(gold: Gold, paragraph: MatchedParagraph, fact: GoldFact, items: Mapping[int, Item]) -> str:
    for end in (fact.head, fact.tail):
        linked = {m.qid for m in paragraph.mentions if m.qid and any(overlaps(span, m) for span in end.spans)}
        if not linked:
            return "mention not recognised"
        if end.qid is not None and end.qid not in {mention.qid for mention in paragraph.mentions}:
            return "linked to another item"
    for property, is_reversed in gold.relations[fact.relation].properties.items():
        subject, value = (fact.tail, fact.head) if is_reversed else (fact.head, fact.tail)
        item = None if subject.qid is None else items.get(subject.qid)
        statements = item.statements if item else ()
        if any(statement.property == property and statement.item == value.qid for statement in statements):
            return "excluded when facts are matched"
    return "not in the graph"


def wrong(gold: Gold, text: GoldText, predicted: list[Prediction]) -> Iterator[Difference]:
    """The predicted facts between items that are not annotated."""
    for prediction in predicted:
        if prediction.is_value or any(agrees(text.text, fact, prediction) for fact in text.facts):
            continue
        head, tail = prediction.heads[0], prediction.tails[0]
        yield Difference(
            "wrong",
            cause_of_error(text, prediction),
            prediction.relation,
            text.text[head.start : head.end],
            text.text[tail.start : tail.end],
            text.text,
            prediction.score,
        )


def cause_of_error(text: GoldText, prediction: Prediction) -> str:
    for qid, mentions in ((prediction.head_qid, prediction.heads), (prediction.tail_qid, prediction.tails)):
        gold = {m.qid for m in text.mentions for mention in mentions if overlaps((m.start, m.end), mention)}
        if gold and qid not in gold:
            return "linked to another item"
    pairs = {(fact.head.qid, fact.tail.qid) for fact in text.facts}
    if (prediction.head_qid, prediction.tail_qid) in pairs:
        return "annotated with another relation"
    if (prediction.tail_qid, prediction.head_qid) in pairs:
        return "annotated in the other direction"
    return "not annotated"


def as_json(report: Report, errors: int) -> dict:
    """All figures. `errors`: how many wrong predictions and misses to show of each kind, evenly spread."""
    counts, negatives = report.counts, report.negatives
    return {
        **report.items.as_json(),
        "texts": counts["texts"],
        "texts_rejected": counts["texts_rejected"],
        "texts_without_fact": counts["texts_without_fact"],
        "texts_without_fact_that_get_one": ratio(
            counts["texts_without_fact_that_get_one"], counts["texts_without_fact"]
        ),
        "linking_accuracy": ratio(counts["mentions_linked_right"], counts["mentions"]),
        "linking_accuracy_of_recognised": ratio(counts["mentions_linked_right"], counts["mentions_recognised"]),
        "mentions": counts["mentions"],
        "ontology_conformance": ratio(counts["conformant"], counts["predicted"]),
        "facts_with_untyped_end": ratio(counts["untyped"], counts["predicted"]),
        "hallucinated_ends": counts["hallucinated_ends"],
        "ends": counts["ends"],
        "wrong_negatives_without_unknown": negatives[True, False] + negatives[True, True],
        "wrong_negatives": negatives[True, False],
        "wrong_negatives_avoided": negatives[True, True],
        "negatives_without_unknown": sum(negatives.values()),
        "negatives": negatives[True, False] + negatives[False, False],
        "values": report.values.as_json(),
        "by_relation": {name: tally.as_json() for name, tally in sorted(report.by_relation.items())},
        "by_theme": {name: tally.as_json() for name, tally in sorted(report.by_theme.items())},
        "by_group": {name: tally.as_json() for name, tally in sorted(report.by_group.items())},
        "causes": causes(report.differences),
        "errors": [vars(difference) for kind in ("wrong", "missed") for difference in sample(report, kind, errors)],
    }


def causes(differences: Iterable[Difference]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter] = {"wrong": Counter(), "missed": Counter()}
    for difference in differences:
        counts[difference.kind][difference.cause] += 1
    return {kind: dict(sorted(of_kind.items(), key=lambda pair: -pair[1])) for kind, of_kind in counts.items()}


def sample(report: Report, kind: str, count: int) -> list[Difference]:
    """At most `count` differences of a kind, evenly spread over the texts."""
    chosen = [difference for difference in report.differences if difference.kind == kind]
    if count >= len(chosen):
        return chosen
    return [chosen[at * len(chosen) // count] for at in range(count)]
