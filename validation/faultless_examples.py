"""A table of Examples of one source and split → its facts, where it is certain that no row has a fault.

This is for Examples what `validation.faultless` is for instructions: it looks at columns and makes no objects of them,
and a table of which it is not certain is sent to `profile.examples_profile`. The rules that need a label set are the
profile's (`known`).
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import has_forbidden_nulls, layer_items, list_items, mention_columns
from schemas.example import LAYER, TASKS, Argument, Entity, Event, Mention, Relation
from schemas.label import LabelSet
from schemas.manifests import Facts, Names
from validation.facts import places
from validation.profile import label_faults, mention_fault
from validation.suites import LANGS


def facts(table: pa.Table, key: str, split: str, max_chars: int) -> Facts | None:
    """The facts of `table` (schema EXAMPLES), of the source with this key; None where a row may have a fault."""
    if not table.num_rows:
        return Facts(0, {})
    if has_forbidden_nulls(table):
        return None
    found = places(table["id"])
    lang, tasks = pc.unique(table["lang"]).to_pylist(), pc.unique(pc.list_flatten(table["tasks"])).to_pylist()
    texts = table["text"].to_pylist()
    if (
        found is None
        or found.keys() != {f"{key}/{split}"}
        or not pc.all(pc.equal(table["split"], split)).as_py()
        or not set(lang) <= set(LANGS)
        or not set(tasks) <= set(TASKS)
        or pc.min(pc.list_value_length(table["tasks"])).as_py() < 1
        or not all(map(str.strip, texts))
        or max(map(len, texts)) > max_chars
        or not all(mentions_hold(texts, *which) for which in mention_columns(table))
    ):
        return None
    return Facts(table.num_rows, found, labels=tuple(different_labels(table)))


def known(labels: Iterable[Names], label_sets: Mapping[str, LabelSet]) -> bool:
    """Whether the label sets (by task) have all the `labels` of a shard's facts."""
    nothing = Mention("")
    items: dict[str, list[Entity | Relation | Event]] = {"entities": [], "relations": [], "events": []}
    for names in labels:
        match names:
            case ("entities", str(label)):
                items["entities"].append(Entity(label, nothing))
            case ("relations", str(label), head_label, tail_label):
                items["relations"].append(Relation(label, nothing, nothing, head_label, tail_label))
            case ("events", str(label)):
                items["events"].append(Event(label, None))
            case ("events", str(label), str(role)):
                items["events"].append(Event(label, None, (Argument(role, nothing),)))
    roles = {task: {label.name: label.roles for label in of.labels} for task, of in label_sets.items()}
    return not any(any(label_faults(task, item, of)) for task, of in roles.items() for item in items[LAYER[task]])


def different_labels(table: pa.Table) -> set[Names]:
    """See `Facts.labels`."""
    entities, _ = layer_items(table, "entities")
    relations, _ = layer_items(table, "relations")
    events, _ = layer_items(table, "events")
    arguments, of_event = list_items(events.field("arguments"), np.arange(len(events)))
    labels = events.field("label")
    return {
        *(("entities", label) for label in pc.unique(entities.field("label")).to_pylist()),
        *(("relations", *names) for names in different(*map(relations.field, ("label", "head_label", "tail_label")))),
        *(("events", label) for label in pc.unique(labels).to_pylist()),
        *(("events", *names) for names in different(labels.take(pa.array(of_event)), arguments.field("role"))),
    }


def different(*columns: pa.StringArray) -> Iterator[Names]:
    """The different rows of the columns."""
    names = [str(number) for number in range(len(columns))]
    rows = pa.table(dict(zip(names, columns, strict=True))).group_by(names, use_threads=False).aggregate([])
    return zip(*(rows[name].to_pylist() for name in names), strict=True)


def mentions_hold(texts: list[str], found: pa.StructArray, rows: np.ndarray) -> bool:
    """Whether no mention is blank and each with spans spells what its text has there; `rows` are those of the texts."""
    said = found.field("text")
    if not all(map(str.strip, pc.unique(said).to_pylist())):
        return False
    spans = found.field("spans")
    count = pc.list_value_length(spans).to_numpy()
    for n in np.flatnonzero(count > 1).tolist():
        mention = Mention(said[n].as_py(), tuple(map(tuple, spans[n].as_py())))
        if mention_fault(texts[rows[n]], mention):
            return False
    one = pa.array(count == 1)
    bounds = spans.filter(one).flatten().flatten().to_numpy().reshape(-1, 2)
    return spelt([texts[row] for row in rows[count == 1].tolist()], bounds, said.filter(one).to_pylist())


def spelt(texts: list[str], bounds: np.ndarray, said: list[str]) -> bool:
    """Whether each of `said` is what stands in its text between its bounds (characters)."""
    start, end = bounds[:, 0], bounds[:, 1]
    if not ((start >= 0) & (start < end) & (end <= np.fromiter(map(len, texts), np.int64, len(texts)))).all():
        return False
    return said == [text[a:b] for text, a, b in zip(texts, start.tolist(), end.tolist(), strict=True)]
