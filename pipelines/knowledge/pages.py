"""Files of an encyclopaedia → pages/NNNNN.parquet (PARAGRAPHS): links with the titles and items that they lead to.

First each file is read once, into parts on disk. Then the distinct titles of each shard are joined with redirects and
with names of items in shuffles of tables, and the shards are written from the parts.
"""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import pyarrow as pa

from pipelines.build_folder import read_result
from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.run import run_pipeline
from pipelines.knowledge.config import KnowledgeSettings
from pipelines.knowledge.config import Pages as PageConfig
from pipelines.knowledge.page_titles import (
    NamesPart,
    PlannedShard,
    RedirectPart,
    ResolveTitles,
    Slice,
    WrittenShard,
    part_path,
    redirects_path,
    scratch_folder,
    summary_path,
)
from schemas.errors import BadRecord, SourceError
from schemas.knowledge import PARAGRAPHS, Paragraph, to_table
from schemas.knowledge_manifests import Entities, PageFile, Pages
from transforms import files
from transforms.files import File
from transforms.knowledge import dump_files, page_files, page_items
from transforms.knowledge.page_files import Kind, Reader, Redirect, kind
from transforms.knowledge.page_items import REDIRECTS
from transforms.shards import write_shard

PARAGRAPHS_PER_TABLE = 500
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
