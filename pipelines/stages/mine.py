"""clean/, labels/ → hard_negatives/<task>/<source>.json: for each label, the labels that it is easily confused with."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import apache_beam as beam

from hard_negatives import dictionary, embed, mine, mistakes
from hard_negatives.cache import cached_encoder
from hard_negatives.evidence import Encode, Evidence, evidence
from hard_negatives.kinds import MISTAKES
from hard_negatives.mistakes import Mistakes, mistakes_for
from hard_negatives.pins import Pairs, apply_pins, pairs_for
from hard_negatives.samples import SamplesByLabel, draw, merge
from pipelines.build_dictionaries import LabelSetKey, dictionary_path, label_sets_to_mine
from pipelines.build_folder import Shard, clean_shards, read_label_set, read_result
from pipelines.config import Mine as MineConfig
from pipelines.engine import runner
from pipelines.engine.dag import Stage
from pipelines.engine.run import run_pipeline
from pipelines.sources import Source, registry
from pipelines.stages.build_settings import BuildSettings
from schemas.arrow import table_to_examples
from schemas.errors import ConfigError, did_you_mean, printable
from schemas.label import DICTIONARY_TASK, LabelSet
from schemas.manifests import Labelled, Mined
from transforms import files
from transforms.shards import read_batches


def stage(build: BuildSettings) -> Stage:
    config = build.config.mine
    given = {} if config.hard_negatives in ("mine", "none") else files.checksums_below(config.hard_negatives)
    predictions = [files.checksums_below(config.confusions)] if config.confusions else []
    model = config.embedding_model
    model_checksums = files.checksums_below(model) if model and model != embed.LEXICAL and files.exists(model) else {}
    return Stage(
        "mine",
        needs=("labels",),
        folders=("hard_negatives",),
        inputs=[
            config.model_dump(exclude={"contrasts", "confusions"}),
            given,
            model_checksums,
            *predictions,
            random_seed(build),
        ],
        modules=(__name__,),
        run=partial(run, build),
        form=Mined,
    )


def run(build: BuildSettings, output: str) -> Mined:
    """Raises ConfigError if `mine.pin` or `mine.forbid` contains a label that its source does not have."""
    config = build.config.mine
    if config.hard_negatives != "none":
        which = label_sets_to_mine(read_result(output, Labelled).tasks)
        label_sets = [read_label_set(output, *pair) for pair in which]
        for label_set in label_sets:
            pairs_for(config.pin, label_set, "mine.pin")
            pairs_for(config.forbid, label_set, "mine.forbid")
        if config.hard_negatives == "mine":
            confused = confusions(config, label_sets)
            elements, transform = mining(build, output, which, confused)
        else:
            report_coverage(config.hard_negatives, label_sets)
            amend = Amend(config.pin, config.forbid, None)
            elements, transform = which, CopyDictionaries(output, files.absolute(config.hard_negatives), amend)
        run_pipeline("mine", elements, transform, build.options, output, "hard_negatives", len(which))
    model = config.embedding_model and embed.display_name(config.embedding_model)
    if config.hard_negatives == "mine" and config.neighbours == "random":
        return Mined("random", model)
    return Mined(config.hard_negatives.rstrip("/").rpartition("/")[2], model)


def random_seed(build: BuildSettings) -> int | None:
    """The seed of neighbours that are drawn at random; None if they are mined."""
    return build.config.seed if build.config.mine.neighbours == "random" else None


def confusions(config: MineConfig, label_sets: Sequence[LabelSet]) -> dict[LabelSetKey, Mistakes]:
    """(task, source key) → the mistakes in the file `mine.confusions`; empty without one. Prints what was left out.

    Raises ConfigError if the file names no label of these label sets.
    """
    if not config.confusions:
        return {}
    predictions = mistakes.read(config.confusions)
    mistakes.check(predictions, config.confusions, label_sets)
    by_set = {(labels.task, labels.key): mistakes_for(predictions.mistakes, labels) for labels in label_sets}
    used = {which: one for which, one in by_set.items() if one}
    number = sum(count for one in used.values() for (gold, given), count in one.total.items() if gold != given)
    line = (
        f"note: {config.confusions}: {number:,} confusions in {len(used):,} of {len(label_sets):,} label sets, from "
        f"{predictions.rows:,} rows ({predictions.unparseable:,} without a readable answer and "
        f"{predictions.test_rows:,} of test splits left out)"
    )
    print(printable(line), file=sys.stderr)
    return used


def mining(
    build: BuildSettings, output: str, which: list[LabelSetKey], confused: Mapping[LabelSetKey, Mistakes]
) -> tuple[list[Shard], "Mine"]:
    """The elements and the transform that mine the dictionaries of the label sets `which`."""
    config = build.config.mine
    keys = {key for _, key in which}  # a source may have none of the requested tasks
    elements = [shard for shard, _ in clean_shards(output) if shard.split != "test" and shard.key in keys]
    is_local = runner.select_runner(build.options) is not None  # a hint would only prevent the fusion of steps
    return elements, Mine(
        output,
        build.data_root,
        which,
        embed.located(config.embedding_model),
        files.absolute(config.cache or f"{output}/embeddings"),
        config.evidence,
        config.annotations,
        Amend(config.pin, config.forbid, config.max_neighbours),
        random_seed(build),
        confused,
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
    """Prints a warning if a user's dictionary covers no label set of this build, or a note if it covers only some."""
    given = dictionary.load(path)
    uncovered = [labels for labels in label_sets if not dictionary.dictionary_for(given, labels).labels]
    named = sorted({f"{part.task} {part.source or part.key}" for part in given if part.task})
    missing = [f"{labels.task} {labels.source}" for labels in uncovered]
    if uncovered and len(uncovered) == len(label_sets):
        line = (
            f"warning: {path}: names no label of any source of this build, so nothing is asked with hard negatives; "
            "it is matched by task, source (published name or key) and label, and names "
            f"{first_names(named) or 'no source'}; this build has {first_names(missing)}"
        )
        print(printable(line), file=sys.stderr)
    elif uncovered:
        line = (
            f"note: {path}: names no label of {len(uncovered)} of {len(label_sets)} label sets, "
            f"which are asked without hard negatives: {first_names(missing)}"
        )
        print(printable(line), file=sys.stderr)


def first_names(names: Sequence[str]) -> str:
    """The first five names, and the number of the others."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


@dataclass(frozen=True)
class Amend:
    """The changes that a recipe makes to every dictionary. `max_neighbours`: None for the dictionary of a user."""

    pin: Pairs
    forbid: Pairs
    max_neighbours: int | None

    def __call__(self, made: dictionary.Dictionary, labels: LabelSet) -> dictionary.Dictionary:
        pin, forbid = pairs_for(self.pin, labels, "mine.pin"), pairs_for(self.forbid, labels, "mine.forbid")
        return apply_pins(made, pin, forbid, self.max_neighbours)


class Mine(beam.PTransform):
    """Train and validation shards of clean/ → the dictionaries of `label_sets` on disk.

    `seed`: as in `random_seed`. `accelerator`: a resource hint for the step that embeds, which then is not fused with
    others ("" for no hint).
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
        seed: int | None,
        confused: Mapping[LabelSetKey, Mistakes],
        accelerator: str,
    ):
        super().__init__()
        self.output, self.samples_per_label = output, samples_per_label
        self.tasks: dict[str, list[str]] = {}
        for task, key in label_sets:
            self.tasks.setdefault(key, []).append(task)
        self.gather = GatherEvidence(output, data_root, self.tasks, model, cache, kinds, confused)
        self.write = WriteMined(output, embed.display_name(model), amend, seed)
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
        self,
        output: str,
        data_root: str,
        tasks: Mapping[str, Sequence[str]],
        model: str,
        cache: str,
        kinds: tuple,
        confused: Mapping[LabelSetKey, Mistakes],
    ):
        self.output, self.data_root, self.tasks = output, data_root, tasks
        self.model, self.cache, self.kinds, self.confused = model, cache, kinds, confused

    def process(self, element: tuple[str, SamplesByLabel]):
        key, drawn = element
        if self.model == embed.LEXICAL:  # faster than reading a cache
            yield from self.gather(key, drawn, None)
        else:
            with cached_encoder(self.model, self.cache, key) as encode:
                gathered = list(self.gather(key, drawn, encode))
            yield from gathered

    def gather(
        self, key: str, drawn: SamplesByLabel, encode: Encode | None
    ) -> Iterator[tuple[LabelSetKey, dict[str, Evidence]]]:
        source = registry.source_at(self.data_root, key)
        for task in self.tasks[key]:
            samples = {label: [sample for _, sample in kept] for (name, label), kept in drawn.items() if name == task}
            labels = read_label_set(self.output, task, key)
            gathered = evidence(labels, samples, raw_labels(source, task), encode, self.kinds)
            if confused := self.confused.get((task, key)):
                gathered[MISTAKES] = mistakes.evidence(confused, labels)
            yield (task, key), gathered


def raw_labels(source: Source, task: str) -> dict[str, list[str]]:
    """Label → its names in the files of the source, sorted, for labels that are in a label map (typed ones are not)."""
    maps = {"NER": source.entity_labels, "RE": source.relation_labels}
    events = source.event_labels if task in ("EE", "EET", "EEA") else {}
    by_label: dict[str, list[str]] = {}
    for raw, label in sorted(maps.get(task, events).items()):
        if label is not None:
            by_label.setdefault(label.name, []).append(raw)
    return by_label


class WriteMined(beam.DoFn):
    """(label set, evidence by kind) → its dictionary on disk."""

    def __init__(self, output: str, model: str, amend: Amend, seed: int | None):
        self.output, self.model, self.amend, self.seed = output, model, amend, seed

    def process(self, element: tuple[LabelSetKey, dict[str, Evidence]]):
        which, gathered = element
        labels = read_label_set(self.output, *which)
        made = mine.mine(labels, gathered, self.model, self.amend.max_neighbours)
        if self.seed is not None:
            made = mine.drawn_at_random(made, self.seed)
        write(self.output, which, self.amend(made, labels))


class CopyDictionaries(beam.PTransform):
    """(task, source key) → its part of a user's dictionary on disk."""

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
    """Writes a dictionary to its path below `output`, under the task that shares it (`DICTIONARY_TASK`)."""
    task, key = which
    made = replace(made, task=DICTIONARY_TASK.get(task, task))
    files.write_text(dictionary_path(output, task, key), dictionary.dump(made))
