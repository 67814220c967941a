"""Which Beam runner a name selects, which flags are accepted, and how errors of workers are raised again."""

import sys
import types

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import DebugOptions, PortableOptions, SetupOptions, WorkerOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from google.protobuf import json_format

from pipelines.engine.options import parse_options
from pipelines.engine.runner import original_error, run, select_runner
from schemas.errors import ConfigError, MachineError, SourceError


@pytest.mark.parametrize("flags", [[], ["--runner=DirectRunner"], ["--runner=direct"], ["--runner=FnApiRunner"]])
def test_the_direct_runner_runs_in_this_process(flags):
    assert type(select_runner(parse_options(flags))) is FnApiRunner


def test_worker_processes_get_the_options():
    runner = select_runner(parse_options(["--direct_running_mode=multi_processing", "--direct_num_workers=2"]))
    received = json_format.MessageToDict(runner._provision_info.provision_info.pipeline_options)
    assert received["beam:option:direct_running_mode:v1"] == "multi_processing"
    assert int(received["beam:option:direct_num_workers:v1"]) == 2


@pytest.fixture
def google_cloud(monkeypatch):
    """Beam's client of Dataflow, which needs the extra `gcp`, can be imported."""
    name = "apache_beam.runners.dataflow.internal.apiclient"
    monkeypatch.setitem(sys.modules, name, types.ModuleType(name))


DATAFLOW = ["--runner=DataflowRunner", "--project=p", "--region=r", "--temp_location=gs://bucket/temporary"]


def test_dataflow_is_left_to_beam(google_cloud):
    assert select_runner(parse_options(DATAFLOW)) is None


@pytest.mark.parametrize("missing", DATAFLOW[1:])
def test_dataflow_without_a_place_to_run_is_refused(google_cloud, missing):
    with pytest.raises(ConfigError, match="needs --project, --region and --temp_location"):
        select_runner(parse_options([flag for flag in DATAFLOW if flag != missing]))


def test_dataflow_without_the_packages_of_google_cloud_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam.runners.dataflow.internal.apiclient", None)
    with pytest.raises(ConfigError, match=r"needs the packages of Google Cloud .* '\.\[gcp\]'"):
        select_runner(parse_options(DATAFLOW))


def test_a_template_of_dataflow_is_refused(google_cloud):
    """Beam reports the job of a template as done as soon as its description is written."""
    with pytest.raises(ConfigError, match="--template_location: a template holds one job"):
        select_runner(parse_options([*DATAFLOW, "--template_location=gs://bucket/template"]))


@pytest.mark.parametrize("name", ["PortableRunner", "FlinkRunner", "SparkRunner", "PrismRunner"])
def test_jobs_of_one_process_share_the_runner_and_its_job_server(name):
    first, second = (select_runner(parse_options([f"--runner={name}"])) for _ in range(2))
    assert first is second
    assert type(first).__name__ == name


@pytest.mark.parametrize("name", ["DaskRunner", "dask", "apache_beam.runners.dask.dask_runner.DaskRunner"])
def test_the_dask_runner_is_refused(name):
    with pytest.raises(ConfigError, match=r"DaskRunner gives wrong results .* use DirectRunner"):
        select_runner(parse_options([f"--runner={name}"]))


def test_flags_of_other_engines_are_accepted():
    portable = ["--runner=PortableRunner", "--job_endpoint=localhost:1", "--environment_type=EXTERNAL"]
    staged = ["--environment_config=localhost:2", "--extra_package=a.whl", "--extra_package", "b.whl"]
    flink = ["--flink_master=localhost:3", "--parallelism=4", "--sdk_worker_parallelism=2"]
    dataflow = ["--project=p", "--region=r", "--temp_location=gs://b/t", "--sdk_container_image=i"]
    passed = parse_options([*portable, *staged, *flink, *dataflow, "--experiments=use_runner_v2"])
    assert passed.view_as(PortableOptions).environment_config == "localhost:2"
    assert passed.view_as(SetupOptions).extra_packages == ["a.whl", "b.whl"]
    assert passed.view_as(WorkerOptions).sdk_container_image == "i"
    assert "use_runner_v2" in passed.view_as(DebugOptions).experiments


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        (
            "--direct_runing_mode=multi_processing",
            "unknown flag --direct_runing_mode; did you mean --direct_running_mode",
        ),
        ("--data_rot", "unknown flag --data_rot; did you mean --data_root"),
        ("--xyzzy=1", "unknown flag --xyzzy; see --help"),
        ("raw", "unknown flag raw; see --help"),
        ("--job_endpoin=localhost:1", "unknown flag --job_endpoin; did you mean --job_endpoint"),  # no abbreviations
    ],
)
def test_an_unknown_flag_is_refused_with_a_suggestion(flag, message):
    with pytest.raises(ConfigError) as raised:
        parse_options(["--runner=DirectRunner", flag], known_flags=["--data_root", "--output"])
    assert str(raised.value).startswith(message)


def test_a_value_that_beam_refuses_is_a_configuration_error():
    with pytest.raises(ConfigError, match="direct_num_workers"):
        parse_options(["--direct_num_workers=many"])


def test_a_runner_unknown_to_beam_is_refused_with_a_suggestion():
    with pytest.raises(ConfigError, match="did you mean FlinkRunner"):
        select_runner(parse_options(["--runner=FlinkRuner"]))


@pytest.mark.parametrize(("verbose", "level"), [(False, "ERROR"), (True, None)])
def test_workers_are_quiet_unless_verbose(verbose, level):
    assert parse_options([], verbose=verbose).get_all_options()["default_sdk_harness_log_level"] == level


WORKER_TEXT = """\
Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1512, in apache_beam.runners.common.DoFnRunner.process
FileNotFoundError: [Errno 2] No such file or directory

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/site/transforms/files.py", line 61, in source_errors
schemas.errors.SourceError: a.txt: gone

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1623, in apache_beam.runners.common.DoFnRunner._reraise_augmented
schemas.errors.MachineError: out/a.parquet: no space left [while running 'ingest/Read']

"""


MEMORY_TEXT = """\
Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1623, in apache_beam.runners.common.DoFnRunner._reraise_augmented
MemoryError [while running 'clean/Clean']

"""


@pytest.mark.parametrize(
    ("raised", "original"),
    [
        (SourceError("a.txt: gone [while running 'ingest/Read']"), SourceError("a.txt: gone")),
        (SourceError("a.txt: gone"), SourceError("a.txt: gone")),
        (RuntimeError(WORKER_TEXT), MachineError("out/a.parquet: no space left")),
        (
            RuntimeError(f"Pipeline job-1 failed in state FAILED: {WORKER_TEXT}"),
            MachineError("out/a.parquet: no space left"),
        ),
        (RuntimeError("KeyboardInterrupt [while running 'clean/Write']"), KeyboardInterrupt()),
        (RuntimeError(MEMORY_TEXT), MemoryError()),
        (
            RuntimeError(MEMORY_TEXT.replace("Mem", "pyarrow.lib.ArrowMem")),
            MemoryError(),
        ),
        (RuntimeError(MEMORY_TEXT + WORKER_TEXT), MachineError("out/a.parquet: no space left")),
    ],
)
def test_the_error_of_a_worker_is_restored(raised, original):
    restored = original_error(raised)
    assert type(restored) is type(original)
    assert str(restored) == str(original)


@pytest.mark.parametrize("text", ["a MemoryError", "ValueError: schemas.errors.MachineError: quoted", ""])
def test_other_errors_are_not_restored(text):
    assert original_error(RuntimeError(text)) is None


def refuse(element: int) -> int:
    raise ConfigError(f"labels.json:{element}: no such label")


def divide(element: int) -> float:
    return 1 / (element - element)


def test_run_raises_what_a_worker_raised():
    with pytest.raises(ConfigError) as raised:
        run(lambda p: p | beam.Create([3]) | beam.Map(refuse), parse_options([]), "")
    assert str(raised.value) == "labels.json:3: no such label"
    assert raised.value.exit_code == 2


def allocate(element: int) -> bytearray:
    return bytearray(10**15 * element)


def test_run_raises_memory_error():
    with pytest.raises(MemoryError):
        run(lambda p: p | beam.Create([3]) | beam.Map(allocate), parse_options([]), "")


def test_run_leaves_other_errors_alone():
    with pytest.raises(ZeroDivisionError):
        run(lambda p: p | beam.Create([3]) | beam.Map(divide), parse_options([]), "")
