"""Recipes, settings and flags result in one configuration or in a one-line error."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines import build, config
from pipelines.build import argument_parser, configuration
from schemas.errors import ConfigError, printable
from transforms.settings import Settings


def parsed(*flags: str) -> config.Config:
    return configuration(argument_parser().parse_args(flags))


def test_without_a_data_root_the_samples_and_their_recipe_are_used():
    made = parsed()
    assert made.data_root == str(config.SAMPLES)
    assert made.mine.embedding_model == "lexical"
    assert made.ingest.max_reject_rate == 0.5


@pytest.mark.parametrize("value", ["data_root=null", "data_root="])
def test_a_data_root_that_is_null_means_the_samples(value):
    assert parsed("--set", value) == parsed()


def test_an_empty_data_root_is_refused():
    with pytest.raises(ConfigError, match=r"^--data_root: data_root is empty; name a folder$"):
        parsed("--data_root", "")


def test_with_a_data_root_the_defaults_are_used():
    made = parsed("--data_root", "raw")
    assert made.mine.embedding_model is None
    assert made.ingest.max_reject_rate == 0.02


def test_flags_override_settings_and_settings_override_the_recipe(tmp_path):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(yaml.safe_dump({"data_root": "raw", "seed": 1, "clean": {"max_chars": 900}}))
    made = parsed("--recipe", str(recipe), "--set", "seed=2", "--seed", "3", "--set", "instruct.split_num={NER: 3}")
    assert (made.seed, made.clean.max_chars, made.instruct.split_num) == (3, 900, {"NER": 3})
    assert parsed("--recipe", str(recipe), "--set", "clean.max_chars=800").clean.max_chars == 800


def test_settings_for_the_samples_are_merged_into_their_recipe():
    made = parsed("--set", "clean.max_chars=700")
    assert (made.clean.max_chars, made.mine.embedding_model) == (700, "lexical")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", ":1: invalid YAML"),
        ("seed: 1\n  b: 2", ":2: invalid YAML"),
        ("- seed", ":1: expected a mapping of data_root, sources, seed"),
        ("sead: 1", "unknown key sead; did you mean seed?"),
        ("instruct: {tasks: [NER, XX]}", "instruct.tasks.1: input should be 'NER'"),
        ("seed: 2020-13-45", "seed: input should be a valid integer, unable to parse string as an integer"),
        (f"ingest: {{limit: 1{'0' * 30}}}", "ingest.limit: input should be less than 9223372036854775808"),
        ("seed: 1\nseed: 2", ":2: invalid YAML: the key seed occurs twice"),
        (f"mine: [{'x, ' * 1000}]", "mine: input should be a valid dictionary or instance of Mine, not ['x', 'x',"),
        (f"sources: [{'1, ' * 1000}]", "sources.0: input should be a valid string, not 1; "),
        (f"? {'x' * 10000}\n: 1", "unknown key xxx"),
        ("clean:\n  max_chars: 3", ":2: clean.max_chars: input should be greater than or equal to 100, not 3"),
        ("clean:\n  same_text: x\nseed: y", ":2: clean.same_text: "),
        ("clean: {}\nseed: true", ":2: seed: must be a number, not True"),
        ("instruct:\n  negative_share: false", ":2: instruct.negative_share: must be a number, not False"),
        ("instruct:\n  tasks: []", ":2: instruct.tasks: "),
        ("instruct:\n  split_num:\n    NER: 0", ":3: instruct.split_num.NER: must be -1 or at least 1, not 0"),
        ("instruct:\n  labels_without_positive: 0", ":2: instruct.labels_without_positive: must be -1 or at least 1"),
        ("clean:\n  same_text: x\nseed: y", ":3: seed: "),
    ],
)
def test_a_wrong_recipe_names_file_and_key(tmp_path, text, message):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(text)
    with pytest.raises(ConfigError) as caught:
        parsed("--recipe", str(recipe), "--data_root", "raw")
    assert str(recipe) in str(caught.value) and message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 2000


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["NER", "a.b", ".inf"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["NER", "max_chars", "pin", 1, None, True, ""]), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [*config.Config.model_fields]
    + [f"{section}.{key}" for section in ("ingest", "clean", "mine", "instruct") for key in ("pin", "max_chars", "x.y")]
    + ["ingest.limit", "mine.cache", "instruct.prompts", "instruct.split_num", "tokens.tokenizer"]
)


@given(st.lists(st.tuples(KEYS, ANY), max_size=3))
def test_any_values_give_a_configuration_or_a_one_line_error(pairs):
    settings = Settings()
    for key, value in pairs:
        settings = settings.with_value(key.split("."), value, "--flag")
    try:
        made = config.check(settings.over({"seed": 1}))
    except ConfigError as error:
        assert str(error).startswith("--flag: ")
        assert len(str(error).splitlines()) == 1
    else:
        made.model_dump_json()


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--seed", "x"], "--seed: seed: input should be a valid integer"),
        (["--set", "clean.max_chars=3"], "--set clean.max_chars: clean.max_chars: input should be greater"),
        (["--set", "clean={max_chars: 3}"], "--set clean: clean.max_chars: input should be greater"),
        (["--set", "clean.max_char=3"], "--set clean.max_char: unknown key clean.max_char; did you mean max_chars"),
        (["--tasks", "NER,XX"], "--tasks: instruct.tasks.1: input should be 'NER'"),
    ],
)
def test_a_wrong_flag_is_named(flags, line):
    with pytest.raises(ConfigError) as caught:
        parsed(*flags)
    assert str(caught.value).startswith(line)


@given(KEYS, st.text() | st.from_regex(r"[\[{]{0,3}[0-9.e:~*&!<-]+[\]}]{0,3}"))
def test_any_setting_gives_a_value_or_a_one_line_error(key, value):
    try:
        Settings().with_setting(f"{key}={value}")
    except ConfigError as error:
        assert str(error).startswith(f"--set {key}:1: invalid YAML: ") or "\n" in value
        assert len(printable(str(error))) < 400


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({}, []),
        ({"descriptions": {"share": 0.5, "drop": 0.3, "contrast": True}}, []),
        (
            {"descriptions": {"drop": 0.3, "contrast": True}},
            [
                "instruct.descriptions.share is 0, so no prompt has descriptions and this changes nothing: "
                "drop, contrast"
            ],
        ),
        (
            {"descriptions": {"share": 1, "drop": 1, "mask": 0.2}},
            ["instruct.descriptions.drop is 1, so no label has a description, and mask changes nothing"],
        ),
        ({"forms": {"iepile": 0, "nan": 1}}, []),
        (
            {"forms": {"iepile": 0.8, "nan": 0, "triples": 0.2}},
            [
                "instruct.forms.nan is 0, so no row is asked in this form",
                "instruct.forms.triples serves none of the tasks NER, EEA; their rows are asked as iepile",
            ],
        ),
    ],
)
def test_settings_that_change_nothing_are_named(settings, lines):
    assert list(config.idle_settings(config.Instruct(**settings), ["NER", "EEA"])) == lines


def test_a_build_names_settings_that_change_nothing(tmp_path, capsys):
    flags = ["--sources", "clue_ner", "--dry_run", "--set", "instruct.descriptions.mask=0.5"]
    assert build.main(["--output", str(tmp_path / "build"), *flags]) == 0
    assert "note: instruct.descriptions.share is 0, so no prompt has descriptions" in capsys.readouterr().err
