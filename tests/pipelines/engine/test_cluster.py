"""What keeps a worker from doing the work of the submitter, and the check on Beam's own job service."""

import dataclasses
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import apache_beam as beam
import grpc
import pytest
from apache_beam.options.pipeline_options import FlinkRunnerOptions
from apache_beam.runners.portability.local_job_service import LocalJobServicer

from pipelines.engine import cluster, flink, job_service
from pipelines.engine.options import parse_options
from schemas.errors import ConfigError, MachineError

INSTALLATION = cluster.Installation("3.11", "2.77.0", "abc")


@pytest.fixture
def marker(tmp_path):
    path = tmp_path / "build/.workers/token"
    path.parent.mkdir(parents=True)
    path.touch()
    return str(path)


def test_the_same_installation_and_folders_have_no_problems(marker, tmp_path):
    assert cluster.problems(INSTALLATION, INSTALLATION, marker, cluster.entries([str(tmp_path)])) == []


@pytest.mark.parametrize(
    ("difference", "message"),
    [
        ({"python": "3.12"}, "has Python 3.12, this command 3.11; use the same minor version"),
        ({"beam": "2.70.0"}, "has Apache Beam 2.70.0, this command 2.77.0; install the same version"),
        (
            {"code": "abd"},
            "has other code of IEForge; install the same wheel there, or stage it (--extra_package=WHEEL)",
        ),
    ],
)
def test_another_installation_is_a_problem(marker, difference, message):
    assert cluster.problems(INSTALLATION, dataclasses.replace(INSTALLATION, **difference), marker, {}) == [message]


def test_an_output_folder_that_the_worker_does_not_see(tmp_path):
    marker = str(tmp_path / "build/.workers/token")
    (line,) = cluster.problems(INSTALLATION, INSTALLATION, marker, {})
    assert line == f"does not see {tmp_path}/build; choose an --output that this machine and all workers share"


def test_each_input_that_the_worker_does_not_see(marker, tmp_path):
    missing = [str(tmp_path / name) for name in ("raw", "prompts.yaml")]
    lines = cluster.problems(INSTALLATION, INSTALLATION, marker, cluster.entries([str(tmp_path), *missing]))
    assert lines == [f"does not see {path}; put it where all workers can read it" for path in missing]


def test_an_input_folder_whose_disk_is_not_mounted_at_the_worker(marker, tmp_path):
    (tmp_path / "raw/b").mkdir(parents=True)
    (tmp_path / "raw/a.json").touch()
    expected = cluster.entries([str(tmp_path / "raw")])
    (tmp_path / "raw/a.json").rename(tmp_path / "raw/more.json")
    (line,) = cluster.problems(INSTALLATION, INSTALLATION, marker, expected)
    assert line == f"does not see a.json in {tmp_path}/raw; put it where all workers can read it"
    (tmp_path / "raw/b").rmdir()
    (line,) = cluster.problems(INSTALLATION, INSTALLATION, marker, expected)
    assert line == f"does not see a.json and 1 more in {tmp_path}/raw; put it where all workers can read it"


def test_problems_come_in_the_order_in_which_they_are_to_be_solved(tmp_path):
    other = cluster.Installation("3.12", "2.70.0", "abd")
    lines = cluster.problems(INSTALLATION, other, str(tmp_path / "a/b/c"), cluster.entries([str(tmp_path / "d")]))
    assert [line.split()[:2] for line in lines] == [["has", w] for w in ("Python", "Apache", "other")] + [
        ["does", "not"]
    ] * 2


def test_workers_are_counted_by_host_and_process():
    workers = [cluster.Worker(host, process, 3 << 30) for host, process in [("b", 1), ("a", 1), ("a", 2), ("a", 1)]]
    assert cluster.describe(workers) == "workers: 3 on a, b"
    workers.append(cluster.Worker("c", 1, 1 << 29))
    assert cluster.describe(workers).startswith("workers: 4 on a, b, c; warning: only 0.5 GiB of memory is free")


def test_a_runner_in_this_process_needs_no_check(tmp_path):
    cluster.check(parse_options([]), str(tmp_path / "build"), [str(tmp_path / "missing")])
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    jobs = LocalJobServicer(str(tmp_path_factory.mktemp("staging")))
    address = f"localhost:{jobs.start_grpc_server()}"
    yield address
    jobs.stop()


def on(service: str, *flags: str):
    return parse_options(
        [
            "--runner=PortableRunner",
            f"--job_endpoint={service}",
            "--environment_type=beam:env:embedded_python:v1",
            *flags,
        ]
    )


def test_workers_of_a_job_service_are_checked_and_nothing_remains(service, tmp_path, capfd):
    cluster.check(on(service), str(tmp_path / "build"), [str(tmp_path)])
    assert capfd.readouterr().err.startswith("workers: 1 on ")
    assert list((tmp_path / "build").iterdir()) == []


def test_a_problem_of_a_worker_names_its_host(service, tmp_path):
    with pytest.raises(ConfigError, match=r"^worker on \S+: does not see .*missing; put it where all workers can"):
        cluster.check(on(service), str(tmp_path / "build"), [str(tmp_path / "missing")])
    assert list((tmp_path / "build").iterdir()) == []


def test_a_flag_that_neither_beam_nor_the_job_service_knows(service, tmp_path):
    with pytest.raises(ConfigError, match=r"^unknown flag --data_rot; did you mean --data_root"):
        cluster.check(on(service, "--data_rot=a"), str(tmp_path / "build"), [], ["--data_root"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["PROCES"], "--environment_type=PROCES with --environment_config=None: Unknown environment type: PROCES"),
        (["PROCESS"], "--environment_type=PROCESS needs --environment_config="),
        (["PROCESS", '{"comand": "a"}'], "--environment_type=PROCESS needs --environment_config="),
        (["PROCESS", "{a"], "--environment_type=PROCESS with --environment_config={a: Expecting property name"),
        (["PROCESS", "3"], "--environment_type=PROCESS with --environment_config=3: "),
        (["EXTERNAL"], "--environment_type=EXTERNAL with --environment_config=None: "),
    ],
)
def test_flags_of_the_environment_that_start_no_workers(tmp_path, flags, message):
    names = ["--environment_type", "--environment_config"]
    options = parse_options(
        ["--runner=PortableRunner", "--job_endpoint=localhost:1"]
        + [f"{name}={value}" for name, value in zip(names, flags, strict=False)]
    )
    with pytest.raises(ConfigError) as raised:
        cluster.check(options, str(tmp_path / "build"), [])
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_an_address_without_a_job_service(tmp_path, monkeypatch):
    monkeypatch.setattr(job_service, "ANSWER_S", 1)
    with pytest.raises(MachineError, match=r"^--job_endpoint=localhost:1: no job service answers there; start it"):
        cluster.check(on("localhost:1"), str(tmp_path / "build"), [])


def test_flink_is_only_cancelled_at_an_address_that_is_known():
    assert flink.rest_address(parse_options([])) is None
    assert flink.rest_address(parse_options(["--flink_master=[local]"])) is None
    assert flink.rest_address(parse_options(["--flink_master=a:8081"])) == "http://a:8081"
    assert flink.rest_address(parse_options(["--flink_master=https://a/flink/"])) == "https://a/flink"


def sleep(element: int) -> int:
    time.sleep(element)
    return element


def submit(service: str, seconds: int = 1):
    options = on(service)
    pipeline = beam.Pipeline(runner=job_service.portable_runner("PortableRunner"), options=options)
    pipeline | beam.Create([seconds]) | beam.Map(sleep)
    return pipeline.run(), options


def test_a_job_that_does_not_end_is_cancelled_with_the_reason(service):
    result, options = submit(service)
    begin = time.monotonic()
    with pytest.raises(MachineError, match=r"^no new file$"):
        job_service.wait(result, options, lambda: "no new file" if time.monotonic() - begin > 0.5 else None)
    assert result.state == "CANCELLED"


def test_a_job_is_waited_for(service):
    result, options = submit(service)
    job_service.wait(result, options, lambda: None)
    assert result.state == "DONE"


def test_an_interrupt_cancels_the_job(service):
    result, options = submit(service)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job_service.wait(result, options, interrupt)
    assert result.state == "CANCELLED"


class FlinkWithOneJob(BaseHTTPRequestHandler):
    """The part of Flink's REST interface that cancelling needs: a job runs until a PATCH cancels it."""

    def do_GET(self):
        states = ["CANCELED" if self.server.is_cancelled else "RUNNING"]
        jobs = [{"name": self.server.job, "jid": "7", "start-time": 1, "state": state} for state in states]
        self.answer({"jobs": jobs})

    def do_PATCH(self):
        self.server.is_cancelled = self.path == "/jobs/7?mode=cancel"
        self.answer({})

    def answer(self, content: dict) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_) -> None:
        pass


def test_a_lost_job_service_cancels_the_job_on_flink(tmp_path, capfd):
    jobs = LocalJobServicer(str(tmp_path))
    result, options = submit(f"localhost:{jobs.start_grpc_server()}", 30)
    with ThreadingHTTPServer(("localhost", 0), FlinkWithOneJob) as server:
        server.job, server.is_cancelled = result._job_id.rpartition("_")[0], False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        options.view_as(FlinkRunnerOptions).flink_master = f"localhost:{server.server_port}"
        threading.Timer(1, jobs.stop).start()
        with pytest.raises(grpc.RpcError) as raised:
            job_service.wait(result, options, lambda: None)
        server.shutdown()
    assert server.is_cancelled
    assert job_service.meaning(str(raised.value)).startswith("the job service or a worker cannot be reached")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("ModuleNotFoundError: No module named 'pipelines'", "the workers have no IEForge"),
        ("java.io.IOException: No space left on device", "the disk of a worker is full"),
        (
            "NoResourceAvailableException: Could not acquire the minimum required resources.",
            "the cluster has no free slot",
        ),
        (
            "Pipeline a failed in state FAILED: java.util.concurrent.TimeoutException: Timeout has occurred: 20000 ms",
            "the cluster has no free slot",
        ),
        (
            "RemoteTransportException: Connection unexpectedly closed by remote task manager 'localhost/127.0.0.1:40981"
            " [ localhost:35371-84a49e ] '. This might indicate that the remote task manager was lost.",
            "a machine of the cluster was lost",
        ),
        ("TaskManager with id localhost:1-a is no longer reachable.", "a machine of the cluster was lost"),
        ("Heartbeat of TaskManager with id localhost:1-a timed out.", "a machine of the cluster was lost"),
        ("Master removed our application: FAILED", "Spark cannot start executors for the job"),
        (
            'NullPointerException: the return value of "org.apache.spark.SparkContext._taskScheduler()" is null',
            "Spark cannot start executors for the job",
        ),
        ("\n  something else\nat line 3", "the job failed on the cluster: something else"),
        ("Pipeline a failed in state FAILED: b\n c", "the job failed on the cluster: b"),
    ],
)
def test_errors_of_jobs_are_one_line(text, start):
    line = job_service.meaning(text)
    assert line.startswith(start)
    assert "\n" not in line
