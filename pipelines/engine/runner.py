"""Runs a Beam pipeline with the runner and the options that the flags name."""

import argparse
import difflib
import re
from collections.abc import Callable, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.runners.portability.portable_runner import JobServiceHandle

from pipelines.engine import sockets
from schemas import errors
from schemas.errors import ConfigError, IEForgeError


def options(flags: Sequence[str], known_flags: Sequence[str] = (), verbose: bool = False) -> PipelineOptions:
    """The Beam options that `flags` set. The workers log only errors unless `verbose`.

    Raises ConfigError for a flag that Beam does not know. `known_flags`: other flags that the error may suggest.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for group in PipelineOptions.__subclasses__():
        group._add_argparse_args(parser)  # the hook that Beam documents for option classes
    beam_flags = {name for action in parser._actions for name in action.option_strings}
    try:
        _, unknown = parser.parse_known_args(list(flags))
    except argparse.ArgumentError as error:
        raise ConfigError(f"{error}; this is a flag of Apache Beam") from error
    if unknown:
        flag = unknown[0].split("=")[0]
        near = difflib.get_close_matches(flag, sorted(beam_flags.union(known_flags)), 3)
        hint = (
            f"did you mean {', '.join(near)}?"
            if near
            else "see --help, and the documentation of the runner for its flags"
        )
        raise ConfigError(f"unknown flag {flag}; {hint}")
    if not verbose:
        flags = [*flags, "--default_sdk_harness_log_level=ERROR"]
    return PipelineOptions(list(flags))


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


def run(build_graph: Callable[[beam.Pipeline], object], beam_options: PipelineOptions) -> None:
    """Builds the graph, runs it and waits for its end.

    An IEForgeError, an interrupt or a MemoryError in a worker is raised again here, without Beam's
    "[while running ...]". All other errors are raised as Beam raises them.
    """
    sockets.keep_private()
    pipeline = beam.Pipeline(runner=select_runner(beam_options), options=beam_options)
    build_graph(pipeline)
    try:
        pipeline.run().wait_until_finish()
    except (IEForgeError, RuntimeError) as error:
        original = original_error(error)
        if original is None:
            raise
        raise original from error


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
