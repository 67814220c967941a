"""Files of an encyclopaedia → pages/NNNNN.parquet (PARAGRAPHS): links with the titles and items that they lead to.

First each file is read once, large ones by several workers, into slices on disk. Then the distinct titles of each shard
are joined with redirects and with names of items in shuffles of tables, and the shards are written from the slices.
"""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, groupby

import apache_beam as beam
import pyarrow as pa

from pipelines.build_folder import read_result
from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.run import run_pipeline
from pipelines.knowledge import rejects
from pipelines.knowledge.config import KnowledgeSettings
from pipelines.knowledge.config import Pages as PageConfig
from pipelines.knowledge.page_titles import (
    NamesPart,
    PlannedShard,
    RedirectPart,
    ResolveTitles,
    Slice,
    WrittenShard,
    redirects_path,
    scratch_folder,
    slice_path,
    summary_path,
)
from pipelines.knowledge.rejects import PartLines, PartRejects
from schemas.arrow import rejects_to_table
from schemas.errors import BadRecord, Reason, Reject, SourceError
from schemas.knowledge import PARAGRAPHS, Paragraph, to_table
from schemas.knowledge_manifests import Entities, PageFile, Pages
from transforms import files
from transforms.files import File
from transforms.knowledge import dump_files, dump_parts, page_files, page_items
from transforms.knowledge.dump_parts import Part
from transforms.knowledge.page_files import Kind, Reader, Redirect, kind
from transforms.knowledge.page_items import REDIRECTS
from transforms.shards import write_shard

PARAGRAPHS_PER_TABLE = 500
REDIRECTS_PER_PART = 500_000
ROWS_PER_BUCKET = 1_000_000
"""Rows of redirects, names and distinct titles that a worker has in memory at a time."""

PLAIN_BYTES = 1 << 26
BZ2_BYTES = 1 << 24
"""Of a part of a file: about 70 MB of XML each, half a minute of work."""


def stage(settings: KnowledgeSettings) -> Stage:
    """Raises ConfigError for a file that does not exist, and SourceError for one of another kind."""
    config = settings.config
    pages = dump_files.find(config.wikipedia, "--wikipedia")
    sources = [(key, file, kind(file)) for key, file in page_files.keys(pages)]
    return Stage(
        "pages",
        needs=("entities",),
        folders=("pages", rejects.folder("pages")),
        inputs=[config.lang, config.pages.model_dump(), [dump_files.identity(file) for file in pages]],
        modules=(__name__,),
        run=partial(run, settings, sources),
        form=Pages,
    )


def run(settings: KnowledgeSettings, sources: Sequence[tuple[str, File, Kind]], output: str) -> Pages:
    """`sources`: (start of the ids, file, kind), in order. Raises SourceError if no file has a paragraph."""
    config, options = settings.config.pages, settings.options
    divided = [
        (position, key, part, form)
        for position, (key, file, form) in enumerate(sources)
        for part in parts(file, form, config.limit)
    ]
    elements = [PageSource(number, *source) for number, source in enumerate(divided)]
    elements.sort(key=lambda element: (element.part.start - element.part.end, element.number))
    transform = ReadFiles(output, settings.config.lang, config)
    run_pipeline("pages", elements, transform, options, output, "pages")
    read = sorted(gather.read(summary_path(output), ReadSource), key=lambda source: source.number)
    counts, tables = [], []
    for _, group in groupby(read, lambda source: source.file):
        page_file, rejected = join_parts(output, list(group))
        counts.append(page_file)
        tables += [rejects_to_table(rejected)] if rejected else []
    rejects.write(output, "pages", tables)
    if not any(file.paragraphs for file in counts):
        first = next((file for file in counts if file.first_rejects), counts[0])
        detail = first.first_rejects[0] if first.first_rejects else f"{first.name}: {first.kind}"
        raise SourceError(f"no paragraph of {config.min_tokens} tokens or more in --wikipedia ({detail})")
    shards = plan(read, config.paragraphs_per_shard)
    names = read_result(output, Entities).shards
    redirects = [RedirectPart(source.number, part) for source in read for part in range(len(source.redirects))]
    rows = sum(sum(source.redirects) + source.links for source in read) + sum(shard.names for shard in names)
    resolve = ResolveTitles(output, 1 + rows // ROWS_PER_BUCKET)
    inputs = [*redirects, *(NamesPart(shard.names_path) for shard in names), *shards]
    run_pipeline("pages (titles)", inputs, resolve, options, output, "pages", len(shards))
    written = gather.read(summary_path(output), WrittenShard)
    files.remove_tree(scratch_folder(output))
    return Pages(
        sources=tuple(counts),
        shards=tuple(sorted((each.shard for each in written if each.shard), key=lambda shard: shard.path)),
        redirects=sum(sum(source.redirects) for source in read),
        redirect_loops=sum(each.redirect_loops for each in written),
    )


def parts(file: File, form: Kind, limit: int | None) -> list[Part]:
    """The parts of a file that are read independently. A limit of pages is one of the file, so it is read as one."""
    if limit or form in ("html", "wikitext"):
        return [dump_parts.whole(file)]
    return dump_parts.parts(file, PLAIN_BYTES, BZ2_BYTES)


@dataclass(frozen=True)
class PageSource:
    """A part of a file to read. `number`: its position in the order of the paragraphs. `file`: that of its file. `key`:
    the start of their ids.
    """

    number: int
    file: int
    key: str
    part: Part
    kind: Kind


@dataclass(frozen=True)
class ReadSource:
    """A PageSource after reading. `counts`: of the part, without messages. `lines`, `numbers`: as in
    `page_files.Reader`. `slices`, `redirects`: number of rows of each file on disk.
    """

    number: int
    file: int
    counts: PageFile
    lines: int
    numbers: int
    slices: tuple[int, ...]
    links: int
    redirects: tuple[int, ...]


def join_parts(output: str, parts: Sequence[ReadSource]) -> tuple[PageFile, list[Reject]]:
    """The counts and the rejects of a file. `parts`: in order."""
    pages_left_out: Counter[str] = Counter()
    paragraphs_left_out: Counter[str] = Counter()
    rejected: Counter[Reason] = Counter()
    for part in parts:
        pages_left_out.update(part.counts.pages_left_out)
        paragraphs_left_out.update(part.counts.paragraphs_left_out)
        rejected.update(part.counts.rejected)
    before = accumulate((part.lines for part in parts), initial=0)
    lines = [PartLines(part.number, n, bool(part.counts.rejected)) for part, n in zip(parts, before, strict=False)]
    file_rejects = rejects.of_file(output, "pages", lines)
    first = parts[0].counts
    counts = PageFile(
        first.name,
        first.kind,
        sum(part.counts.pages for part in parts),
        sum(part.counts.paragraphs for part in parts),
        dict(sorted(pages_left_out.items())),
        dict(sorted(paragraphs_left_out.items())),
        dict(sorted(rejected.items())),
        rejects.first(file_rejects),
    )
    return counts, file_rejects


class ReadFiles(beam.PTransform):
    """PageSources → slices of paragraphs and redirects on disk, and a summary of ReadSources."""

    def __init__(self, output: str, lang: str, config: PageConfig):
        super().__init__()
        self.output = output
        self.read = ReadPages(output, lang, config)

    def expand(self, pcoll):
        return pcoll | "Read" >> beam.ParDo(self.read) | "Sum up" >> WriteSummary(summary_path(self.output))


class ReadPages(beam.DoFn):
    """A PageSource → its slices on disk and a ReadSource."""

    def __init__(self, output: str, lang: str, config: PageConfig):
        self.output, self.lang, self.config = output, lang, config

    def setup(self):
        gc.freeze()  # else every garbage collection would traverse the imported modules again

    def process(self, element: PageSource):
        config, number = self.config, element.number
        reader = Reader(self.lang, config.min_tokens, config.max_tokens, config.limit)
        name = element.part.file.name
        rejected = PartRejects("pages", name)
        redirects: list[Redirect] = []
        redirect_parts: list[int] = []
        links = 0

        def write_redirects() -> None:
            path = redirects_path(self.output, number, len(redirect_parts))
            redirect_parts.append(write_shard(path, REDIRECTS, [page_items.redirect_table(redirects)]))
            redirects.clear()

        def paragraphs() -> Iterator[Paragraph]:
            nonlocal links
            for record in reader.read(element.key, element.part, element.kind):
                if isinstance(record, BadRecord):
                    rejected.add(record)
                elif isinstance(record, Redirect):
                    redirects.append(record)
                    if len(redirects) == REDIRECTS_PER_PART:
                        write_redirects()
                else:
                    links += len(record.links)
                    yield record

        slices = write_slices(paragraphs(), self.output, number, config.paragraphs_per_shard)
        if redirects:
            write_redirects()
        counts = PageFile(
            name,
            element.kind,
            reader.pages,
            sum(slices),
            dict(sorted(reader.pages_left_out.items())),
            dict(sorted((+reader.paragraphs_left_out).items())),
            rejected.write(self.output, number),
            (),
        )
        lines, numbers = reader.lines, reader.numbers
        yield ReadSource(number, element.file, counts, lines, numbers, tuple(slices), links, tuple(redirect_parts))


def write_slices(paragraphs: Iterator[Paragraph], output: str, source: int, size: int) -> list[int]:
    """Writes the paragraphs in slices of `size` rows, and returns the number of rows of each."""
    slices: list[int] = []
    waiting: list[pa.Table] = []
    rows: list[Paragraph] = []

    def write() -> None:
        slices.append(write_shard(slice_path(output, source, len(slices)), PARAGRAPHS, waiting))
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
    return slices


def plan(read: Sequence[ReadSource], size: int) -> list[PlannedShard]:
    """Shards of `size` paragraphs, in order; the last one may be smaller."""
    shards: list[PlannedShard] = []
    slices: list[Slice] = []
    free = size
    file = numbers_before = 0
    for source in read:
        if source.file != file:
            file, numbers_before = source.file, 0
        for part, rows in enumerate(source.slices):
            start = 0
            while start < rows:
                end = min(rows, start + free)
                slices.append(Slice(source.number, part, start, end, numbers_before))
                free -= end - start
                start = end
                if not free:
                    shards.append(PlannedShard(len(shards), tuple(slices)))
                    slices, free = [], size
        numbers_before += source.numbers
    if slices:
        shards.append(PlannedShard(len(shards), tuple(slices)))
    return shards
