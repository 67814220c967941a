"""An instruction row → the names of the rules of the wire format that it breaks.

Prompts and answers have the form of the IEPile family of corpora: a prompt has the keys instruction, schema and input;
an answer has the labels asked as keys. The names are those of `suites.INSTRUCTION_FAULTS`. Rules that cannot be checked
because a more basic rule is broken are left out.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from schemas.answer_form import DEFAULT, forms_of
from schemas.label import LabelSet
from transforms import answer_forms
from transforms.label_descriptions import described_labels, label_words
from transforms.render import encode
from validation.prompt_schemas import Entry, Text, entries

NOTHING = Annotated[list[str], msgspec.Meta(max_length=0)]
Value = Text | list[Text]
MISSING = "NAN"
"""The answer for a role without a value and for an event without a trigger."""


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    subject: Text
    object: Text


class EventAnswer(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    trigger: Text
    arguments: dict[str, Value]


class GoldEntity(msgspec.Struct):
    entity: Text
    entity_type: Text


class GoldRelation(msgspec.Struct):
    head: Text
    relation: Text
    tail: Text


class GoldTriple(msgspec.Struct):
    head: Text
    relation: Text
    tail: Text
    head_type: Text
    tail_type: Text


class GoldArgument(msgspec.Struct):
    argument: Text
    role: Text


class GoldEvent(msgspec.Struct):
    event_type: Text
    event_trigger: str | None = None
    arguments: list[GoldArgument] | None = None


def decoders(**shapes: object) -> dict[str, msgspec.json.Decoder[Any]]:
    return {task: msgspec.json.Decoder(shape) for task, shape in shapes.items()}


Events = dict[str, list[EventAnswer]]
Entities = dict[str, dict[str, dict[str, Value]] | NOTHING]
Pairs = dict[str, list[Pair]]
Strings = dict[str, list[Text]]

Answer = str | list[Any] | Pair | EventAnswer | dict[str, dict[str, Value]]
"""The answer for a label, or a part of it."""

ANSWERS = decoders(NER=Strings, RE=Pairs, SPO=Pairs, EE=Events, EET=Strings, EEA=Events, KG=Entities)
GOLD = decoders(
    NER=list[GoldEntity],
    RE=list[GoldRelation],
    SPO=list[GoldTriple],
    EE=list[GoldEvent],
    EET=list[GoldEvent],
    EEA=list[GoldEvent],
    KG=list[GoldRelation],
)
OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
TEXT = msgspec.json.Decoder(Annotated[str, msgspec.Meta(pattern=r"\S")])
KEYS = ["instruction", "schema", "input"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The part of a label set with which rows are compared. `roles`: label → roles or attributes; `predicates`: label →
    predicate (SPO). `words`: see `label_descriptions.label_words`.
    """

    source: str
    lang: str
    roles: dict[str, frozenset[str]]
    predicates: dict[str, str]
    words: str

    @classmethod
    def from_label_set(cls, label_set: LabelSet) -> "Vocabulary":
        return cls(
            label_set.source,
            label_set.lang,
            {label.name: frozenset(label.role_names) for label in label_set.labels},
            {label.name: label.predicate for label in label_set.labels if label.predicate is not None},
            label_words(described_labels(label_set)),
        )


@dataclass(frozen=True, slots=True)
class Prompt:
    schema: list[Entry]
    input: str
    instruction: str


def faults(row: dict[str, Any], vocabulary: Vocabulary) -> tuple[list[str], int]:
    """The rules that a row breaks, each as often as it is broken, and the number of answer strings that do not occur in
    the text. Such strings are not faults, because sources may contain them.

    `row`: a row of `schemas.arrow.INSTRUCTIONS`, perhaps with optional columns, without null in required values.
    """
    names = list(list_faults(row, vocabulary))
    prompt = read_prompt(row)
    answer = read_answer(row, prompt)
    if "messages" in row and row["messages"] != turns(row):
        names.append("messages_differ")
    names += [result for result in (prompt, answer) if isinstance(result, str)]
    if not isinstance(prompt, Prompt):
        return names, 0
    names += prompt_faults(row, prompt, vocabulary)
    if not isinstance(answer, dict) or "schema_differs" in names:
        return names, 0
    names += answer_faults(row, answer, prompt)
    return names, sum(string not in prompt.input for value in answer.values() if value for string in strings(value))


def list_faults(row: dict[str, Any], vocabulary: Vocabulary) -> Iterator[str]:
    """Faults of `labels`, `positives` and `hard_negatives`, compared with the label set and each other."""
    labels, positives, hard_negatives = set(row["labels"]), set(row["positives"]), set(row["hard_negatives"])
    if not labels <= vocabulary.roles.keys():
        yield "unknown_labels"
    if len(labels) < len(row["labels"]):
        yield "repeated_labels"
    elif row["task"] == "SPO":
        predicates = {vocabulary.predicates.get(label, label) for label in labels}
        if len(predicates) < len(labels):
            yield "repeated_predicates"
    if not positives <= labels:
        yield "stray_positives"
    elif row["task"] == "EEA" and positives != labels:
        yield "negatives_asked"
    if not hard_negatives <= labels:
        yield "stray_hard_negatives"
    if hard_negatives & positives:
        yield "positive_hard_negatives"


def read_prompt(row: dict[str, Any]) -> Prompt | str:
    """The prompt of a row, or the name of the rule that it breaks if it cannot be decoded."""
    try:
        parts = OBJECT.decode(row["instruction"])
    except msgspec.DecodeError:
        return "broken_prompt"
    if list(parts) != KEYS:
        return "wrong_prompt_keys"
    try:
        text = TEXT.decode(parts["instruction"])
        return Prompt(entries(row["task"], bytes(parts["schema"])), TEXT.decode(parts["input"]), text)
    except msgspec.DecodeError:
        return "wrong_prompt_values"


def prompt_faults(row: dict[str, Any], prompt: Prompt, vocabulary: Vocabulary) -> Iterator[str]:
    asked_for = list(zip(prompt.schema, row["labels"], strict=False))
    pairs = [(entry, label, true_name(entry, label, vocabulary)) for entry, label in asked_for]
    if len(prompt.schema) != len(row["labels"]) or not all(
        entry.is_named(label, name) and (entry.name == name or can_be_mask(entry, vocabulary))
        for entry, label, name in pairs
    ):
        yield "schema_differs"
    elif wrong_masks([entry.name for entry, _, name in pairs if entry.name != name], prompt.input, vocabulary):
        yield "wrong_masks"
    if row["task"] in ("EE", "EEA", "KG"):
        for entry, label, _ in pairs:
            roles = set(entry.roles)
            known = vocabulary.roles.get(label, roles)  # an unknown label breaks another rule
            if len(roles) < len(entry.roles) or not roles <= known:
                yield "unknown_roles"
    if hashlib.sha256(prompt.input.encode()).hexdigest() != row["text_sha256"]:
        yield "wrong_hash"


def true_name(entry: Entry, label: str, vocabulary: Vocabulary) -> str:
    """The name under which a label is answered unless it is masked. That of an unknown label, which breaks another
    rule, is the one shown.
    """
    return label if entry.types is None else vocabulary.predicates.get(label, entry.name)


def can_be_mask(entry: Entry, vocabulary: Vocabulary) -> bool:
    names = (*vocabulary.roles, *vocabulary.predicates.values())
    return entry.is_described and entry.name not in names


def wrong_masks(masks: list[str], text: str, vocabulary: Vocabulary) -> bool:
    """Whether a mask repeats another or occurs, whatever the case, in the text or in what is shown of the label set."""
    return len(set(masks)) < len(masks) or any(
        mask.casefold() in vocabulary.words or mask.casefold() in text.casefold() for mask in masks
    )


def turns(row: dict[str, Any]) -> list[dict[str, str]]:
    """The `messages` of a row: its prompt and, if it has one, its answer."""
    contents = [row["instruction"], row["output"]]
    return [
        {"role": role, "content": content}
        for role, content in zip(("user", "assistant"), contents, strict=True)
        if content is not None
    ]


def read_answer(row: dict[str, Any], prompt: Prompt | str) -> dict[str, Any] | str | None:
    """The answer of a train or validation row as IEPile's object, None for a test row, or the name of the rule that the
    row breaks. None if it depends on a prompt that breaks a rule.
    """
    form = row.get("form", DEFAULT)
    if form not in forms_of(row["task"]):
        return "unknown_form"
    is_test = row["split"] == "test"
    if (row["output"] is None) != is_test or not (is_test or row["label"] is None):
        return "misplaced_answer"
    answer = row["label"] if is_test else row["output"]
    if answer is None:  # a test row whose text is not annotated
        return None
    if form != DEFAULT and not is_test:
        return read_form(form, row, prompt) if isinstance(prompt, Prompt) else None
    try:
        decoded = (GOLD if is_test else ANSWERS)[row["task"]].decode(answer)
    except msgspec.ValidationError:
        return "wrong_answer_shape"
    except msgspec.DecodeError:
        return "broken_answer"
    return None if is_test else decoded


def read_form(form: str, row: dict[str, Any], prompt: Prompt) -> dict[str, Any] | str:
    """As `read_answer`, for an answer in another form than IEPile's, which must be written as `answer_forms` writes."""
    task, output = row["task"], row["output"]
    try:
        answer = answer_forms.read(form, task, output, answer_keys(prompt))
    except ValueError:
        return "broken_answer"
    try:
        decoded: dict[str, Any] = ANSWERS[task].decode(encode(answer))
        spans = answer_forms.places(output, prompt.input) if form == "spans" else answer_forms.NO_SPANS
        is_same = answer_forms.write(form, task, answer, prompt.input, prompt.instruction, spans) == output
    except ValueError:  # msgspec.ValidationError is one
        return "wrong_answer_shape"
    return decoded if is_same else "wrong_answer_shape"


def answer_keys(prompt: Prompt) -> list[str]:
    """The keys of the answer to a prompt, in order."""
    return [entry.name for entry in prompt.schema]


def answer_faults(row: dict[str, Any], answer: dict[str, Any], prompt: Prompt) -> Iterator[str]:
    task = row["task"]
    keys = answer_keys(prompt)
    if list(answer) != keys:
        yield "answer_keys_differ"
    else:
        answered = {label for label, value in zip(row["labels"], answer.values(), strict=True) if value}
        if answered != set(row["positives"]):
            yield "positives_differ"
        if task in ("EE", "EEA", "KG"):
            yield from role_faults(task, answer, prompt.schema)
    for value in answer.values():
        if len(value) > 1 and isinstance(value, list) and repeats(value):
            yield "repeated_answers"


def role_faults(task: str, answer: dict[str, Any], schema: Sequence[Entry]) -> Iterator[str]:
    for entry, value in zip(schema, answer.values(), strict=True):
        roles = set(entry.roles)
        if task == "KG":
            wrong = any(not attributes.keys() <= roles for attributes in value.values()) if value else False
        else:
            wrong = any(event.arguments and event.arguments.keys() != roles for event in value)
        if wrong:
            yield "answer_roles_differ"


def repeats(values: list[Any]) -> bool:
    if isinstance(values[0], EventAnswer):
        values = [msgspec.json.encode(value) for value in values]
    return len(set(values)) < len(values)


def strings(value: Answer) -> Iterator[str]:
    """All mentions of an answer except NAN: entity names, triggers, both ends of pairs, values of roles."""
    if isinstance(value, str):
        if value != MISSING:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, Pair):
        yield from (value.subject, value.object)
    elif isinstance(value, EventAnswer):
        yield from strings([value.trigger, *value.arguments.values()])
    else:  # KG: entity → attribute → value
        yield from value
        for attributes in value.values():
            yield from strings(list(attributes.values()))
