"""The label sets of sources."""

from dataclasses import replace

import pytest

from pipelines.sources.user_data import source_without_files
from pipelines.stages.labels import label_set
from schemas.label import Label, OpenLabels

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
