"""An untrusted data root, for example an unpacked archive, with hostile names, links and files."""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import build
from pipelines.config import SAMPLES
from pipelines.sources import registry
from schemas.errors import SourceError
from tests.conftest import ROOT, checksums
from tests.unified import NER_SCHEMA, ner, write_source

TRAIN = [ner("Orla Quill left Port Sable.", person="Orla Quill", place="Port Sable"), ner("Nobody came.")]
PRIVATE = [ner("The key to the vault hangs in Wren Hall.", place="Wren Hall")]


@pytest.fixture
def root(tmp_path) -> Path:
    write_source(tmp_path / "private", "NER", NER_SCHEMA, test=PRIVATE)
    write_source(tmp_path / "raw/mine", "NER", NER_SCHEMA, train=TRAIN)
    return tmp_path / "raw"


def ingest(root: Path, output: Path, capsys) -> tuple[int, list[str], bytes]:
    """The exit code, the messages, and the bytes of all examples."""
    code = build.main(
        ["--data_root", str(root), "--output", str(output), "--hard_negatives", "none", "--only", "ingest"]
    )
    texts = b"".join(path.read_bytes() for path in sorted((output / "examples").rglob("*.parquet")))
    return code, capsys.readouterr().err.splitlines(), texts


def test_a_link_out_of_a_dataset_is_reported_and_not_read(root, tmp_path, capsys):
    (root / "mine/test.json").symlink_to(tmp_path / "private/test.json")
    (root / "theirs/deep").mkdir(parents=True)
    (root / "theirs/deep/private").symlink_to(tmp_path / "private")
    code, messages, texts = ingest(root, tmp_path / "build", capsys)
    assert code == 0
    for folder, name in (("mine", "test.json"), ("theirs", "deep/private")):
        assert [
            line
            for line in messages
            if f"{folder}/: left out {name} (" in line and "leads out of the data root" in line
        ]
    assert b"Orla Quill" in texts
    assert b"vault" not in texts


def test_a_link_in_the_root_to_a_dataset_is_read(root, tmp_path, capsys):
    (root / "linked").symlink_to(tmp_path / "private")
    code, _, texts = ingest(root, tmp_path / "build", capsys)
    assert code == 0
    assert b"vault" in texts


def test_special_files_and_names_that_are_not_utf8_are_skipped(root, tmp_path, capsys):
    expected = ingest(root, tmp_path / "before", capsys)[2]
    os.mkfifo(root / "mine/dev.json")
    (root / "mine/test.json").symlink_to("/dev/zero")
    (root / "pipe").symlink_to("mine/dev.json")
    bad = os.path.join(os.fsencode(root), "语料\x1b[31m".encode("gb18030"))
    os.mkdir(bad)
    os.symlink(os.fsencode(root / "mine/train.json"), os.path.join(bad, b"train.json"))
    code, messages, texts = ingest(root, tmp_path / "build", capsys)
    assert (code, texts) == (0, expected)
    assert "note: mine/: left out dev.json, test.json (not a regular file)" in messages
    assert "note: left out pipe (not a regular file)" in messages
    assert r"note: left out \udcd3\udcef\udcc1\udccf\x1b[31m (its name is not valid UTF-8; rename it)" in messages


SAMPLE_FILES = [path for path in sorted(SAMPLES.rglob("*")) if path.is_file()]
XML = [path.relative_to(SAMPLES) for path in SAMPLE_FILES if path.read_bytes().startswith(b"<?xml")]
ONE_OF_EACH = {name.parts[0]: name for name in XML}.values()


@pytest.mark.parametrize("name", ONE_OF_EACH, ids=str)
def test_external_entities_of_xml_are_not_read(tmp_path, name):
    """The document type declares an entity for a local file, which is inserted before the first word of every text."""
    (tmp_path / "private.txt").write_text("The key hangs in Wren Hall.")
    before = re.compile(rb"(<\?xml.*?\?>)\s*(?:<!DOCTYPE.*?>)?\s*<(\w+)(.*)", re.DOTALL)
    head, start, body = before.match((SAMPLES / name).read_bytes()).groups()
    entity = f'<!ENTITY key SYSTEM "{(tmp_path / "private.txt").as_uri()}">'.encode()
    body = re.sub(rb">(\s*\w)", rb">&key; \1", body)
    assert b"&key;" in body
    shutil.copytree(SAMPLES / name.parts[0], tmp_path / "raw" / name.parts[0])
    (tmp_path / "raw" / name).write_bytes(b"%b\n<!DOCTYPE %b [%b]>\n<%b%b" % (head, start, entity, start, body))
    listing = registry.list_root(str(tmp_path / "raw"))
    for located in registry.locate_all(listing):
        for split in located.files.splits if located.files else ():
            with contextlib.suppress(SourceError):
                assert "Wren Hall" not in repr(list(located.files.read(split)))


def test_a_root_without_valid_names_is_refused_in_one_line(tmp_path, capsys):
    os.makedirs(os.path.join(os.fsencode(tmp_path), b"raw/b\xe4d"))
    assert build.main(["--data_root", str(tmp_path / "raw"), "--output", str(tmp_path / "build")]) == 2
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    bad = os.fsdecode(os.path.join(os.fsencode(tmp_path), b"raw/b\xe4d"))
    assert build.main(["--data_root", bad, "--output", str(tmp_path / "build")]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line == "error: a flag is not valid UTF-8; rename the file, or check the encoding of the terminal"


def test_links_do_not_change_what_is_built(root, tmp_path, capsys):
    """A folder and a link to it give the same bytes."""
    ingest(root, tmp_path / "a", capsys)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/mine").symlink_to(root / "mine")
    ingest(tmp_path / "linked", tmp_path / "b", capsys)
    assert checksums(tmp_path / "a/examples") == checksums(tmp_path / "b/examples")


def test_settings_that_are_not_regular_files_are_not_opened(root, tmp_path, capsys):
    """A pipe would block forever, and a link would reveal its target, at least by the checksum."""
    for name, target in (("pipe", None), ("link", tmp_path / "private/test.json"), ("folder", "")):
        shutil.copytree(root / "mine", root / name)
        (root / name / "source.yaml").unlink()
        if target is None:
            os.mkfifo(root / name / "source.yaml")
        elif target:
            (root / name / "source.yaml").symlink_to(target)
        else:
            (root / name / "source.yaml").mkdir()
    code, messages, texts = ingest(root, tmp_path / "build", capsys)
    assert code == 3 and b"Orla Quill" in texts
    assert {line.split(":")[1] for line in messages if line.startswith("error: ")} == {
        " source pipe", " source link", " source folder",
    }  # fmt: skip
    digest = hashlib.sha256((tmp_path / "private/test.json").read_bytes()).hexdigest()
    assert digest not in (tmp_path / "build/examples/manifest.json").read_text()


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv to drop the rights of root")
def test_a_folder_without_permission_fails_alone(root, tmp_path):
    for name in ("NER/a", "NER/b"):
        shutil.copytree(root / "mine", root / name)
    (root / "NER/b").chmod(0)
    build = [sys.executable, "-m", "pipelines.build", "--data_root", str(root), "--output", str(tmp_path / "build"),
             "--hard_negatives", "none", "--only", "ingest"]  # fmt: skip
    rights = ["--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-dac_override,-dac_read_search"]
    command = ["setpriv", *rights, *build] if os.getuid() == 0 else build
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    (root / "NER/b").chmod(0o755)
    assert done.returncode == 3, done.stderr
    assert "error: source NER/b: NER/b: a folder that may not be listed" in done.stderr
    assert {path.parent.name for path in (tmp_path / "build/examples").rglob("*.parquet")} == {"mine", "a"}
