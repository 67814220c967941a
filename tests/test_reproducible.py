"""The corpus has the same bytes for any source order, process count or hash seed, after a crash and offline."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.sources import keys
from tests.conftest import ROOT, SMALL, build_here, checksums

CAN_CUT_THE_NETWORK = shutil.which("unshare") and not subprocess.run(["unshare", "-rn", "true"]).returncode


def cut_off(folder: Path, prepare: str, *flags: str, **environment: str) -> Path:
    """Runs a build after the command `prepare`, without a network if this machine allows it. Returns its folder."""
    command = f"{sys.executable} -m pipelines.build --output {folder}/build {' '.join(flags)}"
    start = ["unshare", "-rn", "sh", "-c", f"{prepare} && {command}"] if CAN_CUT_THE_NETWORK else command.split()
    environment = {**os.environ, **environment}
    done = subprocess.run(start, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return folder / "build"


def test_hash_seed_source_order_processes_and_a_missing_network_change_nothing(built, tmp_path):
    """Several processes need the loopback interface only."""
    backwards = ",".join(sorted([*keys(), "IE-en/KG/lighthouses"], reverse=True))
    flags = ("--sources", backwards, "--direct_running_mode=multi_processing", "--direct_num_workers=2")
    output = cut_off(tmp_path, "ip link set lo up", *flags, PYTHONHASHSEED="4711")
    assert checksums(output) == checksums(built)
    assert checksums(output, "**/labels/**/*.json") == checksums(built, "**/labels/**/*.json")


@pytest.mark.skipif(not CAN_CUT_THE_NETWORK, reason="this machine does not let us cut the network off (unshare)")
def test_a_build_in_one_process_needs_no_interface(small, tmp_path):
    assert checksums(cut_off(tmp_path, "true", *SMALL)) == checksums(small)


def test_another_seed_changes_the_labels_in_the_prompts(built, tmp_path):
    done = build_here("--output", str(tmp_path / "other"), "--seed", "7", "--only", "instruct", "--sources", "scierc")
    assert done.returncode == 0, done.stderr
    path = "clean/scierc/train-00000.parquet"
    assert (tmp_path / "other" / path).read_bytes() == (built / path).read_bytes()
    names = ["data/RE/train-00000-of-00001.parquet"]
    assert all((tmp_path / "other" / name).read_bytes() != (built / name).read_bytes() for name in names)


def wait_for(condition, timeout_s: float = 60) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "the build did not get there"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "moment",
    [
        "examples/clue_ner",  # in the middle of reading
        "examples/manifest.json",  # between two stages
        "clean/.cut",  # repaired, before the decision which rows are kept
        "data/NER",  # in the middle of writing instructions
        "reports",  # while validating
    ],
)
def test_a_killed_build_resumes_with_the_same_bytes(small, tmp_path, moment):
    """The stages before the moment are done already; they have written nothing but their files."""
    output = tmp_path / "build"
    folder = moment.partition("/")[0]
    if folder != "examples":  # of the first stage
        shutil.rmtree(shutil.copytree(small, output) / folder)
    command = [sys.executable, "-m", "pipelines.build", "--output", str(output), *SMALL]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    wait_for((output / moment).exists)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = build_here("--output", str(output), *SMALL)
    assert done.returncode == 0, done.stderr
    assert checksums(output) == checksums(small)
    assert not list(output.rglob("*.tmp"))


def test_an_interrupt_is_one_line_and_can_be_resumed(tmp_path):
    command = [sys.executable, "-m", "pipelines.build", "--output", str(tmp_path / "build"), *SMALL]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_for((tmp_path / "build/examples").exists)
    process.send_signal(signal.SIGINT)
    _, output = process.communicate(timeout=60)
    assert process.returncode == 130
    assert output.splitlines()[-1].startswith("interrupted")
    assert "Traceback" not in output
