"""The statistics of a build (`describe.stats`) → those of a part of its sources, and the sums that a card shows."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from pipelines.describe import losses, token_estimate
from schemas.example import SPLITS, TASKS


def subset(counts: Mapping, keys: Collection[str]) -> dict:
    """The statistics of the sources in `keys` alone, as `describe.stats` would have them; nothing is changed in place.

    `build` and `failed` stay, and so does what leaked into the test split of a source that is left out: it was dropped.
    """
    kept = {name: of(counts[name], keys) for name in ("sources", "about", "labels", "instructions_by_source")}
    tokens = counts["tokens"]
    return {
        **counts,
        **kept,
        "instructions": instructions(kept["instructions_by_source"].values()),
        "leakage": {pair: into for pair, into in counts["leakage"].items() if pair.rpartition("/")[0] in keys},
        "hard_negatives": {
            **counts["hard_negatives"],
            "by_source": of(counts["hard_negatives"]["by_source"], keys),
        },
        "tokens": tokens and token_totals({**tokens, "by_source": of(tokens["by_source"], keys)}),
    }


def of(by_source: Mapping, keys: Collection[str]) -> dict:
    return {key: value for key, value in by_source.items() if key in keys}


def instructions(by_source: Iterable[Mapping]) -> dict[str, dict[str, int]]:
    """Task → split → rows, in their usual order and without zeros, of sources' task → split → counts."""
    rows = Counter()
    for tasks in by_source:
        rows.update({(task, split): n["instructions"] for task, splits in tasks.items() for split, n in splits.items()})
    return {
        task: {split: rows[task, split] for split in SPLITS if rows[task, split]}
        for task in TASKS
        if any(rows[task, split] for split in SPLITS)
    }


def token_totals(tokens: Mapping | None) -> dict | None:
    """Token counts by source with their sums by task and split, and of all rows; None where nothing was counted."""
    if not tokens or not tokens["by_source"]:
        return None
    strata: dict[tuple[str, str], list[dict]] = {}
    for tasks in tokens["by_source"].values():
        for task, splits in tasks.items():
            for split, record in splits.items():
                strata.setdefault((task, split), []).append(record)
    sums = {at: token_estimate.together(records) for at, records in strata.items()}
    everything = token_estimate.summary(token_estimate.together(sums.values()))
    return {
        **tokens,
        "in_full": everything["counted"] == everything["rows"],
        "tasks": {
            task: {split: token_estimate.summary(sums[task, split]) for split in SPLITS if (task, split) in sums}
            for task in TASKS
            if any((task, split) in sums for split in SPLITS)
        },
        "total": everything,
    }


def total(counts: Mapping[str, Mapping[str, int]], split: str | None = None) -> int:
    """The sum of task → split → number, of one split or all."""
    return sum(n for splits in counts.values() for of_split, n in splits.items() if split in (None, of_split))


def rows_by(counts: Mapping, fact: str) -> dict[str, int]:
    """What `about` says of the sources (`domain`, `lang`) → rows of those of which it says so, the most first."""
    rows = Counter()
    for key, tasks in counts["instructions_by_source"].items():
        rows[counts["about"][key][fact]] += total(instructions([tasks]))
    return dict(sorted(rows.items(), key=lambda item: (-item[1], item[0])))


def rejected(counts: Mapping, what: str = "rejected") -> dict[str, int]:
    """Reason → records lost for it, of all sources and splits, the most frequent first. With `what` "lost": parts of
    records that were kept.
    """
    reasons = Counter()
    for splits in counts["sources"].values():
        for one in splits.values():
            reasons.update(one[what])
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def leaked(counts: Mapping) -> int:
    """Train and validation texts that were dropped because they occur in a test split."""
    return sum(one["rejected"].get("leakage", 0) for splits in counts["sources"].values() for one in splits.values())


def same_text(counts: Mapping) -> int:
    """Rows kept beside others of their split that annotate different things in the same text."""
    return sum(one["same_text"] for splits in counts["sources"].values() for one in splits.values())


def lost_most(counts: Mapping) -> dict[str, tuple[int, int]]:
    """KEY/SPLIT → rows that cleaning had and kept, of the splits that lost most of them."""
    return {
        f"{key}/{split}": (one["windows"], one["kept"]["examples"])
        for key, splits in counts["sources"].items()
        for split, one in splits.items()
        if losses.lost_most(one["windows"], one["kept"]["examples"])
    }


def hard_negatives(counts: Mapping) -> dict[str, dict[str, int]]:
    """Task → sums over its sources: of their dictionaries, and of their train and validation instructions.

    Tasks without a dictionary of their own (EET, EEA, SPO as a rule) have the second alone.
    """
    sums: dict[str, Counter] = {}
    for tasks in counts["hard_negatives"]["by_source"].values():
        for task, sizes in tasks.items():
            sums.setdefault(task, Counter()).update({"label_sets": 1, **sizes})
    for tasks in counts["instructions_by_source"].values():
        for task, splits in tasks.items():
            for split, n in splits.items():
                if split != "test":
                    sums.setdefault(task, Counter()).update(n)
    return {task: dict(sums[task]) for task in TASKS if task in sums}
