"""Writes pairs of a right and a wrong answer to the instructions of a build, for training on preferences."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence

from schemas import command, key_list
from schemas.errors import ConfigError, printable

EPILOG = """\
examples:
  %(prog)s --output preferences build
  %(prog)s --output preferences --sources scierc,clue_ner --seed 1 build

A wrong answer has one mistake: an item under a confusable label, a mention a word too short or too long, subject and
object swapped, an item left out, or an item that the text does not contain. The rows have the columns of TRL's
DPOTrainer. No model is needed, and the same build and seed give the same bytes.
Exit codes: 1 the machine, 2 configuration, 130 interrupted.
"""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.preferences", __doc__, EPILOG, "tune.md")
    parser.add_argument("build", metavar="BUILD", help="the folder of a finished build")
    parser.add_argument("--output", metavar="DIR", required=True, help="a new folder")
    parser.add_argument("--sources", metavar="A,B", help="keys or names of sources; default: all")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the mistakes (default: 0)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, write, flags)


def write(arguments: argparse.Namespace) -> int:
    if arguments.seed < 0:
        raise ConfigError("--seed must be 0 or more")
    from pipelines import exporting, preferring
    from pipelines.describe.plural import counted

    exporting.check_output(arguments.output, arguments.build)
    names = key_list.split(arguments.sources, "--sources") if arguments.sources is not None else None
    written = preferring.write(
        exporting.choose(arguments.build, preferring.SPLITS, names), arguments.output, arguments.seed
    )
    if arguments.json:
        print(json.dumps(dataclasses.asdict(written)))
        return 0
    total = sum(written.pairs.values())
    lines = [f"{arguments.output}: {counted(total, 'pairs')} of {counted(written.instructions, 'instructions')}"]
    lines += [
        f"{kind}: {counted(number, 'pairs')}, not possible for {counted(written.impossible[kind], 'instructions')}"
        for kind, number in written.pairs.items()
    ]
    print("\n".join(map(printable, lines)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
