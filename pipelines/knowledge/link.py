"""pages/, entities/, types/ → link/NNNNN.parquet (LINKED) and link/items/NNNNN.parquet (CONTEXT), by shard of pages.

Two keyed shuffles: the hashes of all spans of the texts meet the hashes of all names, and the ids of the items that a
shard needs meet the items. No worker has all names or all items.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.build_folder import read_result
from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.run import run_pipeline
from pipelines.knowledge.config import KnowledgeSettings
from pipelines.knowledge.config import Link as LinkConfig
from schemas.arrow import required
from schemas.knowledge import (
    CONTEXT,
    ITEMS,
    LINKED,
    NAMES,
    TYPES,
    Item,
    LinkedParagraph,
    Paragraph,
    from_table,
    to_table,
)
from schemas.knowledge_manifests import Entities, Linked, LinkedShard, Pages, Types
from transforms import coders  # noqa: F401  (registers the table coder)
from transforms.knowledge.item_tables import by_bucket, grouped
from transforms.knowledge.linking import Candidate, choose
from transforms.knowledge.spans import SPANS, hash_strings, normal_name, span_table
from transforms.shards import read_batches, write_shard

ROWS_PER_BUCKET = 2_000_000
"""Names and spans, or items, in one bucket of a shuffle: some 200 MB."""

SPANS_PER_PARAGRAPH = 1_000
"""An estimate, for the number of buckets."""

PARAGRAPHS_PER_TABLE = 200
ROWS_PER_TABLE = 20_000
ITEMS_PER_NAME = 100
"""Of more items with the same name, those with the lowest numbers are candidates, labels and titles first."""

HASHED = pa.schema([required("hash", pa.uint64()), *NAMES])
CANDIDATES = pa.schema(
    [
        required("row", pa.int32()),
        required("start", pa.int32()),
        required("end", pa.int32()),
        required("qid", pa.int64()),
        required("kind", pa.string()),
        required("name", pa.string()),
    ]
)
WANTED = pa.schema([required("shard", pa.int32()), required("qid", pa.int64())])


def stage(settings: KnowledgeSettings) -> Stage:
    return Stage(
        "link",
        needs=("entities", "types", "pages"),
        folders=("link",),
        inputs=settings.config.link.model_dump(),
        modules=(__name__,),
        run=partial(run, settings),
        form=Linked,
    )


def run(settings: KnowledgeSettings, output: str) -> Linked:
    items, pages = read_result(output, Entities).shards, read_result(output, Pages).shards
    types = [shard.path for shard in read_result(output, Types).shards]
    names = sum(shard.names for shard in items) + SPANS_PER_PARAGRAPH * sum(shard.rows for shard in pages)
    inputs = [InputFile("pages", number, shard.path) for number, shard in enumerate(pages)]
    inputs += [InputFile("names", number, shard.names_path) for number, shard in enumerate(items)]
    inputs += [InputFile("items", number, shard.path) for number, shard in enumerate(items)]
    inputs += [InputFile("types", number, path) for number, path in enumerate(types)]
    name_buckets = 1 + names // ROWS_PER_BUCKET
    item_buckets = 1 + sum(shard.rows for shard in items) // ROWS_PER_BUCKET
    transform = LinkPages(output, settings.config.link, name_buckets, item_buckets)
    run_pipeline("link", inputs, transform, settings.options, output, "link", 2 * len(pages))
    written = gather.read(summary_path(output), LinkedShard)
    return Linked(tuple(sorted(written, key=lambda shard: shard.path)))


def summary_path(output: str) -> str:
    return f"{output}/link/.summary.json"


@dataclass(frozen=True)
class InputFile:
    """A shard of `kind` pages, names, items or types. `number`: its position among the shards of its kind."""

    kind: str
    number: int
    path: str


Keyed = tuple[int, pa.Table]


class LinkPages(beam.PTransform):
    """InputFiles → shards of linked paragraphs and of their items, and a summary."""

    def __init__(self, output: str, config: LinkConfig, name_buckets: int, item_buckets: int):
        super().__init__()
        self.output, self.config = output, config
        self.name_buckets, self.item_buckets = name_buckets, item_buckets

    def expand(self, pcoll):
        read = pcoll | "Read" >> beam.ParDo(
            ReadInput(self.output, self.config, self.name_buckets, self.item_buckets)
        ).with_outputs("hashed", "items", main="pages")
        candidates = (
            read["hashed"]
            | "Hashed" >> beam.Map(unchanged).with_output_types(Keyed)
            | "Meet names" >> beam.GroupByKey()
            | "Candidates" >> beam.FlatMap(join_names).with_output_types(Keyed)
        )
        wanted = candidates | "Wanted" >> beam.FlatMap(wanted_items, self.item_buckets).with_output_types(Keyed)
        items = read["items"] | "Items" >> beam.Map(unchanged).with_output_types(Keyed)
        context = (
            (items, wanted)
            | "Items and wanted" >> beam.Flatten()
            | "Meet items" >> beam.GroupByKey()
            | "Context" >> beam.FlatMap(join_items).with_output_types(Keyed)
        )
        pages = read["pages"] | "Key by number" >> beam.Map(by_number)
        return (
            {"page": pages, "candidates": candidates, "context": context}
            | "Back to the shard" >> beam.CoGroupByKey()
            | "Link" >> beam.Map(link_shard, self.output, self.config)
            | "Sum up" >> WriteSummary(summary_path(self.output))
        )


def unchanged(element: Keyed) -> Keyed:  # declares the type, which selects the coder
    return element


def by_number(file: InputFile) -> tuple[int, InputFile]:
    return file.number, file


class ReadInput(beam.DoFn):
    """An InputFile → itself if it has pages. By bucket: SPANS and HASHED names (tag `hashed`), ITEMS, TYPES and WANTED
    (tag `items`).
    """

    def __init__(self, output: str, config: LinkConfig, name_buckets: int, item_buckets: int):
        self.output, self.config = output, config
        self.name_buckets, self.item_buckets = name_buckets, item_buckets

    def process(self, file: InputFile):
        path = f"{self.output}/{file.path}"
        if file.kind == "pages":
            yield file
            row = 0
            for table in read_batches(path, PARAGRAPHS_PER_TABLE):
                yield from self.tagged("items", linked_items(table, file.number), "qid", self.item_buckets)
                if self.config.mentions == "all":
                    spans = span_table(table["text"].to_pylist(), file.number, row, self.config.max_name_tokens)
                    yield from self.tagged("hashed", spans, "hash", self.name_buckets)
                row += table.num_rows
        elif file.kind == "names":
            if self.config.mentions == "all":
                for table in read_batches(path, ROWS_PER_TABLE):
                    yield from self.tagged("hashed", hash_names(table), "hash", self.name_buckets)
        else:
            for table in read_batches(path, ROWS_PER_TABLE):
                yield from self.tagged("items", table, "qid", self.item_buckets)

    def tagged(self, tag: str, table: pa.Table, column: str, buckets: int) -> Iterator[beam.pvalue.TaggedOutput]:
        for keyed in by_bucket(table, column, buckets):
            yield beam.pvalue.TaggedOutput(tag, keyed)


def hash_names(names: pa.Table) -> pa.Table:
    hashes = hash_strings([normal_name(name) for name in names["name"].to_pylist()])
    return pa.Table.from_arrays([pa.array(hashes), *names.columns], schema=HASHED)


def linked_items(pages: pa.Table, shard: int) -> pa.Table:
    """WANTED: the items of the pages and links of the paragraphs."""
    links = pc.struct_field(pages["links"].combine_chunks().flatten(), "qid")
    qids = pc.unique(pa.concat_arrays([links, pages["page"].combine_chunks()])).drop_null()
    return wanted_table(qids, shard)


def wanted_table(qids: pa.Array, shard: int) -> pa.Table:
    return pa.Table.from_arrays([pa.array(np.full(len(qids), shard, np.int32)), qids], schema=WANTED)


def joined(tables: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    """Those of the tables that have this schema, as one table."""
    return pa.concat_tables(
        [schema.empty_table(), *(table for table in tables if table.schema.equals(schema))]
    ).combine_chunks()


def join_names(element: tuple[int, Iterable[pa.Table]]) -> Iterator[Keyed]:
    """(shard of pages, CANDIDATES of its spans), from the SPANS and HASHED names of a bucket."""
    tables = list(element[1])
    spans, names = joined(tables, SPANS), joined(tables, HASHED)
    # Names by hash, and of equal hashes labels and titles before aliases, then by item
    is_alias = pc.equal(names["kind"], "alias")
    names = names.append_column("alias", is_alias).sort_by(
        [(column, "ascending") for column in ("hash", "alias", "qid", "name", "kind")]
    )
    hashes, wanted = names["hash"].to_numpy(), spans["hash"].to_numpy()
    first = np.searchsorted(hashes, wanted, "left")
    counts = np.minimum(np.searchsorted(hashes, wanted, "right") - first, ITEMS_PER_NAME)
    span_rows = np.repeat(np.arange(len(wanted)), counts)
    offsets = np.arange(len(span_rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    matched = names.take(pa.array(np.repeat(first, counts) + offsets))
    matching = spans.take(pa.array(span_rows))
    columns = [matching[name] for name in ("row", "start", "end")] + [matched[name] for name in ("qid", "kind", "name")]
    table = pa.Table.from_arrays(columns, schema=CANDIDATES)
    yield from grouped(table, matching["shard"].to_numpy())


def wanted_items(element: Keyed, buckets: int) -> Iterator[Keyed]:
    """The items of CANDIDATES of a shard, by bucket."""
    shard, candidates = element
    yield from by_bucket(wanted_table(pc.unique(candidates["qid"]), shard), "qid", buckets)


def join_items(element: tuple[int, Iterable[pa.Table]]) -> Iterator[Keyed]:
    """(shard of pages, CONTEXT rows of the items that it wants), from the ITEMS, TYPES and WANTED of a bucket."""
    tables = list(element[1])
    items, types, wanted = joined(tables, ITEMS), joined(tables, TYPES), joined(tables, WANTED)
    items, types = items.sort_by("qid"), types.sort_by("qid")
    ids = items["qid"].to_numpy()
    for shard, rows in grouped(wanted, wanted["shard"].to_numpy()):
        qids = np.unique(rows["qid"].to_numpy())
        qids = qids[np.isin(qids, ids)]
        chosen = items.take(pa.array(np.searchsorted(ids, qids)))
        item_types = types.take(pa.array(np.searchsorted(types["qid"].to_numpy(), qids)))
        columns = {name: chosen[name] for name in ITEMS.names} | {"types": item_types["types"]}
        yield shard, pa.Table.from_arrays([columns[name] for name in CONTEXT.names], schema=CONTEXT)


def link_shard(element: tuple[int, dict], output: str, config: LinkConfig) -> LinkedShard:
    """Writes the linked paragraphs of a shard and their items."""
    number, inputs = element
    (file,) = inputs["page"]
    context = joined(inputs["context"], CONTEXT).sort_by("qid")
    items = {item.qid: item for table in context.to_batches(max_chunksize=ROWS_PER_TABLE) for item in to_items(table)}
    candidates: dict[int, list[Candidate]] = defaultdict(list)
    table = joined(inputs["candidates"], CANDIDATES)
    columns = [table[name].to_pylist() for name in CANDIDATES.names]
    for row, *candidate in zip(*columns, strict=True):
        candidates[row].append(Candidate(*candidate))
    kinds: Counter[str] = Counter()

    def linked() -> Iterator[pa.Table]:
        row = 0
        for pages in read_batches(f"{output}/{file.path}", PARAGRAPHS_PER_TABLE):
            results = []
            for paragraph in from_table(pages, Paragraph):
                mentions = choose(paragraph, candidates.get(row, ()), items, config.mentions == "given")
                kinds.update(mention.kind for mention in mentions)
                results.append(LinkedParagraph(paragraph, mentions))
                row += 1
            yield to_table(results, LINKED)

    path, items_path = f"link/{number:05d}.parquet", f"link/items/{number:05d}.parquet"
    rows = write_shard(f"{output}/{path}", LINKED, linked())
    item_rows = write_shard(f"{output}/{items_path}", CONTEXT, [context])
    return LinkedShard(path, items_path, rows, item_rows, dict(sorted(kinds.items())))


def to_items(batch: pa.RecordBatch) -> list[Item]:
    return from_table(pa.Table.from_batches([batch]), Item)
