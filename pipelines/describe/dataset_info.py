"""The statistics of a build → `dataset_info.json`: the entries by which LLaMA-Factory loads each task and split.

LLaMA-Factory (data/README.md of its repository) reads the file from its `dataset_dir`. An entry with `script_url` is
loaded from a folder below that one, with `subset` and `split` as the config and split of `load_dataset`; one with
`hf_hub_url` is loaded in the same way from a repository. In its alpaca format, our column `instruction` (prompt, labels
and text) is the prompt, and `output` is the response; `query` is not used.
"""

import json
from collections.abc import Mapping

WITH_OUTPUT = ("train", "validation")
"""Splits whose rows have an `output`."""


def entry_name(task: str, split: str) -> str:
    """The name of the entry that loads the rows of a task and one of the splits WITH_OUTPUT."""
    return f"ieforge_{task.lower()}" + ("" if split == "train" else f"_{split}")


def render(instructions: Mapping[str, Mapping[str, int]], repo: str | None = None) -> str:
    """The text of dataset_info.json: `ieforge_<task>` is the training split, `ieforge_<task>_validation` the other.

    `instructions`: task → split → rows, as in the statistics. `repo`: the repository of the corpus on the Hub, None if
    the file is in the same folder.
    """
    location = {"hf_hub_url": repo} if repo else {"script_url": "."}
    entries = {
        entry_name(task, split): {
            **location,
            "subset": task,
            "split": split,
            "formatting": "alpaca",
            "columns": {"prompt": "instruction", "response": "output"},
        }
        for task, splits in instructions.items()
        for split in WITH_OUTPUT
        if splits.get(split)
    }
    return json.dumps(entries, indent=2) + "\n"
