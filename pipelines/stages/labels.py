"""clean/ → labels/<task>/<source>.json: the label set of each source for each task, with counts by split."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import apache_beam as beam
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.build_folder import Shard, clean_shards, label_path, read_label_set
from pipelines.engine.dag import Stage
from pipelines.engine.run import run_pipeline
from pipelines.sources import Source, registry
from pipelines.stages.build_settings import BuildSettings
from schemas.errors import SourceError
from schemas.example import LAYER
from schemas.label import Label, LabelSet, OpenLabels, Role, typed_label
from schemas.manifests import Labelled
from transforms import files
from transforms.shards import read_batches

Count = tuple[str, tuple[str, ...], str, int]
"""(task, label or (subject type, predicate, object type), split, annotations)."""

LABEL_COLUMNS = (
    "entities.list.element.label",
    "relations.list.element.label",
    "relations.list.element.head_label",
    "relations.list.element.tail_label",
    "events.list.element.label",
    "events.list.element.arguments.list.element.role",
)


def stage(build: BuildSettings) -> Stage:
    config = build.config
    return Stage(
        "labels",
        needs=("clean",),
        folders=("labels",),
        inputs=[config.instruct.tasks, config.ingest.collapse],
        modules=(__name__,),
        run=partial(run, build),
        form=Labelled,
    )


def run(build: BuildSettings, output: str) -> Labelled:
    """Raises NothingLabelled if no source has a label: then no instruction can be made."""
    shards = [shard for shard, _ in clean_shards(output)]
    transform = WriteLabels(output, build.data_root, build.config.instruct.tasks, build.collapse)
    tasks = build.tasks(shard.key for shard in shards)
    run_pipeline("labels", shards, transform, build.options, output, "labels", sum(map(len, tasks.values())))
    with_labels = {key: tuple(task for task in tasks[key] if read_label_set(output, task, key).labels) for key in tasks}
    if not any(with_labels.values()):
        if not sum(rows for _, rows in clean_shards(output)):
            raise NothingLabelled("cleaning left no text; ieforge rejects shows the reason of each")
        wanted = ", ".join(build.config.instruct.tasks)
        raise NothingLabelled(
            f"no text has a label for one of the tasks {wanted}; ieforge inspect shows the labels there are"
        )
    return Labelled(with_labels)


class NothingLabelled(SourceError):
    """No text with a label is left."""


class WriteLabels(beam.PTransform):
    """Shards of clean/ → one label set file per task and source."""

    def __init__(self, output: str, data_root: str, tasks: tuple[str, ...], collapse: tuple[str, ...]):
        super().__init__()
        self.output, self.data_root, self.tasks, self.collapse = output, data_root, tasks, collapse

    def expand(self, pcoll):
        return (
            pcoll
            | "Count labels" >> beam.Map(count_labels, self.output)
            | "Group by source" >> beam.GroupByKey()
            | "Write" >> beam.Map(write_label_sets, self.output, self.data_root, self.tasks, self.collapse)
        )


def count_labels(shard: Shard, output: str) -> tuple[str, list[Count]]:
    """(source key, counts) of one shard. Only the columns with labels are read."""
    counts = Counter[tuple[str, tuple[str, ...], str]]()
    for table in read_batches(f"{output}/{shard.path}", 10_000, ["tasks", *LABEL_COLUMNS]):
        for tasks, rows in by_tasks(table):
            for task in tasks:
                counts.update({(task, label, shard.split): n for label, n in gold_labels(rows, task)})
    return shard.key, [(*key, n) for key, n in sorted(counts.items())]


def by_tasks(table: pa.Table) -> Iterator[tuple[tuple[str, ...], pa.Table]]:
    """(tasks, rows) for each combination of tasks in `table`; none for rows without tasks."""
    joined = pc.binary_join(table["tasks"].cast(pa.list_(pa.string())), ",")  # the function takes no other lists
    for names in filter(None, pc.unique(joined).to_pylist()):
        yield tuple(names.split(",")), table.filter(pc.equal(joined, names))


def gold_labels(table: pa.Table, task: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """The labels of the task's layer, each with its number of annotations. For SPO a label is the typed triple, and
    untyped relations are skipped; for KG it is (entity type or "", attribute). For events, (event type, role) is
    counted for every argument as well.
    """
    items = table[LAYER[task]].combine_chunks().flatten()
    labels = items.field("label")
    if task == "SPO":
        triples = pa.table([items.field("head_label"), labels, items.field("tail_label")], ["head", "label", "tail"])
        yield from distinct(triples.drop_null())
    elif task == "KG":
        yield from distinct(pa.table([pc.fill_null(items.field("head_label"), ""), labels], ["head", "label"]))
    else:
        yield from distinct(pa.table([labels], ["label"]))
    if LAYER[task] == "events":
        arguments = items.field("arguments")
        types = labels.take(arguments.value_parent_indices())
        yield from distinct(pa.table([types, arguments.flatten().field("role")], ["label", "role"]))


def distinct(rows: pa.Table) -> Iterator[tuple[tuple[str, ...], int]]:
    """The distinct rows, each with its number."""
    counted = rows.group_by(rows.column_names, use_threads=False).aggregate([([], "count_all")])
    *names, numbers = (column.to_pylist() for column in counted.columns)
    return zip(zip(*names, strict=True), numbers, strict=True)


def write_label_sets(
    element: tuple[str, Iterable[list[Count]]],
    output: str,
    data_root: str,
    tasks: Sequence[str],
    collapse: Sequence[str],
) -> None:
    """Writes the label set of every task of the source that is in `tasks`. `element`: its key, counts by shard."""
    key, counts = element
    source = registry.source_at(data_root, key)
    all_counts = [count for part in counts for count in part]
    for task in source.tasks:
        if task in tasks:
            task_counts = [count[1:] for count in all_counts if count[0] == task]
            content = msgspec.json.encode(label_set(key, source, task, task_counts, key in collapse))
            files.write_text(label_path(output, task, key), msgspec.json.format(content, indent=1).decode() + "\n")


def label_set(key: str, source: Source, task: str, counts: list[tuple[tuple[str, ...], str, int]], collapsed: bool):
    """The source's labels for the task, sorted by name, and their counts by split (0 if a label does not occur)."""
    labels = {label.name: label for label in task_labels(source, task, collapsed)}
    if task == "SPO" and not labels:
        labels = {label.name: label for label in (typed_label(*triple) for triple, _, _ in counts)}
    elif isinstance(label_map(source, task), OpenLabels):
        labels = open_label_set(labels, source.roles, LAYER[task], sorted(label for label, _, _ in counts))
    by_label: dict[str, Counter] = {}
    for label, split, n in counts:
        for name in label_names(task, label, labels):
            by_label.setdefault(name, Counter())[split] += n
    names = sorted(labels)
    return LabelSet(
        task,
        key,
        source.name_for(task),
        source.lang,
        tuple(labels[name] for name in names),
        {name: dict(sorted(by_label.get(name, {}).items())) for name in names},
    )


def label_map(source: Source, task: str) -> Mapping[str, Label | None]:
    maps = {"entities": source.entity_labels, "relations": source.relation_labels, "events": source.event_labels}
    return maps[LAYER[task]]


def open_label_set(
    known: dict[str, Label], common: Sequence[Role], layer: str, counted: Sequence[tuple[str, ...]]
) -> dict[str, Label]:
    """The labels that occur in the data, with the roles of event types that occur, as `known` describes them, else
    `common`.
    """
    labels = {name: known.get(name, Label(name)) for name, *_ in counted}
    if layer == "events":
        for name, label in labels.items():
            described = {role.name: role for role in (*common, *label.roles)}
            names = dict.fromkeys(role for event, *rest in counted if event == name for role in rest)
            labels[name] = replace(label, roles=tuple(described.get(role, Role(role)) for role in names))
    return labels


def label_names(task: str, label: tuple[str, ...], labels: dict[str, Label]) -> list[str]:
    """The labels of the set that a counted label belongs to: in KG, an untyped attribute to all types that have it.
    Roles of events are not counted.
    """
    if LAYER[task] == "events" and len(label) > 1:
        return []
    if task != "KG":
        return ["_".join(label)]
    entity_type, attribute = label
    return [entity_type] if entity_type else [name for name in labels if attribute in labels[name].role_names]


def task_labels(source: Source, task: str, collapsed: bool) -> Iterable[Label]:
    """The labels that the source declares for the task; none for SPO if its typed triples are taken from the data."""
    if task == "KG":
        return source.graph_labels or [label for label in source.entity_labels.values() if label]
    if task == "NER":
        fine = [label for label in source.entity_labels.values() if label and label != source.collapsed]
        return [source.collapsed] if collapsed else fine
    if task == "SPO":
        return source.typed_labels
    if task == "RE":
        return [label for label in source.relation_labels.values() if label]
    return [label for label in source.event_labels.values() if label]
