import json
from fnmatch import fnmatch

import pytest

from pipelines import sources
from pipelines.sources import Download, Licence, source_files
from pipelines.sources.__main__ import main
from pipelines.sources.fetching.fetch import LOCK, fetch_source, file_name
from pipelines.sources.fetching.unpack import ArchiveError
from schemas.errors import SourceError
from tests.pipelines.sources.fetching.server import serving
from tests.pipelines.sources.fetching.test_unpack import write_zip
from transforms.files import File

SENTENCE = {
    "tokens": ["Ada", "lives", "in", "Turin", "."],
    "entities": [{"type": "Peop", "start": 0, "end": 1}, {"type": "Loc", "start": 3, "end": 4}],
    "relations": [{"type": "Live_In", "head": 0, "tail": 1}],
    "orig_id": 1,
}
CONLL04 = {
    f"/storage/spert/public/datasets/conll04/conll04_{split}.json": json.dumps([SENTENCE]).encode()
    for split in ("train", "dev", "test")
}


@pytest.fixture
def server(monkeypatch):
    """All requests of the commands go to this server, whatever the host."""
    with serving(dict(CONLL04)) as server:
        monkeypatch.setenv("HTTP_PROXY", server.url)
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        yield server


def run(capsys, *flags: str) -> tuple[int, str, str]:
    code = main(flags)
    return code, *capsys.readouterr()


def test_fetched_files_are_read(server, tmp_path, capsys):
    root = str(tmp_path / "raw")
    code, out, _ = run(capsys, "--fetch", "conll2004", "--data_root", root)
    assert (code, out) == (0, f"conll2004: 3 files; licence: {sources.load('conll2004').licence_text}\n")
    code, out, _ = run(capsys, "--verify", root)
    assert code == 0 and "train: 1 examples, 2 entities, 1 relations; 0 bad records" in out
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == [LOCK, "conll2004"]
    requests = len(server.requests)
    assert run(capsys, "--fetch", "conll2004", "--data_root", root)[1] == "conll2004: its files are there\n"
    assert len(server.requests) == requests


def test_a_failure_costs_only_its_source(server, tmp_path, capsys):
    code, out, err = run(capsys, "--fetch", "scierc,conll2004,ace2005,cmeie", "--data_root", str(tmp_path))
    assert code == 3
    assert [line.split(";")[0] for line in out.splitlines()] == [
        "ace2005: agreement needed",
        "cmeie: no address to download from",
        "conll2004: 3 files",
    ]
    assert err.splitlines()[0].startswith(
        "scierc: http://nlp.cs.washington.edu/sciIE/data/sciERC_processed.tar.gz: HTTP 404"
    )
    assert sources.load("scierc").get in err.splitlines()[1]


def test_a_changed_file_is_refused(server, tmp_path, capsys):
    run(capsys, "--fetch", "conll2004", "--data_root", str(tmp_path / "raw"))
    other = tmp_path / "other"
    other.mkdir()
    (other / LOCK).write_bytes((tmp_path / "raw" / LOCK).read_bytes())
    name = next(iter(server.files))
    server.files[name] += b"\n"
    code, _, err = run(capsys, "--fetch", "conll2004", "--data_root", str(other))
    assert code == 3 and "conll2004/conll04_train.json: its SHA-256 is" in err and "to accept it" in err
    assert not (other / "conll2004").exists()
    server.files[name] = CONLL04[name]
    assert main(["--fetch", "conll2004", "--data_root", str(other)]) == 0


@pytest.mark.parametrize(
    ("body", "what"),
    [(b"", "empty"), (b"\xef\xbb\xbf\n<!DOCTYPE html>\n<p>Sign in", "a web page"), (b"<HTML>", "a web page")],
)
def test_a_web_page_or_an_empty_answer_is_no_file(tmp_path, body, what):
    """Networks with a sign-in and homepages that have moved send them with the status of success."""
    with serving({"/a.json": body}) as server:
        with pytest.raises(SourceError, match=f"/a.json: the answer is {what}"):
            fetch_source("key", [Download(f"{server.url}/a.json")], tmp_path)
        assert not (tmp_path / "key").exists() and not (tmp_path / LOCK).exists()
        server.files["/a.json"] = b"[]"
        assert fetch_source("key", [Download(f"{server.url}/a.json")], tmp_path) == 1


def test_a_known_checksum(tmp_path):
    with serving({"/a.txt": b"other"}) as server:
        one = Download(f"{server.url}/a.txt", checksums={"a.txt": "0" * 64})
        with pytest.raises(SourceError, match=r"a\.txt has SHA-256 d9298a.*, not 0000"):
            fetch_source("key", [one], tmp_path)
    assert not (tmp_path / "key").exists()


def test_an_archive_that_is_no_archive_leaves_nothing(tmp_path):
    with serving({"/a.zip": b"<html>"}) as server, pytest.raises(ArchiveError):
        fetch_source("key", [Download(f"{server.url}/a.zip", ("*.txt",))], tmp_path)
    assert not (tmp_path / "key").exists()


def test_an_archive_is_unpacked(tmp_path):
    body = write_zip(tmp_path / "a.zip", {"top-HEAD/x/train.txt": b"1", "top-HEAD/LICENSE": b""}).read_bytes()
    with serving({"/archive/HEAD.zip": body}) as server:
        assert fetch_source("key", [Download(f"{server.url}/archive/HEAD.zip", ("train.txt",))], tmp_path) == 1
    assert (tmp_path / "key/x/train.txt").read_bytes() == b"1"
    assert list(json.loads((tmp_path / LOCK).read_text())) == ["key/x/train.txt"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--fetch", "conll2004"], "error: --fetch needs --data_root DIR, and neither --verify nor --json"),
        (
            ["--fetch", "conl2004", "--data_root", "DIR"],
            "error: no source is called 'conl2004'; did you mean conll2004",
        ),
        (["--fetch", "", "--data_root", "DIR"], "error: --fetch : a name is empty"),
        (["--fetch", "conll2004", "--data_root", "s3://bucket/raw"], "error: s3://bucket/raw: files can be fetched"),
    ],
)
def test_wrong_flags(flags, message, tmp_path, capsys):
    code, out, err = run(capsys, *(flag.replace("DIR", str(tmp_path)) for flag in flags))
    assert (code, out) == (2, "") and err.startswith(message)


def test_only_files_of_sources_without_an_agreement_are_fetched():
    by_key = {key: sources.load(key) for key in sources.keys()}
    assert not [key for key, source in by_key.items() if source.licence is Licence.GATED and source.downloads]
    assert sum(bool(source.downloads) for source in by_key.values()) > 25


@pytest.mark.parametrize("key", [key for key in sources.keys() if sources.load(key).downloads])
def test_the_names_of_the_downloads_are_those_that_the_source_reads(key):
    source = sources.load(key)
    plain = [file_name(one) for one in source.downloads if not one.members]
    files = [File(name, name) for name in plain]
    assert not plain or source_files.find(source, files).splits.keys() >= {"test"}
    patterns = [glob.lower().rpartition("/")[2] for form in source.forms for glob in form.include]
    for glob in (glob.lower().rpartition("/")[2] for one in source.downloads for glob in one.members):
        assert any(fnmatch(glob.replace("*", "x"), pattern) or fnmatch(pattern, glob) for pattern in patterns), glob
