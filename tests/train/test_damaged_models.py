"""A model, an adapter or a template that is damaged or does not fit is refused in one line that names it."""

import json
import shutil
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from train import chat, load, predict, sft, tiny
from train.prediction import generate


@pytest.fixture
def model(tiny_base, tmp_path) -> Path:
    load.quiet()
    return Path(shutil.copytree(tiny_base, tmp_path / "base"))


def read(folder: Path, adapter: str | None = None) -> None:
    """Loads the model as train.predict does before the first answer."""
    tokenizer = chat.load_tokenizer(str(folder), adapter=adapter)
    loaded = load.load_model(str(folder), adapter=adapter, dtype="float32")
    load.greedy(loaded, tokenizer)
    generate.load(loaded, tokenizer, generate.device("cpu"), guided=False)


def set_key(file: Path, key: str, value: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))


def rename_weight(file: Path, old: str, new: str) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(file)
    name = next(name for name in sorted(weights) if old in name)
    weights[name.replace(old, new)] = weights.pop(name)
    save_file(weights, file, {"format": "pt"})


def refusal(folder: Path, adapter: str | None = None) -> str:
    with pytest.raises(ConfigError) as refused:
        read(folder, adapter)
    line = str(refused.value)
    assert str(adapter or folder) in line and "\n" not in line and len(line) < 1000
    return line


def test_an_intact_model_is_read(model):
    read(model)


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("num_hidden_layers", 5, "27 weights of the model are not in its files"),
        ("num_hidden_layers", 1, "9 weights in its files are not in the model"),
        ("model_type", "gpt2", ""),
        ("attention_bias", True, "weights of the model are not in its files"),
    ],
)
def test_a_config_of_another_model_is_refused(model, key, value, line):
    set_key(model / "config.json", key, value)
    assert line in refusal(model)


def test_a_missing_weight_is_refused_by_predict_and_sft(model, rows_file, tmp_path, capsys):
    rename_weight(model / "model.safetensors", "q_proj", "qq_proj")
    refusal(model)
    commands = [
        (predict, ["--output", str(tmp_path / "p.jsonl"), "--split", "train"]),
        (sft, ["--output", str(tmp_path / "o"), "--set", "training.max_steps=1"]),
    ]
    for command, more in commands:
        assert command.main(["--model", str(model), "--data", rows_file, *more]) == 2
        error = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))
        assert f"{model}: 1 weights of the model are not in its files" in error


def test_tied_weights_are_not_missing(model):
    from transformers import AutoModelForCausalLM

    tied = AutoModelForCausalLM.from_pretrained(model)
    tied.config.tie_word_embeddings = True
    tied.tie_weights()
    tied.save_pretrained(model)
    read(model)


@pytest.fixture
def adapter(model, tmp_path) -> Path:
    from peft import LoraConfig, get_peft_model

    options = LoraConfig(task_type="CAUSAL_LM", r=2, target_modules="all-linear")
    get_peft_model(load.load_model(str(model)), options).save_pretrained(tmp_path / "adapter")
    set_key(tmp_path / "adapter/adapter_config.json", "base_model_name_or_path", str(model))
    return tmp_path / "adapter"


def test_an_adapter_that_does_not_fit_its_model_is_refused(model, adapter):
    read(model, str(adapter))
    file = adapter / "adapter_model.safetensors"
    whole = file.read_bytes()
    for old, new, line in (("q_proj", "qq_proj", "missing adapter keys"), ("layers.1.", "layers.7.", "")):
        rename_weight(file, old, new)
        assert line in refusal(model, str(adapter))
        file.write_bytes(whole)
    tiny.model(chat.load_tokenizer(str(model)), hidden_size=32, layers=1).save_pretrained(model)
    assert "weights in its files are not in the model" in refusal(model, str(adapter))


@pytest.mark.parametrize("key", ["r", "target_modules", "peft_type", "base_model_name_or_path", "task_type"])
@pytest.mark.parametrize("value", [{"a": 1}, 17, "none"], ids=str)
def test_a_damaged_adapter_config_is_refused(model, adapter, key, value):
    set_key(adapter / "adapter_config.json", key, value)
    refusal(model, str(adapter))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"3", b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 100_000, b'{"model_type": '],
    ids=["empty", "list", "number", "bytes", "nested", "nested objects", "cut"],
)
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"])
def test_a_damaged_file_is_refused(model, name, content):
    (model / name).write_bytes(content)
    refusal(model)


@pytest.mark.parametrize("place", [0, 8, 40, -1])
def test_damaged_weights_are_refused(model, place):
    content = (model / "model.safetensors").read_bytes()
    damaged = content[:-1] if place < 0 else content[:place] + b"\xff\xff" + content[place + 2 :]
    (model / "model.safetensors").write_bytes(damaged)
    refusal(model)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("config.json", "hidden_size", 48),
        ("config.json", "hidden_size", "32"),
        ("config.json", "hidden_act", "nope"),
        ("config.json", "dtype", "float7"),
        ("config.json", "num_attention_heads", 0),
        ("config.json", "num_key_value_heads", 3),
        ("config.json", "rms_norm_eps", float("nan")),
        ("config.json", "rope_parameters", {"rope_type": "none"}),
        ("config.json", "vocab_size", 7),
        ("config.json", "max_position_embeddings", [1]),
        ("generation_config.json", "eos_token_id", "</s>"),
        ("generation_config.json", "eos_token_id", [[2]]),
        ("tokenizer_config.json", "eos_token", 7),
        ("tokenizer_config.json", "chat_template", 7),
        ("tokenizer_config.json", "tokenizer_class", ["x"]),
        ("tokenizer.json", "model", {"type": "BPE", "vocab": {"a": -1}, "merges": []}),
        ("tokenizer.json", "pre_tokenizer", {"type": "none"}),
        ("tokenizer.json", "added_tokens", 3),
    ],
)
def test_a_value_that_no_model_can_have_is_refused(model, name, key, value):
    if key == "chat_template":
        (model / "chat_template.jinja").unlink()
    set_key(model / name, key, value)
    with pytest.raises(ConfigError):
        read(model)


def test_a_tokenizer_with_ids_beyond_the_model_is_refused(model):
    tokenizer = chat.load_tokenizer(str(model))
    tokenizer.add_tokens(["<entity>"])
    tokenizer.save_pretrained(model)
    assert "they do not match" in refusal(model)


RENDERED = "{% for m in messages %}{{ m.content }}</s>{% endfor %}"


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("", "does not render|does not put"),
        ("{{ 1/0 }}", "does not render: division by zero"),
        ("{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}", "does not render"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "does not render"),
        ("{{ messages[7].content }}", "does not render"),
        ("{{ messages[0].content.nope() }}", "does not render"),
        ("{{ [1][3] + {}['a'] }}", "does not render"),
        ("{{ range(10 ** 12) | list }}", "does not render"),
        ("### Answer:", "does not put the whole user message into the prompt"),
        (RENDERED.replace("m.content", "m.content[:50]"), "does not put the whole user message"),
        (RENDERED.replace("m.content", "m.content | upper"), "does not put the whole user message"),
        ("{{ messages[0].content }}", "does not put the whole answer"),
    ],
)
def test_a_template_that_fails_or_loses_text_is_refused(tiny_base, tmp_path, template, line):
    (tmp_path / "t.jinja").write_text(template)
    with pytest.raises(ConfigError, match=line):
        chat.load_tokenizer(tiny_base, chat_template=str(tmp_path / "t.jinja"))
