"""The job that writes into an output: recorded, waited for, cancelled, also that of a command that was killed."""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import apache_beam as beam
import grpc
import pytest
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc
from apache_beam.runners.portability.local_job_service import LocalJobServicer
from apache_beam.runners.portability.portable_runner import JobServiceHandle

from pipelines.engine import cluster, flink, job_service, running_job
from pipelines.engine.options import parse_options
from schemas.errors import ConfigError, MachineError
from tests.pipelines.engine.conftest import on

State = beam_job_api_pb2.JobState


def test_flink_is_only_cancelled_at_an_address_that_is_known():
    assert flink.rest_address(parse_options([])) is None
    assert flink.rest_address(parse_options(["--flink_master=[local]"])) is None
    assert flink.rest_address(parse_options(["--flink_master=[::1]:8081"])) == "http://[::1]:8081"
    assert flink.rest_address(parse_options(["--flink_master=a:8081"])) == "http://a:8081"
    assert flink.rest_address(parse_options(["--flink_master=https://a/flink/"])) == "https://a/flink"


def sleep(element: int) -> int:
    time.sleep(element)
    return element


def run_job(service: str, output: Path, stalled=lambda: None, seconds: int = 1, flink_master: str = "[auto]") -> None:
    options = on(service, "--job_name=team", f"--flink_master={flink_master}")
    pipeline = beam.Pipeline(runner=job_service.portable_runner("PortableRunner"), options=options)
    pipeline | beam.Create([seconds]) | beam.Map(sleep)
    job_service.run(pipeline, options, str(output), stalled)


def states(service: str) -> dict[str, int]:
    """Name → state of all jobs of the service."""
    with grpc.insecure_channel(service) as channel:
        stub = beam_job_api_pb2_grpc.JobServiceStub(channel)
        jobs = stub.GetJobs(beam_job_api_pb2.GetJobsRequest()).job_info
    return {job.pipeline_options[running_job.NAME_OPTION]: job.state for job in jobs}


def recorded(output: Path) -> str:
    return json.loads((output / running_job.FILE).read_text())["name"]


def test_a_job_is_waited_for_and_named_while_it_runs(service, tmp_path):
    names = []
    run_job(service, tmp_path, lambda: names.append(recorded(tmp_path)))
    assert re.fullmatch(r"team-\w{12}", names[0])
    assert states(service)[names[0]] == State.DONE
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, MachineError, ZeroDivisionError])
def test_whatever_ends_the_wait_cancels_the_job(service, tmp_path, error):
    names = []

    def fail() -> None:
        names.append(recorded(tmp_path))
        raise error("no new file")

    with pytest.raises(error, match="no new file"):
        run_job(service, tmp_path, fail)
    assert states(service)[names[0]] == State.CANCELLED
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_does_not_end_is_cancelled_with_the_reason(service, tmp_path):
    names = []

    def stalled() -> str:
        names.append(recorded(tmp_path))
        return "no new file"

    with pytest.raises(MachineError, match=r"^no new file$"):
        run_job(service, tmp_path, stalled)
    assert states(service)[names[0]] == State.CANCELLED


def test_an_interrupt_while_a_job_is_submitted_cancels_it(service, tmp_path, monkeypatch):
    submit = JobServiceHandle.run

    def submit_and_interrupt(handle, preparation_id) -> None:
        submit(handle, preparation_id)
        raise KeyboardInterrupt

    monkeypatch.setattr(JobServiceHandle, "run", submit_and_interrupt)
    before = states(service)
    with pytest.raises(KeyboardInterrupt):
        run_job(service, tmp_path)
    assert [state for name, state in states(service).items() if name not in before] == [State.CANCELLED]


class Killed(BaseException):
    """Ends a command so that nothing is cleaned up, as SIGKILL does."""


def killed(*_: object) -> None:
    raise Killed


def test_the_next_command_cancels_the_job_of_a_killed_one(service, tmp_path, monkeypatch, capfd):
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(running_job, "cancel", killed)
        run_job(service, tmp_path, killed, seconds=3)
    (tmp_path / cluster.FOLDER).mkdir()
    (tmp_path / cluster.FOLDER / "token").touch()
    name = recorded(tmp_path)
    assert states(service)[name] == State.RUNNING
    cluster.clear(str(tmp_path))
    assert states(service)[name] == State.CANCELLED
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == f"the job {name} of a command that was killed has ended\n"
    cluster.clear(str(tmp_path))
    assert capfd.readouterr().err == ""


def test_a_job_whose_server_does_not_answer_is_not_built_over(tmp_path):
    running_job.record(running_job.RunningJob("a-1", None, "localhost:1"), str(tmp_path))
    with pytest.raises(MachineError, match=r"/\.job\.json: the job a-1 of a command that was killed may still write"):
        cluster.clear(str(tmp_path))
    running_job.record(running_job.RunningJob("a-1", "http://localhost:1", None), str(tmp_path))
    with pytest.raises(MachineError, match=r"and http://localhost:1 does not cancel it \(.*refused.*\); start"):
        cluster.clear(str(tmp_path))
    assert (tmp_path / running_job.FILE).exists()


class FlinkWithJobs(BaseHTTPRequestHandler):
    """The part of Flink's REST interface that cancelling needs. `server.jobs`: name → state; the id is the name."""

    def do_GET(self):
        jobs = [
            {"name": name, "jid": name, "start-time": 1, "state": state} for name, state in self.server.jobs.items()
        ]
        self.answer({"jobs": jobs})

    def do_PATCH(self):
        self.server.jobs[self.path.removeprefix("/jobs/").removesuffix("?mode=cancel")] = "CANCELED"
        self.answer({})

    def answer(self, content: dict) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def rest():
    """A Flink with a job of somebody else."""
    with ThreadingHTTPServer(("localhost", 0), FlinkWithJobs) as server:
        server.jobs = {"team": "RUNNING"}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_lost_job_service_cancels_the_job_on_flink_and_no_other(rest, tmp_path, capfd):
    jobs = LocalJobServicer(str(tmp_path / "staged"))
    address = f"localhost:{jobs.start_grpc_server()}"
    output = tmp_path / "build"

    def lose() -> None:
        rest.jobs[recorded(output)] = "RUNNING"
        jobs.stop()

    with pytest.raises(grpc.RpcError) as raised:
        run_job(address, output, lose, 30, f"localhost:{rest.server_port}")
    assert sorted(rest.jobs.values()) == ["CANCELED", "RUNNING"]
    assert rest.jobs["team"] == "RUNNING"
    assert job_service.meaning(str(raised.value)).startswith("the job service or a worker cannot be reached")
    assert capfd.readouterr().err == ""
    assert list(output.iterdir()) == []


@pytest.mark.parametrize("state", ["RUNNING", "RESTARTING", "FAILED"])
def test_the_job_of_a_killed_command_on_flink_is_cancelled_unless_it_has_ended(rest, tmp_path, state):
    rest.jobs["team-1"] = state
    running_job.record(running_job.RunningJob("team-1", f"http://localhost:{rest.server_port}", None), str(tmp_path))
    cluster.clear(str(tmp_path))
    assert rest.jobs == {"team": "RUNNING", "team-1": "FAILED" if state == "FAILED" else "CANCELED"}


class ServicerThatLosesTheEnd(LocalJobServicer):
    """Lists a job as running for ever, as Beam's Java job server does if a killed command cannot take its messages."""

    def Cancel(self, request, context=None):
        return beam_job_api_pb2.CancelJobResponse(state=State.RUNNING)


def test_a_job_that_ended_on_flink_is_over_whatever_the_job_server_lists(rest, tmp_path, monkeypatch):
    jobs = ServicerThatLosesTheEnd(str(tmp_path / "staged"))
    service, output = f"localhost:{jobs.start_grpc_server()}", tmp_path / "build"
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(running_job, "cancel", killed)
        run_job(service, output, killed, 30, f"localhost:{rest.server_port}")
    name = recorded(output)
    rest.jobs[name] = "RUNNING"
    cluster.clear(str(output))
    assert states(service)[name] == State.RUNNING
    assert rest.jobs == {"team": "RUNNING", name: "CANCELED"}
    assert list(output.iterdir()) == []
    jobs.stop()


def test_a_job_server_of_flink_needs_the_address_of_flink(rest):
    with pytest.raises(ConfigError, match=r"^a job server of Flink needs --flink_master=HOST:PORT, too"):
        job_service.check_flink(parse_options(["--runner=PortableRunner", "--job_endpoint=a:1"]))
    job_service.check_flink(parse_options(["--runner=FlinkRunner"]))  # Flink ends with the job server, and this with us
    job_service.check_flink(parse_options(["--runner=FlinkRunner", f"--flink_master=localhost:{rest.server_port}"]))
    with pytest.raises(MachineError, match=r"^--flink_master=localhost:1: no Flink answers there"):
        job_service.check_flink(parse_options(["--runner=FlinkRunner", "--flink_master=localhost:1"]))
