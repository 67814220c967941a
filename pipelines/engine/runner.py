"""Runs a Beam pipeline with the runner and the options that the flags name."""

import argparse
import difflib
import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import NoReturn

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions, StandardOptions
from apache_beam.portability.api import beam_job_api_pb2, beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.runners.portability.job_server import JobServer
from apache_beam.runners.portability.portable_runner import JobServiceHandle, PortableRunner
from apache_beam.runners.runner import PipelineResult, create_runner

from pipelines.engine import sockets
from schemas import errors
from schemas.errors import ConfigError, IEForgeError, MachineError

PORTABLE = {"portable": "PortableRunner", "flink": "FlinkRunner", "spark": "SparkRunner", "prism": "PrismRunner"}
"""The runners that submit jobs to a job service: name in lower case without "runner" → name."""

ANSWER_S = 20
"""Seconds in which a job service must answer."""

POLL_S = 0.5
"""Seconds between two looks at a job that is running."""


class ClusterOptions(PipelineOptions):
    """Our own options of a job on a cluster, which are parsed with those of Beam."""

    @classmethod
    def _add_argparse_args(cls, parser):
        parser.add_argument(
            "--worker_timeout", type=float, default=60.0, help="seconds to wait for the first worker of a cluster"
        )
        parser.add_argument(
            "--stall_timeout",
            type=float,
            default=60.0,
            help="minutes after which a stage without a new file is cancelled",
        )


def options(flags: Sequence[str], known_flags: Sequence[str] = (), verbose: bool = False) -> PipelineOptions:
    """The Beam options that `flags` set. The workers log only errors unless `verbose`.

    Raises ConfigError for a flag that Beam does not know. `known_flags`: other flags that the error may suggest. A job
    service has flags of its own, so with a runner of PORTABLE, unknown ones are left to `check_flags`.
    """
    unknown, beam_flags = parse(flags)
    beam_options = PipelineOptions([*flags, *([] if verbose else ["--default_sdk_harness_log_level=ERROR"])])
    if unknown and not portable_name(beam_options):
        refuse(unknown[0], beam_flags.union(known_flags))
    return beam_options


def check_flags(beam_options: PipelineOptions, known_flags: Sequence[str] = ()) -> None:
    """Raises ConfigError for a flag that neither Beam nor the job service of a runner of PORTABLE knows.

    Raises MachineError if there is no job service, or if it cannot be started.
    """
    unknown, beam_flags = parse(beam_options._flags)
    with job_service_errors(beam_options):
        service = portable_runner(portable_name(beam_options)).create_job_service(beam_options).job_service
        described = service.DescribePipelineOptions(beam_job_api_pb2.DescribePipelineOptionsRequest(), timeout=ANSWER_S)
    service_flags = {f"--{option.name}" for option in described.options}
    for flag in unknown:
        if flag.startswith("--") and flag.partition("=")[0] not in service_flags:
            refuse(flag, beam_flags.union(known_flags, service_flags))


def parse(flags: Sequence[str]) -> tuple[list[str], set[str]]:
    """Those of `flags` that Beam does not know, and the names of all flags that it knows."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for group in PipelineOptions.__subclasses__():
        group._add_argparse_args(parser)  # the hook that Beam documents for option classes
    try:
        _, unknown = parser.parse_known_args(list(flags))
    except argparse.ArgumentError as error:
        raise ConfigError(f"{error}; this is a flag of Apache Beam") from error
    return unknown, {name for action in parser._actions for name in action.option_strings}


def refuse(flag: str, known: set[str]) -> NoReturn:
    name = flag.partition("=")[0]
    near = difflib.get_close_matches(name, sorted(known), 3)
    hint = (
        f"did you mean {', '.join(near)}?" if near else "see --help, and the documentation of the runner for its flags"
    )
    raise ConfigError(f"unknown flag {name}; {hint}")


def portable_name(beam_options: PipelineOptions) -> str | None:
    """The name of the runner if it is one of PORTABLE."""
    name = beam_options.view_as(StandardOptions).runner or ""
    return PORTABLE.get(name.lower().removesuffix("runner"))


@cache
def portable_runner(name: str) -> PortableRunner:
    """Beam's runner of this name, with one job server for all jobs of this process instead of one for each job."""
    runner = create_runner(name)
    start = runner.default_job_server
    servers: list[JobServer] = []

    def default_job_server(beam_options: PipelineOptions) -> JobServer:
        if not servers:
            interrupt = signal.getsignal(signal.SIGINT)
            servers.append(start(beam_options))
            servers[0].start()
            signal.signal(signal.SIGINT, interrupt)  # Beam's would end the server before the job is cancelled
        return servers[0]

    runner.default_job_server = default_job_server
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


def select_runner(beam_options: PipelineOptions):
    """The runner for `beam.Pipeline`; None lets Beam choose its runner of the given name.

    `DirectRunner` always means Beam's in-process FnApiRunner, because Beam's class of that name first tries to download
    another engine. The provision info passes the options on to subprocess workers. Raises ConfigError for an unknown
    runner, and for `DaskRunner`, which in Beam 2.77 loses tagged outputs and written files without an error.
    """
    name = (beam_options.view_as(StandardOptions).runner or "DirectRunner").lower()
    if "dask" in name:
        raise ConfigError(
            "--runner=DaskRunner gives wrong results in Beam 2.77 (tagged outputs and files are lost); "
            "use DirectRunner with --direct_running_mode=multi_processing, or a cluster's runner"
        )
    if portable := portable_name(beam_options):
        return portable_runner(portable)
    if name not in ("directrunner", "direct", "fnapirunner", "switchingdirectrunner"):
        known = StandardOptions.KNOWN_RUNNER_NAMES
        if "." not in name and name.removesuffix("runner") not in (k.lower().removesuffix("runner") for k in known):
            near = difflib.get_close_matches(name, [k.lower() for k in known], 1)
            matches = [k for k in known if k.lower() in near]
            hint = f"did you mean {matches[0]}?" if matches else f"it has {', '.join(sorted(known))}"
            raise ConfigError(f"--runner {name}: Apache Beam has no runner of this name; {hint}")
        return None
    encoded = JobServiceHandle.encode_pipeline_options(beam_options.get_all_options())
    info = beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded)
    return fn_runner.FnApiRunner(provision_info=fn_runner.ExtendedProvisionInfo(info))


def run(
    build_graph: Callable[[beam.Pipeline], object],
    beam_options: PipelineOptions,
    stalled: Callable[[], str | None] = lambda: None,
) -> None:
    """Builds the graph, runs it and waits for its end.

    An IEForgeError, an interrupt or a MemoryError in a worker is raised again here, without Beam's
    "[while running ...]". All other errors are raised as Beam raises them, and if the runner has a job service, as
    MachineError in one line. A job on a cluster is cancelled at an interrupt, and if `stalled` returns a reason
    (asked every POLL_S), which is the text of the MachineError then.
    """
    sockets.keep_private()
    pipeline = beam.Pipeline(runner=select_runner(beam_options), options=beam_options)
    build_graph(pipeline)
    try:
        wait(pipeline.run(), stalled)
    except (IEForgeError, RuntimeError, grpc.RpcError, grpc.FutureTimeoutError) as error:
        original = original_error(error)
        if original is not None:
            raise original from error
        if portable_name(beam_options):
            raise MachineError(cluster_error(str(error))) from error
        raise


def wait(result: PipelineResult, stalled: Callable[[], str | None]) -> None:
    """Waits for the end of a job in a thread, so that an interrupt or a stalled job can cancel it."""
    raised: list[Exception] = []

    def wait_until_finish() -> None:
        try:
            result.wait_until_finish()
        except Exception as error:  # raised again below, in the main thread
            raised.append(error)

    if isinstance(result, fn_runner.RunnerResult):  # has ended already
        wait_until_finish()
    else:
        thread = threading.Thread(target=wait_until_finish, daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(POLL_S)
                if reason := stalled():
                    raise MachineError(reason)
        except (KeyboardInterrupt, MachineError):
            result.cancel()
            raise
    if raised:
        raise raised[0]


def cluster_error(text: str) -> str:
    """One line for the error of a job on a cluster."""
    for pattern, meaning in CLUSTER_ERRORS.items():
        if re.search(pattern, text):
            return meaning
    return f"the job failed on the cluster: {first_line(text)}"


def first_line(error: object) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def original_error(error: Exception) -> IEForgeError | KeyboardInterrupt | MemoryError | None:
    """The error that a worker raised, restored from the error of the runner; None if it was none of these classes.

    Runners raise an error of the same class, or a RuntimeError with the traceback of the worker as its text.
    """
    if str(error).startswith("KeyboardInterrupt"):
        return KeyboardInterrupt()
    if isinstance(error, IEForgeError):
        return type(error)(WHILE_RUNNING.sub("", str(error)))
    raised = WORKER_ERROR.findall(str(error))
    if not raised:
        return MemoryError() if OUT_OF_MEMORY.search(str(error)) else None
    name, message = raised[-1]
    return getattr(errors, name)(WHILE_RUNNING.sub("", message))


OUT_OF_MEMORY = re.compile(r"^(pyarrow\.lib\.Arrow)?MemoryError\b", re.MULTILINE)
WHILE_RUNNING = re.compile(r" \[while running '[^']*'\]")
WORKER_ERROR = re.compile(r"^schemas\.errors\.(\w+): (.*)$", re.MULTILINE)

CLUSTER_ERRORS = {
    r"No module named '(pipelines|schemas|transforms)": "the workers have no IEForge, or another version of it; install "
    "the same wheel there, or stage it with --extra_package=WHEEL",
    r"construction environment and pipeline runtime environment are not compatible": "the workers have another version "
    f"of Apache Beam; install {beam.__version__} there, as here",
    r"NoResourceAvailableException|Could not acquire the minimum required resources": "the cluster has no free slot; "
    "start more workers, or lower --parallelism",
    r"No space left on device": "the disk of a worker is full; free space there, and run the same command again to "
    "resume",
    r"StatusCode.UNAVAILABLE|failed to connect to all addresses|Connection refused": "the job service or a worker "
    "cannot be reached any more; run the same command again to resume",
}
"""Pattern in the error of a job → what it means, and what to do."""
