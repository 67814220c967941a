"""The log of a trainer → the curve of a training: its losses, learning rate and validation by step."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

POINT = {"loss": "loss", "learning_rate": "learning_rate", "eval_loss": "validation_loss", "eval_f1": "f1"}
"""Key of a log entry → its name in a point of the curve."""


def points(history: Sequence[Mapping]) -> list[dict[str, float]]:
    """A point per logged step, `step` and the values of POINT that it has. `loss` is the mean over the steps since the
    point with a loss before it.
    """
    by_step: dict[int, dict[str, float]] = {}
    for entry in history:
        values = {name: float(f"{entry[key]:.6g}") for key, name in POINT.items() if key in entry}
        if values:
            by_step.setdefault(entry["step"], {"step": entry["step"]}).update(values)
    return [by_step[step] for step in sorted(by_step)]


def point_at(step: int, history: Sequence[Mapping]) -> dict[str, float]:
    """The point of this step; empty if nothing was logged there."""
    return next((point for point in points(history) if point["step"] == step), {})


def mean_loss(curve: Sequence[Mapping[str, float]]) -> float | None:
    """The mean training loss over all steps; None without a logged loss."""
    logged = [(0, 0.0), *((point["step"], point["loss"]) for point in curve if "loss" in point)]
    steps = logged[-1][0]
    sums = ((step - before) * loss for (before, _), (step, loss) in pairwise(logged))
    return float(f"{sum(sums) / steps:.6g}") if steps else None


def tokens_per_second(history: Sequence[Mapping]) -> float | None:
    """Tokens trained on per second, padding and validation not counted; None without a logged loss."""
    tokens, seconds, before = 0, 0.0, 0
    for entry in history:
        if entry.get("tokens_per_s"):
            part, before = entry["tokens"] - before, entry["tokens"]
            tokens, seconds = tokens + part, seconds + part / entry["tokens_per_s"]
    return round(tokens / seconds, 1) if seconds else None
