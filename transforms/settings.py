"""YAML files, `--set key=value` and flags → one checked pydantic model, or one line that says what is wrong and where.

A key is a path into nested mappings (`clean.max_chars`). Of several problems the first `FIRST_PROBLEMS` are named, each
with its place: `file:line` for what a file says, the flag for what the command line says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError

from schemas.errors import QUOTED_CHARS, ConfigError, did_you_mean, quoted
from transforms import yaml_values

FIRST_PROBLEMS = 5

Model = TypeVar("Model", bound=BaseModel)
Keys = tuple[str | int, ...]
"""A path into nested values: names of keys and positions in lists."""


def refuse_boolean(value: object) -> object:
    if isinstance(value, bool):  # which Python counts as an integer
        raise ValueError(f"must be a number, not {value}")
    return value


NUMBER = BeforeValidator(refuse_boolean)
"""An annotation of fields that are numbers."""


@dataclass(frozen=True)
class Settings:
    """Nested values, and for paths into them where they were written: in a YAML document, or by a flag (its name)."""

    values: dict = field(default_factory=dict)
    origins: Mapping[Keys, yaml_values.Document | str] = field(default_factory=dict)

    def with_value(self, keys: Sequence[str], value: object, origin: str) -> "Settings":
        """These settings with the value at a path replaced."""
        keys = tuple(keys)
        kept = {path: known for path, known in self.origins.items() if path[: len(keys)] != keys}
        return Settings(replaced(self.values, keys, value), {**kept, keys: origin})

    def with_setting(self, setting: str, levels: int = -1) -> "Settings":
        """These settings with one `section.key=value` of `--set`; the value is read as YAML (`[a, b]`, `0.5`, `null`).

        At most `levels` dots of the key separate sections (-1: all). Raises ConfigError for what is not written so.
        """
        key, equals, value = setting.partition("=")
        keys = key.split(".", levels)
        if not equals or not all(keys):
            raise ConfigError(f"--set {setting}: write key=value or section.key=value")
        parsed = yaml_values.parse(value.encode("utf-8", "surrogateescape"), f"--set {key}")
        return self.with_value(keys, parsed, f"--set {key}")

    def over(self, defaults: dict) -> "Settings":
        """These settings where they have a value, `defaults` elsewhere, section by section."""
        return Settings(merged(defaults, self.values), self.origins)

    def place(self, *keys: str | int) -> str:
        """Where the value at a path was written, as the start of an error: `file:line: `; empty where that is unknown.

        For a value of which only parts were written it is the place of the last part; for one that nobody wrote, the
        place of what should hold it.
        """
        parts = [path for path in self.origins if path[: len(keys)] == keys]
        around = [keys[:length] for length in range(len(keys), -1, -1) if keys[:length] in self.origins]
        for path in (*parts[-1:], *around):
            origin = self.origins[path]
            return f"{origin if isinstance(origin, str) else origin.place(keys)}: "
        return ""


def read(path: str | Path, model: type[BaseModel], hint: str) -> Settings:
    """The settings in a YAML file for the fields of `model`; an empty file has none.

    Raises ConfigError with file and line where it holds anything but a mapping, and with `hint` where it is unreadable.
    """
    return in_document(yaml_values.read_document(path, hint), model)


def in_document(document: yaml_values.Document, model: type[BaseModel]) -> Settings:
    """As `read`, of a YAML document that was read already."""
    if document.value is None:
        return Settings(origins={(): document})
    if not isinstance(document.value, dict):
        raise ConfigError(f"{document.place()}: expected a mapping of {', '.join(model.model_fields)}")
    return Settings(document.value, {(): document})


def check(model: type[Model], settings: Settings, missing: str = "write the key {key}") -> Model:
    """The settings as `model`. Raises ConfigError that names place and key and says what the value may be.

    `missing`: the hint for a key without a default that nobody wrote.
    """
    try:
        return model.model_validate(settings.values)
    except ValidationError as error:
        problems = error.errors()
        more = f"; and {len(problems) - FIRST_PROBLEMS:,} more" if len(problems) > FIRST_PROBLEMS else ""
        lines = [f"{settings.place(*one['loc'])}{explain(model, one, missing)}" for one in problems[:FIRST_PROBLEMS]]
        raise ConfigError("; ".join(lines) + more) from error


def explain(model: type[BaseModel], problem: Mapping, missing: str = "") -> str:
    """What is wrong by one of pydantic's problems with a `model`: the key, and what it may be."""
    loc = problem["loc"]
    key = ".".join(map(str, loc))[:QUOTED_CHARS]
    match problem["type"]:
        case "missing":
            return f"{key} is missing; {missing.format(key=key)}"
        case "extra_forbidden":
            for part in loc[:-1]:
                model = model.model_fields[part].annotation
            hint = did_you_mean(str(loc[-1]), model.model_fields) or f"known are {', '.join(model.model_fields)}"
            return f"unknown key {key}; {hint}"
        case "value_error":
            return f"{key}: {problem['ctx']['error']}"
    message = problem["msg"]
    return f"{key}: {message[0].lower()}{message[1:]}, not {quoted(problem['input'])}"


def replaced(values: dict, keys: Sequence[str], value: object) -> dict:
    """`values` with the value at a path replaced; nothing is changed in place."""
    first, *rest = keys
    inner = values.get(first)
    return {**values, first: replaced(inner if isinstance(inner, dict) else {}, rest, value) if rest else value}


def merged(values: dict, over: dict) -> dict:
    """`values` with those of `over` in their place, section by section."""
    both = {
        key: merged(values[key], over[key])
        for key in values.keys() & over.keys()
        if isinstance(values[key], dict) and isinstance(over[key], dict)
    }
    return {**values, **over, **both}
