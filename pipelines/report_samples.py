"""A build → a bounded draw of its examples, instructions and rejects, in the compact form of the report.

What is drawn depends on ids alone, not on shards or their order.
"""

import heapq
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.report_lengths import ROWS_A_TABLE, by_source
from schemas.arrow import table_to_examples
from schemas.example import Example, Mention
from transforms import files
from transforms.draw import seed_key
from transforms.shards import read_batches

EXAMPLES_A_LABEL = 20
INSTRUCTIONS_A_TASK = 3
REJECTS_A_REASON = 8
"""Of each source and stage."""

EXAMPLE_BYTES, INSTRUCTION_BYTES, REJECT_BYTES = 5_000_000, 800_000, 800_000
"""Of JSON, all sources together: each has an equal part, and what one does not use is not used."""

SOURCE_BYTES = 150_000
"""At most so much of one source's examples, however few the sources are."""

TEXT_CHARS = 4_000
NAME_CHARS = 120
DETAIL_CHARS = 300


def short(text: str, most: int = NAME_CHARS) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def size(value) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def in_turn(groups: Iterable[Sequence]) -> Iterator:
    """The first of each group, then the second of each, and so on."""
    for rank in zip_longest(*groups):
        yield from (item for item in rank if item is not None)


def within(rows: Iterable, most: int) -> list:
    """The rows from the first on that take `most` bytes together; one that is too large is left out."""
    kept = []
    for row in rows:
        cost = size(row) + 1
        if cost <= most:
            kept.append(row)
            most -= cost
    return kept


def examples(output: str, shards: Iterable[dict], keys: Collection[str]) -> dict[str, list]:
    """Source key → some of its examples (see `compact`), of every label some as far as the bound allows.

    `shards`: those of clean/'s manifest. One source's drawn examples are in memory at a time.
    """
    bound = min(SOURCE_BYTES, EXAMPLE_BYTES // max(1, len(keys)))
    paths: dict[str, list[str]] = {}
    for shard in shards:
        if shard["key"] in keys and shard["rows"]:
            paths.setdefault(shard["key"], []).append(f"{output}/{shard['path']}")
    found = {}
    for key, of_source in sorted(paths.items()):
        by_label = draw_by_label(table for path in of_source for table in read_batches(path, ROWS_A_TABLE))
        order = sorted(by_label, key=lambda label: (label == "", label))
        once = dict.fromkeys(in_turn([by_label[label] for label in order]))  # many are of several labels
        found[key] = within(map(compact, once), bound)
    return found


def draw_by_label(tables: Iterable[pa.Table]) -> dict[str, list[Example]]:
    """Label (of any layer; typed for typed relations; "" for texts without any) → the examples drawn for it."""
    drawn: dict[str, dict[int, Example]] = {}
    for table in tables:
        keys = np.array([seed_key(0, id_) for id_ in table["id"].to_pylist()], np.uint64)
        wanted = [
            (label, row)
            for label, rows in rows_by_label(table, keys).items()
            for row in rows
            if new(drawn, label, keys[row])
        ]
        rows = sorted({row for _, row in wanted})
        taken = dict(zip(rows, table_to_examples(table.take(pa.array(rows, pa.int64()))), strict=True))
        for label, row in wanted:
            drawn.setdefault(label, {})[int(keys[row])] = taken[row]
        for label, of in drawn.items():
            drawn[label] = {key: of[key] for key in sorted(of)[:EXAMPLES_A_LABEL]}
    return {label: list(of.values()) for label, of in drawn.items()}


def new(drawn: Mapping[str, Mapping[int, Example]], label: str, key: int) -> bool:
    of = drawn.get(label, {})
    return len(of) < EXAMPLES_A_LABEL or key < max(of)


def rows_by_label(table: pa.Table, keys: np.ndarray) -> dict[str, list[int]]:
    """Label → its EXAMPLES_A_LABEL rows of least key. `keys`: (rows,)."""
    labels, rows = [], []
    bare = np.ones(table.num_rows, bool)
    for layer in ("entities", "relations", "events"):
        column = table[layer].combine_chunks()
        parents, items = pc.list_parent_indices(column), column.flatten()
        names = items.field("label")
        if layer == "relations":
            ends = [pc.fill_null(items.field(name), "") for name in ("head_label", "tail_label")]
            names = pc.binary_join_element_wise(ends[0], names, ends[1], "\t")
        labels.append(names)
        rows.append(parents.to_numpy())
        bare[rows[-1]] = False
    labels.append(pa.array([""] * int(bare.sum()), pa.string()))
    rows.append(np.flatnonzero(bare))
    encoded = pa.chunked_array(labels).combine_chunks().dictionary_encode()
    pairs = np.unique(np.stack([encoded.indices.to_numpy().astype(np.int64), np.concatenate(rows)]), axis=1)
    codes, places = pairs[:, np.lexsort((keys[pairs[1]], pairs[0]))]
    starts = np.searchsorted(codes, np.arange(len(encoded.dictionary)))
    return {
        label: places[start : start + EXAMPLES_A_LABEL][codes[start : start + EXAMPLES_A_LABEL] == code].tolist()
        for code, (label, start) in enumerate(zip(encoded.dictionary.to_pylist(), starts.tolist(), strict=True))
    }


def compact(example: Example) -> list:
    """[id, text, entities, relations, events]; a layer is null where it is unknown.

    An entity is [label, mention], a relation [label, head, tail, head label, tail label], an event [label, trigger or
    null, [[role, mention], ...]]; a mention [start, end, ...] in code points, or its text where the source gives no
    place. Of a text above TEXT_CHARS the start is shown, with what lies in it.
    """
    most = TEXT_CHARS if len(example.text) > TEXT_CHARS else len(example.text)

    def shown(*mentions: Mention | None) -> bool:
        return all(end <= most for mention in mentions if mention for _, end in mention.spans)

    def place(mention: Mention) -> list[int] | str:
        return [at for span in mention.spans for at in span] if mention.spans else short(mention.text, TEXT_CHARS)

    entities, relations, events = example.entities, example.relations, example.events
    return [
        example.id,
        short(example.text, most),
        None if entities is None else [[short(e.label), place(e.mention)] for e in entities if shown(e.mention)],
        None
        if relations is None
        else [
            [
                short(r.label),
                place(r.head),
                place(r.tail),
                *(short(label or "") for label in (r.head_label, r.tail_label)),
            ]
            for r in relations
            if shown(r.head, r.tail)
        ],
        None
        if events is None
        else [
            [
                short(e.label),
                place(e.trigger) if e.trigger else None,
                [[short(a.role), place(a.mention)] for a in e.arguments if shown(a.mention)],
            ]
            for e in events
            if shown(e.trigger)
        ],
    ]


def instructions(output: str, shards: Iterable[dict], keys: Collection[str]) -> list[list]:
    """[key, task, id, instruction, output or label] of some rows of each source and task. `shards`: data/'s."""
    drawn: dict[tuple[str, str], list[tuple]] = {}
    columns = ["id", "example_id", "instruction", "output", "label"]
    for shard in shards:
        for table in read_batches(f"{output}/{shard['path']}", ROWS_A_TABLE, columns):
            for key, rows in by_source(table):
                if key not in keys:
                    continue
                ids = [(seed_key(0, id_), row) for row, id_ in enumerate(rows["id"].to_pylist())]
                least = heapq.nsmallest(INSTRUCTIONS_A_TASK, ids)
                taken = rows.take(pa.array([row for _, row in least], pa.int64())).to_pylist()
                of = drawn.setdefault((key, shard["task"]), [])
                of += [(order, row) for (order, _), row in zip(least, taken, strict=True)]
                drawn[key, shard["task"]] = sorted(of, key=lambda item: item[0])[:INSTRUCTIONS_A_TASK]
    groups = [
        [
            [
                key,
                task,
                row["id"],
                short(row["instruction"], TEXT_CHARS),
                short(row["output"] or row["label"] or "", TEXT_CHARS),
            ]
            for _, row in of
        ]
        for (key, task), of in sorted(drawn.items())
    ]
    return within(in_turn(groups), INSTRUCTION_BYTES)


def rejects(output: str, keys: Collection[str]) -> list[list[str]]:
    """[stage, source, split, reason, place, id, detail] of some rejects of each stage, source and reason."""
    drawn: dict[tuple[str, str, str], list[tuple]] = {}
    there = files.list_files(f"{output}/rejects") if files.exists(f"{output}/rejects") else []
    for file in there:
        if not file.name.endswith(".parquet"):
            continue
        for table in read_batches(file.path, ROWS_A_TABLE):
            groups: dict[tuple[str, str, str], list[tuple]] = {}
            for row in table.to_pylist():
                if row["source"] in keys:
                    at = row["stage"], row["source"], row["reason"]
                    names = ("split", "reason", "place", "id", "detail")
                    shown = [row["stage"], row["source"], *(short(row[name], DETAIL_CHARS) for name in names)]
                    groups.setdefault(at, []).append((seed_key(0, row["place"], row["id"], row["detail"]), shown))
            for at, rows in groups.items():
                drawn[at] = heapq.nsmallest(REJECTS_A_REASON, drawn.get(at, []) + rows)
    kept = within(in_turn([[shown for _, shown in drawn[at]] for at in sorted(drawn)]), REJECT_BYTES)
    return sorted(kept, key=lambda row: (row[1], row[0], row[3], row[2], row[4], row[5]))
