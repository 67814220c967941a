"""The right answer to an instruction → an answer with one mistake, for training on preferences.

Each kind of mistake is one that models make; the names are those of `train.score` where it counts the same:

- `other label`: an item under a label that its label is easily confused with, and that the prompt asks for too.
- `boundary`: a mention with a word less, or with the next word of the text; in scripts without blanks between words,
  with a character.
- `swapped`: a pair with subject and object exchanged.
- `omitted`: an item left out.
- `hallucinated`: an item of another text, which this text does not contain.

An item is a mention (NER, EET), a pair (RE, SPO), an event or one of its arguments (EE), an argument (EEA, whose prompt
names the events), or a value of an attribute (KG). Except for its mistake, the answer is written as `transforms.gold`
writes it: in text order, with NAN for empty roles.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transforms.draw import drawn
from transforms.render import NAN
from transforms.scripts import token_spans, within_word

Answer = Mapping[str, Any]
"""Label as the answer shows it → value, in IEPile's form for the task."""

Path = tuple[Any, ...]
"""The keys and indices by which a part of an answer is reached."""

TYPES_DO_NOT_COUNT = "KG"
"""The task in which an item under another label is right, since its triples are scored without the type of the head."""


@dataclass(frozen=True, slots=True)
class Question:
    """An instruction with its right answer, and what mistakes about it can be made of. Labels are as the answer shows
    them.

    `neighbours`: label → the labels of the prompt that it is confused with, the most similar first. `roles`: event type
    → its roles. `symmetric`: relations that hold in both directions. `elsewhere`: label → items of other texts.
    """

    task: str
    text: str
    answer: Answer
    neighbours: Mapping[str, Sequence[str]]
    roles: Mapping[str, Sequence[str]]
    symmetric: Collection[str]
    elsewhere: Mapping[str, Sequence[Any]]


def wrong_answer(kind: str, question: Question, key: int) -> Answer | None:
    """An answer with one mistake of the kind (one of KINDS), None if none is possible. `key`: as of `transforms.draw`,
    chooses one of the possible mistakes.
    """
    return next(MAKERS[kind](question, key), None)


def elements(answer: Answer) -> Iterator[tuple[str, int, Any]]:
    """(Label, index, item) of the answer's lists."""
    for label, value in answer.items():
        if isinstance(value, list):
            yield from ((label, number, item) for number, item in enumerate(value))


def mentions(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The mentions in an answer or a part of it, with their paths."""
    if isinstance(value, str):
        if value not in ("", NAN):
            yield path, value
        return
    for key, part in value.items() if isinstance(value, Mapping) else enumerate(value):
        yield from mentions(part, (*path, key))


def _other_label(question: Question, key: int) -> Iterator[Answer]:
    if question.task in ("EEA", TYPES_DO_NOT_COUNT):
        return
    answer = question.answer
    for label, number, item in _shuffled(elements(answer), key):
        for other in question.neighbours.get(label, ()):
            moved = _with_roles(item, question.roles[other]) if question.task == "EE" else item
            if moved and moved not in answer[other]:
                items = _inserted(answer[other], moved, question.text)
                yield {**_without_element(answer, label, number), other: items}


def _boundary(question: Question, key: int) -> Iterator[Answer]:
    for path, mention in _shuffled(_answered_mentions(question), key):
        for other in _shuffled(resized(mention, question.text), key):
            changed = _replaced(question.answer, path, other)
            if not _is_repeated(changed, path):
                yield changed


def _swapped(question: Question, key: int) -> Iterator[Answer]:
    if question.task not in ("RE", "SPO"):
        return
    for label, number, pair in _shuffled(elements(question.answer), key):
        turned = {"subject": pair["object"], "object": pair["subject"]}
        if label not in question.symmetric and turned not in question.answer[label]:
            yield _replaced(question.answer, (label, number), turned)


def _omitted(question: Question, key: int) -> Iterator[Answer]:
    answer = question.answer
    for path, mention in _shuffled(_answered_mentions(question), key):
        if question.task == "KG":
            yield _without_value(answer, path, mention)
        elif "arguments" in path[2:3]:
            yield _without_argument(answer, path, mention)
        else:
            yield _without_element(answer, *path[:2])


def _hallucinated(question: Question, key: int) -> Iterator[Answer]:
    if question.task == "EEA":
        yield from _hallucinated_argument(question, key)
        return
    answer = question.answer
    for label in _shuffled(answer, key):
        for item in _shuffled(question.elsewhere.get(label, ()), key):
            if all(mention in question.text for _, mention in mentions(item)):
                continue
            if question.task == "KG":
                head, attributes = item
                if head not in answer[label]:
                    yield {**answer, label: {**dict(answer[label]), head: attributes}}
            else:
                place = key % (len(answer[label]) + 1)
                yield {**answer, label: [*answer[label][:place], item, *answer[label][place:]]}


def _hallucinated_argument(question: Question, key: int) -> Iterator[Answer]:
    for label, number, event in _shuffled(elements(question.answer), key):
        for other in _shuffled(question.elsewhere.get(label, ()), key):
            for path, mention in _shuffled(mentions(other["arguments"]), key):
                if mention not in question.text and path[0] in question.roles[label]:
                    arguments = {role: event["arguments"].get(role, NAN) for role in question.roles[label]}
                    arguments[path[0]] = _written([*_values(arguments[path[0]]), mention])
                    yield _replaced(question.answer, (label, number, "arguments"), arguments)


MAKERS: dict[str, Callable[[Question, int], Iterator[Answer]]] = {
    "other label": _other_label,
    "boundary": _boundary,
    "swapped": _swapped,
    "omitted": _omitted,
    "hallucinated": _hallucinated,
}
KINDS = tuple(MAKERS)


def resized(mention: str, text: str) -> list[str]:
    """The mention without its first or last word, and with the words before and after its first place in the text."""
    words = _words(mention)
    cut = [mention[words[1][0] :], mention[: words[-2][1]]] if len(words) > 1 else []
    start = text.find(mention)
    end = start + len(mention)
    if start < 0 or within_word(text, start, end):
        return cut
    before, after = _words(text[:start])[-1:], _words(text[end:])[:1]
    stretched = [text[at:end] for at, word_end in before if not text[word_end:start].strip()]
    stretched += [text[start : end + word_end] for at, word_end in after if not text[end : end + at].strip()]
    return cut + stretched


def _words(string: str) -> list[tuple[int, int]]:
    """The spans of the words, without punctuation."""
    return [(start, end) for start, end in token_spans(string) if string[start].isalnum()]


def _shuffled(candidates: Iterable[Any], key: int) -> list[Any]:
    candidates = list(candidates)
    return [candidates[number] for number in drawn(range(len(candidates)), key)]


def _answered_mentions(question: Question) -> Iterator[tuple[Path, str]]:
    """The mentions of the answer, without the triggers that the prompt names."""
    for path, mention in mentions(question.answer):
        if question.task != "EEA" or path[2] != "trigger":
            yield path, mention


def _replaced(value: Any, path: Path, part: Any) -> Any:
    """`value` with `part` at the path."""
    if not path:
        return part
    key, *rest = path
    changed = _replaced(value[key], tuple(rest), part)
    if isinstance(value, list):
        return [*value[:key], changed, *value[key + 1 :]]
    return {**value, key: changed}


def _is_repeated(answer: Any, path: Path) -> bool:
    """Whether an item of a list on the path is in the list again."""
    part = answer
    for key in path:
        if isinstance(part, list) and part.count(part[key]) > 1:
            return True
        part = part[key]
    return False


def _inserted(items: Sequence[Any], item: Any, text: str) -> list[Any]:
    """The items, which are in text order, with one more in its place."""
    at = next((at for at, other in enumerate(items) if _place(other, text) > _place(item, text)), len(items))
    return [*items[:at], item, *items[at:]]


def _place(item: Any, text: str) -> int:
    """Where the item's first mention is in the text; behind the text if it is not there."""
    at = next((text.find(mention) for _, mention in mentions(item)), -1)
    return at if at >= 0 else len(text)


def _without_element(answer: Answer, label: str, number: int) -> dict[str, Any]:
    return {**answer, label: [item for at, item in enumerate(answer[label]) if at != number]}


def _without_argument(answer: Answer, path: Path, mention: str) -> Answer:
    label, number, _, role = path[:4]
    event = answer[label][number]
    left = _written([value for value in _values(event["arguments"][role]) if value != mention])
    arguments = {**event["arguments"], role: left}
    if all(value == NAN for value in arguments.values()):
        arguments = {}
    if not arguments and event.get("trigger", NAN) == NAN:
        return _without_element(answer, label, number)
    return _replaced(answer, path[:3], arguments)


def _without_value(answer: Answer, path: Path, mention: str) -> Answer:
    label, head, attribute = path[:3]
    heads, attributes = dict(answer[label]), dict(answer[label][head])
    if left := [value for value in _values(attributes[attribute]) if value != mention]:
        attributes[attribute] = _written(left)
    else:
        del attributes[attribute]
    if attributes:
        heads[head] = attributes
    else:
        del heads[head]
    return {**answer, label: heads or []}


def _with_roles(event: Mapping[str, Any], roles: Sequence[str]) -> dict[str, Any] | None:
    """The event with the roles of another type, in which it keeps the arguments of roles of the same name. None if
    nothing is left.
    """
    arguments = {role: event["arguments"].get(role, NAN) for role in roles}
    if all(value == NAN for value in arguments.values()):
        arguments = {}
    return {**event, "arguments": arguments} if arguments or event["trigger"] != NAN else None


def _values(value: Any) -> list[str]:
    """The values of a role or an attribute, of which one is a string and several are a list."""
    return value if isinstance(value, list) else [value] if value != NAN else []


def _written(values: list[str]) -> Any:
    return NAN if not values else values[0] if len(values) == 1 else values
