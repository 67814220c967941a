"""What prompts show besides the names of labels: lines of contrast, and a note on descriptions that are cut."""

import sys
from collections.abc import Iterable
from dataclasses import replace

from hard_negatives import contrast_file
from hard_negatives.contrast import contrasts
from hard_negatives.contrast_file import Contrast, Contrasts
from hard_negatives.contrast_prompts import names_in_quotes
from pipelines.build_dictionaries import DICTIONARY_TASK, dictionary_path, read_dictionary
from pipelines.config import Config
from schemas.errors import ConfigError, printable
from schemas.example import LAYER
from schemas.label import Label, LabelSet
from transforms import files
from transforms.hold_out import HeldOutNames
from transforms.label_descriptions import MAX_DESCRIPTION, cut_descriptions


def load_contrasts(config: Config) -> Contrasts | None:
    """The lines that people or a model wrote for descriptions; None if prompts have no lines. Raises ConfigError for a
    broken file, and for lines without hard negatives.
    """
    if not config.instruct.descriptions.contrast:
        return None
    if config.mine.hard_negatives == "none":
        raise ConfigError(
            "instruct.descriptions.contrast is true, but without hard negatives no label has neighbours; "
            "set it to false, or mine.hard_negatives to mine"
        )
    return contrast_file.read(config.mine.contrasts) if config.mine.contrasts else {}


def contrast_lines(output: str, labels: LabelSet, written: Contrasts | None, held_out: HeldOutNames) -> dict[str, str]:
    """Label → its line; none without a dictionary, or if `written` is None. Held-out labels have no lines, since train
    prompts must not show them. A written line that was made for one, or names one in quotes, gives way to the template.
    """
    path = dictionary_path(output, labels.task, labels.key)
    if written is None or not files.exists(path):
        return {}
    names = held_out.get(LAYER[labels.task], frozenset())
    hidden = [label for label in labels.labels if (label.predicate or label.name) in names]
    shown = tuple(label for label in labels.labels if label not in hidden)
    usable = {key: entry for key, entry in written.items() if not any(names_label(entry, label) for label in hidden)}
    return contrasts(replace(labels, labels=shown), read_dictionary(path), usable)


def names_label(entry: Contrast, label: Label) -> bool:
    """Whether a line was made to set a label against this one, or names it in quotes."""
    return label.name in entry.neighbours or names_in_quotes(entry.contrast, label.predicate or label.name)


def report_unused_lines(label_sets: Iterable[LabelSet], written: Contrasts) -> None:
    """Prints a note if lines are of labels that sources of the build do not have; other sources do not count."""
    known = {
        (DICTIONARY_TASK.get(labels.task, labels.task), labels.key, label.name)
        for labels in label_sets
        for label in labels.labels
    }
    sources = {source for _, source, _ in known}
    unused = sorted(key for key in written if key[1] in sources and key not in known)
    if unused:
        shown = ", ".join(map(" ".join, unused[:5])) + (", …" if len(unused) > 5 else "")
        line = f"note: {len(unused)} lines of mine.contrasts are of labels that this build does not have: {shown}"
        print(printable(line), file=sys.stderr)


def report_cut_descriptions(label_sets: Iterable[LabelSet]) -> None:
    """Prints a note if prompts show only the beginning of a description."""
    numbers = {f"{labels.task} of {labels.key}": cut_descriptions(labels) for labels in label_sets}
    names = [name for name, number in numbers.items() if number]
    if names:
        shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        line = f"note: {sum(numbers.values())} descriptions are cut at {MAX_DESCRIPTION} characters in prompts: {shown}"
        print(printable(line), file=sys.stderr)
