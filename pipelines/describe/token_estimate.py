"""Token counts of a drawn part of rows → estimates for all of them, with the variance that the draw has.

A stratum is what one draw was made from. What is said of a stratum adds up over strata: totals, histograms and
variances alike (stratified sampling without replacement, Cochran 1977, "Sampling Techniques", chapters 2, 3 and 5).
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np

CONTEXTS = (512, 1024, 2048, 4096, 8192)
"""Usual context sizes, in tokens; each is an edge of the histogram."""

EDGES = (32, 64, 128, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192)
"""Upper ends of the histogram's bins: the first holds lengths from 0 to 32, the one after the last has no end."""

BINS = {"contexts": list(CONTEXTS), "edges": list(EDGES)}

Z = 1.96
"""Standard deviations that 95 % of a normal distribution lie within."""


def stratum(rows: int, prompts: Sequence[int], answers: Sequence[int]) -> dict:
    """What is estimated of a stratum of `rows` rows, of which those with these lengths (in tokens) were drawn."""
    prompt, answer = np.asarray(prompts, np.int64), np.asarray(answers, np.int64)
    lengths = prompt + answer
    counted = len(lengths)
    weight = rows / counted
    left = rows * (rows - counted)  # rows² times the finite population correction, 1 - counted / rows
    spread = float(np.var(lengths, ddof=1)) if counted > 1 else 0.0
    bins = np.bincount(np.searchsorted(EDGES, lengths), minlength=len(EDGES) + 1)
    above = {context: int((lengths > context).sum()) for context in CONTEXTS}
    free = max(counted - 1, 1)
    return {
        "rows": rows,
        "counted": counted,
        "prompt": round(weight * int(prompt.sum()), 3),
        "answer": round(weight * int(answer.sum()), 3),
        "variance": round(left * spread / counted, 6),
        "longest": int(lengths.max()),
        "histogram": [round(weight * int(n), 3) for n in bins],
        "above": {str(context): round(weight * n, 3) for context, n in above.items()},
        "above_variance": {str(c): round(left * n / counted * (1 - n / counted) / free, 6) for c, n in above.items()},
    }


def together(strata: Iterable[dict]) -> dict:
    """One record of several strata, of the same form. At least one."""
    strata = list(strata)
    return {
        **{name: sum(one[name] for one in strata) for name in ("rows", "counted")},
        **{name: math.fsum(one[name] for one in strata) for name in ("prompt", "answer", "variance")},
        "longest": max(one["longest"] for one in strata),
        "histogram": [math.fsum(column) for column in zip(*(one["histogram"] for one in strata), strict=True)],
        **{
            name: {context: math.fsum(one[name][context] for one in strata) for context in map(str, CONTEXTS)}
            for name in ("above", "above_variance")
        },
    }


def summary(record: dict) -> dict:
    """The figures of a record as people read them: whole tokens, shares, and half widths of 95 % intervals.

    Where the drawn rows do not differ in being above a context, their variance tells nothing, and the margin is the
    rule of three: what was seen in none of n rows has a share below 3 / n, with 95 % certainty (Hanley and Lippman-Hand
    1983, "If nothing goes wrong, is everything all right?", JAMA 249).
    """
    rows, tokens = record["rows"], record["prompt"] + record["answer"]
    return {
        "rows": rows,
        "counted": record["counted"],
        "tokens": round(tokens),
        "margin": round(Z * math.sqrt(record["variance"])),
        "prompt": round(record["prompt"]),
        "answer": round(record["answer"]),
        "mean": round(tokens / rows, 1),
        "longest": record["longest"],
        "histogram": [round(n) for n in record["histogram"]],
        "above": {
            context: {
                "share": round(n / rows, 6),
                "margin": round(above_margin(record, context), 6),
            }
            for context, n in record["above"].items()
        },
    }


def above_margin(record: dict, context: str) -> float:
    rows, counted, variance = record["rows"], record["counted"], record["above_variance"][context]
    return Z * math.sqrt(variance) / rows if variance else min(1.0, 3 / counted) * (1 - counted / rows)
