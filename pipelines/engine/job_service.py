"""Jobs on a cluster: the job service that takes them, its flags, waiting for a job, and what its errors mean."""

import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    GoogleCloudOptions,
    PipelineOptions,
    PortableOptions,
    SparkRunnerOptions,
)
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc
from apache_beam.runners.portability.job_server import JobServer, SubprocessJobServer
from apache_beam.runners.portability.portable_runner import JobServiceHandle, PipelineResult, PortableRunner
from apache_beam.runners.runner import create_runner
from apache_beam.transforms.environments import Environment, ProcessEnvironment

from pipelines.engine import flink, running_job, workers
from pipelines.engine.options import FLAGS_HINT, portable_name, split_unknown
from schemas.command import refuse_flag
from schemas.errors import ConfigError, MachineError

ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/]+):[0-9]+")

POLL_S = 0.5
"""Seconds between two looks at a job that is running."""


def check_flags(beam_options: PipelineOptions, known_flags: Sequence[str] = ()) -> None:
    """Raises ConfigError for a flag that neither Beam nor the job service of a runner of PORTABLE knows.

    Raises ConfigError for flags that start no job service, no workers and no job, too; MachineError if there is no job
    service or no Flink at the address, or if the job service cannot be started.
    """
    check_environment(beam_options.view_as(PortableOptions))
    check_values(beam_options)
    with job_service_errors(beam_options):
        endpoint = beam_options.view_as(PortableOptions).job_endpoint
        if endpoint not in (None, "", "embed"):  # embed: Beam's service in this process
            with grpc.insecure_channel(endpoint) as channel:  # Beam itself would wait for minutes
                grpc.channel_ready_future(channel).result(running_job.ANSWER_S)
        service = portable_runner(portable_name(beam_options)).create_job_service(beam_options).job_service
        described = service.DescribePipelineOptions(
            beam_job_api_pb2.DescribePipelineOptionsRequest(), timeout=running_job.ANSWER_S
        )
    unknown, flag_names = split_unknown(beam_options._flags or (), described.options)
    if unknown:
        refuse_flag(unknown[0], flag_names.union(known_flags), FLAGS_HINT)
    if "flink_master" in {option.name for option in described.options}:
        check_flink(beam_options)


def check_values(beam_options: PipelineOptions) -> None:
    """Raises ConfigError for values that can be refused before any server is asked."""
    name, endpoint = portable_name(beam_options), beam_options.view_as(PortableOptions).job_endpoint
    if not endpoint and name == "PortableRunner":
        raise ConfigError("--runner=PortableRunner needs --job_endpoint=HOST:PORT, the address of a job server")
    if endpoint and endpoint != "embed" and not ADDRESS.fullmatch(endpoint):
        raise ConfigError(f"--job_endpoint={endpoint}: must be HOST:PORT, for example localhost:8099")
    on_flink = beam_options.view_as(FlinkRunnerOptions)
    for flag, number in ("parallelism", on_flink.parallelism), ("max_parallelism", on_flink.max_parallelism):
        if number < 1 and number != -1:  # -1: Flink's settings decide
            raise ConfigError(f"--{flag}={number}: must be a number above 0")
    jars = {
        "flink_job_server_jar": on_flink.flink_job_server_jar,
        "spark_job_server_jar": beam_options.view_as(SparkRunnerOptions).spark_job_server_jar,
    }
    for flag, jar in jars.items():
        if jar and "://" not in jar and not Path(jar).is_file():
            raise ConfigError(f"--{flag}={jar}: no such file; check the path")


def check_flink(beam_options: PipelineOptions) -> None:
    """Checks that jobs on the Flink of an external job server can be cancelled: it only stops to wait for them.

    Raises ConfigError if `--flink_master` is missing, MachineError if no Flink answers there.
    """
    master = beam_options.view_as(FlinkRunnerOptions).flink_master
    if master == "[auto]" and beam_options.view_as(PortableOptions).job_endpoint:
        raise ConfigError("a job server of Flink needs --flink_master=HOST:PORT, too, where jobs can be cancelled")
    if address := flink.rest_address(beam_options):
        try:
            flink.jobs(address)
        except (OSError, ValueError) as error:
            raise MachineError(
                f"--flink_master={master}: no Flink answers there; start it, or check the address"
            ) from error


def check_environment(portable: PortableOptions) -> None:
    """Raises ConfigError if the flags say nothing that starts workers."""
    kind, config = portable.environment_type, portable.environment_config
    try:
        environment = Environment.from_options(portable)
    except (ValueError, TypeError, AttributeError) as error:  # what Beam raises depends on the kind
        raise ConfigError(
            f"--environment_type={kind} with --environment_config={config}: {first_line(error)}; for example "
            '--environment_type=PROCESS --environment_config=\'{"command": "ieforge-worker"}\''
        ) from error
    if isinstance(environment, ProcessEnvironment) and not environment.command:
        raise ConfigError('--environment_type=PROCESS needs --environment_config=\'{"command": "ieforge-worker"}\'')


@cache
def portable_runner(name: str) -> PortableRunner:
    """Beam's runner of this name, with one job server for all jobs of this process instead of one for each job."""
    threading.excepthook = workers.report_exception  # Beam's threads raise what is raised in the main thread, too
    runner = create_runner(name)
    assert isinstance(runner, PortableRunner)
    start = runner.default_job_server
    servers: list[JobServer] = []

    def default_job_server(beam_options: PipelineOptions) -> JobServer:
        if not servers:
            interrupt = signal.getsignal(signal.SIGINT)
            servers.append(end_with_command(start(beam_options)))
            servers[0].start()
            signal.signal(signal.SIGINT, interrupt)  # Beam's would end the server before the job is cancelled
        return servers[0]

    create_handle = runner.create_job_service_handle

    def create_handle_without_deadline(
        service: beam_job_api_pb2_grpc.JobServiceStub, beam_options: PipelineOptions
    ) -> JobServiceHandle:
        handle = create_handle(service, beam_options)
        handle.timeout = None  # Beam's, for one answer, also ends the stream of states: no job could last longer
        return handle

    setattr(runner, "default_job_server", default_job_server)  # noqa: B010 - a method cannot be assigned to
    setattr(runner, "create_job_service_handle", create_handle_without_deadline)  # noqa: B010 - as above
    return runner


END_WITH_COMMAND = (
    "import ctypes, os, signal, sys; os.setpgrp(); ctypes.CDLL(None).prctl(1, signal.SIGKILL); "
    "os.getppid() == int(sys.argv[1]) and os.execvp(sys.argv[2], sys.argv[2:])"
)
"""Becomes another program, which is killed when its parent ends (PR_SET_PDEATHSIG, prctl(2)), but does not get the
interrupt of a terminal: the job is cancelled first.
"""


def end_with_command(server: JobServer) -> JobServer:
    """Lets a job server that is a process of its own end with this one, however this one ends."""
    inner = getattr(server, "_job_server", server)
    if isinstance(inner, SubprocessJobServer):
        plan = inner.subprocess_cmd_and_endpoint

        def command_and_endpoint() -> tuple[list[str], str]:
            command, endpoint = plan()
            if shutil.which(command[0]) is None:
                raise FileNotFoundError(f"no {command[0]}; install it, or add it to PATH")
            return [sys.executable, "-I", "-c", END_WITH_COMMAND, str(os.getpid()), *command], endpoint

        setattr(inner, "subprocess_cmd_and_endpoint", command_and_endpoint)  # noqa: B010 - as above
    return server


@contextmanager
def job_service_errors(beam_options: PipelineOptions) -> Iterator[None]:
    """Turns the errors of a job service that does not answer, or does not start, into one line."""
    endpoint = beam_options.view_as(PortableOptions).job_endpoint
    where = f"--job_endpoint={endpoint}" if endpoint else f"--runner={portable_name(beam_options)}"
    try:
        yield
    except (grpc.FutureTimeoutError, grpc.RpcError) as error:
        raise MachineError(f"{where}: no job service answers there; start it, or check the address") from error
    except (NotImplementedError, ValueError, RuntimeError, OSError) as error:
        raise MachineError(f"{where}: the job server cannot be started: {first_line(error)}") from error


def run(pipeline: beam.Pipeline, beam_options: PipelineOptions, output: str, stalled: Callable[[], str | None]) -> None:
    """Submits a job that writes into `output`, and waits for its end.

    Whatever else ends this, the job is cancelled: it would go on to write, and keep its slots from the next one. If it
    cannot be cancelled, the next command with this output does it.
    """
    job = running_job.create(beam_options)
    pipeline.options.view_as(GoogleCloudOptions).job_name = job.name
    service = portable_runner(portable_name(beam_options)).create_job_service(beam_options).job_service
    running_job.record(job, output)
    try:
        result = pipeline.run()
        assert isinstance(result, PipelineResult)
        service = result._job_service  # "embed" starts one for each job
        wait(result, stalled)
    except BaseException:
        try:
            running_job.cancel(job, service)
            running_job.forget(output)
        except (grpc.RpcError, OSError, MachineError) as problem:  # what ended the job says more
            hint = "the next command with this --output cancels it first"
            print(f"warning: the job {job.name} may still be running: {first_line(problem)}; {hint}", file=sys.stderr)
        raise
    running_job.forget(output)


def wait(result: PipelineResult, stalled: Callable[[], str | None]) -> None:
    """Waits for the end of a job in a thread, so that an interrupt ends this. Raises what Beam raises for a job that
    fails, and MachineError with the reason that `stalled` returns.
    """
    raised: list[Exception] = []

    def wait_until_finish() -> None:
        try:
            result.wait_until_finish()
        except Exception as error:  # raised again below, in the main thread
            raised.append(error)

    thread = threading.Thread(target=wait_until_finish, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(POLL_S)
        if reason := stalled():
            raise MachineError(reason)
    if raised:
        raise raised[0]


def meaning(error: Exception) -> str:
    """One line for the error of a job on a cluster."""
    text = str(error)
    for pattern, meaning in CLUSTER_ERRORS.items():
        if match := re.search(pattern, text):
            return match.expand(meaning)
    if isinstance(error, grpc.RpcError) and isinstance(error, grpc.Call):
        text = f"{error.code().name}: {error.details()}"
    return f"the job failed on the cluster: {first_line(text.partition('failed in state FAILED: ')[2] or text)}"


def first_line(error: object) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


CLUSTER_ERRORS = {
    r"No module named '(pipelines|schemas|transforms)": "the workers have no IEForge, or another version of it; "
    "install the same wheel there, or stage it with --extra_package=WHEEL",
    r"construction environment and pipeline runtime environment are not compatible": "the workers have another "
    f"version of Apache Beam; install {beam.__version__} there, as here",
    r"NoResourceAvailableException|Could not acquire the minimum required resources|TimeoutException: Timeout has "
    r"occurred": "the cluster has no free slot; start more workers, or lower --parallelism",
    r"Master removed our application|SparkContext\._taskScheduler": "Spark cannot start executors for the job; see the "
    "logs of its workers",
    r"Cannot run program|IOException: error=\d": "the command of the workers (--environment_config) cannot be started "
    "on the cluster; install IEForge there, and give the full path of ieforge-worker",
    r"Process died with exit code (\d+)": r"the command of the workers (--environment_config) has ended with code \1 "
    "(137: killed, perhaps out of memory); to read what it prints, let the cluster log it as docs/cluster.md says",
    r"OutOfMemoryError: Metaspace": "a TaskManager has no space for the classes of another job; raise "
    "taskmanager.memory.jvm-metaspace.size in Flink's settings, and run the same command again to resume",
    r"No space left on device": "the disk of a worker is full; free space there, and run the same command again to "
    "resume",
    r"task manager .* was lost|TaskManager with id .* (is no longer reachable|timed out)": "a machine "
    "of the cluster was lost; run the same command again to resume",
    r"StatusCode.UNAVAILABLE|failed to connect to all addresses|Connection refused": "the job service or a worker "
    "cannot be reached any more; run the same command again to resume",
}
"""Pattern in the error of a job → what it means, and what to do; `\\1` is the first group of the pattern."""
