"""Rows whose prompts describe their labels: which rows they are, the names that they show, and their `schema`.

The forms are those of OneKE (https://huggingface.co/zjunlp/OneKE, "Customized Schema Description Instructions"):

- NER, RE, EET: `{label: description}`.
- EE, EEA: `{event type: {event type: description, "trigger": …, "arguments": {role: description}}}`.
- KG: the usual list, with `"attributes": {attribute: description}`. OneKE describes no entity types; here an element
  has the description of its type in `"description"`.
- SPO, which OneKE does not describe: the usual list, with `"description"` after the three parts of a typed triple.

A label or role without a description has its name in its place, as in OneKE; `"description"` is left out instead.
A masked name is shown, and answered, in place of the label's own (of a typed triple: of its predicate). Rows with masks
show no lines of contrast, which name other labels.
`tests/specification/describing.py` implements the same choices for one row.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, groupby

import numpy as np

from schemas.label import Label
from transforms.ask import AskSpec, LabelBatches
from transforms.draw import PURPOSES, key_array, nth_key
from transforms.gold import Golds
from transforms.label_descriptions import label_words
from transforms.render import answer_key, encode, encode_string
from transforms.unknown_labels import Unknown, known_roles

MAPS = ("NER", "RE", "EE", "EET", "EEA")
"""The tasks whose described schema is a map; those of the others stay lists."""

DESCRIBED, MASKED, KIND, WORDS, DROPPED = range(5)
"""The numbers of a row's draws; labels draw from DROPPED on, in the order of the row."""

CONSONANTS, VOWELS, SYLLABLES = "bdfgklmnprstvz", "aeiou", 3


@dataclass(frozen=True)
class Shown:
    """How rows show their labels. `rows`: whether each row describes its labels. `masked_rows`: whether it masks those
    that it can. `labels`: whether each label of `LabelBatches.label` is shown with the descriptions of itself and its
    roles. `masks`: number of a label in `LabelBatches.label` → the name shown instead.
    """

    rows: np.ndarray
    masked_rows: np.ndarray
    labels: np.ndarray
    masks: Mapping[int, str] = field(default_factory=dict)


def shown_labels(batches: LabelBatches, keys: np.ndarray, texts: Sequence[str], spec: AskSpec) -> Shown:
    """How the rows of `batches` show their labels. `keys`: the `seed_key` of each example and the task.

    The labels of `spec` are those of `described_labels`. A label is masked only with its description, and only if no
    other label of the label set has the same one. The masks of a row differ from each other and, whatever the case,
    occur neither in the text nor in what the label set says of its labels (`label_words`).
    """
    shares, rows, labels = spec.options.descriptions, len(batches.example), len(batches.label)
    if not shares.share:
        return Shown(np.zeros(rows, bool), np.zeros(rows, bool), np.zeros(labels, bool))
    keys = key_array(keys, np.full(len(keys), PURPOSES.index("descriptions")))
    row_keys = key_array(keys[batches.example], batches.number)

    def drawn(share: float, keys: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        return fraction(key_array(keys, numbers)) < share

    described_rows = drawn(shares.share, row_keys, np.full(rows, DESCRIBED))
    place = np.arange(labels) - (np.cumsum(batches.lengths) - batches.lengths)[batches.row]
    dropped = drawn(shares.drop, row_keys[batches.row], DROPPED + place)
    described = described_rows[batches.row] & ~dropped
    repeated = Counter(label.description for label in spec.labels)
    can_mask = np.array([label.description != "" and repeated[label.description] == 1 for label in spec.labels], bool)
    masked_rows = drawn(shares.mask, row_keys, np.full(rows, MASKED))
    masked = described & masked_rows[batches.row] & can_mask[batches.label]
    words = label_words(spec.labels)
    masks: dict[int, str] = {}
    numbers = np.flatnonzero(masked).tolist()
    for row, in_row in groupby(numbers, key=batches.row.__getitem__):
        free = free_masks(int(row_keys[row]), words, texts[batches.example[row]])
        masks.update(zip(in_row, free, strict=False))
    return Shown(described_rows, masked_rows, described, masks)


def fraction(keys: np.ndarray) -> np.ndarray:
    """Keys as numbers from 0 to 1, 1 excluded."""
    return (keys >> np.uint64(11)) * 2.0**-53


def free_masks(key: int, words: str, text: str) -> Iterator[str]:
    """The masks of the row with this key in their order: `label_1`, `label_2`, … or words, by a draw. `words`: see
    `label_words`.
    """
    folded = text.casefold()
    made = (word(nth_key(nth_key(key, WORDS), number)) for number in count())
    numbered = (f"label_{number}" for number in count(1))
    seen: set[str] = set()
    for mask in made if nth_key(key, KIND) % 2 else numbered:
        if mask not in seen and mask not in words and mask not in folded:
            seen.add(mask)
            yield mask


def word(key: int) -> str:
    """A word of SYLLABLES syllables that can be pronounced."""
    letters = []
    for alphabet in (CONSONANTS, VOWELS) * SYLLABLES:
        key, letter = divmod(key, len(alphabet))
        letters.append(alphabet[letter])
    return "".join(letters)


def described_item(task: str, label: Label, name: str, is_described: bool, triggers: Sequence[str] = ()) -> str:
    """An element of a described `schema` as JSON: `name: value` for the tasks of MAPS. `name`: the one shown for the
    label (SPO: for its predicate). `is_described`: whether the label and its roles have descriptions here. `triggers`:
    as for `render.schema_item`.
    """
    text = label.description if is_described else ""
    roles = {role.name: (is_described and role.description) or role.name for role in label.roles}
    added = {"description": text} if text else {}
    match task:
        case "SPO":
            parts = {"subject_type": label.subject_type, "predicate": name, "object_type": label.object_type}
            return encode(parts | added)
        case "KG":
            return encode({"entity_type": name} | added | {"attributes": roles})
        case "EE" | "EEA":
            event = {name: text or name} | {"trigger": True if task == "EE" else triggers, "arguments": roles}
            return f"{encode_string(name)}: {encode(event)}"
    return f"{encode_string(name)}: {encode_string(text or name)}"


def described_items(
    plain: tuple[Sequence[str], np.ndarray],
    gold: Golds,
    batches: LabelBatches,
    spec: AskSpec,
    unknown: Unknown,
    shown: Shown,
) -> tuple[Sequence[str], np.ndarray]:
    """Elements of `schema` as JSON and the number of each label's element: those of `plain`, in described rows replaced
    by described ones.
    """
    items, item = plain
    if not shown.rows.any():
        return plain
    items, item = list(items), item.copy()
    contrasted = [replace(one, description=spec.contrasts.get(one.name, one.description)) for one in spec.labels]
    numbers: dict[tuple[int, bool, bool], int] = {}
    for n in np.flatnonzero(shown.rows[batches.row]).tolist():
        row, number, is_described = int(batches.row[n]), int(batches.label[n]), bool(shown.labels[n])
        example, in_masked_row = int(batches.example[row]), bool(shown.masked_rows[row])
        label = spec.labels[number] if in_masked_row else contrasted[number]
        lost = unknown.get(example) if spec.task == "KG" else None
        if n not in shown.masks and not lost and spec.task != "EEA":
            key = number, is_described, in_masked_row
            if key not in numbers:
                numbers[key] = len(items)
                items.append(described_item(spec.task, label, answer_key(label), is_described))
            item[n] = numbers[key]
            continue
        triggers = gold.triggers[example][label.name] if spec.task == "EEA" else ()
        name = shown.masks.get(n, answer_key(label))
        item[n] = len(items)
        items.append(described_item(spec.task, known_roles(label, lost or frozenset()), name, is_described, triggers))
    return items, item


def shown_keys(batches: LabelBatches, spec: AskSpec, shown: Shown) -> tuple[list[str], np.ndarray]:
    """The names under which labels are answered, and for each label of `batches` the number of its name."""
    names = list(map(answer_key, spec.labels))
    number = batches.label.copy()
    number[list(shown.masks)] = len(names) + np.arange(len(shown.masks))
    return [*names, *shown.masks.values()], number
