"""A table of Examples → the gold answers of all of them for a task.

Answers are in text order: by the offsets of a mention or, if the source gives none, by the first occurrence of its
string. Strings that the text does not contain come last, in the order of the file. Triples are ordered by subject, then
object; events by trigger, or by their first argument if they have no trigger. Answers with the same JSON are written
once.

The mentions of all texts are sorted at once, without creating objects, which would take 25 µs per text. The JSON of all
tasks but KG is joined by Arrow from its parts, so each distinct string is encoded once.
`tests/specification/gold.py` states the same rules for one Example.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import layer_items, list_items, strings
from schemas.example import LAYER
from schemas.label import Label, typed_label
from transforms.ask import refuse_unknown
from transforms.lists import Lists
from transforms.render import NAN, encode, encode_string
from transforms.unknown_labels import Unknown, known_items

EMPTY = 0
"""The index of the answer `[]`."""


@dataclass(frozen=True)
class Golds:
    """The gold answers of many examples. `answer`, shape (examples, labels): the index in `answers` of each label's
    answer.

    `annotations`, for test rows only: per example the JSON of its annotation list, None if the layer is not annotated.
    `triggers`, for EEA only: per example event type → triggers.
    """

    answer: np.ndarray
    answers: pa.StringArray
    annotations: list[str | None]
    triggers: list[dict[str, list[str]]]

    @property
    def positive(self) -> np.ndarray:
        return self.answer > EMPTY


@dataclass(frozen=True)
class Answers:
    """Answers as JSON with the row and label number of each; (row, annotation) pairs of all rows, in text order."""

    rows: np.ndarray
    labels: np.ndarray
    answers: pa.StringArray
    annotations: list[tuple[int, dict]]


def golds(examples: pa.Table, task: str, labels: Sequence[Label], unknown: Unknown) -> Golds:
    """The gold answers of `examples` (schema EXAMPLES, of one split) without annotations of `unknown` labels. `labels`
    are numbered in their order.

    A label is positive exactly if it has an answer: an event with neither trigger nor arguments is dropped, an event
    without a trigger is no answer for EET, and a triple without types is no answer for SPO. Raises ValueError as
    `ask.refuse_unknown` does, and for a KG triple whose attribute does not belong to the entity type of its head or,
    if the head has no type, to any entity type.
    """
    layer = examples[LAYER[task]]
    items, row = known_items(*layer_items(examples, LAYER[task]), unknown)
    triggers: list[dict[str, list[str]]] = []
    if task == "KG":
        results = _graph_answers(examples, items, row, labels)
    elif task in ("NER", "RE", "SPO"):
        results = _flat_answers(examples, task, items, row, labels)
    else:
        results, triggers = _event_answers(examples, task, items, row, labels)
    answer = np.zeros((examples.num_rows, len(labels)), np.int64)
    answer[results.rows, results.labels] = np.arange(1, len(results.rows) + 1)
    answers = pa.concat_arrays([strings(["[]"]), results.answers])
    annotations: list[str | None] = []
    if _is_test(examples):
        lists: list[list[dict]] = [[] for _ in range(examples.num_rows)]
        for number, annotation in results.annotations:
            lists[number].append(annotation)
        annotated = layer.is_valid().to_pylist()
        annotations = [encode(items) if is_known else None for items, is_known in zip(lists, annotated, strict=True)]
    return Golds(answer, answers, annotations, triggers)


def _is_test(examples: pa.Table) -> bool:
    return examples["split"][0].as_py() == "test"


def _numbers(
    examples: pa.Table, task: str, rows: np.ndarray, names: pa.StringArray, labels: Sequence[Label]
) -> np.ndarray:
    """The number of each of `names` in `labels`. `rows`: the row of each name."""
    known = strings([label.name for label in labels])
    numbers = pc.index_in(names, known)
    if numbers.null_count:
        row = rows[pc.index(numbers.is_null(), True).as_py()]
        names_in_row = names.filter(pa.array(rows == row)).to_pylist()
        refuse_unknown(examples["id"][row].as_py(), task, names_in_row, known.to_pylist())
    return numbers.to_numpy().astype(np.int64)


def _flat_answers(
    examples: pa.Table, task: str, items: pa.StructArray, row: np.ndarray, labels: Sequence[Label]
) -> Answers:
    """The answers for NER, RE and SPO."""
    names = items.field("label")
    if task == "SPO":
        typed = pc.and_(items.field("head_label").is_valid(), items.field("tail_label").is_valid())
        items, row = items.filter(typed), row[typed.to_numpy(zero_copy_only=False)]
        parts = (items.field(name).to_pylist() for name in ("head_label", "label", "tail_label"))
        names = strings([typed_label(*triple).name for triple in zip(*parts, strict=True)])
    label = _numbers(examples, task, row, names, labels)
    mentions = [items.field(name) for name in (("mention",) if task == "NER" else ("head", "tail"))]
    words, spelling = _numbered(*(mention.field("text") for mention in mentions))
    cell = row * len(labels) + label
    # In train and validation, an answer alone in its cell has no order and no equal.
    with_others = np.full(len(row), True) if _is_test(examples) else _are_repeated(cell)
    among = np.flatnonzero(with_others)
    chosen = [mention.take(pa.array(among)) for mention in mentions]
    among = among[text_order(examples["text"].to_pylist(), row[among], chosen)]
    among = among[_are_first(cell[among], *(string[among] for string in spelling))]
    kept = np.r_[np.flatnonzero(~with_others), among]
    annotations = _flat_annotations(task, items, row, kept) if _is_test(examples) else []
    kept = kept[np.argsort(cell[kept], kind="stable")]
    cell = cell[kept]
    starts = np.flatnonzero(_are_starts(cell))
    encoded = strings(list(map(encode_string, words)))
    ends = [encoded.take(pa.array(string[kept])) for string in spelling]
    answers = ends[0]
    if task != "NER":
        answers = pc.binary_join_element_wise('{"subject": ', ends[0], ', "object": ', ends[1], "}", "")
    answers = _in_brackets(_joined(answers, np.r_[starts, len(kept)]))
    return Answers(row[kept][starts], label[kept][starts], answers, annotations)


def _flat_annotations(
    task: str, items: pa.StructArray, row: np.ndarray, kept: np.ndarray
) -> list[tuple[int, dict[str, str]]]:
    mention = {"NER": {"entity": "mention"}}.get(task, {"head": "head", "tail": "tail"})
    plain = {
        "NER": {"entity_type": "label"},
        "RE": {"relation": "label"},
        "SPO": {"head_type": "head_label", "relation": "label", "tail_type": "tail_label"},
    }[task]
    items = items.take(pa.array(kept))
    columns = {key: items.field(name).field("text").to_pylist() for key, name in mention.items()}
    columns |= {key: items.field(name).to_pylist() for key, name in plain.items()}
    keys = sorted(columns)  # the order of the unified format
    values = zip(*(columns[key] for key in keys), strict=True)
    annotations = [dict(zip(keys, item, strict=True)) for item in values]
    return list(zip(row[kept].tolist(), annotations, strict=True))


def _graph_answers(examples: pa.Table, relations: pa.StructArray, row: np.ndarray, labels: Sequence[Label]) -> Answers:
    """The answers for KG, where a triple is an attribute of its head. A head without a type counts as every type in
    `labels` that has the attribute.
    """
    roles = {label.name: label.role_names for label in labels}
    values: dict[tuple[int, str], dict[str, dict[str, list[str]]]] = {}
    annotations: dict[tuple, dict] = {}
    order = text_order(examples["text"].to_pylist(), row, [relations.field("head"), relations.field("tail")])
    ordered = relations.take(pa.array(order))
    columns = [ordered.field(end).field("text") for end in ("head", "tail")]
    columns += [ordered.field(name) for name in ("head_label", "label")]
    for number, head, tail, head_label, attribute in zip(
        row[order].tolist(), *(column.to_pylist() for column in columns), strict=True
    ):
        candidates = roles if head_label is None else (head_label,)
        types = [name for name in candidates if attribute in roles.get(name, ())]
        if not types:
            example_id, owner = examples["id"][number].as_py(), head_label or "any entity type"
            raise ValueError(f"{example_id}: {attribute!r} is not an attribute of {owner}")
        for name in types:
            tails = values.setdefault((number, name), {}).setdefault(head, {}).setdefault(attribute, [])
            if tail not in tails:
                tails.append(tail)
        typed = {} if head_label is None else {"head_type": head_label}
        annotation = {"head": head, **typed, "relation": attribute, "tail": tail}
        annotations.setdefault((number, head, head_label, attribute, tail), annotation)
    answers = {
        (number, name): encode(
            {
                head: {
                    role: attributes[role] if len(attributes[role]) > 1 else attributes[role][0]
                    for role in roles[name]
                    if role in attributes
                }
                for head, attributes in heads.items()
            }
        )
        for (number, name), heads in values.items()
    }
    rows = np.array([number for number, _ in answers], np.int64)
    label = _numbers(examples, "KG", rows, strings([name for _, name in answers]), labels)
    by_row = [(key[0], value) for key, value in annotations.items()]
    return Answers(rows, label, strings(list(answers.values())), by_row)


def _event_answers(
    examples: pa.Table, task: str, events: pa.StructArray, row: np.ndarray, labels: Sequence[Label]
) -> tuple[Answers, list[dict[str, list[str]]]]:
    """The answers for EE, EET and EEA, and for EEA the triggers of each example."""
    texts = examples["text"].to_pylist()
    arguments, event = list_items(events.field("arguments"), np.arange(len(events)))
    (names, (name,)), (roles, (role,)) = _numbered(events.field("label")), _numbered(arguments.field("role"))
    # As for the others: only some events, and the values of some roles, have an order.
    cell = row * len(names) + name
    with_others = np.full(len(events), True) if _is_test(examples) else _are_repeated(cell)
    placed = with_others[event] | _are_repeated(event * len(roles) + role)
    start, end = _positions(texts, row[event], arguments.field("mention"), placed)
    by_event = np.lexsort((end, start, event))
    after = np.cumsum(np.bincount(event, minlength=len(events)))
    before = np.r_[0, after[:-1]][: len(after)]
    has_argument = after > before
    first = by_event[before[has_argument]]
    place = _event_positions(texts, events, row, (start[first], end[first]), has_argument, with_others)
    order = np.lexsort((*reversed(place), row))

    arguments = arguments.take(pa.array(by_event))
    given = pc.if_else(events.field("trigger").is_valid(), events.field("trigger").field("text"), "")
    words, (trigger, mention) = _numbered(given, arguments.field("mention").field("text"))
    role = role[by_event]
    is_new = _are_first(event, role, mention)
    event, role, mention = event[is_new], role[is_new], mention[is_new]
    ends = np.cumsum(np.bincount(event, minlength=len(events))).tolist()

    def pairs(n: int) -> list[tuple[int, int]]:
        """The arguments of event `n`, as numbers of their role and their string."""
        start = ends[n - 1] if n else 0
        return list(zip(role[start : ends[n]].tolist(), mention[start : ends[n]].tolist(), strict=True))

    has_trigger = pc.not_equal(given, "").to_numpy(zero_copy_only=False)
    kept = order[(has_trigger | has_argument)[order]]
    repeated = _are_repeated(cell[kept] * len(words) + trigger[kept])
    # Compared as sets: arguments that the text does not contain may come in any order.
    sets = {n: (cell[n], trigger[n], frozenset(pairs(n))) for n in kept[repeated].tolist()}
    different = {identity: n for n, identity in reversed(sets.items())}
    kept = kept[~repeated | np.isin(kept, list(different.values()))]
    annotations: list[tuple[int, dict]] = []
    if _is_test(examples):
        for n in kept.tolist():
            items = [{"argument": words[string], "role": roles[number]} for number, string in pairs(n)]
            about = {"event_trigger": words[trigger[n]], "event_type": names[name[n]], "arguments": items}
            annotations.append((int(row[n]), about))
    triggers: list[dict[str, list[str]]] = [{} for _ in texts] if task == "EEA" else []
    if task == "EEA":
        for n in kept[_are_first(cell[kept], trigger[kept])].tolist():
            triggers[row[n]].setdefault(names[name[n]], []).append(words[trigger[n]] or NAN)

    if task == "EET":
        kept = kept[has_trigger[kept]]
        kept = kept[_are_first(cell[kept], trigger[kept])]
    label = _numbers(examples, task, row[kept], events.field("label").take(pa.array(kept)), labels)
    by_cell = np.lexsort((label, row[kept]))
    kept, label = kept[by_cell], label[by_cell]
    encoded = strings(list(map(encode_string, [*words, NAN])))
    answers = encoded.take(pa.array(np.where(has_trigger, trigger, len(words))[kept]))
    if task != "EET":
        answer = np.full(len(events), -1)
        answer[kept] = np.arange(len(kept))
        is_kept = answer[event] >= 0
        given_roles = answer[event[is_kept]], role[is_kept], encoded.take(pa.array(mention[is_kept]))
        filled = _filled_roles(np.where(has_argument[kept], label, len(labels)), labels, roles, given_roles)
        answers = pc.binary_join_element_wise('{"trigger": ', answers, ', "arguments": {', filled, "}}", "")
    starts = np.flatnonzero(_are_starts(row[kept] * len(labels) + label))
    arrays = _in_brackets(_joined(answers, np.r_[starts, len(kept)]))
    return Answers(row[kept][starts], label[starts], arrays, annotations), triggers


def _filled_roles(
    label: np.ndarray, labels: Sequence[Label], names: Sequence[str], items: tuple[np.ndarray, np.ndarray, pa.Array]
) -> pa.StringArray:
    """`"role": "value", …` for each event, with a list for several values and NAN for none. `label`: the number of its
    label, or of one after `labels`, without roles. `items`: the event of each argument, in the order of the arguments,
    the number of its role in `names`, and its string as JSON.
    """
    event, role, string = items
    numbers = {name: n for n, name in enumerate(names)}
    place = np.full((len(labels), len(names)), -1)
    for n, one in enumerate(labels):
        for at, name in enumerate(one.role_names):
            if name in numbers:
                place[n, numbers[name]] = at
    ends = np.cumsum([0, *(len(one.roles) for one in labels)])
    lengths, head = Lists(np.r_[ends, ends[-1]], np.arange(ends[-1])).take(label)
    at = place[label[event], role]
    cell = ((np.cumsum(lengths) - lengths)[event] + at)[at >= 0]
    order = np.argsort(cell, kind="stable")
    cell, string = cell[order], string.take(pa.array(np.flatnonzero(at >= 0)[order]))
    starts = np.flatnonzero(_are_starts(cell))
    offsets = np.r_[starts, len(cell)]
    values = _joined(string, offsets)
    values = pc.if_else(pa.array(np.diff(offsets) > 1), _in_brackets(values), values)
    which = np.zeros(len(head), np.int64)
    which[cell[starts]] = 1 + np.arange(len(starts))
    values = pa.concat_arrays([strings([encode_string(NAN)]), values]).take(pa.array(which))
    heads = strings([f"{encode_string(name)}: " for one in labels for name in one.role_names])
    return _joined(pc.binary_join_element_wise(heads.take(pa.array(head)), values, ""), np.r_[0, np.cumsum(lengths)])


def _joined(items: pa.StringArray, offsets: np.ndarray) -> pa.StringArray:
    """The items from one offset to the next, joined by commas."""
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items), ", ")


def _in_brackets(items: pa.StringArray) -> pa.StringArray:
    return pc.binary_join_element_wise("[", items, "]", "")


def _numbered(*columns: pa.StringArray) -> tuple[list[str], list[np.ndarray]]:
    """The different strings of all columns, and for each column the numbers of its strings."""
    encoded = pa.chunked_array(columns).combine_chunks().dictionary_encode()
    numbers = encoded.indices.to_numpy().astype(np.int64)
    return encoded.dictionary.to_pylist(), np.split(numbers, np.cumsum(list(map(len, columns)))[:-1])


def _event_positions(
    texts: Sequence[str],
    events: pa.StructArray,
    row: np.ndarray,
    first_argument: tuple[np.ndarray, np.ndarray],
    has_argument: np.ndarray,
    placed: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of each event's trigger, or else of its first argument; the end of the text if it has neither.
    `placed`: as for `_positions`.
    """
    triggers = events.field("trigger")
    has_trigger = triggers.is_valid().to_numpy(zero_copy_only=False)
    length = np.array(list(map(len, texts)), np.int64)[row]
    places = []
    trigger_places = _positions(texts, row[has_trigger], triggers.drop_null(), placed[has_trigger])
    for argument, trigger in zip(first_argument, trigger_places, strict=True):
        place = length.copy()
        place[has_argument] = argument
        place[has_trigger] = trigger
        places.append(place)
    return places[0], places[1]


def text_order(texts: Sequence[str], row: np.ndarray, mentions: Sequence[pa.StructArray]) -> np.ndarray:
    """The order of items by row, then by their first mention, then by their second."""
    places = [place for mention in mentions for place in _positions(texts, row, mention)]
    return np.lexsort((*reversed(places), row))


def _positions(
    texts: Sequence[str], row: np.ndarray, mentions: pa.StructArray, placed: np.ndarray | bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Start and end (code points) of mentions, each in the text of its `row`. For a mention without spans, those of the
    first occurrence of its string if it is to be `placed`; beyond the end of the text if it does not occur.
    """
    spans = mentions.field("spans")
    after = np.cumsum(pc.list_value_length(spans).to_numpy())
    before = np.r_[0, after[:-1]][: len(after)]
    bare = (after == before) & placed
    bounds = np.r_[spans.flatten().flatten().to_numpy(), 0, 0].reshape(-1, 2)  # one more span, for bare mentions
    start, end = bounds[before, 0].astype(np.int64), bounds[after - 1, 1].astype(np.int64)
    if bare.any():
        searched = mentions.field("text").filter(pa.array(bare)).to_pylist()
        searched_in = list(map(texts.__getitem__, row[bare].tolist()))
        first, past, lengths = (
            np.array(list(values), np.int64)
            for values in (map(str.find, searched_in, searched), map(len, searched_in), map(len, searched))
        )
        start[bare] = np.where(first < 0, past, first)
        end[bare] = np.where(first < 0, past, first + lengths)
    return start, end


def _are_first(*columns: np.ndarray) -> np.ndarray:
    """Flags the rows of the columns that are the first of all equal rows."""
    order = np.lexsort(columns)
    differs = np.ones(len(order), bool)
    differs[1:] = np.any([column[order[1:]] != column[order[:-1]] for column in columns], axis=0)
    first = np.empty(len(order), bool)
    first[order] = differs
    return first


def _are_repeated(values: np.ndarray) -> np.ndarray:
    """Flags the values that occur more than once."""
    _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
    return counts[number] > 1


def _are_starts(values: np.ndarray) -> np.ndarray:
    """Flags the values that differ from the one before."""
    return np.r_[True, values[1:] != values[:-1]][: len(values)]
