"""spaCy's JSON → RawExamples.

Three layouts: pairs of a text and its annotations, `[text, {"entities": [[start, end, label]]}]`, as spaCy 2 is trained
with (https://v2.spacy.io/usage/training#training-data); the same in an object with `classes` and `annotations`, as the
web tool NER Annotator writes; and documents with paragraphs, sentences and tokens with BILUO tags
(https://v2.spacy.io/api/annotation#json-input). Offsets count code points.

Heads, parts of speech, categories and other annotations are not read. A token tagged `-` is not annotated.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import json_rows, marks
from transforms.formats.columns import TAG, decode
from transforms.formats.head import Head
from transforms.formats.json_values import list_in
from transforms.formats.lost_parts import ignored
from transforms.formats.marks import Mark
from transforms.joining import find_tokens, join_tokens

LAYERS = ("entities", "heads", "deps", "tags", "cats", "spans", "links", "words", "morphs", "pos", "lemmas")
"""Keys of the annotations of a text."""

UNANNOTATED = ("-", "")
"""The tags of tokens that nobody annotated."""


def recognises(head: Head) -> bool:
    """Whether one of the first values is in one of the layouts."""
    return any(
        is_pair(row) or (isinstance(row, dict) and (is_document(row) or any(map(is_pair, list_in(row, "annotations")))))
        for row in head.rows
    )


def is_pair(value: object) -> bool:
    """Whether the value is a text with its annotations."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], dict)
        and (not value[1] or any(layer in value[1] for layer in LAYERS))
    )


def is_document(row: Mapping[str, Any]) -> bool:
    return any(isinstance(paragraph, dict) and "sentences" in paragraph for paragraph in list_in(row, "paragraphs"))


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every text with annotations, and every paragraph of a document."""
    for item in json_rows.read(files, lambda place, row: (place, row), object):
        if isinstance(item, BadRecord):
            yield item
            continue
        place, row = item
        if isinstance(row, dict) and "paragraphs" in row:
            for paragraph in list_in(row, "paragraphs"):
                yield _paragraph(place, paragraph, None if row.get("id") is None else str(row["id"]))
        else:
            pairs: list[object] = list_in(row, "annotations") if isinstance(row, dict) else [row]
            for pair in pairs:
                if pair is not None:  # a text that was skipped in NER Annotator
                    yield _pair(place, pair)


def _pair(place: str, pair: object) -> RawExample | BadRecord:
    if not isinstance(pair, list) or not is_pair(pair):
        return BadRecord(place, Reason.MISSING_FIELD, f"{pair!r:.100} is not a text with its annotations")
    text, layers = pair
    kept, lost = [], []
    for item in list_in(layers, "entities"):
        span = item if isinstance(item, list) else []
        if len(span) >= 3 and all(isinstance(at, int) for at in span[:2]) and isinstance(span[2], str) and span[2]:
            kept.append((Mark(*span[:2]), span[2]))
        else:
            lost.append(BadRecord(place, Reason.MISSING_FIELD, f"{item!r:.100} is not [start, end, label]"))
    entities = []
    reading = marks.read(text, [mark for mark, _ in kept])
    for (_, label), mention in zip(kept, reading.mentions, strict=True):
        if isinstance(mention, str):
            unknown = (UnknownLabel("entities", label),)
            lost.append(BadRecord(place, Reason.OFFSET_MISMATCH, f"{label!r}: {mention}", unknown))
        else:
            entities.append(Entity(label, mention))
    lost += ignored(place, {layer: 1 for layer in layers if layer != "entities"})
    annotated = isinstance(layers.get("entities"), list)
    return RawExample(place, reading.text, tuple(entities) if annotated else None, lost=tuple(lost))


def _paragraph(place: str, paragraph: object, document: str | None) -> RawExample | BadRecord:
    fields = paragraph if isinstance(paragraph, dict) else {}
    tokens = [
        token
        for sentence in list_in(fields, "sentences")
        if isinstance(sentence, dict)
        for token in list_in(sentence, "tokens")
    ]
    words = [token["orth"] for token in tokens if isinstance(token, dict) and isinstance(token.get("orth"), str)]
    if not words or len(words) < len(tokens) or not all(words):
        return BadRecord(place, Reason.MISSING_FIELD, "a paragraph has no tokens, or a token no `orth`")
    raw = fields.get("raw")
    text, spans = (raw, find_tokens(raw, words)) if isinstance(raw, str) else join_tokens(words)
    if spans is None:
        return BadRecord(place, Reason.BROKEN_RECORD, "the tokens of a paragraph are not those of its raw text")
    tags = [token.get("ner") for token in tokens]
    tags = [tag if isinstance(tag, str) and tag not in UNANNOTATED else None for tag in tags]
    entities: list[Entity] | None = None
    lost: list[BadRecord] = []
    if any(tags):
        wrong = next((tag for tag in tags if tag is not None and not TAG.fullmatch(tag)), None)
        if wrong is not None:
            return BadRecord(place, Reason.BROKEN_RECORD, f"{wrong!r} is not a tag such as O, B-X or U-X")
        entities = []
        for label, first, end in decode([tag or "O" for tag in tags]):
            start, stop = spans[first][0], spans[end - 1][1]
            entities.append(Entity(label, Mention(text[start:stop], ((start, stop),))))
    if any(tags) and None in tags:
        detail = f"{tags.count(None)} of {len(tags)} tokens have no tag, so that the entities of the text are unknown"
        lost.append(BadRecord(place, Reason.MISSING_FIELD, detail))
        entities = None
    return RawExample(place, text, None if entities is None else tuple(entities), lost=tuple(lost), document=document)
