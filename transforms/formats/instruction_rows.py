"""Rows that already are instructions, as Alpaca or ShareGPT → RawExamples, one per text.

Those of IEPile (https://github.com/zjunlp/IEPile, README) ask for several labels: `instruction` is a JSON string with
`instruction`, `schema` and `input`, and `output` is a JSON string with the answer. Those of UniversalNER
(https://universal-ner.github.io) are conversations in which each question asks for one entity type.

A row asks for some of the labels. The rows of a text are united, and a label that none of them asks is an unknown label
of the text. Mentions are only strings (see `transforms.formats.unified`).
"""

import json
import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Entity, Event, RawExample, Relation
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import json_rows
from transforms.formats.head import Head
from transforms.formats.unified import ABSENT, Mentions
from transforms.plain_schema import plain_schema

Value = TypeVar("Value", dict, list)

TEXT = re.compile(r"Text:\s*(.*)", re.DOTALL)
QUESTION = re.compile(r"What describes (.+) in the text\?", re.DOTALL)
DATASET_INFO = "dataset_info.json"
"""The file beside the rows by which LLaMA-Factory finds them."""

HUMAN, MODEL = ("human", "user"), ("gpt", "assistant", "model")


@dataclass(frozen=True, slots=True)
class Question:
    """What one row asks of a text. `kind`: the task, by the shape of schema and answer; empty for an empty answer that
    could be one of NER or RE. `labels`: those asked. `answer`: None in rows to predict on.
    """

    place: str
    text: str
    kind: str
    labels: tuple[str, ...]
    typed: dict[str, tuple[str, str]]
    """SPO: predicate → types of its subject and object."""
    answer: dict | None


class _Broken(Exception):
    """A row is not an instruction of this family; `_questions` catches it."""


def recognises(head: Head) -> bool:
    """Never: rows of instructions are read only if the user says so, since they usually are made from other data."""
    return False


def looks_like_alpaca(head: Head) -> bool:
    """Whether the first row has an instruction and an output."""
    return any(isinstance(row, dict) and {"instruction", "output"} <= row.keys() for row in head.rows[:1])


def looks_like_sharegpt(head: Head) -> bool:
    """Whether the first row is a conversation."""
    return any(isinstance(row, dict) and isinstance(row.get("conversations"), list) for row in head.rows[:1])


def read_alpaca(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """The texts of rows with `instruction`, `input` (unless it is a part of the instruction) and `output`, in order of
    their first rows. A row that is not an instruction for information extraction is a BadRecord. All rows are kept in
    memory.
    """
    return _united(json_rows.read(files, _caught(_from_alpaca), dict))


def read_sharegpt(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """The texts of rows with `conversations` (or `messages`), like `read_alpaca`."""
    return _united(json_rows.read(files, _caught(_from_sharegpt), dict))


Questions = list[Question] | BadRecord


def _caught(convert: Callable[[str, dict], list[Question]]) -> Callable[[str, dict], Questions]:
    def questions(place: str, row: dict) -> Questions:
        try:
            return convert(place, row)
        except _Broken as problem:
            return BadRecord(place, Reason.BROKEN_RECORD, str(problem))

    return questions


def _from_alpaca(place: str, row: dict) -> list[Question]:
    task = row.get("task")
    return [_question(place, row.get("instruction"), row.get("input"), row.get("output"), task)]


def _from_sharegpt(place: str, row: dict) -> list[Question]:
    turns = row.get("conversations", row.get("messages"))
    if not isinstance(turns, list):
        raise _Broken("a row has no list `conversations` or `messages`")
    pairs: list[tuple[str, str | None]] = []  # what the person says, and what the model answers
    for turn in turns:
        role, content = _turn(turn)
        if role in HUMAN:
            pairs.append((content, None))
        elif role in MODEL and pairs:
            pairs[-1] = (pairs[-1][0], content)
    text = TEXT.fullmatch(pairs[0][0]) if pairs else None
    if not text:
        return [_question(place, content, None, answer, row.get("task")) for content, answer in pairs]
    questions = []
    for content, answer in pairs[1:]:
        question = QUESTION.fullmatch(content.strip())
        if not question:
            raise _Broken(f"{content[:80]!r} is not `What describes LABEL in the text?`")
        mentions = None if answer is None else {question[1]: _decode(answer, "the answer", list)}
        questions.append(Question(place, text[1].strip(), "NER", (question[1],), {}, mentions))
    return questions


def _turn(turn: object) -> tuple[str, str]:
    if isinstance(turn, dict):
        role, content = turn.get("from", turn.get("role")), turn.get("value", turn.get("content"))
        if isinstance(role, str) and isinstance(content, str):
            return role, content
    raise _Broken("a turn has no `from` and `value`, or no `role` and `content`")


def _decode(string: object, what: str, kind: type[Value]) -> Value:
    try:
        value = msgspec.json.decode(string) if isinstance(string, str) else string
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise _Broken(f"{what} is not JSON: {error}") from error
    if not isinstance(value, kind):
        raise _Broken(f"{what} is not a JSON {'object' if kind is dict else 'list'}")
    return value


def _schema(value: object) -> list:
    try:
        return plain_schema(value)
    except ValueError as error:
        raise _Broken(str(error)) from error


def _question(place: str, instruction: object, text: object, output: object, task: object) -> Question:
    content = _decode(instruction, "the instruction", dict)
    schema = _schema(content.get("schema"))
    text = content.get("input") or text
    if not schema or not isinstance(text, str):
        raise _Broken("the instruction has no `schema`, or the row has no `input`")
    answer = None if output is None else _decode(output, "the output", dict)
    typed: dict[str, tuple[str, str]] = {}
    if all(isinstance(item, str) for item in schema):
        values = [value for items in (answer or {}).values() if isinstance(items, list) for value in items]
        kind = "" if not values else "RE" if isinstance(values[0], dict) else "NER"
        kind = str(task) if task in ("NER", "RE", "EET") else kind
        return Question(place, text, kind, tuple(schema), typed, answer)
    labels = []
    kind = ""
    for item in schema:
        keys = {"predicate": "SPO", "event_type": "EE", "entity_type": "KG"}
        key = next((key for key in keys if isinstance(item, dict) and isinstance(item.get(key), str)), None)
        if key is None:
            raise _Broken(f"{json.dumps(item, ensure_ascii=False)[:80]} is not an item of a schema")
        kind = keys[key]
        if kind == "SPO":
            typed[item[key]] = str(item.get("subject_type", "")), str(item.get("object_type", ""))
        attributes = item.get("attributes")
        labels += [str(each) for each in attributes] if kind == "KG" and isinstance(attributes, list) else [item[key]]
    return Question(place, text, kind, tuple(labels), typed, answer)


LAYER = {"NER": "entities", "RE": "relations", "SPO": "relations", "KG": "relations", "EE": "events", "EET": "events"}


def _united(rows: Iterable[Questions]) -> Iterator[RawExample | BadRecord]:
    texts: dict[str, list[Question]] = {}
    for row in rows:
        if isinstance(row, BadRecord):
            yield row
            continue
        for question in row:
            texts.setdefault(question.text, []).append(question)
    questions = [question for each in texts.values() for question in each]
    relations = {label for question in questions if question.kind == "RE" for label in question.labels}
    labels_asked: dict[str, dict[str, None]] = {layer: {} for layer in ("entities", "relations", "events")}
    for text, group in texts.items():
        texts[text] = [_decided(question, relations) for question in group if question.answer is not None] or group[:1]
        for question in texts[text]:
            if question.answer is not None:
                labels_asked[LAYER[question.kind]].update(dict.fromkeys(question.labels))
    for text, group in texts.items():
        yield _example(text, group, labels_asked)


def _decided(question: Question, relations: Container[str]) -> Question:
    """The question with its task. `relations`: labels that other rows use for relations."""
    if question.kind:
        return question
    return replace(question, kind="RE" if any(label in relations for label in question.labels) else "NER")


def _example(text: str, questions: list[Question], labels_asked: dict[str, dict[str, None]]) -> RawExample:
    """`labels_asked`: layer → the labels that any row asks."""
    mentions = Mentions(questions[0].place, text)
    layers: dict[str, dict] = {}
    known: dict[str, set[str]] = {}
    for question in questions:
        if question.answer is None:
            continue
        items = layers.setdefault(LAYER[question.kind], {})
        known.setdefault(LAYER[question.kind], set()).update(question.labels)
        for item in ITEMS[question.kind](mentions, question):
            items.setdefault(item)
    unknown = [
        UnknownLabel(layer, label) for layer in layers for label in labels_asked[layer] if label not in known[layer]
    ]
    entities, relations, events = (
        tuple(layers[layer]) if layer in layers else None for layer in ("entities", "relations", "events")
    )
    return RawExample(
        questions[0].place,
        text,
        entities,
        relations,
        events,
        lost=tuple(mentions.lost),
        unknown_labels=tuple(unknown),
    )


def _answers(question: Question) -> Iterator[tuple[str, object]]:
    """(label, item) of the answer."""
    for label, items in (question.answer or {}).items():
        yield from ((label, item) for item in (items if isinstance(items, list) else [items]))


def _entities(mentions: Mentions, question: Question) -> Iterator[Entity]:
    for label, string in _answers(question):
        mention = isinstance(string, str) and mentions.mention(string, "entity", label, label)
        if mention:
            yield Entity(label, mention)


def _relations(mentions: Mentions, question: Question) -> Iterator[Relation]:
    for label, item in _answers(question):
        head, tail = _ends(item)
        head_type, tail_type = question.typed.get(label, ("", ""))
        yield from _relation(mentions, label, head, tail, head_type or None, tail_type or None)


def _ends(item: object) -> tuple[object, object]:
    if not isinstance(item, dict):
        return None, None
    return item.get("subject", item.get("head")), item.get("object", item.get("tail"))


def _relation(
    mentions: Mentions, label: str, head: object, tail: object, head_type: str | None, tail_type: str | None
) -> Iterator[Relation]:
    if isinstance(head, str) and isinstance(tail, str):
        first = mentions.mention(head, "relation", label, label)
        second = first and mentions.mention(tail, "relation", label, label)
        if first and second:
            yield Relation(label, first, second, head_type, tail_type)


def _attributes(mentions: Mentions, question: Question) -> Iterator[Relation]:
    for entity_type, entities in (question.answer or {}).items():
        for entity, attributes in (entities if isinstance(entities, dict) else {}).items():
            for attribute, values in (attributes if isinstance(attributes, dict) else {}).items():
                for value in values if isinstance(values, list) else [values]:
                    yield from _relation(mentions, attribute, entity, value, entity_type, None)


def _events(mentions: Mentions, question: Question) -> Iterator[Event]:
    for label, item in _answers(question):
        content = {"trigger": item} if isinstance(item, str) else item
        if not isinstance(content, dict):
            continue
        string = content.get("trigger", "")
        trigger = None
        if isinstance(string, str) and string not in ABSENT:
            trigger = mentions.mention(string, "event", label, label)
            if trigger is None:
                continue
        arguments = []
        roles = content.get("arguments")
        for role, values in (roles if isinstance(roles, dict) else {}).items():
            for value in values if isinstance(values, list) else [values]:
                if isinstance(value, str) and value not in ABSENT:
                    mention = mentions.mention(value, "argument", role, label)
                    arguments += [Argument(role, mention)] if mention else []
        if trigger or arguments:
            yield Event(label, trigger, tuple(arguments))


ITEMS: dict[str, Callable[[Mentions, Question], Iterator]] = {
    "NER": _entities,
    "RE": _relations,
    "SPO": _relations,
    "KG": _attributes,
    "EE": _events,
    "EET": _events,
}
