"""python -m benchmarks.reward: measures how many rewards a second train.reward gives on one core."""

import argparse
import json
import time
from collections.abc import Sequence

from benchmarks import score
from train.parse import Parsed, parse
from train.reward import reward

COLUMNS = ("task", "instruction", "output")


def measured(count: int) -> dict:
    """The figures of `count` completions of generated rows (NER, RE, EE; English, Chinese), eight for each prompt as in
    GRPO: four right answers, three answers to another prompt, and one that is cut.
    """
    rows = [row for row in score.rows(count // 8) if isinstance(parse(row["task"], row["output"]), Parsed)]
    completions = []
    for row, other in zip(rows, [*rows[1:], rows[0]], strict=True):
        right = row["output"]
        completions += [right] * 4 + [other["output"]] * 3 + [right[: len(right) // 2]]
    columns = {name: [row[name] for row in rows for _ in range(8)] for name in COLUMNS}
    start = time.perf_counter()
    reward(completions, **columns)
    seconds = time.perf_counter() - start
    return {"rewards": len(completions), "seconds": round(seconds, 2), "per_s": round(len(completions) / seconds)}


def main(flags: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rewards", type=int, default=100_000, help="number of completions (default 100,000)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(flags)
    figures = measured(arguments.rewards)
    line = "{rewards:,} rewards in {seconds} s: {per_s:,} a second"
    print(json.dumps(figures) if arguments.json else line.format(**figures))


if __name__ == "__main__":
    main()
