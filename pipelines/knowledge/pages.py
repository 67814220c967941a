"""Files of an encyclopaedia → pages/NNNNN.parquet (PARAGRAPHS): links with the titles and items that they lead to.

First each file is read once, into parts on disk. Then the distinct titles of each shard are joined with redirects and
with names of items in shuffles of tables, and the shards are written from the parts.
"""

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.build_folder import read_result
from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.run import run_pipeline
from pipelines.knowledge.config import KnowledgeSettings
from pipelines.knowledge.config import Pages as PageConfig
from schemas.errors import BadRecord, SourceError
from schemas.knowledge import PARAGRAPHS, Paragraph, to_table
from schemas.knowledge_manifests import Entities, PageFile, Pages, PageShard
from transforms import coders, files  # noqa: F401  (coders registers the table coder)
from transforms.files import File
from transforms.knowledge import dump_files, page_files, page_items
from transforms.knowledge.page_files import Kind, Reader, Redirect, kind
from transforms.knowledge.page_items import ITEMS_OF_TITLES, REDIRECTS
from transforms.shards import read_batches, read_shard, write_shard

PARAGRAPHS_PER_TABLE = 500
NAMES_PER_TABLE = 100_000
REDIRECTS_PER_PART = 500_000
ROWS_PER_BUCKET = 1_000_000
"""Rows of redirects, names and distinct titles that a worker has in memory at a time."""

FIRST_REJECTS = 3


def stage(settings: KnowledgeSettings) -> Stage:
    """Raises ConfigError for a file that does not exist."""
    config = settings.config
    pages = dump_files.find(config.wikipedia, "--wikipedia")
    return Stage(
        "pages",
        needs=("entities",),
        folders=("pages",),
        inputs=[config.lang, config.pages.model_dump(), [dump_files.identity(file) for file in pages]],
        modules=(__name__,),
        run=partial(run, settings, pages),
        form=Pages,
    )


def run(settings: KnowledgeSettings, pages: Sequence[File], output: str) -> Pages:
    """Raises SourceError for a file of another kind, and if no file has a paragraph."""
    config, options = settings.config.pages, settings.options
    elements = [PageSource(n, key, file, kind(file)) for n, (key, file) in enumerate(page_files.keys(pages))]
    elements.sort(key=lambda element: (-files.total_bytes([element.file]), element.number))
    transform = ReadFiles(output, settings.config.lang, config)
    run_pipeline("pages", elements, transform, options, output, "pages")
    read = sorted(gather.read(summary_path(output), ReadFile), key=lambda file: file.number)
    if not any(file.counts.paragraphs for file in read):
        first = next((file.counts for file in read if file.counts.first_rejects), read[0].counts)
        detail = first.first_rejects[0] if first.first_rejects else f"{first.name}: {first.kind}"
        raise SourceError(f"no paragraph of {config.min_tokens} tokens or more in --wikipedia ({detail})")
    shards = plan(read, config.paragraphs_per_shard)
    names = read_result(output, Entities).shards
    redirects = [RedirectPart(file.number, part) for file in read for part in range(len(file.redirects))]
    rows = sum(sum(file.redirects) + file.links for file in read) + sum(shard.names for shard in names)
    resolve = ResolveTitles(output, 1 + rows // ROWS_PER_BUCKET)
    inputs = [*redirects, *(NamesPart(shard.names_path) for shard in names), *shards]
    run_pipeline("pages (titles)", inputs, resolve, options, output, "pages", len(shards))
    written = gather.read(summary_path(output), WrittenShard)
    files.remove_tree(scratch_folder(output))
    return Pages(
        sources=tuple(file.counts for file in read),
        shards=tuple(sorted((each.shard for each in written if each.shard), key=lambda shard: shard.path)),
        redirects=sum(sum(file.redirects) for file in read),
        redirect_loops=sum(each.redirect_loops for each in written),
    )


def summary_path(output: str) -> str:
    return f"{output}/pages/.summary.json"


def scratch_folder(output: str) -> str:
    return f"{output}/pages/.scratch"


def part_path(output: str, file: int, part: int) -> str:
    """Paragraphs of a file before their titles are resolved."""
    return f"{scratch_folder(output)}/parts/{file:06d}-{part:06d}.parquet"


def redirects_path(output: str, file: int, part: int) -> str:
    return f"{scratch_folder(output)}/redirects/{file:06d}-{part:06d}.parquet"


@dataclass(frozen=True)
class PageSource:
    """A file to read. `number`: its position in the order of the paragraphs. `key`: the start of their ids."""

    number: int
    key: str
    file: File
    kind: Kind


@dataclass(frozen=True)
class ReadFile:
    """A file after reading. `parts`, `redirects`: number of rows of each part."""

    number: int
    counts: PageFile
    parts: tuple[int, ...]
    links: int
    redirects: tuple[int, ...]


class ReadFiles(beam.PTransform):
    """PageSources → parts of paragraphs and redirects on disk, and a summary of ReadFiles."""

    def __init__(self, output: str, lang: str, config: PageConfig):
        super().__init__()
        self.output = output
        self.read = ReadPages(output, lang, config)

    def expand(self, pcoll):
        return pcoll | "Read" >> beam.ParDo(self.read) | "Sum up" >> WriteSummary(summary_path(self.output))


class ReadPages(beam.DoFn):
    """A PageSource → its parts on disk and a ReadFile."""

    def __init__(self, output: str, lang: str, config: PageConfig):
        self.output, self.lang, self.config = output, lang, config

    def setup(self):
        gc.freeze()  # else every garbage collection would traverse the imported modules again

    def process(self, element: PageSource):
        config, number = self.config, element.number
        reader = Reader(self.lang, config.min_tokens, config.max_tokens, config.limit)
        rejected: Counter = Counter()
        first_rejects: list[str] = []
        redirects: list[Redirect] = []
        redirect_parts: list[int] = []
        links = 0

        def write_redirects() -> None:
            path = redirects_path(self.output, number, len(redirect_parts))
            redirect_parts.append(write_shard(path, REDIRECTS, [page_items.redirect_table(redirects)]))
            redirects.clear()

        def paragraphs() -> Iterator[Paragraph]:
            nonlocal links
            for record in reader.read(element.key, element.file, element.kind):
                if isinstance(record, BadRecord):
                    rejected[record.reason] += 1
                    if len(first_rejects) < FIRST_REJECTS:
                        first_rejects.append(f"{record.place}: {record.reason}: {record.detail}")
                elif isinstance(record, Redirect):
                    redirects.append(record)
                    if len(redirects) == REDIRECTS_PER_PART:
                        write_redirects()
                else:
                    links += len(record.links)
                    yield record

        parts = write_parts(paragraphs(), self.output, number, config.paragraphs_per_shard)
        if redirects:
            write_redirects()
        counts = PageFile(
            element.file.name,
            element.kind,
            reader.pages,
            sum(parts),
            dict(sorted(reader.pages_left_out.items())),
            dict(sorted((+reader.paragraphs_left_out).items())),
            dict(sorted(rejected.items())),
            tuple(first_rejects),
        )
        yield ReadFile(number, counts, tuple(parts), links, tuple(redirect_parts))


def write_parts(paragraphs: Iterator[Paragraph], output: str, file: int, size: int) -> list[int]:
    """Writes the paragraphs in parts of `size` rows, and returns the number of rows of each part."""
    parts: list[int] = []
    waiting: list[pa.Table] = []
    rows: list[Paragraph] = []

    def write() -> None:
        parts.append(write_shard(part_path(output, file, len(parts)), PARAGRAPHS, waiting))
        waiting.clear()

    for paragraph in paragraphs:
        rows.append(paragraph)
        full = len(rows) + sum(table.num_rows for table in waiting) == size
        if full or len(rows) == PARAGRAPHS_PER_TABLE:
            waiting.append(to_table(rows, PARAGRAPHS))
            rows.clear()
        if full:
            write()
    if rows:
        waiting.append(to_table(rows, PARAGRAPHS))
    if waiting:
        write()
    return parts


@dataclass(frozen=True)
class Slice:
    """Rows `start` to `end` of a part of a file."""

    file: int
    part: int
    start: int
    end: int


@dataclass(frozen=True)
class PlannedShard:
    """A shard of pages/, and the slices that it consists of."""

    number: int
    slices: tuple[Slice, ...]


@dataclass(frozen=True)
class RedirectPart:
    """A part of the redirects of the file with this number."""

    file: int
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


def plan(read: Sequence[ReadFile], size: int) -> list[PlannedShard]:
    """Shards of `size` paragraphs, in order; the last one may be smaller."""
    shards: list[PlannedShard] = []
    slices: list[Slice] = []
    free = size
    for file in read:
        for part, rows in enumerate(file.parts):
            start = 0
            while start < rows:
                end = min(rows, start + free)
                slices.append(Slice(file.number, part, start, end))
                free -= end - start
                start = end
                if not free:
                    shards.append(PlannedShard(len(shards), tuple(slices)))
                    slices, free = [], size
    if slices:
        shards.append(PlannedShard(len(shards), tuple(slices)))
    return shards


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
            "redirects", "names", "titles", main="shards"
        )
        shards, redirects, names, titles = (
            read[tag] | tag.capitalize() >> beam.Map(unchanged).with_output_types(Keyed)
            for tag in ("shards", "redirects", "names", "titles")
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
            (settled["redirects"] | "Settled" >> beam.Map(unchanged).with_output_types(Keyed), titles)
            | "With redirects" >> beam.Flatten()
            | "Group titles" >> beam.GroupByKey()
            | "Redirect" >> self.tables(redirected)
        )
        items = (
            (names, targets)
            | "With names" >> beam.Flatten()
            | "Group names" >> beam.GroupByKey()
            | "Find items" >> beam.FlatMap(items_by_shard).with_output_types(Keyed)
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
        return beam.FlatMap(function, self.buckets).with_output_types(Keyed)


Keyed = tuple[int, pa.Table]
Group = tuple[int, Iterable[pa.Table]]


def unchanged(element: Keyed) -> Keyed:  # declares the type, which selects the coder
    return element


class ReadInputs(beam.DoFn):
    """Redirects, names and distinct titles by bucket, and planned shards by number."""

    def __init__(self, output: str, buckets: int):
        self.output, self.buckets = output, buckets

    def process(self, element: RedirectPart | NamesPart | PlannedShard):
        match element:
            case RedirectPart(file, part):
                for table in read_batches(redirects_path(self.output, file, part), NAMES_PER_TABLE):
                    yield from self.tagged("redirects", table, "title")
            case NamesPart(path):
                for table in read_batches(f"{self.output}/{path}", NAMES_PER_TABLE):
                    yield from self.tagged("names", page_items.keyed_names(table), "key")
            case PlannedShard(number, slices):
                paragraphs = read_slices(self.output, slices)
                yield from self.tagged("titles", page_items.titles_in(paragraphs, number), "title")
                rows = [(part.file, part.part, part.start, part.end) for part in slices]
                yield number, pa.Table.from_arrays([pa.array(column) for column in zip(*rows, strict=True)], SLICES)

    def tagged(self, tag: str, table: pa.Table, column: str) -> Iterator[beam.pvalue.TaggedOutput]:
        for keyed in page_items.by_bucket(table, column, self.buckets):
            yield beam.pvalue.TaggedOutput(tag, keyed)


SLICES = ["file", "part", "start", "end"]
"""The columns of a table of slices."""


def read_slices(output: str, slices: Iterable[Slice]) -> pa.Table:
    tables = [
        read_shard(part_path(output, each.file, each.part)).slice(each.start, each.end - each.start) for each in slices
    ]
    return pa.concat_tables(tables).cast(PARAGRAPHS).combine_chunks()


def by_target(element: Keyed, buckets: int) -> Iterator[Keyed]:
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


def doubled(element: Group, buckets: int) -> Iterator[Keyed]:
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


def redirected(element: Group, buckets: int) -> Iterator[Keyed]:
    """TITLES with redirects followed, by their key."""
    result = followed(element)
    if result:
        yield from page_items.by_bucket(page_items.with_key(result[0]), "key", buckets)


def items_by_shard(element: Group) -> Iterator[Keyed]:
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
