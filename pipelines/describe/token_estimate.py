"""Token counts of sampled rows → estimates for all rows, with their sampling variance.

A stratum is a set of rows that was sampled separately. The estimates of strata add up: totals, histograms and
variances (stratified sampling without replacement, Cochran 1977, "Sampling Techniques", chapters 2, 3 and 5).
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from schemas.build_statistics import ShareAbove, TokenSummary
from schemas.manifests import TokenStratum

CONTEXTS = (512, 1024, 2048, 4096, 8192)
"""Usual context sizes, in tokens; each is an edge of the histogram."""

EDGES = (32, 64, 128, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192)
"""Upper ends of the bins: the first bin contains lengths from 0 to 32, and a last bin has no upper end."""

Z = 1.96
"""95 % of a normal distribution are within this number of standard deviations of the mean."""


def stratum(rows: int, prompts: Sequence[int], answers: Sequence[int]) -> TokenStratum:
    """The estimates for a stratum of `rows` rows. `prompts`, `answers`: lengths of the sampled rows, in tokens."""
    prompt, answer = np.asarray(prompts, np.int64), np.asarray(answers, np.int64)
    lengths = prompt + answer
    counted = len(lengths)
    weight = rows / counted
    left = rows * (rows - counted)  # rows² times the finite population correction, 1 - counted / rows
    spread = float(np.var(lengths, ddof=1)) if counted > 1 else 0.0
    bins = np.bincount(np.searchsorted(EDGES, lengths), minlength=len(EDGES) + 1)
    above = {context: int((lengths > context).sum()) for context in CONTEXTS}
    free = max(counted - 1, 1)
    return TokenStratum(
        rows,
        counted,
        prompt=round(weight * int(prompt.sum()), 3),
        answer=round(weight * int(answer.sum()), 3),
        variance=round(left * spread / counted, 6),
        longest=int(lengths.max()),
        histogram=tuple(round(weight * int(n), 3) for n in bins),
        above={str(context): round(weight * n, 3) for context, n in above.items()},
        above_variance={str(c): round(left * n / counted * (1 - n / counted) / free, 6) for c, n in above.items()},
    )


def joined(strata: Iterable[TokenStratum]) -> TokenStratum:
    """Adds up one or more strata."""
    strata = list(strata)
    return TokenStratum(
        sum(one.rows for one in strata),
        sum(one.counted for one in strata),
        prompt=math.fsum(one.prompt for one in strata),
        answer=math.fsum(one.answer for one in strata),
        variance=math.fsum(one.variance for one in strata),
        longest=max(one.longest for one in strata),
        histogram=tuple(math.fsum(column) for column in zip(*(one.histogram for one in strata), strict=True)),
        above={context: math.fsum(one.above[context] for one in strata) for context in map(str, CONTEXTS)},
        above_variance={
            context: math.fsum(one.above_variance[context] for one in strata) for context in map(str, CONTEXTS)
        },
    )


def summary(stratum: TokenStratum) -> TokenSummary:
    """The figures of a stratum for display: whole tokens, shares, and half widths of 95 % intervals.

    If all or none of the sampled rows are above a context, the variance is zero, and the margin follows from the rule
    of three: a property of none of n rows has a share below 3 / n, with 95 % confidence (Hanley and Lippman-Hand
    1983, "If nothing goes wrong, is everything all right?", JAMA 249).
    """
    rows, tokens = stratum.rows, stratum.prompt + stratum.answer
    return TokenSummary(
        rows,
        stratum.counted,
        tokens=round(tokens),
        margin=round(Z * math.sqrt(stratum.variance)),
        prompt=round(stratum.prompt),
        answer=round(stratum.answer),
        mean=round(tokens / rows, 1),
        longest=stratum.longest,
        histogram=tuple(round(n) for n in stratum.histogram),
        above={
            context: ShareAbove(round(n / rows, 6), round(above_margin(stratum, context), 6))
            for context, n in stratum.above.items()
        },
    )


def above_margin(stratum: TokenStratum, context: str) -> float:
    """Half of the 95 % interval of the share of rows that are longer than `context`."""
    rows, counted, variance = stratum.rows, stratum.counted, stratum.above_variance[context]
    return Z * math.sqrt(variance) / rows if variance else min(1.0, 3 / counted) * (1 - counted / rows)
