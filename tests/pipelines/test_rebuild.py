"""A source that a release left out, rebuilt from its raw files by the release's recipe: the same rows, or an error."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines import build as build_module
from pipelines import publish, rebuild
from pipelines.config import SAMPLES
from tests.unified import NER_SCHEMA, ner, write_source


def rows(folder: Path, key: str) -> dict[str, list[dict]]:
    """Task/split → the source's rows in the shards below `folder`, in order."""
    found: dict[str, list[dict]] = {}
    for path in sorted(folder.glob("data/*/*.parquet")):
        for row in pq.read_table(path).to_pylist():
            if row["example_id"].startswith(f"{key}/{row['split']}/"):
                found.setdefault(f"{row['task']}/{row['split']}", []).append(row)
    return found


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A folder with `raw/`, `build/` and `release/`: `gated` is left out, and leaks into the test of `free`."""
    root = tmp_path_factory.mktemp("rebuild")
    texts = [f"Ada{n} met Bo{n} in Rome." for n in range(12)]
    records = [ner(text, person=[text.split()[0], text.split()[2]], place="Rome") for text in texts]
    write_source(root / "raw/gated", "NER", NER_SCHEMA, train=records[:9], test=[*records[9:]])
    write_source(root / "raw/free", "NER", NER_SCHEMA, train=[ner("Cy sat.", person="Cy")], test=records[2:4])
    write_source(root / "raw/other", "NER", NER_SCHEMA, train=[ner("Di ran.", person="Di")])
    for key, licence in (("gated", "gated"), ("free", "open"), ("other", "open")):
        with (root / f"raw/{key}/source.yaml").open("a") as settings:
            settings.write(f"license: {licence}\n")
    (root / "texts.yaml").write_text("NER:\n  en: [Name them.]\n")
    flags = ["--data_root", str(root / "raw"), "--output", str(root / "build"), "--embedding_model", "lexical"]
    flags += ["--prompts", str(root / "texts.yaml"), "--seed", "7", "--set", "instruct.split_num={NER: 2}"]
    flags += ["--set", "mine.pin={NER: {gated: {person: [thing]}}}"]
    assert build_module.main(flags) == 0
    assert publish.main(["--output", str(root / "build"), "--to", str(root / "release")]) == 0
    return root


def run(root: Path, output: Path, *flags: str) -> int:
    given = {"--release": root / "release", "--sources": "gated", "--data_root": root / "raw", "--output": output}
    given |= dict(zip(flags[::2], flags[1::2], strict=True))
    return rebuild.main([str(part) for flag in given.items() for part in flag])


def test_the_recipe_names_files_command_and_what_else_is_needed(published):
    told = json.loads((published / "release/rebuild/sources.json").read_text())
    assert told.keys() == {"gated"}
    assert told["gated"]["needs"] == ["free"]
    assert sorted(told["gated"]["files"]) == [
        f"{key}/{name}"
        for key in ("free", "gated")
        for name in ("schema.json", "source.yaml", "test.json", "train.json")
    ]
    assert "--sources gated" in told["gated"]["command"]
    assert {at: of["rows"] for at, of in told["gated"]["rows"].items()} == {
        at: len(of) for at, of in rows(published / "build", "gated").items()
    }
    assert rows(published / "release", "gated") == {}


def test_the_same_rows_come_of_the_same_files(published, capsys):
    expected = rows(published / "build", "gated")
    assert {at: len({row["example_id"] for row in of}) for at, of in expected.items()} == {
        "NER/train": 7,
        "NER/test": 3,
    }
    assert run(published, published / "out") == 0
    assert "the same as in the release's build" in capsys.readouterr().out
    assert rows(published / "out/release", "gated") == expected
    assert rows(published / "out/release", "free") == {}
    assert run(published, published / "out") == 0


def test_bundled_sources_too(small, tmp_path):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    assert publish.main(["--output", str(build), "--to", str(tmp_path / "release")]) == 0
    flags = {"--release": tmp_path / "release", "--sources": "ade_corpus,duee1", "--data_root": SAMPLES}
    assert rebuild.main([str(p) for flag in flags.items() for p in flag] + ["--output", str(tmp_path / "out")]) == 0
    for key in ("ade_corpus", "duee1"):
        expected = rows(build, key)
        assert expected and rows(tmp_path / "out/release", key) == expected


def test_other_files_are_named_before_anything_is_built(published, tmp_path, capsys):
    raw = Path(shutil.copytree(published / "raw", tmp_path / "raw"))
    (raw / "free/test.json").unlink()
    with (raw / "gated/train.json").open("a") as file:
        file.write("\n")
    assert run(published, tmp_path / "out", "--data_root", raw) == 3
    error = capsys.readouterr().err.splitlines()
    assert error[0] == "error: not the files that the release was made of:"
    assert error[1] == f"{raw}/free/test.json: missing"
    assert error[2].startswith(f"{raw}/gated/train.json: another file than the release was made of")
    assert len(error) == 3 and not (tmp_path / "out").exists()


def test_other_rows_are_an_error(published, tmp_path, capsys):
    release = Path(shutil.copytree(published / "release", tmp_path / "release"))
    told = json.loads((release / "rebuild/sources.json").read_text())
    told["gated"]["rows"]["NER/train"]["rows"] += 1
    told["gated"]["rows"]["RE/test"] = told["gated"]["rows"].pop("NER/test")
    (release / "rebuild/sources.json").write_text(json.dumps(told))
    assert run(published, published / "out", "--release", release) == 3
    error = capsys.readouterr().err.splitlines()[-1]
    assert "other rows than in the release's build: gated NER/train, gated RE/test, gated NER/test; it was" in error


def test_a_list_of_sources_that_is_no_json(published, tmp_path, capsys):
    release = Path(shutil.copytree(published / "release", tmp_path / "release"))
    (release / "rebuild/sources.json").write_text("{")
    assert run(published, tmp_path / "out", "--release", release) == 2
    assert "rebuild/sources.json: no JSON (" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--sources", "free"), "--sources free: not left out of"),
        (("--release", "/nowhere"), "/nowhere: no rebuild/sources.json in it"),
    ],
)
def test_what_cannot_be_rebuilt(published, tmp_path, capsys, flags, says):
    assert run(published, tmp_path / "out", *flags) == 2
    assert says in capsys.readouterr().err
