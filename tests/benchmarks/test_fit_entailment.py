"""The fit of the built-in score of facts: claims of annotated texts, the solver, and the figures."""

import numpy as np
import pytest

from benchmarks import entailment_sets
from benchmarks.entailment_sets import Case, Graph
from benchmarks.fit_entailment import BOUNDS, Examples, cross_validate, cut_at, data_file, figures, fit, prepare, solve
from benchmarks.knowledge_facts import End, Gold, GoldFact, GoldMention, GoldText, Relation
from benchmarks.knowledge_gold import KNOWLEDGENET
from validation.claims import Claim
from validation.lexical_entailment import FEATURES, read_weights

FREE = np.array([(-np.inf, np.inf)] * 2)


def test_the_solution_is_that_of_logistic_regression():
    values = np.array([[1.0, 0.0]] * 4 + [[1.0, 1.0]] * 4)
    stated = np.array([1, 1, 1, 0, 1, 0, 0, 0], float)
    solution = solve(values, stated, np.ones(8), np.full(2, 1e-9), FREE)
    assert solution == pytest.approx([np.log(3), np.log(1 / 3) - np.log(3)], abs=1e-4)
    shrunk = solve(values, stated, np.ones(8), np.array([1e-9, 5.0]), FREE)
    assert solution[1] < shrunk[1] < 0


def test_the_solution_stays_within_its_bounds():
    values = np.array([[1.0, 0.0]] * 4 + [[1.0, 1.0]] * 4)
    stated = np.array([1, 1, 1, 0, 1, 0, 0, 0], float)
    bounds = np.array([(-np.inf, np.inf), (0, np.inf)])
    assert solve(values, stated, np.ones(8), np.full(2, 1e-9), bounds) == pytest.approx([0, 0], abs=1e-4)
    bounds = np.array([(-np.inf, np.inf), (-1, 0)])
    assert solve(values, stated, np.ones(8), np.full(2, 1e-9), bounds)[1] == -1


def test_the_bounds_are_those_of_the_features():
    assert list(BOUNDS) == list(FEATURES)


def rebel() -> Gold:
    mentions = (GoldMention(0, 3, 1), GoldMention(10, 17, 2), GoldMention(21, 27, 3))
    stated = GoldFact("P19", End("Ada", 1, ((0, 3),)), End("Lowdale", 2, ((10, 17),)), True)
    relations = {"P19": Relation("place of birth", {19: False}), "P131": Relation("in", {131: False})}
    text = GoldText("0", "Ada is of Lowdale in Norway.", frozenset(relations), (stated,), mentions, "rebel", None, 1)
    return Gold("rebel", relations, (text,))


def test_claims_of_rebel_are_the_statements_between_its_mentions():
    graph = Graph({1: [(19, 2), (20, 2), (19, 9)], 2: [(131, 3), (131, 2)]}, {})
    cases = list(entailment_sets.rebel(rebel(), graph))
    assert [(case.claims[0].property, case.stated) for case in cases] == [(19, True), (131, False)]
    assert cases[0].claims[0].head_is_page and not cases[1].claims[0].head_is_page
    assert not cases[0].claims[0].by_name
    assert cases[0].claims[0].mentions == ((0, 3), (10, 17), (21, 27))


def passages() -> Gold:
    text = "Ada Quill was born in Lowdale and moved to Norland."
    head = End("Ada Quill", 1, ((0, 9),))
    facts = (
        GoldFact("PLACE_OF_BIRTH", head, End("Lowdale", 2, ((22, 29),)), True),
        GoldFact("PLACE_OF_RESIDENCE", head, End("Norland", 3, ((43, 50),)), True),
    )
    relations = frozenset({"PLACE_OF_BIRTH", "PLACE_OF_RESIDENCE"})
    return Gold("knowledgenet", KNOWLEDGENET, (GoldText("0", text, relations, facts, (), "knowledgenet"),))


def test_claims_of_knowledgenet_are_the_statements_between_names():
    graph = Graph({1: [(19, 2), (551, 2), (69, 3)]}, {"Ada Quill": [1], "Quill": [9], "Lowdale": [2], "Norland": [3]})
    cases = list(entailment_sets.knowledgenet(passages(), graph))
    assert [(case.claims[0].property, case.stated) for case in cases] == [(19, True), (551, False)]


def test_pairs_are_annotated_mentions_in_all_combinations():
    cases = list(entailment_sets.pairs(passages(), Graph({}, {})))
    text = cases[0].claims[0].text
    assert [(case.claims[0].property, text[slice(*case.claims[0].tail)], case.stated) for case in cases] == [
        (19, "Lowdale", True),
        (19, "Norland", False),
        (551, "Lowdale", False),
        (551, "Norland", True),
    ]


def test_claims_about_words_are_the_statements_about_lower_case_names():
    graph = Graph({1: [(19, 2)], 7: [(131, 3)]}, {"Ada": [1], "Lowdale": [2], "of Lowdale": [7]})
    (case,) = entailment_sets.words(rebel(), graph)
    assert case.claims[0].head == (7, 17)
    assert case.claims[0].by_name and not case.stated


def test_linked_names_are_the_longest_ones():
    names = {"New": [1], "New Lowdale": [2], "lowdale": [3], "Bo": [4]}
    assert list(entailment_sets.linked("The New Lowdale of Bo, lowdale.", names)) == [((4, 15), [2])]


def some_examples(name: str, texts: int = 40) -> Examples:
    """Half of the claims have the word of their relation, and are stated."""
    cases = []
    for number in range(texts):
        text = "Ada was born in Lowdale." if number % 2 else "Ada once met in Lowdale."
        claim = Claim(text, "en", (0, 3), (16, 23), "place of birth", "place of birth", 19, ((0, 3), (16, 23)))
        cases.append(Case(number, (claim,), bool(number % 2)))
    return prepare(name, cases)


def test_what_is_fitted_is_written_and_read_again(tmp_path):
    examples = some_examples("rebel")
    fitted = fit([examples])
    path = tmp_path / "weights.yaml"
    path.write_text(data_file(fitted))
    weights = read_weights(path)
    assert weights.features["cue"] > 0 > weights.features["cue_missing"]
    assert weights.features["listed"] == 0
    assert weights.relations.keys() == {"place of birth"}
    assert (fitted.scores(examples) > 0).tolist() == examples.stated.tolist()


def test_cross_validation_and_figures():
    sets = [some_examples("rebel"), some_examples("pairs")]
    scores = cross_validate(sets)["rebel"]
    cut = cut_at(scores, sets[0].stated, 20)
    row = figures(sets[0], scores - cut, 25, {0, 2, 999})
    assert row["precision_of_all"] == 0.5
    assert row["recall_of_all"] == 0.8
    assert row["precision"] == row["ranking"] == 1
    assert row["recall"] == 0.8
    assert (row["texts_without_fact"], row["texts_without_fact_that_get_one"]) == (3, 0)
