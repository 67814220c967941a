"""A file of predictions → one line per text and task, with all extracted items and their character offsets."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

from train.corpus import row_form
from train.parse import Unparseable, parse
from train.prediction.join import WindowAnswer, join_answers, keep_requested
from train.prediction.texts import Document, Window
from transforms import files
from transforms.plain_schema import plain_schema, true_names

LAYER = {"NER": "entity", "RE": "relation", "SPO": "relation", "KG": "relation"}
"""Task → the key of its annotations in the unified format; `event` for the others."""


def write(predictions: str, output: str, windows: Mapping[str, Window]) -> None:
    """Writes the file `output`: `id`, `task`, `source`, `lang`, `text`, the annotations under the key of the unified
    format (with the spans that `join.join_answers` adds), `labels`, those that the rows ask for, and `unparseable`, the
    ids of rows whose answer is missing, not a JSON object, or not in its form.

    `windows`: example id → window, for a user's texts. The lines of these texts have the id of the document, the
    original text and offsets into it. Other rows are joined by `example_id`, or by `id` if they have none.
    """
    groups = _groups(predictions, windows)
    with open(predictions, "rb") as stream, files.atomic_write(output) as sink:
        for key, places in groups.items():
            content = _line(key[1], [_row(stream, place) for place in places], windows)
            sink.write(json.dumps(content, ensure_ascii=False).encode() + b"\n")


def _groups(predictions: str, windows: Mapping[str, Window]) -> dict[tuple, list[int]]:
    """(text, task, source, split) → the byte offsets of its rows."""
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


def _line(task: str, rows: Iterable[dict], windows: Mapping[str, Window]) -> dict:
    answers, unparseable = [], []
    labels: dict[str, dict[str, None]] = {}
    for row in rows:
        window, prompt = windows.get(row["example_id"]), json.loads(row["instruction"])
        text = window.document.text if window else prompt["input"]
        schema = plain_schema(prompt["schema"])
        for layer, label in requested(task, schema, row["labels"]):
            labels.setdefault(layer, {})[label] = None
        parsed = parse(task, row["output"] or "", schema, row_form(row), prompt["input"], row["labels"])
        if isinstance(parsed, Unparseable):
            unparseable.append(row["id"])
            continue
        start, end = (window.start, window.end) if window else (0, len(text))
        answers.append(WindowAnswer(start, end, tuple(keep_requested(task, row["labels"], parsed.annotations))))
    annotations = join_answers(task, text, answers)
    return {
        "id": window.document.id if window else row["example_id"] or row["id"],
        **{name: row[name] for name in ("task", "source", "lang")},
        "text": window.document.original if window else text,
        LAYER.get(task, "event"): [_in_original(item, window.document) for item in annotations]
        if window
        else annotations,
        "labels": {layer: list(names) for layer, names in labels.items()},
        "unparseable": unparseable,
    }


def requested(task: str, schema: Sequence[object], labels: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """(`entity`, `relation` or `event`, a label) of the plain `schema` of a prompt; also the types of the ends of
    relations. Attributes (KG) are relations. `labels`: as for `parse`.
    """
    names = true_names(task, schema, labels)
    for item in schema:
        match item:
            case str():
                yield LAYER.get(task, "event"), names.get(item, item)
            case {"subject_type": str(subject), "predicate": str(predicate), "object_type": str(object_type)}:
                relation = names.get(predicate, predicate)
                yield from (("entity", subject), ("relation", relation), ("entity", object_type))
            case {"entity_type": str(name), "attributes": attributes}:
                yield from (("entity", names.get(name, name)), *(("relation", attribute) for attribute in attributes))
            case {"event_type": str(name)}:
                yield "event", names.get(name, name)


def _in_original(annotation: dict, document: Document) -> dict:
    """The annotation with the spans of its mentions and arguments in the original text."""
    spans = {
        name: [document.original_span(span) for span in value]
        for name, value in annotation.items()
        if name.endswith("spans")
    }
    if "arguments" in annotation:
        spans["arguments"] = [_in_original(argument, document) for argument in annotation["arguments"]]
    return annotation | spans
