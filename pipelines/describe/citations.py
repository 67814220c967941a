"""citations.bib → the BibTeX entry of each source, and its short form for a table: authors and year."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

BIBLIOGRAPHY = Path(__file__).with_name("citations.bib")


@cache
def entries() -> dict[str, str]:
    """BibTeX key → entry, in the file's order. An entry ends where a line is `}`."""
    found = re.findall(
        r"^(@\w+\{([^,\s]+),\n.*?^\})$", BIBLIOGRAPHY.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return {key: entry for entry, key in found}


def bibtex(keys: Iterable[str]) -> str:
    """The entries of these keys, each once, sorted by key. Keys without an entry (a user's own source) are left out."""
    return "\n\n".join(entries()[key] for key in sorted(set(keys)) if key in entries())


def short(key: str) -> str:
    """`Roth and Yih 2004`, `Luan et al. 2018`; empty where there is no such entry."""
    if key not in entries():
        return ""
    authors = value(key, "author")
    names = [authors.strip("{}")] if authors.startswith("{") else [a.split(",")[0] for a in authors.split(" and ")]
    listed = " and ".join(names) if len(names) <= 2 and "others" not in names else f"{names[0]} et al."
    return f"{listed} {value(key, 'year')}".strip()


def value(key: str, name: str) -> str:
    """A field of an entry, empty where it has none."""
    found = re.search(rf"^  {name} = \{{(.*)\}},?$", entries()[key], re.MULTILINE)
    return found[1] if found else ""
