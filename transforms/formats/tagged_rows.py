"""Tab-separated rows of a sentence with two tagged mentions and the code of their relation → RawExamples.

The layout of COAE 2016 task 3: `sentence<TAB>code` to train on, `number<TAB>sentence` to predict on.
"""

from collections.abc import Iterable, Iterator

from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation, Span
from transforms.files import File
from transforms.formats.blocks import BARE_TAG, Broken, parse
from transforms.formats.delimited import tab_rows


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every sentence without its tags, e1 the head and e2 the tail of one relation; blanks around a mention are the
    text's. The sentence of a numbered row, tagged or not, is not annotated.
    """
    for row in tab_rows(files, 2):
        if isinstance(row, BadRecord):
            yield row
            continue
        place, (first, second) = row
        if first.strip().isdecimal():
            yield RawExample(place, BARE_TAG.sub("", second).strip())
            continue
        try:
            text, spans = parse(first, BARE_TAG)
        except Broken as problem:
            yield BadRecord(place, Reason.BROKEN_RECORD, str(problem))
        else:
            head, tail = _mention(text, spans["e1"]), _mention(text, spans["e2"])
            yield RawExample(place, text, relations=(Relation(second.strip(), head, tail),))


def _mention(text: str, span: Span) -> Mention:
    found = text[slice(*span)]
    start = span[0] + len(found) - len(found.lstrip())
    return Mention(found.strip(), ((start, start + len(found.strip())),))
