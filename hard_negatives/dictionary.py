"""The hard-negative dictionary: mined ones and a user's own, as files, and as the mapping that asking needs."""

import codecs
import json
from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.errors import ConfigError
from schemas.example import Task
from schemas.label import LabelSet
from transforms import files, user_files

STANDS_IN = {"EET": "EE", "EEA": "EE", "SPO": "RE"}
"""The task whose dictionary a task without its own uses."""

EXPECTED = "expected {task: {source: {label: [labels]}}}, {label: [labels]}, or a file from a build's hard_negatives/"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A label that another is confused with. `score` is None where a person gave the pair.

    `evidence`: the kinds (`hard_negatives.kinds`) by which the two are more alike than most, the strongest first, in
    standard deviations above the mean of all pairs of the set, times the kind's reliability.
    """

    label: str
    score: float | None = None
    evidence: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ranking:
    """One label's neighbours, best first, and the labels that came next: those show what a wider cut would add."""

    neighbours: tuple[Neighbour, ...]
    below_cut: tuple[Neighbour, ...] = ()


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Label → its hard negatives for one source and task. Task and source are empty where it holds for any.

    `evidence`: kind → its reliability from 0 to 1, of the kinds that tell labels apart here.
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
    """JSON with one neighbour a line; the same dictionary gives the same bytes."""
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
    """Its fields; `evidence` is left out where it is empty."""
    return {name: value for name, value in msgspec.to_builtins(neighbour).items() if value != {}}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def load(path: str) -> tuple[Dictionary, ...]:
    """Every dictionary in a file, or in the `.json` files below a folder (a build's manifest left out), in file order.

    Reads what `dump` writes and a user's own: IEPile's nested `{task: {source: {label: [labels]}}}` (published
    source names) and the flat `{label: [labels]}`, which holds for any source. Raises ConfigError for anything else.
    """
    if not files.exists(path):
        raise ConfigError(f"{path}: no such file or folder; {EXPECTED}")
    if not files.is_folder(path):
        return parse(_read(path), path)
    if files.exists(f"{path}/hard_negatives"):
        raise ConfigError(f"{path}: a build holds more than dictionaries; give its folder {path}/hard_negatives")
    found = [file for file in files.list_files(path) if file.name.endswith(".json") and file.name != "manifest.json"]
    if not found:
        raise ConfigError(f"{path}: no .json file below this folder; {EXPECTED}")
    return tuple(dictionary for file in found for dictionary in parse(_read(file.path), file.path))


def _read(path: str) -> bytes:
    system, inner = files.filesystem(path)
    with files.machine_errors(path), system.open_input_stream(inner, compression=None) as stream:
        return stream.read()


def parse(content: bytes, place: str) -> tuple[Dictionary, ...]:
    """The dictionaries in one file's bytes; `place` is what errors name."""
    try:
        data = msgspec.json.decode(content.removeprefix(codecs.BOM_UTF8))
    except user_files.UNREADABLE as error:
        known = user_files.encoding(content) or user_files.reason(error, content)
        raise ConfigError(f"{place}: no valid JSON: {known}; {EXPECTED}") from error
    if not isinstance(data, dict) or not data:
        raise ConfigError(f"{place}: not a dictionary with labels; {EXPECTED}")
    try:
        if data.keys() >= {"task", "labels"}:
            return (msgspec.convert(data, Dictionary),)
        if any(isinstance(value, list) for value in data.values()):
            return (_given("", "", msgspec.convert(data, dict[str, list[str]])),)
        nested = msgspec.convert(data, dict[Task, dict[str, dict[str, list[str]]]])
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: {error}; {EXPECTED}") from error
    return tuple(_given(task, source, labels) for task, sources in nested.items() for source, labels in sources.items())


def _given(task: str, source: str, labels: dict[str, list[str]]) -> Dictionary:
    rankings = {label: Ranking(tuple(Neighbour(other) for other in others)) for label, others in labels.items()}
    return Dictionary(task, "", source, "", "", rankings)


def part_for(dictionaries: tuple[Dictionary, ...], label_set: LabelSet) -> Dictionary:
    """What a user's dictionaries say of one label set, in its order; no labels where they say nothing of it.

    A dictionary is the set's own if it names its task and its source (published name or key); failing that, the
    one of the task that stands in (EE for EET and EEA, RE for SPO), failing that, those that name no task. Labels
    outside the set are left out, and a label is never its own neighbour. For SPO a name may be a typed label or
    its predicate, which then speaks for all typed labels that have it.
    """
    names: dict[str, list[str]] = {}
    for label in label_set.labels:
        for name in {label.name, label.predicate or label.name}:
            names.setdefault(name, []).append(label.name)
    given: dict[str, dict[str, Neighbour]] = {}
    for dictionary in _matching(dictionaries, label_set):
        for name, ranking in dictionary.labels.items():
            for target in names.get(name, ()):
                others = given.setdefault(target, {})
                for neighbour in ranking.neighbours:
                    for other in names.get(neighbour.label, ()):
                        if other != target:
                            others.setdefault(other, Neighbour(other, neighbour.score, neighbour.evidence))
    rankings = {
        label.name: Ranking(tuple(given[label.name].values())) for label in label_set.labels if label.name in given
    }
    return Dictionary(label_set.task, label_set.key, label_set.source, label_set.lang, "", rankings)


def _matching(dictionaries: tuple[Dictionary, ...], label_set: LabelSet) -> list[Dictionary]:
    ours = {label_set.source, label_set.key}
    for task in (label_set.task, STANDS_IN.get(label_set.task)):
        found = [d for d in dictionaries if d.task == task and not ours.isdisjoint({d.source, d.key})]
        if found:
            return found
    return [d for d in dictionaries if not d.task]
