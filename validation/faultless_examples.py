"""A table of Examples of one source and split → its facts, if it is certain that no row has a fault.

This is the counterpart of `validation.faultless` for Examples. It checks columns without creating objects; tables that
may have a fault go to `profile.examples_profile`. The rules that need a label set are those of the profile
(`are_labels_known`).
"""

import re
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
from validation.suites import LANG


def facts(table: pa.Table, key: str, split: str, max_chars: int) -> Facts | None:
    """The facts of `table` (schema EXAMPLES) of the source with this key, or None if a row may have a fault."""
    if not table.num_rows:
        return Facts(0, {})
    if has_forbidden_nulls(table):
        return None
    by_prefix = places(table["id"])
    lang, tasks = pc.unique(table["lang"]).to_pylist(), pc.unique(pc.list_flatten(table["tasks"])).to_pylist()
    texts = table["text"].to_pylist()
    if (
        by_prefix is None
        or by_prefix.keys() != {f"{key}/{split}"}
        or not pc.all(pc.equal(table["split"], split)).as_py()
        or not all(re.match(LANG, each) for each in lang)
        or not set(tasks) <= set(TASKS)
        or pc.min(pc.list_value_length(table["tasks"])).as_py() < 1
        or not all(map(str.strip, texts))
        or max(map(len, texts)) > max_chars
        or not all(are_mentions_valid(texts, *column) for column in mention_columns(table))
    ):
        return None
    return Facts(table.num_rows, by_prefix, labels=tuple(distinct_labels(table)))


def are_labels_known(labels: Iterable[Names], label_sets: Mapping[str, LabelSet]) -> bool:
    """Whether all `labels` of the facts of a shard are in the label sets (by task)."""
    empty = Mention("")
    items: dict[str, list[Entity | Relation | Event]] = {"entities": [], "relations": [], "events": []}
    for names in labels:
        match names:
            case ("entities", str(label)):
                items["entities"].append(Entity(label, empty))
            case ("relations", str(label), head_label, tail_label):
                items["relations"].append(Relation(label, empty, empty, head_label, tail_label))
            case ("events", str(label)):
                items["events"].append(Event(label, None))
            case ("events", str(label), str(role)):
                items["events"].append(Event(label, None, (Argument(role, empty),)))
    roles = {task: {label.name: label.role_names for label in labels.labels} for task, labels in label_sets.items()}
    return not any(any(label_faults(task, item, known)) for task, known in roles.items() for item in items[LAYER[task]])


def distinct_labels(table: pa.Table) -> set[Names]:
    """The distinct labels of the layers of `table`: see `Facts.labels`."""
    entities, _ = layer_items(table, "entities")
    relations, _ = layer_items(table, "relations")
    events, _ = layer_items(table, "events")
    arguments, event_numbers = list_items(events.field("arguments"), np.arange(len(events)))
    labels = events.field("label")
    return {
        *(("entities", label) for label in pc.unique(entities.field("label")).to_pylist()),
        *(
            ("relations", *names)
            for names in distinct_rows(*map(relations.field, ("label", "head_label", "tail_label")))
        ),
        *(("events", label) for label in pc.unique(labels).to_pylist()),
        *(("events", *names) for names in distinct_rows(labels.take(pa.array(event_numbers)), arguments.field("role"))),
    }


def distinct_rows(*columns: pa.StringArray) -> Iterator[Names]:
    """The distinct rows of a table with these columns."""
    names = [str(number) for number in range(len(columns))]
    rows = pa.table(dict(zip(names, columns, strict=True))).group_by(names, use_threads=False).aggregate([])
    return zip(*(rows[name].to_pylist() for name in names), strict=True)


def are_mentions_valid(texts: list[str], mentions: pa.StructArray, rows: np.ndarray) -> bool:
    """Whether no mention is blank and each mention with spans equals its text at these offsets. `rows`: the number of
    the text of each mention.
    """
    strings = mentions.field("text")
    if not all(map(str.strip, pc.unique(strings).to_pylist())):
        return False
    spans = mentions.field("spans")
    count = pc.list_value_length(spans).to_numpy()
    for n in np.flatnonzero(count > 1).tolist():
        mention = Mention(strings[n].as_py(), tuple(map(tuple, spans[n].as_py())))
        if mention_fault(texts[rows[n]], mention):
            return False
    one = pa.array(count == 1)
    bounds = spans.filter(one).flatten().flatten().to_numpy().reshape(-1, 2)
    return match_texts([texts[row] for row in rows[count == 1].tolist()], bounds, strings.filter(one).to_pylist())


def match_texts(texts: list[str], bounds: np.ndarray, strings: list[str]) -> bool:
    """Whether each string equals its text between the bounds (start and end in characters, shape (n, 2))."""
    start, end = bounds[:, 0], bounds[:, 1]
    if not ((start >= 0) & (start < end) & (end <= np.fromiter(map(len, texts), np.int64, len(texts)))).all():
        return False
    return strings == [text[a:b] for text, a, b in zip(texts, start.tolist(), end.tolist(), strict=True)]
