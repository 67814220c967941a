"""Which builds, flags and destinations publishing refuses, and how a damaged build is repaired."""

import shutil
from pathlib import Path

import pytest
from msgspec import to_builtins

from pipelines import build as build_module
from pipelines.build_reports import REPORT
from pipelines.release import contents
from pipelines.sources.licences import licence_class
from tests.conftest import SMALL, checksums
from tests.manifests import source_facts
from tests.pipelines.release.conftest import edit_json, run


def test_all_reasons_are_reported_at_once(small, tmp_path, capsys):
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
    for reason, expected in zip(
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
        assert reason.startswith(expected), reason
    assert not (tmp_path / "release").exists() and not (build / contents.WORK).exists()


def flip(path: Path) -> None:
    """Changes a byte in the middle of the file, which keeps its size."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_changed_byte_in_any_file_is_refused(small, tmp_path, capsys):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    written = [path for path in build.rglob("*") if path.is_file() and "/." not in str(path.relative_to(build.parent))]
    written = [path for path in written if path.name not in ("build.json", "manifest.json")]
    for path in written:
        flip(path)
    assert run(build, "--dry_run") == 5
    message = capsys.readouterr().err
    folders = set()
    for path in written:
        name = str(path.relative_to(build))
        assert f"- {name} differs from the file that was written: delete it, then run" in message
        folders.add(name.partition("/")[0])
    assert folders >= {"clean", "data", "examples", "hard_negatives", "labels", "README.md", "rejects", "reports"}


def test_the_next_build_writes_changed_small_files_again(small, tmp_path):
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
def test_a_changed_manifest_is_refused(small, tmp_path, capsys, folder, change):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    edit_json(build / folder / "manifest.json", change)
    assert run(build, "--dry_run") == 5
    assert f"- {folder}/manifest.json was altered since it was written: delete it, then run" in capsys.readouterr().err


def test_damaged_files_of_the_work_folder_are_written_again(small, tmp_path):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    assert run(build, "--to", str(tmp_path / "a")) == 0
    for path in [build / contents.WORK / REPORT, *(build / contents.WORK).glob("data/*/*.parquet")]:
        flip(path)
    assert run(build, "--to", str(tmp_path / "b")) == 0
    assert checksums(tmp_path / "a", "**/*.*") == checksums(tmp_path / "b", "**/*.*")


def test_broken_manifests_and_settings_of_another_version(small, tmp_path, capsys):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    for damaged in ("{", "[]", "{}"):
        (build / "card/manifest.json").write_text(damaged)
        assert run(build, "--dry_run") == 5
        assert f"- {build}/card/manifest.json: " in capsys.readouterr().err
    edit_json(build / "build.json", lambda m: m["ieforge"].update(nonsense=1))
    assert run(build, "--dry_run") == 2
    message = (
        "build.json: made by another version of IEForge, or damaged ($.ieforge.nonsense is unknown); run the build"
    )
    assert message in capsys.readouterr().err
    assert build_module.main(["--output", str(build), *SMALL]) == run(build, "--dry_run") == 0


def test_invalid_settings_in_the_manifest_of_a_card(small, tmp_path, capsys):
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
def test_a_manifest_that_names_a_missing_file(small, tmp_path, capsys, part, name):
    build = Path(shutil.copytree(small, tmp_path / "build"))

    def rename(manifest: dict) -> None:
        first = min(manifest[part])
        manifest[part][name] = manifest[part].pop(first)

    edit_json(build / "data/manifest.json", rename)
    code = run(build, "--dry_run")
    message = capsys.readouterr().err
    if name.startswith("中") and part == "files":  # only the file system knows that the name is too long
        assert code == 1 and "File name too long" in message and message.count("\n") == 1
    else:
        reasons = ("altered", "made by another version", "changed or deleted")
        assert code == 5 and any(reason in message for reason in reasons)
    assert build_module.main(["--output", str(build), *SMALL, "--status"]) in (0, 1)
    assert capsys.readouterr().err.count("\n") <= 1


@pytest.mark.parametrize("folder", ["clean", "data"])
def test_a_build_of_another_version_is_refused_by_its_key(small, tmp_path, capsys, folder):
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
def test_user_data_with_the_name_of_a_gated_source_is_gated(small, tmp_path, name, licence, kept):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    source = to_builtins(source_facts(name=name, licence=licence_class(licence), licence_text=licence))
    edit_json(build / "examples/manifest.json", lambda m: m["sources"].update(mine=source))
    chosen, left_out = contents.choose(str(build), include_unlicensed=True)
    assert ("mine" in chosen) == kept
    assert kept or left_out["mine"].startswith(f"gated, by its name {name} (")


def test_a_build_without_a_card_is_refused(small, tmp_path, capsys):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    (build / "card/manifest.json").unlink()
    assert run(build, "--dry_run") == 5
    assert "- no card: run python -m pipelines.build again" in capsys.readouterr().err


def test_a_build_without_publishable_sources_is_refused(small, tmp_path, capsys):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    edit_json(
        build / "examples/manifest.json",
        lambda m: m.update(sources=dict.fromkeys(("clue_ner", "my/first", "my/second"), m["sources"]["clue_ner"])),
    )
    assert run(build, "--dry_run") == 5
    error = capsys.readouterr().err
    assert "all sources are left out: clue_ner: no known licence" in error
    assert "; my/first, my/second: no known licence" in error


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "no destination: pass --repo_id"),
        (("--to", "x", "--tag", "v1"), "--private and --tag require --repo_id"),
        (("--to", "x", "--private"), "--private and --tag require --repo_id"),
    ],
)
def test_contradictory_flags_are_refused(build, capsys, flags, message):
    assert run(build, *flags) == 2
    assert message in capsys.readouterr().err


def test_a_folder_that_is_not_a_build_is_refused(tmp_path, capsys):
    assert run("nonsense://x/y", "--dry_run") == 2
    assert "nonsense://x/y: unknown file system" in capsys.readouterr().err
    assert run(tmp_path, "--dry_run") == run(tmp_path / "none", "--dry_run") == 2
    assert capsys.readouterr().err.count("not a build; pass the --output folder") == 2


def test_a_folder_with_other_files_is_refused(build, tmp_path, capsys):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/README.md").write_text("chapter 1")
    assert run(build, "--to", str(tmp_path / "thesis")) == 2
    assert "not empty and not a release (no release.json)" in capsys.readouterr().err
    assert (tmp_path / "thesis/README.md").read_text() == "chapter 1"


@pytest.mark.parametrize("below", ["", "release", ".release", "x/../data"])
def test_a_folder_inside_the_build_is_refused(build, capsys, below):
    assert run(build, "--to", f"{build}/{below}") == 2
    assert "is inside the build" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("to", "code"), [("nonsense://x/y", 2), ("/proc/nowhere", 1), ("/tmp/v[1]", 2), ("/tmp/v*", 2)]
)
def test_unwritable_paths_are_refused(build, tmp_path, capsys, to, code):
    assert run(build, "--to", to) == code
    error = capsys.readouterr().err
    assert error.startswith(f"error: {to}") and error.count("\n") == 1
    (tmp_path / "file").write_text("mine")
    assert run(build, "--to", str(tmp_path / "file")) == 2
    assert f"--to {tmp_path}/file: is a file; choose a new folder" in capsys.readouterr().err


@pytest.mark.parametrize("to", ["nonsense://x/y", "file", "v*"])
def test_the_destination_is_checked_before_the_build(tmp_path, monkeypatch, capsys, to):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    assert run(tmp_path / "no build", "--to", to) == 2
    assert "no build" not in capsys.readouterr().err


def test_a_line_break_in_a_name_starts_no_new_line(small, tmp_path, capsys):
    build = Path(shutil.copytree(small, tmp_path / "a build\nerror: forged"))
    edit_json(build / "examples/manifest.json", lambda m: m["failed"].update({"k\n- forged": "a\nb"}))
    assert run(build, "--dry_run") == 5
    lines = capsys.readouterr().err.splitlines()
    assert [line[:2] for line in lines] == ["er", "- "] and r"a build\nerror: forged" in lines[0]
    assert r"source k\n- forged failed (a\nb)" in lines[1]
