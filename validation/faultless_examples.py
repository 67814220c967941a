"""A table of Examples of one source and split → its facts, if no row breaks a rule that needs no label set.

Beside `profile.examples_profile` for speed, as `validation.faultless` is for instructions: the offsets of all mentions
are held against the bytes of all texts at once. A table in which anything looks wrong is left to the profile; a test
compares the two.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import items_of, layer_items, mention_columns, nulls_where_none_may_be
from schemas.example import LAYER, TASKS, Argument, Entity, Event, Mention, Relation
from schemas.label import LabelSet
from validation.facts import Facts, Names, places
from validation.profile import label_faults, mention_fault
from validation.suites import LANGS

CONTINUES = 0b10
"""The two highest bits of a byte of UTF-8 that begins no character."""


def facts(table: pa.Table, key: str, split: str, max_chars: int) -> Facts | None:
    """The facts of `table` (schema EXAMPLES), of the source with this key; None where a row may have a fault."""
    if not table.num_rows:
        return Facts(0, {})
    if nulls_where_none_may_be(table):
        return None
    found = places(table["id"].to_pylist())
    lang, tasks = pc.unique(table["lang"]).to_pylist(), pc.unique(pc.list_flatten(table["tasks"])).to_pylist()
    texts = table["text"].combine_chunks()
    strings = texts.to_pylist()
    if (
        found is None
        or found.keys() != {f"{key}/{split}"}
        or not pc.all(pc.equal(table["split"], split)).as_py()
        or not set(lang) <= set(LANGS)
        or not set(tasks) <= set(TASKS)
        or pc.min(pc.list_value_length(table["tasks"])).as_py() < 1
        or not all(map(str.strip, strings))
        or max(map(len, strings)) > max_chars
        or not all(mentions_hold(texts, strings, *which) for which in mention_columns(table))
    ):
        return None
    return Facts(table.num_rows, found, labels=tuple(different_labels(table)))


def known(labels: Iterable[Names], label_sets: Mapping[str, LabelSet]) -> bool:
    """Whether the label sets (by task) have all the `labels` of a shard's facts."""
    nothing = Mention("")
    items = {"entities": [], "relations": [], "events": []}
    for layer, label, *more in labels:
        if layer == "entities":
            items[layer].append(Entity(label, nothing))
        elif layer == "relations":
            items[layer].append(Relation(label, nothing, nothing, *more))
        else:
            items[layer].append(Event(label, None, tuple(Argument(role, nothing) for role in more)))
    roles = {task: {label.name: label.roles for label in of.labels} for task, of in label_sets.items()}
    return not any(any(label_faults(task, item, of)) for task, of in roles.items() for item in items[LAYER[task]])


def different_labels(table: pa.Table) -> set[Names]:
    """See `Facts.labels`."""
    entities, _ = layer_items(table, "entities")
    relations, _ = layer_items(table, "relations")
    events, _ = layer_items(table, "events")
    triples = zip(*(relations.field(name).to_pylist() for name in ("label", "head_label", "tail_label")), strict=True)
    arguments, of_event = items_of(events.field("arguments"), np.arange(len(events)))
    labels = events.field("label").to_pylist()
    roles = zip(of_event.tolist(), arguments.field("role").to_pylist(), strict=True)
    return {
        *(("entities", label) for label in pc.unique(entities.field("label")).to_pylist()),
        *(("relations", *triple) for triple in set(triples)),
        *(("events", label) for label in set(labels)),
        *(("events", labels[event], role) for event, role in roles),
    }


def mentions_hold(texts: pa.StringArray, strings: list[str], found: pa.StructArray, rows: np.ndarray) -> bool:
    """Whether no mention is blank and each with spans spells what its text has there; `rows` are those of the texts."""
    said = found.field("text")
    if not all(map(str.strip, pc.unique(said).to_pylist())):
        return False
    spans = found.field("spans")
    count = pc.list_value_length(spans).to_numpy()
    for n in np.flatnonzero(count > 1).tolist():
        mention = Mention(said[n].as_py(), tuple(map(tuple, spans[n].as_py())))
        if mention_fault(strings[rows[n]], mention):
            return False
    one = np.flatnonzero(count == 1)
    bounds = spans.filter(pa.array(count == 1)).flatten().flatten().to_numpy().reshape(-1, 2)
    return spelt(texts, rows[one], bounds[:, 0], bounds[:, 1], said.take(pa.array(one)))


def spelt(texts: pa.StringArray, rows: np.ndarray, start: np.ndarray, end: np.ndarray, said: pa.StringArray) -> bool:
    """Whether each of `said` is what stands in its row's text from `start` to `end` (characters)."""
    offsets, data = raw(texts)
    begins = np.r_[np.flatnonzero(data >> 6 != CONTINUES), len(data)]  # the byte at which each character begins
    first = np.searchsorted(begins, offsets)  # the number of each text's first character
    if not ((start >= 0) & (start < end) & (end <= np.diff(first)[rows])).all():
        return False
    left, right = begins[first[rows] + start], begins[first[rows] + end]
    own, spelling = raw(said)
    lengths = np.diff(own)
    if not (lengths == right - left).all():
        return False
    return bool((data[np.repeat(left - own[:-1], lengths) + np.arange(len(spelling))] == spelling).all())


def raw(strings: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets from 0 and the bytes of the strings, end to end."""
    _, offsets, data = strings.buffers()
    bounds = np.frombuffer(offsets, np.int32, len(strings) + 1, strings.offset * 4).astype(np.int64)
    content = np.frombuffer(data or b"", np.uint8)[bounds[0] : bounds[-1]]
    return bounds - bounds[0], content
