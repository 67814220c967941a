"""Jobs on a job service that has options of its own, whose jobs fail, or that is lost; and when it is not asked."""

import contextlib
import io
import re
import socket
import threading
import time

import apache_beam as beam
import pytest
from apache_beam.portability.api import beam_job_api_pb2
from apache_beam.runners.portability.local_job_service import BeamJob, LocalJobServicer

from pipelines import build
from pipelines.engine import job_service, runner, running_job
from pipelines.engine.options import parse_options
from pipelines.knowledge import __main__ as knowledge
from schemas.errors import ConfigError, MachineError

State = beam_job_api_pb2.JobState
TYPE = beam_job_api_pb2.PipelineOptionType


class Service(LocalJobServicer):
    """A job service with two options of its own. Its jobs call `act` and end in the state that this returns."""

    def __init__(self, folder, act):
        class Job(BeamJob):
            def _run_job(self):
                self.set_state(State.RUNNING)
                self.set_state(act(self))

        super().__init__(str(folder), Job)

    def DescribePipelineOptions(self, request, context=None):
        options = {"max_bundle_size": TYPE.INTEGER, "object_reuse": TYPE.BOOLEAN}
        described = [beam_job_api_pb2.PipelineOptionDescriptor(name=name, type=kind) for name, kind in options.items()]
        return beam_job_api_pb2.DescribePipelineOptionsResponse(options=described)


@pytest.fixture
def serve(tmp_path):
    services: list[Service] = []

    def start(act=lambda job: State.DONE) -> tuple[Service, str]:
        services.append(Service(tmp_path / "staging", act))
        return services[-1], f"localhost:{services[-1].start_grpc_server()}"

    yield start
    for service in services:
        service.stop(None)


def options(address: str, *flags: str):
    return parse_options(
        [
            "--runner=PortableRunner",
            f"--job_endpoint={address}",
            "--environment_type=beam:env:embedded_python:v1",
            *flags,
        ]
    )


def create(pipeline: beam.Pipeline):
    return pipeline | beam.Create([1])


def test_options_of_the_job_service_are_accepted(serve):
    job_service.check_flags(options(serve()[1], "--object_reuse", "--max_bundle_size", "9"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--max_bundle_sise", "9"], "unknown flag --max_bundle_sise; did you mean --max_bundle_size"),
        (["--max_bundle_size", "9", "stray"], "unknown flag stray; see --help"),
        (["--max_bundle_size=big"], "argument --max_bundle_size: invalid int value: 'big'"),
    ],
)
def test_other_flags_and_wrong_values_are_refused(serve, flags, message):
    with pytest.raises(ConfigError) as raised:
        job_service.check_flags(options(serve()[1], *flags))
    assert str(raised.value).startswith(message)


def test_options_reach_the_job_with_their_values(serve, tmp_path):
    service, address = serve()
    runner.run(create, options(address, "--max_bundle_size", "9", "--object_reuse"), str(tmp_path))
    (job,) = service._jobs.values()
    passed = dict(job._pipeline_options)
    assert (passed["beam:option:max_bundle_size:v1"], passed["beam:option:object_reuse:v1"]) == ("9", True)


def test_a_job_that_fails_is_one_line(serve, tmp_path):
    def fail(job: BeamJob) -> int:
        text = "java.lang.IllegalStateException: b\n\tat a.B(B.java:3)"
        level = beam_job_api_pb2.JobMessage.JOB_MESSAGE_ERROR
        job._log_queues.put(beam_job_api_pb2.JobMessage(importance=level, message_text=text))
        return State.FAILED

    _, address = serve(fail)
    with pytest.raises(MachineError) as raised:
        runner.run(create, options(address), str(tmp_path))
    assert str(raised.value) == "the job failed on the cluster: java.lang.IllegalStateException: b"


def test_a_job_may_last_longer_than_the_time_limit_of_an_answer(serve, tmp_path):
    _, address = serve(lambda job: (time.sleep(3), State.DONE)[1])
    runner.run(create, options(address, "--job_server_timeout=1"), str(tmp_path))


def test_an_error_of_the_service_names_its_code_and_details(serve, tmp_path):
    service, address = serve()

    def fail(job):
        raise LookupError("no room for\nmore jobs")

    service._beam_job_type.get_state_stream = fail
    with pytest.raises(MachineError, match=r"^the job failed on the cluster: UNKNOWN: .*no room for$"):
        runner.run(create, options(address), str(tmp_path))


def test_a_job_service_that_is_lost_ends_the_wait_without_a_traceback(serve, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    job_service.portable_runner.cache_clear()
    ended = threading.Event()
    service, address = serve(lambda job: (ended.wait(20), State.DONE)[1])

    def stop_once_running() -> None:
        if any(job.state == State.RUNNING for job in service._jobs.values()):
            service._server.stop(None)

    began = time.monotonic()
    with pytest.raises(MachineError, match=r"^the job service or a worker cannot be reached any more; run the same"):
        runner.run(create, options(address), str(tmp_path), stop_once_running)
    assert time.monotonic() - began < 15
    ended.set()
    for thread in threading.enumerate():
        if thread.name == "wait_until_finish_read":
            thread.join(10)
    assert "Traceback" not in capfd.readouterr().err


def test_a_job_that_can_no_longer_be_cancelled_is_reported_with_the_reason_to_cancel_it(serve, tmp_path, capfd):
    ended = threading.Event()
    service, address = serve(lambda job: (ended.wait(20), State.DONE)[1])

    def lose_and_stall() -> str:
        service._server.stop(None)
        return "no new file"

    with pytest.raises(MachineError, match=r"^no new file$"):
        runner.run(create, options(address), str(tmp_path), lose_and_stall)
    ended.set()
    assert re.search(
        r"^warning: the job ieforge-\w+ may still be running: .*; the next c", capfd.readouterr().err, re.M
    )
    assert (tmp_path / running_job.FILE).exists()


@pytest.mark.parametrize(
    ("command", "flags"), [(build, ["--sources=IE-en/KG/lighthouses"]), (knowledge, ["--lang=en"])]
)
@pytest.mark.parametrize("only_looks", ["--status", "--dry_run"])
def test_status_and_plan_do_not_contact_the_cluster(tmp_path, command, flags, only_looks):
    with socket.create_server(("localhost", 0)) as listener:
        listener.settimeout(0.1)
        address = f"localhost:{listener.getsockname()[1]}"
        portable = ["--runner=PortableRunner", f"--job_endpoint={address}", "--max_bundle_size", "9"]
        with contextlib.redirect_stdout(io.StringIO()):
            assert command.main([*flags, *portable, f"--output={tmp_path / 'out'}", only_looks]) == 0
        with pytest.raises(TimeoutError):
            listener.accept()
    assert not (tmp_path / "out").exists()
