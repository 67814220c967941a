"""A runner name and Beam flags → a pipeline that is run to its end."""

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


def options(flags: Sequence[str], own_flags: Sequence[str] = (), verbose: bool = False) -> PipelineOptions:
    """Beam's options from its own flags; the workers log errors alone unless `verbose`.

    Raises ConfigError for any other flag; `own_flags` only widen the suggestions.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for group in PipelineOptions.__subclasses__():
        group._add_argparse_args(parser)  # the hook that Beam documents for option classes
    known = {name for action in parser._actions for name in action.option_strings}
    try:
        _, unknown = parser.parse_known_args(list(flags))
    except argparse.ArgumentError as error:
        raise ConfigError(f"{error}; this flag is Apache Beam's own") from error
    if unknown:
        flag = unknown[0].split("=")[0]
        near = difflib.get_close_matches(flag, sorted(known.union(own_flags)), 3)
        hint = f"did you mean {', '.join(near)}?" if near else "see --help, and the runner's documentation for its own"
        raise ConfigError(f"unknown flag {flag}; {hint}")
    if not verbose:
        flags = [*flags, "--default_sdk_harness_log_level=ERROR"]
    return PipelineOptions(list(flags))


def runner_of(beam_options: PipelineOptions):
    """The runner to hand to `beam.Pipeline`: None lets Beam take its own for the name given.

    `DirectRunner` is Beam's in-process FnApiRunner, always: Beam's switch of that name tries to download another
    engine first. The provision info hands our options to subprocess workers. `DaskRunner` is refused because in
    Beam 2.77 it loses tagged outputs and written files without an error.
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
            told = [k for k in known if k.lower() in near]
            hint = f"did you mean {told[0]}?" if told else f"it has {', '.join(sorted(known))}"
            raise ConfigError(f"--runner {name}: Apache Beam has no runner of this name; {hint}")
        return None
    encoded = JobServiceHandle.encode_pipeline_options(beam_options.get_all_options())
    info = beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded)
    return fn_runner.FnApiRunner(provision_info=fn_runner.ExtendedProvisionInfo(info))


def run(build_graph: Callable[[beam.Pipeline], object], beam_options: PipelineOptions) -> None:
    """Builds the graph and waits for its end.

    An IEForgeError, an interrupt or a MemoryError in a worker is raised here as it was there, without Beam's
    "[while running ...]"; everything else as Beam raises it.
    """
    sockets.keep_private()
    pipeline = beam.Pipeline(runner=runner_of(beam_options), options=beam_options)
    build_graph(pipeline)
    try:
        pipeline.run().wait_until_finish()
    except (IEForgeError, RuntimeError) as error:
        original = original_error(error)
        if original is None:
            raise
        raise original from error


def original_error(error: Exception) -> IEForgeError | KeyboardInterrupt | MemoryError | None:
    """What a worker raised, from what the runner made of it: the same class, or a RuntimeError with its text."""
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
