"""The titles of pages and links → the items that they lead to, and the shards of pages/.

The distinct titles of each shard are joined with redirects and with names of items in shuffles of tables.
"""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.build_folder import read_result
from pipelines.engine.gather import WriteSummary
from pipelines.engine.keyed_tables import KeyedTable, unchanged
from pipelines.knowledge.key_filter import Bits, CollectKeys, filtered
from schemas.knowledge import PARAGRAPHS
from schemas.knowledge_manifests import Entities, PageShard
from transforms.knowledge import page_items
from transforms.knowledge.page_items import ITEMS_OF_TITLES, REDIRECTS
from transforms.shards import read_batches, read_shard, write_shard

NAMES_PER_TABLE = 100_000


def summary_path(output: str) -> str:
    return f"{output}/pages/.summary.json"


def scratch_folder(output: str) -> str:
    return f"{output}/pages/.scratch"


def slice_path(output: str, source: int, part: int) -> str:
    """Paragraphs of a part of a file before their titles are resolved."""
    return f"{scratch_folder(output)}/paragraphs/{source:06d}-{part:06d}.parquet"


def redirects_path(output: str, source: int, part: int) -> str:
    return f"{scratch_folder(output)}/redirects/{source:06d}-{part:06d}.parquet"


@dataclass(frozen=True)
class Slice:
    """Rows `start` to `end` of a slice of the source with this number. `numbers_before`: to be added to the numbers of
    pages or lines in the ids of its paragraphs.
    """

    source: int
    part: int
    start: int
    end: int
    numbers_before: int


@dataclass(frozen=True)
class PlannedShard:
    """A shard of pages/, and the slices that it consists of."""

    number: int
    slices: tuple[Slice, ...]


@dataclass(frozen=True)
class RedirectPart:
    """A part of the redirects of the source with this number."""

    source: int
    part: int


@dataclass(frozen=True)
class NamesPart:
    """A shard of the names of items."""

    path: str


@dataclass(frozen=True)
class WrittenShard:
    """Counts of a shard, or of redirects that lead to no page."""

    shard: PageShard | None = None
    redirect_loops: int = 0


class ResolveTitles(beam.PTransform):
    """RedirectParts, NamesParts and PlannedShards → the shards on disk, and a summary of WrittenShards.

    What is grouped are tables; their columns tell what they contain. A redirect is followed over up to four steps
    (MediaWiki itself follows one), by doubling the steps twice.
    """

    def __init__(self, output: str, buckets: int):
        super().__init__()
        self.output, self.buckets = output, buckets

    def expand(self, pcoll):
        read = pcoll | "Read" >> beam.ParDo(ReadInputs(self.output, self.buckets)).with_outputs(
            "redirects", "titles", main="shards"
        )
        shards, redirects, titles = (
            read[tag] | tag.capitalize() >> beam.Map(unchanged).with_output_types(KeyedTable)
            for tag in ("shards", "redirects", "titles")
        )
        for once in ("once", "twice"):
            redirects = (
                (redirects, redirects | f"By target {once}" >> self.tables(by_target))
                | f"With targets {once}" >> beam.Flatten()
                | f"Group redirects {once}" >> beam.GroupByKey()
                | f"Double {once}" >> self.tables(doubled)
            )
        settled = (
            (redirects, redirects | "By target" >> self.tables(by_target))
            | "With targets" >> beam.Flatten()
            | "Group redirects" >> beam.GroupByKey()
            | "Settle" >> beam.ParDo(Settle(self.buckets)).with_outputs("loops", main="redirects")
        )
        targets = (
            (settled["redirects"] | "Settled" >> beam.Map(unchanged).with_output_types(KeyedTable), titles)
            | "With redirects" >> beam.Flatten()
            | "Group titles" >> beam.GroupByKey()
            | "Redirect" >> self.tables(redirected)
        )
        keys = targets | "Collect keys" >> beam.CombineGlobally(CollectKeys("key"))
        names = pcoll | "Read names" >> beam.FlatMap(
            read_names, self.output, self.buckets, beam.pvalue.AsIter(keys)
        ).with_output_types(KeyedTable)
        items = (
            (names, targets)
            | "With names" >> beam.Flatten()
            | "Group names" >> beam.GroupByKey()
            | "Find items" >> beam.FlatMap(items_by_shard).with_output_types(KeyedTable)
        )
        written = (
            (shards, items)
            | "With items" >> beam.Flatten()
            | "Group by shard" >> beam.GroupByKey()
            | "Write" >> beam.Map(write, self.output)
        )
        return (
            (written, settled["loops"])
            | "All counts" >> beam.Flatten()
            | "Sum up" >> WriteSummary(summary_path(self.output))
        )

    def tables(self, function) -> beam.ParDo:
        return beam.FlatMap(function, self.buckets).with_output_types(KeyedTable)


Group = tuple[int, Iterable[pa.Table]]


class ReadInputs(beam.DoFn):
    """Redirects and distinct titles by bucket, and planned shards by number; nothing of names."""

    def __init__(self, output: str, buckets: int):
        self.output, self.buckets = output, buckets

    def process(self, element: RedirectPart | NamesPart | PlannedShard):
        match element:
            case RedirectPart(source, part):
                for table in read_batches(redirects_path(self.output, source, part), NAMES_PER_TABLE):
                    yield from self.tagged("redirects", table, "title")
            case PlannedShard(number, slices):
                paragraphs = read_slices(self.output, slices)
                yield from self.tagged("titles", page_items.titles_in(paragraphs, number), "title")
                rows = [astuple(part) for part in slices]
                yield number, pa.Table.from_arrays([pa.array(column) for column in zip(*rows, strict=True)], SLICES)

    def tagged(self, tag: str, table: pa.Table, column: str) -> Iterator[beam.pvalue.TaggedOutput]:
        for keyed in page_items.by_bucket(table, column, self.buckets):
            yield beam.pvalue.TaggedOutput(tag, keyed)


def read_names(
    element: RedirectPart | NamesPart | PlannedShard, output: str, buckets: int, wanted: Iterable[Bits]
) -> Iterator[KeyedTable]:
    """KEYED_NAMES of a NamesPart that titles may mean. `wanted`: one filter, of the keys of titles."""
    if isinstance(element, NamesPart):
        (bits,) = wanted
        for table in read_batches(f"{output}/{element.path}", NAMES_PER_TABLE):
            yield from page_items.by_bucket(filtered(page_items.keyed_names(table), "key", bits), "key", buckets)


SLICES = [field.name for field in fields(Slice)]
"""The columns of a table of slices."""


def read_slices(output: str, slices: Iterable[Slice]) -> pa.Table:
    tables = []
    for each in slices:
        table = read_shard(slice_path(output, each.source, each.part)).slice(each.start, each.end - each.start)
        tables.append(page_items.renumber(table, each.numbers_before) if each.numbers_before else table)
    return pa.concat_tables(tables).cast(PARAGRAPHS).combine_chunks()


def by_target(element: KeyedTable, buckets: int) -> Iterator[KeyedTable]:
    """Redirects as TITLES of no shard, by their target."""
    return page_items.by_bucket(page_items.as_titles(element[1]), "target", buckets)


def split(tables: Iterable[pa.Table], column: str) -> tuple[list[pa.Table], list[pa.Table]]:
    """The tables that have the column, and the others."""
    tables = list(tables)
    return ([t for t in tables if column in t.schema.names], [t for t in tables if column not in t.schema.names])


def followed(element: Group) -> tuple[pa.Table, pa.Array] | None:
    """The TITLES of a bucket with redirects followed, and which of them redirect; None if there are none."""
    rows, redirects = split(element[1], "shard")
    return page_items.follow(rows, redirects) if rows else None


def doubled(element: Group, buckets: int) -> Iterator[KeyedTable]:
    """Redirects, each over two steps instead of one, by their title."""
    result = followed(element)
    if result:
        yield from page_items.by_bucket(result[0].select(REDIRECTS.names), "title", buckets)


class Settle(beam.DoFn):
    """Redirects that lead to a page, by their title; and a WrittenShard with the number of the others."""

    def __init__(self, buckets: int):
        self.buckets = buckets

    def process(self, element: Group):
        result = followed(element)
        if result:
            rows, goes_on = result
            settled = rows.filter(pc.invert(goes_on)).select(REDIRECTS.names)
            yield from page_items.by_bucket(settled, "title", self.buckets)
            yield beam.pvalue.TaggedOutput("loops", WrittenShard(redirect_loops=rows.num_rows - settled.num_rows))


def redirected(element: Group, buckets: int) -> Iterator[KeyedTable]:
    """TITLES with redirects followed, by their key."""
    result = followed(element)
    if result:
        yield from page_items.by_bucket(page_items.with_key(result[0]), "key", buckets)


def items_by_shard(element: Group) -> Iterator[KeyedTable]:
    """ITEMS_OF_TITLES by shard."""
    queries, names = split(element[1], "shard")
    if queries:
        yield from page_items.by_shard(page_items.find_items(queries, names))


def write(element: Group, output: str) -> WrittenShard:
    """Writes the shard with this number from its slices and all its titles."""
    number, tables = element
    (plan,), items = split(tables, "start")
    paragraphs = read_slices(output, [Slice(**row) for row in plan.to_pylist()])
    merged = read_result(output, Entities).merged
    for table in read_batches(f"{output}/{merged}", NAMES_PER_TABLE) if merged else ():
        paragraphs = page_items.replace_merged(paragraphs, table)
    table = page_items.resolve(paragraphs, pa.concat_tables([ITEMS_OF_TITLES.empty_table(), *items]))
    path = f"pages/{number:05d}.parquet"
    write_shard(f"{output}/{path}", PARAGRAPHS, [table])
    links = page_items.link_array(table)
    known = len(links) - links.field("qid").null_count
    return WrittenShard(PageShard(path, table.num_rows, table.num_rows - table["page"].null_count, len(links), known))
