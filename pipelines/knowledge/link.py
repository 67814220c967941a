"""entities/, types/, pages/ → link/NNNNN.parquet (LINKED) and link/items/NNNNN.parquet (CONTEXT), per shard of pages.

Two shuffles of tables, in buckets: the hashes of all spans that may be names are joined with the hashes of the names of
all items, then the ids of the candidates are joined with the items. No worker has all names or all items, and only
those that the paragraphs may need are shuffled (`key_filter`). Each shard is then linked by itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import apache_beam as beam
import pyarrow as pa

from pipelines.build_folder import read_result
from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.keyed_tables import KeyedTable, unchanged
from pipelines.engine.run import run_pipeline
from pipelines.knowledge import link_tables
from pipelines.knowledge.config import KnowledgeSettings
from pipelines.knowledge.key_filter import Bits, CollectKeys, filtered
from pipelines.knowledge.link_tables import CANDIDATES
from schemas.knowledge import CONTEXT, LINKED, Paragraph
from schemas.knowledge_manifests import Entities, Linked, LinkedShard, Pages, Types
from transforms import files
from transforms.knowledge import linking
from transforms.knowledge.item_tables import by_bucket
from transforms.knowledge.spans import Recogniser, spans
from transforms.shards import read_batches, read_shard, write_shard

NAMES_PER_BUCKET = 2_000_000
ITEMS_PER_BUCKET = 200_000
"""A bucket of either is about 200 MB in memory."""

NAMES_PER_TABLE = 100_000
ITEMS_PER_TABLE = 10_000
MERGED_PER_TABLE = 1_000_000


def stage(settings: KnowledgeSettings, recognise: Recogniser = spans) -> Stage:
    """`recognise`: finds the spans that are looked up as names; by default all n-grams. It must be a function of a
    module, since workers import it.
    """
    return Stage(
        "link",
        needs=("entities", "types", "pages"),
        folders=("link",),
        inputs=[settings.config.link.model_dump(), f"{recognise.__module__}.{recognise.__qualname__}"],
        modules=(__name__, recognise.__module__),
        run=partial(run, settings, recognise),
        form=Linked,
        data=("transforms/knowledge/stop_words.yaml",),
    )


def run(settings: KnowledgeSettings, recognise: Recogniser, output: str) -> Linked:
    entities, types = read_result(output, Entities), read_result(output, Types)
    types_paths = sorted(shard.path for shard in types.shards)
    items = [
        ItemFiles(shard.path, shard.names_path, path)
        for shard, path in zip(sorted(entities.shards, key=lambda shard: shard.path), types_paths, strict=True)
    ]
    shards = [Shard(number, shard.path) for number, shard in enumerate(read_result(output, Pages).shards)]
    config = settings.config.link
    transform = LinkShards(
        output,
        items,
        config.mentions,
        SpanSearch(recognise, config.max_name_tokens),
        name_buckets=1 + sum(shard.names for shard in entities.shards) // NAMES_PER_BUCKET,
        item_buckets=1 + sum(shard.rows for shard in entities.shards) // ITEMS_PER_BUCKET,
        merged=entities.merged,
    )
    run_pipeline("link", shards, transform, settings.options, output, "link/items", len(shards))
    files.remove_tree(scratch_folder(output))
    written = gather.read(summary_path(output), LinkedShard)
    return Linked(tuple(sorted(written, key=lambda shard: shard.path)))


def summary_path(output: str) -> str:
    return f"{output}/link/.summary.json"


def scratch_folder(output: str) -> str:
    """The folder of CANDIDATES of each shard, until the items are there."""
    return f"{output}/link/.scratch"


@dataclass(frozen=True)
class Shard:
    """A shard of pages/. `number`: its position among all shards."""

    number: int
    path: str

    @property
    def linked_path(self) -> str:
        return self.path.replace("pages/", "link/", 1)

    @property
    def items_path(self) -> str:
        return self.path.replace("pages/", "link/items/", 1)


@dataclass(frozen=True)
class ItemFiles:
    """The shards of items, names and types with the same number."""

    items: str
    names: str
    types: str


@dataclass(frozen=True)
class SpanSearch:
    """How the spans that may be names are found."""

    recognise: Recogniser
    max_tokens: int


class LinkShards(beam.PTransform):
    """Shards of paragraphs → shards of linked paragraphs and of their items, and a summary."""

    def __init__(
        self,
        output: str,
        items: Sequence[ItemFiles],
        mentions: Literal["all", "given"],
        search: SpanSearch,
        name_buckets: int,
        item_buckets: int,
        merged: str | None,
    ):
        super().__init__()
        self.output, self.items, self.mentions, self.search = output, items, mentions, search
        self.name_buckets, self.item_buckets, self.merged = name_buckets, item_buckets, merged

    def expand(self, pcoll):
        files_of_items = pcoll.pipeline | "Items" >> beam.Create(self.items)
        inputs = {"shard": pcoll | "Key by number" >> beam.Map(by_number)}
        if self.mentions == "all":
            ngrams = pcoll | "Read spans" >> beam.FlatMap(
                read_ngrams, self.output, self.search, self.name_buckets
            ).with_output_types(KeyedTable)
            hashes = ngrams | "Collect hashes" >> beam.CombineGlobally(CollectKeys("hash"))
            names = files_of_items | "Read names" >> beam.FlatMap(
                read_names, self.output, self.name_buckets, beam.pvalue.AsIter(hashes)
            ).with_output_types(KeyedTable)
            inputs["names"] = (
                {"names": names, "ngrams": ngrams}
                | "Group by hash" >> beam.CoGroupByKey()
                | "Join names" >> beam.FlatMap(join_names).with_output_types(KeyedTable)
            )
        searched = (
            inputs
            | "Names to the shard" >> beam.CoGroupByKey()
            | "Find candidates"
            >> beam.ParDo(FindCandidates(self.output, self.search, self.item_buckets, self.merged)).with_outputs(
                "requests", main="shards"
            )
        )
        requests = searched["requests"] | "Requests" >> beam.Map(unchanged).with_output_types(KeyedTable)
        qids = requests | "Collect ids" >> beam.CombineGlobally(CollectKeys("qid"))
        items = files_of_items | "Read items" >> beam.FlatMap(
            read_items, self.output, self.item_buckets, beam.pvalue.AsIter(qids)
        ).with_output_types(KeyedTable)
        context = (
            {"items": items, "requests": requests}
            | "Group by item" >> beam.CoGroupByKey()
            | "Join items" >> beam.FlatMap(join_items).with_output_types(KeyedTable)
        )
        return (
            {"shard": searched["shards"] | "Key again" >> beam.Map(by_number), "context": context}
            | "Items to the shard" >> beam.CoGroupByKey()
            | "Link" >> beam.Map(write_linked, self.output, self.mentions, self.merged)
            | "Sum up" >> WriteSummary(summary_path(self.output))
        )


def by_number(shard: Shard) -> tuple[int, Shard]:
    return shard.number, shard


def candidates_path(output: str, shard: Shard) -> str:
    return f"{scratch_folder(output)}/{shard.number:06d}.parquet"


def read_paragraphs(shard: Shard, output: str, merged: str | None) -> tuple[pa.Table, list[Paragraph]]:
    """PARAGRAPHS of the shard, and the same with the targets of merged items. `merged`: the path of MERGED."""
    table = read_shard(f"{output}/{shard.path}")
    parts = read_batches(f"{output}/{merged}", MERGED_PER_TABLE) if merged else ()
    return table, link_tables.read_paragraphs(table, parts)


def read_ngrams(shard: Shard, output: str, search: SpanSearch, buckets: int) -> Iterator[KeyedTable]:
    _, paragraphs = read_paragraphs(shard, output, None)
    yield from link_tables.ngram_tables(paragraphs, shard.number, search.recognise, search.max_tokens, buckets)


def read_names(shard: ItemFiles, output: str, buckets: int, wanted: Iterable[Bits]) -> Iterator[KeyedTable]:
    """`wanted`: one filter, of the hashes of n-grams."""
    (bits,) = wanted
    for table in read_batches(f"{output}/{shard.names}", NAMES_PER_TABLE):
        yield from by_bucket(filtered(link_tables.hashed_names(table), "hash", bits), "hash", buckets)


def read_items(shard: ItemFiles, output: str, buckets: int, wanted: Iterable[Bits]) -> Iterator[KeyedTable]:
    """`wanted`: one filter, of the ids that shards need."""
    (bits,) = wanted
    items = read_batches(f"{output}/{shard.items}", ITEMS_PER_TABLE)
    types = read_batches(f"{output}/{shard.types}", ITEMS_PER_TABLE)
    for rows, row_types in zip(items, types, strict=True):
        yield from by_bucket(filtered(link_tables.context_rows(rows, row_types), "qid", bits), "qid", buckets)


def join_names(element: tuple[int, dict[str, Iterable[pa.Table]]]) -> Iterator[KeyedTable]:
    yield from link_tables.join_names(element[1]["names"], element[1]["ngrams"])


def join_items(element: tuple[int, dict[str, Iterable[pa.Table]]]) -> Iterator[KeyedTable]:
    yield from link_tables.join_items(element[1]["items"], element[1]["requests"])


class FindCandidates(beam.DoFn):
    """A shard with the names that occur in it → the shard, its CANDIDATES on disk, and the items that it needs."""

    def __init__(self, output: str, search: SpanSearch, buckets: int, merged: str | None):
        self.output, self.search, self.buckets, self.merged = output, search, buckets, merged

    def process(self, element: tuple[int, dict]):
        (shard,) = element[1]["shard"]
        _, paragraphs = read_paragraphs(shard, self.output, self.merged)
        names = element[1].get("names")
        candidates = CANDIDATES.empty_table()
        if names is not None:
            candidates = link_tables.candidate_table(paragraphs, names, self.search.recognise, self.search.max_tokens)
        write_shard(candidates_path(self.output, shard), CANDIDATES, [candidates])
        yield shard
        for keyed in link_tables.requests(paragraphs, candidates, shard.number, self.buckets):
            yield beam.pvalue.TaggedOutput("requests", keyed)


def write_linked(
    element: tuple[int, dict], output: str, mentions: Literal["all", "given"], merged: str | None
) -> LinkedShard:
    (shard,) = element[1]["shard"]
    table, paragraphs = read_paragraphs(shard, output, merged)
    context = link_tables.context_table(element[1]["context"])
    items = link_tables.read_items(context)
    if mentions == "given":
        choices = [linking.given(paragraph, items) for paragraph in paragraphs]
    else:
        candidates = link_tables.candidates_by_row(read_shard(candidates_path(output, shard)), len(paragraphs))
        choices = list(map(linking.choose, paragraphs, candidates, [items] * len(paragraphs)))
    used = {mention.qid for choice in choices for mention in choice.mentions}
    used |= {paragraph.page for paragraph in paragraphs}
    context = context.filter(pa.array([qid in used for qid in context["qid"].to_pylist()], pa.bool_()))
    linked = link_tables.linked_table(paragraphs, table, [choice.mentions for choice in choices])
    kinds = Counter(mention.kind for choice in choices for mention in choice.mentions)
    return LinkedShard(
        shard.linked_path,
        shard.items_path,
        rows=write_shard(f"{output}/{shard.linked_path}", LINKED, [linked]),
        items=write_shard(f"{output}/{shard.items_path}", CONTEXT, [context]),
        mentions=dict(sorted(kinds.items())),
        ambiguous=sum(choice.ambiguous for choice in choices),
    )
