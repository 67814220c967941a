"""JSON lines of tokenised documents with spans over tokens → one RawExample per sentence.

The layout of DyGIE++ (Wadden et al. 2019, https://aclanthology.org/D19-1585, its `doc/data.md`): `sentences` are token
lists; `ner` and `relations` have one list per sentence of [first, last, label] and [first, last, first, last, label].
Token numbers count through the document; `last` is inclusive.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

import msgspec

from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation, Span
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import json_rows
from transforms.formats.offsets import Offset

PTB_ESCAPES = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
    "``": '"',
    "''": '"',
}
"""The tokens for brackets and quotes in the Penn Treebank → the characters."""


class Document(msgspec.Struct):
    """A missing layer is not annotated."""

    sentences: list[list[str]]
    ner: list[list[tuple[Offset, Offset, str]]] | None = None
    relations: list[list[tuple[Offset, Offset, Offset, Offset, str]]] | None = None


def read(
    files: Iterable[File], escapes: Mapping[str, str] = PTB_ESCAPES, joiner: str = " "
) -> Iterator[RawExample | BadRecord]:
    """Every sentence; its place is the line of its document. A sentence with a span outside it is a BadRecord.

    `escapes` and `joiner` are as in `sentence`.
    """
    for item in json_rows.read(files, lambda place, document: (place, document), Document):
        if isinstance(item, BadRecord):
            yield item
            continue
        place, document = item
        count = len(document.sentences)
        layers = [layer if layer is not None else [None] * count for layer in (document.ner, document.relations)]
        if any(len(layer) != count for layer in layers):
            lengths = "/".join(str(len(layer)) for layer in (document.sentences, *layers))
            detail = f"{lengths} sentences, ner and relations; each needs one entry per sentence"
            yield BadRecord(place, Reason.BROKEN_RECORD, detail)
            continue
        start = 0
        for tokens, ner, relations in zip(document.sentences, *layers, strict=True):

            def span(first: int, last: int, start: int = start) -> Span:
                return first - start, last + 1 - start

            yield sentence(
                place,
                tokens,
                ner and [(span(*ends), label) for *ends, label in ner],
                relations and [(span(*ends[:2]), span(*ends[2:]), label) for *ends, label in relations],
                escapes,
                joiner,
            )
            start += len(tokens)


def sentence(
    place: str,
    tokens: Sequence[str],
    entities: Sequence[tuple[Span, str]] | None,
    relations: Sequence[tuple[Span, Span, str]] | None,
    escapes: Mapping[str, str] = PTB_ESCAPES,
    joiner: str = " ",
    events: Sequence[tuple[Span, str, Sequence[tuple[Span, str]]]] | None = None,
) -> RawExample | BadRecord:
    """The tokens joined by `joiner`, with those in `escapes` replaced, and mentions over half-open spans of tokens.

    entities: (span, label). relations: (head, tail, label); an end has the type of the first entity with its span, if
    any. events: (trigger, label, [(argument, role), ...]). A span that is empty or outside the sentence makes the
    sentence a BadRecord (offset_mismatch); an argument with such a span is lost alone.
    """
    words = [escapes.get(token, token) for token in tokens] if escapes else tokens
    text = joiner.join(words)

    def within(span: Span) -> bool:
        return 0 <= span[0] < span[1] <= len(words)

    def misplaced(span: Span) -> str:
        return f"tokens {span[0]} to {span[1] - 1} are not a span of the {len(words)} tokens of {text[:80]!r}"

    spans = [span for span, _ in entities] if entities else []
    if relations:
        spans += [end for relation in relations for end in relation[:2]]
    if events:
        spans += [trigger for trigger, _, _ in events]
    for span in spans:
        if not within(span):
            return BadRecord(place, Reason.OFFSET_MISMATCH, misplaced(span))
    ends = list(accumulate(map(len, words), initial=0)) if spans else []  # offsets of the words, without joiners
    gap = len(joiner)

    def mention(span: Span) -> Mention:
        first, end = span
        start, stop = ends[first] + first * gap, ends[end] + (end - 1) * gap
        return Mention(text[start:stop], ((start, stop),))

    types = dict(reversed(entities)) if entities and relations else {}
    return RawExample(
        place,
        text,
        None if entities is None else tuple([Entity(label, mention(span)) for span, label in entities]),
        None
        if relations is None
        else tuple(
            Relation(label, mention(head), mention(tail), types.get(head), types.get(tail))
            for head, tail, label in relations
        ),
        None
        if events is None
        else tuple(
            Event(
                label,
                mention(trigger),
                tuple(Argument(role, mention(span)) for span, role in arguments if within(span)),
            )
            for trigger, label, arguments in events
        ),
        tuple(
            BadRecord(
                place,
                Reason.OFFSET_MISMATCH,
                f"{role!r} of {label!r}: {misplaced(span)}",
                (UnknownLabel("events", label),),
            )
            for _, label, arguments in events or ()
            for span, role in arguments
            if not within(span)
        ),
    )
