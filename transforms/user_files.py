"""A file given on the command line → its text, its JSON value or its JSON objects.

Files are UTF-8 with or without a byte order mark, with LF or CRLF line breaks and strict JSON (RFC 8259); objects are
one per line or in one array. Anything else is a ConfigError with file and line: other encodings, compressed files,
unpaired surrogates (a single `\\ud83d`), values that are nested too deep for Python, numbers out of range.
"""

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, BinaryIO, TypeVar

import msgspec

from schemas.errors import ConfigError

T = TypeVar("T")

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
"""First bytes of a compressed file → name of its format."""

UNPAIRED = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
AT_BYTE = re.compile(r"\(byte (\d+)\)")

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The exceptions of msgspec for bytes that are not valid JSON."""


def objects(path: str, form: type[T], expected: str) -> Iterator[tuple[int, T]]:
    """(line, object decoded as the msgspec type `form`) of every object, one per line or in one array. Blank lines are
    skipped.

    `expected`: the description of a valid object, for errors. Raises ConfigError with the line of the first invalid
    object. Lines are read one by one, an array is read as a whole.
    """
    with _opened(path, "JSON Lines") as file:
        lines = _lines(file, path)
        number, first = next(lines, (1, b""))
        if first.startswith(b"["):
            content = b"\n" * (number - 1) + first + file.read()
            items = _items(content, path, expected)
        else:
            items = chain([(number, first)] if first else (), lines)
        decoder = msgspec.json.Decoder(form)
        for number, item in items:
            try:
                decoded = decoder.decode(item)
            except msgspec.ValidationError as error:
                raise ConfigError(f"{path}:{number}: {expected} ({error})") from error
            except UNREADABLE as error:
                raise ConfigError(f"{path}:{number}: invalid JSON ({reason(error, item)}); {expected}") from error
            yield number, decoded


def text_lines(path: str) -> Iterator[tuple[int, str]]:
    """(line number from 1, line without its end) of every line that is not blank. Raises ConfigError with the line."""
    with _opened(path, "text") as file:
        for number, line in _lines(file, path):
            yield number, _text(line, path, number).rstrip("\r\n")


def read_text(path: str) -> str:
    """The whole file, with its line breaks unchanged. Raises ConfigError as `text_lines` does."""
    with _opened(path, "text") as file:
        content = _unmarked(file.read(), path)
    return _text(content, path, 1)


def value(text: str, path: str, expected: str, form: Any = Any) -> Any:
    """The JSON value in the `text` of a file. Raises ConfigError with the line if it is invalid."""
    return _value(text.encode(), path, expected, form)


def encoding(start: bytes) -> str | None:
    """The encoding or compression of a file that starts with these bytes; None if it may be UTF-8."""
    if start.startswith(UTF_16):
        return "UTF-16"
    return next((f"compressed ({name})" for mark, name in PACKED.items() if start.startswith(mark)), None)


def reason(error: Exception, content: bytes) -> str:
    """The reason why `content` is not valid JSON. `error` is one of UNREADABLE."""
    if isinstance(error, UnicodeDecodeError):
        return "not valid UTF-8"
    if isinstance(error, RecursionError):
        return "nested too deep"
    surrogate = UNPAIRED.search(content)
    return f"an unpaired surrogate: {surrogate[0].decode()}" if surrogate else str(error)


@contextmanager
def _opened(path: str, kind: str) -> Iterator[BinaryIO]:
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; give the path of a {kind} file") from error


def _lines(file: BinaryIO, path: str) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(file, 1):
        content = _unmarked(line, path) if number == 1 else line
        if content.strip():
            yield number, content


def _unmarked(start: bytes, path: str) -> bytes:
    """The start of a file without its byte order mark. Raises ConfigError if it is not UTF-8."""
    if actual := encoding(start):
        raise ConfigError(f"{path}:1: not UTF-8 but {actual}; convert or unpack the file")
    return start.removeprefix(codecs.BOM_UTF8)


def _text(content: bytes, path: str, line: int) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        number = line + content.count(b"\n", 0, error.start)
        raise ConfigError(f"{path}:{number}: not valid UTF-8; convert the file") from error


def _value(content: bytes, path: str, expected: str, form: Any) -> Any:
    try:
        return msgspec.json.decode(content, type=form)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {expected} ({error})") from error
    except UNREADABLE as error:
        match = AT_BYTE.search(str(error))
        at = error.start if isinstance(error, UnicodeDecodeError) else int(match[1]) if match else 0
        line = content.count(b"\n", 0, at) + 1
        raise ConfigError(f"{path}:{line}: invalid JSON ({reason(error, content)}); {expected}") from error


def _items(content: bytes, path: str, expected: str) -> Iterator[tuple[int, bytes]]:
    """(line, JSON) of the elements of an array."""
    at, line = 0, 1
    for raw in _value(content, path, expected, list[msgspec.Raw]):
        item = bytes(raw)
        start = content.index(item, at)
        line += content.count(b"\n", at, start)
        yield line, item
        line += item.count(b"\n")
        at = start + len(item)
