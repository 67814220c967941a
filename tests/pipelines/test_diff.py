"""The differences between two releases, on small releases with known differences."""

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import diff
from schemas import json_values
from schemas.arrow import INSTRUCTIONS
from tests.manifests import statistics
from transforms.shards import write_shard


def row(example: str, text: str, answers: dict, batch: int = 0, task: str = "NER", prompt: str = "Name them.") -> dict:
    """A row of the example `key/split/n` or `key/split/n/window`; test rows have the gold annotations as `label`."""
    split = example.split("/")[1]
    return {
        "id": f"{example}/{task}/{batch}",
        "example_id": example,
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "task": task,
        "source": example.split("/")[0],
        "lang": "en",
        "split": split,
        "instruction": json.dumps({"instruction": prompt, "schema": list(answers), "input": text}),
        "output": None if split == "test" else json.dumps(answers),
        "label": json.dumps([answers]) if split == "test" else None,
        "labels": list(answers),
        "positives": [label for label, answer in answers.items() if answer],
        "hard_negatives": [],
    }


def write(folder: Path, rows: list[dict], labels: dict[str, list[dict]] | None = None, shards: int = 1) -> str:
    """Writes the files of a release into a folder and returns it. `labels`: TASK/KEY → labels."""
    sources: dict[str, dict] = {}
    groups: dict[tuple[str, str], list[dict]] = {}
    for one in rows:
        groups.setdefault((one["task"], one["split"]), []).append(one)
        ids = sources.setdefault(one["source"], {}).setdefault(one["split"], set())
        ids.add(one["example_id"])
    for (task, split), group in groups.items():
        for n in range(shards):
            part = pa.Table.from_pylist(group[n::shards], schema=INSTRUCTIONS)
            write_shard(f"{folder}/data/{task}/{split}-{n:05d}-of-{shards:05d}.parquet", INSTRUCTIONS, [part])
    for at, names in (labels or {}).items():
        (folder / "labels" / at).parent.mkdir(parents=True, exist_ok=True)
        task, _, key = at.partition("/")
        label_set = {"task": task, "key": key, "source": key, "lang": "en", "labels": names}
        (folder / "labels" / f"{at}.json").write_text(json.dumps(label_set))
    counts = {key: {split: len(ids) for split, ids in splits.items()} for key, splits in sources.items()}
    (folder / "reports").mkdir(parents=True)
    (folder / "data").mkdir(exist_ok=True)
    (folder / "reports/stats.json").write_text(json_values.render(statistics(counts)))
    return str(folder)


OLD = [
    row("a/train/0", "Ada sat.", {"person": ["Ada"], "place": []}),
    row("a/train/1", "Bo ran.", {"person": ["Bo"]}),
    row("a/train/2", "Cy hid.", {"person": ["Cy"]}),
    row("a/train/3", "Di met Ed in Rome.", {"person": ["Di", "Ed"], "thing": []}),
    row("a/train/3", "Di met Ed in Rome.", {"place": ["Rome"]}, batch=1),
    row("a/test/0", "Flo swam.", {"person": ["Flo"]}),
    row("b/train/0/1", "Gus.", {"person": ["Gus"]}, task="RE"),
]
NEW = [
    row("a/train/0", "Ada sat.", {"person": ["Ada"], "place": []}),
    row("a/train/1", "Bo  ran.", {"person": ["Bo"]}),  # another text
    row("a/train/2", "Cy hid.", {"person": []}),  # another annotation
    row("a/train/3", "Di met Ed in Rome.", {"place": ["Rome"], "person": ["Di", "Ed"]}),  # another prompt
    row("a/train/4", "Hal slept.", {"person": ["Hal"]}),
    row("a/test/0", "Flo swam.", {"person": ["Flo"], "place": []}),  # another gold
    row("c/validation/0", "Ivy.", {"person": ["Ivy"]}),
]


def test_every_change_is_reported(tmp_path):
    person, place = {"name": "person", "description": "a human"}, {"name": "place", "description": ""}
    old = write(tmp_path / "old", OLD, {"NER/a": [person, place], "RE/b": [place]})
    new = write(tmp_path / "new", NEW, {"NER/a": [person | {"description": "a person"}, {"name": "thing"}]})
    assert diff.difference(old, new) == {
        "sources": {"added": ["c"], "gone": ["b"]},
        "counts": {
            "b/train": {"read": [1, 0], "kept": [1, 0]},
            "c/validation": {"read": [0, 1], "kept": [0, 1]},
            "a/train": {"read": [4, 5], "kept": [4, 5]},
        },
        "labels": {
            "NER/a": {"added": ["thing"], "gone": ["place"], "altered": ["person"]},
            "RE/b": {"gone": ["place"]},
        },
        "instructions": {
            "NER/test": {"rows": [1, 1], "added": 0, "gone": 0, "altered": 1},
            "NER/train": {"rows": [5, 5], "added": 1, "gone": 1, "altered": 3},
            "NER/validation": {"rows": [0, 1], "added": 1, "gone": 0, "altered": 0},
            "RE/train": {"rows": [1, 0], "added": 0, "gone": 1, "altered": 0},
        },
        "examples": {
            "a/test": {"altered": ["a/test/0"]},
            "a/train": {"added": ["a/train/4"], "altered": ["a/train/1", "a/train/2"]},
            "b/train": {"gone": ["b/train/0/1"]},
            "c/validation": {"added": ["c/validation/0"]},
        },
    }


def test_an_example_of_another_task_is_not_a_new_example(tmp_path):
    both = [OLD[1], row("a/train/1", "Bo ran.", {"met": []}, task="RE")]
    difference = diff.difference(write(tmp_path / "old", [OLD[1]]), write(tmp_path / "new", both))
    assert difference["examples"] == {}
    assert difference["instructions"] == {"RE/train": {"rows": [0, 1], "added": 1, "gone": 0, "altered": 0}}


def test_differences_are_printed_as_lines_or_json(tmp_path, capsys):
    old, new = write(tmp_path / "old", OLD, {"NER/a": [{"name": "x"}]}), write(tmp_path / "new", NEW)
    assert diff.main([old, new + "/"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "source c: added, 1 examples",
        "source b: gone, 1 examples",
        "labels NER/a: gone x",
        "counts a/train: read 4 → 5, kept 4 → 5",
        "examples a/test: 1 altered (a/test/0)",
        "examples a/train: 1 added (a/train/4), 2 altered (a/train/1, a/train/2)",
        "instructions NER/test: 1 → 1, 1 altered",
        "instructions NER/train: 5 → 5, 1 added, 1 gone, 3 altered",
        "instructions NER/validation: 0 → 1, 1 added",
        "instructions RE/train: 1 → 0, 1 gone",
    ]
    assert diff.main([old, old]) == 0
    assert capsys.readouterr().out == "no difference\n"
    assert diff.main([old, new, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == diff.difference(old, new)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from("xyz")), unique_by=lambda pair: pair[0]),
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from("xyz")), unique_by=lambda pair: pair[0]),
    st.integers(1, 3),
)
def test_examples_are_compared_as_sets(tmp_path_factory, before, after, shards):
    root = tmp_path_factory.mktemp("diff")
    sides = []
    for name, pairs in (("old", before), ("new", after)):
        rows = [row(f"k/train/{n}", "a text", {"person": [answer]}) for n, answer in pairs]
        sides.append(write(root / name, rows, shards=shards if name == "new" else 1))
    old, new = dict(before), dict(after)
    expected = {
        "added": sorted(f"k/train/{n}" for n in new.keys() - old.keys()),
        "gone": sorted(f"k/train/{n}" for n in old.keys() - new.keys()),
        "altered": sorted(f"k/train/{n}" for n in old.keys() & new.keys() if old[n] != new[n]),
    }
    assert diff.difference(*sides)["examples"].get("k/train", {}) == {k: ids for k, ids in expected.items() if ids}


def test_a_build_differs_from_a_copy_without_a_row(small, tmp_path, capsys):
    part = Path(shutil.copytree(small, tmp_path / "part"))
    assert diff.main([str(small), str(part)]) == 0
    assert capsys.readouterr().out == "no difference\n"
    path = part / "data/NER/train-00000-of-00001.parquet"
    rows = pq.read_table(path)
    pq.write_table(rows.slice(1), path)
    assert diff.main([str(small), str(part)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"instructions NER/train: {rows.num_rows} → {rows.num_rows - 1}, 1 gone"


def test_other_folders_are_refused(tmp_path, capsys):
    made = write(tmp_path / "made", OLD)
    for wrong in (str(tmp_path), str(tmp_path / "none")):
        assert diff.main([made, wrong]) == 2
        assert f"error: {wrong}: neither a validated build nor a release" in capsys.readouterr().err
    write_shard(f"{made}/data/NER/test-00001-of-00002.parquet", pa.schema([("id", pa.string())]), [])
    assert diff.main([made, made]) == 2
    assert "test-00001-of-00002.parquet: not a shard of instructions (no column example_id)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "invalid JSON ("),
        (
            "[]",
            "made by another version of IEForge, or damaged ($: expected `object`, got `array`)",
        ),
        ('{"sources": {}}', "made by another version of IEForge, or damaged ($.build is missing); run the build again"),
    ],
)
def test_unreadable_statistics_are_refused(tmp_path, capsys, content, message):
    made = write(tmp_path / "made", OLD)
    Path(f"{made}/reports/stats.json").write_text(content)
    assert diff.main([made, made]) == 2
    assert f"error: {made}/reports/stats.json: {message}" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more"])
def test_an_unreadable_shard_is_refused(tmp_path, capsys, content):
    made = write(tmp_path / "made", OLD)
    Path(f"{made}/data/NER/test-00000-of-00001.parquet").write_bytes(content)
    assert diff.main([made, made]) == 1
    assert "test-00000-of-00001.parquet: cannot be read back" in capsys.readouterr().err


def write_marker(folder: Path) -> str:
    """Adds the `release.json` that lists all files of the folder and returns the folder."""
    entries = {
        str(path.relative_to(folder)): {
            "size": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in folder.rglob("*.*")
    }
    (folder / "release.json").write_text(
        json.dumps({"ieforge": "0", "build": "", "sources": {}, "left_out": {}, "files": entries})
    )
    return str(folder)


@pytest.mark.parametrize("name", ["data/NER/test-00000-of-00001.parquet", "labels/NER/a.json"])
def test_a_file_that_differs_from_the_release_marker_is_refused(tmp_path, capsys, name):
    write(tmp_path / "made", OLD, {"NER/a": [{"name": "person"}]})
    made = write_marker(tmp_path / "made")
    assert diff.main([made, made]) == 0
    content = bytearray(Path(made, name).read_bytes())
    content[len(content) // 2] ^= 1
    Path(made, name).write_bytes(content)
    capsys.readouterr()
    assert diff.main([made, made]) == 2
    assert f"error: {made}: {name} differs from the file that release.json lists" in capsys.readouterr().err


def refused(tmp_path: Path, capsys, table: pa.Table) -> str:
    """The error for a release with this shard."""
    write(tmp_path / "made", OLD)
    path = tmp_path / "made/data/NER/train-00000-of-00001.parquet"
    pq.write_table(table, path)
    made = write_marker(tmp_path / "made")
    assert diff.main([made, made]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {path}: ")
    return line


def with_values(column: str, values: list, kind: pa.DataType) -> pa.Table:
    """Two valid rows of a shard, except for this column."""
    good = pa.Table.from_pylist(OLD[:2], schema=INSTRUCTIONS)
    place = good.column_names.index(column)
    return good.set_column(place, pa.field(column, kind), pa.array(values, kind))


OTHER_TYPES = (pa.int64(), pa.float64(), pa.binary(), pa.bool_(), pa.timestamp("s"), pa.list_(pa.binary()), pa.date32())


@pytest.mark.parametrize("kind", OTHER_TYPES, ids=str)
@pytest.mark.parametrize("column", diff.COLUMNS)
def test_a_column_with_a_wrong_type_is_refused(tmp_path, capsys, column, kind):
    line = refused(tmp_path, capsys, with_values(column, [None, None], kind))
    assert f"not a shard of instructions (column {column} is " in line


@pytest.mark.parametrize("column", [name for name in diff.COLUMNS if not INSTRUCTIONS.field(name).nullable])
def test_a_row_without_a_required_value_is_refused(tmp_path, capsys, column):
    kind = INSTRUCTIONS.field(column).type
    value = pa.Table.from_pylist(OLD[:1], schema=INSTRUCTIONS)[column][0].as_py()
    assert f"(a row without {column})" in refused(tmp_path, capsys, with_values(column, [value, None], kind))


@pytest.mark.parametrize("value", ["zz", "", "0" * 63, "0" * 65, "-" + "0" * 63, "Z" * 64, "0" * 64 + "\n"])
def test_an_invalid_text_checksum_is_refused(tmp_path, capsys, value):
    line = refused(tmp_path, capsys, with_values("text_sha256", ["0" * 64, value], pa.string()))
    assert "(a text_sha256 that is not a SHA-256)" in line


INVALID_ANSWERS = (
    "",
    "[",
    "[]",
    "5",
    "NaN",
    "null",
    '"x"',
    "[" * 100_000,
    '{"a":' * 100_000,
    "1" * 5_000,
    '{"a": 1',
    "{1: 2}",
)


@pytest.mark.parametrize("value", INVALID_ANSWERS, ids=lambda value: value[:9])
def test_invalid_answers_are_refused(tmp_path, capsys, value):
    assert ": output of 'a/train/1/NER/0': not a JSON object" in refused(
        tmp_path, capsys, with_values("output", ["{}", value], pa.string())
    )


def test_deeply_nested_answers_end_in_at_most_one_line(tmp_path, capsys):
    for depth in range(900, 1_000, 7):
        root = tmp_path / str(depth)
        write(root / "made", OLD)
        table = with_values("output", ["{}", f'{{"a": {"[" * depth}1{"]" * depth}}}'], pa.string())
        pq.write_table(table, root / "made/data/NER/train-00000-of-00001.parquet")
        assert diff.main([str(root / "made"), str(root / "made")]) in (0, 2)
        assert capsys.readouterr().err.count("\n") <= 1


def test_a_text_column_that_is_not_utf8_is_refused(tmp_path, capsys):
    bad = pa.array([b"good", b"\xff"], pa.binary()).view(pa.string())
    for n, column in enumerate(("id", "example_id", "instruction", "output", "label")):
        good = pa.Table.from_pylist(OLD[:2], schema=INSTRUCTIONS)
        table = good.set_column(good.column_names.index(column), column, bad)
        assert "not a shard of instructions (" in refused(tmp_path / str(n), capsys, table)


def test_a_duplicate_column_is_refused(tmp_path, capsys):
    good = pa.Table.from_pylist(OLD[:2], schema=INSTRUCTIONS)
    assert "(two columns id)" in refused(tmp_path, capsys, good.append_column("id", good["id"]))


def test_columns_without_values_may_have_the_null_type(tmp_path):
    write(tmp_path / "made", OLD)
    pq.write_table(pa.Table.from_pylist(OLD[:2]), tmp_path / "made/data/NER/train-00000-of-00001.parquet")
    assert diff.main([str(tmp_path / "made")] * 2) == 0
