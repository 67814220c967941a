"""The note about a source whose training rows teach nothing but empty answers, as a small --limit may leave it."""

from pipelines.driver import without_positive
from schemas.manifests import Instructed, InstructionCounts, InstructionShard


def shard(task: str, split: str, **counts: tuple[int, int]) -> InstructionShard:
    """`counts`: source key → its rows, and those of them that are all-negative."""
    sources = {key: InstructionCounts(instructions=rows, all_negative=empty) for key, (rows, empty) in counts.items()}
    rows = sum(rows for rows, _ in counts.values())
    return InstructionShard(task, split, f"data/{task}/{split}-0.parquet", rows, "0" * 64, None, sources, {})


def test_tasks_of_sources_without_a_positive_training_row():
    shards = (
        shard("RE", "train", ade=(4, 4), nyt=(3, 3)),
        shard("RE", "train", nyt=(2, 1)),
        shard("RE", "test", ade=(5, 0), kbp=(2, 2)),
        shard("SPO", "train", ade=(4, 3), nyt=(0, 0)),
    )
    assert without_positive(Instructed(shards)) == {("ade", "RE"): 4}
