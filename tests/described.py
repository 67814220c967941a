"""Rows of a build of the samples, made again with descriptions, masks and all forms of answer."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from pipelines.build_folder import clean_shards, read_label_set, read_result
from pipelines.stages.instruct import hard_negatives, set_source_name
from schemas.answer_form import FORMS
from schemas.label import LabelSet
from schemas.manifests import Labelled
from transforms import prompts
from transforms.ask import AskOptions, DescriptionShares, ask_spec
from transforms.instruct import instruction_table
from transforms.label_descriptions import described_labels
from transforms.shards import read_batches

SHARES = DescriptionShares(0.9, 0.2, 0.6)


def described_tables(output: Path, **options) -> Iterator[tuple[pa.Table, LabelSet, AskOptions]]:
    """The rows of every shard and task, with their label set and the options with which they are made."""
    tasks = read_result(str(output), Labelled).tasks
    chosen = AskOptions(descriptions=SHARES, **options)
    by_form = {form: prompts.load(form=form) for form in FORMS}
    for shard, _ in clean_shards(str(output)):
        for task in tasks[shard.key]:
            labels = read_label_set(str(output), task, shard.key)
            dictionary = hard_negatives(str(output), task, shard.key)
            spec = ask_spec(task, described_labels(labels), dictionary, by_form["iepile"], chosen, by_form)
            for examples in read_batches(f"{output}/{shard.path}", 1000):
                yield instruction_table(set_source_name(examples, labels.source), spec)[0], labels, chosen
