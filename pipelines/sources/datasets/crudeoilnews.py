"""CrudeOilNews: 18 event types in news on the oil market; a JSON array of tokenised sentences per document, or brat.

Names of types and roles vary in case, and repeated roles have numbers (`Supplier_Consumer2`); both are normalised.
Polarity, modality and intensity, with their cues, are left out. The test set is a separate folder.
"""

from dataclasses import replace
from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source
from schemas.example import Argument, Event, RawExample, Span
from schemas.label import Label, UnknownLabel, named_roles
from transforms.formats import brat, json_rows, token_spans
from transforms.formats.offsets import Offset

CHANGE = named_roles(
    (
        "attribute",
        "item",
        "difference",
        "initial value",
        "final value",
        "initial reference point",
        "reference point time",
        "contract date",
        "duration",
        "supplier or consumer",
        "type",
        "place",
        "forecast",
        "forecaster",
    )
)
SANCTION = named_roles(
    (
        "imposer",
        "imposee",
        "item",
        "attribute",
        "activity",
        "supplier or consumer",
        "place",
        "reference point time",
        "duration",
        "type",
    )
)
TENSION = named_roles(
    (
        "participating countries",
        "impacted countries",
        "place",
        "item",
        "attribute",
        "type",
        "reference point time",
        "duration",
    )
)
ROLES = {role.name.replace(" or ", " ").replace(" ", "_"): role.name for role in CHANGE + SANCTION + TENSION}
"""Role in lower case and without number → its name."""
NO_ROLE = ("modality_cue", "polarity_cue", "intensity_cue")
NO_TYPE = ("situation_deteriorate",)  # only in the older brat files


class Part(msgspec.Struct):
    """Token indices in the sentence, the end excluded, and the string as marked in the original text."""

    start: Offset
    end: Offset
    text: str


class ArgumentRow(Part):
    role: str


class EventRow(msgspec.Struct):
    event_type: str
    trigger: Part
    arguments: list[ArgumentRow]


class Sentence(msgspec.Struct):
    words: list[str]
    events: list[EventRow] | None = msgspec.field(name="golden-event-mentions", default=None)


def from_json(place: str, row: Sentence):
    def span(part: Part) -> Span:
        return part.start, end_of_part(row.words, part)

    events = row.events and [
        (
            span(event.trigger),
            event.event_type.lower(),
            [(span(argument), plain(argument.role)) for argument in event.arguments],
        )
        for event in row.events
    ]
    return token_spans.sentence(place, row.words, None, None, events=events)


def end_of_part(words: list[str], part: Part) -> int:
    """The end of the part, one more than in the file if the tokeniser split the last word (`3.7 %`, `( bpd )`)."""
    for end in (part.end, part.end + 1):
        if squeezed(words[part.start : end]) == "".join(part.text.split()):
            return end
    return part.end


def squeezed(words: list[str]) -> str:
    return "".join(token_spans.PTB_ESCAPES.get(word, word) for word in words)


def plain(role: str) -> str:
    """The role in lower case and without number."""
    return role.lower().rstrip("0123456789")


def from_brat(place: str, document: brat.Document) -> RawExample:
    """The events of a whole article."""
    lost = [
        replace(part, unknown=tuple(UnknownLabel(item.layer, item.label.lower()) for item in part.unknown))
        for part in document.lost
    ]
    return RawExample(
        place,
        document.text,
        events=tuple(
            Event(
                link.label.lower(),
                document.mention(link.trigger),
                tuple(
                    Argument(plain(role), document.mention(reference))
                    for role, reference in link.arguments
                    if plain(role) not in NO_ROLE
                ),
            )
            for link in document.events.values()
            if link.label.lower() not in NO_TYPE
        ),
        lost=tuple(lost),
    )


SOURCE = Source(
    name="CrudeOilNews",
    title="CrudeOilNews, events in commodity news",
    tasks=("EE", "EET", "EEA"),
    lang="en",
    domain="finance",
    licence=Licence.ASK,
    licence_text="MIT for the annotation; academic research only, the news text is its publishers'",
    homepage="https://github.com/meisin/CrudeOilNews-Corpus",
    get="github.com/meisin/CrudeOilNews-Corpus: annotations/Gold-standard/ into crudeoilnews/ (folders must stay)",
    citation="lee2022crudeoilnews",
    held_out=True,
    forms=(
        Form(
            partial(json_rows.read, to_example=from_json, row_type=Sentence),
            include=("*.json",),
            exclude=("*active learning/*", "*augmented/*"),  # not checked by hand
            splits={"*test set*/*": "test", "*": "train"},
        ),
        Form(
            partial(brat.read, to_example=from_brat),
            include=("*.ann", "*.txt"),
            exclude=("readme*", "licen?e*"),
            splits={"*": "test"},
        ),
    ),
    event_labels={
        "movement-down-loss": Label("movement down or loss", "a price, supply or demand falls", CHANGE),
        "movement-up-gain": Label("movement up or gain", "a price, supply or demand rises", CHANGE),
        "movement-flat": Label("flat movement", "a price, supply or demand hardly changes", CHANGE),
        "cause-movement-down-loss": Label(
            "caused movement down or loss", "something makes a price, supply or demand fall", CHANGE
        ),
        "cause-movement-up-gain": Label(
            "caused movement up or gain", "something makes a price, supply or demand rise", CHANGE
        ),
        "position-high": Label("high position", "a price, supply or demand is at a high level", CHANGE),
        "position-low": Label("low position", "a price, supply or demand is at a low level", CHANGE),
        "slow-weak": Label("slow or weak", "growth, demand or a market is weak", CHANGE),
        "grow-strong": Label("growing or strong", "growth, demand or a market is strong", CHANGE),
        "oversupply": Label("oversupply", "there is more oil than is needed", CHANGE),
        "shortage": Label("shortage", "there is less oil than is needed", CHANGE),
        "negative_sentiment": Label("negative sentiment", "fear, doubt or worry is felt on the market", CHANGE),
        "embargo": Label("embargo", "trade with a country is restricted by sanctions", SANCTION),
        "prohibiting": Label("prohibition", "something is forbidden or banned", SANCTION),
        "geopolitical-tension": Label("geopolitical tension", "countries are in political or armed conflict", TENSION),
        "trade-financial-tension": Label("trade or financial tension", "countries are in a trade conflict", TENSION),
        "civil-unrest": Label("civil unrest", "protest, violence or war within a country", TENSION),
        "crisis": Label("crisis", "a country, a market or the economy is in crisis", TENSION),
    },
    role_names=ROLES,
)
