"""clean/, labels/ and hard_negatives/ → data/<task>/<split>-NNNNN-of-NNNNN.parquet."""

import gc
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from hard_negatives.contrast_file import Contrasts
from hard_negatives.dictionary import as_mapping
from pipelines.build_dictionaries import dictionary_path, read_dictionary
from pipelines.build_folder import Shard, clean_shards, read_label_set, read_result
from pipelines.config import Config
from pipelines.describe import lengths
from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.run import run_pipeline
from pipelines.sources.registry import Located
from pipelines.stages.build_settings import BuildSettings
from pipelines.stages.label_descriptions import (
    contrast_lines,
    load_contrasts,
    report_cut_descriptions,
    report_unused_lines,
)
from pipelines.stages.neighbour_counts import neighbour_counts
from schemas.answer_form import DEFAULT, FORMS
from schemas.arrow import instruction_schema
from schemas.errors import printable
from schemas.example import LAYER, SPLITS, TASKS
from schemas.label import LabelSet
from schemas.manifests import (
    Facts,
    HeldOut,
    Instructed,
    InstructionCounts,
    InstructionHistograms,
    InstructionShard,
    Labelled,
)
from transforms import files, prompts
from transforms.ask import AskOptions, DescriptionShares, ask_spec
from transforms.batches import SPLIT_NUM, cut
from transforms.hold_out import HeldOutNames, held_out_names, hidden_annotations, layer_names
from transforms.instruct import bounded, instruction_table
from transforms.label_descriptions import described_labels
from transforms.shards import read_batches, write_shard
from validation import faultless
from validation.facts import merge_facts

INSTRUCTIONS_PER_TABLE = 20_000
"""Upper bound, reached if every label is asked. One table of this size is in memory at a time; smaller tables would
cost more, because each takes some milliseconds whatever its size.
"""


def stage(build: BuildSettings) -> Stage:
    config = build.config
    prompt_file = config.instruct.prompts
    contrast_path = config.mine.contrasts if config.instruct.descriptions.contrast else None
    return Stage(
        "instruct",
        needs=("clean", "labels", "mine"),
        folders=("data",),
        inputs=[
            config.instruct.model_dump(mode="json"),
            config.hold_out.model_dump(mode="json"),
            config.seed,
            files.checksum(prompt_file) if prompt_file else None,
            files.checksum(contrast_path) if contrast_path else None,
        ],
        modules=(__name__,),
        data=("transforms/prompts/prompts.yaml",),
        run=partial(run, build),
        form=Instructed,
    )


def run(build: BuildSettings, output: str) -> Instructed:
    """Raises ConfigError if `hold_out.labels` has a label that no source has."""
    config = build.config
    tasks = read_result(output, Labelled).tasks
    split_num = SPLIT_NUM | config.instruct.split_num
    label_sets = [read_label_set(output, task, key) for key, source_tasks in tasks.items() for task in source_tasks]
    batches = {(labels.task, labels.key): len(cut(labels.labels, split_num[labels.task])) for labels in label_sets}
    names = held_out_names(label_sets, config.hold_out.labels, config.hold_out.share, config.seed)
    themes = {
        source.key: source.source.theme
        for source in build.located
        if source.key in tasks and source.source.theme in config.hold_out.themes
    }
    shards, texts = without_sources(clean_shards(output), themes)
    report_untested_themes(themes, {shard.key for shard, rows in shards if rows})
    elements = plan_shards(shards, tasks, batches, config.instruct.instructions_per_shard)
    options = replace(ask_options(config), held_out=names)
    if options.descriptions.share:
        report_cut_descriptions(label_sets)
    contrasts = load_contrasts(config)
    report_unused_lines(label_sets, contrasts or {})
    transform = Instruct(output, options, load_prompts(config, build.located), contrasts)
    run_pipeline("instruct", elements, transform, build.options, output, "data", len(elements))
    written = gather.read(f"{output}/data/.summary.json", InstructionShard)
    held_out = HeldOut(held_out_by_source(label_sets, names), themes, texts)
    return Instructed(tuple(sorted(written, key=lambda shard: shard.path)), held_out)


def ask_options(config: Config) -> AskOptions:
    """The options of `ask`. Raises ConfigError for invalid values."""
    instruct = config.instruct
    return AskOptions(
        instruct.split_num,
        instruct.order,
        instruct.negative_ratio,
        instruct.labels_without_positive,
        instruct.negative_share,
        config.seed,
        instruct.forms,
        instruct.messages,
        DescriptionShares(**instruct.descriptions.model_dump(exclude={"contrast"})),
    )


def load_prompts(config: Config, located: Sequence[Located]) -> dict[str, prompts.Prompts]:
    """The prompts for the tasks and languages of a build, by form. Raises ConfigError if the user's file lacks one."""
    tasks = [task for task in config.instruct.tasks if any(task in source.source.tasks for source in located)]
    langs = sorted({source.source.lang for source in located})
    options = ask_options(config)
    by_form = {form: [task for task in tasks if form in options.forms_of(task)] for form in FORMS}
    path = config.instruct.prompts
    return {form: prompts.load(path, in_form, langs, form) for form, in_form in by_form.items() if in_form}


def held_out_by_source(label_sets: Iterable[LabelSet], names: HeldOutNames) -> dict[str, dict[str, tuple[str, ...]]]:
    """Source key → layer → the held-out labels that the source has there."""
    by_source: dict[str, dict[str, tuple[str, ...]]] = {}
    for labels in label_sets:
        layer = LAYER[labels.task]
        held_out = layer_names(labels) & names.get(layer, frozenset())
        if held_out:
            layers = by_source.setdefault(labels.key, {})
            layers[layer] = tuple(sorted(held_out.union(layers.get(layer, ()))))
    return by_source


def without_sources(
    shards: Iterable[tuple[Shard, int]], held_out: Collection[str]
) -> tuple[list[tuple[Shard, int]], dict[str, dict[str, int]]]:
    """The shards (with their rows) without those of train and validation of the sources `held_out`, and the rows of the
    latter by source and split.
    """
    kept: list[tuple[Shard, int]] = []
    left_out: dict[str, dict[str, int]] = {}
    for shard, rows in shards:
        if shard.split != "test" and shard.key in held_out:
            splits = left_out.setdefault(shard.key, {})
            splits[shard.split] = splits.get(shard.split, 0) + rows
        else:
            kept.append((shard, rows))
    return kept, left_out


def report_untested_themes(themes: Mapping[str, str], keys: Collection[str]) -> None:
    """Prints a note for each held-out source (key → theme) that has no text left. `keys`: sources with texts."""
    for key, theme in sorted(themes.items()):
        if key not in keys:
            line = f"note: {key}: its theme {theme} is held out, and it has no test text, so no row asks about it"
            print(printable(line), file=sys.stderr)


@dataclass(frozen=True)
class OutputShard:
    """One element: a shard to write and the shards of clean/ that go into it, in order."""

    task: str
    split: str
    number: int
    total: int
    parts: tuple[Shard, ...]

    @property
    def path(self) -> str:
        return f"data/{self.task}/{self.split}-{self.number:05d}-of-{self.total:05d}.parquet"


def plan_shards(
    shards: Iterable[tuple[Shard, int]],
    tasks: dict[str, tuple[str, ...]],
    batches: dict[tuple[str, str], int],
    instructions_per_shard: int,
) -> list[OutputShard]:
    """Distributes shards of clean/ (with their rows, in order) over output shards of `instructions_per_shard` rows.

    `tasks`: source key → its tasks. `batches`: (task, key) → number of batches that the label set is divided into, the
    largest number of instructions per row. A shard of clean/ is never divided.
    """
    groups: dict[tuple[str, str], list[list[Shard]]] = {}
    filled: Counter = Counter()
    for shard, rows in shards:
        if not rows:
            continue
        for task in tasks[shard.key]:
            at = task, shard.split
            most = rows * batches[task, shard.key]
            if at not in groups or filled[at] + most > instructions_per_shard:
                groups.setdefault(at, []).append([])
                filled[at] = 0
            groups[at][-1].append(shard)
            filled[at] += most
    order = [(task, split) for task in TASKS for split in SPLITS if (task, split) in groups]
    return [
        OutputShard(task, split, number, len(groups[task, split]), tuple(parts))
        for task, split in order
        for number, parts in enumerate(groups[task, split])
    ]


class Instruct(beam.PTransform):
    """OutputShards → these shards on disk, and `data/.summary.json` with an InstructionShard for each."""

    def __init__(
        self,
        output: str,
        options: AskOptions,
        texts: Mapping[str, prompts.Prompts],
        written: Contrasts | None = None,
    ):
        super().__init__()
        self.output = output
        self.write = WriteInstructions(output, options, texts, written)

    def expand(self, pcoll):
        return pcoll | "Ask" >> beam.ParDo(self.write) | "Sum up" >> WriteSummary(f"{self.output}/data/.summary.json")


class WriteInstructions(beam.DoFn):
    """OutputShard → the shard on disk, and an InstructionShard with counts and histograms by source, and facts."""

    def __init__(
        self,
        output: str,
        options: AskOptions,
        texts: Mapping[str, prompts.Prompts],
        written: Contrasts | None,
    ):
        self.output, self.options, self.prompts, self.contrasts = output, options, texts, written

    def setup(self):
        gc.freeze()  # else every garbage collection would traverse the imported modules again

    def process(self, shard: OutputShard):
        sources: dict[str, Counter] = {}
        histograms: dict[str, list[lengths.Histograms]] = {}
        checked: list[Facts | None] = []
        labels: dict[str, set[str]] = {}
        path = f"{self.output}/{shard.path}"
        schema = instruction_schema(self.options.optional_columns)
        rows = write_shard(path, schema, self.tables(shard, sources, histograms, checked, labels))
        yield InstructionShard(
            shard.task,
            shard.split,
            shard.path,
            rows,
            sha256=files.checksum(path),
            facts=merge_facts(checked),
            sources={key: InstructionCounts(**counts) for key, counts in sorted(sources.items())},
            histograms={
                key: InstructionHistograms(**lengths.sums(tables)) for key, tables in sorted(histograms.items())
            },
            labels={key: tuple(sorted(names)) for key, names in sorted(labels.items())},
        )

    def tables(
        self,
        shard: OutputShard,
        sources: dict[str, Counter],
        histograms: dict[str, list[lengths.Histograms]],
        checked: list[Facts | None],
        labels: dict[str, set[str]],
    ) -> Iterator[pa.Table]:
        held_out = self.options.held_out.get(LAYER[shard.task])
        for part in shard.parts:
            counts = sources.setdefault(part.key, Counter())
            names = labels.setdefault(part.key, set())
            label_set = read_label_set(self.output, shard.task, part.key)
            dictionary = hard_negatives(self.output, shard.task, part.key)
            lines = contrast_lines(self.output, label_set, self.contrasts, self.options.held_out)
            described, texts = described_labels(label_set), self.prompts
            what = ask_spec(shard.task, described, dictionary, texts.get(DEFAULT, {}), self.options, texts, lines)
            examples_per_table = max(1, INSTRUCTIONS_PER_TABLE // what.max_rows_per_example)
            for examples in bounded(read_batches(f"{self.output}/{part.path}", examples_per_table), what):
                examples = set_source_name(examples, label_set.source)
                made, cut = instruction_table(examples, what)
                if len(names) < len(label_set.labels):
                    names.update(pc.unique(made["labels"].combine_chunks().flatten()).to_pylist())
                if held_out and shard.split != "test":
                    counts["hidden"] += hidden_annotations(examples, shard.task, held_out)
                counts["cut"] += cut
                counts["examples"] += pc.count_distinct(made["example_id"]).as_py()
                counts["instructions"] += made.num_rows
                counts["all_negative"] += empty_lists(made["positives"])
                counts["with_hard_negatives"] += made.num_rows - empty_lists(made["hard_negatives"])
                counts.update(neighbour_counts(made, dictionary))
                histograms.setdefault(part.key, []).append(lengths.instruction_histograms(made))
                checked.append(faultless.facts(made, label_set, what.size, self.options.negative_ratio))
                yield made


def set_source_name(examples: pa.Table, source: str) -> pa.Table:
    """The examples with the source name `source`: tasks of a source may have different published names."""
    field = examples.schema.field("source")
    return examples.set_column(examples.schema.names.index("source"), field, pa.repeat(source, examples.num_rows))


def empty_lists(column: pa.ChunkedArray) -> int:
    return pc.sum(pc.equal(pc.list_value_length(column), 0)).as_py() or 0


def hard_negatives(output: str, task: str, key: str) -> dict[str, list[str]] | None:
    """The dictionary of the source for the task; None if the build has none."""
    path = dictionary_path(output, task, key)
    return as_mapping(read_dictionary(path)) if files.exists(path) else None
