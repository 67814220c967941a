"""Compares two ways of building a corpus by the scores of models that are trained on each."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from schemas import command
from schemas.errors import ConfigError, IEForgeError
from train import output_file

if TYPE_CHECKING:
    from train.comparing.comparison import Comparison, Step

EPILOG = """\
examples:
  %(prog)s --config compare-tiny --output compared        random model, bundled samples; no evidence
  %(prog)s --config mine.yaml --output compared --json

Builds both corpora from the same sources, trains on each with one recipe and several seeds, predicts and scores the
held-out sources, and prints the difference. What is finished is not done again: the same command goes on.
Exit codes: 1 the machine, 2 configuration, else that of the command that failed; 130 interrupted.
"""

NO_EVIDENCE = "random weights: this is a plumbing test and no evidence for or against either arm"
RANDOM_MODEL = "tiny"


class StepError(IEForgeError):
    """A command of the comparison failed; its own message stands above."""

    def __init__(self, step: "Step", code: int):
        super().__init__(f"{step.name}: the command ended with {code}: {' '.join(step.command)}")
        self.exit_code = code if 0 < code < 6 else 1


def run(step: "Step", output: Path) -> bool:
    """Runs a step unless it is done; whether it was run. What it prints goes to stderr. Raises StepError."""
    marker = output / "done" / step.name.replace("/", "-")
    if marker.exists():
        return False
    started = time.monotonic()
    process = subprocess.Popen(step.command, stdout=sys.stderr)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    if code == 130:
        raise KeyboardInterrupt
    if code:
        raise StepError(step, code)
    marker.write_text(f"{' '.join(step.command)}\n", encoding="utf-8")
    print(f"{step.name}: done in {time.monotonic() - started:.0f} s", file=sys.stderr)
    return True


def compare(comparison: "Comparison", output: Path) -> dict:
    """Does what is not done yet and returns what is compared, as JSON values; also kept in `comparison.json`.

    Raises StepError for a command that fails, and ConfigError as `comparison.claim` and `predictions.load` do.
    """
    from train.comparing.comparison import build_step, claim, predict_step, predictions, train_step
    from train.comparing.difference import differences
    from train.scoring.bootstrap import Bootstrap
    from train.scoring.predictions import load, together

    claim(comparison, output)
    for arm in comparison.arms:
        run(build_step(comparison, arm, output), output)
    makers: tuple[Callable, ...] = (train_step, predict_step)
    for seed in comparison.seeds:
        for arm in comparison.arms:
            for make in makers:
                run(make(comparison, arm, seed, output), output)
    loaded = [[load(str(predictions(arm, seed, output))) for seed in comparison.seeds] for arm in comparison.arms]
    together([run for runs in loaded for run in runs])
    first, second = ([run.records for run in runs] for runs in loaded)
    rows = differences(first, second, comparison.match, Bootstrap(comparison.draws))
    if not rows:
        raise ConfigError("the held-out sources have no gold for these tasks; name others")
    trained = [output / arm / str(seed) / "model/sft.json" for arm in comparison.arms for seed in comparison.seeds]
    models = {json.loads(path.read_text(encoding="utf-8"))["model"] for path in trained}
    found = {
        "model": ", ".join(sorted(models)),
        "evidence": RANDOM_MODEL not in models,
        "arms": list(comparison.arms),
        "seeds": comparison.seeds,
        "trained_on": comparison.sources,
        "match": comparison.match,
        "draws": comparison.draws,
        "rows": [asdict(row) for row in rows],
    }
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    (output / "comparison.json").write_text(text, encoding="utf-8")
    return found


def as_text(found: dict) -> str:
    from train.scoring.table import aligned, number

    first, second = found["arms"]
    header = ["task", "source", "measure", "texts", f"F1 {first}", f"F1 {second}", "difference", "95 %"]
    rows = []
    for row in found["rows"]:
        means = [100 * sum(f1) / len(f1) for f1 in row["f1"]]
        low, high = (100 * end for end in row["interval"])
        source = row["source"] or "mean over sources"
        cells = [row["task"], source, row["measure"], number(row["texts"]), f"{means[0]:.2f}", f"{means[1]:.2f}"]
        rows.append([*cells, f"{100 * row['difference']:+.2f}", f"{low:+.2f} to {high:+.2f}"])
    lines = [
        f"base model: {found['model']}" + ("" if found["evidence"] else f" ({NO_EVIDENCE})"),
        f"{len(found['seeds'])} seeds each, trained on {', '.join(found['trained_on'])}; held-out sources:",
        aligned(header, rows),
        f"difference: {second} minus {first}, in points of F1, match {found['match']}; "
        f"intervals over texts and seeds, {found['draws']:,} resamples",
    ]
    return "\n".join(lines)


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("train.compare", __doc__, EPILOG)
    parser.add_argument("--config", required=True, metavar="FILE", help="a YAML recipe, or a shipped one: compare-tiny")
    parser.add_argument("--output", default="compared", metavar="DIR", help="default: compared/")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, print_comparison, flags, after_interrupt=command.RESUME_HINT)


def print_comparison(arguments: argparse.Namespace) -> int:
    output_file.check_folder("--output", arguments.output)
    from train.comparing.comparison import load

    result = compare(load(arguments.config), Path(arguments.output))
    print(json.dumps(result, ensure_ascii=False, indent=1) if arguments.json else as_text(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
