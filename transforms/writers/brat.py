"""brat standoff: `X.txt` and `X.ann` per text, and the configuration of the collection; brat.nlplab.org/standoff.html.

brat's types consist of ASCII letters, digits, `-` and `_` (github.com/nlplab/brat, server/src/projectconfig.py), and
the name of a role must not end with a digit. Other labels are respelled; `visual.conf` has the original ones, which
brat shows and `transforms.formats.brat_folder` reads.
"""

import re
from collections.abc import Iterable
from unicodedata import normalize
from urllib.parse import quote

from schemas.example import Example, Mention
from transforms.formats.brat_folder import ORIGINALS
from transforms.writers.fit import Labels

NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]+")


LOST_IN_LINES = re.compile(r"\A\s+|\s+\Z|[^\S ]|(?<=\s) |%(?=[0-9a-fA-F]{2})")
"""The parts of a label that are written as `%XX`: blanks, except for single ones between words."""


def respell(label: str) -> str:
    """A label as a type or role of brat. Accents are removed; a label without ASCII letters and digits is `label`."""
    plain = normalize("NFKD", label).encode("ascii", "ignore").decode()
    name = NOT_IN_NAMES.sub("_", plain).strip("_-") or "label"
    return f"{name}_" if name[-1].isdigit() else name


def annotations(example: Example) -> str:
    """The content of `X.ann`. Entities have the ids of the example; triggers get the next ones."""
    entities = example.entities or ()
    lines = [_spot(entity.id, entity.label, entity.mention) for entity in entities]
    notes = [
        f"Reference {entity.id} {concept}\t{_one_line(entity.mention.text)}"
        for entity in entities
        for concept in entity.concepts
    ]
    lines += [f"N{number}\t{note}" for number, note in enumerate(notes, 1)]
    for number, relation in enumerate(example.relations or (), 1):
        lines.append(f"R{number}\t{relation.label} Arg1:{relation.head_entity} Arg2:{relation.tail_entity}")
    for number, event in enumerate(example.events or (), 1):
        trigger = f"T{len(entities) + number}"
        arguments = "".join(f" {argument.role}:{argument.entity}" for argument in event.arguments)
        lines += [_spot(trigger, event.label, event.trigger), f"E{number}\t{event.label}:{trigger}{arguments}"]
    return "".join(f"{line}\n" for line in lines)


def _spot(name: str | None, label: str, mention: Mention | None) -> str:
    assert mention is not None  # `fit` leaves out events without a trigger
    offsets = ";".join(f"{start} {end}" for start, end in mention.spans)
    return f"{name}\t{label} {offsets}\t{_one_line(mention.text)}"


def _one_line(text: str) -> str:
    return text.replace("\n", " ")


def annotation_conf(labels: Labels) -> str:
    """The types of the collection, with what relations may connect and what arguments may be."""
    relations = []
    for label, ends in sorted(labels.relations.items()):
        heads, tails = (_alternatives(types) for types in zip(*ends, strict=True))
        relations.append(f"{label}\tArg1:{heads}, Arg2:{tails}")
    events = []
    for label, roles in sorted(labels.events.items()):
        arguments = [f"{role}*:{_alternatives(types)}" for role, types in sorted(roles.items())]
        events.append(f"{label}\t{', '.join(arguments)}".rstrip())
    sections = {"entities": sorted(labels.entities), "relations": relations, "events": events, "attributes": []}
    return "\n".join("\n".join([f"[{name}]", *lines, ""]) for name, lines in sections.items())


def _alternatives(types: Iterable[str]) -> str:
    return "|".join(sorted(set(types)))


def visual_conf(labels: Labels) -> str:
    """How brat shows respelled labels."""
    shown = [
        f"{name} | {LOST_IN_LINES.sub(lambda match: quote(match[0]), label)}"
        for name, label in sorted(labels.original.items())
        if name != label
    ]
    return "\n".join([ORIGINALS, "[labels]", *shown, "", "[drawing]", ""])
