"""WikiEvents: 60 event types in whole news articles; JSON lines with token and character offsets.

The offsets include the gaps between sentences that are missing in the field `text`, so the text is rebuilt from them.
The ontology only lists the unspecified form of three contact types; the articles also have three means of contact.
The dataset is evaluated with all its types in one label set, and by family (`wikievents_conflict`, ...).
"""

import dataclasses
from collections.abc import Iterable, Iterator
from functools import partial

import msgspec
from msgspec.structs import replace

from pipelines.sources import Form, Licence, Source, files_at
from pipelines.sources.datasets import _table
from pipelines.sources.datasets._roles import describe_roles
from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Event, Mention, RawExample, Span
from schemas.label import Label, UnknownLabel
from transforms.files import File
from transforms.formats import json_rows
from transforms.formats.offsets import Count, Offset

TABLE = _table.read(__file__)


class Part(msgspec.Struct):
    """An entity or a trigger: token indices in the document, the end excluded."""

    start: Offset
    end: Offset
    text: str
    id: str = ""


class ArgumentRow(msgspec.Struct):
    entity_id: str
    role: str


class EventRow(msgspec.Struct):
    event_type: str
    trigger: Part
    arguments: list[ArgumentRow]


class Document(msgspec.Struct):
    """`sentences`: ([(token, start, end), ...], sentence), offsets in characters of the document."""

    sentences: list[tuple[list[tuple[str, Count, Count]], str]]
    entity_mentions: list[Part] = []
    event_mentions: list[EventRow] | None = None


def to_example(place: str, row: Document) -> RawExample | BadRecord:
    """Only the argument is lost if its entity is missing or outside of the document."""
    text, spans = text_and_spans(row)
    if any(text[slice(*span)] != token for span, token in zip(spans, tokens(row), strict=True)):
        return BadRecord(place, Reason.OFFSET_MISMATCH, "a sentence differs from its tokens at their offsets")
    if row.event_mentions is None:
        return RawExample(place, text)
    parts = {part.id: part for part in row.entity_mentions}

    def mention(part: Part | None, name: str) -> Mention | BadRecord:
        if part is None:
            return BadRecord(place, Reason.MISSING_FIELD, f"{name} is not an entity of this document")
        if not 0 <= part.start < part.end <= len(spans):
            detail = f"{name}: {part.start} to {part.end} is not a span of {len(spans)} tokens"
            return BadRecord(place, Reason.OFFSET_MISMATCH, detail)
        return Mention(part.text, ((spans[part.start][0], spans[part.end - 1][1]),))

    events, lost = [], []
    for event in row.event_mentions:
        trigger = mention(event.trigger, f"the trigger of {event.event_type!r}")
        if isinstance(trigger, BadRecord):
            return trigger
        arguments = []
        for argument in event.arguments:
            filler = mention(parts.get(argument.entity_id), argument.entity_id)
            if isinstance(filler, BadRecord):
                lost.append(dataclasses.replace(filler, unknown=(UnknownLabel("events", event.event_type),)))
            else:
                arguments.append(Argument(argument.role, filler))
        events.append(Event(event.event_type, trigger, tuple(arguments)))
    return RawExample(place, text, events=tuple(events), lost=tuple(lost))


def tokens(row: Document) -> list[str]:
    return [token for sentence, _ in row.sentences for token, _, _ in sentence]


def text_and_spans(row: Document) -> tuple[str, list[Span]]:
    """The text and the span of each token in it, in characters. A gap of one character between two sentences becomes a
    space, a larger gap a line break.
    """
    text, end = "", 0
    spans = []
    for words, sentence in row.sentences:
        if not words:
            continue
        start = words[0][1]
        if text and start > end:
            text += " " if start == end + 1 else "\n"
        shift = len(text) - start
        spans += [(left + shift, right + shift) for _, left, right in words]
        text += sentence.strip()
        end = words[-1][2]
    return text, spans


def read(files: Iterable[File], family: str = "") -> Iterator[RawExample | BadRecord]:
    """Every document with its events of the family (empty: all), possibly none."""
    for record in json_rows.read(files, to_example, Document):
        if isinstance(record, RawExample) and record.events is not None:
            record = replace(record, events=tuple(e for e in record.events if e.label.lower().startswith(family)))
        yield record


def source(family: str = "") -> Source:
    """The whole dataset, or the same documents with the events of one family (the first level of the ontology)."""
    names, descriptions = TABLE["roles"], TABLE["role_descriptions"]
    return Source(
        name=f"WikiEvents_{family}" if family else "WikiEvents",
        title="WikiEvents, document-level event argument extraction" + (f": {family}" if family else ""),
        tasks=("EE", "EET", "EEA"),
        lang="en",
        domain="news",
        licence=Licence.OPEN,
        licence_text="MIT",
        homepage="https://github.com/raspberryice/gen-arg",
        get="the archive linked at github.com/raspberryice/gen-arg: {train,dev,test}.jsonl into wikievents/",
        downloads=files_at(
            "https://gen-arg-data.s3.us-east-2.amazonaws.com/wikievents/data/",
            ("train.jsonl", "dev.jsonl", "test.jsonl"),
        ),
        citation="li2021wikievents",
        held_out=True,
        forms=(
            Form(
                partial(read, family=family),
                include=("*.jsonl",),
                exclude=("*_info.jsonl", "*coref*"),  # their arguments are other mentions of the same entity
            ),
        ),
        event_labels={
            raw: Label(
                entry["name"],
                entry["description"],
                describe_roles(raw, entry["roles"].split(), names, descriptions),
            )
            for raw, entry in TABLE["types"].items()
            if raw.lower().startswith(family)
        },
        role_names=names,
    )


FAMILIES = sorted({raw.partition(".")[0].lower() for raw in TABLE["types"]})

SOURCES = {family: source(family) for family in ("", *FAMILIES)}
