"""How worker processes end: with the build, with an error or by a signal."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from apache_beam.runners.portability.job_server import SubprocessJobServer

from pipelines import build
from pipelines.engine import job_service

ROOT = Path(__file__).resolve().parents[3]
TWO = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
SMALL = ("--sources", "conll2003", "--limit", "20", "--hard_negatives", "none")

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")


def children(pid: int) -> list[int]:
    pids: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has ended
            pids += map(int, task.read_text().split())
    return pids


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def command(output: Path) -> list[str]:
    return [sys.executable, "-m", "pipelines.build", "--output", str(output), *SMALL]


def with_workers(output: Path) -> tuple[subprocess.Popen, list[int], list[int]]:
    """A build whose current stage has just started its workers, the ids of the workers, and those of all children."""
    start = [*command(output), *TWO]
    process = subprocess.Popen(start, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    for _ in range(12_000):
        below = children(process.pid)
        workers = [worker for child in below for worker in children(child)]
        if len(workers) == 2:
            return process, workers, [*below, *workers]
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    raise AssertionError("no workers after 120 s")


def wait_until_gone(pids: list[int]) -> None:
    for _ in range(500):
        if not any(map(alive, pids)):
            return
        time.sleep(0.01)
    raise AssertionError(f"{[pid for pid in pids if alive(pid)]} still run")


LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
"""127.0.0.1, its IPv6-mapped address, and ::1, in the notation of /proc/net."""


def listening(pids: list[int]) -> tuple[set[str], set[Path]]:
    """Addresses of the TCP ports, and paths of the Unix sockets, on which any of the processes listens."""
    sockets = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):  # closed, or ended
                sockets.add(os.readlink(descriptor))
    inodes = {name.removeprefix("socket:[").removesuffix("]") for name in sockets if name.startswith("socket:[")}
    rows = [line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]]
    unix = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return (
        {row[1] for row in rows if row[3] == "0A" and row[9] in inodes},
        {Path(row[7]) for row in unix if row[3] == "00010000" and row[6] in inodes and len(row) > 7},
    )


THREADS = ("--direct_running_mode=multi_threading", "--direct_num_workers=2")
JOB_SERVICE = ("--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=LOOPBACK")


@pytest.mark.parametrize(("workers", "ports_expected"), [(TWO, False), (THREADS, False), (JOB_SERVICE, True)])
def test_the_engine_listens_only_on_loopback_or_private_sockets(tmp_path, workers, ports_expected):
    """Anyone who can connect can run code: Beam must listen on private Unix sockets or on the loopback only."""
    start = [*command(tmp_path / "build"), "--only", "ingest", *workers]
    process = subprocess.Popen(start, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    ports, sockets = set(), set()
    while process.poll() is None:
        below = children(process.pid)
        seen = listening([process.pid, *below, *(worker for child in below for worker in children(child))])
        ports |= seen[0]
        sockets |= {(path.parent, path.parent.stat().st_mode & 0o777) for path in seen[1] if path.parent.exists()}
        time.sleep(0.05)  # a stage listens for longer
    assert process.returncode == 0, process.communicate()
    assert {address.rpartition(":")[0] for address in ports} <= LOOPBACK
    assert bool(ports) == ports_expected
    assert [mode for _, mode in sockets] == [0o700]  # at least one socket, all in one folder
    assert not any(folder.exists() for folder, _ in sockets)


def test_a_build_without_standard_output_has_workers(tmp_path):
    start = ["bash", "-c", 'exec "$@" >&-', "bash", *command(tmp_path / "build"), "--only", "ingest", *TWO]
    done = subprocess.run(start, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr


def test_a_killed_worker_ends_all_processes_with_one_line(tmp_path):
    process, workers, below = with_workers(tmp_path / "build")
    commands = [Path(f"/proc/{pid}/cmdline").read_text() for pid in (process.pid, *below)]
    assert len({each for each in commands if "resource_tracker" not in each}) == 1  # so no Python was started anew
    os.kill(workers[0], signal.SIGKILL)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert [line for line in stderr.splitlines() if line.startswith("error: a worker process died")]
    assert "Traceback" not in stderr
    wait_until_gone(below)
    assert build.main(["--output", str(tmp_path / "build"), *SMALL, "--only", "ingest"]) == 0


@pytest.mark.parametrize("send", [lambda pid: os.killpg(pid, signal.SIGINT), lambda pid: os.kill(pid, signal.SIGTERM)])
def test_an_interrupt_ends_all_processes(tmp_path, send):
    process, _, below = with_workers(tmp_path / "build")
    send(process.pid)  # Ctrl-C in a terminal interrupts all of them
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.splitlines()[-1].startswith("interrupted")
    assert "Traceback" not in stderr
    wait_until_gone(below)


def test_workers_end_with_a_build_that_is_killed(tmp_path):
    process, _, below = with_workers(tmp_path / "build")
    process.kill()
    process.communicate(timeout=60)
    wait_until_gone(below)


RAISING = f"""
import argparse, os
import logging
logging.basicConfig(level=logging.CRITICAL)  # as a build does
from pipelines.engine import command_line

with command_line.loading(argparse.Namespace(status=False, dry_run=False, beam_flags={list(TWO)}), []):
    import apache_beam
    from pipelines import driver
    from pipelines.engine import runner, workers
    from pipelines.engine.options import parse_options
    from schemas.errors import ConfigError
    from tests.pipelines.engine.test_runner import refuse
    opened = [os.readlink(file.path) for file in os.scandir("/proc/self/fd") if os.path.lexists(file.path)]
    print([name for name in opened if name.startswith(("socket:", "anon_inode:"))])

workers.register()
try:
    runner.run(lambda p: p | apache_beam.Create([3]) | apache_beam.Map(refuse), parse_options({list(TWO)}), "")
except ConfigError as error:
    print(error)
"""


def test_an_error_of_a_worker_is_raised_and_nothing_else_is_printed():
    """The imports before the fork must open no channel: it would not survive the fork."""
    script = [sys.executable, "-c", RAISING]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\nlabels.json:3: no such label\n"
    assert done.stderr == ""


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from multiprocessing import get_context
from pipelines import build
code = build.main(sys.argv[2:])
worker = get_context("forkserver").Process(target=exec, args=("import sys; print(sys.modules['pipelines.driver'])",))
sys.modules["__main__"] = type(sys)("__main__")
worker.start()
worker.join()
print(code)
"""


@pytest.mark.parametrize("piped", [False, True])
def test_workers_of_a_script_load_neither_the_script_nor_other_code(tmp_path, piped):
    """The script starts a build on import, so no worker may import it. `piped`: the script is read from stdin."""
    (tmp_path / "elsewhere").symlink_to(ROOT)
    (tmp_path / "script.py").write_text(SCRIPT)
    flags = [str(tmp_path / "elsewhere"), "--output", "build", *SMALL, *TWO, "--only", "ingest"]
    done = subprocess.run(
        [sys.executable, "-" if piped else "script.py", *flags],
        cwd=tmp_path,
        input=SCRIPT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    loaded, code = done.stdout.splitlines()
    assert str(tmp_path / "elsewhere") in loaded
    assert code == "0"
    assert (tmp_path / "build" / "examples" / "manifest.json").exists()


JOB_SERVER = """
import subprocess
from apache_beam.runners.portability.job_server import SubprocessJobServer
from pipelines.engine import job_service

class Server(SubprocessJobServer):
    def subprocess_cmd_and_endpoint(self):
        return ["sh", "-c", "echo started; exec sleep 100"], "localhost:1"

command, _ = job_service.end_with_command(Server()).subprocess_cmd_and_endpoint()
subprocess.run(command)
"""


def test_a_job_server_ends_with_a_command_that_is_killed():
    start = [sys.executable, "-c", JOB_SERVER]
    with subprocess.Popen(start, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout.readline() == b"started\n"
        below = children(process.pid)
        assert len(below) == 1
        assert os.getpgid(below[0]) == below[0]  # an interrupt of the terminal does not reach it
        process.kill()
        wait_until_gone(below)


def test_a_job_server_whose_program_is_missing():
    class Server(SubprocessJobServer):
        def subprocess_cmd_and_endpoint(self):
            return ["no-java"], "localhost:1"

    with pytest.raises(FileNotFoundError, match="no no-java; install it"):
        job_service.end_with_command(Server()).subprocess_cmd_and_endpoint()
