"""Settings from files, --set and flags: the resulting values, and the place that an error names."""

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator

from schemas.errors import ConfigError
from transforms import settings, yaml_values
from transforms.settings import Settings


class Hull(BaseModel):
    model_config = ConfigDict(extra="forbid")

    length_m: Annotated[int, Field(gt=0)] = 10


class Ship(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    kind: Literal["tug", "ferry"] = "tug"
    hull: Hull = Hull()
    decks: tuple[int, ...] = ()

    @field_validator("name")
    @classmethod
    def is_short(cls, name: str) -> str:
        if len(name) > 20:
            raise ValueError("longer than 20 characters")
        return name


def read(tmp_path, text: str) -> Settings:
    (tmp_path / "ship.yaml").write_text(text)
    return settings.read(tmp_path / "ship.yaml", Ship, "give a file")


def error(given: Settings) -> str:
    with pytest.raises(ConfigError) as raised:
        settings.check(Ship, given)
    return str(raised.value)


def test_flags_override_settings_and_settings_override_the_file(tmp_path):
    given = read(tmp_path, "name: Ada\nhull: {length_m: 12}\ndecks: [1]\n")
    given = given.with_setting("decks=[1, 2]").with_setting("hull.length_m=14").with_value(["kind"], "ferry", "--kind")
    ship = settings.check(Ship, given)
    assert (ship.name, ship.kind, ship.hull.length_m, ship.decks) == ("Ada", "ferry", 14, (1, 2))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: Ada\nkind: raft\n", "2: kind: input should be 'tug' or 'ferry', not 'raft'"),
        (
            "name: A\n\nhull:\n  # steel\n  length_m: 0\n",
            "5: hull.length_m: input should be greater than 0, not 0",
        ),
        ("name: Ada\nhull: &h\n  length: 3\n", "3: unknown key hull.length; did you mean length_m?"),
        ("name: Ada\nxyzzy: 1\n", "2: unknown key xyzzy; known keys: name, kind, hull, decks"),
        ("name: Ada\ndecks:\n- 1\n- two\n", "4: decks.1: input should be a valid integer"),
        ("name: Ada\ndecks: 3\n", "2: decks: input should be a valid tuple, not 3"),
        ("name: Adaaaaaaaaaaaaaaaaaaaaaaaaaa\n", "1: name: longer than 20 characters"),
        ("# empty\nkind: tug\n", "2: name is missing; write the key name"),
        ("", "1: name is missing; write the key name"),
    ],
)
def test_errors_in_a_file_have_a_line_number(tmp_path, text, line):
    assert error(read(tmp_path, text)).startswith(f"{tmp_path}/ship.yaml:{line}")


def test_only_the_first_errors_are_listed_with_their_places(tmp_path):
    given = read(tmp_path, "name: Ada\nkind: raft\n").with_value(["hull", "length_m"], -1, "--length")
    assert error(given) == (
        f"{tmp_path}/ship.yaml:2: kind: input should be 'tug' or 'ferry', not 'raft'; "
        "--length: hull.length_m: input should be greater than 0, not -1"
    )
    assert error(given.with_value(["decks"], list("abcdefg"), "--decks")).endswith("; and 4 more")


def test_an_error_names_the_last_place_that_set_the_value(tmp_path):
    given = read(tmp_path, "name: Ada\nhull: {length_m: 1}\n").with_setting("hull.length_m=-1")
    assert error(given).startswith("--set hull.length_m: hull.length_m: ")
    assert error(given.with_setting("hull={length_m: -2}")).startswith("--set hull: hull.length_m: ")
    assert error(given.with_setting("decks.first.name=x")).endswith(
        "; --set decks.first.name: " + ("decks: input should be a valid tuple, not {'first': {'name': 'x'}}")
    )


def test_a_default_value_has_no_place():
    assert error(Settings({"name": 3})) == "name: input should be a valid string, not 3"


@pytest.mark.parametrize("text", ["- name", "name", "3"])
def test_a_file_without_a_mapping_is_refused(tmp_path, text):
    with pytest.raises(ConfigError, match=r"ship.yaml:1: expected a mapping of name, kind, hull, decks$"):
        read(tmp_path, text)


@pytest.mark.parametrize("setting", ["a", "=1", "a.=1", ".a=1", "a..b=1", "a=["])
def test_a_malformed_setting_is_refused(setting):
    with pytest.raises(ConfigError, match="--set "):
        Settings().with_setting(setting)


def test_a_string_may_have_a_colon():
    ship = settings.check(Ship, Settings().with_setting("name=Ada: a tug").with_setting("hull=length_m: 3"))
    assert (ship.name, ship.hull.length_m) == ("Ada: a tug", 3)
    overridden = Settings().with_setting("name=Ada: a tug").with_value(["name"], "Bo", "--name")
    assert settings.check(Ship, overridden).name == "Bo"
    assert settings.check(Ship, Settings().with_setting("name=Ada: a").over({"name": "Bo"})).name == "Ada: a"
    assert error(Settings().with_setting("name={a: b}")).startswith("--set name: name: input should be a valid string")
    assert error(Settings().with_setting("name=Ada: longer than it may be")) == (
        "--set name: name: longer than 20 characters"
    )


def test_a_text_that_is_no_yaml_is_refused_with_the_way_to_quote_it():
    with pytest.raises(ConfigError, match=r"""invalid YAML: .*; enclose a text in quotes: --set 'name="\.\.\."'$"""):
        Settings().with_setting("name=Ada: a tug: old")


def test_levels_limits_the_number_of_sections():
    assert Settings().with_setting("weights.a.b=2", levels=1).values == {"weights": {"a.b": 2}}
    assert Settings().with_setting("weights.a.b=2").values == {"weights": {"a": {"b": 2}}}


def test_settings_are_not_changed_in_place():
    given = Settings({"hull": {"length_m": 1}})
    assert given.with_value(["hull", "length_m"], 2, "--length").values == {"hull": {"length_m": 2}}
    assert given == Settings({"hull": {"length_m": 1}})


def test_defaults_are_merged_section_by_section():
    defaults = {"name": "Bo", "hull": {"length_m": 1, "width_m": 2}}
    assert Settings({"hull": {"length_m": 3}}).over(defaults).values == {
        "name": "Bo",
        "hull": {"length_m": 3, "width_m": 2},
    }


NESTED = st.recursive(
    st.integers(0, 9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc1", min_size=1), inner, max_size=3),
    max_leaves=12,
)


def paths(value: object) -> list[tuple]:
    """Every path to a key or an item within the value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(key, *rest) for key, inner in items for rest in ((), *paths(inner))]


@given(NESTED)
def test_every_value_has_its_line_number(value):
    """In block style each scalar starts a new line, so the line at a path ends with the value there."""
    text = yaml_values.render(value)
    document = yaml_values.document(text.encode(), "x.yaml")
    lines = text.splitlines()
    for path in paths(value):
        inner = value
        for part in path:
            inner = inner[part]
        line = lines[int(document.place(path).removeprefix("x.yaml:")) - 1]
        if not isinstance(inner, list | dict):
            assert line.endswith(yaml_values.render(inner).splitlines()[0])
        if isinstance(path[-1], str):
            assert path[-1] in line
