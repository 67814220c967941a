"""The rows that the card shows."""

import json

from pipelines.build_folder import read_result
from pipelines.describe.example_rows import CHARS, FENCE, example_rows
from schemas.example import TASKS
from schemas.example_id import InstructionId
from schemas.manifests import Instructed


def test_a_row_of_each_task_is_short_and_answered_and_of_one_of_the_sources(built):
    shards = read_result(str(built), Instructed).shards
    keys = {key for shard in shards for key in shard.sources}
    rows = example_rows(str(built), shards, keys)
    assert [row.task for row in rows] == [task for task in TASKS if task in {shard.task for shard in shards}]
    for row in rows:
        assert any(json.loads(row.answer).values())
        assert max(len(row.instruction), len(row.answer)) <= CHARS and FENCE not in row.instruction + row.answer
    shown = {InstructionId.parse(row.id).example.key for row in rows}
    others = example_rows(str(built), shards, keys - shown)
    assert others and shown.isdisjoint({InstructionId.parse(row.id).example.key for row in others})


def test_a_task_without_other_rows_shows_a_test_row_with_its_annotations(built):
    shards = read_result(str(built), Instructed).shards
    keys = {key for shard in shards for key in shard.sources}
    tested = [shard for shard in shards if shard.task != "NER" or shard.split == "test"]
    first, *others = example_rows(str(built), tested, keys)
    assert (first.task, first.split) == ("NER", "test") and json.loads(first.answer)
    assert all(row.split != "test" for row in others)


def test_no_row_of_no_source(built):
    assert example_rows(str(built), read_result(str(built), Instructed).shards, []) == []
