"""The hard-negative dictionaries of a build: which label sets get one, the path of its file, and its reader."""

from collections.abc import Mapping, Sequence

from hard_negatives import dictionary
from hard_negatives.dictionary import Dictionary
from schemas.label import DICTIONARY_TASK

LabelSetKey = tuple[str, str]
"""(task, source key) of a label set."""


def label_sets_to_mine(tasks: Mapping[str, Sequence[str]]) -> list[LabelSetKey]:
    """(task, source key) of one label set per dictionary, sorted.

    `tasks`: source key → its tasks. An event source without the task EE is represented by another event task.
    """
    sets = {
        (DICTIONARY_TASK.get(task, task), key): (task, key)
        for key, source_tasks in tasks.items()
        for task in reversed(source_tasks)
    }
    return sorted(sets.values())


def dictionary_path(output: str, task: str, key: str) -> str:
    return f"{output}/hard_negatives/{DICTIONARY_TASK.get(task, task)}/{key}.json"


def read_dictionary(path: str) -> Dictionary:
    """The dictionary in a file of hard_negatives/, which contains exactly one."""
    return dictionary.load(path)[0]
