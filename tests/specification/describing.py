"""How one prompt shows its labels: the rules of `transforms.described`, for one row at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from schemas.label import Label, LabelSet, Role
from transforms.ask import DescriptionShares
from transforms.draw import nth_key


@dataclass(frozen=True, slots=True)
class ShownLabel:
    """`name`: the key of its answer. `description`: "" if the prompt gives none. `roles`: role → description, or its
    name if the prompt gives none.
    """

    label: Label
    name: str
    description: str
    roles: dict[str, str]


def show(
    batch: Sequence[Label],
    labels: Sequence[Label],
    text: str,
    key: int,
    shares: DescriptionShares,
    contrasts: Mapping[str, str],
) -> tuple[list[ShownLabel], bool]:
    """The labels of a batch as its prompt shows them, and whether the prompt describes its labels.

    `labels`: the label set. `key`: the key of the row, whose draws are, in this order: whether it describes labels,
    whether it masks them, the kind of its masks, its random words, and for each label whether its description is left
    out. A label with its description is masked if no other label of the set has the same description. Other prompts
    show the line in `contrasts` (label → line) instead of a description.
    """
    if draw(key, 0) >= shares.share:
        return [ShownLabel(label, plain_name(label), "", {}) for label in batch], False
    is_masked = draw(key, 1) < shares.mask
    candidates = masks(key, labels, text)
    shown = []
    for place, label in enumerate(batch):
        is_dropped = draw(key, 4 + place) < shares.drop
        description = "" if is_dropped else described(label, labels)
        roles = {role.name: "" if is_dropped else role_description(role) for role in label.roles}
        unique = [described(other, labels) for other in labels].count(description) == 1
        name = next(candidates) if is_masked and description and unique else plain_name(label)
        if not is_masked and not is_dropped:
            description = contrasts.get(label.name, description)
        shown.append(ShownLabel(label, name, description, {role: text or role for role, text in roles.items()}))
    return shown, True


def draw(key: int, number: int) -> float:
    return (nth_key(key, number) >> 11) / 2**53


def plain_name(label: Label) -> str:
    return label.predicate or label.name


def described(label: Label, labels: Sequence[Label]) -> str:
    task = "SPO" if label.predicate else "RE"
    return short(LabelSet(task, "made", "Made", "en", tuple(labels)).description(label), label.name)


def short(description: str, name: str) -> str:
    """The description on one line of at most 500 characters; "" if it is the name."""
    line = " ".join(description.split())
    if len(line) > 500:
        words = line[:499].split(" ")
        line = " ".join(words[:-1] or words) + "…"
    return line if line != name else ""


def role_description(role: Role) -> str:
    values = f"({' / '.join(role.values)})" if role.values else ""
    return short(f"{role.description} {values}", role.name)


def masks(key: int, labels: Sequence[Label], text: str):
    """`label_1`, `label_2`, … or random words, without those that occur, in any case, in the text, or in a name, a type
    or a description of the label set.
    """
    words = [text]
    for label in labels:
        words += [label.name, label.subject_type or "", label.object_type or "", described(label, labels)]
        words += [part for role in label.roles for part in (role.name, role_description(role))]
    seen = set()
    for number in count():
        mask = f"label_{number + 1}" if nth_key(key, 2) % 2 == 0 else word(nth_key(nth_key(key, 3), number))
        if mask not in seen and not any(mask in part.casefold() for part in words):
            seen.add(mask)
            yield mask


def word(number: int) -> str:
    letters = ""
    for _ in range(3):
        letters += "bdfgklmnprstvz"[number % 14]
        letters += "aeiou"[number // 14 % 5]
        number //= 70
    return letters


def schema(task: str, shown: Sequence[ShownLabel], triggers) -> dict | list:
    """The `schema` of a prompt that describes its labels. A label or role without a description has its name there."""
    match task:
        case "SPO":
            return [
                {
                    "subject_type": one.label.subject_type,
                    "predicate": one.name,
                    "object_type": one.label.object_type,
                    **({"description": one.description} if one.description else {}),
                }
                for one in shown
            ]
        case "KG":
            return [
                {
                    "entity_type": one.name,
                    **({"description": one.description} if one.description else {}),
                    "attributes": one.roles,
                }
                for one in shown
            ]
        case "EE" | "EEA":
            return {
                one.name: {
                    one.name: one.description or one.name,
                    "trigger": True if task == "EE" else triggers[one.label.name],
                    "arguments": one.roles,
                }
                for one in shown
            }
    return {one.name: one.description or one.name for one in shown}
