"""An Example → its instruction rows for one task: labels asked, prompts drawn, answers rendered."""

import hashlib
from collections.abc import Mapping, Sequence

from schemas.example import Example
from schemas.instruction import Instruction
from schemas.label import Label
from transforms.ask import AskOptions, ask
from transforms.draw import nth_key, purpose_key, seed_key
from transforms.prompts import Prompts
from transforms.render import encode, gold, instruction, output


def instructions(
    example: Example,
    task: str,
    labels: Sequence[Label],
    dictionary: Mapping[str, Sequence[str]] | None,
    prompts: Prompts,
    options: AskOptions,
) -> tuple[list[Instruction], int]:
    """The rows of `example` for `task` (one of its tasks), and how many all-negative batches were cut.

    `labels` is the label set of its source for the task, `dictionary` the hard negatives (for EET and EEA those of
    EE). A layer that is not annotated gives no rows but for test, where `label` is then None (EEA, which asks the
    positive labels only, gives none there either). Errors as in `ask` and `gold`.
    """
    found = gold(example, task, labels)
    test = example.split == "test"
    if found is None and not test:
        return [], 0
    answers, triggers = (found.answers, found.triggers) if found else ({}, {})
    batches, cut = ask(example.id, example.split, task, labels, answers, dictionary, options)

    text = encode(example.text)
    sha256 = hashlib.sha256(example.text.encode()).hexdigest()
    label = encode(found.annotations) if test and found else None
    texts = prompts[task][example.lang]
    key = purpose_key(seed_key(options.seed, example.id, task), "prompts")
    rows = []
    for number, batch in enumerate(batches):
        prompt = texts[nth_key(key, number) % len(texts)]
        rows.append(
            Instruction(
                id=f"{example.id}/{task}/{number}",
                example_id=example.id,
                text_sha256=sha256,
                task=task,
                source=example.source,
                lang=example.lang,
                split=example.split,
                instruction=instruction(prompt, task, batch.labels, triggers, text),
                output=None if test else output(batch.labels, answers),
                label=label,
                labels=tuple(asked.name for asked in batch.labels),
                positives=batch.positives,
                hard_negatives=batch.hard_negatives,
            )
        )
    return rows, cut
