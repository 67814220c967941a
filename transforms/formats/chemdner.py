"""Tab-separated titles and abstracts and a file of mentions → one RawExample per document.

The layout of CHEMDNER (Krallinger et al. 2015, https://doi.org/10.1186/1758-2946-7-S1-S2): `X.abstracts.txt` has lines
`id<TAB>title<TAB>abstract`, `X.annotations.txt` lines `id<TAB>T or A<TAB>start<TAB>end<TAB>text<TAB>class`, offsets in
code points from the start of the title (T) or the abstract (A), ends exclusive.
"""

from collections.abc import Iterable, Iterator

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample
from transforms.files import File
from transforms.formats.joined import Text, join
from transforms.formats.offsets import is_offset

MENTIONS = ".annotations.txt"


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every document of the `.abstracts.txt` files with its mentions from the `.annotations.txt` files.

    The text is the title, a space and the abstract. Without a file of mentions the documents are not annotated:
    entities are None. A broken line of mentions makes its document a BadRecord; `joined.join` yields the others.
    """
    files = list(files)
    gold = [file for file in files if file.name.lower().endswith(MENTIONS)]
    for document in join([file for file in files if file not in gold], gold, ("\t", "\t")):
        yield document if isinstance(document, BadRecord) else _example(document, bool(gold))


def _example(document: Text, annotated: bool) -> RawExample | BadRecord:
    sections = document.rest.split("\t")
    if len(sections) != 2:
        return BadRecord(document.place, Reason.WRONG_COLUMNS, f"{len(sections) + 1} columns, not id, title, abstract")
    title, abstract = sections
    text = f"{title} {abstract}"
    if not annotated:
        return RawExample(document.place, text)
    bounds = {"T": (0, len(title)), "A": (len(title) + 1, len(text))}
    entities = []
    for place, line in document.annotations:
        columns = line.split("\t")
        if len(columns) != 6 or columns[1] not in bounds or not (is_offset(columns[2]) and is_offset(columns[3])):
            detail = "not `id<TAB>T or A<TAB>start<TAB>end<TAB>text<TAB>class`"
            return BadRecord(place, Reason.WRONG_COLUMNS, detail)
        shift, limit = bounds[columns[1]]
        start, end = int(columns[2]) + shift, int(columns[3]) + shift
        if not start < end <= limit:
            detail = f"{columns[2]} {columns[3]} is not a span of a text of {limit - shift} characters"
            return BadRecord(place, Reason.OFFSET_MISMATCH, detail)
        entities.append(Entity(columns[5], Mention(columns[4], ((start, end),))))
    return RawExample(document.place, text, tuple(entities))
