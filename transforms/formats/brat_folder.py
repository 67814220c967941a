"""A user's brat folder, `X.txt` with or without `X.ann` → RawExamples; https://brat.nlplab.org/standoff.html.

brat counts code points (its server is Python 3, `src/annotation.py`). Unlike the files of a dataset, a text without
`.ann` is a text to predict on, and an annotation that cannot be used is lost alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import unquote

from msgspec import structs

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import brat
from transforms.formats.head import Head
from transforms.formats.lost_parts import ignored
from transforms.respelling import respelled

IGNORED = {"A": "brat attribute", "M": "brat attribute", "#": "brat note", "*": "brat equivalence"}
"""First letter of a line → what it annotates."""

FIRST = frozenset("TREAMN#*")

ORIGINALS = "# Labels that brat cannot spell. IEForge reads them from this file."
"""The first line of a `visual.conf` whose `[labels]` are `type | label`; blanks that would get lost are `%XX`."""


def recognises(head: Head) -> bool:
    """Whether the lines are those of an `.ann` file. An empty one is: its text has no annotations."""
    lines = [line for line in head.lines if line.strip()]
    fits = [line[0] in FIRST and "\t" in line for line in lines]
    return 2 * sum(fits) > len(fits) if lines else not head.lines and not head.file.read()


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every text in order of name, with all layers (see `brat.all_layers`), or without any if it has no `.ann`.

    Other files, such as `annotation.conf`, are not read, except for a `visual.conf` with ORIGINALS, which an export of
    IEForge has: the labels are those of this file. An `.ann` without a text, or with a line that is not brat's,
    is a BadRecord. Lost alone: T lines without a place in the text with whatever refers to them, and the lines of
    IGNORED.
    """
    documents: dict[str, dict[str, File]] = {}
    labels: dict[str, str] = {}
    for file in files:
        if file.name.rpartition("/")[2] == "visual.conf":
            labels |= _original_labels(file)
        stem, dot, extension = file.name.rpartition(".")
        if dot and extension.lower() in ("txt", "ann"):
            documents.setdefault(stem, {})[extension.lower()] = file
    for stem, parts in sorted(documents.items()):
        if "txt" not in parts:
            detail = f"{stem}.txt is missing; put both into one folder"
            yield BadRecord(f"{parts['ann'].name}:1", Reason.MISSING_FIELD, detail)
        elif "ann" not in parts:
            text = parts["txt"].text().replace("\r\n", "\n").rstrip("\n")
            yield RawExample(f"{parts['txt'].name}:1", text, document=stem, item=stem)
        else:
            example = _document(stem, parts["txt"].text(), parts["ann"])
            yield example if isinstance(example, BadRecord) or not labels else _with_labels(example, labels)


def _original_labels(conf: File) -> dict[str, str]:
    """Type → label, of a `visual.conf` of an export; empty for that of a user."""
    lines = conf.text().splitlines()
    pairs = (line.split(" | ", 1) for line in lines if " | " in line) if lines[:1] == [ORIGINALS] else ()
    return {name: unquote(label) for name, label in pairs}


def _with_labels(example: RawExample, labels: Mapping[str, str]) -> RawExample:
    """The example with the labels of the file instead of the types of brat."""

    def label(name: str) -> str:
        return labels.get(name, name)

    lost = tuple(
        replace(part, unknown=tuple(UnknownLabel(item.layer, label(item.label)) for item in part.unknown))
        for part in example.lost
    )
    return structs.replace(respelled(example, label), lost=lost)


def _document(stem: str, text: str, ann: File) -> RawExample | BadRecord:
    place = f"{ann.name}:1"
    document = brat.parse(text, ann, lose_events=True)
    if isinstance(document, BadRecord):
        return document
    counts = Counter(IGNORED[line[0]] for _, line in ann.lines() if line[:1] in IGNORED)
    lost = (*document.misplaced.values(), *document.lost, *ignored(place, counts))
    example = brat.all_layers(place, replace(document, misplaced={}, lost=lost))
    return example if isinstance(example, BadRecord) else structs.replace(example, document=stem, item=stem)
