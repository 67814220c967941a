"""Train a fine-tuned model further, on preferences (DPO) or on the F1 of its own answers (GRPO)."""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas import command
from schemas.errors import printable
from train import sft
from train.notes import is_first_process

if TYPE_CHECKING:
    from train.aligning.recipe import TuneRecipe

EPILOG = """\
examples:
  ieforge preferences --output pairs build
  %(prog)s --method dpo --config dpo-lora --adapter adapter --data pairs --output tuned
  %(prog)s --method grpo --config grpo-lora --adapter adapter --data build --output tuned
  %(prog)s --method dpo --model merged --data pairs --output tuned --set training.max_steps=200
  %(prog)s ... --dry_run                                            settings and counts of rows, without training
  %(prog)s ... --resume                                             continues from the last checkpoint

--adapter continues an adapter of train.sft; --model alone gets a new one. --config takes a file or a shipped recipe:
dpo-lora, grpo-lora. Flags override it.
Exit codes: 1 the machine, 2 configuration, 130 interrupted.
"""

LIST_FLAGS = ("tasks", "sources")
FLAGS = ("method", "model", "adapter", "data", "output", "chat_template")


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("train.tune", __doc__, EPILOG, "tune.md")
    inputs = parser.add_argument_group("model and data")
    inputs.add_argument("--config", metavar="FILE", help="a YAML recipe")
    inputs.add_argument("--adapter", metavar="DIR", help="an adapter of train.sft to continue from")
    inputs.add_argument("--model", metavar="NAME|DIR|FILE", help="a fine-tuned model; default: the base of --adapter")
    inputs.add_argument(
        "--data",
        metavar="DIR|REPO|FILE",
        help="dpo: a folder of ieforge preferences; grpo: a build, repository or rows",
    )
    inputs.add_argument("--output", metavar="DIR", help="folder for the trained adapter")
    inputs.add_argument("--tasks", metavar="T,T", help="default: all")
    inputs.add_argument("--sources", metavar="A,B", help="default: all")
    method = parser.add_argument_group("method")
    method.add_argument("--method", metavar="dpo|grpo", help="default: that of the recipe")
    method.add_argument("--chat_template", metavar="FILE", help="a Jinja file; default: that of the adapter or model")
    method.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="one setting; may be repeated")
    method.add_argument("--dry_run", action="store_true", help="print the settings and count the rows; write nothing")
    method.add_argument("--resume", action="store_true", help="continue from the last checkpoint in the output folder")
    method.add_argument("--json", action="store_true", help="print the summary as JSON")
    return parser


def configuration(arguments: argparse.Namespace) -> "TuneRecipe":
    """Returns the recipe: flags override --set, which overrides the recipe file. Raises ConfigError."""
    from train import load
    from train.aligning import recipe
    from train.tuning import recipe as sft
    from transforms.settings import Settings

    values = sft.read(arguments.config, recipe.TuneRecipe, recipe.SHIPPED) if arguments.config else Settings()
    for setting in arguments.set:
        values = values.with_setting(setting)
    values = sft.with_flags(values, arguments, FLAGS, LIST_FLAGS)
    adapter = values.values.get("adapter")
    if isinstance(adapter, str) and "model" not in values.values:
        values = values.with_value(["model"], load.base_model(adapter), "--adapter")
    return recipe.check(values)


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(
        argument_parser().parse_args,
        tune,
        flags,
        after_interrupt="use --resume to continue from the last checkpoint",
        silent=not is_first_process(),
    )


def tune(arguments: argparse.Namespace) -> int:
    recipe = configuration(arguments)
    from train.aligning import run  # imports torch and transformers, so only after the flags are checked

    with contextlib.redirect_stdout(sys.stderr):  # the trainer prints its log to stdout
        if arguments.dry_run:
            run.prepare(recipe, resume=arguments.resume, debug=arguments.debug)
        else:
            summary = run.train(recipe, resume=arguments.resume, debug=arguments.debug)
    if is_first_process():
        if arguments.dry_run:
            sft.print_settings(recipe)
        else:
            print(run.as_json(summary) if arguments.json else printable(run.as_text(summary)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
