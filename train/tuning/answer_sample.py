"""A sample of validation texts → the F1 of a model's answers about them, at each validation of its training.

The answers are generated and scored by the code of `train.predict` and `train.score`, without guided decoding.
"""

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.answers import Answer, Prompt
from schemas.errors import ConfigError
from train import chat, corpus, score
from train.load import end_tokens
from train.prediction import generate, resume
from train.prediction.work import Work
from train.tuning.rows import is_all_negative
from transforms.draw import seed_key

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ROOM = 1.5
"""An answer may have this many times the tokens of the longest right one. The limit is for models that do not end
their answers, as before their training."""

FOLDER = "validation"
"""Folder with the answers, in the output folder: `step-N.jsonl`, files that `train.score` reads."""


@dataclass(frozen=True)
class AnswerSample:
    """Rows of validation texts. `max_new_tokens`: the limit of an answer."""

    rows: Work
    max_new_tokens: int


def draw(
    held_out: "corpus.Rows", texts: int, tokenizer: "PreTrainedTokenizerBase", max_length: int, seed: int
) -> AnswerSample:
    """All rows about `texts` texts, drawn by a hash of the text; rows longer than `max_length` tokens are left out.

    Raises ConfigError if no row has a positive label, since F1 is then undefined.
    """
    keys = {
        row["text_sha256"]: seed_key(seed, "eval_f1", row["text_sha256"])
        for row in held_out.select_columns(["text_sha256"])
    }
    drawn = set(sorted(keys, key=keys.__getitem__)[:texts])
    chosen, longest = [], 0
    for row in held_out:
        if row["text_sha256"] in drawn:
            try:
                ids, mask = chat.example(tokenizer, row["instruction"], row["output"])
            except chat.SpecialTokenError:
                continue
            if len(ids) <= max_length:
                chosen.append(row)
                longest = max(longest, sum(mask))
    if all(map(is_all_negative, chosen)):
        raise ConfigError(
            f"eval_f1: none of the {len(chosen):,} rows about {len(drawn):,} validation texts has a positive label, so "
            "there is no F1; raise eval_f1.texts or training.max_length, or remove eval_f1"
        )
    return AnswerSample(Work(chosen), math.ceil(ROOM * longest))


def f1(
    sample: AnswerSample, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", batch_size: int, path: str
) -> float:
    """Micro-F1 of `model` (in evaluation mode, on its device) over the items of all labels, tasks and measures.

    Writes the rows with their answers to `path`. A prompt that is too long for the model counts as a wrong answer. In a
    training with several processes, all of them call this function; each answers a part of the rows.
    """
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list, gather_object

    process = PartialState()
    context = getattr(model.config, "max_position_embeddings", None)
    loaded = generate.Loaded(
        model, tokenizer, tuple(end_tokens(model, tokenizer)), context, None, generate.closing_tokens(tokenizer)
    )
    prompts = [(at, Prompt(row["instruction"])) for at, row in enumerate(sample.rows)]
    part = prompts[process.process_index :: process.num_processes]
    answers = dict(gather_object(list(generate.generate(loaded, part, sample.max_new_tokens, batch_size))))
    result = [0.0]
    if process.is_main_process:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            for at, row in enumerate(sample.rows):
                answer = answers[at] if isinstance(answers[at], Answer) else Answer("", cut=True)
                file.write(resume.line(row, answer.text, answer.cut))
        result = [score.score([path], draws=0).total.figures[2] or 0.0]
    return broadcast_object_list(result)[0]
