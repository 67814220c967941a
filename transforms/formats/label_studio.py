"""Label Studio JSON and JSON-MIN → one RawExample per annotated text and annotator.

https://labelstud.io/guide/task_format, https://labelstud.io/guide/export. Offsets count code points since 2021
(github.com/HumanSignal/label-studio-frontend/pull/308), UTF-16 code units before; `marks` finds out which. The file
does not contain the labelling configuration, which says which field of `data` a `to_name` means. It is the field with
this name, or else the one in whose text the spans have their strings.

Read are spans of texts and of dialogues (`Paragraphs`, whose turns are lines) and the relations between them. A
relation without labels has the label `relation`. Tasks on images, sound or video are left out. Lost are spans of
hypertext, whose offsets count the text nodes of a browser, and annotations of other kinds (choices, ratings, regions of
images). Drafts are not read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from typing import Any

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, RawExample, Relation
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import json_rows, marks
from transforms.formats.documents import document_of
from transforms.formats.head import Head
from transforms.formats.json_values import list_in
from transforms.formats.marks import Mark
from transforms.formats.offsets import is_offset

SPAN = re.compile(r'"(?:labels|hypertextlabels|paragraphlabels)"\s*:\s*\[')
RELATION = re.compile(r'"type"\s*:\s*"relation"')
TO_NAME = re.compile(r'"to_name"\s*:\s*"([^"]*)"')

SPAN_TYPES = ("labels", "hypertextlabels", "paragraphlabels")
UNLABELLED = "relation"
"""The label of a relation without labels."""

ANNOTATIONS = ("annotations", "completions")
"""Keys of the annotations of a task; versions before 1.0 have the second one."""

UNREAD_PREDICTIONS = "predictions of a model are only read with predictions: true in source.yaml"
"""Why nothing is read of a task with nothing but predictions."""

EXPORTED = frozenset({"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"})
"""The keys of JSON-MIN besides fields of the data and results."""

CANDIDATES = 20
"""Fields in which the strings of spans are looked for."""

TURNS = ("text", "dialogue", "content", "phrase")
"""Names of the field with the words of a turn."""


def recognises(head: Head) -> bool:
    """Whether a task, or a row of JSON-MIN, is among the first values."""
    return any(isinstance(row, dict) and (is_task(row) or is_minimal(row)) for row in head.rows)


def is_task(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("data"), dict) and any(
        isinstance(row.get(key), list) for key in (*ANNOTATIONS, "predictions")
    )


def is_minimal(row: Mapping[str, Any]) -> bool:
    return {"annotation_id", "lead_time"} <= row.keys() or any(map(has_regions, row.values()))


def has_regions(value: object) -> bool:
    """Whether the value of JSON-MIN is a list of labelled spans."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and "start" in item and any(key in item for key in SPAN_TYPES) for item in value)
    )


def read(
    files: Iterable[File], predictions: bool = False, group_by: str | None = None
) -> Iterator[RawExample | BadRecord]:
    """Every text of every task, for each of its annotations that was not skipped. `predictions`: read these instead.
    `group_by`: the field of the data, or of the metadata, that names the document.

    Whether texts without spans or relations have none, or are not annotated for them, depends on whether any task has
    some. Likewise a field of the data is annotated in every task if any task has spans in it. A task without
    annotations is a text whose layers are unknown.
    """
    files = list(files)
    reader = _Reader(predictions, group_by, json_rows.contains(files, SPAN), json_rows.contains(files, RELATION))
    if _have_several_names(files):
        reader.find_labelled_fields(_tasks(files))
    for item in _tasks(files):
        if isinstance(item, BadRecord):
            yield item
        else:
            yield from reader.examples(*item)


def _tasks(files: Iterable[File]) -> Iterator[tuple[str, dict[str, Any]] | BadRecord]:
    return json_rows.read(files, lambda place, row: (place, row), dict[str, Any])


def _have_several_names(files: Iterable[File]) -> bool:
    """Whether results are on more than one `to_name`, so that a task may have several annotated texts."""
    names: set[str] = set()
    for file in files:
        end = ""
        for piece in file.pieces():
            text = end + piece
            names.update(TO_NAME.findall(text))
            if len(names) > 1:
                return True
            end = text[-json_rows.OVERLAP :]
    return False


@dataclass(slots=True)
class Text:
    """A text of a task. `starts`: where the turns of a dialogue start; empty for other texts."""

    string: str
    starts: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Region:
    """A labelled span of a text; `identifier` is None if the file has none."""

    identifier: str | None
    labels: list[str]
    mark: Mark


@dataclass(slots=True)
class Annotation:
    """The result of one annotator (or model), as in the file. None: nobody annotated the task."""

    results: list[Any] | None
    annotator: str | None = None
    is_gold: bool = False


@dataclass(slots=True)
class _Reader:
    predictions: bool
    group_by: str | None
    has_spans: bool
    has_relations: bool
    fields: dict[str, str] = field(default_factory=dict)
    """`to_name` → the field that the last spans of this name were in."""
    labelled: dict[str, None] = field(default_factory=dict)
    """The fields in which any task has spans, if that was looked for."""

    def find_labelled_fields(self, tasks: Iterable[tuple[str, dict[str, Any]] | BadRecord]) -> None:
        for task in tasks:
            if not isinstance(task, BadRecord) and isinstance(task[1].get("data"), dict):
                place, row = task
                if texts := _texts(row["data"]):
                    for annotation in _annotations(place, row, self.predictions)[0]:
                        self.labelled.update(dict.fromkeys(self.by_field(annotation.results or [], texts, [], place)))

    def examples(self, place: str, row: dict[str, Any]) -> list[RawExample | BadRecord]:
        if isinstance(row.get("data"), dict):
            data, (annotations, lost) = row["data"], _annotations(place, row, self.predictions)
        else:
            data, annotation = _from_minimal(row)
            annotations, lost = [annotation], []
        texts = _texts(data)
        files = [name for name, text in texts.items() if FILE.fullmatch(text.string)]
        is_minimal = not isinstance(row.get("data"), dict)  # its other texts may be choices
        if files and (is_minimal or len(files) == len(texts)) and not any(map(_has_spans, annotations)):
            names = ", ".join(f"{name} is {texts[name].string.strip()}" for name in files)
            detail = f"no text in the data of the task, only a file: {names}; images, sound and video are not read"
            return [BadRecord(place, Reason.IGNORED_ANNOTATION, detail)]
        if not texts:
            reason = Reason.IGNORED_ANNOTATION if data else Reason.MISSING_FIELD
            return [BadRecord(place, reason, f"no text in the data of the task, only {', '.join(data) or 'nothing'}")]
        item = None if row.get("id") is None else str(row["id"])
        document = document_of(data, row.get("meta"), group_by=self.group_by)
        several = len(self.labelled) > 1
        results_by_field = [self.by_field(each.results or [], texts, lost, place) for each in annotations]
        chosen = dict.fromkeys(name for name in self.labelled if name in texts)
        chosen |= dict.fromkeys(name for results in results_by_field for name in results)
        examples: list[RawExample | BadRecord] = []
        for name in chosen or [self.main_field(texts)]:  # the annotations of a text follow one another
            for annotation, by_field in zip(annotations, results_by_field, strict=True):
                results, annotated = by_field.get(name, []), annotation.results is not None
                examples.append(
                    RawExample(
                        place,
                        *self.layers(place, texts[name], results, annotated, lost),
                        lost=tuple(lost),
                        document=document or ((item or place) if several else None),
                        item=f"{item}/{name}" if several and item is not None else item,
                        annotator=annotation.annotator,
                        is_gold=annotation.is_gold,
                    )
                )
                lost = []
        return examples

    def by_field(
        self, results: Sequence[Any], texts: Mapping[str, Text], lost: list[BadRecord], place: str
    ) -> dict[str, list[dict[str, Any]]]:
        """Field of the data → the results on its text. A result of another kind is added to `lost`."""
        by_name: dict[str, list[dict[str, Any]]] = {}
        relations = []
        for result in results:
            kind = result.get("type") if isinstance(result, dict) else None
            if kind == "relation":
                relations.append(result)
            elif kind in SPAN_TYPES:
                by_name.setdefault(str(result.get("to_name", "")), []).append(result)
            else:
                lost.append(BadRecord(place, Reason.IGNORED_ANNOTATION, f"a result of type {kind!r}"))
        by_field: dict[str, list[dict[str, Any]]] = {}
        main = self.main_field(texts)
        for name, spans in by_name.items():
            chosen = self.fields[name] = self.field_of(name, spans, texts, main)
            by_field.setdefault(chosen, []).extend(spans)
        field_by_id = {str(span.get("id")): name for name, spans in by_field.items() for span in spans}
        for relation in relations:
            name = field_by_id.get(str(relation.get("from_id")), next(iter(by_field), main))
            by_field.setdefault(name, []).append(relation)
        return by_field

    def field_of(self, name: str, spans: Sequence[dict[str, Any]], texts: Mapping[str, Text], main: str) -> str:
        """The field with the text that `to_name` means. `main`: the one that is taken if several fit."""
        source = spans[0].get("source")
        for candidate in (source.lstrip("$") if isinstance(source, str) else None, name, self.fields.get(name)):
            if candidate is not None and candidate in texts:
                return candidate

        def fitting(candidate: str) -> int:
            regions = [region for span in spans if isinstance(region := _region(span, texts[candidate]), Region)]
            return marks.read(texts[candidate].string, [region.mark for region in regions]).fitting

        return max([main, *islice(texts, CANDIDATES)], key=fitting)

    def main_field(self, texts: Mapping[str, Text]) -> str:
        """The field that is annotated, for a task without spans: as in the tasks before, or `text`, or the longest."""
        candidates = [name for name in (*self.fields.values(), "text") if name in texts]
        return candidates[0] if candidates else max(texts, key=lambda name: len(texts[name].string))

    def layers(
        self, place: str, text: Text, results: Sequence[dict[str, Any]], annotated: bool, lost: list[BadRecord]
    ) -> tuple[str, tuple[Entity, ...] | None, tuple[Relation, ...] | None]:
        """The text, its entities and its relations."""

        def lose(layer: str, labels: Iterable[str], reason: Reason, detail: str) -> None:
            lost.append(BadRecord(place, reason, detail, tuple(UnknownLabel(layer, label) for label in labels)))

        regions = []
        for result in results:
            if result.get("type") != "relation":
                region = _region(result, text)
                if isinstance(region, Region):
                    regions.append(region)
                else:
                    lose("entities", _labels(result), *region)
                    annotated = annotated and region[0] != Reason.IGNORED_ANNOTATION
        reading = marks.read(text.string, [region.mark for region in regions])
        entities: list[Entity] = []
        first_of: dict[str, Entity] = {}  # by id of the region
        for region, mention in zip(regions, reading.mentions, strict=True):
            if isinstance(mention, str):
                lose("entities", region.labels, Reason.OFFSET_MISMATCH, f"{region.labels[0]!r}: {mention}")
                continue
            for label in region.labels:
                known = region.identifier is None or region.identifier in first_of
                entity = Entity(label, mention, None if known else region.identifier)
                entities.append(entity)
                if region.identifier is not None:
                    first_of.setdefault(region.identifier, entity)
        relations: list[Relation] = []
        for result in results:
            if result.get("type") == "relation":
                labels = [label for label in list_in(result, "labels") if isinstance(label, str)] or [UNLABELLED]
                start, end = (first_of.get(str(result.get(key))) for key in ("from_id", "to_id"))
                if start and end:
                    relations += _relations(labels, start, end, result.get("direction"))
                else:
                    lose("relations", labels, Reason.MISSING_FIELD, f"{labels[0]!r}: an end is not a labelled span")
        return (
            reading.text,
            tuple(entities) if annotated and self.has_spans else None,
            tuple(relations) if annotated and self.has_relations else None,
        )


def _annotations(place: str, task: Mapping[str, Any], predictions: bool) -> tuple[list[Annotation], list[BadRecord]]:
    """The annotations of a task, at least one, and what is not read."""
    lost: list[BadRecord] = []
    kept: list[Annotation] = []
    given: list[Any] = next((task[key] for key in ANNOTATIONS if isinstance(task.get(key), list)), [])
    predicted = task["predictions"] if isinstance(task.get("predictions"), list) else []
    for annotation in predicted if predictions else given:
        if not isinstance(annotation, dict) or not isinstance(annotation.get("result") or [], list):
            lost.append(BadRecord(place, Reason.MISSING_FIELD, "an annotation has no list of results"))
        elif annotation.get("was_cancelled") or annotation.get("skipped"):
            lost.append(BadRecord(place, Reason.IGNORED_ANNOTATION, "the annotator skipped the task"))
        else:
            annotator = annotation.get("model_version") if predictions else _annotator(annotation.get("completed_by"))
            is_gold = bool(annotation.get("ground_truth"))
            kept.append(Annotation(annotation.get("result") or [], annotator and str(annotator), is_gold))
    if predicted and not predictions and not given:
        lost.append(BadRecord(place, Reason.IGNORED_ANNOTATION, UNREAD_PREDICTIONS))
    return kept or [Annotation(None)], lost


def _annotator(completed_by: object) -> str | None:
    """The e-mail address or the number of a user."""
    if isinstance(completed_by, Mapping):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return str(completed_by) if isinstance(completed_by, str | int) and completed_by != "" else None


def _from_minimal(row: Mapping[str, Any]) -> tuple[dict[str, Any], Annotation]:
    """The fields of the data of a row of JSON-MIN, and its annotation in the form of a task."""
    data, results = {}, []
    for name, value in row.items():
        if has_regions(value):
            for item in value:
                kind = next(key for key in SPAN_TYPES if key in item)
                results.append({"type": kind, "to_name": "", "value": item})
        elif name not in EXPORTED:
            data[name] = value
    annotated = bool(results) or row.get("annotation_id") is not None
    return data, Annotation(results if annotated else None, _annotator(row.get("annotator")))


def _texts(data: Mapping[str, Any]) -> dict[str, Text]:
    """Field of the data → its text, for those that have one."""
    return {name: text for name, value in data.items() if (text := _text(value))}


def _text(value: object) -> Text | None:
    """The text in a field of the data; None if it has none, or only the address of a file."""
    if isinstance(value, str):
        return Text(value) if value.strip() and not ADDRESS.fullmatch(value) else None
    if not isinstance(value, list) or not value or not all(isinstance(turn, dict) for turn in value):
        return None
    words = next((name for name in TURNS if all(isinstance(turn.get(name), str) for turn in value)), None)
    if words is None:
        return None
    turns = [turn[words] for turn in value]
    return Text("\n".join(turns), [0, *accumulate(len(turn) + 1 for turn in turns[:-1])])


FILE = re.compile(
    r"\s*\S+\.(?:png|jpe?g|gif|bmp|webp|tiff?|svg|dcm|wav|mp3|ogg|flac|m4a|mp4|webm|avi|mov|mkv|pdf)\s*", re.IGNORECASE
)
"""The name of an image, a recording, a video or a document."""

ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://|/data/|data:)\S*\s*", re.IGNORECASE)


def _has_spans(annotation: Annotation) -> bool:
    """Whether spans of a text are labelled, even if the text looks like the name of a file."""
    return any(isinstance(result, dict) and result.get("type") in SPAN_TYPES for result in annotation.results or ())


def _labels(result: Mapping[str, Any]) -> list[str]:
    value = result.get("value")
    labels = value.get(result.get("type")) if isinstance(value, dict) else None
    return [label for label in labels if isinstance(label, str) and label] if isinstance(labels, list) else []


def _region(result: Mapping[str, Any], text: Text) -> Region | tuple[Reason, str]:
    """The labelled span of a result, or why it has none."""
    labels, value = _labels(result), result["value"] if isinstance(result.get("value"), dict) else {}
    if not labels:
        return Reason.MISSING_FIELD, "a span has no label"
    start, end, string = value.get("start"), value.get("end"), value.get("text")
    if text.starts:
        first, last = (
            _offset_in_turn(text, start, value.get("startOffset")),
            _offset_in_turn(text, end, value.get("endOffset")),
        )
        if first is None or last is None:
            return Reason.OFFSET_MISMATCH, f"{labels[0]!r}: the turns {start!r} to {end!r} do not exist"
        start, end = first, last
    elif isinstance(start, str) and start.startswith("/"):
        return Reason.IGNORED_ANNOTATION, f"{labels[0]!r}: spans of hypertext are not read; label plain text"
    if not isinstance(start, int) or not isinstance(end, int):
        return Reason.MISSING_FIELD, f"{labels[0]!r}: start and end are {start!r} and {end!r}, not two numbers"
    identifier = result.get("id")
    return Region(
        None if identifier is None else str(identifier),
        labels,
        Mark(start, end, string if isinstance(string, str) and string else None),
    )


def _offset_in_turn(text: Text, turn: object, offset: object) -> int | None:
    """The place in the text of an offset in a turn, which is given as a number or as a string of its digits."""
    number = int(str(turn)) if is_offset(str(turn)) else len(text.starts)
    return text.starts[number] + offset if number < len(text.starts) and isinstance(offset, int) else None


def _relations(labels: Iterable[str], start: Entity, end: Entity, direction: object) -> list[Relation]:
    """The relations of an arrow between two regions: two for each label if it points both ways."""
    arrows = {"left": [(end, start)], "bi": [(start, end), (end, start)]}.get(str(direction), [(start, end)])
    return [
        Relation(label, head.mention, tail.mention, head.label, tail.label, head.id, tail.id)
        for label in labels
        for head, tail in arrows
    ]
