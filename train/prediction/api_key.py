"""The API key of an endpoint: read from the environment, and kept out of whatever is shown or written."""

import os
import re
from functools import lru_cache

from schemas.errors import ConfigError

KEY = "OPENAI_API_KEY"
SHORTEST_SECRET = 6
"""A shorter one is a placeholder for a server that wants none ("EMPTY", "none"), and a word that answers may hold."""
MASK = "***"


def read() -> str:
    """The key, without blanks and line ends around it. Raises ConfigError, which does not show it."""
    key = os.environ.get(KEY, "").strip()
    if not re.fullmatch(r"[!-~]*", key):
        raise ConfigError(f"{KEY}: holds characters that no key has (blanks, line ends, no ASCII); set it anew")
    return key


def hidden(text: str) -> str:
    """A message that quotes the server, which may repeat what it was sent."""
    key = read()
    return _forms(key).sub(MASK, text) if key else text


def hidden_in_answer(text: str) -> str:
    """An answer, which goes into files; a placeholder may stand in it."""
    return hidden(text) if len(read()) >= SHORTEST_SECRET else text


def check_absent(text: str, where: str) -> None:
    """Raises ConfigError where `text`, which would be shown and written, holds the key; the key is not shown."""
    if hidden_in_answer(text) != text:
        raise ConfigError(f"{where} holds the key of {KEY}, which would be written into files; leave it out or rename")


@lru_cache(maxsize=4)
def _forms(key: str) -> re.Pattern:
    """The key as it is and with any of its characters escaped as in JSON, also in JSON within JSON."""
    return re.compile("".join(rf"(?:\\{{0,8}}{re.escape(c)}|\\{{1,8}}u00{_either_case(f'{ord(c):02x}')})" for c in key))


def _either_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
