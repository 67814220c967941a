"""A build → a bounded sample of its rejects with their texts and twins, in the compact form of the report.

The sample only depends on places and ids, not on shards or their order.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping

from pipelines.report.gold import compact
from pipelines.report.lookup import examples_by_id
from pipelines.report.pseudonyms import Rename
from pipelines.report.samples import DETAIL_CHARS, TEXT_CHARS, in_turn, short, within
from schemas.errors import Reason
from schemas.example import Example
from schemas.example_id import ExampleId
from schemas.manifests import Ingested
from transforms import files
from transforms.clean import repair
from transforms.draw import seed_key
from transforms.shards import read_batches
from transforms.windows import windows

REJECTS_PER_REASON = 8
"""Number of rejects per source, stage and reason."""

REJECT_BYTES = 3_000_000
"""Limit of the size as JSON, over all sources."""

ROWS_PER_TABLE = 20_000

SAME_TEXT = None
"""What stands for the text of a twin that is equal to that of the reject."""


def rejects(
    output: str, ingested: Ingested, keys: Collection[str], renamers: Mapping[str, Rename], max_chars: int
) -> list[list]:
    """[stage, source, split, reason, place, id, detail, record, example, twin] of some rejects per stage, source and
    reason, the reasons in turn, and of a reason the sources in turn. `example` and `twin` are those of `gold.compact`,
    null if there is none; `record` is what was read of a reject without an Example.

    `renamers`: key → what replaces the names of annotators in the names of files. Of these sources, the annotations
    that were not chosen are left out, for what is wrong with them is only the annotator, and so is what was read, which
    may name them. A twin of another source than `keys` is left out. `max_chars`: the size of the windows of clean.
    """
    drawn: dict[tuple[str, str, str], list[tuple[int, dict[str, str]]]] = {}
    for row in read_rows(output, keys, renamers):
        at = row["stage"], row["source"], row["reason"]
        ranked = seed_key(0, row["place"], row["id"], row["detail"]), row
        drawn[at] = heapq.nsmallest(REJECTS_PER_REASON, [*drawn.get(at, ()), ranked], key=lambda item: item[0])
    rows = [row for of_reason in drawn.values() for _, row in of_reason]
    for row in rows:
        if row["twin"] and ExampleId.parse(row["twin"]).key not in keys:
            row["twin"] = ""
    texts = read_texts(output, ingested, max_chars, {row[name] for row in rows for name in ("id", "twin") if row[name]})
    by_reason: dict[str, list[list[list]]] = {}
    for at in sorted(drawn):
        by_reason.setdefault(at[2], []).append([with_texts(row, texts) for _, row in drawn[at]])
    return within(in_turn([list(in_turn(groups)) for groups in by_reason.values()]), REJECT_BYTES)


def read_rows(output: str, keys: Collection[str], renamers: Mapping[str, Rename]) -> Iterator[dict[str, str]]:
    """The rejects of the sources in `keys`."""
    for file in files.list_files(f"{output}/rejects") if files.exists(f"{output}/rejects") else ():
        if file.name.endswith(".parquet"):
            for table in read_batches(file.path, ROWS_PER_TABLE):
                for row in table.to_pylist():
                    rename = renamers.get(row["source"])
                    if row["source"] not in keys or (rename and row["reason"] == Reason.NOT_CHOSEN):
                        continue
                    if rename:
                        row |= {name: rename(row[name]) for name in ("place", "detail")} | {"record": ""}
                    yield row


def read_texts(output: str, ingested: Ingested, max_chars: int, ids: Iterable[str]) -> dict[str, Example]:
    """Id → Example as it was read, or the window of it if that is what the id names."""
    parsed = {id_: ExampleId.parse(id_) for id_ in ids}
    whole = {id_: str(ExampleId(at.key, at.split, at.number)) for id_, at in parsed.items()}
    shards = [(read.key, read.split, f"{output}/{shard.path}") for read in ingested.splits for shard in read.shards]
    examples = examples_by_id(shards, set(whole.values()))
    texts: dict[str, Example] = {}
    for id_, at in parsed.items():
        example = examples[whole[id_]]
        cut = [example] if at.window is None else windows(repair(example), max_chars)[0]
        texts |= {window.id: window for window in cut if window.id == id_}
    return texts


def with_texts(row: Mapping[str, str], texts: Mapping[str, Example]) -> list:
    example, twin = (compact(texts[row[name]]) if row[name] in texts else None for name in ("id", "twin"))
    if example and twin and twin[1] == example[1]:
        twin[1] = SAME_TEXT
    names = [short(row[name], DETAIL_CHARS) for name in ("split", "reason", "place", "id", "detail")]
    return [row["stage"], row["source"], *names, short(row["record"], TEXT_CHARS), example, twin]
