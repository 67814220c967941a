"""When a job that writes no files is given up."""

import pytest

from pipelines.engine import run
from pipelines.engine.run import StallWatch
from schemas.errors import MachineError

HOUR_S = 3600


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(run, "time", clock)
    return clock


def stalled_after(watch: StallWatch, clock: Clock, seconds: float) -> bool:
    clock.now += seconds
    return watch() is not None


def test_a_job_without_files_is_given_up_when_its_time_is_over(clock, tmp_path):
    watch = StallWatch(str(tmp_path / "data"), minutes=60)
    assert not stalled_after(watch, clock, 0)
    assert not stalled_after(watch, clock, HOUR_S - 1)
    assert stalled_after(watch, clock, run.LOOK_S)
    assert watch.folder in (StallWatch(str(tmp_path / "data"), 0)() or "")


def test_every_new_file_gives_a_job_its_time_again(clock, tmp_path):
    watch = StallWatch(str(tmp_path), minutes=60)
    for number in range(3):
        (tmp_path / f"{number}/deep").mkdir(parents=True)
        (tmp_path / f"{number}/deep/a.parquet").touch()
        assert not stalled_after(watch, clock, HOUR_S - 1)
    assert stalled_after(watch, clock, HOUR_S)


def test_unfinished_files_do_not_count(clock, tmp_path):
    watch = StallWatch(str(tmp_path), minutes=60)
    assert not stalled_after(watch, clock, HOUR_S / 2)
    (tmp_path / ".a.parquet.7.tmp").touch()
    assert stalled_after(watch, clock, HOUR_S / 2)


def test_files_are_counted_only_every_few_seconds(clock, tmp_path):
    watch = StallWatch(str(tmp_path), minutes=1 / 60)
    assert not stalled_after(watch, clock, 0)
    assert not stalled_after(watch, clock, run.LOOK_S - 1)
    (tmp_path / "a.json").touch()
    assert not stalled_after(watch, clock, 1)
    assert stalled_after(watch, clock, run.LOOK_S)


def test_a_file_in_place_of_the_folder_is_left_to_the_workers(clock, tmp_path):
    (tmp_path / "data").touch()
    assert StallWatch(str(tmp_path / "data"), minutes=60)() is None


def test_a_folder_that_cannot_be_listed_has_no_new_file(clock, tmp_path, monkeypatch):
    def fail(path: str) -> None:
        raise MachineError(f"{path}: SLOW_DOWN")

    (tmp_path / "a.json").touch()
    watch = StallWatch(str(tmp_path), minutes=60)
    assert not stalled_after(watch, clock, 0)
    with monkeypatch.context() as patched:
        patched.setattr(run.files, "list_files", fail)
        assert not stalled_after(watch, clock, HOUR_S - 1)
        assert stalled_after(watch, clock, run.LOOK_S)
