"""Source keys ↔ the one value of a flag such as `--sources`: commas between, quoted as in CSV where a key needs it.

The key of a user's own data is its path, which may hold anything: `"Orr, J (2024) notes",conll2003`.
"""

import csv
import io
from collections.abc import Iterable

from schemas.errors import ConfigError


def split(text: str, flag: str) -> list[str]:
    """The keys in a flag's value. Raises ConfigError naming `flag` where its quotes are wrong."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise ConfigError(f'{flag} {text}: {error}; write "a, b",c for the keys "a, b" and "c"') from error
    if len(rows) > 1:
        raise ConfigError(f"{flag} {text}: a key that holds the end of a line stands in quotes")
    return rows[0] if rows else [""]


def join(keys: Iterable[str]) -> str:
    """The value that `split` takes apart into these keys, and that no command line takes for a flag."""
    return ",".join(f'"{doubled(key)}"' if needs_quotes(key) else key for key in keys)


def doubled(key: str) -> str:
    return key.replace('"', '""')


def needs_quotes(key: str) -> bool:
    return key == "" or key.startswith((" ", "-")) or any(mark in key for mark in ',"\r\n')
