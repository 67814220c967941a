"""Reading: a bad record is rejected alone, a bad file fails its source, a bad source does not stop the build."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from pipelines import build
from pipelines.config import SAMPLES
from pipelines.sources import Form, load, sources
from pipelines.stages.ingest import hash_split
from schemas.example import RawExample
from tests.conftest import ROOT
from tests.unified import NER_SCHEMA, ner, write_source


@pytest.fixture
def data(tmp_path):
    for key in ("clue_ner", "conll2003", "resume_ner"):
        shutil.copytree(SAMPLES / key, tmp_path / "data" / key)
    return tmp_path / "data"


def run(data, *flags) -> tuple[int, dict]:
    output = data.parent / "build"
    code = build.main(
        ["--data_root", str(data), "--output", str(output), "--only", "ingest",
         "--hard_negatives", "none", "--set", "ingest.max_reject_rate=0.2", *flags]
    )  # fmt: skip
    manifest = output / "examples/manifest.json"
    return code, json.loads(manifest.read_text()) if manifest.exists() else {}


def keys(manifest) -> set[str]:
    return {part["key"] for part in manifest["splits"]}


def test_valid_sources_are_ingested(data):
    code, manifest = run(data)
    assert (code, manifest["failed"], keys(manifest)) == (0, {}, {"clue_ner", "conll2003", "resume_ner"})


def test_rejects_are_kept_with_place_and_reason(data):
    run(data)
    (reject,) = pq.read_table(data.parent / "build/rejects/ingest/clue_ner/train.parquet").to_pylist()
    assert (reject["stage"], reject["source"], reject["split"], reject["reason"]) == (
        "ingest", "clue_ner", "train", "broken_json",
    )  # fmt: skip
    line = int(reject["place"].removeprefix("train.json:"))
    with pytest.raises(json.JSONDecodeError):
        json.loads((data / "clue_ner/train.json").read_text().splitlines()[line - 1])
    assert (data / "clue_ner/train.json").read_text().splitlines()[line - 1][:100] in reject["record"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: f.write_bytes(b""), "train.json: no record in it"),
        (lambda f: f.write_bytes(f.read_text().encode("gb18030")), "records rejected"),
        (lambda f: f.write_text(f.read_text().replace('"text"', '"txt"')), "records rejected"),
    ],
)
def test_an_unreadable_source_fails_alone(data, damage, message, capsys):
    damage(data / "clue_ner/train.json")
    code, manifest = run(data)
    assert code == 3
    assert keys(manifest) == {"conll2003", "resume_ner"}
    assert message in manifest["failed"]["clue_ner"] and "train.json" in manifest["failed"]["clue_ner"]
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and errors[0].startswith("error: source clue_ner: ")
    assert not (data.parent / "build/examples/clue_ner").exists()


def test_a_missing_source_fails_alone(data, capsys):
    code, manifest = run(data, "--sources", "conll2003,scierc")
    assert code == 3
    assert keys(manifest) == {"conll2003"}
    assert "none of its files is in scierc/; " in capsys.readouterr().err


def test_user_data_with_a_wrong_setting_fails_alone(data, capsys):
    write_source(data / "mine", "NER", NER_SCHEMA, train=[ner("Ada went to Rome.", person="Ada")])
    (data / "mine/source.yaml").write_text("task: NRE\n")
    code, manifest = run(data)
    assert (code, len(keys(manifest))) == (3, 3)
    assert "task is 'NRE'" in manifest["failed"]["mine"]
    assert run(data, "--sources", "clue_ner")[0] == 0


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv to drop the rights of root")
def test_files_without_read_permission_fail_their_source(data):
    (data / "clue_ner/train.json").chmod(0)
    (data / "resume_ner").chmod(0)
    build = [sys.executable, "-m", "pipelines.build", "--data_root", str(data), "--output", str(data.parent / "build"),
             "--hard_negatives", "none", "--only", "ingest", "--set", "ingest.max_reject_rate=0.2"]  # fmt: skip
    rights = ["--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-dac_override,-dac_read_search"]
    command = ["setpriv", *rights, *build] if os.getuid() == 0 else build
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    (data / "resume_ner").chmod(0o755)
    assert done.returncode == 3, done.stderr
    failed = [line for line in done.stderr.splitlines() if line.startswith("error: source ")]
    assert len(failed) == 2 and "clue_ner: train.json: cannot be read" in failed[0] and "resume_ner" in failed[1]


def test_a_repaired_source_is_read_by_the_next_run(data):
    good = (data / "clue_ner/train.json").read_bytes()
    (data / "clue_ner/train.json").write_bytes(b"")
    assert run(data)[0] == 3
    assert run(data)[0] == 3  # not repaired yet
    (data / "clue_ner/train.json").write_bytes(good)
    code, manifest = run(data)
    assert (code, len(keys(manifest))) == (0, 3)


def test_when_every_source_fails_there_is_no_build(data):
    for path in data.rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
    code, manifest = run(data)
    assert (code, manifest) == (3, {})


def test_limit_bounds_the_examples_of_each_split(data):
    _, manifest = run(data, "--limit", "3")
    assert {part["read"]["examples"] for part in manifest["splits"]} == {3}


def test_limit_samples_from_the_whole_file_and_keeps_ids(tmp_path):
    texts = [ner(f"Ada went to Rome {number} times.", person="Ada") for number in range(200)]
    write_source(tmp_path / "data/mine", "NER", NER_SCHEMA, train=texts)

    def examples(*flags) -> dict[str, str]:
        run(tmp_path / "data", *flags)
        return {row["id"]: row["text"] for row in pq.read_table(tmp_path / "build/examples/mine").to_pylist()}

    every, some, more = examples(), examples("--limit", "20"), examples("--limit", "21")
    assert len(some) == 20 and some.items() <= more.items() <= every.items()
    assert list(some) == [key for key in every if key in some]
    numbers = [int(key.rpartition("/")[2]) for key in some]
    assert max(numbers) > 100 and min(numbers) < 100
    assert examples("--limit", "20", "--seed", "7") != some
    shuffled = sorted(texts, key=lambda record: record["text"][::-1])
    (tmp_path / "data/mine/train.json").write_text("".join(json.dumps(record) + "\n" for record in shuffled))
    assert sorted(examples("--limit", "20").values()) == sorted(some.values())


def test_a_source_whose_key_is_a_prefix_of_another_fails_alone(tmp_path):
    data = tmp_path / "data"
    good = [ner("Ada went to Rome.", person="Ada")]
    for key in ("a", "a/b", "a/b/c"):
        write_source(data / key, "NER", NER_SCHEMA, train=good)
    (data / "a/train.json").write_text("not JSON\n" * 30)
    (data / "a/b/train.json").write_text("not JSON\n" * 30)
    for _ in range(2):
        code, manifest = run(data)
        assert (code, keys(manifest), set(manifest["failed"])) == (3, {"a/b/c"}, {"a", "a/b"})
        assert [path.name for path in (tmp_path / "build/examples/a").rglob("*.parquet")] == ["train-00000.parquet"]


def test_an_unexpected_error_fails_its_source_with_a_traceback(data, capsys, monkeypatch):
    def read(files):
        for file in files:
            yield RawExample(f"{file.name}:1", "A text.", entities=())
            raise ValueError("an unexpected error")

    broken = replace(load("clue_ner"), forms=(Form(read, ("*.json",)),))
    monkeypatch.setitem(sources(), "clue_ner", ("clue_ner", broken))
    code, manifest = run(data)
    assert (code, keys(manifest), set(manifest["failed"])) == (3, {"conll2003", "resume_ner"}, {"clue_ner"})
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert "an unexpected error" in error
    trace = data.parent / "build" / error.rpartition(" ")[2]
    assert "in read" in trace.read_text() and str(trace.relative_to(data.parent / "build")) in manifest["files"]


def test_limit_does_not_change_the_reject_rate(data):
    shutil.copytree(SAMPLES / "ade_corpus", data / "ade_corpus")
    code, manifest = run(data, "--limit", "1", "--set", "ingest.max_reject_rate=0.1")
    assert code == 0
    assert {part["split"]: part["read"]["examples"] for part in manifest["splits"] if part["key"] == "ade_corpus"} == {
        "train": 1, "validation": 1, "test": 1,
    }  # fmt: skip


def test_hash_split_has_fixed_shares_and_assignments():
    texts = [f"Sentence number {n}." for n in range(4000)]
    shares = Counter(map(hash_split, texts))
    assert abs(shares["train"] / 4000 - 0.9) < 0.02
    assert abs(shares["validation"] / 4000 - 0.05) < 0.015
    assert all(hash_split(text) == hash_split(text.upper().replace(" ", "  ")) for text in texts)
    # Assignments never change: these are from the first version.
    assert {n: hash_split(texts[n]) for n in ASSIGNMENTS} == ASSIGNMENTS


ASSIGNMENTS = {
    0: "train",
    1: "train",
    10: "test",
    15: "test",
    18: "validation",
    28: "validation",
    41: "test",
    65: "validation",
}


def test_the_label_of_a_lost_annotation_stays_unknown_through_clean(tmp_path):
    good, bad = (
        ner("Ann lives in Oslo.", person="Ann", place="Oslo"),
        ner("Bo lives in Rome.", person="Bo", place="Paris"),
    )
    write_source(tmp_path / "data/mine", "NER", NER_SCHEMA, train=[good, bad])
    flags = ["--data_root", str(tmp_path / "data"), "--output", str(tmp_path / "build"), "--hard_negatives", "none"]
    assert build.main([*flags, "--only", "clean"]) == 0
    for folder in ("examples", "clean"):
        (path,) = (tmp_path / "build" / folder).glob("mine/train-*.parquet")
        unknown = {row["text"]: row["unknown_labels"] for row in pq.read_table(path).to_pylist()}
        assert unknown == {good["text"]: [], bad["text"]: [{"layer": "entities", "label": "place"}]}


def test_two_typed_triples_with_one_name_cost_only_their_source(data, capsys):
    def triple(*parts: str) -> dict:
        head_type, relation, tail_type = parts
        ends = {"head": "Ada", "head_type": head_type, "tail": "Rome", "tail_type": tail_type}
        return {"text": "Ada saw Rome.", "relation": [{"relation": relation, **ends}]}

    rows = {"train": [triple("a", "b_x", "c"), triple("a", "x", "c")], "test": [triple("a_b", "x", "c")]}
    for key, splits in (("mine", rows), ("other", {"train": rows["train"]})):
        (data / key).mkdir()
        (data / key / "source.yaml").write_text("task: SPO\nlang: en\n")
        for split, records in splits.items():
            (data / key / f"{split}.json").write_text("".join(json.dumps(record) + "\n" for record in records))
    code, manifest = run(data, "--sources", "mine,other,clue_ner")
    assert code == 3 and keys(manifest) == {"other", "clue_ner"}
    message = "('a_b', 'x', 'c') and ('a', 'b_x', 'c') have the same name 'a_b_x_c' in SPO"
    assert list(manifest["failed"]) == ["mine"] and message in manifest["failed"]["mine"]
    assert message in capsys.readouterr().err
