"""All shards after repair and cutting → their partial leaks into test splits, as steps of a pipeline."""

from collections.abc import Iterator
from functools import lru_cache

import apache_beam as beam

from pipelines.build_folder import Shard
from pipelines.engine.distribute import Spread
from pipelines.engine.gather import Gather
from pipelines.engine.keyed_tables import KeyedTable
from pipelines.stages.cut_files import windows_path
from pipelines.stages.shard_leaks import TextShard, index_groups, partial_leaks, read_index, write_index
from transforms.partial_leaks import LeakRules


class FindPartialLeaks(beam.PTransform):
    """One element, when the texts of all shards are on disk → (number of a shard, its LEAKS), for shards that have any.

    The indexes of the test texts are written first, into `folder`. Then each other shard is searched with all of them.
    """

    def __init__(self, output: str, shards: list[Shard], rules: LeakRules, folder: str):
        super().__init__()
        self.output, self.shards, self.rules, self.folder = output, shards, rules, folder

    def expand(self, pcoll):
        return (
            pcoll
            | "Group tests" >> beam.FlatMap(test_groups, self.output, self.shards)
            | "Distribute groups" >> Spread()
            | "Index tests" >> beam.Map(index_tests, self.folder, self.rules)
            | "Gather indexes" >> Gather()
            | "List shards" >> beam.FlatMap(searches, self.shards)
            | "Distribute shards" >> Spread()
            | "Search" >> beam.ParDo(SearchShard(self.output, self.shards, self.rules)).with_output_types(KeyedTable)
        )


def text_shards(output: str, shards: list[Shard]) -> list[TextShard]:
    return [TextShard(shard.number, shard.key, windows_path(output, shard)) for shard in shards]


def test_groups(_, output: str, shards: list[Shard]) -> Iterator[tuple[int, list[TextShard]]]:
    return index_groups(text_shards(output, [shard for shard in shards if shard.split == "test"]))


def index_tests(element: tuple[int, list[TextShard]], folder: str, rules: LeakRules) -> str:
    number, group = element
    return write_index(f"{folder}/{number:06d}.index", group, rules)


def searches(indexes: list[str], shards: list[Shard]) -> Iterator[tuple[Shard, list[str]]]:
    """The shards to search, and the paths of the indexes; none if there is no test text."""
    if indexes:
        for shard in shards:
            if shard.split != "test":
                yield shard, sorted(indexes)


class SearchShard(beam.DoFn):
    """(shard, paths of the indexes) → (number of the shard, LEAKS), if it has any."""

    def __init__(self, output: str, shards: list[Shard], rules: LeakRules):
        self.output, self.shards, self.rules = output, shards, rules

    def setup(self):
        self.tests: dict[int, TextShard] = {}
        self.read_index = lru_cache(maxsize=1)(read_index)  # most builds have one index for all shards

    def process(self, element: tuple[Shard, list[str]]):
        if not self.tests:  # not in `setup`, which may run before the texts are on disk
            tests = [shard for shard in self.shards if shard.split == "test"]
            self.tests = {shard.number: shard for shard in text_shards(self.output, tests)}
        shard, indexes = element
        (texts,) = text_shards(self.output, [shard])
        leaks = partial_leaks(texts, map(self.read_index, indexes), self.tests, self.rules)
        if leaks.num_rows:
            yield shard.number, leaks
