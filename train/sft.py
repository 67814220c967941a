"""python -m train.sft: instruction shards in, a fine-tuned language model or an adapter out."""

import argparse
import contextlib
import os
import sys
import traceback
from collections.abc import Sequence

from schemas import key_list
from schemas.errors import ConfigError, IEForgeError, MachineError, escape_on_stdout, printable
from train.tuning import recipe

EPILOG = """\
examples:
  python -m train.sft --config tiny-cpu --data build --output model            a random model, no download
  python -m train.sft --config qwen3-4b-lora --data corpus --output adapter
  python -m train.sft --model PATH --data rows.json --output adapter --set lora.r=8 --set training.num_train_epochs=1
  torchrun --nproc_per_node 8 -m train.sft --config h200 --data corpus --output model
  python -m train.sft ... --resume                                             goes on from the last checkpoint

--config takes a file or a shipped recipe: tiny-cpu, qwen3-4b-lora, llama3-8b-lora, iepile, h200. Flags win over it.
Exit codes: 1 the machine, 2 configuration, 130 interrupted.
"""

FLAGS = ("model", "adapter", "data", "output", "method", "chat_template")


def argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train.sft",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        exit_on_error=False,
    )
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
    how.add_argument("--debug", action="store_true", help="show the traceback of an error, and the libraries' logs")
    return parser


def configuration(arguments: argparse.Namespace) -> recipe.Recipe:
    """The recipe's file, then --set, then flags."""
    content = recipe.read(arguments.config) if arguments.config else {}
    for setting in arguments.set:
        content = recipe.with_setting(content, setting)
    for flag in FLAGS:
        if getattr(arguments, flag) is not None:
            content[flag] = getattr(arguments, flag)
    for flag in ("tasks", "sources"):
        if getattr(arguments, flag) is not None:
            content[flag] = key_list.split(getattr(arguments, flag), f"--{flag}")
    return recipe.check(content, arguments.config or "flags")


def main(flags: Sequence[str] | None = None) -> int:
    escape_on_stdout()
    is_first = os.environ.get("RANK", "0") == "0"  # of the processes that a launcher starts, one speaks
    try:
        arguments = argument_parser().parse_args(flags)
    except argparse.ArgumentError as error:
        print(printable(f"error: {error}; see --help"), file=sys.stderr)
        return ConfigError.exit_code
    try:
        settings = configuration(arguments)
        from train.tuning import run  # torch and transformers are loaded only once the flags are known to be good

        with contextlib.redirect_stdout(sys.stderr):  # the trainer's log is printed
            summary = run.train(settings, resume=arguments.resume, debug=arguments.debug)
    except IEForgeError as error:
        if arguments.debug:
            traceback.print_exc()
        if is_first:
            print(printable(f"error: {error}"), file=sys.stderr)
        return error.exit_code
    except OSError as error:
        if arguments.debug:
            traceback.print_exc()
        print(printable(f"error: {error.filename}: {error.strerror}; check the path and the disk"), file=sys.stderr)
        return MachineError.exit_code
    except KeyboardInterrupt:
        if is_first:
            print("interrupted; --resume goes on from the last checkpoint", file=sys.stderr)
        return 130
    if is_first:
        print(run.as_json(summary) if arguments.json else printable(run.as_text(summary)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
