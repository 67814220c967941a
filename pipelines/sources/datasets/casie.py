"""CASIE: five cybersecurity event types in news articles; one JSON file per article, offsets into its `content`.

Each nugget is an event, even if several refer to the same event (a hopper). Realis, fillers and links to Wikidata are
left out. In some files the offsets are one or two too high.
"""

from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source
from schemas.example import Argument, Event, Mention, RawExample
from schemas.label import Label, named_roles
from transforms.formats import json_rows
from transforms.formats.offsets import Offset

ROLES = {
    "Attack-Pattern": "attack pattern",
    "Attacker": "attacker",
    "Capabilities": "capabilities",
    "Compromised-Data": "compromised data",
    "CVE": "common vulnerabilities and exposures",
    "Damage-Amount": "damage amount",
    "Discoverer": "discoverer",
    "Issues-Addressed": "issues addressed",
    "Number-of-Data": "number of data",
    "Number-of-Victim": "number of victims",
    "Patch": "patch",
    "Patch-Number": "patch number",
    "Payment-Method": "payment method",
    "Place": "place",
    "Price": "price",
    "Purpose": "purpose",
    "Releaser": "releaser",
    "Supported_Platform": "supported platform",
    "Time": "time",
    "Tool": "tool",
    "Trusted-Entity": "trusted entity",
    "Victim": "victim",
    "Vulnerability": "vulnerability",
    "Vulnerable_System": "vulnerable system",
    "Vulnerable_System_Owner": "vulnerable system owner",
    "Vulnerable_System_Version": "vulnerable system version",
}


class Span(msgspec.Struct):
    startOffset: Offset
    endOffset: Offset
    text: str

    def mention(self) -> Mention:
        return Mention(self.text, ((self.startOffset, self.endOffset),))


class Role(msgspec.Struct):
    type: str


class ArgumentRow(Span):
    role: Role


class EventRow(msgspec.Struct):
    nugget: Span
    type: str
    subtype: str
    argument: list[ArgumentRow] = []


class Hopper(msgspec.Struct):
    events: list[EventRow]


class CyberEvent(msgspec.Struct):
    hopper: list[Hopper]


class Article(msgspec.Struct):
    content: str
    cyberevent: CyberEvent


def to_example(place: str, row: Article) -> RawExample:
    return RawExample(
        place,
        row.content.rstrip().removesuffix("</text>"),
        events=tuple(
            Event(
                f"{event.type}.{event.subtype}",
                event.nugget.mention(),
                tuple(Argument(argument.role.type, argument.mention()) for argument in event.argument),
            )
            for hopper in row.cyberevent.hopper
            for event in hopper.events
        ),
    )


def event_type(name: str, description: str, roles: str) -> Label:
    return Label(name, description, named_roles(ROLES[role] for role in roles.split()))


SOURCE = Source(
    name="CASIE",
    title="CASIE, cybersecurity event extraction",
    tasks=("EE", "EET", "EEA"),
    lang="en",
    domain="cybersecurity",
    licence=Licence.ASK,
    licence_text="none stated (cite when used)",
    homepage="https://github.com/Ebiquity/CASIE",
    get="github.com/Ebiquity/CASIE: data/annotation/*.json into casie/ (data/source is not needed)",
    citation="satyapanich2020casie",
    forms=(
        Form(
            partial(json_rows.read, to_example=to_example, row_type=Article),
            include=("*.json",),
            splits={"*": "all"},
        ),
    ),
    event_labels={
        "Attack.Databreach": event_type(
            "data breach",
            "data is accessed, stolen or made public without permission",
            "Compromised-Data Victim Attacker Time Place Purpose Number-of-Victim Number-of-Data Tool Attack-Pattern "
            "Damage-Amount",
        ),
        "Attack.Phishing": event_type(
            "phishing",
            "an attacker poses as someone trusted to obtain data, access or money",
            "Victim Trusted-Entity Tool Time Attacker Purpose Attack-Pattern Damage-Amount Place",
        ),
        "Attack.Ransom": event_type(
            "ransom",
            "an attacker demands money to end an attack or to give data back",
            "Time Attacker Victim Attack-Pattern Place Payment-Method Tool Price Damage-Amount",
        ),
        "Vulnerability-related.DiscoverVulnerability": event_type(
            "discover vulnerability",
            "a weakness in software or hardware is found or reported",
            "Vulnerable_System_Owner Vulnerability Time Discoverer Vulnerable_System Capabilities CVE "
            "Supported_Platform Vulnerable_System_Version",
        ),
        "Vulnerability-related.PatchVulnerability": event_type(
            "patch vulnerability",
            "a fix for a weakness is released or applied",
            "Patch Vulnerable_System Releaser Vulnerability Time Patch-Number Issues-Addressed CVE "
            "Supported_Platform Vulnerable_System_Version",
        ),
    },
    role_names=ROLES,
)
