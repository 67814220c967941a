"""The flags of jobs on a cluster: time-outs, and the flags that a job service describes."""

import pytest
from apache_beam.portability.api import beam_job_api_pb2
from apache_beam.transforms.environments import EmbeddedPythonEnvironment

from pipelines.engine.options import ClusterOptions, parse_options, split_unknown
from schemas.errors import ConfigError


def test_timeouts_have_defaults():
    options = parse_options([]).view_as(ClusterOptions)
    assert (options.worker_timeout, options.stall_timeout) == (60, 60)


def test_timeouts_may_be_fractions_and_may_be_unlimited():
    options = parse_options(["--worker_timeout", "1.5", "--stall_timeout=inf"]).view_as(ClusterOptions)
    assert (options.worker_timeout, options.stall_timeout) == (1.5, float("inf"))


@pytest.mark.parametrize("value", ["0", "-1", "nan", "abc", "", " "])
@pytest.mark.parametrize("flag", ["--worker_timeout", "--stall_timeout"])
def test_a_timeout_is_a_number_above_zero(flag, value):
    with pytest.raises(ConfigError) as raised:
        parse_options([f"{flag}={value}"])
    assert str(raised.value) == f"argument {flag}: must be a number above 0, not {value!r}"


def test_a_wrong_value_names_beam_only_for_flags_of_beam():
    with pytest.raises(ConfigError, match=r"^argument --direct_num_workers: .*; this is a flag of Apache Beam$"):
        parse_options(["--direct_num_workers=many"])


def test_a_timeout_has_no_short_form():
    with pytest.raises(ConfigError, match=r"^unknown flag --stall; "):
        parse_options(["--stall=3"])


def test_no_stage_lists_the_installed_packages_for_the_job_service():
    """Beam would run `pip freeze`, which takes a second, and send its output with every job."""
    options = parse_options(["--runner=PortableRunner", "--environment_type=LOOPBACK"])
    assert list(EmbeddedPythonEnvironment.from_options(options).artifacts()) == []


TYPE = beam_job_api_pb2.PipelineOptionType
SERVICE_OPTIONS = [
    beam_job_api_pb2.PipelineOptionDescriptor(name=name, type=kind)
    for name, kind in {
        "max_bundle_size": TYPE.INTEGER,
        "object_reuse": TYPE.BOOLEAN,
        "jar_files": TYPE.ARRAY,
        "state_backend": TYPE.STRING,
        "parallelism": TYPE.INTEGER,  # Beam has it, too
    }.items()
]


@pytest.mark.parametrize(
    "flags",
    [
        ["--max_bundle_size=9"],
        ["--max_bundle_size", "9"],
        ["--max_bundle_size", "-1"],
        ["--object_reuse", "--state_backend=a"],
        ["--state_backend", "a b", "--jar_files=a", "--jar_files", "b"],
        ["--parallelism", "2"],
    ],
)
def test_options_of_the_job_service(flags):
    assert split_unknown(flags, SERVICE_OPTIONS)[0] == []
    assert split_unknown(flags)[0] == ([] if flags == ["--parallelism", "2"] else flags)


@pytest.mark.parametrize(
    ("flags", "unknown"),
    [
        (["--max_bundle=9"], ["--max_bundle=9"]),
        (["--object_reuse", "true"], ["true"]),
        (["stray", "--max_bundle_size=9", "-x"], ["stray", "-x"]),
        (["--max_bundle_size=9", "10"], ["10"]),
    ],
)
def test_what_neither_beam_nor_the_job_service_knows(flags, unknown):
    assert split_unknown(flags, SERVICE_OPTIONS)[0] == unknown


@pytest.mark.parametrize("flags", [["--max_bundle_size=big"], ["--object_reuse=true"], ["--state_backend"]])
def test_values_that_an_option_of_the_job_service_does_not_take(flags):
    with pytest.raises(ConfigError, match=rf"^argument {flags[0].partition('=')[0]}: "):
        split_unknown(flags, SERVICE_OPTIONS)


def test_the_names_of_all_flags_are_known_for_suggestions():
    _, names = split_unknown([], SERVICE_OPTIONS)
    assert {"--max_bundle_size", "--runner", "--stall_timeout"} <= names
