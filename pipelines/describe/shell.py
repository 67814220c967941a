"""Words → a one-line shell command that a POSIX shell splits into the same words."""

import shlex
from collections.abc import Iterable


def command(words: Iterable[str]) -> str:
    return " ".join(map(quote, words))


def quote(word: str) -> str:
    """Like `shlex.quote`, but escapes unprintable characters in the syntax of bash, ksh and zsh."""
    if word.isprintable():
        return shlex.quote(word)
    return f"$'{''.join(map(escape, word))}'"


def escape(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
