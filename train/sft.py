"""Fine-tunes a language model, or an adapter on one, on the instructions of a corpus."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas import command, key_list
from schemas.errors import printable

if TYPE_CHECKING:
    from train.tuning.recipe import Recipe

EPILOG = """\
examples:
  %(prog)s --config tiny-cpu --data build --output model            a random model, no download
  %(prog)s --config qwen3-4b-lora --data corpus --output adapter
  %(prog)s --model PATH --data rows.json --output adapter --set lora.r=8 --set training.num_train_epochs=1
  torchrun --nproc_per_node 8 -m train.sft --config h200 --data corpus --output model
  %(prog)s ... --resume                                             goes on from the last checkpoint

--config takes a file or a shipped recipe: tiny-cpu, qwen3-4b-lora, llama3-8b-lora, iepile, h200. Flags win over it.
Exit codes: 1 the machine, 2 configuration, 130 interrupted.
"""

LIST_FLAGS = ("tasks", "sources")
FLAGS = ("model", "adapter", "data", "output", "method", "chat_template")


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("train.sft", __doc__, EPILOG)
    what = parser.add_argument_group("what")
    what.add_argument("--config", metavar="FILE", help="a YAML recipe")
    what.add_argument("--model", metavar="NAME|DIR", help="a causal language model, or tiny: a random one")
    what.add_argument("--adapter", metavar="DIR", help="an adapter on that model to go on with")
    what.add_argument("--data", metavar="DIR|REPO|FILE", help="a build, a Hub repository or a file of rows")
    what.add_argument("--output", metavar="DIR", help="where the trained model or adapter goes")
    what.add_argument("--tasks", metavar="T,T", help="default: all")
    what.add_argument("--sources", metavar="A,B", help="default: all")
    how = parser.add_argument_group("how")
    how.add_argument("--method", metavar="lora|qlora|full", help="default: lora")
    how.add_argument("--chat_template", metavar="FILE", help="a Jinja file; default: the model's own")
    how.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="one setting; may be repeated")
    how.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the output folder")
    how.add_argument("--json", action="store_true", help="print the summary as JSON")
    return parser


def configuration(arguments: argparse.Namespace) -> "Recipe":
    """The recipe's file, then --set, then flags."""
    from train.tuning import recipe
    from transforms.settings import Settings

    given = recipe.read(arguments.config) if arguments.config else Settings()
    for setting in arguments.set:
        given = given.with_setting(setting, levels=1)  # the key of a source, in `weights`, may have dots
    for flag in (*FLAGS, *LIST_FLAGS):
        value = getattr(arguments, flag)
        if value is not None:
            value = key_list.split(value, f"--{flag}") if flag in LIST_FLAGS else value
            given = given.with_value([flag], value, f"--{flag}")
    return recipe.check(given)


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(
        argument_parser().parse_args,
        train,
        flags,
        after_interrupt="--resume goes on from the last checkpoint",
        silent=not is_first_process(),
    )


def is_first_process() -> bool:
    """Whether this is the one of the processes that a launcher (torchrun) starts that prints."""
    return os.environ.get("RANK", "0") == "0"


def train(arguments: argparse.Namespace) -> int:
    settings = configuration(arguments)
    from train.tuning import run  # torch and transformers are loaded only once the flags are known to be good

    with contextlib.redirect_stdout(sys.stderr):  # the trainer's log is printed
        summary = run.train(settings, resume=arguments.resume, debug=arguments.debug)
    if is_first_process():
        print(run.as_json(summary) if arguments.json else printable(run.as_text(summary)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
