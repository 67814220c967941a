"""DuEE 1.0: 65 event types of Chinese news, headlines to paragraphs; one JSON object per line, exact offsets."""

from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source
from pipelines.sources.datasets import _table
from schemas.example import Argument, Event, Mention, RawExample
from schemas.label import Label, described_roles
from transforms.formats import json_rows
from transforms.formats.offsets import Offset

EVENT_TYPES = _table.read(__file__)


class ArgumentRow(msgspec.Struct):
    role: str
    argument: str
    argument_start_index: Offset


class EventRow(msgspec.Struct):
    event_type: str
    trigger: str
    trigger_start_index: Offset
    arguments: list[ArgumentRow]


class Row(msgspec.Struct):
    """`event_list` is absent in the unlabelled test files."""

    text: str
    event_list: list[EventRow] | None = None


def mention(text: str, start: int) -> Mention:
    return Mention(text, ((start, start + len(text)),))


def to_example(place: str, row: Row) -> RawExample:
    if row.event_list is None:
        return RawExample(place, row.text)
    return RawExample(
        place,
        row.text,
        events=tuple(
            Event(
                event.event_type,
                mention(event.trigger, event.trigger_start_index),
                tuple(Argument(a.role, mention(a.argument, a.argument_start_index)) for a in event.arguments),
            )
            for event in row.event_list
        ),
    )


read = partial(json_rows.read, to_example=to_example, row_type=Row)

SOURCE = Source(
    name="DuEE1.0",
    title="DuEE 1.0",
    tasks=("EE", "EET", "EEA"),
    lang="zh",
    domain="news",
    licence=Licence.ASK,
    licence_text="none in the files; participant agreement: non-commercial research and teaching, no redistribution",
    homepage="https://www.luge.ai",
    get="luge.ai (registration): duee_train.json, duee_dev.json, duee_test*.json into duee1/ (folders may stay)",
    citation="li2020duee",
    forms=(
        Form(read, include=("duee_*.json", "duee_*.jsonl"), exclude=("*schema*",)),
        Form(read, include=("*.json", "*.jsonl"), exclude=("*schema*",)),  # the files of the 2020 contest
    ),
    event_labels={
        name: Label(name, entry["description"], described_roles(entry["roles"])) for name, entry in EVENT_TYPES.items()
    },
)
