"""Short notation → rows of predictions as train.predict writes them and dictionaries of a build, for tests."""

import json
from pathlib import Path

import msgspec

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking, dump
from schemas.label import Label, LabelSet
from transforms import files

TEXT = "Ada left Coal Quay for Low Water on Monday with coal and tin; Bo stayed at Coal Quay."

SCHEMAS = {
    "EE": lambda label: {"event_type": label, "trigger": True, "arguments": ["ship", "cargo", "time"]},
    "EEA": lambda label: {"event_type": label, "trigger": ["left"], "arguments": ["ship", "cargo", "time"]},
    "KG": lambda label: {"entity_type": label, "attributes": ["port", "cargo"]},
    "SPO": lambda label: dict(zip(("subject_type", "predicate", "object_type"), label.split("_"), strict=True)),
}


def row(task: str, labels: list[str], answer: object, gold: object, number: int = 0, batch: int = 0, **others) -> dict:
    """`answer`: an object, or a string that is not JSON. `gold`: a list of annotations, an answer object, or None."""
    text = others.pop("text", TEXT)
    example = f"harbour/test/{number}"
    schema = [SCHEMAS.get(task, str)(label) for label in labels]
    return {
        "id": f"{example}/{task}/{batch}",
        "example_id": example,
        "task": task,
        "source": "Harbour",
        "lang": "en",
        "split": "test",
        "instruction": json.dumps({"instruction": "Extract.", "schema": schema, "input": text}, ensure_ascii=False),
        "labels": labels,
        "label": None if gold is None else json.dumps(gold, ensure_ascii=False),
        "output": answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False),
        **others,
    }


def write(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def entities(**mentions: list[str]) -> list[dict]:
    return [{"entity": mention, "entity_type": label} for label, result in mentions.items() for mention in result]


def triple(head: str, relation: str, tail: str, head_type: str | None = None, tail_type: str | None = None) -> dict:
    types = {"head_type": head_type, "tail_type": tail_type}
    return {"head": head, "relation": relation, "tail": tail, **{key: name for key, name in types.items() if name}}


def event(kind: str, trigger: str, **roles: list[str]) -> dict:
    arguments = [{"argument": value, "role": role} for role, values in roles.items() for value in values]
    return {"event_trigger": trigger, "event_type": kind, "arguments": arguments}


def dictionary(build: Path, task: str, key: str, source: str, ranked: dict[str, list[str]]) -> None:
    """Writes a label set and its dictionary into the folder of a build."""
    labels = LabelSet(task, key, source, "en", tuple(Label(name) for name in sorted(ranked)))
    files.write_text(f"{build}/labels/{task}/{key}.json", msgspec.json.encode(labels).decode())
    rankings = {label: Ranking(tuple(Neighbour(other) for other in others)) for label, others in ranked.items()}
    text = dump(Dictionary(task, key, source, "en", "lexical", rankings))
    files.write_text(f"{build}/hard_negatives/{task}/{key}.json", text)
