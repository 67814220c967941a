"""JSON written by IEForge ↔ typed values. Other JSON is refused with the path of the key that differs."""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from schemas.errors import ConfigError

Value = TypeVar("Value")

Count = Annotated[int, Meta(ge=0, le=2**53)]

FIELD = re.compile(r"Object (missing|contains unknown)(?: required)? field `(.+)`")


def parse(content: bytes, form: type[Value], path: str, remedy: str) -> Value:
    """The JSON `content` of the file `path`, decoded as the msgspec type `form`.

    Raises ConfigError with `path` and `remedy` if it is not valid JSON or does not have this type.
    """
    try:
        return msgspec.json.decode(content, type=form)
    except msgspec.ValidationError as error:
        raise _refusal(error, path, remedy) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: invalid JSON ({error}); {remedy}") from error


def convert(value: Any, form: type[Value], path: str, remedy: str) -> Value:
    """As `parse`, for a value that is already decoded from the file `path`."""
    try:
        return msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        raise _refusal(error, path, remedy) from error


def _refusal(error: msgspec.ValidationError, path: str, remedy: str) -> ConfigError:
    return ConfigError(f"{path}: made by another version of IEForge, or damaged ({difference(error)}); {remedy}")


def difference(error: msgspec.ValidationError) -> str:
    """Where a value differs from its type, and how: `$.shards[0].sha256 is missing`."""
    problem, _, place = str(error).partition(" - at ")
    place = place.replace("`", "") or "$"
    if field := FIELD.fullmatch(problem):
        return f"{place}.{field[2]} is {'missing' if field[1] == 'missing' else 'unknown'}"
    return f"{place}: {problem[0].lower()}{problem[1:]}"


def render(value: Any) -> str:
    """The text of a JSON file: indented, with fields and keys in their order."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n"
