"""Words → a command that a POSIX shell takes apart into the same words, on one line."""

import shlex
from collections.abc import Iterable


def command(words: Iterable[str]) -> str:
    return " ".join(map(quote, words))


def quote(word: str) -> str:
    """As `shlex.quote`; characters that do not print are escaped, which bash, ksh and zsh read."""
    if word.isprintable():
        return shlex.quote(word)
    return f"$'{''.join(map(escaped, word))}'"


def escaped(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
