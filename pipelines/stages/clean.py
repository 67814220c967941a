"""examples/ → clean/<source>/<split>-NNNNN.parquet: repaired and cut into windows, without repeated texts and leaks.

Only keys are shuffled. First, the 16-byte hashes of all texts are gathered. Then the annotations of the rows that share
a hash are grouped by hash bucket. Finally, the decisions are sent back to the shard of each row. The rows stay in their
shard, except for the few that are united with a row of the same text in another shard.
"""

import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Literal

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import config
from pipelines.build_folder import Shard, keys_path, read_result
from pipelines.describe import lengths
from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.keyed_tables import KeyedTable, unchanged
from pipelines.engine.run import run_pipeline
from pipelines.stages.build_settings import BuildSettings
from pipelines.stages.cut_files import cut_folder, cut_keys_path, cut_path, windows_path
from pipelines.stages.leak_search import FindPartialLeaks
from pipelines.stages.shard_leaks import counts_by_source, leak_drop, leaks_by_row, write_leaks
from pipelines.stages.text_keys import KeyTables, decide, filter_keys, read_row_keys, shared_rows, write_keys
from pipelines.stages.unions import read_united_rows, replace_rows, unite_rows
from schemas.arrow import EXAMPLES, REJECTS, examples_to_table, rejects_to_table, table_to_examples
from schemas.errors import Reason, Reject
from schemas.example import Example
from schemas.manifests import Cleaned, ExampleShard, Facts, Ingested, LayerCounts, TextHistograms
from transforms import files
from transforms.clean import low_quality, repair
from transforms.clean_table import untouched
from transforms.decontaminate import leakage_key
from transforms.deduplicate import SameText
from transforms.partial_leaks import LeakKind, LeakRules
from transforms.shards import read_batches, write_shard
from transforms.windows import windows
from validation import faultless_examples
from validation.facts import merge_facts

EXAMPLES_PER_TABLE = 5_000


def stage(build: BuildSettings) -> Stage:
    return Stage(
        "clean",
        needs=("ingest",),
        folders=("clean", "rejects/clean", "leaks"),
        inputs=build.config.clean.model_dump(),
        modules=(__name__,),
        run=partial(run, build),
        form=Cleaned,
    )


def run(build: BuildSettings, output: str) -> Cleaned:
    rows = {
        (split.key, split.split, shard.path): shard.rows
        for split in read_result(output, Ingested).splits
        for shard in split.shards
    }
    shards = [Shard(number, *place) for number, place in enumerate(sorted(rows))]
    # Largest first, so that no worker gets a large shard at the end
    elements = sorted(shards, key=lambda shard: -rows[shard.key, shard.split, shard.path])
    transform = Clean(output, shards, build.config.clean)
    run_pipeline("clean", elements, transform, build.options, output, "clean", len(shards))
    files.remove_tree(cut_folder(output))
    written = gather.read(f"{output}/clean/.summary.json", ExampleShard)
    return Cleaned(tuple(sorted(written, key=lambda shard: shard.number)))


class Clean(beam.PTransform):
    """Shards of examples → shards of clean examples and rejects on disk, and `clean/.summary.json`."""

    def __init__(self, output: str, shards: list[Shard], settings: config.Clean):
        super().__init__()
        self.output, self.settings = output, settings
        self.shards = {shard.number: shard for shard in shards}

    def expand(self, pcoll):
        max_chars, same_text = self.settings.max_chars, self.settings.same_text
        cut = pcoll | "Repair and cut" >> beam.ParDo(RepairAndCut(self.output, max_chars)).with_outputs(
            "keys", "documents", main="shards"
        )
        gathered = cut["keys"] | "Gather keys" >> beam.CombineGlobally(beam.combiners.ToListCombineFn())
        rules = LeakRules(self.settings.leak_words, self.settings.leak_jaccard)
        search = FindPartialLeaks(self.output, list(self.shards.values()), rules, cut_folder(self.output))
        leaks = gathered | "Find partial leaks" >> search
        rows = (
            gathered
            | "Find shared keys" >> beam.FlatMap(shared_rows)
            | "Group keys" >> beam.GroupByKey()
            | "Read rows" >> beam.FlatMap(read_shard_keys, self.output, self.shards).with_output_types(KeyedTable)
        )
        # `unchanged` only declares the type, which selects the coder
        documents = cut["documents"] | "As tables" >> beam.Map(unchanged).with_output_types(KeyedTable)
        splits = {number: (shard.key, shard.split) for number, shard in self.shards.items()}
        decided = (
            (rows, documents)
            | "All keys" >> beam.Flatten()
            | "Group by hash" >> beam.GroupByKey()
            | "Decide" >> beam.ParDo(Decide(splits, same_text)).with_outputs("unions", main="decisions")
        )
        united = (
            decided["unions"]
            | "Unions" >> beam.Map(unchanged).with_output_types(KeyedTable)
            | "Group unions" >> beam.GroupByKey()
            | "Read united rows" >> beam.FlatMap(read_united, self.output, self.shards).with_output_types(KeyedTable)
        )
        return (
            {
                "shard": cut["shards"] | "Key by number" >> beam.Map(by_number),
                "decisions": decided["decisions"] | "Decisions" >> beam.Map(unchanged).with_output_types(KeyedTable),
                "united": united,
                "leaks": leaks,
            }
            | "Back to the shard" >> beam.CoGroupByKey()
            | "Write" >> beam.ParDo(WriteClean(self.output, max_chars, self.settings.partial_leaks))
            | "Sum up" >> WriteSummary(f"{self.output}/clean/.summary.json")
        )


@dataclass(frozen=True)
class CutShard:
    """A shard of examples/ after repair and cutting.

    `windows`: number of windows that are left. `crosses_window`: layer → number of annotations that no window contains.
    `rejects`: id, reason and detail of the dropped windows.
    """

    shard: Shard
    windows: int
    crosses_window: dict[str, int]
    rejects: list[tuple[str, Reason, str]]


def by_number(cut: CutShard) -> tuple[int, CutShard]:
    return cut.shard.number, cut


def read_shard_keys(
    element: tuple[int, Iterable[np.ndarray]], output: str, shards: dict[int, Shard]
) -> Iterator[tuple[int, pa.Table]]:
    """(hash bucket, KEYS) of some rows of a shard. `element`: number of the shard, numbers of the rows."""
    number, (rows,) = element
    return read_row_keys(windows_path(output, shards[number]), number, rows)


class Decide(beam.DoFn):
    """A hash bucket with its keys → the decisions on its rows, and their unions with other rows, by shard."""

    def __init__(self, splits: dict[int, tuple[str, str]], same_text: SameText):
        self.splits, self.same_text = splits, same_text

    def process(self, element: tuple[int, Iterable[pa.Table]]):
        for shard, decisions, unions in decide(element[1], self.splits, self.same_text):
            yield shard, decisions
            if unions.num_rows:
                yield beam.pvalue.TaggedOutput("unions", (shard, unions))


def read_united(
    element: tuple[int, Iterable[pa.Table]], output: str, shards: dict[int, Shard]
) -> Iterator[tuple[int, pa.Table]]:
    """The examples of a shard that are united with rows of other shards, by the number of the other shard."""
    number, unions = element
    shard = shards[number]
    return read_united_rows(unions, windows_path(output, shard), f"{output}/{shard.path}")


class RepairAndCut(beam.DoFn):
    """A shard → a CutShard, with the repaired windows and the keys of their texts on disk.

    A document that was cut has a key in addition to those of its windows: the cuts depend on the annotations, so
    another copy of the document may have other windows.
    """

    def __init__(self, output: str, max_chars: int):
        self.output, self.max_chars = output, max_chars

    def setup(self):
        gc.freeze()  # else every garbage collection would traverse the imported modules again

    def process(self, shard: Shard):
        tables = list(read_batches(f"{self.output}/{shard.path}", EXAMPLES_PER_TABLE))
        unchanged_rows = [untouched(table, self.max_chars) for table in tables]
        crossing, rejects, documents = Counter(), [], KeyTables(shard.number)
        if not all(mask.all() for mask in unchanged_rows):
            rows = read = 0
            for n, table in enumerate(tables):
                tables[n] = self.repair_rows(table, unchanged_rows[n], (read, rows), documents, crossing, rejects)
                read, rows = read + table.num_rows, rows + tables[n].num_rows
            write_shard(cut_path(self.output, shard), EXAMPLES, tables)
        yield CutShard(shard, sum(table.num_rows for table in tables), dict(sorted(crossing.items())), rejects)
        keys = [leakage_key(text) for table in tables for text in table["text"].to_pylist()]
        keys += [row.leakage_key for row in documents.rows]
        write_keys(cut_keys_path(self.output, shard), keys)
        yield beam.pvalue.TaggedOutput("keys", (shard.number, cut_keys_path(self.output, shard)))
        for keyed in documents.tables():
            yield beam.pvalue.TaggedOutput("documents", keyed)

    def repair_rows(
        self,
        table: pa.Table,
        stays: np.ndarray,
        first: tuple[int, int],
        documents: KeyTables,
        crossing: Counter,
        rejects: list,
    ) -> pa.Table:
        """The table with the windows of its repaired rows in place of all rows that do not stay, in order.

        `stays`: boolean per row. `first`: number of the first row of the table in the input and in the output shard.
        Adds the documents that were cut to `documents`, lost annotations to `crossing` and dropped windows to
        `rejects`.
        """
        examples = iter(table_to_examples(table.filter(pa.array(~stays))))
        order: list[int] = []
        new_rows: list[Example] = []
        for number, row_stays in enumerate(stays.tolist()):
            if row_stays:
                order.append(number)
                continue
            repaired, before = repair(next(examples)), len(order)
            cut, crossed = windows(repaired, self.max_chars)
            crossing.update(crossed)
            for window in cut:
                problem = low_quality(window)
                if not window.tasks:
                    rejects.append((window.id, Reason.UNANNOTATED, "nobody annotated it"))
                elif problem:
                    rejects.append((window.id, Reason.LOW_QUALITY, problem))
                else:
                    order.append(len(stays) + len(new_rows))
                    new_rows.append(window)
            if len(cut) > 1 and len(order) > before:
                documents.add(repaired, first[1] + before, len(order) - before, document=first[0] + number)
        return pa.concat_tables([table, examples_to_table(new_rows)]).combine_chunks().take(pa.array(order, pa.int64()))


class WriteClean(beam.DoFn):
    """A shard with all decisions on its rows → the kept rows and the rejects on disk, and an ExampleShard with counts
    and the facts of the kept rows.
    """

    def __init__(self, output: str, max_chars: int, partial_leaks: Literal["report", "drop"]):
        self.output, self.max_chars, self.partial_leaks = output, max_chars, partial_leaks

    def process(self, element: tuple[int, dict]):
        _, inputs = element
        (cut,) = inputs["shard"]
        shard = cut.shard
        decisions = [row for table in inputs["decisions"] for row in table.to_pylist()]
        # A window may be dropped by itself and with its document. Sorting makes the choice of the reason deterministic.
        decisions.sort(key=lambda row: (row["reason"], row["into"], row["twin"]), reverse=True)
        drops = {row["row"]: row for row in decisions if not row["stays"]}
        leaks = {row: into for row, into in leaks_by_row(inputs["leaks"]).items() if row not in drops}
        leak_counts = Counter((leak["into"], leak["kind"]) for into in leaks.values() for leak in into)
        if self.partial_leaks == "drop":
            drops |= {row: leak_drop(into) for row, into in leaks.items()}
        same_text = {row["row"] for row in decisions if row["stays"]} - drops.keys()
        stays = np.ones(cut.windows, bool)
        stays[list(drops)] = False
        checked: list[Facts | None] = []
        histograms: list[lengths.Histograms] = []
        kept_counts = Counter({"examples": 0, "entities": 0, "relations": 0, "events": 0})
        rejects = [
            Reject("clean", shard.key, shard.split, row_id, shard.path, reason, detail)
            for row_id, reason, detail in cut.rejects
        ]
        source = windows_path(self.output, shard)
        replacements, crossing = unite_rows(inputs["united"], source, f"{self.output}/{shard.path}", self.max_chars)

        def kept() -> Iterator[pa.Table]:
            first = 0
            for table in read_batches(source, EXAMPLES_PER_TABLE):
                mask = stays[first : first + table.num_rows]
                for offset in np.flatnonzero(~mask).tolist():
                    drop, row_id = drops[first + offset], table["id"][offset].as_py()
                    rejects.append(
                        Reject(
                            "clean",
                            shard.key,
                            shard.split,
                            row_id,
                            shard.path,
                            Reason(drop["reason"]),
                            drop["detail"],
                            drop["twin"],
                        )
                    )
                    if drop["reason"] == Reason.LEAKAGE:
                        leak_counts.update((into, LeakKind.EQUAL) for into in drop["into"])
                table = replace_rows(table, first, replacements)
                first += table.num_rows
                remaining = table if mask.all() else table.filter(pa.array(mask))
                count_layers(remaining, kept_counts)
                histograms.append(lengths.text_histograms(remaining))
                checked.append(faultless_examples.facts(remaining, shard.key, shard.split, self.max_chars))
                yield remaining

        path = shard.path.replace("examples/", "clean/", 1)
        if drops or replacements or source != f"{self.output}/{shard.path}":
            rows = write_shard(f"{self.output}/{path}", EXAMPLES, kept())
        else:  # writing the same rows again would give the same bytes
            rows = sum(table.num_rows for table in kept())
            files.copy(source, f"{self.output}/{path}")
        keys = keys_path(self.output, shard.number)
        filter_keys(cut_keys_path(self.output, shard), keys, stays)
        if rejects:
            write_shard(
                f"{self.output}/rejects/{path}", REJECTS, [rejects_to_table(sorted(rejects, key=lambda r: r.id))]
            )
        if leaks:
            leaks_path = shard.path.replace("examples/", "leaks/", 1)
            write_leaks(f"{self.output}/{leaks_path}", chain.from_iterable(leaks.values()))
        yield ExampleShard(
            shard.number,
            shard.key,
            shard.split,
            path,
            rows,
            sha256=files.checksum(f"{self.output}/{path}"),
            keys_sha256=files.checksum(keys),
            facts=merge_facts(checked),
            windows=cut.windows + len(cut.rejects),
            crosses_window=dict(sorted((crossing + Counter(cut.crosses_window)).items())),
            kept=LayerCounts(**kept_counts),
            same_text=len(same_text),
            rejected=dict(sorted(Counter(reject.reason for reject in rejects).items())),
            leaks_into=counts_by_source(leak_counts),
            histograms=TextHistograms(**lengths.sums(histograms)),
        )


def count_layers(table: pa.Table, counts: Counter) -> None:
    """Adds the numbers of examples, entities, relations and events of the table; an unknown layer counts as 0."""
    counts["examples"] += table.num_rows
    for layer in ("entities", "relations", "events"):
        counts[layer] += pc.sum(pc.list_value_length(table[layer])).as_py() or 0
