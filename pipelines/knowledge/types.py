"""entities/items/ → types/NNNNN-NNNNN.parquet (TYPES): the entity types of the items, in the same shards and rows.

`subclass of` pairs are grouped by the superclass, in buckets. Each round sends the types of the classes that were
reached in the last one to their subclasses (see `transforms.knowledge.classes`). Afterwards each shard gets the types
of the classes that its items have. No worker has all items or all classes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import pyarrow as pa

from pipelines.build_folder import read_result
from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.keyed_tables import KeyedTable, unchanged
from pipelines.engine.run import run_pipeline
from pipelines.knowledge.config import KnowledgeSettings
from schemas.knowledge import TYPES
from schemas.knowledge_manifests import Entities, Types, TypeShard
from transforms.knowledge import classes, themes
from transforms.knowledge.classes import EDGES, MAX_STEPS, REACHED, WANTED
from transforms.knowledge.item_tables import by_bucket
from transforms.shards import read_batches, write_shard

TypeClasses = Mapping[str, Sequence[int]]
"""Entity type → its root classes."""

EDGES_PER_BUCKET = 500_000
ITEMS_PER_TABLE = 20_000
COLUMNS = ("qid", "classes", "superclasses")


def stage(settings: KnowledgeSettings) -> Stage:
    """Raises ConfigError for a wrong file of themes."""
    loaded = themes.load(settings.config.match.themes)
    type_classes, of_classes = loaded.type_classes, loaded.types_of_classes
    return Stage(
        "types",
        needs=("entities",),
        folders=("types",),
        inputs=[{name: sorted(roots) for name, roots in type_classes.items()}, of_classes],
        modules=(__name__,),
        run=partial(run, settings, type_classes, of_classes),
        form=Types,
    )


def run(settings: KnowledgeSettings, type_classes: TypeClasses, of_classes: tuple[str, ...], output: str) -> Types:
    entities = read_result(output, Entities).shards
    shards = [ItemFile(number, shard.path) for number, shard in enumerate(entities)]
    buckets = 1 + sum(shard.superclasses for shard in entities) // EDGES_PER_BUCKET
    transform = FindTypes(output, type_classes, of_classes, buckets)
    run_pipeline("types", shards, transform, settings.options, output, "types", len(shards))
    written = gather.read(summary_path(output), TypeShard)
    return Types(tuple(sorted(written, key=lambda shard: shard.path)))


def summary_path(output: str) -> str:
    return f"{output}/types/.summary.json"


@dataclass(frozen=True)
class ItemFile:
    """A shard of items. `number`: its position among all shards."""

    number: int
    path: str

    @property
    def types_path(self) -> str:
        return self.path.replace("entities/items/", "types/", 1)


class FindTypes(beam.PTransform):
    """ItemFiles → shards of types and a summary. `of_classes`: the types that classes may have. `buckets`:
    the number of groups of classes.
    """

    def __init__(self, output: str, type_classes: TypeClasses, of_classes: tuple[str, ...], buckets: int):
        super().__init__()
        self.output, self.of_classes, self.buckets = output, of_classes, buckets
        self.names = sorted(type_classes)
        self.roots = list(by_bucket(classes.root_table(type_classes), "class", buckets))

    def expand(self, pcoll):
        read = pcoll | "Read" >> beam.ParDo(ReadClasses(self.output, self.buckets)).with_outputs(
            "edges", "wanted", main="shards"
        )
        edges = read["edges"] | "Edges" >> beam.Map(unchanged).with_output_types(KeyedTable)
        wanted = read["wanted"] | "Wanted classes" >> beam.Map(unchanged).with_output_types(KeyedTable)
        roots = (
            pcoll.pipeline
            | "Start" >> beam.Create([self.roots])
            | "Roots" >> beam.FlatMap(list).with_output_types(KeyedTable)
        )
        known = (edges, roots) | "Edges and roots" >> beam.Flatten() | "Rounds" >> Rounds(self.buckets)
        answers = (
            (known, wanted)
            | "Classes and items" >> beam.Flatten()
            | "Meet items" >> beam.GroupByKey()
            | "Answer" >> beam.FlatMap(answer).with_output_types(KeyedTable)
        )
        return (
            {"shard": read["shards"] | "Key by number" >> beam.Map(by_number), "reached": answers}
            | "Back to the shard" >> beam.CoGroupByKey()
            | "Write" >> beam.Map(write_types, self.output, self.names, self.of_classes)
            | "Sum up" >> WriteSummary(summary_path(self.output))
        )


class Rounds(beam.PTransform):
    """EDGES and REACHED of the root classes, by bucket → REACHED of all classes too."""

    def __init__(self, buckets: int):
        super().__init__()
        self.buckets = buckets

    def expand(self, pcoll):
        for steps in range(MAX_STEPS + 1):
            pcoll = (
                pcoll
                | f"Meet after {steps} steps" >> beam.GroupByKey()
                | f"Go on after {steps} steps"
                >> beam.FlatMap(advance, steps, self.buckets).with_output_types(KeyedTable)
            )
        return pcoll


def by_number(shard: ItemFile) -> tuple[int, ItemFile]:
    return shard.number, shard


def joined(tables: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    """The tables with this schema as one table."""
    return pa.concat_tables([schema.empty_table(), *(table for table in tables if table.schema == schema)])


class ReadClasses(beam.DoFn):
    """An ItemFile → itself, its EDGES by bucket of the superclass, and its WANTED classes by their bucket."""

    def __init__(self, output: str, buckets: int):
        self.output, self.buckets = output, buckets

    def process(self, shard: ItemFile):
        yield shard
        items = list(read_batches(f"{self.output}/{shard.path}", ITEMS_PER_TABLE, COLUMNS))
        edges = joined((classes.edge_table(table) for table in items), EDGES)
        for keyed in by_bucket(edges, "parent", self.buckets):
            yield beam.pvalue.TaggedOutput("edges", keyed)
        wanted = classes.wanted_table(pa.concat_tables(items), shard.number) if items else WANTED.empty_table()
        for keyed in by_bucket(wanted, "class", self.buckets):
            yield beam.pvalue.TaggedOutput("wanted", keyed)


def advance(element: tuple[int, Iterable[pa.Table]], steps: int, buckets: int) -> Iterator[KeyedTable]:
    """A bucket of classes with their EDGES and REACHED → the same, and REACHED of the classes one step below those
    that are `steps` steps below a root class. Classes that are reached a second time are left out.
    """
    bucket, tables = element[0], list(element[1])
    edges = joined(tables, EDGES)
    before, new = classes.settle(joined(tables, REACHED), steps)
    yield from ((bucket, table) for table in (edges, before, new) if table.num_rows)
    if steps < MAX_STEPS:
        yield from by_bucket(classes.descend(edges, new), "class", buckets)


def answer(element: tuple[int, Iterable[pa.Table]]) -> Iterator[KeyedTable]:
    """(shard, REACHED of the classes that it wants), from one bucket of classes."""
    tables = list(element[1])
    yield from classes.answer(joined(tables, REACHED), joined(tables, WANTED))


def write_types(element: tuple[int, dict], output: str, names: Sequence[str], of_classes: tuple[str, ...]) -> TypeShard:
    _, inputs = element
    (shard,) = inputs["shard"]
    reached = joined(inputs["reached"], REACHED)
    counts: Counter[str] = Counter()
    typed = 0

    def tables() -> Iterator[pa.Table]:
        nonlocal typed
        for items in read_batches(f"{output}/{shard.path}", ITEMS_PER_TABLE, COLUMNS):
            table = classes.type_table(items, reached, names, of_classes)
            for types in table["types"].to_pylist():
                counts.update(types)
                typed += bool(types)
            yield table

    rows = write_shard(f"{output}/{shard.types_path}", TYPES, tables())
    return TypeShard(shard.types_path, rows, typed, dict(sorted(counts.items())))
