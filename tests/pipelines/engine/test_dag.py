"""Stages run once, after the stages they need, and again when an input has changed."""

import json
import os

import pytest

from pipelines.engine import dag
from pipelines.engine.dag import Stage
from schemas.manifests import StageResult
from transforms import files


class Rows(StageResult, frozen=True):
    rows: int


def stages(output, log, inputs=None, fail=None):
    def run(name):
        def work(folder):
            assert folder == str(output)
            assert not (output / name).exists()  # files of an earlier attempt are deleted
            (output / name).mkdir(parents=True)
            (output / name / "rows.txt").write_text(name)
            log.append(name)
            if name == fail:
                raise RuntimeError(name)
            return Rows(1)

        return work

    needs = {"read": (), "clean": ("read",), "count": ("clean",), "ask": ("clean", "count")}
    inputs = inputs or {}
    return {name: Stage(name, need, (name,), inputs.get(name, 0), (), run(name), Rows) for name, need in needs.items()}


def build(output, last="ask", **settings):
    log, started = [], []
    graph = stages(output, log, **settings)
    manifests = dag.run(graph, str(output), last, lambda stage, done: started.append((stage.name, done)))
    return log, started, manifests


def test_stages_run_in_order_and_are_not_repeated(tmp_path):
    log, started, manifests = build(tmp_path)
    assert log == ["read", "clean", "count", "ask"]
    assert manifests["ask"].result == Rows(1)
    assert json.loads((tmp_path / "read/manifest.json").read_text())["files"] == {"read/rows.txt": 4}
    log, started, _ = build(tmp_path)
    assert log == []
    assert started == [(name, True) for name in ("read", "clean", "count", "ask")]


def test_a_changed_input_runs_a_stage_and_its_successors_again(tmp_path):
    build(tmp_path)
    assert build(tmp_path, inputs={"count": 1})[0] == ["count", "ask"]


def test_a_changed_file_runs_its_stage_again(tmp_path):
    build(tmp_path)
    (tmp_path / "clean/rows.txt").write_text("more than was written")
    assert build(tmp_path)[0] == ["clean"]


@pytest.mark.parametrize("damaged", ["{", "[]", "{}", "null"])
def test_a_stage_whose_manifest_is_damaged_runs_again(tmp_path, damaged):
    build(tmp_path)
    (tmp_path / "clean/manifest.json").write_text(damaged)
    assert build(tmp_path)[0] == ["clean"]


def test_a_failed_stage_runs_again_before_its_successors(tmp_path):
    log = []
    graph = stages(tmp_path, log, fail="clean")
    with pytest.raises(RuntimeError):
        dag.run(graph, str(tmp_path), "ask", lambda stage, done: None)
    assert log == ["read", "clean"]
    assert build(tmp_path)[0] == ["clean", "count", "ask"]


def test_only_stages_that_the_last_stage_needs_run(tmp_path):
    assert build(tmp_path, last="clean")[0] == ["read", "clean"]
    assert not (tmp_path / "count").exists()


def test_a_stage_is_due_if_the_last_stage_needs_it_and_it_is_not_done(tmp_path):
    def due(last="ask", **settings):
        graph = stages(tmp_path, [], **settings)
        return [name for name in graph if dag.is_due(graph, str(tmp_path), name, last)]

    assert due() == ["read", "clean", "count", "ask"]
    assert due("clean") == ["read", "clean"]
    build(tmp_path)
    assert due() == []
    assert due(inputs={"count": 1}) == ["count", "ask"]
    assert due("clean", inputs={"count": 1}) == []


def test_fingerprints_do_not_depend_on_the_order_of_keys(tmp_path):
    one = dag.fingerprints(stages(tmp_path, [], inputs={"read": {"a": 1, "b": 2}}))
    two = dag.fingerprints(stages(tmp_path, [], inputs={"read": {"b": 2, "a": 1}}))
    assert one == two


def test_a_manifest_is_written_after_its_files_are_on_disk(tmp_path, monkeypatch):
    calls = []

    def run(output):
        files.write_text(f"{output}/data/shard", "rows")
        return Rows(1)

    def synchronized(descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        calls.append((os.path.relpath(path, tmp_path), os.path.exists(tmp_path / "data/manifest.json")))

    monkeypatch.setattr(os, "fsync", synchronized)
    stage = Stage("instruct", (), ("data",), {}, (), run, Rows)
    dag.run({"instruct": stage}, str(tmp_path), "instruct", lambda stage, done: None)
    assert calls == [
        ("data/shard", False),
        ("data", False),
        (f"data/.manifest.json.{os.getpid()}.tmp", False),
        ("data", True),
    ]
