"""Dumps of the knowledge graph → entities/items/NNNNN-NNNNN.parquet (ITEMS) and entities/names/ (NAMES).

The numbers are those of the part of a file and of the shard within it. Rows keep the order of the dump, and a shard of
names has the names of the items of the shard with the same number, in order.

Large files are read in parts, each of them once. Only positions of items are shuffled, which shows items that occur
more than once. A second pass rewrites the shards that contain a repeated item, or all of them if the dumps say that
items were merged.
"""

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import pyarrow as pa

from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.keyed_tables import KeyedTable, unchanged
from pipelines.engine.run import run_pipeline
from pipelines.knowledge import rejects
from pipelines.knowledge.config import KnowledgeSettings
from pipelines.knowledge.rejects import PartLines, PartRejects
from schemas.arrow import rejects_to_table
from schemas.errors import BadRecord, ConfigError, Reason, Reject, SourceError
from schemas.knowledge import ITEMS, NAMES
from schemas.knowledge_manifests import DumpRead, Entities, ItemShard
from transforms import files
from transforms.files import File
from transforms.knowledge import dump_files, dump_parts, item_tables, themes, wikidata
from transforms.knowledge.dump_parts import Part
from transforms.knowledge.item_tables import DROPPED, MERGED
from transforms.knowledge.wikidata import ItemRow, Merged
from transforms.shards import read_batches, read_shard, write_shard

ITEMS_PER_SHARD = 50_000
ITEMS_PER_TABLE = 5_000
POSITIONS_PER_TABLE = 1_000_000
BYTES_PER_BUCKET = 1 << 29
"""Stored bytes of dumps per bucket of positions: about 7 million items of a compressed dump."""

PLAIN_BYTES = 1 << 30
BZ2_BYTES = 1 << 26
"""Of a part of a dump: about 1 GB of JSON each."""

MERGED_PER_TABLE = 1_000_000


def stage(settings: KnowledgeSettings) -> Stage:
    """Raises ConfigError for a dump that does not exist, and for a wrong file of themes."""
    dumps = dump_files.find(settings.config.wikidata, "--wikidata")
    properties = themes.load(settings.config.match.themes).properties()
    return Stage(
        "entities",
        needs=(),
        folders=("entities", rejects.folder("entities")),
        inputs=[settings.config.lang, sorted(properties), [dump_files.identity(dump) for dump in dumps]],
        modules=(__name__,),
        run=partial(run, settings, dumps, properties),
        form=Entities,
    )


def run(settings: KnowledgeSettings, dumps: Sequence[File], properties: frozenset[int], output: str) -> Entities:
    """Raises SourceError for a file without an entity, and ConfigError for a property that the graph does not have."""
    buckets = 1 + files.total_bytes(dumps) // BYTES_PER_BUCKET
    parts = [part for dump in dumps for part in dump_parts.parts(dump, PLAIN_BYTES, BZ2_BYTES)]
    # Largest first, so that no worker gets a large part at the end
    elements = sorted(enumerate(parts), key=lambda element: element[1].start - element[1].end)
    transform = ReadDumps(output, settings.config.lang, properties, buckets, ITEMS_PER_SHARD)
    run_pipeline("entities", elements, transform, settings.options, output, "entities/items")
    outcomes = sorted(gather.read(summary_path(output), ReadPart), key=lambda outcome: outcome.number)
    by_path = {dump.path: [outcome for outcome in outcomes if parts[outcome.number].file == dump] for dump in dumps}
    read, tables = [], []
    for dump in dumps:
        counts, rejected = dump_read(output, dump.name, by_path[dump.path])
        read.append(counts)
        tables += [rejects_to_table(rejected)] if rejected else []
    rejects.write(output, "entities", tables)
    for each in read:
        if not each.counts:
            problem = each.first_rejects[0] if each.first_rejects else f"{each.name}: no entity"
            raise SourceError(f"{problem}; give a Wikidata JSON dump, with one entity per line")
    used = frozenset().union(*(outcome.properties for outcome in outcomes))
    declared = frozenset().union(*(outcome.declared for outcome in outcomes))
    check_properties(settings.config.match.themes, properties, used, declared)
    shards = {shard_name(shard): shard for outcome in outcomes for shard in outcome.shards}
    loops = write_merged(output)
    merged = files.exists(merged_path(output))
    names = sorted(name for name in shards if merged or files.exists(dropped_path(output, name)))
    rewritten: list[RewrittenShard] = []
    if names:
        rewrite_all = RewriteShards(output)
        run_pipeline("entities (again)", names, rewrite_all, settings.options, output, "entities/items", len(shards))
        rewritten = gather.read(summary_path(output), RewrittenShard)
    shards |= {shard_name(each.shard): each.shard for each in rewritten}
    files.remove_tree(scratch_folder(output))
    return Entities(
        dumps=tuple(read),
        shards=tuple(shard for _, shard in sorted(shards.items())),
        repeated_items=sum(each.repeated for each in rewritten),
        merged_items=sum(each.merged for each in rewritten),
        merge_loops=loops,
        merged="entities/merged.parquet" if merged else None,
        unused_properties=tuple(sorted(properties - used)),
    )


def check_properties(
    path: str | None, properties: frozenset[int], used: frozenset[int], declared: frozenset[int]
) -> None:
    """Raises ConfigError for a property in the user's file of themes that is neither declared nor used in the dumps.

    Only if the dumps declare every property that is used, as a full dump does: those of a part of the graph may lack
    the entity of any property.
    """
    if path and used and used <= declared and (places := themes.uses(path, properties - declared)):
        more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
        raise ConfigError(f"{places[0]}: the graph of --wikidata has no such property{more}; correct or remove it")


def summary_path(output: str) -> str:
    return f"{output}/entities/.summary.json"


def merged_path(output: str) -> str:
    return f"{output}/entities/merged.parquet"


def scratch_folder(output: str) -> str:
    return f"{output}/entities/.scratch"


def dropped_path(output: str, name: str) -> str:
    """The numbers of the rows to drop from the shard of this name."""
    return f"{scratch_folder(output)}/dropped/{name}.parquet"


def merged_folder(output: str) -> str:
    """The merged ids of each file, as the dump has them."""
    return f"{scratch_folder(output)}/merged"


def shard_name(shard: ItemShard) -> str:
    return shard.path.rpartition("/")[2].removesuffix(".parquet")


def shard_paths(name: str) -> tuple[str, str]:
    """The paths of the items and names of a shard."""
    return f"entities/items/{name}.parquet", f"entities/names/{name}.parquet"


@dataclass(frozen=True)
class ReadPart:
    """A part of a dump file after reading. `number`: its position among all parts of all dumps.

    `lines`: their number. `counts`, `rejected`: as in DumpRead. `properties`: those of the themes that have a
    statement. `declared`: those of which the part has the entity.
    `is_opened`, `is_closed`: as in `wikidata.Reader`.
    """

    number: int
    lines: int
    is_opened: bool
    is_closed: bool
    counts: dict[str, int]
    properties: tuple[int, ...]
    declared: tuple[int, ...]
    rejected: dict[Reason, int]
    shards: tuple[ItemShard, ...]


def dump_read(output: str, name: str, parts: Sequence[ReadPart]) -> tuple[DumpRead, list[Reject]]:
    """The counts of a dump file and its rejects. `parts`: in order."""
    counts: Counter[str] = Counter()
    rejected: Counter[Reason] = Counter()
    lines: list[PartLines] = []
    before = 0
    for part in parts:
        counts.update(part.counts)
        rejected.update(part.rejected)
        lines.append(PartLines(part.number, before, bool(part.rejected)))
        before += part.lines
    file_rejects = rejects.of_file(output, "entities", lines)
    is_closed = [part.is_closed for part in parts if part.lines]
    if any(part.is_opened for part in parts) and not is_closed[-1]:
        rejected[Reason.BROKEN_RECORD] += 1
        detail = "the dump ends without ]: the rest is lost"
        file_rejects.append(Reject("entities", name, "", "", f"{name}:{before}", Reason.BROKEN_RECORD, detail))
    counted = DumpRead(name, dict(sorted(counts.items())), dict(sorted(rejected.items())), rejects.first(file_rejects))
    return counted, file_rejects


@dataclass(frozen=True)
class RewrittenShard:
    """A shard without its `repeated` items and those that were `merged` into others."""

    shard: ItemShard
    repeated: int
    merged: int


class ReadDumps(beam.PTransform):
    """(number, part of a dump) → shards of items and names, the rows to drop from them, and a summary of ReadParts."""

    def __init__(self, output: str, lang: str, properties: frozenset[int], buckets: int, items_per_shard: int):
        super().__init__()
        self.output = output
        self.read = ReadDump(output, lang, properties, buckets, items_per_shard)

    def expand(self, pcoll):
        read = pcoll | "Read" >> beam.ParDo(self.read).with_outputs("positions", main="parts")
        _ = (
            read["positions"]
            | "Positions" >> beam.Map(unchanged).with_output_types(KeyedTable)
            | "Group by item" >> beam.GroupByKey()
            | "Find repeated items" >> beam.FlatMap(repeated_items).with_output_types(Dropped)
            | "Group by shard" >> beam.GroupByKey()
            | "Write rows to drop" >> beam.Map(write_dropped, self.output)
        )
        return read["parts"] | "Sum up" >> WriteSummary(summary_path(self.output))


Dropped = tuple[str, pa.Table]


class ReadDump(beam.DoFn):
    """(number, part of a dump) → a ReadPart, its shards on disk, and the positions of its items by bucket."""

    def __init__(self, output: str, lang: str, properties: frozenset[int], buckets: int, items_per_shard: int):
        self.output, self.lang, self.properties = output, lang, properties
        self.buckets, self.items_per_shard = buckets, items_per_shard

    def setup(self):
        gc.freeze()  # else every garbage collection would traverse the imported modules again

    def process(self, element: tuple[int, Part]):
        number, part = element
        reader = wikidata.Reader(self.lang, self.properties)
        rejected = PartRejects("entities", part.file.name)
        merged: list[Merged] = []

        def items() -> Iterator[ItemRow]:
            for row in reader.read(dump_parts.lines(part), part.file.name):
                if isinstance(row, BadRecord):
                    rejected.add(row)
                elif isinstance(row, Merged):
                    merged.append(row)
                else:
                    yield row

        shards: list[ItemShard] = []
        waiting: list[pa.Table] = []
        for rows in chunks(items(), self.items_per_shard):
            name = f"{number:05d}-{len(shards):05d}"
            tables = [to_tables(chunk) for chunk in chunks(rows, ITEMS_PER_TABLE)]
            waiting.append(item_tables.position_table(rows, number, len(shards)))
            shards.append(write_tables(self.output, name, *zip(*tables, strict=True)))
            if len(waiting) * self.items_per_shard >= POSITIONS_PER_TABLE:
                yield from self.positions(waiting)
                waiting = []
        yield from self.positions(waiting)
        if merged:
            table = item_tables.merged_table(merged)
            write_shard(f"{merged_folder(self.output)}/{number:05d}.parquet", MERGED, [table])
        counts = {name: count for name, count in sorted(reader.counts.items()) if count}
        counts |= {"merged": len(merged)} if merged else {}
        yield ReadPart(
            number,
            reader.lines,
            reader.is_opened,
            reader.is_closed,
            counts,
            tuple(sorted(reader.used)),
            tuple(sorted(reader.declared)),
            rejected.write(self.output, number),
            tuple(shards),
        )

    def positions(self, tables: list[pa.Table]) -> Iterator[beam.pvalue.TaggedOutput]:
        if tables:
            for keyed in item_tables.by_bucket(pa.concat_tables(tables), "qid", self.buckets):
                yield beam.pvalue.TaggedOutput("positions", keyed)


def chunks(rows: Iterable[ItemRow], size: int) -> Iterator[list[ItemRow]]:
    """Lists of `size` rows; the last one may be shorter."""
    chunk = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def to_tables(rows: list[ItemRow]) -> tuple[pa.Table, pa.Table]:
    return item_tables.item_table(rows), item_tables.name_table(rows)


def write_tables(output: str, name: str, items: Sequence[pa.Table], names: Sequence[pa.Table]) -> ItemShard:
    """Writes the items and names of a shard."""
    path, names_path = shard_paths(name)
    return ItemShard(
        path,
        names_path,
        rows=write_shard(f"{output}/{path}", ITEMS, items),
        names=write_shard(f"{output}/{names_path}", NAMES, names),
        statements=sum(item_tables.list_items(table, "statements") for table in items),
        superclasses=sum(item_tables.list_items(table, "superclasses") for table in items),
    )


def repeated_items(element: tuple[int, Iterable[pa.Table]]) -> Iterator[Dropped]:
    """(name of a shard, DROPPED), from all positions of one bucket."""
    rows = item_tables.superseded(pa.concat_tables(element[1]))
    for file, shard, part in item_tables.by_shard(rows):
        yield f"{file:05d}-{shard:05d}", part.select(DROPPED.names)


def write_dropped(element: tuple[str, Iterable[pa.Table]], output: str) -> None:
    name, tables = element
    table = pa.concat_tables(tables).sort_by("row")
    write_shard(dropped_path(output, name), DROPPED, [table])


def write_merged(output: str) -> int:
    """Writes the table of merged ids of all files if there are any, and returns the number of ids without a target.

    It is made in one process, because it is small: a dump has less than one merged item per 20 items.
    """
    if not files.is_folder(merged_folder(output)):
        return 0
    tables = [read_shard(file.path) for file in files.list_files(merged_folder(output))]
    merged, loops = item_tables.resolve(pa.concat_tables(tables))
    if merged.num_rows:
        write_shard(merged_path(output), MERGED, [merged])
    return loops


class RewriteShards(beam.PTransform):
    """Names of shards → the shards without rows to drop and with merged ids replaced, and a summary."""

    def __init__(self, output: str):
        super().__init__()
        self.output = output

    def expand(self, pcoll):
        return pcoll | "Rewrite" >> beam.Map(rewrite, self.output) | "Sum up" >> WriteSummary(summary_path(self.output))


def rewrite(name: str, output: str) -> RewrittenShard:
    items, names = (read_shard(f"{output}/{path}") for path in shard_paths(name))
    before = items.num_rows
    dropped = dropped_path(output, name)
    if files.exists(dropped):
        items, names = item_tables.drop_rows(items, names, read_shard(dropped)["row"].to_numpy())
    repeated = before - items.num_rows
    if files.exists(merged_path(output)):
        for merged in read_batches(merged_path(output), MERGED_PER_TABLE):
            items, names = item_tables.drop_rows(items, names, item_tables.merged_rows(items, merged))
            items = item_tables.replace_merged(items, merged)
    shard = write_tables(output, name, [items], [names])
    return RewrittenShard(shard, repeated, before - repeated - items.num_rows)
