"""Writes the texts or instructions of a build, or predictions, in the format of another tool."""

import argparse
import json
import sys
from collections.abc import Sequence

from schemas import command, key_list
from schemas.errors import ConfigError, names_hint, printable
from schemas.example import SPLITS

EPILOG = """\
examples:
  %(prog)s --form gliner --output for_gliner build             train.json, dev.json and test.json
  %(prog)s --form spacy --output for_spacy --split train,validation build
  %(prog)s --form messages --output chat build                 prompts and answers, for TRL
  %(prog)s --form label_studio --output to_correct --predictions predictions.joined.jsonl

gliner, gliner2, spacy, conll, brat, label_studio and doccano take the texts after cleaning, with their annotations;
messages, alpaca and sharegpt take the instructions that have an answer. The last lines count what the format cannot
carry.
Exit codes: 1 the machine, 2 configuration, 130 interrupted.
"""

ANNOTATED = ("gliner", "gliner2", "spacy", "conll", "brat", "label_studio", "doccano")
CHAT = ("messages", "alpaca", "sharegpt")


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.export", __doc__, EPILOG, "user_data.md")
    parser.add_argument("build", metavar="BUILD", nargs="?", help="the folder of a finished build")
    parser.add_argument("--form", required=True, metavar="FORM", help=", ".join((*ANNOTATED, *CHAT)))
    parser.add_argument("--output", metavar="DIR", required=True, help="a new folder")
    parser.add_argument("--predictions", metavar="FILE", help="predictions.joined.jsonl of train.predict, not a BUILD")
    parser.add_argument("--split", metavar="A,B", help="train, validation, test; default: all")
    parser.add_argument("--sources", metavar="A,B", help="keys or names of sources; default: all")
    parser.add_argument("--dry_run", action="store_true", help="count, and write nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, export, flags)


def export(arguments: argparse.Namespace) -> int:
    form, output = arguments.form, arguments.output
    if form not in (*ANNOTATED, *CHAT):
        raise ConfigError(f"--form {form}: no such form; {names_hint(form, (*ANNOTATED, *CHAT))}")
    if (arguments.build is None) == (arguments.predictions is None):
        raise ConfigError("nothing to export: give the folder of a build, or --predictions FILE")
    if arguments.predictions and form in CHAT:
        raise ConfigError(f"--form {form}: takes the instructions of a build; export predictions as {ANNOTATED[-2]}")
    if arguments.predictions and (arguments.split or arguments.sources):
        raise ConfigError("--split and --sources choose from a build; predictions are exported whole")
    from pipelines import exporting
    from pipelines.describe.plural import counted

    exporting.check_output(output, arguments.build)
    if arguments.predictions:
        exported = exporting.predictions(form, arguments.predictions)
    else:
        choice = exporting.choose(
            arguments.build,
            chosen_splits(arguments.split),
            key_list.split(arguments.sources, "--sources") if arguments.sources is not None else None,
        )
        exported = exporting.instructions(form, choice) if form in CHAT else exporting.texts(form, choice)
    counts = exporting.count(exported) if arguments.dry_run else exporting.write(exported, output)
    losses, changes = exporting.losses(exported.counts)
    if arguments.json:
        print(json.dumps({"rows": counts, "not_carried": losses, "changed": changes}, ensure_ascii=False))
        return 0
    where = "would write" if arguments.dry_run else f"{output}:"
    rows = ", ".join(f"{name} {counted(number, exported.unit)}" for name, number in counts.items())
    lines = [f"{where} {rows or 'nothing'}"]
    lines += [f"not carried: {counted(number, kind)}" for kind, number in losses.items()]
    lines += [f"changed: {counted(number, kind)}" for kind, number in changes.items()]
    lines += [] if arguments.dry_run else [f"next: {exported.after}"]
    print("\n".join(map(printable, lines)))
    return 0


def chosen_splits(names: str | None) -> list[str]:
    """The splits in the flag --split, in their usual order. `dev` is another name of validation."""
    if names is None:
        return list(SPLITS)
    chosen = {"validation" if name == "dev" else name for name in key_list.split(names, "--split")}
    for name in chosen:
        if name not in SPLITS:
            raise ConfigError(f"--split {name}: no such split; choose from {', '.join(SPLITS)}")
    return [split for split in SPLITS if split in chosen]


if __name__ == "__main__":
    sys.exit(main())
