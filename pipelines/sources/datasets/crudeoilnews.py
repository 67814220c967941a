"""CrudeOilNews: 18 event types in news on the oil market; a JSON array of tokenised sentences per document, or brat.

Names of types and roles vary in case, and repeated roles have numbers (`Supplier_Consumer2`); both are normalised.
Polarity, modality and intensity, with their cues, are left out. The test set is a separate folder.
"""

from dataclasses import replace
from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source, github
from pipelines.sources.datasets._roles import Description, describe_roles
from schemas.example import Argument, Event, RawExample, Span
from schemas.label import Label, UnknownLabel
from transforms.formats import brat, json_rows, token_spans
from transforms.formats.offsets import Offset

CHANGE = (
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
SANCTION = (
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
TENSION = (
    "participating countries",
    "impacted countries",
    "place",
    "item",
    "attribute",
    "type",
    "reference point time",
    "duration",
)
ROLES = {role.replace(" or ", " ").replace(" ", "_"): role for role in CHANGE + SANCTION + TENSION}
"""Role in lower case and without number → its name."""
ROLE_DESCRIPTIONS: dict[str, Description] = {
    "activity": {
        "embargo": "the trade or other activity that the sanctions restrict",
        "prohibiting": "the activity that is forbidden, such as travel",
    },
    "attribute": {
        "": "the quantity that is affected, such as price, supply or demand",
        "movement-down": "the quantity that falls, such as price, supply or demand",
        "movement-up": "the quantity that rises, such as price, supply or demand",
        "movement-flat": "the quantity that hardly changes, such as price, supply or demand",
        "cause-movement-down": "the quantity that is made to fall, such as price or supply",
        "cause-movement-up": "the quantity that is made to rise, such as price or supply",
        "position-high": "the quantity that is high, such as price, supply or demand",
        "position-low": "the quantity that is low, such as price, supply or demand",
        "slow-weak": "the quantity that is weak, such as demand or growth",
        "grow-strong": "the quantity that is strong, such as demand or growth",
        "oversupply": "the quantity that is too high, such as supply",
        "shortage": "the quantity that is too low, such as supply",
        "negative_sentiment": "the quantity that people worry about, such as supply or demand",
        "embargo": "the part of trade that is restricted, such as exports",
        "prohibiting": "the part of trade that is forbidden, such as exports",
    },
    "contract date": "the month or year in which the traded contract falls due",
    "difference": {
        "": "the size of the change, as an amount or a percentage",
        "movement-down": "by how much the quantity falls, as an amount or a percentage",
        "movement-up": "by how much the quantity rises, as an amount or a percentage",
        "cause-movement-down": "by how much the quantity is made to fall",
        "cause-movement-up": "by how much the quantity is made to rise",
        "oversupply": "the amount by which supply exceeds demand",
        "shortage": "the amount by which supply falls short of demand",
    },
    "duration": {
        "": "how long the event or state lasts",
        "position-high": "the period whose highest level this is, such as five months",
        "position-low": "the period whose lowest level this is, such as five months",
        "embargo": "how long the sanctions are in force",
        "prohibiting": "how long the ban is in force",
    },
    "final value": {
        "": "the value that is reached in the end",
        "movement-down": "the value to which the quantity falls",
        "movement-up": "the value to which the quantity rises",
        "movement-flat": "the value at which the quantity stays",
        "cause-movement": "the value that the quantity is brought to",
        "position": "the value of the quantity at this level",
    },
    "forecast": "a word for the forecast that is made or changed, such as outlook",
    "forecaster": "the organization that makes or changes the forecast",
    "imposee": {
        "embargo": "the country, organization or people that the sanctions are meant to hit",
        "prohibiting": "the country, organization or people that the ban applies to",
    },
    "imposer": {
        "embargo": "the country or organization that imposes the sanctions",
        "prohibiting": "the country, organization or person that forbids it",
    },
    "impacted countries": {
        "geopolitical-tension": "the countries or regions that the conflict affects",
        "trade-financial-tension": "the countries or regions that the trade conflict affects",
        "civil-unrest": "the countries or regions that the unrest affects",
        "crisis": "the countries or regions that the crisis affects",
    },
    "initial reference point": {
        "": "the earlier time with which the present state is compared",
        "position": "the time since which the level has not been as high or low",
    },
    "initial value": {
        "": "the earlier value with which the present value is compared",
        "movement-down": "the value from which the quantity falls",
        "movement-up": "the value from which the quantity rises",
        "cause-movement": "the value of the quantity before it is changed",
    },
    "item": {
        "": "the commodity, market or economy that is affected, such as oil",
        "movement-down": "the commodity, market or economy whose price or volume falls",
        "movement-up": "the commodity, market or economy whose price or volume rises",
        "movement-flat": "the commodity, market or economy whose price or volume hardly changes",
        "cause-movement-down": "the commodity, market or economy whose price or volume is reduced",
        "cause-movement-up": "the commodity, market or economy whose price or volume is raised",
        "position-high": "the commodity, market or economy whose price or volume is high",
        "position-low": "the commodity, market or economy whose price or volume is low",
        "slow-weak": "the commodity, market or economy that is weak",
        "grow-strong": "the commodity, market or economy that is strong",
        "oversupply": "the commodity of which there is too much",
        "shortage": "the commodity of which there is too little",
        "negative_sentiment": "the commodity, market or economy that people worry about",
        "embargo": "the goods in which trade is restricted, such as oil",
        "prohibiting": "the goods or services that are forbidden",
        "crisis": "the commodity, market or economy that is in crisis",
    },
    "participating countries": {
        "geopolitical-tension": "the countries that are in conflict with each other",
        "trade-financial-tension": "the countries that are in the trade conflict",
        "civil-unrest": "the countries that take part in the fighting or unrest",
        "crisis": "the countries that are involved in the crisis",
    },
    "place": {
        "": "the country or region that the statement holds for",
        "oversupply": "the country or region where there is too much oil",
        "shortage": "the country or region where there is too little oil",
        "embargo": "the country or region where the sanctions apply",
        "prohibiting": "the country or region where the ban applies",
        "geopolitical-tension": "the country or region where the conflict is",
        "trade-financial-tension": "the country or region where the trade conflict is",
        "civil-unrest": "the country or region where the unrest is",
        "crisis": "the country or region where the crisis is",
    },
    "reference point time": {
        "": "the time or period that the statement holds for",
        "movement": "the time or period of the movement",
        "embargo": "the time or period of the sanctions",
        "prohibiting": "the time or period of the ban",
        "geopolitical-tension": "the time or period of the conflict",
        "trade-financial-tension": "the time or period of the trade conflict",
        "civil-unrest": "the time or period of the unrest",
        "crisis": "the time or period of the crisis",
    },
    "supplier or consumer": {
        "": "the country, company or group that produces or uses the commodity",
        "cause-movement-down": "the country, company or group that cuts its supply or demand",
        "cause-movement-up": "the country, company or group that raises its supply or demand",
        "embargo": "the country or company whose trade is restricted",
        "prohibiting": "the country or company whose trade is forbidden",
    },
    "type": "a word for the region or scope, such as global or domestic",
}
"""Role → its description, or its descriptions by the beginnings of event types."""
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


EVENT_TYPES = {  # raw label → name, what happens, roles
    "movement-down-loss": ("movement down or loss", "a price, supply or demand falls", CHANGE),
    "movement-up-gain": ("movement up or gain", "a price, supply or demand rises", CHANGE),
    "movement-flat": ("flat movement", "a price, supply or demand hardly changes", CHANGE),
    "cause-movement-down-loss": (
        "caused movement down or loss",
        "something makes a price, supply or demand fall",
        CHANGE,
    ),
    "cause-movement-up-gain": ("caused movement up or gain", "something makes a price, supply or demand rise", CHANGE),
    "position-high": ("high position", "a price, supply or demand is at a high level", CHANGE),
    "position-low": ("low position", "a price, supply or demand is at a low level", CHANGE),
    "slow-weak": ("slow or weak", "growth, demand or a market is weak", CHANGE),
    "grow-strong": ("growing or strong", "growth, demand or a market is strong", CHANGE),
    "oversupply": ("oversupply", "there is more oil than is needed", CHANGE),
    "shortage": ("shortage", "there is less oil than is needed", CHANGE),
    "negative_sentiment": ("negative sentiment", "fear, doubt or worry is felt on the market", CHANGE),
    "embargo": ("embargo", "trade with a country is restricted by sanctions", SANCTION),
    "prohibiting": ("prohibition", "something is forbidden or banned", SANCTION),
    "geopolitical-tension": ("geopolitical tension", "countries are in political or armed conflict", TENSION),
    "trade-financial-tension": ("trade or financial tension", "countries are in a trade conflict", TENSION),
    "civil-unrest": ("civil unrest", "protest, violence or war within a country", TENSION),
    "crisis": ("crisis", "a country, a market or the economy is in crisis", TENSION),
}

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
    downloads=github("meisin/CrudeOilNews-Corpus", ("*/annotations/Gold-standard/*",)),
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
        raw: Label(name, description, describe_roles(raw, roles, {}, ROLE_DESCRIPTIONS))
        for raw, (name, description, roles) in EVENT_TYPES.items()
    },
    role_names=ROLES,
)
