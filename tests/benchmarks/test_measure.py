"""Processor time and memory of a command, and of processes that it did not start."""

import subprocess
import sys

import pytest

from benchmarks import measure

BUSY = (
    "import sys, time\nblock = b'1' * 10**8\nwhile time.process_time() < {}: pass\nprint(flush=True)\nsys.stdin.read()"
)
"""A program that takes 100 MB and some seconds of processor time, prints a line, and waits."""


@pytest.fixture
def other():
    command = [sys.executable, "-c", BUSY.format(0.3)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.communicate()


def sleep(tmp_path, others) -> tuple[float, int]:
    """Processor seconds and peak memory while a command sleeps."""
    samples = measure.run(["sleep", "0.8"], tmp_path / "log", others)
    return samples[-1].processor, max(sample.memory for sample in samples)


def test_processes_that_are_named_count_from_the_start_of_the_command(tmp_path, other):
    alone, small = sleep(tmp_path, [])
    processor, large = sleep(tmp_path, [other.pid])
    assert alone < 0.1
    assert processor < 0.1  # not the 0.3 s from before
    assert large - small > 90e6


def test_descendants_of_processes_that_are_named_count(tmp_path):
    shell = subprocess.Popen(["sh", "-c", f'"{sys.executable}" -c "{BUSY.format(0.5)}"; true'], stdin=subprocess.PIPE)
    processor, large = sleep(tmp_path, [shell.pid])
    shell.communicate()
    assert processor > 0.05
    assert large > 90e6


def test_a_process_that_has_ended_is_refused(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    with pytest.raises(SystemExit, match=f"^no process {ended.pid}$"):
        measure.run(["true"], tmp_path / "log", [ended.pid])
