"""Label set and dictionary → for each label, one line that sets it against its nearest neighbours.

The line begins with what the label means, so in a prompt it takes the place of the description:
`a town with city rights; not 'village', which means a small place in the country`. It comes from a file of contrasts
(`hard_negatives.contrast_file`) or from a template that joins descriptions, in the language of the label set.
"""

from dataclasses import dataclass

from hard_negatives.contrast_file import Contrasts
from hard_negatives.dictionary import Dictionary, Ranking
from schemas import language
from schemas.label import Label, LabelSet

NEAREST = 3
"""The most neighbours that a line names."""

DESCRIPTION_CHARS, SHORT_CHARS, NAME_CHARS = 240, 80, 60
"""Longer descriptions of the label, descriptions of neighbours, and names are cut. A line of the template has at most
DESCRIPTION_CHARS + NEAREST * (SHORT_CHARS + NAME_CHARS + 24) characters."""


@dataclass(frozen=True, slots=True)
class Template:
    """`neighbour`: a clause about a neighbour. `separator`: of clauses."""

    neighbour: str
    separator: str


TEMPLATES = {
    "en": Template("not '{name}', which means {description}", "; "),
    "zh": Template("不是“{name}”，后者指{description}", "；"),
}
"""Language → template; other languages take the English one, as prompts do."""


@dataclass(frozen=True, slots=True)
class Opposite:
    """A neighbour that a line names. `label`: in the label set. `name`: in the line. `description`: in short; empty if
    there is none, or if it is that of the label itself.
    """

    label: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What the line of a label is made from: its name and description, and its nearest neighbours, best first."""

    name: str
    description: str
    opposites: tuple[Opposite, ...]

    @property
    def neighbours(self) -> dict[str, str]:
        """Label → description in short."""
        return {opposite.label: opposite.description for opposite in self.opposites}


def contrasts(labels: LabelSet, dictionary: Dictionary, written: Contrasts) -> dict[str, str]:
    """Label → its line, for the labels that have a line in the file (`written`) or of the template, in the order of the
    set. The file counts first, also for a label whose neighbours have changed.
    """
    lines = {}
    for label, basis in bases(labels, dictionary).items():
        entry = written.get((dictionary.task, dictionary.key, label))
        if text := entry.contrast if entry else line(basis, labels.lang):
            lines[label] = text
    return lines


def bases(labels: LabelSet, dictionary: Dictionary) -> dict[str, Basis]:
    """Label → what its line is made from. A label is never its neighbour, and labels outside the set are left out."""
    by_name = {label.name: label for label in labels.labels}
    made = {}
    for name, label in by_name.items():
        ranked = dictionary.labels.get(name, Ranking(())).neighbours
        names = dict.fromkeys(n.label for n in ranked if n.label != name and n.label in by_name)
        nearest = [by_name[other] for other in names][:NEAREST]
        description = without_stop(clipped(labels.description(label), DESCRIPTION_CHARS))
        made[name] = Basis(shown(label), description, tuple(opposite(label, other, description) for other in nearest))
    return made


def opposite(label: Label, other: Label, description: str) -> Opposite:
    """`other` as the line of `label`, which has this description, names it."""
    short = in_short(other.description)
    name = clipped(other.name, NAME_CHARS) if shown(other) == shown(label) else shown(other)
    return Opposite(other.name, name, "" if short == in_short(description) else short)


def shown(label: Label) -> str:
    """The name of a label in a line: of a typed triple the predicate, which is also its name in answers."""
    return clipped(label.predicate or label.name, NAME_CHARS)


def line(basis: Basis, lang: str) -> str:
    """The line of the template, in the language `lang`. It names the neighbours with a description only, since the name
    alone tells nothing; empty if there is none.
    """
    template = TEMPLATES.get(lang, TEMPLATES[language.DEFAULT])
    described = [each for each in basis.opposites if each.description]
    clauses = [template.neighbour.format(name=each.name, description=each.description) for each in described]
    return template.separator.join([basis.description] * bool(basis.description) + clauses) if clauses else ""


def in_short(description: str) -> str:
    """A description that fits into a clause: without semicolons, and cut to its first clause if it is long."""
    text = without_stop(" ".join(description.split()))
    joined = text.replace(";", ",").replace("；", "，")
    if len(joined) <= SHORT_CHARS:
        return joined
    return clipped(text.replace("；", ";").partition(";")[0], SHORT_CHARS)


def without_stop(text: str) -> str:
    return text.rstrip(" .。;；")


def clipped(text: str, limit: int) -> str:
    """`text` in one line of at most `limit` characters, cut between two words where there are several."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    return text[: max(text.rfind(" ", limit // 2, limit), 0) or limit - 1].rstrip() + "…"
