"""What counts as right, missed, linked and safe to ask when facts are compared with annotated ones."""

import pytest

from benchmarks import knowledge_score
from benchmarks.knowledge_facts import End, Gold, GoldFact, GoldMention, GoldText, Relation
from benchmarks.knowledge_score import Result
from schemas.knowledge import Fact, Item, LinkedMention, MatchedParagraph, Paragraph, Statement

TEXT = "Ada Lund was born in Brevik in 1913. Lund studied in Skerry."
ADA = LinkedMention(0, 8, "name", 7, ("human",))
BREVIK = LinkedMention(21, 27, "name", 9, ("geographic_region",))
YEAR = LinkedMention(31, 35, "value", None, ("time",))
LUND = LinkedMention(37, 41, "repeat", 7, ("human",))
SKERRY = LinkedMention(53, 59, "name", 11, ("geographic_region",))
MENTIONS = (ADA, BREVIK, YEAR, LUND, SKERRY)

END_ADA, END_BREVIK = End("Ada Lund", 7, ((0, 8), (37, 41))), End("Brevik", 9, ((21, 27),))
BORN = GoldFact("born in", END_ADA, END_BREVIK, True)
BORN_ON = GoldFact("born on", END_ADA, End("1 January 1913"), True, True)
STUDIED = GoldFact("studied in", END_ADA, End("Skerry", None, ((53, 59),)), False)


def gold_text(*facts: GoldFact) -> GoldText:
    relations = frozenset(("born in", "born on", "studied in", "lives in"))
    mentions = (GoldMention(0, 8, 7), GoldMention(21, 27, 9), GoldMention(53, 59, 12))
    return GoldText("0", TEXT, relations, facts, mentions, "set")


def report(
    facts: tuple[GoldFact, ...],
    predicted: tuple[Fact, ...],
    unknown: tuple[str, ...] = (),
    statements=(),
    text=TEXT,
    rejected=False,
) -> dict:
    gold = Gold("set", {name: Relation(name, {1: False}) for name in gold_text().relations}, (gold_text(*facts),))
    paragraph = MatchedParagraph(Paragraph("0", "en", text), "gold", MENTIONS, predicted, unknown)
    items = {7: Item(7, "Ada Lund", ("Ada Lund",), ("human",), tuple(statements), frozenset())}
    allows = lambda relation, head, tail: "human" in head and "geographic_region" in tail  # noqa: E731
    paragraphs = {} if rejected else {"0": paragraph}
    result = Result(paragraphs, lambda _: items, allows, lambda types: "Person" if types else None)
    scores = knowledge_score.score(gold, result, 0.5)
    return knowledge_score.as_json(scores, 9)


def test_a_fact_that_several_mentions_state_counts_once():
    figures = report((BORN,), (Fact("born in", 0, 1, 1, 0.9), Fact("born in", 3, 1, 1, 0.4), Fact("born in", 3, 1, 1)))
    assert (figures["precision"], figures["recall"], figures["f1"]) == (1.0, 1.0, 1.0)
    assert figures["predicted"] == 1 and figures["by_relation"]["born in"]["right"] == 1


def test_only_relations_of_the_text_and_scores_above_the_cut_count():
    figures = report((BORN,), (Fact("knows", 0, 1, 1, 0.9), Fact("born in", 0, 1, 1, 0.4)))
    assert (figures["predicted"], figures["recall"]) == (0, 0.0)
    assert figures["causes"]["missed"] == {"score below the cut": 1}


def test_recall_counts_the_named_facts_and_precision_all():
    figures = report((BORN, STUDIED), (Fact("studied in", 3, 4, 1, 0.9),))
    assert (figures["precision"], figures["recall"], figures["recall_of_all"]) == (1.0, 0.0, 0.5)
    assert figures["recall_ceiling"] == 0.5


def test_values_are_counted_apart_and_compared_by_year():
    figures = report((BORN, BORN_ON), (Fact("born on", 0, 2, 1, 0.9), Fact("born in", 0, 2, 1, 0.9)))
    assert figures["predicted"] == 0
    assert (figures["values"]["precision"], figures["values"]["recall"]) == (0.5, 1.0)


def test_a_swapped_fact_is_wrong_and_says_so():
    figures = report((BORN,), (Fact("born in", 1, 0, 1, 0.9),))
    assert (figures["right"], figures["causes"]["wrong"]) == (0, {"annotated in the other direction": 1})
    assert figures["ontology_conformance"] == 0.0
    (wrong, missed) = figures["errors"]
    assert (wrong["kind"], wrong["head"], wrong["tail"], wrong["score"]) == ("wrong", "Brevik", "Ada Lund", 0.9)
    assert (missed["kind"], missed["cause"]) == ("missed", "not in the graph")


@pytest.mark.parametrize(
    ("tail", "statements", "cause"),
    [
        (End("Brevik", 9, ((21, 27),)), [Statement(1, "item", 9)], "excluded when facts are matched"),
        (End("Brevik", 9, ((21, 27),)), [Statement(1, "item", 8), Statement(2, "item", 9)], "not in the graph"),
        (End("Skerry", 12, ((53, 59),)), [], "linked to another item"),
        (End("studied", 13, ((42, 49),)), [], "mention not recognised"),
    ],
)
def test_a_miss_has_a_cause(tail, statements, cause):
    figures = report((GoldFact("born in", END_ADA, tail, True),), (), (), statements)
    assert figures["causes"]["missed"] == {cause: 1}


def test_linking_counts_mentions_of_the_annotated_items():
    figures = report((), ())
    assert figures["linking_accuracy"] == round(2 / 3, 4)  # Skerry is linked to another item


def test_a_text_without_fact_that_gets_one():
    assert report((), (Fact("lives in", 0, 1, 1, 0.9),))["texts_without_fact_that_get_one"] == 1.0
    assert report((), ())["texts_without_fact_that_get_one"] == 0.0
    assert report((BORN,), ())["texts_without_fact_that_get_one"] is None


def test_unknown_relations_are_not_wrong_negatives():
    figures = report((BORN, STUDIED), (), ("born in", "lives in"))
    assert figures["wrong_negatives_without_unknown"] == 2  # born in, studied in
    assert (figures["wrong_negatives"], figures["wrong_negatives_avoided"]) == (1, 1)
    assert (figures["negatives_without_unknown"], figures["negatives"]) == (4, 2)


def test_ends_that_do_not_spell_their_offsets_are_hallucinated():
    predicted = (Fact("born in", 0, 1, 1, 0.9),)
    assert report((BORN,), predicted)["hallucinated_ends"] == 0
    assert report((BORN,), predicted, text=TEXT.replace("Ada", "Ida"))["hallucinated_ends"] == 1
    assert knowledge_score.spells("ab cd", "ab cd", LinkedMention(0, 3, "name", 1)) is False
    assert knowledge_score.spells("ab cd", "ab cd", LinkedMention(3, 9, "name", 1)) is False


def test_errors_are_spread_over_the_texts():
    differences = [knowledge_score.Difference("wrong", "", "", str(at), "", "") for at in range(10)]
    scores = knowledge_score.Report(differences=differences)
    assert [d.head for d in knowledge_score.sample(scores, "wrong", 3)] == ["0", "3", "6"]
    assert len(knowledge_score.sample(scores, "wrong", 99)) == 10


def test_facts_are_counted_by_the_theme_of_their_head():
    figures = report((BORN,), (Fact("born in", 0, 1, 1, 0.9), Fact("born in", 1, 0, 1, 0.9)))
    assert {theme: (t["facts"], t["predicted"]) for theme, t in figures["by_theme"].items()} == {
        "Person": (1, 1),
        "none": (0, 1),
    }


def test_a_rejected_text_states_nothing():
    figures = report((BORN,), (Fact("born in", 0, 1, 1, 0.9),), rejected=True)
    assert (figures["texts_rejected"], figures["predicted"], figures["recall"]) == (1, 0, 0.0)
