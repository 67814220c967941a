"""What is published of a build, what is refused, and a release in a folder."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from msgspec import to_builtins

from pipelines import build as build_module
from pipelines import diff, publish, rebuild, sources
from pipelines.build_folder import read_result
from pipelines.build_reports import REPORT
from pipelines.release import contents, to_folder
from pipelines.sources.licences import licence_class
from schemas.arrow import INSTRUCTIONS
from schemas.manifests import Ingested
from schemas.releases import MARKER
from tests.conftest import ROOT, SMALL, checksums
from tests.manifests import instruction_shard, source_facts
from tests.unified import NER_SCHEMA, ner, write_source


@pytest.fixture(scope="module")
def build(small, tmp_path_factory) -> Path:
    """A build that tests may publish: the work folder lies in it."""
    return Path(shutil.copytree(small, tmp_path_factory.mktemp("publish") / "build"))


@pytest.fixture(scope="module")
def everything(built, tmp_path_factory) -> tuple[Path, Path]:
    """(build of all samples, its release in a folder)."""
    root = tmp_path_factory.mktemp("everything")
    build = Path(shutil.copytree(built, root / "build"))
    assert publish.main(["--output", str(build), "--to", str(root / "release")]) == 0
    return build, root / "release"


def run(build: Path, *flags: str) -> int:
    return publish.main(["--output", str(build), *flags])


def rows(folder: Path) -> list[dict]:
    return [row for path in sorted(folder.glob("data/*/*.parquet")) for row in pq.read_table(path).to_pylist()]


def key_of(row: dict) -> str:
    return re.fullmatch(r"(.+)/(?:train|validation|test)/\d+(?:/\d+)?", row["example_id"])[1]


def edit_json(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


# What is published


def test_gated_and_unlicensed_sources_are_left_out_row_by_row(everything):
    build, made = everything
    licences = {key: str(sources.load(key).licence) for key in sources.keys()} | {"IE-en/KG/lighthouses": "open"}
    expected = [row for row in rows(build) if licences[key_of(row)] == "open"]
    assert rows(made) == expected and 0 < len(expected) < len(rows(build))
    for path in made.glob("data/*/*.parquet"):
        assert pq.read_schema(path).equals(INSTRUCTIONS, check_metadata=True)
    published = {key_of(row) for row in expected}
    for folder in ("labels", "hard_negatives"):
        there = {
            str(path.relative_to(made / folder)).partition("/")[2][:-5] for path in (made / folder).rglob("*.json")
        }
        assert there <= {key for key, licence in licences.items() if licence == "open"}
        assert there >= published


def test_no_file_names_a_text_of_a_source_left_out(everything):
    """The texts that sources left out share with none that is published."""
    build, made = everything
    kept = set(json.loads((made / MARKER).read_text())["sources"])
    texts = {"kept": set(), "left out": set()}
    for row in rows(build):
        texts["kept" if key_of(row) in kept else "left out"].add(json.loads(row["instruction"])["input"])
    secret = sorted(text for text in texts["left out"] - texts["kept"] if len(text) > 20)[::3]
    assert len(secret) > 100
    content = "\n".join(
        path.read_text() for path in made.rglob("*") if path.suffix in (".md", ".json", ".html", ".yaml")
    )
    assert not [text for text in secret if text in content or json.dumps(text)[1:-1] in content]


def test_card_and_counts_are_those_of_what_is_published(everything):
    _, made = everything
    counts = json.loads((made / "reports/stats.json").read_text())
    kept = json.loads((made / MARKER).read_text())["sources"]
    assert list(counts["sources"]) == list(kept)
    held: dict[str, dict[str, int]] = {}
    for row in rows(made):
        of_task = held.setdefault(row["task"], {})
        of_task[row["split"]] = of_task.get(row["split"], 0) + 1
    assert counts["instructions"] == held
    card = (made / "README.md").read_text()
    head = yaml.safe_load(card.split("---\n")[1])
    for config in head["configs"]:
        for files in config["data_files"]:
            assert list(made.glob(files["path"])), files
    assert f"{len(rows(made)):,} instructions" in card
    assert "ace2005" not in card.partition("## Sources")[2].partition("## ")[0]


def test_the_marker_lists_every_file(everything):
    _, made = everything
    listed = json.loads((made / MARKER).read_text())["files"]
    there = {str(path.relative_to(made)): path for path in made.rglob("*") if path.is_file()}
    assert {*listed, MARKER} == there.keys()
    for name, of in listed.items():
        content = there[name].read_bytes()
        assert of == {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_shards_without_rows_of_others_are_the_builds_own(everything):
    build, made = everything
    of_build = set(checksums(build, "data/*/*.parquet").values())
    same = [name for name, checksum in checksums(made).items() if checksum in of_build]
    holds = {name: {key_of(row) for row in pq.read_table(made / name).to_pylist()} for name in checksums(made)}
    kg = [name for name in holds if name.startswith("data/KG/")]
    assert kg and set(kg) <= set(same)


def test_the_same_build_gives_the_same_bytes(small, build, tmp_path):
    copy = Path(shutil.copytree(small, tmp_path / "elsewhere"))
    assert run(build, "--to", str(tmp_path / "a")) == run(copy, "--to", str(tmp_path / "b")) == 0
    assert checksums(tmp_path / "a", "**/*.*") == checksums(tmp_path / "b", "**/*.*")


def test_no_path_of_the_machine_is_published(everything):
    build, made = everything
    for path in made.rglob("*"):
        if path.is_file():
            assert str(build).encode() not in path.read_bytes(), path
            assert b"/pipelines/samples" not in path.read_bytes(), path


def test_unlicensed_sources_only_when_asked_for_and_gated_ones_never(built, tmp_path, capsys):
    build = Path(shutil.copytree(built, tmp_path / "build"))
    assert run(build, "--include_unlicensed", "--dry_run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    gated = {key for key in sources.keys() if sources.load(key).licence == "gated"}
    assert told["left_out"].keys() == gated
    assert {"ace2005", "conll2003", "ontonotes"} <= gated
    assert "clue_ner" in told["sources"]


def test_a_licence_written_into_source_yaml_is_noticed_by_the_next_build(tmp_path):
    write_source(tmp_path / "raw/mine", "NER", NER_SCHEMA, train=[ner("Ada sat.", person="Ada")])
    flags = ["--data_root", str(tmp_path / "raw"), "--output", str(tmp_path / "build"), "--only", "ingest"]
    flags += ["--hard_negatives", "none"]
    for licence, settings in (("ask", ""), ("open", "license: open\n")):
        with (tmp_path / "raw/mine/source.yaml").open("a") as file:
            file.write(settings)
        assert build_module.main(flags) == 0
        assert read_result(str(tmp_path / "build"), Ingested).sources["mine"].licence == licence


def test_a_licence_that_is_found_later_counts(build, tmp_path):
    """What a manifest of an older build says is not believed where the source's module knows better."""
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
def test_parts(shards, expected):
    listed = [
        instruction_shard(dict.fromkeys(keys, 1) | ({} if n else {"c": 0}), path=str(n))
        for n, keys in enumerate(shards)
    ]
    found = contents.parts(listed, frozenset("a"))
    assert [(int(part.built), part.mixed) for part in found] == expected
    assert [part.name for part in found] == [
        f"data/NER/train-{n:05d}-of-{len(expected):05d}.parquet" for n in range(len(expected))
    ]


# What is refused


def test_all_reasons_at_once(small, tmp_path, capsys):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    (build / "clean/manifest.json").unlink()
    (build / "reports/manifest.json").unlink()
    edit_json(build / "examples/manifest.json", lambda m: m["failed"].update(genia_ner="a file is broken"))
    edit_json(build / "card/manifest.json", lambda m: m["config"]["ingest"].update(limit=3))
    (build / "data/NER/test-00000-of-00001.parquet").unlink()
    assert run(build, "--to", str(tmp_path / "release")) == 5
    first, *reasons = capsys.readouterr().err.splitlines()
    assert first == f"error: {build} is not published:"
    assert len(reasons) == 5
    for reason, says in zip(
        reasons,
        [
            "- the build is incomplete, stages missing: clean; run python -m pipelines.build again",
            "- validation has not passed: fix the failures in ",
            "- built with --limit 3, which makes only a sample; build without --limit",
            "- source genia_ner failed (a file is broken): fix it, or select the other sources with --sources",
            "- data/NER/test-00000-of-00001.parquet changed or deleted since stage instruct finished",
        ],
        strict=True,
    ):
        assert reason.startswith(says), reason
    assert not (tmp_path / "release").exists() and not (build / contents.WORK).exists()


def flip(path: Path) -> None:
    """Another byte in the middle of the file; its size stays."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_other_bytes_of_the_same_number_in_any_file(small, tmp_path, capsys):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    written = [path for path in build.rglob("*") if path.is_file() and "/." not in str(path.relative_to(build.parent))]
    written = [path for path in written if path.name not in ("build.json", "manifest.json")]
    for path in written:
        flip(path)
    assert run(build, "--dry_run") == 5
    said = capsys.readouterr().err
    folders = set()
    for path in written:
        name = str(path.relative_to(build))
        assert f"- {name} differs from the file that was written: delete it, then run" in said
        folders.add(name.partition("/")[0])
    assert folders >= {"clean", "data", "examples", "hard_negatives", "labels", "README.md", "rejects", "reports"}


def test_a_small_file_with_other_bytes_is_made_anew_by_the_next_build(small, tmp_path):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    for name in ("labels/NER/anatem.json", "reports/stats.json", "README.md"):
        flip(build / name)
    assert build_module.main(["--output", str(build), *SMALL]) == 0
    for pattern in ("**/*.json", "*.md"):
        assert checksums(build, pattern) == checksums(small, pattern)


@pytest.mark.parametrize(
    ("folder", "change"),
    [
        ("examples", lambda m: m["sources"]["anatem"].update(licence_text="MIT")),
        ("labels", lambda m: m["tasks"].pop("anatem")),
        ("data", lambda m: m["shards"][0].update(rows=1)),
        ("hard_negatives", lambda m: m["sha256"].pop("hard_negatives/NER/anatem.json")),
        ("card", lambda m: m["config"].update(seed=1)),
    ],
)
def test_a_manifest_that_tells_something_else_than_was_written(small, tmp_path, capsys, folder, change):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    edit_json(build / folder / "manifest.json", change)
    assert run(build, "--dry_run") == 5
    assert f"- {folder}/manifest.json was altered since it was written: delete it, then run" in capsys.readouterr().err


def test_what_waits_for_a_second_run_is_made_anew_where_it_is_damaged(small, tmp_path):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    assert run(build, "--to", str(tmp_path / "a")) == 0
    for path in [build / contents.WORK / REPORT, *(build / contents.WORK).glob("data/*/*.parquet")]:
        flip(path)
    assert run(build, "--to", str(tmp_path / "b")) == 0
    assert checksums(tmp_path / "a", "**/*.*") == checksums(tmp_path / "b", "**/*.*")


def test_a_manifest_that_is_no_json_and_settings_of_another_version(small, tmp_path, capsys):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    for spoilt in ("{", "[]", "{}"):
        (build / "card/manifest.json").write_text(spoilt)
        assert run(build, "--dry_run") == 5
        assert f"- {build}/card/manifest.json: " in capsys.readouterr().err
    edit_json(build / "build.json", lambda m: m["ieforge"].update(nonsense=1))
    assert run(build, "--dry_run") == 2
    said = capsys.readouterr().err
    assert (
        "build.json: made by another version of IEForge, or damaged ($.ieforge.nonsense is unknown); run the build"
        in said
    )
    assert build_module.main(["--output", str(build), *SMALL]) == run(build, "--dry_run") == 0


def test_settings_of_a_card_that_are_none(small, tmp_path, capsys):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    edit_json(build / "card/manifest.json", lambda m: m["config"].update(ingest=5))
    assert run(build, "--dry_run") == 5
    line = "card/manifest.json: made by another version of IEForge, or damaged ($.config.ingest differs: "
    assert line in capsys.readouterr().err
    (build / "card/manifest.json").unlink()
    assert build_module.main(["--output", str(build), *SMALL]) == run(build, "--dry_run") == 0


@pytest.mark.parametrize(
    "name", ["data/NER/none.parquet", f"data/{'x' * 5_000}", "a/" * 2_500 + "x", "data/\0", "中" * 200]
)
@pytest.mark.parametrize("part", ["files", "sha256"])
def test_a_manifest_that_names_a_file_that_is_not_there(small, tmp_path, capsys, part, name):
    build = Path(shutil.copytree(small, tmp_path / "build"))

    def rename(manifest: dict) -> None:
        first = min(manifest[part])
        manifest[part][name] = manifest[part].pop(first)

    edit_json(build / "data/manifest.json", rename)
    code = run(build, "--dry_run")
    said = capsys.readouterr().err
    if name.startswith("中") and part == "files":  # only the file system knows
        assert code == 1 and "File name too long" in said and said.count("\n") == 1
    else:
        assert code == 5 and ("altered" in said or "made by another version" in said or "changed or deleted" in said)
    assert build_module.main(["--output", str(build), *SMALL, "--status"]) in (0, 1)
    assert capsys.readouterr().err.count("\n") <= 1


@pytest.mark.parametrize("folder", ["clean", "data"])
def test_a_build_of_another_version_is_refused_with_the_key_that_differs(small, tmp_path, capsys, folder):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    edit_json(build / folder / "manifest.json", lambda m: m["shards"][1].pop("histograms"))
    assert run(build, "--dry_run") == 5
    assert (
        f"- {build}/{folder}/manifest.json: made by another version of IEForge, or damaged ($.shards[1].histograms is "
        "missing); run the build again\n"
    ) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "licence", "kept"),
    [
        ("ACE 2005", "ask", False),
        ("conll2003", "MIT, says a copy", False),
        ("conll-2003", "MIT", False),
        ("ACE 2005", "open", True),
        ("notes", "ask", True),
    ],
)
def test_a_gated_source_in_another_form_is_gated_too(small, tmp_path, name, licence, kept):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    source = to_builtins(source_facts(name=name, licence=licence_class(licence), licence_text=licence))
    edit_json(build / "examples/manifest.json", lambda m: m["sources"].update(mine=source))
    found, left_out = contents.choose(str(build), include_unlicensed=True)
    assert ("mine" in found) == kept
    assert kept or left_out["mine"].startswith(f"gated, by its name {name} (")


def test_no_card(small, tmp_path, capsys):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    (build / "card/manifest.json").unlink()
    assert run(build, "--dry_run") == 5
    assert "- no card: run python -m pipelines.build again" in capsys.readouterr().err


def test_a_build_of_which_nothing_may_be_published(small, tmp_path, capsys):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    edit_json(
        build / "examples/manifest.json",
        lambda m: m.update(sources={key: about for key, about in m["sources"].items() if key in ("clue_ner", "duee1")}),
    )
    assert run(build, "--dry_run") == 5
    assert "all sources are left out: clue_ner: no known licence" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ((), "no destination: pass --repo_id"),
        (("--to", "x", "--tag", "v1"), "--private and --tag require --repo_id"),
        (("--to", "x", "--private"), "--private and --tag require --repo_id"),
    ],
)
def test_flags_that_make_no_sense(build, capsys, flags, says):
    assert run(build, *flags) == 2
    assert says in capsys.readouterr().err


def test_a_folder_that_is_no_build(tmp_path, capsys):
    assert run("nonsense://x/y", "--dry_run") == 2
    assert "nonsense://x/y: unknown file system" in capsys.readouterr().err
    assert run(tmp_path, "--dry_run") == run(tmp_path / "none", "--dry_run") == 2
    assert capsys.readouterr().err.count("not a build; pass the --output folder") == 2


# Into a folder


def test_a_dry_run_lists_what_is_then_written(build, tmp_path, capsys):
    assert run(build, "--dry_run") == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert run(build, "--to", str(tmp_path / "release")) == 0
    there = {
        str(p.relative_to(tmp_path / "release")): p.stat().st_size
        for p in (tmp_path / "release").rglob("*.*")
        if p.is_file()
    }
    assert {line[2]: int(line[1]) for line in lines if line[0] == "file"} == there
    assert [line[1] for line in lines if line[0] == "source"] == ["IE-en/KG/lighthouses", "anatem", "semeval_re"]
    assert [line[1] for line in lines if line[0] == "left out"] == ["ade_corpus", "clue_ner", "duee1"]
    licences = {line[2]: line[3:] for line in lines if line[0] == "file"}
    assert licences["data/NER/train-00000-of-00001.parquet"] == [sources.load("anatem").licence_text]
    assert licences["README.md"] == []


def test_a_second_run_writes_nothing_and_mends_what_is_damaged(build, tmp_path, capsys):
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


def test_files_of_an_earlier_release_go_and_others_stay(build, tmp_path):
    made = tmp_path / "release"
    assert run(build, "--include_unlicensed", "--to", str(made)) == 0
    (made / "NOTES.md").write_text("someone's own")
    assert (made / "labels/NER/clue_ner.json").exists()
    assert run(build, "--to", str(made)) == 0
    assert not (made / "labels/NER/clue_ner.json").exists()
    assert (made / "NOTES.md").exists()
    assert run(build, "--to", str(tmp_path / "fresh")) == 0
    (made / "NOTES.md").unlink()
    assert checksums(made, "**/*.*") == checksums(tmp_path / "fresh", "**/*.*")


def test_a_write_that_was_cut_off_is_taken_up_again(build, tmp_path):
    assert run(build, "--to", str(tmp_path / "whole")) == 0
    cut = tmp_path / "cut"
    (cut / "data/NER").mkdir(parents=True)
    shutil.copy(tmp_path / "whole" / MARKER, cut / MARKER)
    (cut / "data/NER/.train-00000-of-00001.parquet.tmp").write_bytes(b"half")
    assert run(build, "--to", str(cut)) == 0
    assert checksums(cut, "**/*.*") == checksums(tmp_path / "whole", "**/*.*")


def test_what_a_write_of_the_same_files_left_is_deleted(build, tmp_path):
    made = tmp_path / "release"
    assert run(build, "--include_unlicensed", "--to", str(made)) == 0
    for name in ("README.md", "labels/NER/clue_ner.json"):  # of both releases, of the earlier alone
        path = made / name
        (path.parent / f".{path.name}.tmp").write_bytes(b"half")
    (made / ".notes.tmp").write_text("someone's own")
    assert run(build, "--to", str(made)) == 0
    assert [path.name for path in made.rglob("*.tmp")] == [".notes.tmp"]


@pytest.mark.parametrize("odd", ["a*", "a?", "a[bc]", "[!x]b", "[["])
def test_a_file_that_is_named_like_a_pattern_goes_alone(tmp_path, odd):
    target = tmp_path / "release"
    (target / "labels").mkdir(parents=True)
    for name in (odd, "ab", "ac", "b"):
        (target / "labels" / name).write_text(name)
    to_folder.delete(str(target), [f"labels/{odd}"])
    assert sorted(path.name for path in target.rglob("*") if path.is_file()) == ["ab", "ac", "b"]


def test_a_folder_of_something_else_is_refused(build, tmp_path, capsys):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/README.md").write_text("chapter 1")
    assert run(build, "--to", str(tmp_path / "thesis")) == 2
    assert "not empty and not a release (no release.json)" in capsys.readouterr().err
    assert (tmp_path / "thesis/README.md").read_text() == "chapter 1"


@pytest.mark.parametrize("below", ["", "release", ".release", "x/../data"])
def test_a_folder_in_the_build_is_refused(build, capsys, below):
    assert run(build, "--to", f"{build}/{below}") == 2
    assert "is inside the build" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("to", "code"), [("nonsense://x/y", 2), ("/proc/nowhere", 1), ("/tmp/v[1]", 2), ("/tmp/v*", 2)]
)
def test_paths_that_cannot_be_written(build, tmp_path, capsys, to, code):
    assert run(build, "--to", to) == code
    error = capsys.readouterr().err
    assert error.startswith(f"error: {to}") and error.count("\n") == 1
    (tmp_path / "file").write_text("mine")
    assert run(build, "--to", str(tmp_path / "file")) == 2
    assert f"--to {tmp_path}/file: is a file; choose a new folder" in capsys.readouterr().err


@pytest.mark.parametrize("to", ["nonsense://x/y", "file", "v*"])
def test_where_to_publish_is_looked_at_before_the_build_is(tmp_path, monkeypatch, capsys, to):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    assert run(tmp_path / "no build", "--to", to) == 2
    assert "no build" not in capsys.readouterr().err


def test_a_name_with_a_line_end_makes_no_line(small, tmp_path, capsys):
    build = Path(shutil.copytree(small, tmp_path / "a build\nerror: forged"))
    edit_json(build / "examples/manifest.json", lambda m: m["failed"].update({"k\n- forged": "a\nb"}))
    assert run(build, "--dry_run") == 5
    lines = capsys.readouterr().err.splitlines()
    assert [line[:2] for line in lines] == ["er", "- "] and r"a build\nerror: forged" in lines[0]
    assert r"source k\n- forged failed (a\nb)" in lines[1]


def test_every_flag_that_the_documentation_shows_exists():
    shown = set(re.findall(r"(?<![\w-])--[a-z_]+", (ROOT / "docs/publish.md").read_text()))
    parsers = [module.argument_parser() for module in (publish, rebuild, diff, build_module)]
    assert shown <= {name for parser in parsers for action in parser._actions for name in action.option_strings}
