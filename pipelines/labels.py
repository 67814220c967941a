"""clean/ → labels/<task>/<source>.json: what each source can annotate for each task, with counts by split."""

from collections import Counter
from collections.abc import Iterable, Sequence

import apache_beam as beam
import msgspec

from pipelines import registry
from pipelines.clean import Shard
from pipelines.sources import Source
from schemas.arrow import table_to_examples
from schemas.example import Example
from schemas.label import Label, LabelSet, typed_label
from transforms import files
from transforms.shards import read_batches

Count = tuple[str, tuple[str, ...], str, int]
"""(task, label or (subject type, predicate, object type), split, annotations)."""


class WriteLabels(beam.PTransform):
    """Shards of clean/ → one label set file a task and source."""

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
    """(source key, counts) of one shard."""
    counts = Counter()
    for table in read_batches(f"{output}/{shard.path}", 10_000):
        for example in table_to_examples(table):
            for task in example.tasks:
                counts.update((task, label, example.split) for label in gold_labels(example, task))
    return shard.key, [(*key, n) for key, n in sorted(counts.items())]


def gold_labels(example: Example, task: str) -> Iterable[tuple[str, ...]]:
    """The label of every annotation of the task's layer; for SPO the typed triple, untyped relations left out; for KG
    (entity type or "", attribute).
    """
    match task:
        case "NER":
            return [(entity.label,) for entity in example.entities or ()]
        case "SPO":
            typed = [(r.head_label, r.label, r.tail_label) for r in example.relations or ()]
            return [triple for triple in typed if None not in triple]
        case "KG":
            return [(relation.head_label or "", relation.label) for relation in example.relations or ()]
        case "RE":
            return [(relation.label,) for relation in example.relations or ()]
        case _:
            return [(event.label,) for event in example.events or ()]


def write_label_sets(
    element: tuple[str, Iterable[list[Count]]],
    output: str,
    data_root: str,
    tasks: Sequence[str],
    collapse: Sequence[str],
) -> None:
    """Writes the label set of every task of the source that was asked for. `element`: its key, counts by shard."""
    key, counts = element
    source = registry.source_at(data_root, key)
    every = [count for part in counts for count in part]
    for task in source.tasks:
        if task in tasks:
            found = [count[1:] for count in every if count[0] == task]
            content = msgspec.json.encode(label_set(key, source, task, found, key in collapse))
            files.write_text(label_path(output, task, key), msgspec.json.format(content, indent=1).decode() + "\n")


def label_set(key: str, source: Source, task: str, counts: list[tuple[tuple[str, ...], str, int]], collapsed: bool):
    """The source's labels for the task, sorted by name, and how often each occurs by split (0 where it does not)."""
    labels = {label.name: label for label in task_labels(source, task, collapsed)}
    if task == "SPO" and not labels:
        labels = {label.name: label for label in (typed_label(*triple) for triple, _, _ in counts)}
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


def label_names(task: str, label: tuple[str, ...], labels: dict[str, Label]) -> list[str]:
    """The labels of the set that a counted one stands for: in KG an untyped attribute for all types that have it."""
    if task != "KG":
        return ["_".join(label)]
    entity_type, attribute = label
    return [entity_type] if entity_type else [name for name in labels if attribute in labels[name].roles]


def task_labels(source: Source, task: str, collapsed: bool) -> Iterable[Label]:
    """The labels that the source declares for the task; none for SPO where its typed triples are read off the data."""
    if task == "KG":
        return source.entity_labels.values()
    if task == "NER":
        fine = [label for label in source.entity_labels.values() if label and label != source.collapsed]
        return [source.collapsed] if collapsed else fine
    if task == "SPO":
        return source.typed_labels
    if task == "RE":
        return [label for label in source.relation_labels.values() if label]
    return source.event_labels.values()


def label_path(output: str, task: str, key: str) -> str:
    return f"{output}/labels/{task}/{key}.json"


def read_label_set(output: str, task: str, key: str) -> LabelSet:
    """Raises MachineError where there is none."""
    return msgspec.json.decode(files.read_text(label_path(output, task, key)), type=LabelSet)
