"""YAML files, `--set key=value` and flags → one validated pydantic model, or a one-line error with the place.

A key is a path into nested mappings (`clean.max_chars`). An error names the first `FIRST_PROBLEMS` problems, each with
its place: `file:line` for a value in a file, the name of the flag for a value on the command line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    """Nested values. `origins`: path → where the value was written, a YAML document or the name of a flag. `texts`:
    path → the text of a `--set` that YAML reads as a mapping without braces, such as a title with a colon.
    """

    values: dict = field(default_factory=dict)
    origins: Mapping[Keys, yaml_values.Document | str] = field(default_factory=dict)
    texts: Mapping[Keys, str] = field(default_factory=dict)

    def with_value(self, keys: Sequence[str], value: object, origin: str) -> "Settings":
        """These settings with the value at a path replaced."""
        keys = tuple(keys)
        origins = {path: other for path, other in self.origins.items() if path[: len(keys)] != keys}
        texts = {path: text for path, text in self.texts.items() if path[: len(keys)] != keys}
        return Settings(replaced(self.values, keys, value), {**origins, keys: origin}, texts)

    def with_setting(self, setting: str, levels: int = -1) -> "Settings":
        """These settings with one `section.key=value` of `--set`; the value is read as YAML (`[a, b]`, `0.5`, `null`).

        A setting that is a string takes `a: b` as it is. At most `levels` dots of the key separate sections (-1: all).
        Raises ConfigError for any other syntax.
        """
        key, equals, value = setting.partition("=")
        keys = key.split(".", levels)
        if not equals or not all(keys):
            raise ConfigError(f"--set {setting}: write key=value or section.key=value")
        try:
            parsed = yaml_values.parse(value.encode("utf-8", "surrogateescape"), f"--set {key}")
        except ConfigError as error:
            raise ConfigError(f"{error}; enclose a text in quotes: --set '{key}=\"...\"'") from error
        given = self.with_value(keys, parsed, f"--set {key}")
        is_sentence = isinstance(parsed, dict) and not value.lstrip().startswith("{")
        return replace(given, texts={**given.texts, tuple(keys): value}) if is_sentence else given

    def over(self, defaults: dict) -> "Settings":
        """These settings merged over `defaults`, section by section."""
        return replace(self, values=merged(defaults, self.values))

    def place(self, *keys: str | int) -> str:
        """Where the value at a path was written, as the start of an error: `file:line: `; empty if that is unknown.

        If only parts of the value were written, this is the place of the last part. If nothing of it was written, it is
        the place of the section that should contain it.
        """
        parts = [path for path in self.origins if path[: len(keys)] == keys]
        around = [keys[:length] for length in range(len(keys), -1, -1) if keys[:length] in self.origins]
        for path in (*parts[-1:], *around):
            origin = self.origins[path]
            return f"{origin if isinstance(origin, str) else origin.place(keys)}: "
        return ""


def read(path: str | Path, model: type[BaseModel], hint: str) -> Settings:
    """The settings in a YAML file for the fields of `model`; none if the file is empty.

    Raises ConfigError with file and line if the file contains anything but a mapping, and with `hint` if it cannot be
    read.
    """
    return in_document(yaml_values.read_document(path, hint), model)


def in_document(document: yaml_values.Document, model: type[BaseModel]) -> Settings:
    """As `read`, for a YAML document that has been read already."""
    if document.value is None:
        return Settings(origins={(): document})
    if not isinstance(document.value, dict):
        raise ConfigError(f"{document.place()}: expected a mapping of {', '.join(model.model_fields)}")
    return Settings(document.value, {(): document})


def check(model: type[Model], settings: Settings, missing: str = "write the key {key}") -> Model:
    """The settings as a validated `model`. Raises ConfigError with the place, the key and the allowed values.

    `missing`: the hint for a missing key that has no default.
    """
    try:
        return model.model_validate(settings.values)
    except ValidationError as error:
        problems = error.errors()
        for problem in problems:
            if problem["type"] == "string_type" and (text := settings.texts.get(problem["loc"])):
                keys = [str(key) for key in problem["loc"]]
                return check(model, settings.with_value(keys, text, f"--set {'.'.join(keys)}"), missing)
        more = f"; and {len(problems) - FIRST_PROBLEMS:,} more" if len(problems) > FIRST_PROBLEMS else ""
        first = problems[:FIRST_PROBLEMS]
        lines = [f"{settings.place(*problem['loc'])}{explain(model, problem, missing)}" for problem in first]
        raise ConfigError("; ".join(lines) + more) from error


def explain(model: type[BaseModel], problem: Mapping, missing: str = "") -> str:
    """The message for one of pydantic's validation errors of a `model`: the key, and what its value may be."""
    loc = problem["loc"]
    key = ".".join(map(str, loc))[:QUOTED_CHARS]
    match problem["type"]:
        case "missing":
            return f"{key} is missing; {missing.format(key=key)}"
        case "extra_forbidden":
            for part in loc[:-1]:
                model = model.model_fields[part].annotation
            hint = did_you_mean(str(loc[-1]), model.model_fields) or f"known keys: {', '.join(model.model_fields)}"
            return f"unknown key {key}; {hint}"
        case "value_error":
            return f"{key}: {problem['ctx']['error']}"
    message = problem["msg"]
    return f"{key}: {message[0].lower()}{message[1:]}, not {quoted(problem['input'])}"


def replaced(values: dict, keys: Sequence[str], value: object) -> dict:
    """A copy of `values` with the value at a path replaced."""
    first, *rest = keys
    inner = values.get(first)
    return {**values, first: replaced(inner if isinstance(inner, dict) else {}, rest, value) if rest else value}


def merged(values: dict, over: dict) -> dict:
    """A copy of `values` with the values of `over`, merged section by section."""
    both = {
        key: merged(values[key], over[key])
        for key in values.keys() & over.keys()
        if isinstance(values[key], dict) and isinstance(over[key], dict)
    }
    return {**values, **over, **both}
