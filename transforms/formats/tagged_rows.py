"""Tab-separated rows with a sentence, two tagged mentions in it and the code of their relation → RawExamples.

The layout of COAE 2016 task 3: `sentence<TAB>code` for training, `number<TAB>sentence` for prediction.
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
    """Every sentence without its tags, with one relation from e1 to e2. Spaces inside the tags belong to the text but
    not to the mention. The sentence of a numbered row, tagged or not, is not annotated.
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
    string = text[slice(*span)]
    start = span[0] + len(string) - len(string.lstrip())
    return Mention(string.strip(), ((start, start + len(string.strip())),))
