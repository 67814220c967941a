"""The choice of the exported texts: thinning by combination, bins of texts without a fact, splits, and rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.knowledge import Fact
from schemas.knowledge_corpus import EntityType
from tests.pipelines.knowledge.corpora import CORPUS, paragraph
from transforms.knowledge import sampling

KEYS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=60, unique=True)


def thin(keys: list[int], groups: list[int], alpha: float) -> dict[int, bool]:
    kept = sampling.thin(np.array(groups, np.uint64), np.array(keys, np.uint64), alpha)
    return dict(zip(keys, kept.tolist(), strict=True))


@given(KEYS, st.data())
def test_thinning_does_not_depend_on_the_order(keys, data):
    groups = {key: data.draw(st.integers(0, 3)) for key in keys}
    shuffled = data.draw(st.permutations(keys))
    assert thin(keys, [groups[key] for key in keys], 0.5) == thin(shuffled, [groups[key] for key in shuffled], 0.5)


@given(KEYS)
def test_thinning_keeps_the_first_text_of_each_combination_and_more_with_a_smaller_alpha(keys):
    assert all(thin(keys, keys, 10).values())
    assert any(thin(keys, [7] * len(keys), 10).values())
    assert all(thin(keys, [7] * len(keys), 0).values())
    strong, weak = (thin(keys, [7] * len(keys), alpha) for alpha in (1.0, 0.5))
    assert all(weak[key] for key in keys if strong[key])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=50), st.integers(0, 40), st.floats(0, 1))
def test_the_drawn_bins_have_at_most_the_wanted_texts_and_the_next_bin_would_have_too_many(counts, with_facts, share):
    bins = sampling.bins_to_draw(np.array(counts), with_facts, share)
    drawn = sum(counts[:bins])
    wanted = float("inf") if share == 1 else share / (1 - share) * with_facts
    assert drawn <= wanted + 0.5
    assert bins == len(counts) or drawn + counts[bins] > wanted + 0.5


def test_the_cut_keeps_facts_without_a_score_and_makes_relations_unknown():
    kept = paragraph(1, {"birth_place": 0.9, "birth_date": 0.3}, unknown=("spouse",))
    kept = replace(kept, facts=(*kept.facts, replace(kept.facts[0], relation="spouse", score=None)))
    cut = sampling.cut(kept, 0.5)
    assert [fact.relation for fact in cut.facts] == ["birth_place", "spouse"]
    assert cut.unknown == ("birth_date", "spouse")
    assert sampling.combination(cut) == ("birth_place",)
    assert sampling.cut(kept, 0.2) is kept


def test_a_relation_with_a_fact_above_the_cut_is_asked_even_if_another_fact_is_below_it():
    both = paragraph(1, {"birth_place": 0.9})
    both = replace(both, facts=(*both.facts, Fact("birth_place", 3, 2, 19, 0.1)))
    cut = sampling.cut(both, 0.5)
    assert (cut.facts, cut.unknown) == (both.facts[:1], ())
    assert sampling.combination(cut) == ("birth_place",)


@pytest.mark.parametrize(
    ("title", "page", "expected"), [("Ada", 1, "Ada"), (None, 1, "Q1"), (None, None, "000001"), ("Ada", None, "Ada")]
)
def test_the_split_is_that_of_the_page(title, page, expected):
    rows = [paragraph(1, {}), replace(paragraph(1, {}), paragraph=replace(paragraph(1, {}).paragraph, title=expected))]
    rows[0] = replace(rows[0], paragraph=replace(rows[0].paragraph, title=title, page=page))
    for seed in range(20):
        assert len({sampling.split_of(row, seed, 0.3, 0.3) for row in rows}) == 1
    assert {sampling.split_of(rows[0], seed, 0.3, 0.3) for seed in range(20)} == {"train", "validation", "test"}


def test_the_type_of_a_mention_is_one_that_the_relations_allow():
    row = paragraph(1, {"birth_place": 0.5})
    types = (*CORPUS.entity_types, EntityType("deity", "deity"))
    mentions = (replace(row.mentions[0], types=("deity", "human")), replace(row.mentions[1], types=("deity",)))
    text = sampling.exported(replace(row, mentions=(*mentions, *row.mentions[2:])), replace(CORPUS, entity_types=types))
    assert [entity.type for entity in text.entity] == ["human", "deity", "geographic_region", "human"]


def test_mentions_without_a_type_are_left_out_and_the_best_of_equal_facts_stays():
    row = paragraph(1, {"birth_place": 0.5})
    mentions = (*row.mentions[:1], replace(row.mentions[1], types=()), *row.mentions[2:])
    better = replace(row.facts[0], property=131, score=0.9)
    text = sampling.exported(replace(row, mentions=mentions, facts=(*row.facts, better)), CORPUS)
    assert [entity.mention for entity in text.entity] == ["Ada 1 Marrow", "Coal Quay", "Low Water"]
    (fact,) = text.relation
    assert (fact.head, fact.tail, fact.property, fact.score) == (0, 1, "P131", 0.9)


def test_an_end_whose_types_are_unknown_has_the_first_type_that_its_relation_allows():
    row = paragraph(1, {"birth_place": 0.5})
    untyped = tuple(replace(mention, types=()) for mention in row.mentions)
    text = sampling.exported(replace(row, mentions=untyped), CORPUS)
    assert [(entity.mention, entity.type) for entity in text.entity] == [
        ("Ada 1 Marrow", "human"),
        ("Coal Quay", "geographic_region"),
    ]
    assert [(fact.head_type, fact.tail_type) for fact in text.relation] == [("human", "geographic_region")]
