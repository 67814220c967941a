"""The profile of every kind of output, with the settings that the examples in `good` are made for."""

import msgspec
import pyarrow as pa

from schemas.arrow import EXAMPLES, instruction_schema
from schemas.label import LabelSet
from tests.validation import good
from validation import profile

SPLIT_NUM = {"NER": 6, "RE": 4, "SPO": 4, "EE": 4, "EET": 4, "EEA": 4, "KG": 1}


def examples(rows):
    sets = {labels.task: labels for labels in good.label_sets()}
    return profile.examples_profile(pa.Table.from_pylist(rows, schema=EXAMPLES), sets, max_chars=80)


def labels(sets):
    return profile.labels_profile(msgspec.convert(sets, list[LabelSet]))


def hard_negatives(dictionary):
    return profile.hard_negatives_profile(dictionary, good.label_sets()[0], max_neighbours=3)


def instructions(rows):
    table = pa.Table.from_pylist(rows, schema=instruction_schema(rows[0]))
    return profile.instructions_profile(table, good.label_sets(), SPLIT_NUM, negative_ratio=2)


def corpus(facts):
    return profile.corpus_profile(msgspec.convert(facts, list[profile.SplitFacts]))


FRAMES = {
    "examples": (good.examples, examples),
    "labels": (lambda: msgspec.to_builtins(good.label_sets()), labels),
    "hard_negatives": (good.dictionary, hard_negatives),
    "instructions": (good.instructions, instructions),
    "corpus": (good.facts, corpus),
}
