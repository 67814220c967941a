"""Flags and files that `train.predict` refuses with one line."""

import json
import shutil

import pytest

from tests.train.conftest import write_rows
from tests.train.predicting import rows_for, run
from train import predict


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data", "{data}"], "no model: pass --model, --adapter or --endpoint"),
        (["--model", "{tiny}"], "either --data or --texts"),
        (["--model", "{tiny}", "--data", "{data}", "--texts", "x"], "either --data or --texts"),
        (["--model", "{tiny}", "--texts", "{data}"], "--texts needs --task and --labels"),
        (["--model", "{tiny}", "--texts", "{data}", "--task", "NER", "--labels", "a", "--shots", "1"], "--shots takes"),
        (["--model", "{tiny}", "--texts", "no.txt", "--task", "NER", "--labels", "a"], "no.txt: No such file"),
        (
            ["--model", "{tiny}", "--texts", "{data}", "--task", "X", "--labels", "a"],
            "argument --task: invalid choice: 'X'",
        ),
        (["--model", "no/such/model", "--data", "{data}"], "no/such/model"),
        (["--model", "{folder}", "--data", "{data}"], "contains no model"),
        (["--model", "{tiny}", "--adapter", "{folder}", "--data", "{data}"], "no adapter"),
        (["--model", "{without_end}", "--data", "{data}"], "no end-of-sequence token"),
        (["--model", "{without_weights}", "--data", "{data}"], "cannot load the model"),
        (["--model", "{tiny}", "--data", "{data}", "--split", "train"], "train"),
        (["--model", "{tiny}", "--data", "{data}", "--tasks", "RE"], "RE"),
        (["--model", "{tiny}", "--data", "{doubled}"], "two rows have the id 'notes/test/0/NER/0'"),
        (["--model", "{tiny}", "--data", "{only_test}", "--shots", "1"], "no validation split"),
        (["--model", "{tiny}", "--data", "{data}", "--shots", "7"], "--shots 7: the validation split has fewer"),
        (["--model", "{tiny}", "--data", "{data}", "--device", "tpu9"], "--device tpu9"),
        (["--model", "{tiny}", "--data", "{data}", "--device", "cpu", "--four_bit"], "4-bit weights need a CUDA"),
        (["--model", "{tiny}", "--data", "{data}", "--batch_size", "0"], "--batch_size 0"),
        (["--model", "{tiny}", "--data", "{data}", "--batch_size", "many"], "see --help"),
        (["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}"], "the server does not answer"),
        (["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}", "--request", "{{"], "invalid JSON"),
        (["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}", "--adapter", "x"], "the server sets it"),
        (
            ["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}", "--request", '"\\ud800"'],
            "an unpaired surrogate",
        ),
        (["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}", "--request", "NaN"], "invalid JSON"),
        (["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}", "--request", "[]"], "must be a JSON object"),
        (["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}", "--model", "a\udcff"], "is not valid UTF-8"),
        (["--endpoint", "http://127.0.0.1:74333/", "--data", "{data}"], "not a valid URL"),
    ],
)
def test_bad_input_is_one_line(flags, message, notes_model, notes_file, tmp_path, capsys):

    places = {"tiny": notes_model, "data": notes_file, "folder": str(tmp_path)}
    for name in ("without_end", "without_weights"):
        places[name] = str(shutil.copytree(notes_model, tmp_path / name))
    config = json.loads((tmp_path / "without_end" / "tokenizer_config.json").read_text())
    del config["eos_token"]
    (tmp_path / "without_end" / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "without_weights" / "model.safetensors").unlink()
    rows = rows_for("test", range(2))
    places["doubled"] = write_rows(tmp_path / "doubled.jsonl", [rows[0], *rows])
    places["only_test"] = write_rows(tmp_path / "only_test.jsonl", rows)
    code = run(*(flag.format(**places) for flag in flags), output=tmp_path / "p.jsonl")
    error = capsys.readouterr().err
    assert code == 2 or (code == 1 and "no/such" in message), error
    assert message in error and error.startswith("error: ") and error.count("\n") == 1
    assert not (tmp_path / "p.joined.jsonl").exists()


@pytest.mark.parametrize("flag", predict.RANGES)
def test_a_number_out_of_range_is_one_line(flag, capsys):
    is_float = flag in ("timeout_s", "backoff_s")
    for value in ("nan", "inf", "-inf", "-1", "1e300") if is_float else ("-1", "9" * 30):
        code = predict.main(["--model", "x", "--data", "y", f"--{flag}={value}"])
        error = capsys.readouterr().err
        assert code == 2 and error.startswith(f"error: --{flag} ") and error.count("\n") == 1, (value, error)
        assert "must be" in error
