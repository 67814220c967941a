"""Plain text to predict on → RawExamples without annotations: one text per file, or one per line."""

import re
from collections.abc import Iterable, Iterator

from schemas.errors import BadRecord
from schemas.example import RawExample
from transforms.files import File
from transforms.formats.head import Head

ABOUT = re.compile(r"(?:.*_)?readme|licen[cs]e|notice|changelog|citation", re.IGNORECASE)
"""The beginnings of names of files about the data; `corpus_README.txt` is one, too."""


def recognises(head: Head) -> bool:
    """Whether the file is text, and not one about the data: control characters occur in binary files only."""
    if ABOUT.match(head.file.name.rpartition("/")[2]):
        return False
    text = "".join(head.lines)
    return bool(text.strip()) and not any(character < " " and character not in "\t\x0b\x0c\r\x1b" for character in text)


def recognises_lines(head: Head) -> bool:
    """Never: whether a line is a text of its own cannot be seen, so the user says it."""
    return False


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every file as one text, with LF line breaks and without blanks at its end. An empty one is rejected by
    `transforms.normalize`.
    """
    for file in files:
        stem = file.name.rpartition(".")[0] or file.name
        text = file.text().replace("\r\n", "\n").rstrip()
        yield RawExample(f"{file.name}:1", text, document=stem, item=stem)


def read_lines(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every line as one text; blank lines are skipped."""
    for file in files:
        for number, line in file.lines():
            if line.strip():
                yield RawExample(f"{file.name}:{number}", line.strip())
