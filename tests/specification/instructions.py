"""An Example → its instruction rows for one task: the rules of `transforms.instruct`, for one Example at a time."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace as changed
from types import MappingProxyType

from msgspec.structs import replace

from schemas.answer_form import FORMS, forms_of
from schemas.example import LAYER, Example, Span
from schemas.label import Label
from tests.specification.asking import ask
from tests.specification.gold import gold
from tests.specification.instruction import Instruction
from transforms.answer_forms import write
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
    form_prompts: Mapping[str, Prompts] = MappingProxyType({}),
) -> tuple[list[Instruction], int]:
    """The rows of `example` for `task` (one of its tasks), and the number of all-negative batches that were dropped.

    `labels` is the label set of its source for the task, `dictionary` the hard negatives (for EET and EEA those of
    EE). A layer that is not annotated gives no rows, except in test, where `label` is then None.
    """
    example, labels = without_unknown(example, task, labels)
    full_gold = gold(example, task, labels)
    test = example.split == "test"
    if full_gold is None and not test:
        return [], 0
    answers = full_gold.answers if full_gold else {}
    batches, dropped = ask(example.id, example.split, task, labels, answers, dictionary, options)
    key, form_key = (purpose_key(seed_key(options.seed, example.id, task), name) for name in ("prompts", "forms"))
    rows = []
    for number, batch in enumerate(batches):
        form = drawn_form(options, task, nth_key(form_key, number))
        texts = (prompts if form == "iepile" else form_prompts[form])[task][example.lang]
        prompt = {
            "instruction": texts[nth_key(key, number) % len(texts)],
            "schema": [schema_item(task, label, full_gold.triggers if full_gold else {}) for label in batch.labels],
            "input": example.text,
        }
        output = {label.predicate or label.name: answers.get(label.name, []) for label in batch.labels}
        instruction = json.dumps(prompt, ensure_ascii=False)
        answer = None if test else write(form, task, output, example.text, prompt["instruction"], places(example, task))
        rows.append(
            Instruction(
                id=f"{example.id}/{task}/{number}",
                example_id=example.id,
                text_sha256=hashlib.sha256(example.text.encode()).hexdigest(),
                task=task,
                source=example.source,
                lang=example.lang,
                split=example.split,
                instruction=instruction,
                output=answer,
                label=json.dumps(full_gold.annotations, ensure_ascii=False) if test and full_gold else None,
                labels=tuple(label.name for label in batch.labels),
                positives=batch.positives,
                hard_negatives=batch.hard_negatives,
                form=form,
                messages=(
                    {"role": "user", "content": instruction},
                    *({"role": "assistant", "content": answer} for _ in range(not test)),
                ),
            )
        )
    return rows, dropped


def drawn_form(options: AskOptions, task: str, key: int) -> str:
    """The form whose part of the numbers from 0 to 1, which the shares divide in the order of FORMS, has the number
    that the first 53 bits of `key` make; `iepile` if it does not serve the task.
    """
    shares = [(form, options.forms[form]) for form in FORMS if options.forms.get(form)]
    number, total = (key >> 11) / 2**53, 0.0
    drawn = shares[-1][0]
    for form, share in shares[:-1]:
        total += share
        if number < total:
            drawn = form
            break
    return drawn if drawn in forms_of(task) else "iepile"


def places(example: Example, task: str) -> dict[tuple[str, str], list[Span]]:
    """(Label, mention) → the offsets of the entities or triggers in one piece."""
    spans: dict[tuple[str, str], list[Span]] = {}
    if task in ("NER", "EET"):
        for item in getattr(example, LAYER[task]) or ():
            mention = item.mention if task == "NER" else item.trigger
            if mention is not None and len(mention.spans) == 1:
                spans.setdefault((item.label, mention.text), []).append(mention.spans[0])
    return {key: sorted(set(value)) for key, value in spans.items()}


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
