"""Mutations of the bytes of a data file: of bytes, lines, fields, numbers, JSON or markup.

Every mutation takes the bytes of the file and a random generator, and is deterministic for the state of the generator.
"""

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

LONG = 20_000
"""Length of long strings in characters; enough for a quadratic algorithm to take a second."""

STRINGS = (
    "",
    " ",
    "\u3000",
    "\x00",
    "\r",
    "\x0b\x0c\x1c\x85",
    "\u2028",
    "\ufeff",
    "\ufffe",
    "\u200b\u200d",
    "e\u0301",
    "\U0001f3b7",
    "\\",
    '"',
    '\'""',
    "{{a:",
    "}}",
    "<e1>",
    "</e2>",
    "<!--",
    "]]>",
    "&amp;",
    "&#0;",
    "&x" * 50,
    "|t|",
    "\t",
    "O",
    "B-",
    "-DOCSTART-",
    "NaN",
    "-1",
    "../../x",
    "null",
    "a" * LONG,
    " " * LONG,
    "<" * LONG,
    "(" * LONG,
    "\u0301\u0323" * (LONG // 4),
    "。" * (LONG // 4),
)
NUMBERS = (
    *("-1", "0", "1", "007", "1.5", "1e5", "2147483647", "2147483648", "9223372036854775808", "-9223372036854775809"),
    *("9" * 400, "9" * 5000, "\u0663", "\uff11", "\u00b2", "+1", "1_000", "NaN", "Infinity", "1e400", ""),
)
RAW = (
    *(b"\xff", b"\xfe\xff", b"\xed\xa0\x80", b"\xed\xb2\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\x00", b"\x1a"),
    *(b"\xef\xbb\xbf", b"\r", b"\n", b"\r\n", b"\x85", b"\xe2\x80\xa8", b"\x1f\x8b\x08\x00", b"PK\x03\x04"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, float("nan"), float("inf")),
    *([], {}, [[]], [None], {"": None}, "\ud800", "\udc80 x", {"\udfff": 1}),
)
NUMBER = re.compile(rb"[0-9]+")
TAG = re.compile(rb"<[^<>\n]{1,200}>|\{\{[a-z_]+:|\}\}|\([A-Z]+\*?")
DEPTHS = (50, 500, 2_000, 20_000)


def mutated(data: bytes, random: Random) -> bytes:
    """One to three mutations, one after the other."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice(MUTATIONS)(data, random)
    return data


def place(data: bytes | str, random: Random) -> int:
    return random.randint(0, len(data))


def stretch(data: bytes, random: Random, longest: int = 200) -> tuple[int, int]:
    start = place(data, random)
    return start, min(len(data), start + random.randint(1, longest))


def string(random: Random) -> str:
    return random.choice(STRINGS)


def with_bytes(data: bytes, random: Random) -> bytes:
    """Inserts, replaces or doubles some bytes."""
    start, end = stretch(data, random, 8)
    new = random.choice((random.choice(RAW), random.randbytes(3), string(random).encode(), data[start:end] * 2))
    return data[:start] + new + data[random.choice((start, end)) :]


def without_bytes(data: bytes, random: Random) -> bytes:
    start, end = stretch(data, random)
    return data[:start] + data[end:]


def cut(data: bytes, random: Random) -> bytes:
    at = place(data, random)
    return random.choice((data[:at], data[at:]))


def encoded(data: bytes, random: Random) -> bytes:
    """Encodes the text in another encoding, or with a byte order mark."""
    text = data.decode("utf-8", "replace")
    encoding = random.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "latin-1", "utf-8-sig"))
    return text.encode(encoding, "replace")


def lines(data: bytes, random: Random) -> bytes:
    """Drops, doubles, repeats or empties a line or joins it with the next; shuffles lines or changes line ends."""
    rows = data.split(b"\n")
    at = random.randrange(len(rows))
    match random.randrange(8):
        case 0:
            del rows[at]
        case 1:
            rows.insert(at, rows[at])
        case 2:
            rows[at : at + 1] = [rows[at]] * random.choice((10, 500))
        case 3:
            rows[at] = random.choice((b"", b" ", b"\t", string(random).encode()))
        case 4:
            rows[at : at + 2] = [b"".join(rows[at : at + 2])]
        case 5:
            random.shuffle(rows)
        case 6:
            return random.choice((b"\r\n", b"\r", b"\n\n", b"\n \n", b" ")).join(rows)
        case 7:
            other = random.randrange(len(rows))
            rows[at], rows[other] = rows[other], rows[at]
    return b"\n".join(rows)


def fields(data: bytes, random: Random) -> bytes:
    """Drops, doubles, empties, replaces or swaps a field of a line."""
    rows = data.split(b"\n")
    at = random.randrange(len(rows))
    separator = random.choice([one for one in (b"\t", b"|", b" ", b",", b"/", b";", b"-") if one in rows[at]] or [b" "])
    columns = rows[at].split(separator)
    one, other = random.randrange(len(columns)), random.randrange(len(columns))
    match random.randrange(5):
        case 0:
            del columns[one]
        case 1:
            columns.insert(one, columns[other])
        case 2:
            columns[one] = string(random).encode()
        case 3:
            columns[one] += random.choice(RAW)
        case 4:
            columns[one], columns[other] = columns[other], columns[one]
    rows[at] = separator.join(columns)
    return b"\n".join(rows)


def numbers(data: bytes, random: Random) -> bytes:
    """Replaces a number."""
    matches = list(NUMBER.finditer(data))
    if not matches:
        return with_bytes(data, random)
    chosen = random.choice(matches)
    near = str(int(chosen[0][:9]) + random.choice((-2, -1, 1, 2, 100)))
    new = random.choice((near, random.choice(NUMBERS))).encode()
    return data[: chosen.start()] + new + data[chosen.end() :]


def markup(data: bytes, random: Random) -> bytes:
    """Drops, doubles, repeats or moves a tag or a delimiter of a mention."""
    matches = list(TAG.finditer(data))
    if not matches:
        return fields(data, random)
    chosen, other = random.choice(matches), random.choice(matches)
    rest = data[: chosen.start()] + data[chosen.end() :]
    times = random.choice((0, 2, 300, 2_000))
    at = random.choice((chosen.start(), min(other.start(), len(rest))))
    return rest[:at] + chosen[0] * times + rest[at:] if times else rest


def values(data: bytes, random: Random) -> bytes:
    """Drops, doubles, swaps or replaces a value or a key in the JSON of a line or of the file."""
    rows = data.split(b"\n")
    at = random.randrange(len(rows))
    for whole in (False, True):
        try:
            content = json.loads(data if whole else rows[at])
            if not isinstance(content, dict | list):
                continue
            new = as_json(changed(content, random), random)
        except (ValueError, RecursionError):  # not JSON, or broken by an earlier mutation
            continue
        return new if whole else b"\n".join((*rows[:at], new, *rows[at + 1 :]))
    return lines(data, random)


def changed(content: dict | list, random: Random) -> dict | list:
    """`content` with one container in it changed."""
    containers = [content]
    for container in containers:
        inside = container.values() if isinstance(container, dict) else container
        containers += [value for value in inside if isinstance(value, dict | list)]
    full = [container for container in containers if container]
    if not full:
        return [content]
    chosen = random.choice(full)
    keys = list(chosen) if isinstance(chosen, dict) else list(range(len(chosen)))
    key, other = random.choice(keys), random.choice(keys)
    match random.randrange(6):
        case 0:
            del chosen[key]
        case 1:
            chosen[key], chosen[other] = chosen[other], chosen[key]
        case 2 | 3:
            chosen[key] = random.choice((random.choice(VALUES), string(random), [chosen[key]], {"x": chosen[key]}))
        case 4:
            chosen[key] = f"{chosen[key]}{string(random)}" if isinstance(chosen[key], str) else nested(random)
        case 5:
            if isinstance(chosen, dict):
                chosen[random.choice((*STRINGS[:20], "\ud800", "a" * 300))] = chosen.pop(key)
            else:
                chosen[key : key + 1] = [chosen[key]] * random.choice((2, 300))
    return content


class Nested:
    """A placeholder for arrays nested more deeply than `json` can write."""

    def __init__(self, depth: int):
        self.text = "[" * depth + "]" * depth


def nested(random: Random) -> Nested:
    return Nested(random.choice(DEPTHS))


def as_json(content: dict | list, random: Random) -> bytes:
    written: dict[str, str] = {}

    def stand_in(value: Nested) -> str:
        return written.setdefault(f"@nested {len(written)}@", value.text) and f"@nested {len(written) - 1}@"

    indent = random.choice((None, None, None, 1))
    text = json.dumps(content, ensure_ascii=random.random() < 0.5, indent=indent, default=stand_in)
    for mark, deep in written.items():
        text = text.replace(f'"{mark}"', deep)
    return text.encode("utf-8", "surrogatepass")


MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(with_bytes, without_bytes, cut, encoded, lines, lines, fields, fields, numbers, numbers, markup),
    *(values, values, values),
)
