"""labels/ → hard_negatives/<task>/<source>.json: for each label the labels that it is confused with."""

from collections.abc import Mapping, Sequence

import apache_beam as beam

from hard_negatives import dictionary, embed, mine
from pipelines.labels import read_label_set
from transforms import files

DICTIONARY_TASK = {"EET": "EE", "EEA": "EE"}
"""Event triggers and event arguments are asked by the dictionary of whole events."""


def dictionary_path(output: str, task: str, key: str) -> str:
    return f"{output}/hard_negatives/{DICTIONARY_TASK.get(task, task)}/{key}.json"


def read_dictionary(path: str) -> dictionary.Dictionary:
    """The one dictionary in a file of hard_negatives/."""
    return dictionary.load(path)[0]


def label_sets_to_mine(tasks: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """(task, source key) of one label set for each dictionary: event sources that lack EE give another event task's."""
    sets = {(DICTIONARY_TASK.get(task, task), key): (task, key) for key, of in tasks.items() for task in reversed(of)}
    return sorted(sets.values())


class Mine(beam.PTransform):
    """(task, source key) → its dictionary on disk, mined or taken from a user's own."""

    def __init__(self, output: str, hard_negatives: str, model: str | None, max_neighbours: int):
        super().__init__()
        self.write = WriteDictionary(output, hard_negatives, model, max_neighbours)

    def expand(self, pcoll):
        return pcoll | "Write dictionaries" >> beam.ParDo(self.write)


class WriteDictionary(beam.DoFn):
    def __init__(self, output: str, hard_negatives: str, model: str | None, max_neighbours: int):
        self.output, self.hard_negatives, self.model = output, hard_negatives, model
        self.max_neighbours = max_neighbours

    def setup(self):
        self.given = None if self.hard_negatives == "mine" else dictionary.load(self.hard_negatives)

    def process(self, element: tuple[str, str]):
        labels = read_label_set(self.output, *element)
        if self.given is None:
            vectors = embed.embed(mine.texts(labels), self.model)
            made = mine.mine(labels, vectors, self.model, self.max_neighbours)
        else:
            made = dictionary.part_for(self.given, labels)
        files.write_text(dictionary_path(self.output, *element), dictionary.dump(made))
