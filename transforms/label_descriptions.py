"""The labels of a label set → their descriptions as prompts show them."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from schemas.label import Label, LabelSet, Role

MAX_DESCRIPTION = 500
"""Code points of a description in a prompt. A longer one is cut: four labels with pages of text leave no room for the
text itself in the context of a model.
"""


def described_labels(label_set: LabelSet) -> list[Label]:
    """The labels with their descriptions as prompts show them: on one line, cut at MAX_DESCRIPTION, empty for one that
    only repeats the name. The description of a role with closed values lists them.
    """
    return [
        replace(
            label,
            description=shown_description(label_set.description(label), label.name),
            roles=tuple(Role(role.name, shown_description(with_values(role), role.name)) for role in label.roles),
        )
        for label in label_set.labels
    ]


def with_values(role: Role) -> str:
    return f"{role.description} ({' / '.join(role.values)})".lstrip() if role.values else role.description


def shown_description(text: str, name: str) -> str:
    line = one_line(text)
    if len(line) > MAX_DESCRIPTION:
        blank = line.rfind(" ", MAX_DESCRIPTION // 2, MAX_DESCRIPTION - 1)  # an earlier one would cut too much
        line = line[: blank if blank > 0 else MAX_DESCRIPTION - 1] + "…"
    return "" if line == name else line


def cut_descriptions(label_set: LabelSet) -> int:
    """How many descriptions of labels and roles prompts do not show in full."""
    texts = [label_set.description(label) for label in label_set.labels]
    texts += [with_values(role) for label in label_set.labels for role in label.roles]
    return sum(len(one_line(text)) > MAX_DESCRIPTION for text in texts)


def one_line(text: str) -> str:
    return " ".join(text.split())


def label_words(labels: Iterable[Label]) -> str:
    """Everything that prompts may show of the labels, case-folded: names, types, and descriptions, also of roles."""
    shown = (
        (label.name, label.subject_type or "", label.object_type or "", *label.role_names, *label.descriptions)
        for label in labels
    )
    return "\n".join(chain.from_iterable(shown)).casefold()
