"""IEPile's answer object ↔ the same answer as text, in each of the forms in which a prompt may ask for it.

- `iepile`: the object itself, label → what the text says of it, `[]` for a label without an answer.
- `nan`: the object with "NAN" for a label without an answer, as in InstructIE (arXiv 2305.11527).
- `triples`: InstructIE's list of `{"head", "relation", "tail"}`; the predicate of a typed triple and the attribute of
  an entity are relations. The head of an attribute has its type (`head_type`). A label without an answer is not named.
- `sentences`: one sentence a line for each pair (`transforms.phrasings`); `NAN` if there is none.
- `spans`: the object with every annotated place of a mention. A mention that occurs once in the text is its string; at
  another one stand the words by which its place differs (`{"before", "mention", "after"}`, `mention_context`). The
  string of a mention that occurs more than once stands for all of its places, or for unknown ones.

The keys of an answer are the labels as the prompt shows them. Reading what was written gives the same answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import msgspec

from schemas.example import Span
from transforms import phrasings
from transforms.mention_context import context, locate, occurrences
from transforms.render import NAN, encode

PAIR = ("subject", "object")
CONTEXT = ("before", "mention", "after")
MALFORMED = ""
"""The key of parts of an answer that name no label."""

Answer = dict[str, Any]
"""Label → value, in IEPile's form for the task."""

Spans = Mapping[tuple[str, str], Sequence[Span]]
"""(Label, mention) → its places in the text."""

NO_SPANS: Spans = {}
KINDS = {dict: "an object", list: "a list", str: "a string", int: "a number", float: "a number", bool: "a boolean"}
T = TypeVar("T")


def write(
    form: str, task: str, answer: Mapping[str, Any], text: str = "", prompt: str = "", spans: Spans = NO_SPANS
) -> str:
    """The answer in `form`, which must serve the task.

    `text`, `spans`: of the form `spans`. `prompt`: the instruction text, which shows the phrasing (`sentences`).
    Raises ValueError for `sentences` if the prompt shows none.
    """
    match form:
        case "nan":
            return encode({label: value or NAN for label, value in answer.items()})
        case "triples":
            return encode(list(_triples(task, answer)))
        case "sentences":
            return _sentences(answer, prompt)
        case "spans":
            return encode({label: list(_places(label, value, text, spans)) for label, value in answer.items()})
    return encode(answer)


def read(form: str, task: str, string: str, labels: Sequence[str] = ()) -> Answer:
    """The answer that `string` gives in `form`. The forms `triples` and `sentences` do not name a label without an
    answer: for these, `labels` are the labels asked, which come first in the answer.

    A part that does not have the form is kept where a reader of the object refuses it: as a value, or under the key
    MALFORMED. Raises ValueError, with the reason, if the string as a whole does not have the form.
    """
    if not string.strip():
        raise ValueError("empty answer")
    if form == "sentences":
        return _read_sentences(string, labels)
    try:
        decoded = msgspec.json.decode(string)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    except UnicodeEncodeError as error:
        raise ValueError("an unpaired surrogate") from error
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return from_json(form, task, decoded, labels)


def from_json(form: str, task: str, decoded: Any, labels: Sequence[str] = ()) -> Answer:
    """As `read`, for a string that is already decoded. Every form but `sentences` is JSON."""
    if form == "triples":
        return _read_triples(task, _checked(decoded, list), labels)
    answer: Answer = _checked(decoded, dict)
    if form == "nan":
        return {label: [] if value == NAN else value for label, value in answer.items()}
    if form == "spans":
        return {label: _mentions(value) if isinstance(value, list) else value for label, value in answer.items()}
    return answer


def _checked(decoded: object, kind: type[T]) -> T:
    if isinstance(decoded, kind):
        return decoded
    expected = KINDS[kind].split()[-1]
    raise ValueError(f"not a JSON {expected} but {KINDS.get(type(decoded), 'null')}")


def as_object(form: str, task: str, string: str) -> str:
    """An answer in `form` as the JSON of IEPile's object. Raises ValueError as `read` does."""
    return encode(read(form, task, string))


def places(string: str, text: str) -> dict[tuple[str, str], list[Span]]:
    """(Label, mention) → the places in `text` that an answer in the form `spans` names; none for a mention whose place
    it leaves open. The answer is one that `read` accepts.
    """
    spans: dict[tuple[str, str], list[Span]] = {}
    for label, items in msgspec.json.decode(string).items():
        for item in items if isinstance(items, list) else ():
            parts = ("", item, "") if isinstance(item, str) else _context(item)
            span = locate(text, parts) if parts and parts[1] else None
            if parts and span and span not in spans.setdefault((label, parts[1]), []):
                spans[label, parts[1]].append(span)
    return spans


def _triples(task: str, answer: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for label, value in answer.items():
        if task != "KG":
            yield from ({"head": pair["subject"], "relation": label, "tail": pair["object"]} for pair in value)
            continue
        for head, attributes in dict(value).items():
            for attribute, tails in attributes.items():
                for tail in tails if isinstance(tails, list) else [tails]:
                    yield {"head": head, "head_type": label, "relation": attribute, "tail": tail}


def _read_triples(task: str, triples: list[Any], labels: Sequence[str]) -> Answer:
    answer: Answer = {label: [] for label in labels}
    for triple in triples:
        keys = ("head_type", "head", "relation") if task == "KG" else ("relation",)
        values = [triple.get(key) for key in keys] if isinstance(triple, dict) else []
        names = [name for name in values if isinstance(name, str) and name]
        if len(names) < len(keys):
            answer.setdefault(MALFORMED, []).append(triple)
        elif task != "KG":
            pair = {"subject": triple.get("head"), "object": triple.get("tail")}
            answer.setdefault(names[0], []).append(pair)
        else:
            label, head, attribute = names
            heads = answer[label] = answer.get(label) or {}
            attributes = heads.setdefault(head, {})
            if attribute not in attributes:
                attributes[attribute] = triple.get("tail")
            elif isinstance(attributes[attribute], list):
                attributes[attribute].append(triple.get("tail"))
            else:
                attributes[attribute] = [attributes[attribute], triple.get("tail")]
    return answer


def _sentences(answer: Mapping[str, Any], prompt: str) -> str:
    phrasing = phrasings.shown_phrasing(prompt)
    if phrasing is None:
        raise ValueError("the prompt shows no phrasing of the form sentences")
    pairs = [{"relation": label, **pair} for label, value in answer.items() for pair in value]
    return phrasings.write(pairs, phrasing) or NAN


def _read_sentences(string: str, labels: Sequence[str]) -> Answer:
    answer: Answer = {label: [] for label in labels}
    lines = [line for line in string.split("\n") if line.strip()]
    if lines == [NAN]:
        return answer
    sentences = [(line, phrasings.parts(line)) for line in lines]
    if not any(parts for _, parts in sentences):
        raise ValueError(f"neither {NAN} nor a sentence in one of the phrasings")
    for line, parts in sentences:
        if parts:
            answer.setdefault(parts["relation"], []).append({name: parts[name] for name in PAIR})
        else:
            answer.setdefault(MALFORMED, []).append(line)
    return answer


def _places(label: str, mentions: Sequence[str], text: str, spans: Spans) -> Iterator[str | dict[str, str]]:
    for mention in mentions:
        is_repeated = len(list(islice(occurrences(text, mention), 2))) > 1
        contexts = [context(text, span) for span in spans.get((label, mention), ())] if is_repeated else []
        if contexts and None not in contexts:
            yield from (dict(zip(CONTEXT, parts, strict=True)) for parts in contexts if parts)
        else:
            yield mention


def _mentions(items: list[Any]) -> list[Any]:
    mentions: list[Any] = []
    for item in items:
        parts = _context(item)
        if parts is None:
            mentions.append(item)
        elif parts[1] not in mentions:
            mentions.append(parts[1])
    return mentions


def _context(item: object) -> tuple[str, str, str] | None:
    if not isinstance(item, dict):
        return None
    before, mention, after = (item.get(name) for name in CONTEXT)
    if isinstance(before, str) and isinstance(mention, str) and isinstance(after, str):
        return before, mention, after
    return None
