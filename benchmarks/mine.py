"""python -m benchmarks.mine: measures time and peak memory of mining a large generated label set."""

import argparse
import json
import resource
import time
from collections.abc import Sequence

import numpy as np

from hard_negatives.evidence import Evidence, evidence
from hard_negatives.mine import mine
from schemas.label import Label, LabelSet

ONSETS, RHYMES = "bdfgklmnprstvz", ("a", "el", "in", "or", "us")


def label_set(count: int) -> LabelSet:
    """Names of three words of two syllables each, all different."""
    syllables = [onset + rhyme for onset in ONSETS for rhyme in RHYMES]
    words = [first + second for first in syllables for second in syllables]
    rng = np.random.default_rng(0)
    names: set[str] = set()
    while len(names) < count:
        names.update(" ".join(words[n] for n in three) for three in rng.integers(0, len(words), (count, 3)))
    return LabelSet("NER", "many", "Many", "en", tuple(Label(name) for name in sorted(names)[:count]))


def vectors(count: int, dimensions: int) -> np.ndarray:
    """Unit vectors in clusters of about ten, like those of label names."""
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(max(1, count // 10), dimensions))[rng.integers(0, max(1, count // 10), count)]
    rows = groups + rng.normal(size=(count, dimensions))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def measure_mining(count: int, dimensions: int | None) -> dict:
    """The figures. If `dimensions` is None, the names are embedded with the lexical encoder, which is measured too."""
    labels = label_set(count)
    random_evidence = None if dimensions is None else {"wording": Evidence(vectors(count, dimensions))}
    start = time.monotonic()
    by_kind = random_evidence or evidence(labels, {}, {}, None)
    embedded, cpu = time.monotonic(), time.process_time()
    dictionary = mine(labels, by_kind, "random" if random_evidence else "lexical")
    kept = [len(ranking.neighbours) for ranking in dictionary.labels.values()]
    return {
        "labels": count,
        "dimensions": next(iter(by_kind.values())).rows.shape[1],
        "embed_s": round(embedded - start, 1),
        "mine_s": round(time.monotonic() - embedded, 1),
        "mine_cpu_s": round(time.process_time() - cpu, 1),  # of all threads; stable on a shared machine
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 2),
        "neighbours_a_label": round(sum(kept) / count, 2),
    }


def main(flags: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=30_000)
    parser.add_argument("--dimensions", type=int, default=384, help="dimensions of the generated vectors")
    parser.add_argument("--lexical", action="store_true", help="embed the names with the lexical encoder instead")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(flags)
    figures = measure_mining(arguments.labels, None if arguments.lexical else arguments.dimensions)
    print(json.dumps(figures) if arguments.json else ", ".join(f"{name} {n:,}" for name, n in figures.items()))


if __name__ == "__main__":
    main()
