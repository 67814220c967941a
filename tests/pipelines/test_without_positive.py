"""The note about a source whose training rows teach nothing but empty answers, as a small --limit may leave it."""

from pipelines.driver import without_positive
from schemas.manifests import Instructed, InstructionCounts, InstructionShard


def shard(task: str, split: str, **counts: tuple[int, int]) -> InstructionShard:
    """`counts`: source key → its rows, and those of them that are all-negative."""
    sources = {
        key: InstructionCounts(
            instructions=rows,
            examples=rows,
            all_negative=negative,
            with_hard_negatives=0,
            cut=0,
            neighbour_pairs=0,
            neighbours_together=0,
            positives_with_neighbour=0,
            positives_beside_neighbour=0,
            hidden=0,
        )
        for key, (rows, negative) in counts.items()
    }
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
