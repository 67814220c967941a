"""CASIE: five cybersecurity event types in news articles; one JSON file per article, offsets into its `content`.

Each nugget is an event, even if several refer to the same event (a hopper). Realis, fillers and links to Wikidata are
left out. In some files the offsets are one or two too high.
"""

from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source, github
from pipelines.sources.datasets._roles import Description, describe_roles
from schemas.example import Argument, Event, Mention, RawExample
from schemas.label import Label
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
ROLE_DESCRIPTIONS: dict[str, Description] = {
    "Attack-Pattern": {
        "Attack.Databreach": "how the attacker gets at the data",
        "Attack.Phishing": "how the attacker deceives people or what they are led to do",
        "Attack.Ransom": "how the attacker takes hold of systems or data",
    },
    "Attacker": {
        "Attack.Databreach": "the person, group or state that takes or publishes the data",
        "Attack.Phishing": "the person or group that poses as someone trusted",
        "Attack.Ransom": "the person, group or state that demands the ransom",
    },
    "CVE": {
        "Vulnerability-related.Discover": "the CVE number of the weakness that is found",
        "Vulnerability-related.Patch": "the CVE number of the weakness that is fixed",
    },
    "Capabilities": "what an attacker can do by means of the weakness",
    "Compromised-Data": "the data that is accessed, stolen or made public",
    "Damage-Amount": {
        "Attack.Databreach": "the sum of money that the data breach costs",
        "Attack.Phishing": "the sum of money that the victims lose",
        "Attack.Ransom": "the sum of money that the attack costs the victims",
    },
    "Discoverer": "the person or organization that finds or reports the weakness",
    "Issues-Addressed": "what an attacker could do before the fix",
    "Number-of-Data": "how many records, files or accounts are affected",
    "Number-of-Victim": "how many people or organizations are affected",
    "Patch": "the update or other fix that is released or applied",
    "Patch-Number": "the version or number of the fix",
    "Payment-Method": "how the ransom is to be paid, such as in bitcoin",
    "Place": "the place where the attack happens or the victims are",
    "Price": "the ransom that is demanded or paid",
    "Purpose": {
        "Attack.Databreach": "what the attacker wants to do with the data",
        "Attack.Phishing": "what the attacker wants to obtain or make the victim do",
    },
    "Releaser": "the person or organization that provides the fix",
    "Supported_Platform": {
        "Vulnerability-related.Discover": "the operating system or device on which the vulnerable software runs",
        "Vulnerability-related.Patch": "the operating system or device that the fix is for",
    },
    "Time": {
        "Attack": "the date, time or period of the attack",
        "Vulnerability-related.Discover": "when the weakness is found, reported or used",
        "Vulnerability-related.Patch": "when the fix is released or applied",
    },
    "Tool": {
        "Attack.Databreach": "the malware, message or other tool used to get the data",
        "Attack.Phishing": "the email, website or other message used to deceive",
        "Attack.Ransom": "the ransomware or other tool used in the attack",
    },
    "Trusted-Entity": "the person, brand or organization that the attacker poses as",
    "Victim": {
        "Attack.Databreach": "the person or organization whose data or systems are attacked",
        "Attack.Phishing": "the people or organization that the attacker deceives",
        "Attack.Ransom": "the person, organization or system that the attack hits",
    },
    "Vulnerability": {
        "Vulnerability-related.Discover": "the weakness that is found or reported",
        "Vulnerability-related.Patch": "the weakness that is fixed",
    },
    "Vulnerable_System": {
        "Vulnerability-related.Discover": "the software or hardware that has the weakness",
        "Vulnerability-related.Patch": "the software or hardware that is fixed",
    },
    "Vulnerable_System_Owner": "the company that makes or runs the system with the weakness",
    "Vulnerable_System_Version": {
        "Vulnerability-related.Discover": "the versions of the system that have the weakness",
        "Vulnerability-related.Patch": "the versions of the system that are fixed",
    },
}
"""Role → its description, or its descriptions by the beginnings of event types."""


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


EVENT_TYPES = {  # raw label → name, what happens, roles
    "Attack.Databreach": (
        "data breach",
        "data is accessed, stolen or made public without permission",
        "Compromised-Data Victim Attacker Time Place Purpose Number-of-Victim Number-of-Data Tool Attack-Pattern "
        "Damage-Amount",
    ),
    "Attack.Phishing": (
        "phishing",
        "an attacker poses as someone trusted to obtain data, access or money",
        "Victim Trusted-Entity Tool Time Attacker Purpose Attack-Pattern Damage-Amount Place",
    ),
    "Attack.Ransom": (
        "ransom",
        "an attacker demands money to end an attack or to give data back",
        "Time Attacker Victim Attack-Pattern Place Payment-Method Tool Price Damage-Amount",
    ),
    "Vulnerability-related.DiscoverVulnerability": (
        "discover vulnerability",
        "a weakness in software or hardware is found or reported",
        "Vulnerable_System_Owner Vulnerability Time Discoverer Vulnerable_System Capabilities CVE "
        "Supported_Platform Vulnerable_System_Version",
    ),
    "Vulnerability-related.PatchVulnerability": (
        "patch vulnerability",
        "a fix for a weakness is released or applied",
        "Patch Vulnerable_System Releaser Vulnerability Time Patch-Number Issues-Addressed CVE "
        "Supported_Platform Vulnerable_System_Version",
    ),
}

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
    downloads=github("Ebiquity/CASIE", ("*/data/annotation/*.json",)),
    citation="satyapanich2020casie",
    forms=(
        Form(
            partial(json_rows.read, to_example=to_example, row_type=Article),
            include=("*.json",),
            splits={"*": "all"},
        ),
    ),
    event_labels={
        raw: Label(name, description, describe_roles(raw, roles.split(), ROLES, ROLE_DESCRIPTIONS))
        for raw, (name, description, roles) in EVENT_TYPES.items()
    },
    role_names=ROLES,
)
