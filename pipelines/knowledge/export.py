"""score/ → export/<lang>_<theme>/: a themed corpus that `pipelines.build` reads as a source.

First, the keys of all texts are grouped by their combination of relations, which decides which texts are kept; texts
without a fact are counted by bins of a hash. Then every shard is read again and its kept texts are written, and the
parts of each split are joined. The rows never leave their shard.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import msgspec
import numpy as np
import pyarrow as pa

from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.keyed_tables import KeyedTable, unchanged
from pipelines.engine.run import run_pipeline
from pipelines.knowledge.config import KnowledgeSettings
from pipelines.knowledge.corpora import describe
from schemas import json_values
from schemas.arrow import required
from schemas.knowledge import MatchedParagraph, from_table
from schemas.knowledge_corpus import FILE, ExportedSplit, KnowledgeCorpus
from schemas.knowledge_manifests import Exported
from transforms import files
from transforms.knowledge import sampling
from transforms.shards import read_batches

ROWS_PER_TABLE = 1_000
SHARDS_PER_BUCKET = 500
"""With 2,000 texts per shard, the keys of a bucket take some 30 MB."""

KEYS = pa.schema(
    [
        required("group", pa.uint64()),  # of the combination of relations
        required("key", pa.uint64()),  # of the text
        required("theme", pa.int16()),
        required("shard", pa.int32()),
        required("row", pa.int32()),
    ]
)
"""One row per text with facts."""

BINS = pa.schema([required("bin", pa.int32()), required("texts", pa.int64())])
"""Numbers of texts without a fact, by bin; at WITH_FACTS, the number of kept texts with facts."""

WITH_FACTS = -1

ROWS = pa.schema([required("row", pa.int32())])


@dataclass(frozen=True)
class Shard:
    """A shard of score/. `path`: below the output."""

    number: int
    path: str


@dataclass(frozen=True)
class Choice:
    """How the texts of all themes are chosen. `relations`: keys of the themes, sorted, and of their relations; KEYS has
    the positions of the themes.
    """

    relations: dict[str, frozenset[str]]
    seed: int
    min_score: float
    alpha: float
    without_facts: float
    validation_share: float
    test_share: float

    @property
    def themes(self) -> tuple[str, ...]:
        return tuple(self.relations)

    def can_be_asked(self, paragraph: MatchedParagraph) -> bool:
        """Whether an instruction can ask for a relation of the theme."""
        relations = self.relations[paragraph.theme] if paragraph.theme is not None else frozenset()
        return not relations.issubset(paragraph.unknown)


@dataclass(frozen=True)
class Bins:
    """The texts without a fact of a theme that are drawn: those in the first `bins` bins."""

    theme: str
    bins: int


def read_paragraphs(path: str) -> Iterator[MatchedParagraph]:
    for table in read_batches(path, ROWS_PER_TABLE):
        yield from from_table(table, MatchedParagraph)


class Sample(beam.PTransform):
    """Shards → the numbers of their kept rows with facts below `.sampled/`, and a Bins per theme in `.bins.json`."""

    def __init__(self, output: str, choice: Choice, buckets: int):
        super().__init__()
        self.output, self.choice, self.buckets = output, choice, buckets

    def expand(self, pcoll):
        keyed = pcoll | "Read keys" >> beam.ParDo(ReadKeys(self.output, self.choice, self.buckets)).with_outputs(
            "without", main="with"
        )
        thinned = (
            keyed["with"]
            | "Keys" >> beam.Map(unchanged).with_output_types(KeyedTable)
            | "Group by combination" >> beam.GroupByKey()
            | "Thin" >> beam.ParDo(Thin(self.choice.alpha)).with_outputs("kept", main="rows")
        )
        rows = thinned["rows"] | "Rows" >> beam.Map(unchanged).with_output_types(KeyedTable)
        without = keyed["without"] | "Bins" >> beam.Map(unchanged).with_output_types(KeyedTable)
        kept = thinned["kept"] | "Kept" >> beam.Map(unchanged).with_output_types(KeyedTable)
        written = rows | "Group by shard" >> beam.GroupByKey() | "Write rows" >> beam.Map(write_rows, self.output)
        drawn = (
            (kept, without)
            | "All counts" >> beam.Flatten()
            | "Group by theme" >> beam.GroupByKey()
            | "Draw" >> beam.Map(draw_bins, self.choice)
            | "Sum up" >> WriteSummary(f"{self.output}/export/.bins.json")
        )
        return written, drawn


class ReadKeys(beam.DoFn):
    """A shard → (bucket, KEYS) of its texts with facts and, tagged `without`, (theme, BINS) of the others."""

    def __init__(self, output: str, choice: Choice, buckets: int):
        self.output, self.choice, self.buckets = output, choice, buckets

    def process(self, shard: Shard):
        numbers = {theme: number for number, theme in enumerate(self.choice.themes)}
        keys: dict[int, list[tuple]] = {}
        without: dict[int, Counter[int]] = {}
        for row, paragraph in enumerate(read_paragraphs(f"{self.output}/{shard.path}")):
            if paragraph.theme is None:
                continue
            kept = sampling.cut(paragraph, self.choice.min_score)
            relations = sampling.combination(kept)
            key, theme = sampling.text_key(self.choice.seed, paragraph.paragraph.id), numbers[paragraph.theme]
            if relations:
                group = sampling.group_key(paragraph.theme, relations)
                keys.setdefault(group % self.buckets, []).append((group, key, theme, shard.number, row))
            elif self.choice.can_be_asked(kept):
                without.setdefault(theme, Counter())[sampling.bin_number(key)] += 1
        for bucket, rows in sorted(keys.items()):
            yield bucket, as_table(rows, KEYS)
        for theme, counts in sorted(without.items()):
            yield beam.pvalue.TaggedOutput("without", (theme, as_table(sorted(counts.items()), BINS)))


def as_table(rows: Sequence[tuple], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema)


class Thin(beam.DoFn):
    """(bucket, KEYS of all its texts) → (shard, ROWS) that are kept and, tagged `kept`, (theme, BINS)."""

    def __init__(self, alpha: float):
        self.alpha = alpha

    def process(self, element: tuple[int, Iterable[pa.Table]]):
        keys = pa.concat_tables(element[1]).sort_by([("shard", "ascending"), ("row", "ascending")])
        columns = {name: keys[name].to_numpy() for name in KEYS.names}
        kept = sampling.thin(columns["group"], columns["key"], self.alpha)
        shards, themes = columns["shard"][kept], columns["theme"][kept]
        for theme, texts in zip(*np.unique(themes, return_counts=True), strict=True):
            yield beam.pvalue.TaggedOutput("kept", (int(theme), as_table([(WITH_FACTS, int(texts))], BINS)))
        for shard in np.unique(shards):
            yield int(shard), pa.table([columns["row"][kept][shards == shard]], ROWS)


def sampled_path(output: str, shard: int) -> str:
    return f"{output}/export/.sampled/{shard:06d}.rows"


def write_rows(element: tuple[int, Iterable[pa.Table]], output: str) -> None:
    shard, tables = element
    rows = np.sort(pa.concat_tables(tables)["row"].to_numpy())
    with files.atomic_write(sampled_path(output, shard)) as stream:
        stream.write(rows.astype("<i4").tobytes())


def draw_bins(element: tuple[int, Iterable[pa.Table]], choice: Choice) -> Bins:
    theme, tables = element
    counts = np.zeros(sampling.BINS + 1, np.int64)  # the last one is that of WITH_FACTS
    for table in tables:
        counts[table["bin"].to_numpy()] += table["texts"].to_numpy()
    bins = sampling.bins_to_draw(counts[:-1], int(counts[WITH_FACTS]), choice.without_facts)
    return Bins(choice.themes[theme], bins)


class Write(beam.PTransform):
    """Shards → `<corpus>/<split>.jsonl`, and `.summary.json` with an ExportedSplit for each."""

    def __init__(self, output: str, choice: Choice, corpora: Mapping[str, KnowledgeCorpus], bins: Mapping[str, int]):
        super().__init__()
        self.output = output
        self.parts = WriteParts(output, choice, corpora, bins)

    def expand(self, pcoll):
        return (
            pcoll
            | "Write parts" >> beam.ParDo(self.parts).with_output_types(tuple[str, tuple[int, int, int, int]])
            | "Group by file" >> beam.GroupByKey()
            | "Join" >> beam.Map(join_parts, self.output)
            | "Sum up" >> WriteSummary(f"{self.output}/export/.summary.json")
        )


def part_path(output: str, file: str, shard: int) -> str:
    return f"{output}/export/.parts/{file}/{shard:06d}.jsonl"


class WriteParts(beam.DoFn):
    """A shard → its rows below `.parts/`, and (`corpus/split`, (shard, texts, facts, texts without facts))."""

    def __init__(self, output: str, choice: Choice, corpora: Mapping[str, KnowledgeCorpus], bins: Mapping[str, int]):
        self.output, self.choice, self.corpora, self.bins = output, choice, corpora, bins

    def process(self, shard: Shard):
        choice = self.choice
        path = sampled_path(self.output, shard.number)
        sampled = set(np.frombuffer(files.read_bytes(path), "<i4").tolist()) if files.exists(path) else set()
        lines: dict[str, list[bytes]] = {}
        counts: dict[str, list[int]] = {}
        encoder = msgspec.json.Encoder()
        for row, paragraph in enumerate(read_paragraphs(f"{self.output}/{shard.path}")):
            if paragraph.theme is None:
                continue
            kept = sampling.cut(paragraph, choice.min_score)
            has_facts = bool(sampling.combination(kept))
            key = sampling.text_key(choice.seed, paragraph.paragraph.id)
            if has_facts:
                is_kept = row in sampled
            else:
                is_kept = choice.can_be_asked(kept) and sampling.bin_number(key) < self.bins[paragraph.theme]
            if not is_kept:
                continue
            split = sampling.split_of(kept, choice.seed, choice.validation_share, choice.test_share)
            corpus = self.corpora[paragraph.theme]
            text = sampling.exported(kept, corpus)
            file = f"{corpus.name}/{split}"
            lines.setdefault(file, []).append(encoder.encode(text) + b"\n")
            count = counts.setdefault(file, [0, 0, 0])
            count[0] += 1
            count[1] += len(text.relation)
            count[2] += not has_facts
        for file in sorted(lines):
            with files.atomic_write(part_path(self.output, file, shard.number)) as stream:
                stream.write(b"".join(lines[file]))
            yield file, (shard.number, *counts[file])


def join_parts(element: tuple[str, Iterable[tuple[int, int, int, int]]], output: str) -> ExportedSplit:
    """Joins the parts of a split in the order of their shards."""
    file, parts = element
    corpus, split = file.split("/")
    parts = sorted(parts)
    with files.atomic_write(f"{output}/export/{file}.jsonl") as stream:
        for shard, *_ in parts:
            stream.write(files.read_bytes(part_path(output, file, shard)))
    texts, facts, without = (sum(column) for column in list(zip(*parts, strict=True))[1:])
    return ExportedSplit(corpus, split, texts, facts, without)


def stage(settings: KnowledgeSettings) -> Stage:
    """Raises ConfigError for a wrong file of themes."""
    corpora = describe(settings.config)
    return Stage(
        "export",
        needs=("score",),
        folders=("export",),
        inputs=[settings.config.seed, settings.config.export.model_dump(), msgspec.to_builtins(corpora)],
        modules=(__name__,),
        run=partial(run, settings, corpora),
        form=Exported,
    )


def run(settings: KnowledgeSettings, corpora: Mapping[str, KnowledgeCorpus], output: str) -> Exported:
    """`corpora`: theme → its description."""
    config = settings.config
    paths = [file.name for file in files.list_files(f"{output}/score") if file.name.endswith(".parquet")]
    shards = [Shard(number, f"score/{path}") for number, path in enumerate(paths)]
    choice = Choice(
        {theme: frozenset(relation.key for relation in corpora[theme].relations) for theme in sorted(corpora)},
        config.seed,
        config.export.min_score,
        config.export.alpha,
        config.export.without_facts,
        config.export.validation_share,
        config.export.test_share,
    )
    sample = Sample(output, choice, 1 + len(shards) // SHARDS_PER_BUCKET)
    run_pipeline("export", shards, sample, settings.options, output, "export/.sampled", len(shards))
    bins = {each.theme: each.bins for each in gather.read(f"{output}/export/.bins.json", Bins)}
    write = Write(output, choice, corpora, bins)
    run_pipeline("export (texts)", shards, write, settings.options, output, "export/.parts")
    splits = gather.read(f"{output}/export/.summary.json", ExportedSplit)
    splits = sorted(splits, key=lambda split: (split.corpus, split.split))
    written = {split.corpus for split in splits}
    for corpus in corpora.values():
        if corpus.name in written:
            files.write_text(f"{output}/export/{corpus.name}/{FILE}", json_values.render(corpus))
    for folder in (".sampled", ".parts"):
        files.remove_tree(f"{output}/export/{folder}")
    for file in (".bins.json", ".summary.json"):
        files.remove_file(f"{output}/export/{file}")
    return Exported(tuple(splits))
