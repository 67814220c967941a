"""A document and the windows that were cut from it → whether they are as the clean stage cuts them."""

from collections.abc import Sequence


def is_torn(text: str, windows: Sequence[tuple[int, str]], max_chars: int) -> bool:
    """Whether the document has no more than `max_chars` code points, a window is not part of it, or text other than
    blanks lies between two windows with consecutive numbers.

    `windows`: (number, text), in order. Some may be missing, since the clean stage also drops single windows; what
    stands before and behind a missing one is not checked. Extra windows (`transforms.windows`) come last.
    """
    if len(text) <= max_chars:
        return True
    rest: str | None = text.lstrip()  # what follows the windows so far; None if one of them is missing
    for position, (number, window) in enumerate(windows):
        if number != position:
            rest = None
        elif rest is not None and rest.startswith(window):
            rest = rest[len(window) :].lstrip()
            continue
        if rest or window not in text:
            return True
    return False
