"""`train.predict --config`: a YAML file instead of flags, flags that override it, and errors with their line."""

import pytest

from schemas.errors import ConfigError
from train import predict


@pytest.fixture
def config(tmp_path):
    def write(text: str) -> str:
        (tmp_path / "predict.yaml").write_text(text, encoding="utf-8")
        return str(tmp_path / "predict.yaml")

    return write


def test_a_file_gives_flags_and_flags_override_it(config):
    path = config("model: m\ndata: d\nbatch_size: 4\nguided: true\nbackoff_s: 2\nsources: ['a,b', c]\ntasks: NER,RE\n")
    arguments = predict.parse(["--config", path, "--batch_size", "8"])
    flags = ["--model", "m", "--data", "d", "--batch_size", "8", "--guided", "--backoff_s", "2"]
    flags += ["--tasks", "NER,RE"]
    assert vars(arguments) == vars(predict.parse(flags)) | {"config": path, "sources": ["a,b", "c"]}
    assert (arguments.batch_size, arguments.guided, arguments.split) == (8, True, "test")


def test_null_is_a_flag_that_is_not_set(config):
    assert vars(predict.parse(["--config", config("model:\nlimit: null\nbackend:\n")])) == vars(
        predict.parse(["--config", config("{}")])
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("model: m\nbatch_siz: 4\n", "predict.yaml:2: unknown key batch_siz; did you mean batch_size"),
        ("batch_size: many\n", "predict.yaml:1: batch_size: input should be a valid integer"),
        ("\nbackend: x\n", "predict.yaml:2: backend: input should be 'transformers' or 'vllm', not 'x'"),
        ("guided: perhaps\n", "predict.yaml:1: guided: input should be a valid boolean"),
        ("config: other.yaml\n", "predict.yaml:1: unknown key config"),
        ("a: 1\ntask: FOO\n", "predict.yaml:2: task: input should be 'NER', "),
        ("tasks: []\n", "predict.yaml:1: tasks"),
        ("limit: true\n", "predict.yaml:1: limit: input should be a valid integer, not True"),
        ("\nmax_new_tokens: 0\n", "predict.yaml:2: max_new_tokens: input should be greater than or equal to 1, not 0"),
        ("- model\n", "predict.yaml:1: expected a mapping of model, adapter"),
    ],
)
def test_an_error_is_one_line_with_its_place(config, text, line, capsys):
    assert predict.main(["--config", config(text)]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ") and line in shown and shown.count("\n") == 1


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"none.yaml: No such file or directory; --config takes a YAML file"):
        predict.parse(["--config", str(tmp_path / "none.yaml")])
