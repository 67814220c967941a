"""The reward of an answer for reinforcement learning: its F1 by the rules of `train.score`.

    GRPOTrainer(reward_funcs=reward, train_dataset=rows.map(lambda row: {"prompt": chat.messages(row["instruction"])}))

`rows` are those of `train.corpus.rows`; TRL passes their columns to `reward`.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from schemas.answer_form import DEFAULT
from schemas.errors import ConfigError
from train.parse import Unparseable, parse
from train.scoring import predicted_rows
from train.scoring.items import comparable_items


def reward(
    completions: Sequence[str | list[dict[str, str]]],
    task: Sequence[str],
    instruction: Sequence[str],
    output: Sequence[str],
    form: Sequence[str | None] | None = None,
    **columns: object,
) -> list[float]:
    """The reward of each completion (a string, or messages of which the last one counts), from 0 to 1.

    `task`, `instruction`, `output` and, if the corpus has it, `form`: the columns of the rows, one value per completion
    as `GRPOTrainer` passes them; other columns have no effect. Raises ConfigError for a row without a right answer.
    """
    answers = [each if isinstance(each, str) else each[-1]["content"] for each in completions]
    forms = [each or DEFAULT for each in form or [None] * len(answers)]
    return list(map(f1, answers, task, instruction, output, forms))


def f1(answer: str, task: str, instruction: str, output: str, form: str = DEFAULT) -> float:
    """2 · right / (predicted + gold), where the items of all measures of the task are counted together.

    If there is nothing to find, an answer without items has 1, unless a part of it is malformed. An answer that cannot
    be parsed has 0. Raises ConfigError if `output` cannot be parsed.
    """
    schema, gold = _right_answer(task, instruction, output, form)
    parsed = parse(task, answer, schema, form)
    if isinstance(parsed, Unparseable):
        return 0.0
    ours, theirs = comparable_items(task, parsed.annotations, gold)
    both = sum((Counter(ours[measure]) & Counter(theirs[measure])).total() for measure in theirs)
    either = sum(len(ours[measure]) + len(theirs[measure]) for measure in theirs)
    return 2 * both / either if either else float(not parsed.malformed)


@lru_cache(maxsize=1024)
def _right_answer(task: str, instruction: str, output: str, form: str) -> tuple[list, list[dict]]:
    """The schema of the prompt, and the annotations of the right answer. Cached: a prompt has several completions."""
    place = f"row {instruction[:80]}"
    schema = predicted_rows.prompt(place, instruction).schema
    parsed = Unparseable("null") if output is None else parse(task, output, schema, form)
    if isinstance(parsed, Unparseable):
        raise ConfigError(f"{place}: no right answer in the column output ({parsed.reason}); use rows with an output")
    return schema, parsed.annotations
