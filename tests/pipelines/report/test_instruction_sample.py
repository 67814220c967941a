"""The instructions of the report: some for every label in every role, split and form, whatever the shards."""

import json
from collections import defaultdict
from hashlib import sha256

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.build_reports import read_statistics
from pipelines.report import instructions as report_instructions
from pipelines.report.instruction_draw import (
    MAX_ROWS,
    ROWS_PER_CELL,
    Cell,
    chosen_groups,
    draw,
    first_of_cells,
    hashes,
    ordered,
)
from pipelines.report.instructions import Sample
from pipelines.report.payload import payload
from schemas.arrow import INSTRUCTIONS
from schemas.example_id import ExampleId, InstructionId
from tests.manifests import instruction_shard
from tests.specification.instruction import Instruction, instructions_to_table
from transforms.shards import read_shard, write_shard

ROLE = {"p": 0, "h": 1, "o": 2}


@pytest.fixture(scope="module")
def sample(small):
    return payload(str(small), read_statistics(str(small)))["sample"]


@pytest.fixture(scope="module")
def rows(small):
    """All rows of the build, by id."""
    paths = sorted((small / "data").glob("*/*.parquet"))
    return {row["id"]: row for path in paths for row in read_shard(str(path)).to_pylist()}


def sampled_ids(sample: dict) -> dict[str, list]:
    """Id → row of the sample."""
    return {
        f"{sample['texts'][key][row[0]][0]}/{row[1]}/{row[2]}": row
        for key, of_source in sample["rows"].items()
        for row in of_source
    }


def roles_of(row: dict) -> dict[str, str]:
    """Label → its role in a row of data/."""
    return {
        label: "p" if label in row["positives"] else "h" if label in row["hard_negatives"] else "o"
        for label in row["labels"]
    }


def test_every_label_is_shown_in_every_role_and_split_that_it_has(sample, rows):
    def cells(ids) -> set[tuple]:
        shown = set()
        for id_ in ids:
            at = InstructionId.parse(id_)
            place = at.example.key, at.task, at.example.split
            shown |= {(*place, label, role) for label, role in roles_of(rows[id_]).items()}
            shown.add((*place, "without", not rows[id_]["hard_negatives"]))
        return shown

    assert cells(sampled_ids(sample)) == cells(rows)


def test_the_parts_of_a_row_are_those_of_the_corpus(sample, rows):
    texts = {text[0]: text[1] for of_source in sample["texts"].values() for text in of_source}
    for id_, (_, _, _, prompt, form, labels, roles, schema, answer) in sampled_ids(sample).items():
        row = rows[id_]
        shown = {
            "instruction": sample["prompts"][prompt],
            "schema": schema or labels,
            "input": texts[row["example_id"]],
        }
        assert json.dumps(shown, ensure_ascii=False) == row["instruction"]
        assert dict(zip(labels, roles, strict=True)) == roles_of(row) and form == ""
        assert answer == json.loads(row["output"] or row["label"] or "null")


def test_a_bound_leaves_out_the_rows_that_are_needed_least(small, sample, monkeypatch):
    monkeypatch.setattr(report_instructions, "SAMPLE_BYTES", 40_000)
    less = payload(str(small), read_statistics(str(small)))["sample"]
    assert 20_000 < len(json.dumps(less, ensure_ascii=False, separators=(",", ":")).encode()) <= 40_100  # with the keys
    assert less["rows"].keys() == sample["rows"].keys()  # the sources take turns
    assert set(sampled_ids(less)) < set(sampled_ids(sample))


def test_an_answer_that_is_no_json_stays_as_it_is():
    row = {
        "id": "a/train/0/RE/0", "example_id": "a/train/0", "output": 'The relation "x".', "label": None,
        "instruction": '{"instruction": "Say.", "schema": ["x"], "input": "Keel"}', "form": "sentences",
        "labels": ["x"], "positives": ["x"], "hard_negatives": [],
    }  # fmt: skip
    sample = Sample()
    sample.add("a", row, ["a/train/0", "Keel", None, [], None])
    assert sample.rows == {"a": [[0, "RE", 0, 0, "sentences", ["x"], "p", 0, 'The relation "x".']]}


def test_the_rows_that_are_read_are_bounded():
    large = [instruction_shard({"large": 100_000}, path=f"{number}") for number in range(50)]
    mixed = instruction_shard({"large": 90_000, "small": 5}, path="mixed")
    test = instruction_shard({"large": 40_000}, split="test", path="test")
    chosen = list(chosen_groups([*large, mixed, test], {"large", "small"}))
    by_path = {path: [number for shard, number in chosen if shard.path == path] for path in ("mixed", "test")}
    assert by_path == {"mixed": [0, 1, 2, 3, 4], "test": [0, 1]}  # all groups of a small source and of a small split
    assert 0.8 * MAX_ROWS <= 20_000 * (len(chosen) - 7) <= MAX_ROWS
    assert len({shard.path for shard, _ in chosen}) >= 4
    assert [*chosen_groups([*large, mixed], {"small"})] == [(mixed, number) for number in range(5)]


def instruction(example_id: str, batch: int, roles: dict[str, str]) -> Instruction:
    """An instruction that asks for labels with these roles."""
    at = ExampleId.parse(example_id)
    positives, hard = (tuple(label for label in roles if roles[label] == role) for role in "ph")
    return Instruction(
        f"{example_id}/NER/{batch}", example_id, sha256(example_id.encode()).hexdigest(), "NER", at.key, "en", at.split,
        "{}", "{}", None, tuple(roles), positives, hard,
    )  # fmt: skip


def cells_of(row: Instruction) -> set[tuple[str, int]]:
    cells = {(label, 0 if label in row.positives else 1 if label in row.hard_negatives else 2) for label in row.labels}
    return cells | ({("", 3)} if not row.positives else set()) | ({("", 4)} if not row.hard_negatives else set())


BATCHES = st.lists(
    st.lists(st.dictionaries(st.sampled_from("pqrs"), st.sampled_from("pho"), min_size=1), min_size=1, max_size=3),
    min_size=1,
    max_size=30,
)


@given(BATCHES, st.integers(1, 30))
def test_the_first_rows_of_a_cell_do_not_depend_on_tables(texts, size):
    rows = [
        instruction(f"海/b/train/{number}", batch, roles)
        for number, batches in enumerate(texts)
        for batch, roles in enumerate(batches)
    ]
    expected = defaultdict(set)
    for row in rows:
        for label, role in cells_of(row):
            expected[Cell(label, 0, "iepile", role)].add(row.id)

    def drawn(parts: list[list[Instruction]]) -> dict[Cell, list[str]]:
        cells = defaultdict(list)
        for part in parts:
            for cell, ranked in first_of_cells(instructions_to_table(part), 0).items():
                cells[cell] = sorted(cells[cell] + [(rank, part[row].id) for rank, row in ranked])[:ROWS_PER_CELL]
        return {cell: [id_ for _, id_ in ranked] for cell, ranked in cells.items()}

    whole = drawn([rows])
    assert whole.keys() == expected.keys()
    assert all(set(ids) <= expected[cell] and len(ids) == min(3, len(expected[cell])) for cell, ids in whole.items())
    assert drawn([rows[at : at + size] for at in range(0, len(rows), size)][::-1]) == whole
    by_id = {row.id: row for row in rows}
    for cell, ids in whole.items():
        if cell.role == 0 and any(by_id[id_].hard_negatives for id_ in expected[cell]):
            assert by_id[ids[0]].hard_negatives  # a positive label is shown beside hard negatives


def test_the_sample_does_not_depend_on_shards(tmp_path):
    rows = [
        instruction(f"{key}/train/{n}", batch, {f"label {n % 5}": "p", "other": "h" if batch else "o"})
        for key in ("a", "海/b")
        for n in range(60)
        for batch in range(2)
    ]

    def ids(size: int, keys: list[str], order: int) -> dict[str, list[str]]:
        shards = []
        for at in range(0, len(rows), size):  # some examples are in two shards, some shards contain two sources
            part = rows[at : at + size]
            counts = {key: sum(row.source == key for row in part) for key in ("a", "海/b")}
            shards.append(instruction_shard({key: n for key, n in counts.items() if n}, path=f"{size}-{at}"))
            write_shard(f"{tmp_path}/{size}-{at}", INSTRUCTIONS, [instructions_to_table(part)])
        tables = {shard.path: read_shard(f"{tmp_path}/{shard.path}") for shard in shards}
        drawn = draw(str(tmp_path), shards[::order], keys)
        return {
            key: [tables[path.rpartition("/")[2]]["id"][row].as_py() for path, _, row in ordered(cells)]
            for (key, _), cells in drawn.items()
        }

    whole = ids(1_000, ["a", "海/b"], 1)
    assert ids(10, ["a", "海/b"], 1) == ids(31, ["a", "海/b"], -1) == whole
    assert ids(31, ["a"], 1) == {"a": whole["a"]} and len(whole["a"]) >= 10


@given(
    st.sets(st.tuples(st.integers(0, 10**7), st.integers(0, 30) | st.none()), min_size=1),
    st.sampled_from(["a", "IE-zh/NER/海图", "a/train/1"]),
)
def test_hashes_of_examples_are_unique_and_depend_only_on_the_id(places, key):
    def table(chosen) -> pa.Table:
        names = [f"{key}/test/{number}" + ("" if window is None else f"/{window}") for number, window in chosen]
        return pa.table({"example_id": names, "id": [f"{name}/NER/7" for name in names]})

    keys, batches = hashes(table(places))
    assert len(set(keys.tolist())) == len(places) and set(batches.tolist()) == {7}
    assert all(hashes(table([one]))[0].tolist() == [key_] for one, key_ in zip(places, keys.tolist(), strict=True))
