"""Compare two ways of building a corpus by the scores of models trained on them."""

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
held-out sources, and prints the difference. Finished steps are skipped; run the same command again to resume.
Exit codes: 1 the machine, 2 configuration, else the code of the command that failed; 130 interrupted.
"""

NO_EVIDENCE = (
    "random weights: this only shows that the parts work together and is no evidence for or against either arm"
)
RANDOM_MODEL = "tiny"


class StepError(IEForgeError):
    """A command of the comparison failed. It has printed its own message."""

    def __init__(self, step: "Step", code: int):
        super().__init__(f"{step.name}: the command ended with {code}: {' '.join(step.command)}")
        self.exit_code = code if 0 < code < 6 else 1


def run(step: "Step", output: Path) -> bool:
    """Runs a step unless it is done, and returns whether it ran. Its output goes to stderr. Raises StepError."""
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
    """Runs the unfinished steps and returns the comparison as JSON values, which it also writes to `comparison.json`.

    Raises StepError if a command fails, and ConfigError as `comparison.claim` and `predictions.load` do.
    """
    from train.comparing.comparison import build_step, claim, predict_step, predictions, train_step
    from train.comparing.difference import differences
    from train.scoring.bootstrap import Bootstrap
    from train.scoring.predictions import align, load

    claim(comparison, output)
    for arm in comparison.arms:
        run(build_step(comparison, arm, output), output)
    step_makers: tuple[Callable, ...] = (train_step, predict_step)
    for seed in comparison.seeds:
        for arm in comparison.arms:
            for make_step in step_makers:
                run(make_step(comparison, arm, seed, output), output)
    loaded = [[load(str(predictions(arm, seed, output))) for seed in comparison.seeds] for arm in comparison.arms]
    align([run for runs in loaded for run in runs])
    first, second = ([run.records for run in runs] for runs in loaded)
    rows = differences(first, second, comparison.match, Bootstrap(comparison.draws))
    if not rows:
        raise ConfigError("the held-out sources have no gold annotations for these tasks; choose others")
    trained = [output / arm / str(seed) / "model/sft.json" for arm in comparison.arms for seed in comparison.seeds]
    models = {json.loads(path.read_text(encoding="utf-8"))["model"] for path in trained}
    result = {
        "model": ", ".join(sorted(models)),
        "evidence": RANDOM_MODEL not in models,
        "arms": list(comparison.arms),
        "seeds": comparison.seeds,
        "trained_on": comparison.sources,
        "match": comparison.match,
        "draws": comparison.draws,
        "rows": [asdict(row) for row in rows],
    }
    text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
    (output / "comparison.json").write_text(text, encoding="utf-8")
    return result


def as_text(result: dict) -> str:
    from train.scoring.table import aligned, number

    first, second = result["arms"]
    header = ["task", "source", "measure", "texts", f"F1 {first}", f"F1 {second}", "difference", "95 %"]
    rows = []
    for row in result["rows"]:
        means = [100 * sum(f1) / len(f1) for f1 in row["f1"]]
        low, high = (100 * end for end in row["interval"])
        source = row["source"] or "mean over sources"
        cells = [row["task"], source, row["measure"], number(row["texts"]), f"{means[0]:.2f}", f"{means[1]:.2f}"]
        rows.append([*cells, f"{100 * row['difference']:+.2f}", f"{low:+.2f} to {high:+.2f}"])
    lines = [
        f"base model: {result['model']}" + ("" if result["evidence"] else f" ({NO_EVIDENCE})"),
        f"{len(result['seeds'])} seeds per arm, trained on {', '.join(result['trained_on'])}; held-out sources:",
        aligned(header, rows),
        f"difference: {second} minus {first}, in points of F1, match {result['match']}; "
        f"intervals over texts and seeds, {result['draws']:,} resamples",
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
