"""Strings that a text holds in another spelling: with other blanks, in another case or Unicode form."""

from functools import lru_cache
from unicodedata import category, normalize

from transforms.normalize import within_word


class Spellings:
    """Finds strings in `text`. Its folded form is made once, for the first string that the text does not have as is."""

    def __init__(self, text: str):
        self.text = text
        self.folded = ""
        self.origin: list[int] = []  # where in the text each character of `folded` comes from
        self.known: dict[str, str | None] = {}

    def find(self, string: str) -> str | None:
        """The string as the text spells it; None where the text does not hold it, as one word or several.

        Blanks, controls and what is invisible, case and compatibility forms (NFKD) make no difference. The first
        place counts.
        """
        if string in self.text:
            return string
        if string not in self.known:
            if not self.folded:
                pieces = [_fold(character) for character in self.text]
                self.folded = "".join(pieces)
                self.origin = [at for at, piece in enumerate(pieces) for _ in piece]
            self.known[string] = self._first("".join(map(_fold, string)))
        return self.known[string]

    def _first(self, folded: str) -> str | None:
        at = self.folded.find(folded) if folded else -1
        while at >= 0:
            end = at + len(folded)
            whole = (not at or self.origin[at - 1] < self.origin[at]) and (
                end == len(self.origin) or self.origin[end - 1] < self.origin[end]
            )
            start, stop = self.origin[at], self.origin[end - 1] + 1
            if whole and not within_word(self.text, start, stop):
                return self.text[start:stop]
            at = self.folded.find(folded, end)  # not one that overlaps: the time would grow with the square
        return None


@lru_cache(maxsize=1 << 16)
def _fold(character: str) -> str:
    """What remains of a character, which may be several or none."""
    if character.isspace() or category(character) in ("Cc", "Cf"):
        return ""
    return normalize("NFKD", character).casefold()
