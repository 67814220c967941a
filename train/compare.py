"""Compare ways of building a corpus by the scores of models trained on them."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from schemas import command
from train import output_file

if TYPE_CHECKING:
    from train.comparing.comparison import Comparison

EPILOG = """\
examples:
  %(prog)s --config compare-tiny --output compared        random model, bundled samples; no evidence
  %(prog)s --config mine.yaml --output compared --json

Builds one corpus per arm from the same sources, refuses arms whose rows hardly differ, trains on each with one recipe,
one budget and several seeds, predicts and scores the held-out sources, and prints the differences from the first arm.
Finished steps are skipped; run the same command again to resume.
Exit codes: 1 the machine, 2 configuration, else the code of the command that failed; 130 interrupted.
"""

RESULT, PAGE = "comparison.json", "comparison.html"
"""Files of the output folder with the result."""


def compare(comparison: "Comparison", output: Path) -> dict:
    """Runs the unfinished steps and returns the result as JSON values, which it also writes to RESULT and PAGE.

    Raises StepError if a command fails, and ConfigError as `comparison.claim`, `steps.locked`, `distinct.check` and
    `result.summarise` do.
    """
    from train.comparing import distinct
    from train.comparing.comparison import build_step, check_step, claim, predict_step, train_step
    from train.comparing.page import page
    from train.comparing.result import summarise
    from train.comparing.steps import locked, run
    from train.load import quiet
    from transforms import files

    claim(comparison, output)
    with locked(output) as lock:
        for step in (check_step, build_step):  # a wrong setting of the last arm is known before the first build
            for arm in comparison.arms:
                run(step(comparison, arm, output), output, lock)
        quiet()
        rows = {
            arm: distinct.read_questions(str(output / arm / "corpus"), comparison.tasks, comparison.sources)
            for arm in comparison.arms
        }
        baseline, *others = comparison.arms
        distances = {arm: distinct.distance(rows[baseline], rows[arm]) for arm in others}
        distinct.check(distances, comparison.builds)
        for seed in comparison.seeds:
            for arm in comparison.arms:
                run(train_step(comparison, arm, seed, output), output, lock)
                run(predict_step(comparison, arm, seed, output), output, lock)
        result = summarise(comparison, output, rows, distances)
        files.write_text(str(output / RESULT), json.dumps(result, ensure_ascii=False, indent=1) + "\n")
        files.write_text(str(output / PAGE), page(result))
    return result


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("train.compare", __doc__, EPILOG, "compare.md")
    parser.add_argument("--config", required=True, metavar="FILE", help="a YAML recipe, or a shipped one: compare-tiny")
    parser.add_argument("--output", default="compared", metavar="DIR", help="default: compared/")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, print_comparison, flags, after_interrupt=command.RESUME_HINT)


def print_comparison(arguments: argparse.Namespace) -> int:
    output_file.check_folder("--output", arguments.output)
    from train.comparing.comparison import load
    from train.comparing.table import as_text

    result = compare(load(arguments.config), Path(arguments.output))
    print(json.dumps(result, ensure_ascii=False, indent=1) if arguments.json else as_text(result))
    print(f"plots: {arguments.output}/{PAGE}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
