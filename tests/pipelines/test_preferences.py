"""ieforge preferences: rows, counts, bytes and refusals, and that every rejected answer is wrong by train.score."""

import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from pipelines import preferences, preferring
from schemas.answer_form import FORMS
from tests.conftest import ROOT, SMALL, build_again
from tests.pipelines.test_export import tree
from train.reward import f1
from transforms.wrong_answers import KINDS


@pytest.fixture(scope="module")
def mixed(small, tmp_path_factory):
    """A build with rows in every form of answer."""
    forms = json.dumps(dict.fromkeys(FORMS, 1 / len(FORMS)))
    return build_again(small, tmp_path_factory.mktemp("mixed") / "build", *SMALL, "--set", f"instruct.forms={forms}")


def run(*flags, capsys) -> tuple[int, str, str]:
    code = preferences.main(list(map(str, flags)))
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def rows_in(folder) -> list[dict]:
    return [row for path in sorted(folder.glob("data/**/*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.mark.parametrize("name", ["small", "mixed"])
def test_every_rejected_answer_is_wrong(name, request, tmp_path, capsys):
    build = request.getfixturevalue(name)
    code, out, err = run("--output", tmp_path / "out", "--json", build, capsys=capsys)
    assert (code, err) == (0, "")
    instructions = {row["id"]: row for row in rows_in(build) if row["output"] is not None}
    pairs = rows_in(tmp_path / "out")
    assert {pair["kind"] for pair in pairs} == set(KINDS)
    for pair in pairs:
        row = instructions[pair["id"].removesuffix(f"/{pair['kind']}")]
        assert all(pair[column] == row[column] for column in ("task", "source", "lang", "split"))
        ((prompt,), (chosen,), (rejected,)) = (pair[column] for column in ("prompt", "chosen", "rejected"))
        assert prompt == {"role": "user", "content": row["instruction"]}
        assert chosen == {"role": "assistant", "content": row["output"]}
        assert rejected["role"] == "assistant"
        question = row["task"], row["instruction"], row["output"], row.get("form", "iepile")
        assert f1(rejected["content"], *question) < 1 == f1(chosen["content"], *question)
    counts = json.loads(out)
    assert counts == json.loads((tmp_path / "out/preferences.json").read_text())
    assert sum(counts["pairs"].values()) == len(pairs)
    assert counts["instructions"] == len(instructions)
    assert all(counts["pairs"][kind] + counts["impossible"][kind] == len(instructions) for kind in KINDS)


def test_items_of_other_texts_are_not_in_the_text(small, tmp_path, capsys):
    run("--output", tmp_path / "out", "--sources", "clue_ner", small, capsys=capsys)
    hallucinated = [row for row in rows_in(tmp_path / "out") if row["kind"] == "hallucinated"]
    assert hallucinated
    for row in hallucinated:
        text = json.loads(row["prompt"][0]["content"])["input"]
        right, wrong = (
            [mention for mentions in json.loads(row[column][0]["content"]).values() for mention in mentions]
            for column in ("chosen", "rejected")
        )
        (added,) = set(wrong) - set(right)
        assert added not in text and len(wrong) == len(right) + 1


def test_the_bytes_depend_on_build_and_seed_only(small, tmp_path):
    for name, hash_seed, seed in (("a", "1", "0"), ("b", "2", "0"), ("c", "1", "1")):
        flags = ["--output", str(tmp_path / name), "--seed", seed, str(small)]
        subprocess.run(
            [sys.executable, "-m", "pipelines.preferences", *flags],
            env={**os.environ, "PYTHONHASHSEED": hash_seed}, cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip
    assert tree(tmp_path / "a") == tree(tmp_path / "b") != tree(tmp_path / "c")


def test_load_dataset_reads_the_folder(small, tmp_path, capsys):
    datasets = pytest.importorskip("datasets")
    code, out, _ = run("--output", tmp_path / "out", small, capsys=capsys)
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert set(loaded) == set(preferring.SPLITS)
    assert loaded["train"].column_names == preferring.PREFERENCES.names
    total = sum(map(len, loaded.values()))
    assert code == 0 and out.splitlines()[0].startswith(f"{tmp_path / 'out'}: {total:,} pairs of ")
    assert [line.partition(":")[0] for line in out.splitlines()[1:]] == list(KINDS)


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--seed", "-1"], "--seed must be 0 or more"),
        (["--sources", "ade"], "--sources ade: no such source in "),
        (["--sources", "IE-en/KG/lighthouses,anatem", "--seed", "x"], "argument --seed: invalid int value"),
    ],
)
def test_refusals(flags, problem, small, tmp_path, capsys):
    code, _, err = run(*flags, "--output", tmp_path / "out", small, capsys=capsys)
    assert code == 2 and problem in err and len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_folders_that_are_refused(small, tmp_path, capsys):
    (tmp_path / "used").mkdir()
    (tmp_path / "used/file").write_text("")
    for output, build, problem in (
        (tmp_path / "used", small, "exists; choose a new folder"),
        (small / "preferences", small, "is inside the build"),
        (tmp_path / "out", tmp_path / "used", "not made by a build"),
    ):
        code, _, err = run("--output", output, build, capsys=capsys)
        assert code == 2 and problem in err and len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
