"""Publishing to a Hub on loopback over HTTP: the repository afterwards, and every kind of failure."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from huggingface_hub import close_session

from pipelines import publish, sources
from pipelines.release import contents
from pipelines.release import hub as hub_module
from schemas.releases import MARKER
from tests.conftest import ROOT
from tests.pipelines.release.hub_server import TOKEN, Fault, Hub

REPO = "org/corpus"
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")  # from calls within the client


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A loopback Hub that the client in this process connects to; `hub.waits` records its calls of `time.sleep`."""
    with Hub() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # other tests set it
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
            server.url + "/{repo_id}/resolve/{revision}/{filename}",
        )
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no token here"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        server.waits = []
        monkeypatch.setattr("time.sleep", server.waits.append)
        yield server
        server.released.set()
        server.shutdown()


def run(build: Path, *flags: str) -> int:
    return publish.main(["--output", str(build), "--repo_id", REPO, *flags])


def writes(hub: Hub) -> list[str]:
    """The requests that change or upload something."""
    reading = r"/api/validate-yaml|.*/preupload/.*|.*/paths-info/.*"
    return [
        f"{method} {path}"
        for method, path in hub.requests
        if method not in ("GET", "HEAD") and not re.fullmatch(reading, path)
    ]


def local_files(build: Path) -> dict[str, str]:
    """Name → SHA-256 of the files of the last release of the build, as listed in it."""
    entries = json.loads((build / contents.WORK / MARKER).read_text())["files"]
    return {name: entry["sha256"] for name, entry in entries.items()}


def remote_sums(hub: Hub, revision: str = "main") -> dict[str, str]:
    contents = hub.store.files(REPO, revision)
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def assert_published(hub: Hub, build: Path, revision: str = "main") -> None:
    remote, local = remote_sums(hub, revision), local_files(build)
    assert remote.keys() == {*local, MARKER, ".gitattributes"}
    assert {name: remote[name] for name in local} == local


READ_BACK = """
import json, sys
from datasets import get_dataset_config_names, load_dataset
loaded = {}
for config in get_dataset_config_names("org/corpus"):
    whole = load_dataset("org/corpus", config)
    stream = load_dataset("org/corpus", config, streaming=True, revision="v1")
    for split in whole:
        rows = list(whole[split])
        assert rows == list(stream[split]), (config, split)
        loaded.setdefault(config, {})[split] = rows
default = load_dataset("org/corpus")
assert {split: list(default[split]) for split in default} == loaded["default"]
json.dump(loaded, open(sys.argv[1], "w"))
"""


def test_the_release_of_all_samples_can_be_loaded(hub, built, tmp_path, capsys):
    build = Path(shutil.copytree(built, tmp_path / "build"))
    assert run(build, "--tag", "v1") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{REPO}: ") and "tag v1 moved" in captured.out
    assert_published(hub, build)
    repository = hub.store.repositories[REPO]
    assert repository.tags == {"v1": repository.branches["main"]}
    assert list(repository.branches) == ["main"]
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
    environment["HF_HOME"] = str(tmp_path / "hf")
    done = subprocess.run(
        [sys.executable, "-c", READ_BACK, str(tmp_path / "rows.json")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads((tmp_path / "rows.json").read_text())
    assert list(loaded) == ["default", "NER", "RE", "SPO", "EE", "EET", "EEA", "KG"]
    open_keys = {key for key in sources.keys() if sources.load(key).licence == "open"} | {"IE-en/KG/lighthouses"}
    for task in list(loaded)[1:]:
        for split in ("train", "validation", "test"):
            built_rows = [
                row
                for path in sorted((build / "data" / task).glob(f"{split}-*"))
                for row in pq.read_table(path).to_pylist()
            ]
            expected = [row for row in built_rows if row["example_id"].rsplit(f"/{split}/", 1)[0] in open_keys]
            assert loaded[task].get(split, []) == expected, (task, split)
    assert {split: len(rows) for split, rows in loaded["default"].items()} == {
        split: sum(len(loaded[task].get(split, ())) for task in list(loaded)[1:]) for split in loaded["default"]
    }
    # The token is in no message and in no file, neither local nor on the Hub.
    assert TOKEN not in captured.out + captured.err
    for path in [*build.rglob("*"), *(tmp_path / "hf").rglob("*")]:
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path
    assert not any(TOKEN.encode() in content for content in hub.store.files(REPO).values())


def test_a_second_run_sends_nothing(hub, build, capsys):
    assert run(build, "--tag", "v1") == 0
    hub.requests.clear()
    assert run(build, "--tag", "v1") == 0
    assert writes(hub) == []
    assert " 0 of them sent;" in capsys.readouterr().out


def test_a_tag_is_moved_and_files_of_an_earlier_release_are_deleted(hub, build):
    assert run(build, "--include_unlicensed", "--tag", "v1") == 0
    first = hub.store.repositories[REPO].branches["main"]
    hub.store.put(REPO, "NOTES.md", b"notes of a user")
    assert run(build, "--tag", "v2") == 0
    repository = hub.store.repositories[REPO]
    assert repository.tags == {"v1": first, "v2": repository.branches["main"]}
    remote = remote_sums(hub)
    assert remote.pop("NOTES.md")
    assert remote.keys() == {*local_files(build), MARKER, ".gitattributes"}
    deleted = hub.store.files(REPO, "v1").keys() - remote.keys()
    assert "labels/NER/clue_ner.json" in deleted
    assert run(build, "--tag", "v1") == 0
    assert repository.tags["v1"] == repository.branches["main"]


def test_large_files_are_sent_in_parts_and_trees_read_in_pages(hub, build):
    hub.chunk_bytes, hub.page = 5_000, 7
    assert run(build) == 0
    assert any(path.startswith("/complete/") for _, path in hub.requests)
    assert_published(hub, build)
    hub.requests.clear()
    assert run(build) == 0
    assert writes(hub) == []


REFUSED = [
    (Fault("GET", "/api/datasets/", 401, 99), "the Hub rejected the token"),
    (Fault("POST", "/api/repos/create", 403), "the token has no write access"),
    (Fault("POST", "/branch/", 403), "the token has no write access"),
    (Fault("POST", "/objects/batch", 403), "the token has no write access"),
    (Fault("POST", "/commit/release-", 403), "the token has no write access"),
    (Fault("POST", "/commit/main", 409), "someone else changed it in the meantime"),
    (Fault("POST", "/validate-yaml", 400), "README.md"),
]


@pytest.mark.parametrize(("fault", "message"), REFUSED, ids=lambda value: getattr(value, "path", ""))
def test_a_refusal_of_the_hub_is_reported_in_one_line(hub, build, capsys, fault, message):
    hub.faults.append(fault)
    if fault.action == 401:
        hub.faults.append(Fault("POST", "/api/repos/create", 401, 99))
    assert run(build, "--tag", "v1") == 5
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and message in captured.err and REPO in captured.err
    assert TOKEN not in captured.err and "http" not in captured.err
    assert_untouched(hub)
    hub.faults.clear()
    assert run(build, "--tag", "v1") == 0
    assert_published(hub, build, "v1")


def assert_untouched(hub: Hub) -> None:
    """main is as it was created, and there is no tag."""
    if REPO in hub.store.repositories:
        assert hub.store.files(REPO).keys() == {".gitattributes"}
        assert hub.store.repositories[REPO].tags == {}


@pytest.mark.parametrize(
    "path", ["/api/datasets/org/corpus$", "/branch/", "/preupload/", "/storage/", "/commit/", "/tag/"]
)
@pytest.mark.parametrize("status", [429, 500])
def test_requests_to_a_busy_hub_are_repeated(hub, build, path, status):
    method = {"/api/datasets/org/corpus$": "GET", "/storage/": "PUT"}.get(path, "POST")
    hub.faults.append(Fault(method, path, status, headers={"Retry-After": "3"}))
    assert run(build, "--tag", "v1") == 0
    assert len(hub.waits) == 1 and hub.waits[0] in (3, 4)
    assert_published(hub, build, "v1")


@pytest.mark.parametrize("path", ["/storage/", "/commit/main", "/tag/"])
@pytest.mark.parametrize("action", [500, "cut"])
def test_a_failed_upload_leaves_main_and_is_resumed_by_the_next_run(hub, build, capsys, path, action):
    method = "PUT" if path == "/storage/" else "POST"
    hub.faults.append(Fault(method, path, action, 99, skip=2 if path == "/storage/" else 0))
    assert run(build, "--tag", "v1") == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and "run the same command again" in captured.err and "http" not in captured.err
    assert hub.store.repositories[REPO].tags == {}
    arrived = set(hub.store.large_files)
    if path == "/storage/":
        assert len(arrived) == 2
    if path != "/tag/":
        assert_untouched(hub)
    hub.faults.clear()
    hub.requests.clear()
    assert run(build, "--tag", "v1") == 0
    sent = {request.removeprefix("PUT /storage/") for request in writes(hub) if request.startswith("PUT")}
    assert not sent & arrived
    assert_published(hub, build, "v1")


def test_an_upload_continues_after_a_lost_connection(hub, build):
    hub.faults.append(Fault("PUT", "/storage/", "cut", skip=1))
    assert run(build) == 0
    assert_published(hub, build)


@pytest.mark.parametrize("branch", ["main", "release-"])
def test_a_commit_whose_answer_was_lost_is_recognized(hub, build, branch):
    """The client repeats the request with an outdated parent, and recognizes that the head is its commit."""
    hub.faults.append(Fault("POST", f"/commit/{branch}", "lose"))
    assert run(build) == 0
    branches = [name.partition("-")[0] for name, _ in hub.store.repositories[REPO].history]
    assert branches == ["main", "release", "main"]
    assert_published(hub, build)


def test_a_truncated_file_leaves_main_and_the_tag_unchanged(hub, build, capsys):
    hub.faults.append(Fault("PUT", "/storage/", "truncate", 99, skip=1))
    assert run(build, "--tag", "v1") == 1
    assert "was damaged in the upload; main and the tag are unchanged" in capsys.readouterr().err
    assert_untouched(hub)
    assert list(hub.store.repositories[REPO].branches) == ["main"]
    intact = sum(hub.store.is_intact(sha256) for sha256 in hub.store.large_files)
    hub.faults.clear()
    hub.requests.clear()
    assert run(build, "--tag", "v1") == 0
    assert len([request for request in writes(hub) if request.startswith("PUT")]) == len(hub.store.large_files) - intact
    assert_published(hub, build, "v1")


def test_a_file_truncated_once_is_sent_again(hub, build):
    hub.faults.append(Fault("PUT", "/storage/", "truncate", skip=1))
    assert run(build) == 0
    assert_published(hub, build)


def test_private_refuses_a_public_repository(hub, build, capsys):
    assert run(build, "--private") == 0
    assert hub.store.repositories[REPO].private
    hub.store.repositories[REPO].private = False
    assert run(build, "--private") == 5
    assert "is public, but --private was given" in capsys.readouterr().err


def test_a_repository_with_data_of_others_is_refused(hub, build, capsys):
    hub.store.create(REPO)
    hub.store.put(REPO, "data/NER/train-mine.parquet", b"")
    assert run(build) == 5
    assert "contains data/NER/train-mine.parquet, which is not from a release" in capsys.readouterr().err
    assert hub.store.repositories[REPO].branches.keys() == {"main"}


def test_a_wrong_and_a_missing_token_are_refused(hub, build, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert run(build) == 5
    captured = capsys.readouterr().err
    assert "the Hub rejected the token" in captured and "hf_wrong" not in captured
    monkeypatch.delenv("HF_TOKEN")
    hub.requests.clear()
    assert run(build) == 5
    assert "no token for the Hub" in capsys.readouterr().err
    assert hub.requests == []
    assert run(build, "--dry_run") == 0


@pytest.mark.parametrize(
    "tag",
    ["v 1", "main", "", "@", "a..b", "refs/../x", "v1.lock", "/v1", "v1/", "a//b", ".v1", "v1.", "v@{1}", "v\x01"],
)
def test_invalid_tags_are_refused(hub, build, capsys, tag):
    assert run(build, "--tag", tag) == 2
    assert "--tag" in capsys.readouterr().err
    assert hub.requests == []


@pytest.mark.parametrize("tag", ["v1", "1.0", "v1.0-rc_1", "2026/11", "发布"])
def test_valid_tags_are_accepted(tag):
    hub_module.check_names(REPO, tag)


def test_a_wrong_endpoint_and_offline_mode_are_refused(hub, build, monkeypatch, capsys):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "nonsense")
    assert run(build) == 2
    assert "HF_ENDPOINT is not a URL" in capsys.readouterr().err
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    close_session()  # the client reads the setting when it opens a session
    try:
        assert run(build) == 2
    finally:
        monkeypatch.undo()
        close_session()
    assert "HF_HUB_OFFLINE is set" in capsys.readouterr().err


@pytest.mark.parametrize("repo_id", ["corpus", "a/b/c", "org/cor pus", "org/-x"])
def test_invalid_repository_names_are_refused(hub, build, capsys, repo_id):
    assert publish.main(["--output", str(build), "--repo_id", repo_id]) == 2
    assert "--repo_id" in capsys.readouterr().err
    assert hub.requests == []


def test_an_upload_is_resumed_after_ctrl_c(hub, build, monkeypatch):
    monkeypatch.undo()  # the real clock
    hub.faults.append(Fault("PUT", "/storage/", "hang", skip=2))
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
    environment["HF_TOKEN"] = TOKEN
    command = [sys.executable, "-m", "pipelines.publish", "--output", str(build), "--repo_id", REPO]
    started = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=-1, stderr=-1, text=True)
    until = time.monotonic() + 60
    while len([1 for method, _ in hub.requests if method == "PUT"]) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=20)
    assert (started.returncode, out) == (130, "")
    assert err == "interrupted; run the same command again to resume\n"
    assert_untouched(hub)
    hub.released.set()
    hub.requests.clear()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert_published(hub, build)
