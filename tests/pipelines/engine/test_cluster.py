"""What keeps a worker from doing the work of the submitter, and the check on Beam's own job service."""

import pytest

from pipelines.engine import cluster, job_service, running_job
from pipelines.engine.options import parse_options
from schemas.errors import ConfigError, MachineError
from tests.pipelines.engine.conftest import on

INSTALLATION = cluster.Installation("3.11", {"apache-beam": "2.77.0", "torch": "2.11.0"}, {"a.py": "1", "b.yaml": "2"})


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
        (
            {"versions": {"apache-beam": "2.70.0"}},
            "has apache-beam 2.70.0, this command 2.77.0; install the same version",
        ),
        (
            {"code": {"a.py": "1", "b.yaml": "3"}},
            "has other code of IEForge (b.yaml); install the same wheel there, or stage it (--extra_package=WHEEL)",
        ),
        (
            {"code": {"b.yaml": "3", "c.py": "4"}},
            "has other code of IEForge (a.py and 2 more); install the same wheel there, or stage it "
            "(--extra_package=WHEEL)",
        ),
    ],
)
def test_another_installation_is_a_problem(marker, difference, message):
    assert cluster.problems(INSTALLATION, INSTALLATION._replace(**difference), marker, {}) == [message]


def test_a_package_that_only_one_side_has_is_no_problem(marker):
    only_beam = INSTALLATION._replace(versions={"apache-beam": "2.77.0"})
    assert cluster.problems(INSTALLATION, only_beam, marker, {}) == []
    assert cluster.problems(only_beam, INSTALLATION, marker, {}) == []


def test_an_installation_has_all_code_and_data_and_the_packages_that_decide_bytes():
    installation = cluster.installation()
    needed = {"pipelines/engine/gather.py", "transforms/prompts/prompts.yaml", "pipelines/stages/mine.py"}
    assert needed <= installation.code.keys()
    assert not any(".pyc" in name for name in installation.code)
    assert {"apache-beam", "pyarrow", "numpy", "msgspec"} <= installation.versions.keys()


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
    other = cluster.Installation("3.12", {"apache-beam": "2.70.0"}, {})
    lines = cluster.problems(INSTALLATION, other, str(tmp_path / "a/b/c"), cluster.entries([str(tmp_path / "d")]))
    assert [line.split()[:2] for line in lines] == [["has", w] for w in ("Python", "apache-beam", "other")] + [
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
    monkeypatch.setattr(running_job, "ANSWER_S", 1)
    with pytest.raises(MachineError, match=r"^--job_endpoint=localhost:1: no job service answers there; start it"):
        cluster.check(on("localhost:1"), str(tmp_path / "build"), [])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--runner=PortableRunner"], "--runner=PortableRunner needs --job_endpoint=HOST:PORT"),
        (["--runner=PortableRunner", "--job_endpoint=http://a:1"], "--job_endpoint=http://a:1: must be HOST:PORT"),
        (["--runner=PortableRunner", "--job_endpoint=localhost"], "--job_endpoint=localhost: must be HOST:PORT"),
        (["--runner=PortableRunner", "--job_endpoint=::1"], "--job_endpoint=::1: must be HOST:PORT"),
        (["--runner=FlinkRunner", "--parallelism=0"], "--parallelism=0: must be a number above 0"),
        (["--runner=FlinkRunner", "--max_parallelism=-2"], "--max_parallelism=-2: must be a number above 0"),
        (["--runner=FlinkRunner", "--flink_job_server_jar=a.jar"], "--flink_job_server_jar=a.jar: no such file"),
        (["--runner=SparkRunner", "--spark_job_server_jar=a.jar"], "--spark_job_server_jar=a.jar: no such file"),
    ],
)
def test_values_that_are_refused_before_a_server_is_asked(flags, message):
    with pytest.raises(ConfigError) as raised:
        job_service.check_flags(parse_options([*flags, "--environment_type=LOOPBACK"]))
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("address", ["localhost:1", "[::1]:1", "10.0.0.1:1", "a-b.example:1"])
def test_addresses_of_job_services(address):
    job_service.check_values(parse_options(["--runner=PortableRunner", f"--job_endpoint={address}"]))


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
        (
            "java.lang.IllegalStateException: Process died with exit code 3",
            "the command of the workers (--environment_config) has ended with code 3 ",
        ),
        ("java.lang.OutOfMemoryError: Metaspace. The metaspace", "a TaskManager has no space for the classes"),
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
    line = job_service.meaning(RuntimeError(text))
    assert line.startswith(start)
    assert "\n" not in line
