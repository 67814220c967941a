"""Runs a Beam pipeline with the runner that the options name."""

import difflib
import re
from collections.abc import Callable

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions, StandardOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.runners.portability.portable_runner import JobServiceHandle

from pipelines.engine import job_service, sockets
from pipelines.engine.options import portable_name
from schemas import errors
from schemas.errors import ConfigError, IEForgeError, MachineError


def select_runner(beam_options: PipelineOptions):
    """The runner for `beam.Pipeline`; None lets Beam choose its runner of the given name.

    `DirectRunner` always means Beam's in-process FnApiRunner, because Beam's class of that name first tries to download
    another engine. The provision info passes the options on to subprocess workers. Raises ConfigError for an unknown
    runner, for `DaskRunner`, which in Beam 2.77 loses tagged outputs and written files without an error, and for what
    `check_dataflow` refuses.
    """
    name = (beam_options.view_as(StandardOptions).runner or "DirectRunner").lower()
    if "dask" in name:
        raise ConfigError(
            "--runner=DaskRunner gives wrong results in Beam 2.77 (tagged outputs and files are lost); "
            "use DirectRunner with --direct_running_mode=multi_processing, or a cluster's runner"
        )
    if portable := portable_name(beam_options):
        return job_service.portable_runner(portable)
    if name in ("dataflowrunner", "dataflow"):
        check_dataflow(beam_options)
        return None
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


def check_dataflow(beam_options: PipelineOptions) -> None:
    """Raises ConfigError for a template, which holds one job, and if flags or the packages of Google Cloud are missing.

    Beam would look for a default bucket in the cloud for minutes before it reports the flags.
    """
    options = beam_options.view_as(GoogleCloudOptions)
    if options.template_location:
        raise ConfigError(
            "--template_location: a template holds one job, and each stage is a job of its own; "
            "run this command in a container instead (docs/cluster.md)"
        )
    if not (options.project and options.region and options.temp_location):
        raise ConfigError("--runner=DataflowRunner needs --project, --region and --temp_location=gs://BUCKET/FOLDER")
    try:
        import apache_beam.runners.dataflow.internal.apiclient  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"--runner=DataflowRunner needs the packages of Google Cloud ({error}); "
            "python -m pip install -c constraints.txt '.[gcp]'"
        ) from error


def run(
    build_graph: Callable[[beam.Pipeline], object],
    beam_options: PipelineOptions,
    output: str,
    stalled: Callable[[], str | None] = lambda: None,
) -> None:
    """Builds the graph, whose files are in the folder `output`, runs it and waits for its end.

    An IEForgeError, an interrupt or a MemoryError in a worker is raised again here, without Beam's
    "[while running ...]". All other errors are raised as Beam raises them, and if the runner has a job service, as
    MachineError in one line. Such a job is cancelled at any error here, and as soon as `stalled` returns a reason,
    which is then the text of the MachineError.
    """
    sockets.keep_private()
    pipeline = beam.Pipeline(runner=select_runner(beam_options), options=beam_options)
    build_graph(pipeline)
    is_portable = portable_name(beam_options) is not None
    try:
        if is_portable:
            job_service.run(pipeline, beam_options, output, stalled)
        else:
            pipeline.run().wait_until_finish()
    except (IEForgeError, RuntimeError, grpc.RpcError, grpc.FutureTimeoutError) as error:
        original = original_error(error)
        if original is not None:
            raise original from error
        if is_portable:
            raise MachineError(job_service.meaning(error)) from error
        raise


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
