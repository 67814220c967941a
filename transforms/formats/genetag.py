"""Sentences by id and a file of mentions whose offsets skip whitespace → one RawExample per sentence.

The layout of GENETAG and BioCreative II gene mention (Smith et al. 2008, https://doi.org/10.1186/gb-2008-9-s2-s2; its
README.GM): `train.in` has lines `id sentence`, `GENE.eval` lines `id|first last|text`. First and last count the
characters of the sentence that are not whitespace, from 0; last is inclusive.
"""

import re
from collections.abc import Iterable, Iterator

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample
from transforms.files import File
from transforms.formats.joined import Text, join
from transforms.formats.offsets import DIGITS

MENTION = re.compile(rf"[^|]*\|({DIGITS}) ({DIGITS})\|(.*)")


def read(files: Iterable[File], label: str) -> Iterator[RawExample | BadRecord]:
    """Every sentence of the `.in` files with its mentions from the `.eval` files, all of type `label`.

    Without an `.eval` file the sentences are not annotated: entities are None. A broken line of mentions makes its
    sentence a BadRecord; `joined.join` yields the others.
    """
    files = list(files)
    gold = [file for file in files if file.name.lower().endswith(".eval")]
    for sentence in join([file for file in files if file not in gold], gold, (" ", "|")):
        if isinstance(sentence, BadRecord):
            yield sentence
        else:
            yield _example(sentence, label) if gold else RawExample(sentence.place, sentence.rest)


def _example(sentence: Text, label: str) -> RawExample | BadRecord:
    text = sentence.rest
    solid = [index for index, character in enumerate(text) if not character.isspace()]
    entities = []
    for place, line in sentence.annotations:
        match = MENTION.fullmatch(line)
        if not match:
            return BadRecord(place, Reason.WRONG_COLUMNS, f"{line[:80]!r} is not `id|first last|text`")
        first, last, string = int(match[1]), int(match[2]), match[3]
        if not first <= last < len(solid):
            detail = f"{first} {last} is not a span of a sentence of {len(solid)} characters without whitespace"
            return BadRecord(place, Reason.OFFSET_MISMATCH, detail)
        start, end = solid[first], solid[last] + 1
        letters = "".join(string.split())
        if len(letters) == last + 1 - first and letters == "".join(text[start:end].split()):
            string = text[start:end]
        elif text.startswith(string, start, end):  # a truncated line, which must not be repaired to its shorter string
            detail = f"{string!r} is only a part of the text at its span, {text[start:end]!r}"
            return BadRecord(place, Reason.OFFSET_MISMATCH, detail)
        entities.append(Entity(label, Mention(string, ((start, end),))))
    return RawExample(sentence.place, text, tuple(entities))
