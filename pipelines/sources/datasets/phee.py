"""PHEE: adverse and therapeutic drug events with nested arguments, in case reports; JSON lines or brat standoff.

A main argument (Subject, Treatment, Effect) and each of its sub-arguments (Subject.Age, Treatment.Drug) become
arguments of the event on the same level; the name of the role keeps the nesting ("treatment drug"). The drugs of a
Combination are drugs of its treatment. Negated, Speculated and Severity are attributes of an event; they and their
cues are left out.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import accumulate

import msgspec

from pipelines.sources import Form, Licence, Source, files_at
from pipelines.sources.datasets._roles import Description, describe_roles
from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Event, Mention, RawExample
from schemas.label import Label, UnknownLabel
from transforms.formats import brat, json_rows
from transforms.formats.offsets import Offset

ROLES = {
    "Subject": "subject",
    "Subject.Age": "subject age",
    "Subject.Gender": "subject gender",
    "Subject.Population": "subject population",
    "Subject.Race": "subject race",
    "Subject.Disorder": "subject disorder",
    "Treatment": "treatment",
    "Treatment.Drug": "treatment drug",
    "Treatment.Dosage": "treatment dosage",
    "Treatment.Route": "treatment route",
    "Treatment.Freq": "treatment frequency",
    "Treatment.Duration": "treatment duration",
    "Treatment.Time_elapsed": "treatment time elapsed",
    "Treatment.Disorder": "treatment disorder",
    "Effect": "effect",
}
ROLE_DESCRIPTIONS: dict[str, Description] = {
    "Subject": "the patient or patients, with all that describes them",
    "Subject.Age": "the age or age group of the patients",
    "Subject.Gender": "a word that says whether the patient is male or female",
    "Subject.Population": "the number of patients, such as two",
    "Subject.Race": "the race, people or nationality of the patients",
    "Subject.Disorder": "a disorder of the patient that the treatment is not meant for",
    "Treatment": {
        "Adverse_event": "the treatment that the harmful effect follows, with all that describes it",
        "Potential_therapeutic_event": "the treatment that helps or is meant to help, with all that describes it",
    },
    "Treatment.Drug": "the name of a drug or other substance that is given",
    "Treatment.Dosage": "how much of the drug is given",
    "Treatment.Route": "the way in which the drug is given, such as orally or by injection",
    "Treatment.Freq": "how often the drug is given",
    "Treatment.Duration": "how long the treatment goes on",
    "Treatment.Time_elapsed": "the time from the treatment to the effect",
    "Treatment.Disorder": "the disorder that the treatment is meant for",
    "Effect": {
        "Adverse_event": "the harmful or unwanted effect that follows the treatment",
        "Potential_therapeutic_event": "the change in the patient that the treatment brings or is meant to bring",
    },
}
"""Role → its description, or its descriptions by event types."""
MAIN = ("Subject", "Treatment", "Effect")
SUB = tuple(dict.fromkeys(role.partition(".")[2] for role in ROLES if "." in role))
ROLE_OF_TYPE = {
    **{role.rpartition(".")[2]: role for role in ROLES if not role.endswith(".Disorder")},
    "Treat-Disorder": "Treatment.Disorder",
    "Sub-Disorder": "Subject.Disorder",
}
"""Type of a T line in the brat files → role."""
NO_ARGUMENT = {
    "Adverse_event",
    "Potential_therapeutic_event",
    "Combination",
    "Negation_cue",
    "Speculation_cue",
    "Severity_cue",
}


class Node(msgspec.Struct, forbid_unknown_fields=True):
    """A trigger, a main argument with its sub-arguments, or a sub-argument. `text`, `start`: one list per mention, with
    one value per piece of the mention.
    """

    text: list[list[str]]
    start: list[list[Offset]]
    entity_id: list[str] = []
    value: bool | str | None = None
    Age: "Node | None" = None
    Gender: "Node | None" = None
    Population: "Node | None" = None
    Race: "Node | None" = None
    Disorder: "Node | None" = None
    Drug: "Node | None" = None
    Dosage: "Node | None" = None
    Route: "Node | None" = None
    Freq: "Node | None" = None
    Duration: "Node | None" = None
    Time_elapsed: "Node | None" = None
    Combination: "list[EventRow]" = []

    def __post_init__(self):
        if [len(pieces) for pieces in self.text] != [len(starts) for starts in self.start]:
            raise ValueError("`text` and `start` differ in length")

    def mentions(self) -> Iterator[Mention]:
        """The mentions, with their pieces in text order, which the file does not always keep."""
        for pieces, starts in zip(self.text, self.start, strict=True):
            ordered = sorted(zip(starts, pieces, strict=True))
            spans = tuple((start, start + len(piece)) for start, piece in ordered)
            yield Mention(" ".join(piece for _, piece in ordered), spans)


class EventRow(msgspec.Struct, forbid_unknown_fields=True):
    """An event, or (with `Drug`) a Combination within a treatment."""

    event_id: str
    event_type: str
    Trigger: Node | None = None
    Subject: Node | None = None
    Treatment: Node | None = None
    Effect: Node | None = None
    Drug: Node | None = None
    Negated: Node | None = None
    Speculated: Node | None = None
    Severity: Node | None = None

    def __post_init__(self):
        if self.Trigger is not None and len(self.Trigger.text) != 1:
            raise ValueError("an event has one trigger")


class Annotation(msgspec.Struct):
    events: list[EventRow]


class Row(msgspec.Struct):
    context: str
    annotations: list[Annotation] | None = None


def from_json(place: str, row: Row) -> RawExample:
    if row.annotations is None:
        return RawExample(place, row.context)
    events = [_event(item) for annotation in row.annotations for item in annotation.events]
    return RawExample(place, row.context, events=tuple(events))


def _event(row: EventRow) -> Event:
    nodes: list[tuple[str, Node]] = []
    for role in MAIN:
        main = getattr(row, role)
        if main is not None:
            nodes.append((role, main))
            nodes.extend((f"{role}.{sub}", node) for sub in SUB if (node := getattr(main, sub)) is not None)
            nodes.extend((f"{role}.Drug", item.Drug) for item in main.Combination if item.Drug is not None)
    arguments = [Argument(role, mention) for role, node in nodes for mention in node.mentions()]
    trigger = next(row.Trigger.mentions()) if row.Trigger else None
    return Event(row.event_type, trigger, tuple(dict.fromkeys(arguments)))


def from_brat(place: str, document: brat.Document) -> RawExample | BadRecord:
    """The events of one sentence. The files only link arguments to events if a sentence has two events.

    If a sentence has one event, all T lines belong to it. Otherwise each event has the main arguments named in its E
    line; a sub-argument belongs to the main arguments that R lines link it to, else to those whose span contains it. A
    sub-argument without a main argument is lost, not the sentence. The event of a lost argument is unknown, so it may
    be any of them.
    """
    events = {name: link for name, link in document.events.items() if link.label != "Combination"}
    order = {name: number for number, name in enumerate(events)}
    events_by_argument: dict[str, set[str]] = {}  # main argument → the events with it
    for name, link in events.items():
        for _, end in link.arguments:
            events_by_argument.setdefault(end, set()).add(name)
    mains = {role: MainArguments(document, role) for role in MAIN}
    arguments: dict[str, list[Argument]] = {name: [] for name in events}
    unknown = tuple(UnknownLabel("events", link.label) for link in events.values())
    lost = [replace(part, unknown=unknown) if part.unknown else part for part in document.lost]
    lost += [replace(part, unknown=unknown) for part in document.misplaced.values()]
    linked: dict[str, set[str]] = {}  # sub-argument → the mentions that R lines link it to
    for link in document.relations.values():
        (_, head), (_, tail) = link.arguments
        linked.setdefault(tail, set()).add(head)
    for name, entity in document.mentions.items():
        if entity.label in NO_ARGUMENT:
            continue
        role = ROLE_OF_TYPE.get(entity.label)
        if role is None:
            return BadRecord(place, Reason.UNKNOWN_LABEL, f"{name} has the unknown type {entity.label!r}")
        if len(events) == 1:
            owners = list(events)
        else:
            main = mains[role.partition(".")[0]]
            holders = {name} if role in MAIN else linked.get(name) or main.enclosing(entity.mention)
            owners = sorted(set().union(*(events_by_argument.get(holder, ()) for holder in holders)), key=order.get)
        if not owners:
            detail = f"{name} is not linked to an event; it is left out"
            lost.append(BadRecord(place, Reason.MISSING_FIELD, detail, unknown))
        for event in owners:
            arguments[event].append(Argument(role, entity.mention))
    return RawExample(
        place,
        document.text,
        events=tuple(
            Event(link.label, document.mention(link.trigger), tuple(dict.fromkeys(arguments[name])))
            for name, link in events.items()
        ),
        lost=tuple(dict.fromkeys(lost)),  # a T line is one argument, even if several lines refer to it
    )


class MainArguments:
    """The T lines of one main role, sorted by start offset."""

    def __init__(self, document: brat.Document, role: str):
        mentions = [(name, entity.mention.spans) for name, entity in document.mentions.items() if entity.label == role]
        self.mains = sorted(mentions, key=lambda item: item[1][0])
        self.starts = [spans[0][0] for _, spans in self.mains]
        self.furthest = list(accumulate((spans[-1][1] for _, spans in self.mains), max))

    def enclosing(self, mention: Mention) -> set[str]:
        """The names of the main arguments whose spans contain every piece of the mention."""
        holders = set()
        at = bisect_right(self.starts, mention.spans[0][0]) - 1
        while at >= 0 and self.furthest[at] >= mention.spans[-1][1]:
            name, spans = self.mains[at]
            if all(any(a <= start and end <= b for a, b in spans) for start, end in mention.spans):
                holders.add(name)
            at -= 1
        return holders


EVENT_TYPES = {  # raw label → name, what happens
    "Adverse_event": ("adverse event", "a harmful or unwanted effect follows a treatment"),
    "Potential_therapeutic_event": (
        "potential therapeutic event",
        "a treatment helps, or is meant to help, a patient",
    ),
}

SOURCE = Source(
    name="PHEE",
    title="PHEE, pharmacovigilance event extraction",
    tasks=("EE", "EET", "EEA"),
    lang="en",
    domain="biomedical",
    licence=Licence.OPEN,
    licence_text="MIT",
    homepage="https://github.com/ZhaoyueSun/PHEE",
    get="github.com/ZhaoyueSun/PHEE: data/json/{train,dev,test}.json (or data/clean/{train,dev,test}/) into phee/",
    downloads=files_at(
        "https://raw.githubusercontent.com/ZhaoyueSun/PHEE/HEAD/data/json/",
        ("train.json", "dev.json", "test.json"),
        {
            "train.json": "a2d6cbdae3d95cb3a7e13439164c002041061f6f9823608af483c82d17a31f2b",
            "dev.json": "e1e24c0dfbe6f624e590a26d294f3082d0142ffc28b9da56761f1dd45e96aa53",
        },
    ),
    citation="sun2022phee",
    forms=(
        Form(partial(json_rows.read, to_example=from_json, row_type=Row), include=("*.json", "*.jsonl")),
        Form(partial(brat.read, to_example=from_brat), include=("*.ann", "*.txt"), exclude=("readme*", "licen?e*")),
    ),
    event_labels={
        raw: Label(name, description, describe_roles(raw, ROLES, ROLES, ROLE_DESCRIPTIONS))
        for raw, (name, description) in EVENT_TYPES.items()
    },
    role_names=ROLES,
)
