"""FewRel: fixed draws of unseen relations, mentions by token numbers, the RelationPrompt form."""

import json

from pipelines.sources.datasets import fewrel
from pipelines.sources.datasets._wikidata import LABELS, draw
from pipelines.sources.source_files import find
from schemas.errors import Reason
from transforms.files import list_files

DRAW_3 = {
    *("architect", "country of citizenship", "crosses", "field of work", "genre", "located on terrain feature"),
    *("manufacturer", "military rank", "mountain range", "movement", "operating system", "participating team"),
    *("position played on team / speciality", "sports season of league or competition", "subsidiary"),
}
TOKENS = ["The", "Iron", "Bow", "crosses", "the", "Mira", ";", "the", "Iron", "Bow", "rusts", "."]


def row(head: list[list[int]], tail: list[list[int]]) -> dict:
    return {"tokens": TOKENS, "h": ["iron bow", "Q1", head], "t": ["mira", "Q2", tail]}


def read_with(number: int, tmp_path, name: str, content: str) -> list:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    source_files = find(fewrel.SOURCES[str(number)], list_files(str(tmp_path)))
    assert list(source_files.splits) == ["test"] and source_files.unassigned == []
    return list(source_files.form.read(source_files.splits["test"]))


def test_there_are_five_draws_of_15_of_80_relations():
    assert len(fewrel.RELATIONS) == 80
    draws = [frozenset(source.relation_labels) for source in fewrel.SOURCES.values()]
    assert [len(relations) for relations in draws] == [15] * 5 and len(set(draws)) == 5
    assert all(relations <= fewrel.RELATIONS for relations in draws)
    assert all(relations & set(fewrel.VAL_WIKI.split()) for relations in draws)
    assert [source.name for source in fewrel.SOURCES.values()] == [f"fewrel_{number}" for number in range(5)]


def test_a_draw_never_changes():
    assert {label.name for label in fewrel.SOURCES["3"].relation_labels.values()} == DRAW_3


def test_a_draw_does_not_depend_on_the_order_of_relations():
    ordered = sorted(fewrel.RELATIONS)
    assert draw(ordered, "fewrel", 1) == draw(reversed(ordered), "fewrel", 1)
    assert draw(ordered, "fewrel", 1) != draw(ordered, "fewrel", 2)
    assert draw(ordered, "fewrel", 1, 5) < draw(ordered, "fewrel", 1)


def test_a_draw_has_the_sentences_of_its_relations(tmp_path):
    content = {"P177": [row([[1, 2], [8, 9]], [[5]])], "P25": [row([[1]], [[5]])], "P0": [row([[1]], [[5]])]}
    example, bad = read_with(3, tmp_path, "val_wiki.json", json.dumps(content))
    assert example.text == "The Iron Bow crosses the Mira ; the Iron Bow rusts ."
    (relation,) = example.relations
    assert fewrel.SOURCES["3"].relation_labels[relation.label].name == "crosses"
    assert (relation.head.text, relation.head.spans) == ("Iron Bow", ((4, 12),))
    assert (relation.tail.text, relation.tail.spans) == ("Mira", ((25, 29),))
    assert bad.reason == Reason.UNKNOWN_LABEL


def test_a_row_without_valid_token_numbers_is_rejected(tmp_path):
    content = {"P177": [row([], [[5]]), row([[1, 2]], [[12]]), row([[1, 2]], [[-1]]), row([[1, 2]], [[5]])]}
    *bad, good = read_with(3, tmp_path, "val_wiki.json", json.dumps(content))
    assert [record.reason for record in bad] == [Reason.OFFSET_MISMATCH] * 3
    assert good.relations[0].tail.text == "Mira"


def test_the_relation_prompt_form_is_read(tmp_path):
    triplet = {"tokens": TOKENS, "head": [1, 2], "tail": [5], "label_id": "P177", "label": "crosses"}
    name = "zero_rte/fewrel/unseen_10_seed_0/train.jsonl"
    (example,) = read_with(3, tmp_path, name, json.dumps({"triplets": [triplet]}))
    assert [(r.label, r.head.text, r.tail.text) for r in example.relations] == [("P177", "Iron Bow", "Mira")]


def test_names_of_properties_are_unique():
    assert len({label.name for label in LABELS.values()}) == len(LABELS) == 135
