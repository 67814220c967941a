"""Fine-tune a language model, or an adapter of one, on the instructions of a corpus."""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas import command
from schemas.errors import printable
from train.notes import is_first_process

if TYPE_CHECKING:
    from pydantic import BaseModel

    from train.tuning.recipe import Recipe

EPILOG = """\
examples:
  %(prog)s --config tiny-cpu --data build --output model            a random model, no download
  %(prog)s --config qwen3-4b-lora --data corpus --output adapter
  %(prog)s --model PATH --data rows.json --output adapter --set lora.r=8 --set training.num_train_epochs=1
  torchrun --nproc_per_node 8 -m train.sft --config h200 --data corpus --output model
  %(prog)s ... --dry_run                                            lengths, memory and steps, without training
  %(prog)s ... --resume                                             continues from the last checkpoint

--config takes a file or a shipped recipe: tiny-cpu, small-lora, qwen3-4b-lora, llama3-8b-lora, iepile, h200.
Flags override it.
Exit codes: 1 the machine, 2 configuration, 130 interrupted.
"""

LIST_FLAGS = ("tasks", "sources")
FLAGS = ("model", "adapter", "data", "output", "method", "chat_template")


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("train.sft", __doc__, EPILOG, "train.md")
    inputs = parser.add_argument_group("model and data")
    inputs.add_argument("--config", metavar="FILE", help="a YAML recipe")
    inputs.add_argument(
        "--model", metavar="NAME|DIR|FILE", help="a causal language model (FILE: GGUF), or tiny: a random one"
    )
    inputs.add_argument("--adapter", metavar="DIR", help="an adapter of this model to continue from")
    inputs.add_argument("--data", metavar="DIR|REPO|FILE", help="a build, a Hub repository or a file of rows")
    inputs.add_argument("--output", metavar="DIR", help="folder for the trained model or adapter")
    inputs.add_argument("--tasks", metavar="T,T", help="default: all")
    inputs.add_argument("--sources", metavar="A,B", help="default: all")
    method = parser.add_argument_group("method")
    method.add_argument("--method", metavar="lora|qlora|full", help="default: lora")
    method.add_argument("--chat_template", metavar="FILE", help="a Jinja file; default: the model's own")
    method.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="one setting; may be repeated")
    method.add_argument("--dry_run", action="store_true", help="check all, print lengths and memory; do not train")
    method.add_argument("--resume", action="store_true", help="continue from the last checkpoint in the output folder")
    method.add_argument("--json", action="store_true", help="print the summary as JSON")
    return parser


def configuration(arguments: argparse.Namespace) -> "Recipe":
    """Returns the recipe: flags override --set, which overrides the recipe file. Raises ConfigError."""
    from train.tuning import recipe
    from transforms.settings import Settings

    values = recipe.read(arguments.config) if arguments.config else Settings()
    for setting in arguments.set:
        values = values.with_setting(setting, levels=1)  # the key of a source, in `weights`, may have dots
    return recipe.check(recipe.with_flags(values, arguments, FLAGS, LIST_FLAGS))


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(
        argument_parser().parse_args,
        train,
        flags,
        after_interrupt="use --resume to continue from the last checkpoint",
        silent=not is_first_process(),
    )


def train(arguments: argparse.Namespace) -> int:
    settings = configuration(arguments)
    from train.tuning import run, summary  # run imports torch and transformers, so only after the flags are checked

    with contextlib.redirect_stdout(sys.stderr):  # the trainer prints its log to stdout
        if arguments.dry_run:
            run.dry_run(settings, resume=arguments.resume, debug=arguments.debug)
        else:
            result = run.train(settings, resume=arguments.resume, debug=arguments.debug)
    if is_first_process() and arguments.dry_run:
        print_settings(settings)
    elif is_first_process():
        print(summary.as_json(result) if arguments.json else printable(summary.as_text(result)))
    return 0


def print_settings(recipe: "BaseModel") -> None:
    """Prints all settings of a recipe as YAML."""
    from transforms import yaml_values

    print("\n".join(map(printable, yaml_values.render(recipe.model_dump(mode="json")).splitlines())))


if __name__ == "__main__":
    sys.exit(main())
