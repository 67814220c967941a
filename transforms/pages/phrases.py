"""What a page itself says, in English and in Chinese: keys in the code, words in `words.<language>.json`.

A page is written in English and carries the words of all languages; its script (`words.js`) replaces them if the
browser or the address of the page (`?lang=zh`) asks for another one.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import reduce
from html import escape
from pathlib import Path
from typing import TypeAlias, Union

import msgspec

from schemas.errors import printable

VALUE = re.compile(r"\{(\w+)\}")
LANGUAGES = ("en", "zh")
Words = dict[str, str | dict[str, str]]
"""Key → text, or its forms for one and for other numbers, chosen by the value `n`. `{name}` stands for a value, and
backticks enclose code.
"""

Part: TypeAlias = Union[str, int, "Phrase"]


def read(folder: Path) -> dict[str, Words]:
    """Language → the words of the pages with their templates in this folder."""
    return {lang: msgspec.json.decode((folder / f"words.{lang}.json").read_bytes(), type=Words) for lang in LANGUAGES}


class Phrase(str):
    """The English text of a key, with the key and its values, from which a page makes the text in other languages.

    `html`: the text as HTML, with the code of its template; a value is shown as it is.
    """

    key: str
    parts: Mapping[str, Part]
    html: str

    def attributes(self, name: str) -> str:
        """`data-<name>`, which names the key, and `data-parts`, as attributes of an element."""
        parts = escape(json.dumps(_plain(self.parts), ensure_ascii=False)) if self.parts else ""
        return f'data-{name}="{escape(self.key)}"' + (f' data-parts="{parts}"' if parts else "")

    def label(self, name: str) -> str:
        """The attribute `name` (title, aria-label, placeholder) with the text, in the language of the page."""
        return f'{name}="{escape(self)}" {self.attributes(f"say-{name}")}'


class Phrasebook:
    """Key and values → Phrase. `words`: of every language, as `read` returns them. `language`: of the texts, English in
    all that a script replaces.
    """

    def __init__(self, words: Mapping[str, Words], language: str = "en"):
        self.words, self.language = words, language

    def __call__(self, key: str, **parts: Part) -> Phrase:
        entry = self.words[self.language][key]
        text = entry if isinstance(entry, str) else entry["one" if parts["n"] == 1 else "other"]
        phrase = Phrase(VALUE.sub(lambda match: shown(parts[match[1]]), text))
        phrase.key, phrase.parts = key, parts
        phrase.html = VALUE.sub(lambda match: markup(parts[match[1]]), coded(text))
        return phrase

    def joined(self, key: str, items: Sequence[Part]) -> Part:
        """A list in the punctuation of the language, "" for none. `key`: the words that join `items` and `last`."""
        return reduce(lambda items, last: self(key, items=items, last=last), items) if items else ""

    def columns(self, *names: str) -> list[str]:
        """The header of a table: the words of `column.<name>`, or the name itself if it is the same everywhere (F1)."""
        return [self(f"column.{name}") if f"column.{name}" in self.words["en"] else name for name in names]


def in_all_languages(words: Mapping[str, Words], key: str) -> str:
    """A paragraph per language, for what a page says without its script."""
    return "".join(f'<p lang="{lang}" class="dim">{Phrasebook(words, lang)(key).html}</p>' for lang in words)


def html(text: str) -> str:
    """The HTML of a text: a Phrase changes with the language, other text stays as it is."""
    return element("span", text) if isinstance(text, Phrase) else escape(text)


def escaped(name: str) -> str:
    """A name of the data without characters that cannot be seen or change the direction of the words beside it. The
    joiners U+200C and U+200D, which spellings need, are left in a name that has other characters.
    """
    if not any(character.isprintable() for character in name):
        return ascii(name)[1:-1]
    return INVISIBLE.sub(lambda character: ascii(character[0])[1:-1], printable(name))


INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")


def visible(name: str) -> str:
    """A name of the data as it stands beside other words of a page: a Phrase as it is, others escaped, and those that
    run from right to left enclosed in characters that isolate them, which tooltips and drawings follow too.
    """
    if isinstance(name, Phrase):
        return name
    text = escaped(name)
    is_rtl = any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}" if is_rtl else text


def element(tag: str, text: str, attributes: str = "") -> str:
    """An element with this text only."""
    names = [tag, *([attributes] if attributes else [])]
    names += [text.attributes("say")] if isinstance(text, Phrase) else []
    return f"<{' '.join(names)}>{text.html if isinstance(text, Phrase) else escape(text)}</{tag}>"


def shown(part: Part) -> str:
    return f"{part:,}" if isinstance(part, int) else part


def markup(part: Part) -> str:
    return part.html if isinstance(part, Phrase) else escape(shown(part))


def coded(text: str) -> str:
    """The escaped text with the parts between backticks as <code>."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))


def _plain(parts: Mapping[str, Part]) -> dict:
    """JSON values; a Phrase is its key and its own parts."""
    return {
        name: {"key": part.key, "parts": _plain(part.parts)} if isinstance(part, Phrase) else part
        for name, part in parts.items()
    }
