"""`reports/stats.json`: the counts of what a build read, kept, dropped and wrote.

Validate writes it (`pipelines.describe.stats`), and publishing writes it for the sources of a release
(`pipelines.describe.figures.subset`). Report, card, publishing and `pipelines.diff` read it. In the docstrings, KEY is
a source key, TASK one of `schemas.example.TASKS`, and SPLIT a split.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from schemas.manifests import (
    Count,
    HeldOut,
    InstructionCounts,
    LayerCounts,
    LeakCounts,
    Losses,
    SourceFacts,
    Split,
    Stored,
    Task,
    TokenStratum,
)


class BuildFacts(Stored, frozen=True):
    """`version`: of IEForge. `samples`: whether the build read the bundled samples. `settings`: those that differ from
    the defaults, without paths. `sources`: the KEYs of the whole build, also in the statistics of a release.
    """

    version: str
    samples: bool
    settings: dict[str, Any]
    sources: tuple[str, ...]


class SplitStatistics(Stored, frozen=True):
    """`read`: counts of the readable records of the files. `windows`: number of windows that the documents were cut
    into. `kept`: counts of clean/. `rejected`: records and windows by reason. `lost`: lost parts of kept records, by
    reason. `crosses_window`: layer → annotations that no window contains. `same_text`: rows that were kept although
    other rows with the same text have different annotations (`clean.same_text: report`).
    """

    read: LayerCounts
    windows: Count
    kept: LayerCounts
    rejected: Losses
    lost: Losses
    crosses_window: dict[str, Count]
    same_text: Count


class DictionarySize(Stored, frozen=True):
    """Numbers of labels of the label set, of labels with neighbours, and of neighbours in total."""

    labels: Count = 0
    with_neighbours: Count = 0
    neighbours: Count = 0


class HardNegatives(Stored, frozen=True):
    """`hard_negatives`: mine, none, or the name of a dictionary. `model`: the encoder. `by_source`: KEY → TASK."""

    hard_negatives: str
    model: str | None
    by_source: dict[str, dict[Task, DictionarySize]]


class ShareAbove(Stored, frozen=True):
    """The share of rows that are longer than a context, and half the width of its 95 % confidence interval."""

    share: float
    margin: float


class TokenSummary(Stored, frozen=True):
    """A `TokenStratum` in whole tokens. `margin`: half the width of the 95 % confidence interval of `tokens`. `mean`:
    tokens per row. `above`: context size → share.
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
    """`TokenCounts` with summaries by TASK and SPLIT and of all rows. `in_full`: whether all rows were counted."""

    tokenizer: str
    contexts: tuple[int, ...]
    edges: tuple[int, ...]
    by_source: dict[str, dict[Task, dict[Split, TokenStratum]]]
    in_full: bool
    tasks: dict[Task, dict[Split, TokenSummary]]
    total: TokenSummary


class FamiliarityCounts(Stored, frozen=True):
    """Numbers of the labels that test rows ask for, and of their annotations there. `seen`: train rows ask for a label
    of the same name; `near`: not so, but for a similar one; the others are unseen.
    """

    labels: Count = 0
    seen: Count = 0
    near: Count = 0
    annotations: Count = 0
    seen_annotations: Count = 0
    near_annotations: Count = 0


class FamiliarityStatistics(Stored, frozen=True):
    """The sums of a `schemas.familiarity.FamiliarityReport`, with its `model` and `near`. `by_source`: KEY → TASK."""

    model: str
    near: float
    by_source: dict[str, dict[Task, FamiliarityCounts]]


class Statistics(Stored, frozen=True):
    """`sources`: KEY → SPLIT. `about`: KEY. `labels`: KEY → TASK → names in its label set. `failed`: KEY → reason why
    the source is missing. `instructions`: TASK → SPLIT → rows. `instructions_by_source`: KEY → TASK → SPLIT. `leakage`:
    KEY/SPLIT → KEY → texts of the former that leak into the test split of the latter. `tokens`: null if no tokens were
    counted.
    """

    build: BuildFacts
    sources: dict[str, dict[Split, SplitStatistics]]
    about: dict[str, SourceFacts]
    labels: dict[str, dict[Task, tuple[str, ...]]]
    failed: dict[str, str]
    instructions: dict[Task, dict[Split, Count]]
    instructions_by_source: dict[str, dict[Task, dict[Split, InstructionCounts]]]
    leakage: dict[str, dict[str, LeakCounts]]
    hard_negatives: HardNegatives
    tokens: TokenStatistics | None
    held_out: HeldOut = HeldOut()
    familiarity: FamiliarityStatistics | None = None


Counts = TypeVar("Counts", bound=msgspec.Struct)


def total(form: type[Counts], parts: Iterable[Counts]) -> Counts:
    """The field-by-field sum of structs whose fields are all numbers; all zeros if `parts` is empty."""
    parts = list(parts)
    return form(*(sum(getattr(part, name) for part in parts) for name in form.__struct_fields__))
