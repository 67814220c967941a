"""What is published of a build, and how it is written into a folder."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from pipelines import build as build_module
from pipelines import diff, publish, rebuild, sources
from pipelines.build_folder import read_result
from pipelines.release import contents, to_folder
from schemas.arrow import INSTRUCTIONS
from schemas.manifests import Ingested
from schemas.releases import MARKER
from tests.conftest import ROOT, checksums
from tests.manifests import instruction_shard
from tests.pipelines.release.conftest import edit_json, run
from tests.unified import NER_SCHEMA, ner, write_source


@pytest.fixture(scope="module")
def everything(built, tmp_path_factory) -> tuple[Path, Path]:
    """A build of all samples and its release in a folder."""
    root = tmp_path_factory.mktemp("everything")
    build = Path(shutil.copytree(built, root / "build"))
    assert publish.main(["--output", str(build), "--to", str(root / "release")]) == 0
    return build, root / "release"


def rows(folder: Path) -> list[dict]:
    return [row for path in sorted(folder.glob("data/*/*.parquet")) for row in pq.read_table(path).to_pylist()]


def source_key(row: dict) -> str:
    return re.fullmatch(r"(.+)/(?:train|validation|test)/\d+(?:/\d+)?", row["example_id"])[1]


def test_gated_and_unlicensed_sources_are_left_out_row_by_row(everything):
    build, made = everything
    licences = {key: str(sources.load(key).licence) for key in sources.keys()} | {"IE-en/KG/lighthouses": "open"}
    expected = [row for row in rows(build) if licences[source_key(row)] == "open"]
    assert rows(made) == expected and 0 < len(expected) < len(rows(build))
    for path in made.glob("data/*/*.parquet"):
        assert pq.read_schema(path).equals(INSTRUCTIONS, check_metadata=True)
    published = {source_key(row) for row in expected}
    for folder in ("labels", "hard_negatives"):
        names = {str(path.relative_to(made / folder)) for path in (made / folder).rglob("*.json")}
        present = {name.partition("/")[2].removesuffix(".json") for name in names}
        assert published <= present <= {key for key, licence in licences.items() if licence == "open"}


def test_no_file_contains_a_text_of_a_source_left_out(everything):
    """Checked for the texts that no published source shares."""
    build, made = everything
    kept = set(json.loads((made / MARKER).read_text())["sources"])
    texts = {"kept": set(), "left out": set()}
    for row in rows(build):
        texts["kept" if source_key(row) in kept else "left out"].add(json.loads(row["instruction"])["input"])
    secret = sorted(text for text in texts["left out"] - texts["kept"] if len(text) > 20)[::3]
    assert len(secret) > 100
    content = "\n".join(
        path.read_text() for path in made.rglob("*") if path.suffix in (".md", ".json", ".html", ".yaml")
    )
    assert not [text for text in secret if text in content or json.dumps(text)[1:-1] in content]


def test_card_and_counts_describe_the_published_rows(everything):
    _, made = everything
    counts = json.loads((made / "reports/stats.json").read_text())
    kept = json.loads((made / MARKER).read_text())["sources"]
    assert list(counts["sources"]) == list(kept)
    expected: dict[str, dict[str, int]] = {}
    for row in rows(made):
        by_split = expected.setdefault(row["task"], {})
        by_split[row["split"]] = by_split.get(row["split"], 0) + 1
    assert counts["instructions"] == expected
    card = (made / "README.md").read_text()
    head = yaml.safe_load(card.split("---\n")[1])
    for config in head["configs"]:
        for files in config["data_files"]:
            assert list(made.glob(files["path"])), files
    assert f"{len(rows(made)):,} instructions" in card
    assert "ace2005" not in card.partition("## Sources")[2].partition("## ")[0]


def test_the_marker_lists_every_file(everything):
    _, made = everything
    entries = json.loads((made / MARKER).read_text())["files"]
    paths = {str(path.relative_to(made)): path for path in made.rglob("*") if path.is_file()}
    assert {*entries, MARKER} == paths.keys()
    for name, entry in entries.items():
        content = paths[name].read_bytes()
        assert entry == {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_shards_of_published_sources_only_are_copied_unchanged(everything):
    build, made = everything
    built_shards = set(checksums(build, "data/*/*.parquet").values())
    published = checksums(made)
    kg = [name for name in published if name.startswith("data/KG/")]
    assert kg and {published[name] for name in kg} <= built_shards


def test_the_same_build_gives_the_same_bytes(small, build, tmp_path):
    copy = Path(shutil.copytree(small, tmp_path / "elsewhere"))
    assert run(build, "--to", str(tmp_path / "a")) == run(copy, "--to", str(tmp_path / "b")) == 0
    assert checksums(tmp_path / "a", "**/*.*") == checksums(tmp_path / "b", "**/*.*")


def test_no_local_path_is_published(everything):
    build, made = everything
    for path in made.rglob("*"):
        if path.is_file():
            assert str(build).encode() not in path.read_bytes(), path
            assert b"/pipelines/samples" not in path.read_bytes(), path


def test_unlicensed_sources_need_a_flag_and_gated_ones_stay_out(built, tmp_path, capsys):
    build = Path(shutil.copytree(built, tmp_path / "build"))
    assert run(build, "--include_unlicensed", "--dry_run", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    gated = {key for key in sources.keys() if sources.load(key).licence == "gated"}
    assert summary["left_out"].keys() == gated
    assert {"ace2005", "conll2003", "ontonotes"} <= gated
    assert "clue_ner" in summary["sources"]


def test_the_next_build_notices_a_licence_added_to_source_yaml(tmp_path):
    write_source(tmp_path / "raw/mine", "NER", NER_SCHEMA, train=[ner("Ada sat.", person="Ada")])
    flags = ["--data_root", str(tmp_path / "raw"), "--output", str(tmp_path / "build"), "--only", "ingest"]
    flags += ["--hard_negatives", "none"]
    for licence, settings in (("ask", ""), ("open", "license: open\n")):
        with (tmp_path / "raw/mine/source.yaml").open("a") as file:
            file.write(settings)
        assert build_module.main(flags) == 0
        assert read_result(str(tmp_path / "build"), Ingested).sources["mine"].licence == licence


def test_the_licence_of_a_source_module_overrides_an_older_manifest(build, tmp_path):
    copy = Path(shutil.copytree(build, tmp_path / "build"))
    edit_json(copy / "examples/manifest.json", lambda m: m["sources"]["ade_corpus"].update(licence="open"))
    kept, left_out = contents.choose(str(copy), False)
    assert "ade_corpus" in left_out and "anatem" in kept


@pytest.mark.parametrize(
    ("shards", "expected"),
    [
        ([("a", "b"), ("a",), ("b",)], [(0, True), (1, False)]),
        ([("b",), ("a",)], [(1, False)]),
        ([("b",)], []),
    ],
)
def test_published_shards_are_numbered_and_marked_as_mixed(shards, expected):
    built_shards = [
        instruction_shard(dict.fromkeys(keys, 1) | ({} if n else {"c": 0}), path=str(n))
        for n, keys in enumerate(shards)
    ]
    parts = contents.parts(built_shards, frozenset("a"))
    assert [(int(part.built), part.mixed) for part in parts] == expected
    assert [part.name for part in parts] == [
        f"data/NER/train-{n:05d}-of-{len(expected):05d}.parquet" for n in range(len(expected))
    ]


def test_a_dry_run_lists_the_files_that_are_written(build, tmp_path, capsys):
    assert run(build, "--dry_run") == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert run(build, "--to", str(tmp_path / "release")) == 0
    sizes = {
        str(p.relative_to(tmp_path / "release")): p.stat().st_size
        for p in (tmp_path / "release").rglob("*.*")
        if p.is_file()
    }
    assert {line[2]: int(line[1]) for line in lines if line[0] == "file"} == sizes
    assert [line[1] for line in lines if line[0] == "source"] == ["IE-en/KG/lighthouses", "anatem", "semeval_re"]
    assert [line[1] for line in lines if line[0] == "left out"] == ["ade_corpus", "clue_ner", "duee1"]
    licences = {line[2]: line[3:] for line in lines if line[0] == "file"}
    assert licences["data/NER/train-00000-of-00001.parquet"] == [sources.load("anatem").licence_text]
    assert licences["README.md"] == []
    total = f"{len(sizes)} files, {sum(sizes.values()):,} bytes; 3 sources, 3 left out"
    assert lines[-1] == ["total", total]


def test_a_second_run_writes_only_damaged_or_missing_files(build, tmp_path, capsys):
    made = tmp_path / "release"
    assert run(build, "--to", str(made)) == 0
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*.*")}
    shard = made / "data/NER/train-00000-of-00001.parquet"
    content = shard.read_bytes()
    capsys.readouterr()
    assert run(build, "--to", str(made)) == 0
    assert " 0 of them sent;" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*.*")} == before
    shard.write_bytes(content[:-1] + b"\0")
    (made / "README.md").unlink()
    assert run(build, "--to", str(made)) == 0
    assert " 2 of them sent;" in capsys.readouterr().out
    assert shard.read_bytes() == content


def test_files_of_an_earlier_release_are_deleted_and_others_kept(build, tmp_path):
    made = tmp_path / "release"
    assert run(build, "--include_unlicensed", "--to", str(made)) == 0
    (made / "NOTES.md").write_text("notes of a user")
    assert (made / "labels/NER/clue_ner.json").exists()
    assert run(build, "--to", str(made)) == 0
    assert not (made / "labels/NER/clue_ner.json").exists()
    assert (made / "NOTES.md").exists()
    assert run(build, "--to", str(tmp_path / "fresh")) == 0
    (made / "NOTES.md").unlink()
    assert checksums(made, "**/*.*") == checksums(tmp_path / "fresh", "**/*.*")


def test_an_interrupted_write_is_completed(build, tmp_path):
    assert run(build, "--to", str(tmp_path / "complete")) == 0
    interrupted = tmp_path / "interrupted"
    (interrupted / "data/NER").mkdir(parents=True)
    shutil.copy(tmp_path / "complete" / MARKER, interrupted / MARKER)
    (interrupted / "data/NER/.train-00000-of-00001.parquet.tmp").write_bytes(b"half")
    assert run(build, "--to", str(interrupted)) == 0
    assert checksums(interrupted, "**/*.*") == checksums(tmp_path / "complete", "**/*.*")


def test_temporary_files_of_an_interrupted_write_are_deleted(build, tmp_path):
    made = tmp_path / "release"
    assert run(build, "--include_unlicensed", "--to", str(made)) == 0
    for name in ("README.md", "labels/NER/clue_ner.json"):  # of both releases; only of the earlier one
        path = made / name
        (path.parent / f".{path.name}.tmp").write_bytes(b"half")
    (made / ".notes.tmp").write_text("notes of a user")
    assert run(build, "--to", str(made)) == 0
    assert [path.name for path in made.rglob("*.tmp")] == [".notes.tmp"]


@pytest.mark.parametrize("odd", ["a*", "a?", "a[bc]", "[!x]b", "[["])
def test_deleting_a_file_named_like_a_glob_deletes_no_other(tmp_path, odd):
    target = tmp_path / "release"
    (target / "labels").mkdir(parents=True)
    for name in (odd, "ab", "ac", "b"):
        (target / "labels" / name).write_text(name)
    to_folder.delete(str(target), [f"labels/{odd}"])
    assert sorted(path.name for path in target.rglob("*") if path.is_file()) == ["ab", "ac", "b"]


def test_every_documented_flag_exists():
    documented = set(re.findall(r"(?<![\w-])--[a-z_]+", (ROOT / "docs/publish.md").read_text()))
    parsers = [module.argument_parser() for module in (publish, rebuild, diff, build_module)]
    assert documented <= {name for parser in parsers for action in parser._actions for name in action.option_strings}
