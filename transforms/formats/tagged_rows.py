"""Tab-separated rows of a sentence with two tagged mentions and the code of their relation → RawExamples.

The layout of COAE 2016 task 3: `sentence<TAB>code` to train on, `number<TAB>sentence` to predict on.
"""

import re
from collections.abc import Iterable, Iterator

from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation, Span
from transforms.files import File
from transforms.formats.blocks import BARE_TAG, Broken, parse
from transforms.formats.delimited import tab_rows

OPENED = re.compile("</?e")


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every sentence without its tags, e1 the head and e2 the tail of one relation; blanks around a mention are the
    text's. The sentence of a numbered row, tagged or not, is not annotated.
    """
    for row in tab_rows(files, 2):
        if isinstance(row, BadRecord):
            yield row
            continue
        place, (first, second) = row
        numbered = first.strip().isdecimal()
        tagged = second.strip() if numbered else first
        if numbered and not OPENED.search(tagged):
            yield RawExample(place, tagged)
            continue
        try:
            text, spans = parse(tagged, BARE_TAG)
        except Broken as problem:
            yield BadRecord(place, Reason.BROKEN_RECORD, str(problem))
            continue
        relation = Relation(second.strip(), _mention(text, spans["e1"]), _mention(text, spans["e2"]))
        yield RawExample(place, text, relations=None if numbered else (relation,))


def _mention(text: str, span: Span) -> Mention:
    found = text[slice(*span)]
    start = span[0] + len(found) - len(found.lstrip())
    return Mention(found.strip(), ((start, start + len(found.strip())),))
