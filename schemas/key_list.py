"""Source keys ↔ the value of a flag such as `--sources`: comma-separated, with CSV quotes if a key needs them.

The key of a user's own data is its path, which may contain any character: `"Orr, J (2024) notes",conll2003`.
"""

import csv
import io
from collections.abc import Iterable

from schemas.errors import ConfigError


def split(text: str, flag: str) -> list[str]:
    """The keys in the value of a flag. Raises ConfigError, which names the `flag`, for wrong quotes or an empty key."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise ConfigError(f'{flag} {text}: {error}; write "a, b",c for the keys "a, b" and "c"') from error
    if len(rows) > 1:
        raise ConfigError(f"{flag} {text}: quote a key that contains a line break")
    if not rows or "" in rows[0]:
        raise ConfigError(f"{flag} {text}: a name is empty; write a,b without empty places, or leave the flag out")
    return rows[0]


def join(keys: Iterable[str]) -> str:
    """The value that `split` splits into these keys. It never looks like a flag."""
    return ",".join(f'"{doubled(key)}"' if needs_quotes(key) else key for key in keys)


def doubled(key: str) -> str:
    return key.replace('"', '""')


def needs_quotes(key: str) -> bool:
    return key.startswith((" ", "-")) or any(mark in key for mark in ',"\r\n')
