"""RAMS 1.0: 139 event types, one event in a window of about five sentences; JSON lines of tokens, spans inclusive.

A window has one record per annotated event; these are merged. Other events of a window may be unlabelled. The dataset
is evaluated with all its types in one label set, and by family (`rams_conflict`, `rams_life`, ...).
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Annotated

import msgspec
from msgspec.structs import replace

from pipelines.sources import Download, Form, Licence, Source
from pipelines.sources.datasets import _table
from pipelines.sources.datasets._roles import describe_roles
from schemas.errors import BadRecord, Reason
from schemas.example import RawExample, Span
from schemas.label import Label, UnknownLabel
from transforms.files import File
from transforms.formats import json_rows, token_spans
from transforms.formats.offsets import Offset

NUMBERS = re.compile(r"evt[0-9]+arg[0-9]+")
"""The prefix of a role, as in `evt089arg02place`."""

TABLE = _table.read(__file__)


Tokens = tuple[Offset, Offset]
"""The first and the last token, counted over the whole record."""


class Record(msgspec.Struct):
    """`evt_triggers`: (first token, last token, [(type, weight)]); `gold_evt_links`: (trigger, argument, role)."""

    sentences: list[list[str]]
    evt_triggers: list[tuple[Offset, Offset, Annotated[list[tuple[str, float]], msgspec.Meta(min_length=1)]]] | None = (
        None
    )
    gold_evt_links: list[tuple[Tokens, Tokens, str]] = []


def to_example(place: str, row: Record) -> RawExample | BadRecord:
    """Only the argument is lost if its trigger is not that of an event; it may belong to any type with its role."""
    tokens = [token for sentence in row.sentences for token in sentence]
    arguments: dict[Tokens, list[tuple[Span, str]]] = {}
    for trigger, (first, last), role in row.gold_evt_links:
        arguments.setdefault(trigger, []).append(((first, last + 1), NUMBERS.sub("", role)))
    events = row.evt_triggers and [
        ((first, last + 1), labels[0][0], arguments.pop((first, last), ())) for first, last, labels in row.evt_triggers
    ]
    record = token_spans.sentence(place, tokens, None, None, escapes={}, events=events)
    if arguments and isinstance(record, RawExample):
        lost = [
            BadRecord(
                place,
                Reason.MISSING_FIELD,
                f"{role!r} refers to an event at tokens {trigger}, but there is none",
                tuple(UnknownLabel("events", name) for name in types_with(role)),
            )
            for trigger, links in arguments.items()
            for _, role in links
        ]
        record = replace(record, lost=(*record.lost, *lost))
    return record


def types_with(role: str) -> list[str]:
    """The event types with the role; all types if none has it."""
    types = TABLE["types"]
    return [name for name, entry in types.items() if role in entry["roles"].split()] or list(types)


def read(files: Iterable[File], family: str = "") -> Iterator[RawExample | BadRecord]:
    """The windows with an event of the family (empty: any). Other windows are skipped: only one event is annotated."""
    for record in json_rows.read(files, to_example, Record):
        if isinstance(record, BadRecord) or not record.events or record.events[0].label.startswith(family):
            yield record


def source(family: str = "") -> Source:
    """The whole dataset, or its events of one family (the first level of the ontology)."""
    names, descriptions = TABLE["roles"], TABLE["role_descriptions"]
    return Source(
        name=f"RAMS_{family}" if family else "RAMS",
        title="RAMS 1.0, roles across multiple sentences" + (f": {family}" if family else ""),
        tasks=("EE", "EET", "EEA"),
        lang="en",
        domain="news",
        licence=Licence.ASK,
        licence_text="not stated with the files",
        homepage="https://nlp.jhu.edu/rams",
        get="nlp.jhu.edu/rams: data/{train,dev,test}.jsonlines into rams/",
        downloads=(Download("https://nlp.jhu.edu/rams/RAMS_1.0c.tar.gz", ("*/data/*.jsonlines",)),),
        citation="ebner2020rams",
        held_out=True,
        one_pair=True,
        forms=(Form(partial(read, family=family), include=("*.jsonlines", "*.jsonl", "*.json")),),
        event_labels={
            raw: Label(
                entry["name"],
                entry["description"],
                describe_roles(raw, entry["roles"].split(), names, descriptions),
            )
            for raw, entry in TABLE["types"].items()
            if raw.startswith(family)
        },
        role_names=names,
    )


FAMILIES = sorted({raw.partition(".")[0] for raw in TABLE["types"]})

SOURCES = {family: source(family) for family in ("", *FAMILIES)}
