"""A second run of `train.predict` into the same file: it resumes, or refuses a file that it cannot continue."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT
from tests.serving import serving
from tests.train.predicting import ask, gold, lines, model_run, rows_for
from train import predict


def test_a_second_run_adds_failed_rows_in_order(notes_file, tmp_path, capsys):
    output = tmp_path / "p.jsonl"
    broken = {"day 1 ", "day 4 "}

    def reply(instruction, attempt):
        return (500, b"oops") if any(day in instruction for day in broken) else gold(instruction)

    with serving(reply) as served:
        assert ask(served, notes_file, output) == 1
        error = capsys.readouterr().err
        assert "4 of 12 rows have no answer (first: notes/test/1/NER/0: HTTP 500: oops)" in error
        assert len(lines(output)) == 8 and not (tmp_path / "p.joined.jsonl").exists()
        requests_before = len(served.requests)
        broken.clear()
        assert ask(served, notes_file, output) == 0
        assert len(served.requests) - requests_before == 4
    assert [row["id"] for row in lines(output)] == [row["id"] for row in rows_for("test", range(6))]
    assert len(lines(tmp_path / "p.joined.jsonl")) == 6


def test_an_earlier_joined_file_is_removed_if_rows_fail(notes_file, tmp_path):
    output = tmp_path / "p.jsonl"
    with serving(gold) as served:
        assert ask(served, notes_file, output) == 0
        assert (tmp_path / "p.joined.jsonl").exists()
        output.write_bytes(b"".join(output.read_bytes().splitlines(keepends=True)[:11]))
        served.reply = lambda *_: (500, b"")
        assert ask(served, notes_file, output) == 1
    assert not (tmp_path / "p.joined.jsonl").exists()


def test_a_killed_run_is_resumed(notes_file, tmp_path, capsys):
    output = tmp_path / "p.jsonl"
    with serving(gold) as served:
        assert ask(served, notes_file, output) == 0
        whole = output.read_bytes()
        ends = [at for at, byte in enumerate(whole) if byte == ord("\n")]
        for kept in (0, ends[3] + 1, ends[3] + 200, len(whole) - 1):  # also within a line, and within the last
            output.write_bytes(whole[:kept])
            before = len(served.requests)
            assert ask(served, notes_file, output) == 0
            assert output.read_bytes() == whole
            assert len(served.requests) - before == 12 - whole[:kept].count(b"\n")
        assert ask(served, notes_file, output) == 0
        assert "all of them in earlier runs" in capsys.readouterr().err


def test_predictions_with_other_settings_are_not_resumed(notes_file, tmp_path, capsys):
    output = tmp_path / "p.jsonl"
    with serving(gold) as served:
        assert ask(served, notes_file, output) == 0
        whole = output.read_bytes()
        capsys.readouterr()
        assert ask(served, notes_file, output, "--max_new_tokens", "9") == 2
        assert "made with max_new_tokens = 1024, now it is 9" in capsys.readouterr().err
        meta = tmp_path / "p.meta.json"
        content = meta.read_text()
        meta.unlink()
        assert ask(served, notes_file, output) == 2
        assert "which records how it was made" in capsys.readouterr().err
        meta.write_text(content)
        output.write_bytes(whole + whole[: whole.index(b"\n") + 1])
        assert ask(served, notes_file, output) == 2
        assert "p.jsonl:13: a repeated row" in capsys.readouterr().err
        output.write_bytes(b"{}\n" + whole)
        assert ask(served, notes_file, output) == 2
        assert "p.jsonl:1: not a row of predictions" in capsys.readouterr().err


def test_predictions_of_other_weights_are_not_resumed(notes_model, notes_file, tmp_path, capsys):

    import torch
    from safetensors.torch import load_file, save_file

    model = str(shutil.copytree(notes_model, tmp_path / "model"))
    assert model_run(model, notes_file, tmp_path / "p.jsonl", "--limit", "1") == 0
    weights = load_file(f"{model}/model.safetensors")
    save_file(
        {name: torch.randn_like(w) for name, w in weights.items()}, f"{model}/model.safetensors", {"format": "pt"}
    )
    assert model_run(model, notes_file, tmp_path / "p.jsonl", "--limit", "1") == 2
    assert "made with model_files" in capsys.readouterr().err


def test_a_file_that_is_not_predictions_is_unchanged(notes_file, tmp_path, capsys):
    output = tmp_path / "notes.txt"
    output.write_text("my notes\nwithout a line end")
    with serving(gold) as served:
        assert ask(served, notes_file, output) == 2
    assert output.read_text() == "my notes\nwithout a line end"


def test_a_file_locked_by_another_process_is_refused(notes_file, tmp_path, capsys):
    import fcntl

    output = tmp_path / "p.jsonl"
    with open(output, "ab") as locked, serving(gold) as served:
        fcntl.flock(locked, fcntl.LOCK_EX)
        assert ask(served, notes_file, output) == 2
    assert "another process is writing into it" in capsys.readouterr().err


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_at_once_and_is_resumed(stop, notes_file, tmp_path):
    output = tmp_path / "p.jsonl"
    slow = {"day 3 ", "day 5 "}

    def reply(instruction, attempt):
        return "hang" if any(day in instruction for day in slow) else gold(instruction)

    with serving(reply) as served:
        flags = ("--endpoint", served.url, "--data", notes_file, "--output", str(output))
        command = [sys.executable, "-m", "train.predict", *flags]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ})
        deadline = time.monotonic() + 60
        while (not output.exists() or output.read_bytes().count(b"\n") < 8) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(stop)
        started = time.monotonic()
        _, error = process.communicate(timeout=30)
        assert process.returncode == 130
        assert error == "interrupted; run the same command again to resume\n"
        assert time.monotonic() - started < 10
        slow.clear()
        assert predict.main(list(flags)) == 0
    assert [row["id"] for row in lines(output)] == [row["id"] for row in rows_for("test", range(6))]
