"""The hard negatives of a build, as the scorer needs them: the ranked neighbours of each label by task and source."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from schemas.errors import ConfigError
from schemas.label import DICTIONARY_TASK, LabelSet
from transforms import files

REMEDY = "run the build again"


class StoredNeighbour(msgspec.Struct):
    """A neighbour in a file of hard_negatives/, without its score and reasons."""

    label: str


class StoredRanking(msgspec.Struct):
    """The neighbours of a label, best first."""

    neighbours: list[StoredNeighbour]


class StoredDictionary(msgspec.Struct):
    """A file of hard_negatives/."""

    labels: dict[str, StoredRanking]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The hard negatives of each label, best first, and all `labels` of the set."""

    ranked: Mapping[str, tuple[str, ...]]
    labels: frozenset[str]

    def rank(self, label: str, other: str) -> int | None:
        """The place, from 1, of `other` among the hard negatives of `label`; None if it is not one of them."""
        ranked = self.ranked.get(label, ())
        return ranked.index(other) + 1 if other in ranked else None

    def chance(self, label: str, first: int | None) -> float:
        """The probability that another label, whichever, is one of the `first` hard negatives of `label` (None: all)
        if as many are drawn at random from the other labels of the set.
        """
        ranked = self.ranked.get(label, ())[:first]
        return len(ranked) / (len(self.labels) - 1) if ranked else 0.0


Dictionaries = Mapping[tuple[str, str], Neighbours]
"""(task, published name of the source) → its neighbours."""


def load(build: str) -> Dictionaries:
    """The neighbours of all label sets of a build. Raises ConfigError if the folder has no dictionaries, and for a file
    that is not one.
    """
    dictionaries = {}
    for file in files.list_files(f"{build}/labels") if files.exists(f"{build}/labels") else ():
        if file.name.endswith(".json") and file.name != "manifest.json":
            labels = files.read_json(file.path, LabelSet, REMEDY)
            path = f"{build}/hard_negatives/{DICTIONARY_TASK.get(labels.task, labels.task)}/{labels.key}.json"
            if files.exists(path):
                stored = files.read_json(path, StoredDictionary, REMEDY)
                ranked = {label: tuple(n.label for n in one.neighbours) for label, one in stored.labels.items()}
                names = frozenset(label.name for label in labels.labels)
                dictionaries[labels.task, labels.source] = Neighbours(ranked, names)
    if not dictionaries:
        raise ConfigError(f"{build}: has no hard negatives; give the folder of a build that was made with them")
    return dictionaries
