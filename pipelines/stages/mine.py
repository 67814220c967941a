"""clean/, labels/ → hard_negatives/<task>/<source>.json: for each label the labels that it is confused with."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import apache_beam as beam

from hard_negatives import dictionary, embed, mine
from hard_negatives.cache import cached_encoder
from hard_negatives.evidence import Encode, Evidence, evidence
from hard_negatives.pins import Pairs, apply_pins, pairs_for
from hard_negatives.samples import SamplesByLabel, draw, merge
from pipelines.build_dictionaries import DICTIONARY_TASK, LabelSetKey, dictionary_path, label_sets_to_mine
from pipelines.build_folder import Shard, clean_shards, read_label_set, read_result
from pipelines.config import Mine as MineConfig
from pipelines.engine import runner
from pipelines.engine.dag import Stage
from pipelines.engine.run import run_pipeline
from pipelines.sources import Source, registry
from pipelines.stages.build_settings import BuildSettings
from schemas.arrow import table_to_examples
from schemas.errors import ConfigError, did_you_mean, printable
from schemas.label import LabelSet
from schemas.manifests import Labelled, Mined
from transforms import files
from transforms.shards import read_batches


def stage(build: BuildSettings) -> Stage:
    config = build.config.mine
    given = {} if config.hard_negatives in ("mine", "none") else files.checksums_below(config.hard_negatives)
    model = config.embedding_model
    of_model = files.checksums_below(model) if model and model != embed.LEXICAL and files.exists(model) else {}
    return Stage(
        "mine",
        needs=("labels",),
        folders=("hard_negatives",),
        inputs=[config.model_dump(), given, of_model],
        modules=(__name__,),
        run=partial(run, build),
        form=Mined,
    )


def run(build: BuildSettings, output: str) -> Mined:
    """Raises ConfigError if `mine.pin` or `mine.forbid` contains a label that its source does not have."""
    config = build.config.mine
    if config.hard_negatives != "none":
        which = label_sets_to_mine(read_result(output, Labelled).tasks)
        label_sets = [read_label_set(output, *one) for one in which]
        for label_set in label_sets:
            pairs_for(config.pin, label_set, "mine.pin")
            pairs_for(config.forbid, label_set, "mine.forbid")
        if config.hard_negatives == "mine":
            elements, transform = mining(build, output, which)
        else:
            report_coverage(config.hard_negatives, label_sets)
            amend = Amend(config.pin, config.forbid, None)
            elements, transform = which, CopyDictionaries(output, files.absolute(config.hard_negatives), amend)
        run_pipeline("mine", elements, transform, build.options, output, "hard_negatives", len(which))
    model = config.embedding_model and embed.display_name(config.embedding_model)
    return Mined(config.hard_negatives.rstrip("/").rpartition("/")[2], model)


def mining(build: BuildSettings, output: str, which: list[LabelSetKey]) -> tuple[list[Shard], "Mine"]:
    """The elements and the transform by which the dictionaries of the label sets `which` are mined."""
    config = build.config.mine
    keys = {key for _, key in which}  # a source may have none of the tasks that this build is for
    elements = [shard for shard, _ in clean_shards(output) if shard.split != "test" and shard.key in keys]
    is_local = runner.select_runner(build.options) is not None  # hints would only break the fusion of its steps
    return elements, Mine(
        output,
        build.data_root,
        which,
        config.embedding_model,
        files.absolute(config.cache or f"{output}/embeddings"),
        config.evidence,
        config.annotations,
        Amend(config.pin, config.forbid, config.max_neighbours),
        "" if is_local else config.accelerator or "",
    )


def check_sources(config: MineConfig, known: Collection[str]) -> None:
    """Raises ConfigError if `mine.pin` or `mine.forbid` contains a source that is not one of the `known` names. Sources
    that are known but not part of this build are ignored.
    """
    for setting, pairs in (("mine.pin", config.pin), ("mine.forbid", config.forbid)):
        for task, by_source in pairs.items():
            for source in by_source.keys() - known:
                hint = did_you_mean(source, known) or "python -m pipelines.sources lists all sources"
                raise ConfigError(f"{setting}.{task}: no source is called {source!r}; {hint}")


def report_coverage(path: str, label_sets: Sequence[LabelSet]) -> None:
    """Says on stderr where a user's own dictionary is silent: a warning where it knows no label here, else a note."""
    given = dictionary.load(path)
    silent = [one for one in label_sets if not dictionary.dictionary_for(given, one).labels]
    named = sorted({f"{one.task} {one.source or one.key}" for one in given if one.task})
    here = [f"{one.task} {one.source}" for one in silent]
    if silent and len(silent) == len(label_sets):
        line = (
            f"warning: {path}: names no label of any source of this build, so nothing is asked with hard negatives; "
            "it is matched by task, source (published name or key) and label, and names "
            f"{first_names(named) or 'no source'}; this build has {first_names(here)}"
        )
        print(printable(line), file=sys.stderr)
    elif silent:
        line = (
            f"note: {path}: names no label of {len(silent)} of {len(label_sets)} label sets, which are asked without "
            f"hard negatives: {first_names(here)}"
        )
        print(printable(line), file=sys.stderr)


def first_names(names: Sequence[str]) -> str:
    """The first five, and how many more there are."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


@dataclass(frozen=True)
class Amend:
    """What a recipe changes in every dictionary. `max_neighbours` None: a person may give any number."""

    pin: Pairs
    forbid: Pairs
    max_neighbours: int | None

    def __call__(self, made: dictionary.Dictionary, labels: LabelSet) -> dictionary.Dictionary:
        pin, forbid = pairs_for(self.pin, labels, "mine.pin"), pairs_for(self.forbid, labels, "mine.forbid")
        return apply_pins(made, pin, forbid, self.max_neighbours)


class Mine(beam.PTransform):
    """Shards of clean/ that are no test split → the dictionaries of `label_sets` on disk.

    `accelerator`: a resource hint for the step that embeds, which then is a stage of its own ("" leaves it fused).
    """

    def __init__(
        self,
        output: str,
        data_root: str,
        label_sets: Sequence[LabelSetKey],
        model: str,
        cache: str,
        kinds: tuple[str, ...],
        samples_per_label: int,
        amend: Amend,
        accelerator: str,
    ):
        super().__init__()
        self.output, self.samples_per_label = output, samples_per_label
        self.tasks: dict[str, list[str]] = {}
        for task, key in label_sets:
            self.tasks.setdefault(key, []).append(task)
        self.gather = GatherEvidence(output, data_root, self.tasks, model, cache, kinds)
        self.write = WriteMined(output, embed.display_name(model), amend)
        self.hints = {"accelerator": accelerator} if accelerator else {}

    def expand(self, pcoll):
        embed_step = beam.ParDo(self.gather)
        none = pcoll.pipeline | "Sources" >> beam.Create([(key, {}) for key in self.tasks])
        drawn = pcoll | "Draw annotations" >> beam.Map(draw_shard, self.output, self.tasks, self.samples_per_label)
        return (
            (none, drawn)
            | beam.Flatten()
            | "Merge" >> beam.CombinePerKey(partial(merge, per_label=self.samples_per_label))
            | "Embed" >> (embed_step.with_resource_hints(**self.hints) if self.hints else embed_step)
            | "Write dictionaries" >> beam.ParDo(self.write)
        )


def draw_shard(
    shard: Shard, output: str, tasks: Mapping[str, Sequence[str]], per_label: int
) -> tuple[str, SamplesByLabel]:
    """(source key, some annotations of every label)."""
    tables = read_batches(f"{output}/{shard.path}", 10_000)
    examples = (example for table in tables for example in table_to_examples(table))
    return shard.key, draw(examples, tasks[shard.key], per_label) if per_label else {}


class GatherEvidence(beam.DoFn):
    """(source key, annotations) → (label set, evidence by kind) for each of its label sets: the step that embeds."""

    def __init__(
        self, output: str, data_root: str, tasks: Mapping[str, Sequence[str]], model: str, cache: str, kinds: tuple
    ):
        self.output, self.data_root, self.tasks = output, data_root, tasks
        self.model, self.cache, self.kinds = model, cache, kinds

    def process(self, element: tuple[str, SamplesByLabel]):
        key, drawn = element
        if self.model == embed.LEXICAL:  # quicker than reading what it gave
            yield from self.gather(key, drawn, None)
        else:
            with cached_encoder(self.model, self.cache, key) as encode:
                found = list(self.gather(key, drawn, encode))
            yield from found

    def gather(
        self, key: str, drawn: SamplesByLabel, encode: Encode | None
    ) -> Iterator[tuple[LabelSetKey, dict[str, Evidence]]]:
        source = registry.source_at(self.data_root, key)
        for task in self.tasks[key]:
            samples = {label: [sample for _, sample in kept] for (of, label), kept in drawn.items() if of == task}
            labels = read_label_set(self.output, task, key)
            yield (task, key), evidence(labels, samples, raw_labels(source, task), encode, self.kinds)


def raw_labels(source: Source, task: str) -> dict[str, list[str]]:
    """Label → how the source's files write it, sorted; nothing for labels that no map holds, as typed ones."""
    maps = {"NER": source.entity_labels, "RE": source.relation_labels}
    events = source.event_labels if task in ("EE", "EET", "EEA") else {}
    found: dict[str, list[str]] = {}
    for raw, label in sorted(maps.get(task, events).items()):
        if label is not None:
            found.setdefault(label.name, []).append(raw)
    return found


class WriteMined(beam.DoFn):
    """(label set, evidence by kind) → its dictionary on disk."""

    def __init__(self, output: str, model: str, amend: Amend):
        self.output, self.model, self.amend = output, model, amend

    def process(self, element: tuple[LabelSetKey, dict[str, Evidence]]):
        which, found = element
        labels = read_label_set(self.output, *which)
        made = mine.mine(labels, found, self.model, self.amend.max_neighbours)
        write(self.output, which, self.amend(made, labels))


class CopyDictionaries(beam.PTransform):
    """(task, source key) → its part of a user's own dictionary on disk."""

    def __init__(self, output: str, given: str, amend: Amend):
        super().__init__()
        self.write = CopyDictionary(output, given, amend)

    def expand(self, pcoll):
        return pcoll | "Write dictionaries" >> beam.ParDo(self.write)


class CopyDictionary(beam.DoFn):
    def __init__(self, output: str, given: str, amend: Amend):
        self.output, self.path, self.amend = output, given, amend

    def setup(self):
        self.given = dictionary.load(self.path)

    def process(self, element: LabelSetKey):
        labels = read_label_set(self.output, *element)
        write(self.output, element, self.amend(dictionary.dictionary_for(self.given, labels), labels))


def write(output: str, which: LabelSetKey, made: dictionary.Dictionary) -> None:
    """To its place below `output`, under the task that it is a dictionary of."""
    task, key = which
    made = replace(made, task=DICTIONARY_TASK.get(task, task))
    files.write_text(dictionary_path(output, task, key), dictionary.dump(made))
