"""The label sets of sources."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.user_data import source_without_files
from pipelines.stages.labels import by_tasks, gold_labels, label_set
from schemas.arrow import examples_to_table
from schemas.example import LAYER, TASKS, Example
from schemas.label import Label, OpenLabels
from tests.strategies import examples

MAP = {"MOVE": Label("move", "a change of place"), "BREAK": None}


@pytest.mark.parametrize("layer", ["entity_labels", "relation_labels", "event_labels"])
@pytest.mark.parametrize("is_open", [False, True])
def test_labels_that_the_source_leaves_out_are_not_in_the_label_set(layer, is_open):
    labels = OpenLabels(MAP) if is_open else MAP
    source = replace(source_without_files("mine"), **{layer: labels})
    task = {"entity_labels": "NER", "relation_labels": "RE", "event_labels": "EE"}[layer]
    made = label_set("mine", source, task, [(("move",), "train", 2)], False)
    assert (made.labels, made.counts) == ((MAP["MOVE"],), {"move": {"train": 2}})


def test_the_label_set_of_attributes_has_no_entity_type_that_is_left_out():
    source = replace(source_without_files("mine"), entity_labels=MAP)
    assert label_set("mine", source, "KG", [], False).labels == (MAP["MOVE"],)


def gold_labels_of(example: Example, task: str) -> list[tuple[str, ...]]:
    items = getattr(example, LAYER[task]) or ()
    if task == "KG":
        return [(item.head_label or "", item.label) for item in items]
    if task == "SPO":
        triples = [(item.head_label, item.label, item.tail_label) for item in items]
        return [triple for triple in triples if None not in triple]
    arguments = [(item.label, argument.role) for item in items for argument in getattr(item, "arguments", ())]
    return [(item.label,) for item in items] + arguments


@given(st.lists(examples(), max_size=5))
def test_every_annotation_is_counted(rows):
    for task in TASKS:
        expected = Counter(label for example in rows for label in gold_labels_of(example, task))
        assert dict(gold_labels(examples_to_table(rows), task)) == expected


@given(st.lists(examples(), max_size=5))
def test_rows_are_grouped_by_their_tasks(rows):
    groups = {names: group["id"].to_pylist() for names, group in by_tasks(examples_to_table(rows))}
    assert groups == {
        names: [row.id for row in rows if row.tasks == names] for names in {row.tasks for row in rows if row.tasks}
    }
