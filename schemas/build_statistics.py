"""`reports/stats.json`: what a build read, kept and dropped, and what came of it.

Written by validate (`pipelines.describe.stats`), and by publishing for the sources of a release
(`pipelines.describe.figures.subset`); read by report, card, publishing and `pipelines.diff`. KEY is a source key, TASK
one of `schemas.example.TASKS`, SPLIT a split.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from schemas.manifests import (
    Count,
    InstructionCounts,
    LayerCounts,
    Losses,
    SourceFacts,
    Split,
    Stored,
    Task,
    TokenStratum,
)


class BuildFacts(Stored, frozen=True):
    """`version` of IEForge; `samples`: whether the bundled samples were read; `settings`: what differs from the
    defaults, without paths; `sources`: every KEY that was built, in the statistics of a part too.
    """

    version: str
    samples: bool
    settings: dict[str, Any]
    sources: tuple[str, ...]


class SplitStatistics(Stored, frozen=True):
    """`read` counts what the files have (of the records that could be read), `windows` what came of documents, `kept`
    what is in clean/; `rejected` records or windows, `lost` parts of records that were kept. `crosses_window`: layer →
    annotations that no window holds; `same_text`: rows kept beside others of the same text that annotate different
    things (`clean.same_text: report`).
    """

    read: LayerCounts
    windows: Count
    kept: LayerCounts
    rejected: Losses
    lost: Losses
    crosses_window: dict[str, Count]
    same_text: Count


class DictionarySize(Stored, frozen=True):
    """`labels` of the label set, those `with_neighbours`, and the `neighbours` of all."""

    labels: Count = 0
    with_neighbours: Count = 0
    neighbours: Count = 0


class HardNegatives(Stored, frozen=True):
    """`hard_negatives`: mine, none, or a dictionary's name; `model`: the encoder's name; `by_source`: KEY → TASK."""

    hard_negatives: str
    model: str | None
    by_source: dict[str, dict[Task, DictionarySize]]


class ShareAbove(Stored, frozen=True):
    """The share of rows that are longer than a context, and half of its 95 % interval."""

    share: float
    margin: float


class TokenSummary(Stored, frozen=True):
    """A `TokenStratum` in whole tokens. `margin`: half of the 95 % interval of `tokens`; `mean`: per row; `above`:
    context size → share.
    """

    rows: Count
    counted: Count
    tokens: Count
    margin: Count
    prompt: Count
    answer: Count
    mean: float
    longest: Count
    histogram: tuple[Count, ...]
    above: dict[str, ShareAbove]


class TokenStatistics(Stored, frozen=True):
    """As `TokenCounts`, with the summaries by TASK and SPLIT and of all rows. `in_full`: every row was counted."""

    tokenizer: str
    contexts: tuple[int, ...]
    edges: tuple[int, ...]
    by_source: dict[str, dict[Task, dict[Split, TokenStratum]]]
    in_full: bool
    tasks: dict[Task, dict[Split, TokenSummary]]
    total: TokenSummary


class Statistics(Stored, frozen=True):
    """`sources`: KEY → SPLIT. `about`: KEY. `labels`: KEY → TASK → names of its label set. `failed`: KEY → why it is
    missing. `instructions`: TASK → SPLIT → rows. `instructions_by_source`: KEY → TASK → SPLIT. `leakage`: KEY/SPLIT →
    KEY of a test split → texts dropped from the first because they occur in the second. `tokens`: null where none were
    counted.
    """

    build: BuildFacts
    sources: dict[str, dict[Split, SplitStatistics]]
    about: dict[str, SourceFacts]
    labels: dict[str, dict[Task, tuple[str, ...]]]
    failed: dict[str, str]
    instructions: dict[Task, dict[Split, Count]]
    instructions_by_source: dict[str, dict[Task, dict[Split, InstructionCounts]]]
    leakage: dict[str, dict[str, Count]]
    hard_negatives: HardNegatives
    tokens: TokenStatistics | None


Counts = TypeVar("Counts", bound=msgspec.Struct)


def total(form: type[Counts], parts: Iterable[Counts]) -> Counts:
    """The sums of structs whose fields are all numbers, field by field; zeros where there is none."""
    parts = list(parts)
    return form(*(sum(getattr(part, name) for part in parts) for name in form.__struct_fields__))
