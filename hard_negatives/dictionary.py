"""Hard-negative dictionaries, mined or written by a user: read, write, and convert to a mapping of labels."""

import codecs
import json
from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.errors import ConfigError
from schemas.example import Task
from schemas.label import LabelSet
from transforms import files, user_files

FALLBACK_TASK = {"EET": "EE", "EEA": "EE", "SPO": "RE"}
"""Task → the task whose dictionary is used if the task has none."""

EXPECTED = "expected {task: {source: {label: [labels]}}}, {label: [labels]}, or a file from a build's hard_negatives/"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A label that another label is confused with. `score` is None if a user gave the pair.

    `evidence`: the kinds (`hard_negatives.kinds`) by which the two labels are more similar than the mean pair of the
    set, the strongest first; in standard deviations above that mean, times the reliability of the kind.
    """

    label: str
    score: float | None = None
    evidence: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ranking:
    """A label's neighbours, best first. `below_cut`: the labels next in rank, which a lower cut-off would add."""

    neighbours: tuple[Neighbour, ...]
    below_cut: tuple[Neighbour, ...] = ()


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Label → hard negatives, for one source and task. Empty task and source: for all tasks and sources.

    `evidence`: kind → reliability from 0 to 1, for the kinds that distinguish labels of this set.
    """

    task: str
    key: str
    source: str
    lang: str
    model: str
    labels: dict[str, Ranking]
    evidence: dict[str, float] = field(default_factory=dict)


def as_mapping(dictionary: Dictionary) -> dict[str, list[str]]:
    """Label → hard negatives, best first."""
    return {label: [n.label for n in ranking.neighbours] for label, ranking in dictionary.labels.items()}


def dump(dictionary: Dictionary) -> str:
    """The dictionary as JSON with one neighbour per line; equal dictionaries give equal bytes."""
    lines = []
    for name in ("task", "key", "source", "lang", "model"):
        lines.append(f" {_json(name)}: {_json(getattr(dictionary, name))},")
    if dictionary.evidence:
        lines.append(f' "evidence": {_json(dictionary.evidence)},')
    labels = []
    for label, ranking in dictionary.labels.items():
        parts = []
        for name in Ranking.__slots__:
            rows = ",\n".join(f"    {_json(_fields(n))}" for n in getattr(ranking, name))
            parts.append(f"   {_json(name)}: [\n{rows}\n   ]" if rows else f"   {_json(name)}: []")
        labels.append(f"  {_json(label)}: {{\n" + ",\n".join(parts) + "\n  }")
    lines.append(' "labels": {\n' + ",\n".join(labels) + "\n }" if labels else ' "labels": {}')
    return "{\n" + "\n".join(lines) + "\n}\n"


def _fields(neighbour: Neighbour) -> dict[str, Any]:
    """The fields of a neighbour, without `evidence` if it is empty."""
    return {name: value for name, value in msgspec.to_builtins(neighbour).items() if value != {}}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def load(path: str) -> tuple[Dictionary, ...]:
    """All dictionaries in a file, or in the `.json` files below a folder except a build's manifest, in file order.

    Reads the output of `dump` and the two formats for users: IEPile's nested `{task: {source: {label: [labels]}}}`
    (published source names) and the flat `{label: [labels]}`, which applies to all sources. Raises ConfigError for
    any other content.
    """
    if not files.exists(path):
        raise ConfigError(f"{path}: no such file or folder; {EXPECTED}")
    if not files.is_folder(path):
        return parse(_read(path), path)
    if files.exists(f"{path}/hard_negatives"):
        raise ConfigError(f"{path}: this is a build; give its folder of dictionaries: {path}/hard_negatives")
    inputs = [file for file in files.list_files(path) if file.name.endswith(".json") and file.name != "manifest.json"]
    if not inputs:
        raise ConfigError(f"{path}: no .json file below this folder; {EXPECTED}")
    return tuple(dictionary for file in inputs for dictionary in parse(_read(file.path), file.path))


def _read(path: str) -> bytes:
    system, inner = files.filesystem(path)
    with files.machine_errors(path), system.open_input_stream(inner, compression=None) as stream:
        return stream.read()


def parse(content: bytes, place: str) -> tuple[Dictionary, ...]:
    """The dictionaries in the bytes of a file; `place` names the file in errors."""
    try:
        data = msgspec.json.decode(content.removeprefix(codecs.BOM_UTF8))
    except user_files.UNREADABLE as error:
        reason = user_files.encoding(content) or user_files.reason(error, content)
        raise ConfigError(f"{place}: invalid JSON: {reason}; {EXPECTED}") from error
    if not isinstance(data, dict) or not data:
        raise ConfigError(f"{place}: not a dictionary with labels; {EXPECTED}")
    try:
        if data.keys() >= {"task", "labels"}:
            return (msgspec.convert(data, Dictionary),)
        if any(isinstance(value, list) for value in data.values()):
            return (_user_dictionary("", "", msgspec.convert(data, dict[str, list[str]])),)
        nested = msgspec.convert(data, dict[Task, dict[str, dict[str, list[str]]]])
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: {error}; {EXPECTED}") from error
    return tuple(
        _user_dictionary(task, source, labels) for task, sources in nested.items() for source, labels in sources.items()
    )


def _user_dictionary(task: str, source: str, labels: dict[str, list[str]]) -> Dictionary:
    rankings = {label: Ranking(tuple(Neighbour(other) for other in others)) for label, others in labels.items()}
    return Dictionary(task, "", source, "", "", rankings)


def dictionary_for(dictionaries: tuple[Dictionary, ...], label_set: LabelSet) -> Dictionary:
    """The dictionary of a label set from a user's dictionaries, in the order of the set; empty if none applies.

    The dictionaries with the task and the source (published name or key) of the set apply; if there are none, those
    with its fallback task (EE for EET and EEA, RE for SPO) and the source; if there are none either, those without a
    task. Labels outside the set are left out, and a label is never its own neighbour. For SPO a name may be a typed
    label or a predicate; a predicate applies to all typed labels that have it.
    """
    names: dict[str, list[str]] = {}
    for label in label_set.labels:
        for name in {label.name, label.predicate or label.name}:
            names.setdefault(name, []).append(label.name)
    neighbours: dict[str, dict[str, Neighbour]] = {}
    for dictionary in _matching(dictionaries, label_set):
        for name, ranking in dictionary.labels.items():
            for target in names.get(name, ()):
                others = neighbours.setdefault(target, {})
                for neighbour in ranking.neighbours:
                    for other in names.get(neighbour.label, ()):
                        if other != target:
                            others.setdefault(other, Neighbour(other, neighbour.score, neighbour.evidence))
    rankings = {
        label.name: Ranking(tuple(neighbours[label.name].values()))
        for label in label_set.labels
        if label.name in neighbours
    }
    return Dictionary(label_set.task, label_set.key, label_set.source, label_set.lang, "", rankings)


def _matching(dictionaries: tuple[Dictionary, ...], label_set: LabelSet) -> list[Dictionary]:
    names = {label_set.source, label_set.key}
    for task in (label_set.task, FALLBACK_TASK.get(label_set.task)):
        matches = [d for d in dictionaries if d.task == task and not names.isdisjoint({d.source, d.key})]
        if matches:
            return matches
    return [d for d in dictionaries if not d.task]
