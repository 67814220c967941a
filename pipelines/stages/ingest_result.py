"""The outcomes of reading all splits → the result of ingest, or the error that no source can be read."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from pipelines.sources import Source, registry
from pipelines.sources.agreement import Comparison
from pipelines.sources.judge import SplitOutcome
from pipelines.stages.build_settings import BuildSettings
from schemas.agreement import Annotators
from schemas.errors import SourceError
from schemas.example import SPLITS
from schemas.manifests import Ingested, SourceFacts, SplitRead

Checksums = dict[str, tuple[tuple[str, str], ...]]
"""Split → (name, SHA-256) of its raw files."""


class NothingRead(SourceError):
    """No source can be read. `ingested`: the sources with records, with their counts and without shards."""

    def __init__(self, failed: Mapping[str, str], ingested: Ingested):
        super().__init__("; ".join(f"source {key}: {reason}" for key, reason in sorted(failed.items())))
        self.ingested = ingested


def counted(outcomes: Iterable[SplitOutcome]) -> list[SplitRead]:
    """The counts of splits whose shards are deleted."""
    return [msgspec.structs.replace(outcome.counts, shards=()) for outcome in outcomes if outcome.counts]


def conclude(
    build: BuildSettings,
    raw: dict[str, Checksums],
    absent: Sequence[str],
    failed: Mapping[str, str],
    outcomes: Iterable[SplitOutcome],
    splits: Sequence[SplitRead],
) -> Ingested:
    """The result of the stage for the sources in `splits`. `failed`: key → reason, of the others."""
    kept = {split.key for split in splits}
    return Ingested(
        sources={source.key: facts(source.source) for source in build.located if source.key in kept},
        raw={source.key: raw[source.key] for source in build.located if source.key in kept},
        splits=tuple(splits),
        failed=dict(sorted(failed.items())),
        absent=tuple(absent),
        user_sources=registry.user_sources(source for source in build.located if source.key in kept),
        annotators={key: each for key, each in sorted(annotators(outcomes).items()) if key in kept},
    )


def annotators(outcomes: Iterable[SplitOutcome]) -> dict[str, Annotators]:
    """Key → the annotators of the source, if its files name any."""
    comparisons: dict[str, Comparison] = {}
    order = ("all", *SPLITS)
    for outcome in sorted(outcomes, key=lambda outcome: order.index(outcome.split)):
        if outcome.annotators:
            comparisons.setdefault(outcome.key, Comparison()).add_texts(outcome.annotators)
    return {key: each.annotators() for key, each in comparisons.items()}


def facts(source: Source) -> SourceFacts:
    return SourceFacts(**{name: getattr(source, name) for name in SourceFacts.__struct_fields__})
