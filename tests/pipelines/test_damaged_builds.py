"""Damaged or hostile metadata of builds and releases: every command reports it in one line."""

import json
import random
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml

from pipelines import build, diff, publish, rebuild
from schemas.errors import IEForgeError
from tests.unified import NER_SCHEMA, ner, write_source
from train import corpus

WRONG_CONTENTS = {
    "empty": b"",
    "an object": b"{}",
    "a list": b"[]",
    "null": b"null",
    "a number": b"1" * 5_000,
    "not a number": b'{"files": NaN}',
    "a text": b'"x"',
    "a lone surrogate": b'{"stage": "\\ud800", "sources": {"\\udfff": 1}}',
    "not UTF-8": b'{"stage": "\xff"}',
    "UTF-16": '{"stage": "x"}'.encode("utf-16"),
    "NUL": b"\x00" * 100,
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
}
VALUES = (None, True, -1, 10**30, 1.5, "", "x", "../../x", "/dev/zero", "\x00", "\x1b[31m", [], {}, [[]], {"x": {}})


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with `raw/`, `build/` and `release/`; the source `gated` is left out of the release."""
    root = tmp_path_factory.mktemp("damaged")
    for key, licence in (("free", "open"), ("gated", "gated")):
        records = [ner(f"Ada{n} of {key} met Bo in Rome.", person=[f"Ada{n}", "Bo"], place="Rome") for n in range(4)]
        write_source(root / "raw" / key, "NER", NER_SCHEMA, train=records[:3], test=records[3:])
        with (root / "raw" / key / "source.yaml").open("a") as settings:
            settings.write(f"license: {licence}\n")
    assert build.main([*flags(root), "--embedding_model", "lexical"]) == 0
    assert publish.main(["--output", str(root / "build"), "--to", str(root / "release")]) == 0
    return root


def flags(root: Path) -> list[str]:
    return ["--data_root", str(root / "raw"), "--output", str(root / "build")]


@pytest.fixture
def root(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "root"))


def train_rows(root: Path) -> int:
    try:
        corpus.rows(str(root / "build"), "train", streaming=True)
    except IEForgeError as error:
        return error.exit_code
    return 0


def rebuilt(root: Path) -> int:
    """Reads everything in the release, then fails because the raw files are missing."""
    arguments = ["--release", str(root / "release"), "--sources", "gated", "--data_root", str(root / "none")]
    return rebuild.main([*arguments, "--output", str(root / "rebuilt")])


COMMANDS = {
    "status": lambda root: build.main([*flags(root), "--embedding_model", "lexical", "--status"]),
    "publish": lambda root: publish.main(["--output", str(root / "build"), "--dry_run"]),
    "publish again": lambda root: publish.main(["--output", str(root / "build"), "--to", str(root / "release")]),
    "diff": lambda root: diff.main([str(root / "build"), str(root / "release")]),
    "train": train_rows,
    "rebuild": rebuilt,
}


def metadata(root: Path) -> list[str]:
    """Paths of all files with metadata of the build or the release."""
    paths = [path for folder in ("build", "release") for path in sorted((root / folder).rglob("*.*"))]
    names = [str(path.relative_to(root)) for path in paths if path.suffix in (".json", ".yaml")]
    return [name for name in names if "/." not in name or name == "build/.release/.rewritten.json"]


def reading(name: str) -> list[str]:
    """The commands that may read the file."""
    if name.startswith("build/"):
        return ["status", "publish", "diff", "train"]
    return ["diff", "rebuild"] + (["publish again"] if name == "release/release.json" else [])


def refusals(root: Path, damage: tuple, commands: Iterable[str], capsys) -> set[str]:
    """Runs the commands and returns those that failed, each of them with one line of error."""
    refused = set()
    for command in commands:
        code = COMMANDS[command](root)
        message = capsys.readouterr().err
        assert code in (0, 1, 2, 3, 5), (damage, command)
        if code and command != "train":
            lines = [line for line in message.splitlines() if not line.startswith(("note: ", "warning: "))]
            assert lines[0].startswith("error: ") and all(line.startswith(("- ", str(root))) for line in lines[1:]), (
                message
            )
        if code:
            refused.add(command)
    return refused


def test_intact_metadata_is_accepted(made, capsys):
    assert refusals(made, (), COMMANDS, capsys) == {"rebuild"}
    assert set(metadata(made)) >= READS.keys()


DRAWN = 3
"""Number of kinds of damage that are tried on each file, drawn by its name."""

HARMLESS = ("build/build.json", "build/.release/")
"""Files that are not published, or written again if they are damaged."""

READS = {
    "build/build.json": {"publish"},
    "build/reports/stats.json": {"publish", "diff"},
    "build/reports/validation.json": {"publish"},
    "build/data/manifest.json": {"publish"},
    "build/examples/manifest.json": {"publish"},
    "build/labels/NER/free.json": {"publish"},
    "release/release.json": {"publish again", "diff", "rebuild"},
    "release/rebuild/sources.json": {"rebuild"},
    "release/rebuild/recipe.yaml": {"rebuild"},
    "release/reports/stats.json": {"diff"},
    "release/labels/NER/free.json": {"diff"},
}
"""File → the commands that read it and refuse any other content."""


def test_a_file_with_wrong_content_is_refused(root, capsys):
    for name in metadata(root):
        path = root / name
        good = path.read_bytes()
        contents = {**WRONG_CONTENTS, "half": good[: len(good) // 2], "a folder": None}
        for what in random.Random(name).sample(sorted(contents), DRAWN):
            path.unlink()
            path.mkdir() if contents[what] is None else path.write_bytes(contents[what])
            refused = refusals(root, (name, what), reading(name), capsys)
            assert READS.get(name, set()) <= refused, (name, what)
            path.rmdir() if path.is_dir() else None
            path.write_bytes(good)


def places(value, at: tuple = ()) -> Iterator[tuple]:
    """The paths of all values nested in a value."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*at, key)
        yield from places(value[key], (*at, key))


def test_a_changed_value_is_refused_by_publish(root, capsys):
    """Replaces or deletes one value: every command fails with one line at most, and publish refuses the file."""
    for name in metadata(root):
        path = root / name
        good = path.read_bytes()
        draw = random.Random(name)
        load, dump = (json.loads, json.dumps) if path.suffix == ".json" else (yaml.safe_load, yaml.safe_dump)
        everywhere = list(places(load(good)))
        for _ in range(DRAWN):
            content = load(good)
            *outer, last = draw.choice(everywhere)
            inner = content
            for key in outer:
                inner = inner[key]
            before = inner.pop(last)
            what = draw.choice(["deleted", *VALUES])
            if what != "deleted":
                inner.insert(last, what) if isinstance(inner, list) else inner.update({last: what})
            path.write_text(dump(content))
            refused = refusals(root, (name, *outer, last, what), reading(name), capsys)
            noticed = name.startswith("build/") and not name.startswith(HARMLESS) and what != before
            assert not noticed or "publish" in refused, (name, *outer, last, what)
            path.write_bytes(good)
