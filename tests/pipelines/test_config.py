"""Recipes, settings and flags become one configuration, or one line that says what is wrong."""

import pytest
import yaml

from pipelines import config
from pipelines.build import argument_parser, configuration
from schemas.errors import ConfigError


def parsed(*flags: str) -> config.Config:
    return configuration(argument_parser().parse_args(flags))


def test_without_data_the_samples_and_their_recipe():
    made = parsed()
    assert made.data_root == str(config.SAMPLES)
    assert made.mine.embedding_model == "lexical"
    assert made.ingest.max_reject_rate == 0.5


def test_with_data_the_defaults():
    made = parsed("--data_root", "raw")
    assert made.mine.embedding_model is None
    assert made.ingest.max_reject_rate == 0.02


def test_flags_stand_over_settings_and_settings_over_the_recipe(tmp_path):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(yaml.safe_dump({"data_root": "raw", "seed": 1, "clean": {"max_chars": 900}}))
    made = parsed("--recipe", str(recipe), "--set", "seed=2", "--seed", "3", "--set", "instruct.split_num={NER: 3}")
    assert (made.seed, made.clean.max_chars, made.instruct.split_num) == (3, 900, {"NER": 3})
    assert parsed("--recipe", str(recipe), "--set", "clean.max_chars=800").clean.max_chars == 800


def test_a_recipe_of_ones_own_for_the_samples_is_laid_over_theirs():
    made = parsed("--set", "clean.max_chars=700")
    assert (made.clean.max_chars, made.mine.embedding_model) == (700, "lexical")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", ":1: no valid YAML"),
        ("seed: 1\n  b: 2", ":2: no valid YAML"),
        ("- seed", "a recipe is a mapping"),
        ("sead: 1", "unknown key sead; did you mean seed?"),
        ("instruct: {tasks: [NER, XX]}", "instruct.tasks.1: input should be 'NER'"),
        ("clean: {max_chars: 3}", "clean.max_chars: input should be greater than or equal to 100, not 3"),
    ],
)
def test_a_wrong_recipe_names_file_and_key(tmp_path, text, said):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(text)
    with pytest.raises(ConfigError) as caught:
        parsed("--recipe", str(recipe), "--data_root", "raw")
    assert str(recipe) in str(caught.value) and said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_with_value_changes_nothing_in_place():
    content = {"clean": {"max_chars": 1}}
    assert config.with_value(content, "clean.max_chars", 2) == {"clean": {"max_chars": 2}}
    assert content == {"clean": {"max_chars": 1}}
