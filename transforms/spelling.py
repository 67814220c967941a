"""Finds strings that occur in a text in another spelling: with other blanks, in another case or Unicode form."""

from functools import lru_cache
from unicodedata import category, normalize

from transforms.scripts import within_word


class Spellings:
    """Finds strings in `text`. Its folded form is computed once, for the first string that does not occur unchanged."""

    def __init__(self, text: str):
        self.text = text
        self.folded = ""
        self.origin: list[int] = []  # the offset in the text of each character of `folded`
        self.known: dict[str, str | None] = {}

    def find(self, string: str) -> str | None:
        """The string in the spelling of its first occurrence in the text; None if it does not occur as whole words.

        Blanks, control and format characters, case and compatibility forms (NFKD) are ignored.
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
            at = self.folded.find(folded, end)  # not an overlapping one, which would take quadratic time
        return None


@lru_cache(maxsize=1 << 16)
def _fold(character: str) -> str:
    """The folded form of a character: any number of characters, possibly none."""
    if character.isspace() or category(character) in ("Cc", "Cf"):
        return ""
    return normalize("NFKD", character).casefold()
