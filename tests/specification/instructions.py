"""An Example → its instruction rows for one task: the rules of `transforms.instruct`, for one Example at a time."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace as changed

from msgspec.structs import replace

from schemas.example import LAYER, Example
from schemas.label import Label
from tests.specification.asking import ask
from tests.specification.describing import schema, show
from tests.specification.gold import gold
from tests.specification.instruction import Instruction
from transforms.ask import AskOptions
from transforms.draw import nth_key, purpose_key, seed_key
from transforms.prompts import Prompts


def instructions(
    example: Example,
    task: str,
    labels: Sequence[Label],
    dictionary: Mapping[str, Sequence[str]] | None,
    prompts: Prompts,
    options: AskOptions,
) -> tuple[list[Instruction], int]:
    """The rows of `example` for `task` (one of its tasks), and the number of all-negative batches that were dropped.

    `labels` is the label set of its source for the task, `dictionary` the hard negatives (for EET and EEA those of
    EE). A layer that is not annotated gives no rows, except in test, where `label` is then None.
    """
    label_set = labels
    example, labels = without_unknown(example, task, labels)
    full_gold = gold(example, task, labels)
    test = example.split == "test"
    if full_gold is None and not test:
        return [], 0
    answers = full_gold.answers if full_gold else {}
    batches, dropped = ask(example.id, example.split, task, labels, answers, dictionary, options)
    texts = prompts[task][example.lang]
    key = purpose_key(seed_key(options.seed, example.id, task), "prompts")
    description_key = purpose_key(seed_key(options.seed, example.id, task), "descriptions")
    triggers = full_gold.triggers if full_gold else {}
    rows = []
    for number, batch in enumerate(batches):
        row_key = nth_key(description_key, number)
        shown, is_described = show(batch.labels, label_set, example.text, row_key, options.descriptions)
        prompt = {
            "instruction": texts[nth_key(key, number) % len(texts)],
            "schema": schema(task, shown, triggers)
            if is_described
            else [schema_item(task, label, triggers) for label in batch.labels],
            "input": example.text,
        }
        output = {one.name: answers.get(one.label.name, []) for one in shown}
        rows.append(
            Instruction(
                id=f"{example.id}/{task}/{number}",
                example_id=example.id,
                text_sha256=hashlib.sha256(example.text.encode()).hexdigest(),
                task=task,
                source=example.source,
                lang=example.lang,
                split=example.split,
                instruction=json.dumps(prompt, ensure_ascii=False),
                output=None if test else json.dumps(output, ensure_ascii=False),
                label=json.dumps(full_gold.annotations, ensure_ascii=False) if test and full_gold else None,
                labels=tuple(label.name for label in batch.labels),
                positives=batch.positives,
                hard_negatives=batch.hard_negatives,
            )
        )
    return rows, dropped


def schema_item(task: str, label: Label, triggers: Mapping[str, list[str]]) -> str | dict:
    match task:
        case "SPO":
            return {"subject_type": label.subject_type, "predicate": label.predicate, "object_type": label.object_type}
        case "EE":
            return {"event_type": label.name, "trigger": True, "arguments": label.role_names}
        case "EEA":
            return {"event_type": label.name, "trigger": triggers[label.name], "arguments": label.role_names}
        case "KG":
            return {"entity_type": label.name, "attributes": label.role_names}
    return label.name


def without_unknown(example: Example, task: str, labels: Sequence[Label]) -> tuple[Example, list[Label]]:
    """The example without annotations of unknown labels, and the labels that its prompts may have. Single attributes of
    a KG entity type may be unknown; the type is left out if all of them are.
    """
    layer = LAYER[task]
    unknown = {one.label for one in example.unknown_labels if one.layer == layer}
    items = getattr(example, layer)
    if items is not None:
        example = replace(example, **{layer: tuple(item for item in items if item.label not in unknown)})
    if task == "KG":
        left = [
            changed(label, roles=tuple(role for role in label.roles if role.name not in unknown)) for label in labels
        ]
        return example, [new for old, new in zip(labels, left, strict=True) if new.roles or not old.roles]
    return example, [label for label in labels if (label.predicate if task == "SPO" else label.name) not in unknown]
