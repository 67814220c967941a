"""The hard-negative dictionaries of a build: which label sets get one, where it lies, and its reader."""

from collections.abc import Mapping, Sequence

from hard_negatives import dictionary
from hard_negatives.dictionary import Dictionary

DICTIONARY_TASK = {"EET": "EE", "EEA": "EE"}
"""Event triggers and event arguments are asked by the dictionary of whole events."""

Which = tuple[str, str]
"""(task, source key) of a label set."""


def label_sets_to_mine(tasks: Mapping[str, Sequence[str]]) -> list[Which]:
    """(task, source key) of one label set for each dictionary: event sources that lack EE give another event task's.

    `tasks`: source key → its tasks.
    """
    sets = {
        (DICTIONARY_TASK.get(task, task), key): (task, key)
        for key, tasks_of_source in tasks.items()
        for task in reversed(tasks_of_source)
    }
    return sorted(sets.values())


def dictionary_path(output: str, task: str, key: str) -> str:
    return f"{output}/hard_negatives/{DICTIONARY_TASK.get(task, task)}/{key}.json"


def read_dictionary(path: str) -> Dictionary:
    """The one dictionary in a file of hard_negatives/."""
    return dictionary.load(path)[0]
