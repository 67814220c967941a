"""The flags of Apache Beam, and ours for jobs on a cluster, as Beam's options."""

import argparse
import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from apache_beam.options.pipeline_options import DebugOptions, DirectOptions, PipelineOptions, StandardOptions
from apache_beam.portability.api import beam_job_api_pb2

from schemas.command import refuse_flag
from schemas.errors import ConfigError

View = TypeVar("View", bound=PipelineOptions)

PORTABLE = {"portable": "PortableRunner", "flink": "FlinkRunner", "spark": "SparkRunner", "prism": "PrismRunner"}
"""The runners that submit jobs to a job service: name in lower case without "runner" → name."""


FLAGS_HINT = "see --help, and the documentation of the runner for its flags"
"""The hint of an error about a flag that is similar to none."""

WORKER_TIMEOUT, STALL_TIMEOUT = "--worker_timeout", "--stall_timeout"

SERVICE_OPTIONS: dict[int, dict[str, Any]] = {
    beam_job_api_pb2.PipelineOptionType.BOOLEAN: {"action": "store_true"},
    beam_job_api_pb2.PipelineOptionType.INTEGER: {"type": int},
    beam_job_api_pb2.PipelineOptionType.ARRAY: {"action": "append"},
}
"""Type of an option of a job service → how Beam parses it. Options of other types have a string as their value."""


class ClusterOptions(PipelineOptions):
    """Our own options of a job on a cluster, which are parsed with those of Beam."""

    @classmethod
    def _add_argparse_args(cls, parser):
        parser.add_argument(
            WORKER_TIMEOUT, type=positive, default=60.0, help="seconds to wait for the first worker of a cluster"
        )
        parser.add_argument(
            STALL_TIMEOUT,
            type=positive,
            default=60.0,
            help="minutes after which a stage without a new file is cancelled",
        )


class CachedViews(PipelineOptions):
    """Beam's options with one view of each class, which all have the same values. Beam asks for views hundreds of times
    when it builds a pipeline, and makes and runs a parser for each one.
    """

    def view_as(self, cls: type[View]) -> View:
        views = self.__dict__.setdefault("_views", {})
        if cls not in views:
            views[cls] = super().view_as(cls)
        return views[cls]


def positive(text: str) -> float:
    """The number in `text`. Raises ArgumentTypeError if it is not above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not number > 0:  # nan is not
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text!r}")
    return number


def parse_options(flags: Sequence[str], known_flags: Sequence[str] = (), verbose: bool = False) -> PipelineOptions:
    """The Beam options that `flags` set. The workers log only errors unless `verbose`.

    Raises ConfigError for a flag that Beam does not know. `known_flags`: other flags that the error may suggest. A job
    service has flags of its own, so with a runner of PORTABLE, unknown ones are left to `job_service.check_flags`.
    """
    unknown, beam_flags = split_unknown(flags)
    beam_options = CachedViews([*flags, *([] if verbose else ["--default_sdk_harness_log_level=ERROR"])])
    if portable_name(beam_options):
        # Else Beam runs `pip freeze` for every stage, a second each; `cluster.check` compares what decides the rows.
        beam_options.view_as(DebugOptions).add_experiment("disable_logging_submission_environment")
    elif unknown:
        refuse_flag(unknown[0], beam_flags.union(known_flags), FLAGS_HINT)
    return beam_options


def split_unknown(
    flags: Sequence[str], service_options: Iterable[beam_job_api_pb2.PipelineOptionDescriptor] = ()
) -> tuple[list[str], set[str]]:
    """Those of `flags` that neither Beam nor a job service with these options knows, and the names of all known flags.

    Raises ConfigError for a value that a known flag does not take.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for group in PipelineOptions.__subclasses__():
        group._add_argparse_args(parser)  # type: ignore[arg-type]  # Beam's hook
    for option in service_options:
        if f"--{option.name}" not in parser._option_string_actions:  # a job service describes some of Beam's, too
            parser.add_argument(f"--{option.name}", **SERVICE_OPTIONS.get(option.type, {}))
    try:
        _, unknown = parser.parse_known_args(list(flags))
    except argparse.ArgumentError as error:
        is_ours = error.argument_name in (WORKER_TIMEOUT, STALL_TIMEOUT)
        raise ConfigError(f"{error}{'' if is_ours else '; this is a flag of Apache Beam'}") from error
    return unknown, {name for action in parser._actions for name in action.option_strings}


def worker_count(beam_options: PipelineOptions) -> int:
    """The number of workers of Beam's DirectRunner; 0 for other runners, which decide it themselves."""
    if "direct" not in (beam_options.view_as(StandardOptions).runner or "direct").lower():
        return 0
    direct = beam_options.view_as(DirectOptions)
    return 1 if direct.direct_running_mode == "in_memory" else direct.direct_num_workers or os.cpu_count() or 1


def portable_name(beam_options: PipelineOptions) -> str | None:
    """The name of the runner if it is one of PORTABLE."""
    name = beam_options.view_as(StandardOptions).runner or ""
    return PORTABLE.get(name.lower().removesuffix("runner"))
