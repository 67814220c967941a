"""Publishing to a Hub on loopback: real requests over HTTP, what is there afterwards, and every way to fail."""

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
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")  # of the client's own calls


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub of this test, to which the client in this process speaks; `hub.waits` is what it would have slept."""
    with Hub() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # other tests of the run ask for it
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


@pytest.fixture(scope="module")
def build(small, tmp_path_factory) -> Path:
    """A build that tests may publish: the work folder lies in it."""
    return Path(shutil.copytree(small, tmp_path_factory.mktemp("publish") / "build"))


def run(build: Path, *flags: str) -> int:
    return publish.main(["--output", str(build), "--repo_id", REPO, *flags])


def writes(hub: Hub) -> list[str]:
    """The requests that change something on the Hub or bring something there."""
    asking = r"/api/validate-yaml|.*/preupload/.*|.*/paths-info/.*"
    return [
        f"{method} {path}"
        for method, path in hub.requests
        if method not in ("GET", "HEAD") and not re.fullmatch(asking, path)
    ]


def local_files(build: Path) -> dict[str, str]:
    """Name → SHA-256 of what the release that was last made of the build holds, by the list in it."""
    listed = json.loads((build / contents.WORK / MARKER).read_text())["files"]
    return {name: size_and_sum["sha256"] for name, size_and_sum in listed.items()}


def remote_sums(hub: Hub, revision: str = "main") -> dict[str, str]:
    contents = hub.files(REPO, revision)
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def assert_whole(hub: Hub, build: Path, revision: str = "main") -> None:
    there = remote_sums(hub, revision)
    ours = local_files(build)
    assert there.keys() == {*ours, MARKER, ".gitattributes"}
    assert {name: there[name] for name in ours} == ours


READ_BACK = """
import json, sys
from datasets import get_dataset_config_names, load_dataset
found = {}
for config in get_dataset_config_names("org/corpus"):
    whole = load_dataset("org/corpus", config)
    stream = load_dataset("org/corpus", config, streaming=True, revision="v1")
    for split in whole:
        rows = list(whole[split])
        assert rows == list(stream[split]), (config, split)
        found.setdefault(config, {})[split] = rows
default = load_dataset("org/corpus")
assert {split: list(default[split]) for split in default} == found["default"]
json.dump(found, open(sys.argv[1], "w"))
"""


def test_the_release_of_all_samples_is_read_back(hub, built, tmp_path, capsys):
    build = Path(shutil.copytree(built, tmp_path / "build"))
    assert run(build, "--tag", "v1") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{REPO}: ") and "tag v1 moved" in captured.out
    assert_whole(hub, build)
    repository = hub.repositories[REPO]
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
    found = json.loads((tmp_path / "rows.json").read_text())
    assert list(found) == ["default", "NER", "RE", "SPO", "EE", "EET", "EEA", "KG"]
    open_keys = {key for key in sources.keys() if sources.load(key).licence == "open"} | {"IE-en/KG/lighthouses"}
    for task in list(found)[1:]:
        for split in ("train", "validation", "test"):
            built_rows = [
                row
                for path in sorted((build / "data" / task).glob(f"{split}-*"))
                for row in pq.read_table(path).to_pylist()
            ]
            expected = [row for row in built_rows if row["example_id"].rsplit(f"/{split}/", 1)[0] in open_keys]
            assert found[task].get(split, []) == expected, (task, split)
    assert {split: len(rows) for split, rows in found["default"].items()} == {
        split: sum(len(found[task].get(split, ())) for task in list(found)[1:]) for split in found["default"]
    }
    # No token in what was said or written, here or there.
    assert TOKEN not in captured.out + captured.err
    for path in [*build.rglob("*"), *(tmp_path / "hf").rglob("*")]:
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path
    assert not any(TOKEN.encode() in content for content in hub.files(REPO).values())


def test_a_second_run_sends_nothing(hub, build, capsys):
    assert run(build, "--tag", "v1") == 0
    hub.requests.clear()
    assert run(build, "--tag", "v1") == 0
    assert writes(hub) == []
    assert " 0 of them sent;" in capsys.readouterr().out


def test_a_tag_is_moved_and_files_of_an_earlier_release_go(hub, build):
    assert run(build, "--include_unlicensed", "--tag", "v1") == 0
    first = hub.repositories[REPO].branches["main"]
    hub.put(REPO, "NOTES.md", b"someone's own")
    assert run(build, "--tag", "v2") == 0
    repository = hub.repositories[REPO]
    assert repository.tags == {"v1": first, "v2": repository.branches["main"]}
    there = remote_sums(hub)
    assert there.pop("NOTES.md")
    assert there.keys() == {*local_files(build), MARKER, ".gitattributes"}
    gone = hub.files(REPO, "v1").keys() - there.keys()
    assert "labels/NER/clue_ner.json" in gone
    assert run(build, "--tag", "v1") == 0
    assert repository.tags["v1"] == repository.branches["main"]


def test_large_files_in_parts_and_a_tree_in_pages(hub, build):
    hub.chunk_bytes, hub.page = 5_000, 7
    assert run(build) == 0
    assert any(path.startswith("/complete/") for _, path in hub.requests)
    assert_whole(hub, build)
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


@pytest.mark.parametrize(("fault", "says"), REFUSED, ids=lambda value: getattr(value, "path", ""))
def test_what_the_hub_does_not_allow_is_refused_in_one_line(hub, build, capsys, fault, says):
    hub.faults.append(fault)
    if fault.action == 401:
        hub.faults.append(Fault("POST", "/api/repos/create", 401, 99))
    assert run(build, "--tag", "v1") == 5
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and says in captured.err and REPO in captured.err
    assert TOKEN not in captured.err and "http" not in captured.err
    untouched(hub)
    hub.faults.clear()
    assert run(build, "--tag", "v1") == 0
    assert_whole(hub, build, "v1")


def untouched(hub: Hub) -> None:
    """main is as it was made, and there is no tag."""
    if REPO in hub.repositories:
        assert hub.files(REPO).keys() == {".gitattributes"}
        assert hub.repositories[REPO].tags == {}


@pytest.mark.parametrize(
    "path", ["/api/datasets/org/corpus$", "/branch/", "/preupload/", "/storage/", "/commit/", "/tag/"]
)
@pytest.mark.parametrize("status", [429, 500])
def test_a_busy_hub_is_asked_again(hub, build, path, status):
    method = {"/api/datasets/org/corpus$": "GET", "/storage/": "PUT"}.get(path, "POST")
    hub.faults.append(Fault(method, path, status, headers={"Retry-After": "3"}))
    assert run(build, "--tag", "v1") == 0
    assert len(hub.waits) == 1 and hub.waits[0] in (3, 4)
    assert_whole(hub, build, "v1")


@pytest.mark.parametrize("path", ["/storage/", "/commit/main", "/tag/"])
@pytest.mark.parametrize("action", [500, "cut"])
def test_a_hub_that_stays_broken_leaves_main_and_the_next_run_goes_on(hub, build, capsys, path, action):
    method = "PUT" if path == "/storage/" else "POST"
    hub.faults.append(Fault(method, path, action, 99, skip=2 if path == "/storage/" else 0))
    assert run(build, "--tag", "v1") == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and "run the same command again" in captured.err and "http" not in captured.err
    assert hub.repositories[REPO].tags == {}
    arrived = set(hub.storage)
    if path == "/storage/":
        assert len(arrived) == 2
    if path != "/tag/":
        untouched(hub)
    hub.faults.clear()
    hub.requests.clear()
    assert run(build, "--tag", "v1") == 0
    sent = {request.removeprefix("PUT /storage/") for request in writes(hub) if request.startswith("PUT")}
    assert not sent & arrived
    assert_whole(hub, build, "v1")


def test_a_connection_cut_once_is_taken_up_again(hub, build):
    hub.faults.append(Fault("PUT", "/storage/", "cut", skip=1))
    assert run(build) == 0
    assert_whole(hub, build)


@pytest.mark.parametrize("branch", ["main", "release-"])
def test_an_answer_that_is_lost_after_the_commit(hub, build, branch):
    """The client asks again on a parent that is no longer the head, and finds its own commit there."""
    hub.faults.append(Fault("POST", f"/commit/{branch}", "lose"))
    assert run(build) == 0
    made = [name.partition("-")[0] for name, _ in hub.repositories[REPO].history]
    assert made == ["main", "release", "main"]
    assert_whole(hub, build)


def test_a_file_that_arrives_truncated(hub, build, capsys):
    hub.faults.append(Fault("PUT", "/storage/", "truncate", 99, skip=1))
    assert run(build, "--tag", "v1") == 1
    assert "was damaged in the upload; main and the tag are unchanged" in capsys.readouterr().err
    untouched(hub)
    assert list(hub.repositories[REPO].branches) == ["main"]
    whole = sum(hub.is_whole(sha256) for sha256 in hub.storage)
    hub.faults.clear()
    hub.requests.clear()
    assert run(build, "--tag", "v1") == 0
    assert len([request for request in writes(hub) if request.startswith("PUT")]) == len(hub.storage) - whole
    assert_whole(hub, build, "v1")


def test_a_file_that_arrives_truncated_once_is_sent_again(hub, build):
    hub.faults.append(Fault("PUT", "/storage/", "truncate", skip=1))
    assert run(build) == 0
    assert_whole(hub, build)


def test_private_repositories(hub, build, capsys):
    assert run(build, "--private") == 0
    assert hub.repositories[REPO].private
    hub.repositories[REPO].private = False
    assert run(build, "--private") == 5
    assert "is public, but --private was given" in capsys.readouterr().err


def test_a_repository_with_data_of_others_is_refused(hub, build, capsys):
    hub.create(REPO)
    hub.put(REPO, "data/NER/train-mine.parquet", b"")
    assert run(build) == 5
    assert "contains data/NER/train-mine.parquet, which is not from a release" in capsys.readouterr().err
    assert hub.repositories[REPO].branches.keys() == {"main"}


def test_a_wrong_token_and_none(hub, build, monkeypatch, capsys):
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
def test_wrong_tags(hub, build, capsys, tag):
    assert run(build, "--tag", tag) == 2
    assert "--tag" in capsys.readouterr().err
    assert hub.requests == []


@pytest.mark.parametrize("tag", ["v1", "1.0", "v1.0-rc_1", "2026/11", "发布"])
def test_tags(tag):
    hub_module.check_names(REPO, tag)


def test_no_way_to_the_hub(hub, build, monkeypatch, capsys):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "nonsense")
    assert run(build) == 2
    assert "HF_ENDPOINT is not a URL" in capsys.readouterr().err
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    close_session()  # the client looks at it when it opens one
    try:
        assert run(build) == 2
    finally:
        monkeypatch.undo()
        close_session()
    assert "HF_HUB_OFFLINE is set" in capsys.readouterr().err


@pytest.mark.parametrize("repo_id", ["corpus", "a/b/c", "org/cor pus", "org/-x"])
def test_wrong_repository_names(hub, build, capsys, repo_id):
    assert publish.main(["--output", str(build), "--repo_id", repo_id]) == 2
    assert "--repo_id" in capsys.readouterr().err
    assert hub.requests == []


def test_ctrl_c_in_an_upload_and_the_run_after_it(hub, build, monkeypatch):
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
    untouched(hub)
    hub.released.set()
    hub.requests.clear()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert_whole(hub, build)
