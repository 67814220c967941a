"""citations.bib → the BibTeX entry of each source, and its short form for a table: authors and year."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

BIBLIOGRAPHY = Path(__file__).with_name("citations.bib")


@cache
def entries() -> dict[str, str]:
    """BibTeX key → entry, in file order. An entry ends at a line `}`."""
    matches = re.findall(
        r"^(@\w+\{([^,\s]+),\n.*?^\})$", BIBLIOGRAPHY.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return {key: entry for entry, key in matches}


def bibtex(keys: Iterable[str]) -> str:
    """The unique entries of these keys, sorted by key. Keys without an entry (a user's source) are skipped."""
    return "\n\n".join(entries()[key] for key in sorted(set(keys)) if key in entries())


def short(key: str) -> str:
    """`Roth and Yih 2004`, `Luan et al. 2018`; empty if there is no entry."""
    if key not in entries():
        return ""
    authors = value(key, "author")
    names = [authors.strip("{}")] if authors.startswith("{") else [a.split(",")[0] for a in authors.split(" and ")]
    author_names = " and ".join(names) if len(names) <= 2 and "others" not in names else f"{names[0]} et al."
    return f"{author_names} {value(key, 'year')}".strip()


def value(key: str, name: str) -> str:
    """A field of an entry, empty if the entry lacks it."""
    match = re.search(rf"^  {name} = \{{(.*)\}},?$", entries()[key], re.MULTILINE)
    return match[1] if match else ""
