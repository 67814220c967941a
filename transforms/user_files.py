"""A file that a user names on the command line → its text, its JSON value or its JSON objects, read in one way.

UTF-8 with or without a byte order mark, line ends LF or CRLF, strict JSON (RFC 8259), objects one a line or in one
array. All else is a ConfigError that names file and line: other encodings, compressed files, half surrogate pairs
(`\\ud83d` alone), what is nested deeper than Python reads, numbers out of range.
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
"""How a compressed file begins."""

HALF_PAIR = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
AT_BYTE = re.compile(r"\(byte (\d+)\)")

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no JSON."""


def objects(path: str, form: type[T], expected: str) -> Iterator[tuple[int, T]]:
    """(line, object as the msgspec type `form`) of every object, one a line or in one array; blank lines are skipped.

    `expected`: what an object should be, for messages. Raises ConfigError, with the line, at the first that is none.
    Lines are read one by one, an array is read whole.
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
                raise ConfigError(f"{path}:{number}: no valid JSON ({reason(error, item)}); {expected}") from error
            yield number, decoded


def text_lines(path: str) -> Iterator[tuple[int, str]]:
    """(line number from 1, line without its end) of every line that is not blank. Raises ConfigError, with the line."""
    with _opened(path, "text") as file:
        for number, line in _lines(file, path):
            yield number, _text(line, path, number).rstrip("\r\n")


def read_text(path: str) -> str:
    """The whole file, its line ends as they are. Raises ConfigError as `text_lines` does."""
    with _opened(path, "text") as file:
        content = _unmarked(file.read(), path)
    return _text(content, path, 1)


def value(text: str, path: str, expected: str, form: Any = Any) -> Any:
    """The JSON value that a file's text is. Raises ConfigError, with the line, where it is none."""
    return _value(text.encode(), path, expected, form)


def encoding(start: bytes) -> str | None:
    """What a file is that begins like this, where that is known to be no UTF-8."""
    if start.startswith(UTF_16):
        return "UTF-16"
    return next((f"compressed ({name})" for mark, name in PACKED.items() if start.startswith(mark)), None)


def reason(error: Exception, content: bytes) -> str:
    """Why `content` is no JSON, in words; `error` is one of UNREADABLE."""
    if isinstance(error, UnicodeDecodeError):
        return "no UTF-8"
    if isinstance(error, RecursionError):
        return "nested too deep"
    half = HALF_PAIR.search(content)
    return f"half of a surrogate pair: {half[0].decode()}" if half else str(error)


@contextmanager
def _opened(path: str, kind: str) -> Iterator[BinaryIO]:
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name a {kind} file") from error


def _lines(file: BinaryIO, path: str) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(file, 1):
        content = _unmarked(line, path) if number == 1 else line
        if content.strip():
            yield number, content


def _unmarked(start: bytes, path: str) -> bytes:
    """The start of a file without its byte order mark. Raises ConfigError where it is no UTF-8."""
    if known := encoding(start):
        raise ConfigError(f"{path}:1: no UTF-8 but {known}; convert or unpack the file")
    return start.removeprefix(codecs.BOM_UTF8)


def _text(content: bytes, path: str, line: int) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        number = line + content.count(b"\n", 0, error.start)
        raise ConfigError(f"{path}:{number}: no UTF-8; convert the file") from error


def _value(content: bytes, path: str, expected: str, form: Any) -> Any:
    try:
        return msgspec.json.decode(content, type=form)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {expected} ({error})") from error
    except UNREADABLE as error:
        match = AT_BYTE.search(str(error))
        at = error.start if isinstance(error, UnicodeDecodeError) else int(match[1]) if match else 0
        line = content.count(b"\n", 0, at) + 1
        raise ConfigError(f"{path}:{line}: no valid JSON ({reason(error, content)}); {expected}") from error


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
