"""The result of a training, which `sft.json` and the last line of the command give."""

import dataclasses
import json
from typing import Any

from train.scoring.words import say
from train.tuning import rows
from train.tuning.lengths import Lengths
from transforms.pages.phrases import Phrase


@dataclasses.dataclass(frozen=True)
class Summary:
    """The result of a finished training. Losses are means over answer tokens, in nats.

    `sources`, `recipe`: as `card.data_facts` and `card.recipe_facts` return them. `lengths`: as in `rows.Rows`.
    `steps`: that were trained; `saved_step`: whose weights are saved. `train_loss`: the mean over all steps.
    `validation_loss`, `f1`: of the saved weights. `tokens`: that were trained on, without padding; `tokens_per_s`:
    without validation. `seconds`: of the training, without loading. `curve`: as in `curve.points`. Figures include the
    part before `--resume`.
    """

    output: str
    model: str
    data: str
    sources: list[dict[str, str | None]]
    method: str
    recipe: dict[str, Any]
    rows: rows.Counts
    lengths: tuple[Lengths, ...]
    steps: int
    epochs: float
    saved_step: int
    train_loss: float | None
    validation_loss: float | None
    f1: float | None
    tokens: int
    seconds: float
    tokens_per_s: float | None
    trainable_parameters: int
    device: str
    dtype: str
    curve: list[dict[str, float]]


def counts_line(counts: rows.Counts, max_length: int, streaming: bool) -> str:
    parts = [f"{counts.train:,} rows ({counts.tokens:,} tokens, {counts.answer_tokens:,} of them answers)"]
    if streaming:
        parts = ["a stream"]
    if counts.too_long:
        parts.append(f"{counts.too_long:,} longer than {max_length} tokens skipped")
    if counts.special:
        parts.append(f"{counts.special:,} with a special token skipped")
    if counts.negatives_cut:
        parts.append(f"{counts.negatives_cut:,} all-negative skipped")
    return f"training on {', '.join(parts)}; {counts.validation:,} validation rows"


def as_json(summary: Summary) -> str:
    return json.dumps(dataclasses.asdict(summary), ensure_ascii=False, indent=1)


def as_text(summary: Summary) -> str:
    kind = "model" if summary.method == "full" else f"adapter for {summary.model}"
    skipped = f", {summary.rows.too_long:,} rows too long" if summary.rows.too_long else ""
    skipped += f", {summary.rows.special:,} rows with a special token" if summary.rows.special else ""
    loss = "" if summary.validation_loss is None else f", validation loss {summary.validation_loss}"
    loss += "" if summary.f1 is None else f", F1 {summary.f1:.1%}"
    loss += "" if summary.saved_step == summary.steps else f" (weights of step {summary.saved_step:,})"
    return f"{summary.output}: {kind}, {summary.steps:,} steps, loss {summary.train_loss}{loss}{skipped}"


def duration(seconds: float) -> Phrase:
    """`40 s`, `24 min`, `3 h 20 min`."""
    if seconds < 90:
        return say("duration.seconds", seconds=f"{seconds:.0f}")
    minutes = round(seconds / 60)
    if minutes < 90:
        return say("duration.minutes", minutes=minutes)
    return say("duration.hours", hours=minutes // 60, minutes=minutes % 60)
