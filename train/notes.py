"""Notes to the user on stderr, printed by the first of the processes of a training only."""

import os
import sys

from schemas.errors import printable


def is_first_process() -> bool:
    """Whether this is the first of the processes that a launcher (torchrun) starts. Only the first one prints."""
    return os.environ.get("RANK", "0") == "0"


def note(line: str) -> None:
    """Prints `note: line`."""
    if is_first_process():
        print(printable(f"note: {line}"), file=sys.stderr)
