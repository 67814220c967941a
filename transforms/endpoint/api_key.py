"""The API key of an endpoint: read from the environment and removed from all output."""

import os
import re
from functools import lru_cache

from schemas.errors import ConfigError

KEY = "OPENAI_API_KEY"
SHORTEST_SECRET = 6
"""A shorter key is a placeholder ("EMPTY", "none") for a server without keys, and may be a word of an answer."""
MASK = "***"


def read() -> str:
    """Returns the key without surrounding blanks. Raises ConfigError, without the key, for an invalid one."""
    key = os.environ.get(KEY, "").strip()
    if not re.fullmatch(r"[!-~]*", key):
        raise ConfigError(f"{KEY}: contains characters that no key has (blanks, line breaks, non-ASCII); set it again")
    return key


def masked(text: str) -> str:
    """Masks the key in a message. A server may repeat the key in its errors."""
    key = read()
    return _pattern(key).sub(MASK, text) if key else text


def masked_in_answer(text: str) -> str:
    """Masks the key in an answer, unless it is a placeholder, which may be part of the answer."""
    return masked(text) if len(read()) >= SHORTEST_SECRET else text


def check_absent(text: str, where: str) -> None:
    """Raises ConfigError if `text`, which would be displayed and written, contains the key. The message does not."""
    if masked_in_answer(text) != text:
        raise ConfigError(f"{where} contains the key of {KEY}, which would be written into files; remove it or rename")


@lru_cache(maxsize=4)
def _pattern(key: str) -> re.Pattern:
    """Matches the key, with any of its characters escaped as in JSON, also in JSON within JSON."""
    return re.compile("".join(rf"(?:\\{{0,8}}{re.escape(c)}|\\{{1,8}}u00{_either_case(f'{ord(c):02x}')})" for c in key))


def _either_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
