"""The stage link, from dumps and texts to shards: joins in buckets, merged items, given links, equal bytes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.knowledge import link_tables
from schemas.knowledge import NAMES, Item, LinkedParagraph, from_table
from schemas.knowledge_manifests import Linked
from tests.conftest import ROOT, checksums
from tests.pipelines.knowledge.run_link import run_link
from tests.transforms.knowledge.entities import claims, dump, entity, to_item
from transforms.knowledge.spans import Spans
from transforms.shards import read_shard

MERGED = {"entity": "Q77", "redirect": "Q2"}
ENTITIES = [
    entity("Q1", "Ada Marrow", claims=claims(to_item("P31", 5), to_item("P19", 3))),
    entity("Q2", "Low Harbour", claims=claims(to_item("P31", 515))),
    entity("Q3", "Harbour", claims=claims(to_item("P31", 515), to_item("P17", 4))),
    entity("Q4", "Northland", claims=claims(to_item("P31", 6256))),
    entity("Q6", "Harbour", claims=claims(to_item("P31", 11424))),
    entity("Q5", "human"),
    entity("Q515", "city"),
    entity("Q6256", "country"),
    entity("Q11424", "film"),
]
TEXTS = [
    {"text": "Ada Marrow was born in Harbour.", "title": "Ada Marrow", "qid": "Q1"},
    {"text": "Harbour shows Low Harbour.", "links": [{"start": 0, "end": 7, "qid": "Q6"}]},
    {"text": "Nobody was there."},
    {"text": "Harbour lies in Northland.", "links": [{"start": 0, "end": 7, "qid": "Q999"}]},
    {"text": "Low Harbour is old.", "links": [{"start": 0, "end": 11, "qid": "Q2"}]},
]


@pytest.fixture
def inputs(tmp_path) -> tuple[str, str]:
    (tmp_path / "dump.json").write_bytes(dump(ENTITIES))
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(text) + "\n" for text in TEXTS))
    return str(tmp_path / "dump.json"), str(tmp_path / "texts.jsonl")


def mentions(output: Path) -> list[list[tuple[str, str, int]]]:
    rows = [row for path in sorted(output.glob("link/*.parquet")) for row in read(path, LinkedParagraph)]
    return [[(row.paragraph.text[m.start : m.end], m.kind, m.qid) for m in row.mentions] for row in rows]


def read(path: Path, kind: type) -> list:
    return from_table(read_shard(str(path)), kind)


def test_paragraphs_are_linked_by_links_and_names(inputs, tmp_path):
    result: Linked = run_link(str(tmp_path / "out"), *inputs)
    assert mentions(tmp_path / "out") == [
        [("Ada Marrow", "title", 1), ("Harbour", "name", 3)],
        [("Harbour", "anchor", 6), ("Low Harbour", "name", 2)],
        [],
        [("Harbour", "anchor", 999), ("Northland", "name", 4)],
        [("Low Harbour", "anchor", 2)],
    ]
    assert [(shard.path, shard.rows, shard.mentions, shard.ambiguous) for shard in result.shards] == [
        ("link/00000.parquet", 2, {"anchor": 1, "name": 2, "title": 1}, 1),
        ("link/00001.parquet", 2, {"anchor": 1, "name": 1}, 0),
        ("link/00002.parquet", 1, {"anchor": 1}, 0),
    ]
    items = {path.stem: read(path, Item) for path in sorted((tmp_path / "out/link/items").glob("*.parquet"))}
    assert {name: [item.qid for item in shard] for name, shard in items.items()} == {
        "00000": [1, 2, 3, 6],
        "00001": [4],
        "00002": [2],
    }
    assert [shard.items for shard in result.shards] == [4, 1, 1]
    ada = items["00000"][0]
    assert (ada.names, ada.types, ada.neighbours) == (("Ada Marrow",), ("human",), frozenset({3, 5}))
    assert [statement.item for statement in ada.statements] == [3]
    assert not (tmp_path / "out/link/.scratch").exists()


def test_only_given_links(inputs, tmp_path):
    run_link(str(tmp_path / "out"), *inputs, "given")
    assert mentions(tmp_path / "out") == [
        [], [("Harbour", "given", 6)], [], [("Harbour", "given", 999)], [("Low Harbour", "given", 2)]
    ]  # fmt: skip


def test_links_to_merged_items_lead_to_their_targets(tmp_path):
    (tmp_path / "dump.json").write_bytes(dump([*ENTITIES, MERGED]))
    texts = [{"text": "The old port.", "title": "Port", "qid": "Q77", "links": [{"start": 8, "end": 12, "qid": "Q77"}]}]
    (tmp_path / "texts.jsonl").write_text(json.dumps(texts[0]) + "\n")
    run_link(str(tmp_path / "out"), str(tmp_path / "dump.json"), str(tmp_path / "texts.jsonl"))
    (row,) = read(tmp_path / "out/link/00000.parquet", LinkedParagraph)
    assert [mention.qid for mention in row.mentions] == [row.paragraph.page] == [row.paragraph.links[0].qid] == [2]


def first_word(text: str, lang: str, max_tokens: int) -> Spans:
    return np.array([[0, text.find(" ")]], np.int32)


def test_another_recogniser(inputs, tmp_path):
    run_link(str(tmp_path / "out"), *inputs, recognise=first_word)
    assert mentions(tmp_path / "out")[1] == [("Harbour", "anchor", 6), ("Harbour", "repeat", 6)]


def test_the_order_of_items_does_not_matter(inputs, tmp_path):
    run_link(str(tmp_path / "one"), *inputs)
    (tmp_path / "dump.json").write_bytes(dump(ENTITIES[::-1]))
    run_link(str(tmp_path / "two"), *inputs)
    assert without_manifest(tmp_path / "one/link") == without_manifest(tmp_path / "two/link")


def without_manifest(folder: Path) -> dict:
    return {name: value for name, value in checksums(folder).items() if name.endswith(".parquet")}


def test_two_workers_write_the_same_bytes(inputs, tmp_path):
    run_link(str(tmp_path / "one"), *inputs)
    flags = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipelines.knowledge.run_link", str(tmp_path / "two"), *inputs, "all", *flags],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert without_manifest(tmp_path / "one/link") == without_manifest(tmp_path / "two/link")


def test_of_many_items_with_one_name_the_best_names_and_lowest_ids_are_candidates(monkeypatch):
    monkeypatch.setattr(link_tables, "ITEMS_PER_NAME", 3)
    rows = [{"name": "Oz", "qid": qid, "kind": "label" if qid == 9 else "alias"} for qid in (7, 9, 3, 5, 8)]
    names = [link_tables.hashed_names(pa.Table.from_pylist(rows, schema=NAMES))]
    ngrams = pa.table([names[0]["hash"][:1], pa.array([4], pa.int32())], schema=link_tables.NGRAMS)
    ((shard, table),) = link_tables.join_names(names, [ngrams])
    assert (shard, table["qid"].to_pylist()) == (4, [9, 3, 5])
