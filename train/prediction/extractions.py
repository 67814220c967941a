"""A file of predictions → one line a text and task: everything found in it, with character offsets."""

import json
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from train.parse import Unparseable, parse
from train.prediction.join import Answered, asked_only, joined
from train.prediction.texts import Document, Window
from transforms import files

LAYER = {"NER": "entity", "RE": "relation", "SPO": "relation", "KG": "relation"}
"""Task → the key of its annotations in the unified format; `event` for the others."""


def write(predictions: str, output: str, windows: Mapping[str, Window]) -> None:
    """Writes the file `output`: `id`, `task`, `source`, `lang`, `text`, the annotations under the key of the unified
    format (`train.join.joined` says what they gain), and `unparseable`, the ids of rows whose answer is no JSON object.

    `windows`: of a user's own texts, the windows that their examples are; their lines have the ids of the whole
    documents, the text as it was given and offsets into it. Other rows are joined by `example_id`, where they have
    none by `id`.
    """
    groups = _groups(predictions, windows)
    with open(predictions, "rb") as stream, files.atomic_write(output) as sink:
        for key, places in groups.items():
            content = _joined(key[1], [_row(stream, place) for place in places], windows)
            sink.write(json.dumps(content, ensure_ascii=False).encode() + b"\n")


def _groups(predictions: str, windows: Mapping[str, Window]) -> dict[tuple, list[int]]:
    """(text, task, source, split) → where its rows stand, in bytes."""
    groups: dict[tuple, list[int]] = {}
    at = 0
    with open(predictions, "rb") as stream:
        for line in stream:
            row = json.loads(line)
            window = windows.get(row["example_id"])
            text = window.document.id if window else row["example_id"] or row["id"]
            groups.setdefault((text, row["task"], row["source"], row["split"]), []).append(at)
            at += len(line)
    return groups


def _row(stream: BinaryIO, place: int) -> dict:
    stream.seek(place)
    return json.loads(stream.readline())


def _joined(task: str, rows: Iterable[dict], windows: Mapping[str, Window]) -> dict:
    answers, unparseable = [], []
    for row in rows:
        window, prompt = windows.get(row["example_id"]), json.loads(row["instruction"])
        text = window.document.text if window else prompt["input"]
        found = parse(task, row["output"], prompt["schema"])
        if isinstance(found, Unparseable):
            unparseable.append(row["id"])
            continue
        start, end = (window.start, window.end) if window else (0, len(text))
        answers.append(Answered(start, end, tuple(asked_only(task, row["labels"], found.annotations))))
    annotations = joined(task, text, answers)
    return {
        "id": window.document.id if window else row["example_id"] or row["id"],
        **{name: row[name] for name in ("task", "source", "lang")},
        "text": window.document.given if window else text,
        LAYER.get(task, "event"): [_as_given(one, window.document) for one in annotations] if window else annotations,
        "unparseable": unparseable,
    }


def _as_given(annotation: dict, document: Document) -> dict:
    """The annotation with the spans of its mentions, its arguments' too, in the text as it was given."""
    spans = {
        name: [document.given_span(span) for span in value]
        for name, value in annotation.items()
        if name.endswith("spans")
    }
    if "arguments" in annotation:
        spans["arguments"] = [_as_given(argument, document) for argument in annotation["arguments"]]
    return annotation | spans
