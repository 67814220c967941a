"""Manifests of stages and statistics with the values that a test gives; all other values are zero or empty."""

from schemas.build_statistics import BuildFacts, HardNegatives, SplitStatistics, Statistics
from schemas.manifests import (
    ExampleShard,
    InstructionCounts,
    InstructionHistograms,
    InstructionShard,
    LayerCounts,
    SourceFacts,
    SplitRead,
    TextHistograms,
)

SHA256 = "0" * 64


def layer_counts(examples: int = 0, entities: int = 0, relations: int = 0, events: int = 0) -> LayerCounts:
    return LayerCounts(examples, entities, relations, events)


def source_facts(**given) -> SourceFacts:
    facts = {
        "name": "A", "title": "A", "lang": "en", "domain": "", "tasks": ("NER",), "licence": "open",
        "licence_text": "open", "homepage": "", "citation": "", "held_out": False, "one_pair": False,
    }  # fmt: skip
    return SourceFacts(**{**facts, **given})


def split_read(key: str = "a", split: str = "train", **given) -> SplitRead:
    counts = {
        "read": layer_counts(), "annotated": 0, "beyond_limit": 0, "rejected": {}, "lost": {}, "first_rejects": (),
        "first_lost": (), "shards": (),
    }  # fmt: skip
    return SplitRead(key, split, **{**counts, **given})


def example_shard(**given) -> ExampleShard:
    shard = {
        "number": 0, "key": "a", "split": "train", "path": "clean/a/train-00000.parquet", "rows": 0, "sha256": SHA256,
        "keys_sha256": SHA256, "facts": None, "windows": 0, "crosses_window": {}, "kept": layer_counts(),
        "same_text": 0, "rejected": {}, "leaks_into": {}, "histograms": TextHistograms(),
    }  # fmt: skip
    return ExampleShard(**{**shard, **given})


def instruction_shard(instructions: dict[str, int], **given) -> InstructionShard:
    """`instructions`: source key → number of its rows."""
    shard = {
        "task": "NER", "split": "train", "path": "data/NER/train-00000-of-00001.parquet",
        "rows": sum(instructions.values()), "sha256": SHA256, "facts": None,
        "sources": {key: InstructionCounts(rows) for key, rows in instructions.items()},
        "histograms": dict.fromkeys(instructions, InstructionHistograms()),
    }  # fmt: skip
    return InstructionShard(**{**shard, **given})


def statistics(examples: dict[str, dict[str, int]]) -> Statistics:
    """Of a build that kept all examples that it read. `examples`: source key → split → number of examples."""
    return Statistics(
        build=BuildFacts("0", False, {}, tuple(examples)),
        sources={
            key: {
                split: SplitStatistics(layer_counts(n), n, layer_counts(n), {}, {}, {}, 0)
                for split, n in splits.items()
            }
            for key, splits in examples.items()
        },
        about={key: source_facts() for key in examples},
        labels={},
        failed={},
        instructions={},
        instructions_by_source={},
        leakage={},
        hard_negatives=HardNegatives("none", None, {}),
        tokens=None,
    )
