"""Recipes: numbers are read as numbers, and an error is one line with its place."""

import re

import pytest

from schemas.errors import ConfigError
from train.tuning import recipe
from transforms import yaml_values
from transforms.settings import Settings

REQUIRED = {"model": "m", "data": "d", "output": "o"}


def test_numbers_with_an_exponent_are_numbers(tmp_path):
    (tmp_path / "r.yaml").write_text("training: {learning_rate: 2e-4, weight_decay: 1E-2, save_strategy: 'no'}\n")
    settings = recipe.read(str(tmp_path / "r.yaml")).with_setting("training.adam_epsilon=1e-8", levels=1)
    assert settings.values["training"] == {
        "learning_rate": 0.0002, "weight_decay": 0.01, "save_strategy": "no", "adam_epsilon": 1e-8,
    }  # fmt: skip


def test_settings_and_sections():
    settings = Settings(REQUIRED)
    for setting in ("lora.modules_to_save=[embed_tokens, lm_head]", "tasks=[NER]", "weights.a.b=0.5"):
        settings = settings.with_setting(setting, levels=1)
    checked = recipe.check(settings)
    assert checked.lora == {"modules_to_save": ["embed_tokens", "lm_head"]}
    assert (checked.tasks, checked.weights) == (("NER",), {"a.b": 0.5})


@pytest.mark.parametrize("name", recipe.shipped_names())
def test_shipped_recipes_are_read_by_name_and_valid(name):
    checked = recipe.check(recipe.read(name).over({"data": "d", "output": "o"}))
    pytest.importorskip("trl")
    from train.tuning import options

    options.adapter_options(checked)
    unset = {"bf16": False, "fp16": False, "max_steps": 1}
    options.training_arguments(checked.model_copy(update={"training": {**checked.training, **unset}}))


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"modle": "x"}, "r.yaml:4: unknown key modle; did you mean model"),
        ({"model": None}, "model: input should be a valid string, not None"),
        ({"method": "fast"}, "method: input should be 'lora', 'qlora' or 'full', not 'fast'"),
        ({"tasks": ["NRE"]}, "tasks.0: input should be 'NER'"),
        ({"tiny": {"layer": 3}}, "r.yaml:5: unknown key tiny.layer; did you mean layers"),
        ({"weights": {"NER": -1}}, "weights.NER: input should be greater than or equal to 0, not -1"),
        ({"adapter": "a", "lora": {"r": 8}}, "a continued adapter keeps its options"),
        ({"adapter": "a", "method": "full"}, "an adapter is continued with lora or qlora"),
        ({"method": "full", "lora": {"r": 8}}, "method full trains all weights"),
        ({"training": {"per_device_train_batch_size": 0}}, "per_device_train_batch_size 0: must be at least 1"),
    ],
)
def test_a_wrong_recipe_is_one_line(changed, line, tmp_path):
    (tmp_path / "r.yaml").write_text(yaml_values.render({**REQUIRED, **changed}))
    with pytest.raises(ConfigError, match=line) as raised:
        recipe.check(recipe.read(str(tmp_path / "r.yaml")))
    assert "\n" not in str(raised.value)
    assert re.match(rf"{tmp_path}/r.yaml:\d+: ", str(raised.value))


def test_a_missing_key_is_named():
    with pytest.raises(ConfigError, match="output is missing; set --output or the key output"):
        recipe.check(Settings({"model": "m", "data": "d"}))


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [", r"r.yaml:2: invalid YAML"), ("- a", r"r.yaml:1: expected a mapping of model, data")],
)
def test_a_file_that_is_not_a_recipe_is_refused_with_its_line(tmp_path, text, line):
    (tmp_path / "r.yaml").write_text(text + "\n")
    with pytest.raises(ConfigError, match=line):
        recipe.read(str(tmp_path / "r.yaml"))


def test_an_unknown_name_lists_the_shipped_recipes():
    with pytest.raises(
        ConfigError, match="No such file or directory; --config takes a YAML file or one of h200, iepile"
    ):
        recipe.read("qwen")


@pytest.mark.parametrize("setting", ["a", "=1", "a=["])
def test_a_broken_setting_is_refused(setting):
    with pytest.raises(ConfigError, match="--set"):
        Settings().with_setting(setting)


def test_options_are_checked_by_the_types_of_the_library():
    trl, peft = pytest.importorskip("trl"), pytest.importorskip("peft")
    options = {"max_length": "512", "learning_rate": "2e-4", "packing": "yes", "report_to": ["none"]}
    checked = recipe.options({**options, "save_steps": 5}, trl.SFTConfig, "training")
    assert checked == {
        "max_length": 512,
        "learning_rate": 2e-4,
        "packing": True,
        "report_to": ["none"],
        "save_steps": 5,
    }
    assert recipe.options({"init_lora_weights": "pissa_niter_4"}, peft.LoraConfig, "lora")
    for wrong, kind, line in (
        (
            {"num_train_epochs": "lots"},
            trl.SFTConfig,
            r"x.num_train_epochs: input should be a valid number, .* not 'lots'",
        ),
        ({"per_device_train_batch_size": 2.5}, trl.SFTConfig, "x.per_device_train_batch_size: .* not 2.5"),
        ({"r": "eight"}, peft.LoraConfig, "x.r: input should be a valid integer, .* not 'eight'"),
        ({"lerning_rate": 1}, trl.SFTConfig, "unknown key x.lerning_rate; did you mean learning_rate"),
    ):
        with pytest.raises(ConfigError, match=line):
            recipe.options(wrong, kind, "x")
