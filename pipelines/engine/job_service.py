"""Jobs on a cluster: the job service that takes them, its flags, waiting for a job, and what its errors mean."""

import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions
from apache_beam.portability.api import beam_job_api_pb2
from apache_beam.runners.portability.job_server import JobServer
from apache_beam.runners.portability.portable_runner import PipelineResult, PortableRunner
from apache_beam.runners.runner import create_runner
from apache_beam.transforms.environments import Environment, ProcessEnvironment

from pipelines.engine import flink, workers
from pipelines.engine.options import portable_name, refuse, split_unknown
from schemas.errors import ConfigError, MachineError

ANSWER_S = 20
"""Seconds in which a job service must answer."""

POLL_S = 0.5
"""Seconds between two looks at a job that is running."""


def check_flags(beam_options: PipelineOptions, known_flags: Sequence[str] = ()) -> None:
    """Raises ConfigError for a flag that neither Beam nor the job service of a runner of PORTABLE knows.

    Raises ConfigError for flags of the workers' environment that Beam cannot use, too; MachineError if there is no job
    service, or if it cannot be started.
    """
    check_environment(beam_options.view_as(PortableOptions))
    with job_service_errors(beam_options):
        endpoint = beam_options.view_as(PortableOptions).job_endpoint
        if endpoint not in (None, "", "embed"):  # embed: Beam's service in this process
            with grpc.insecure_channel(endpoint) as channel:  # Beam itself would wait for minutes
                grpc.channel_ready_future(channel).result(ANSWER_S)
        service = portable_runner(portable_name(beam_options)).create_job_service(beam_options).job_service
        described = service.DescribePipelineOptions(beam_job_api_pb2.DescribePipelineOptionsRequest(), timeout=ANSWER_S)
    unknown, flag_names = split_unknown(beam_options._flags or (), described.options)
    if "flink_master" in {option.name for option in described.options} and flink.rest_address(beam_options) is None:
        print("warning: an interrupt cancels jobs on Flink only with --flink_master=HOST:PORT", file=sys.stderr)
    if unknown:
        refuse(unknown[0], flag_names.union(known_flags))


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
            servers.append(start(beam_options))
            servers[0].start()
            signal.signal(signal.SIGINT, interrupt)  # Beam's would end the server before the job is cancelled
        return servers[0]

    setattr(runner, "default_job_server", default_job_server)  # noqa: B010 - a method cannot be assigned to
    return runner


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


def wait(result: PipelineResult, beam_options: PipelineOptions, stalled: Callable[[], str | None]) -> None:
    """Waits for the end of a job in a thread, so that an interrupt or a stalled job can cancel it.

    If the job service is lost, the job is cancelled on Flink: it would go on, and keep the slots from the next one.
    """
    raised: list[Exception] = []

    def wait_until_finish() -> None:
        try:
            result.wait_until_finish()
        except Exception as error:  # raised again below, in the main thread
            raised.append(error)

    thread = threading.Thread(target=wait_until_finish, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(POLL_S)
            if reason := stalled():
                raise MachineError(reason)
    except (KeyboardInterrupt, MachineError):
        with warn_of_running_job():
            try:
                cancel_on_flink(result, beam_options)
            finally:
                result.cancel()  # after Flink: it deletes the staged files, without which a job fails
        raise
    if raised:
        if isinstance(raised[0], grpc.RpcError):
            with warn_of_running_job():
                cancel_on_flink(result, beam_options)
        raise raised[0]


@contextmanager
def warn_of_running_job() -> Iterator[None]:
    """Turns an error while a job is cancelled into a warning: the reason to cancel it says more."""
    try:
        yield
    except (grpc.RpcError, OSError) as error:
        print(f"warning: the job may still be running: {first_line(error)}", file=sys.stderr)


def cancel_on_flink(result: PipelineResult, beam_options: PipelineOptions) -> None:
    """Cancels a job if its runner is a Flink whose address is known. Raises OSError if it cannot be reached."""
    if address := flink.rest_address(beam_options):
        flink.cancel(address, result._job_id.rpartition("_")[0])  # the job service appends an id to the name


def meaning(text: str) -> str:
    """One line for the error of a job on a cluster."""
    for pattern, meaning in CLUSTER_ERRORS.items():
        if re.search(pattern, text):
            return meaning
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
    r"No space left on device": "the disk of a worker is full; free space there, and run the same command again to "
    "resume",
    r"task manager .* was lost|TaskManager with id .* (is no longer reachable|timed out)": "a machine "
    "of the cluster was lost; run the same command again to resume",
    r"StatusCode.UNAVAILABLE|failed to connect to all addresses|Connection refused": "the job service or a worker "
    "cannot be reached any more; run the same command again to resume",
}
"""Pattern in the error of a job → what it means, and what to do."""
