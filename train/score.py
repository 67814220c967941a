"""python -m train.score: predictions beside their gold → precision, recall, F1 and what kinds of errors there are."""

import argparse
import json
import os
import stat
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import ConfigError, IEForgeError, MachineError, escape_on_stdout, printable
from schemas.example import TASKS
from train import output_file

if TYPE_CHECKING:
    from train.scoring.aggregate import Report

BY = ("task", "source", "label", "split")
MATCHES = ("normal", "set")
MOST_DRAWS = 100_000

EPILOG = """\
examples:
  python -m train.score --predictions predictions.jsonl --by source
  python -m train.score --predictions p.jsonl --by source,split --by label --html scores.html
  python -m train.score --predictions iepile_output.json --match set --json
  python -m train.score --predictions order1.jsonl order2.jsonl order3.jsonl     mean and spread over runs

docs/score.md defines every figure. Exit codes: 1 the machine, 2 a file or a flag is wrong.
"""


def score(
    paths: Sequence[str],
    gold: str | None = None,
    by: Sequence[tuple[str, ...]] = (("task",),),
    match: str = "normal",
    repair: bool = False,
    draws: int = 1000,
    seed: int = 0,
    task: str | None = None,
    show_progress: bool = False,
) -> "Report":
    """Scores files of predictions for the same rows, each a run (another order of labels, another seed).

    `by`: a table for each, its groups told apart by these columns. Raises ConfigError as `predictions.load` does.
    """
    from tqdm import tqdm

    from train.scoring.aggregate import Report, Table, scores, total
    from train.scoring.bootstrap import Bootstrap
    from train.scoring.predictions import load, together
    from train.scoring.tally import tally

    check_paths(*paths, *([gold] if gold else ()))
    loaded = [load(path, gold, task) for path in paths]
    together(loaded)
    runs = [predictions.records for predictions in loaded]
    bootstrap = Bootstrap(draws, seed)
    found = []
    for with_repair in (False, True) if repair else (False,):
        with tqdm(
            total=len(runs) * len(runs[0]), desc="repaired" if with_repair else "scored", unit=" texts",
            disable=None if show_progress else True, leave=False,
        ) as bar:  # fmt: skip
            counts = tally(runs, match, with_repair, bar.update)
        tables = [Table(columns, scores(counts, columns, bootstrap)) for columns in by]
        found.append((total(counts, bootstrap), tables))
    notes = tuple(note for predictions in loaded for note in predictions.notes)
    report = Report(tuple(paths), match, draws, seed, notes, *found[0])
    if not repair:
        return report
    return Report(tuple(paths), match, draws, seed, notes, *found[0], found[1][0], tuple(found[1][1]))


def check_paths(*paths: str) -> None:
    """Raises ConfigError for the first that is no file, before one of them is read."""
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror.lower()}; name a JSON Lines file") from error
        if is_folder:
            raise ConfigError(f"{path}: is a directory; name a JSON Lines file")


def argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train.score",
        description=__doc__.split(": ", 1)[1],
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--predictions", required=True, nargs="+", metavar="FILE",
        help="what train.predict wrote, or rows in IEPile's form; several files are runs over the same rows",
    )  # fmt: skip
    parser.add_argument("--gold", metavar="FILE", help="rows with what the predictions lack, joined by id")
    parser.add_argument(
        "--by", action="append", metavar="A[,B]",
        help=f"a table with a row for each {', '.join(BY)} or combination; may be repeated (default: task)",
    )  # fmt: skip
    parser.add_argument("--task", choices=TASKS, help="of rows that name none, as in older files of IEPile")
    parser.add_argument("--match", choices=MATCHES, default="normal", help="normal counts repetitions, set does not")
    parser.add_argument("--repair", action="store_true", help="also score with broken JSON repaired, as a second table")
    parser.add_argument("--bootstrap", type=int, default=1000, metavar="N", help="resamples (default: 1000; 0: none)")
    parser.add_argument("--seed", type=int, default=0, help="of the resamples (default: 0)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--html", metavar="FILE", help="also write a page with plots, for reading offline")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def columns_of(by: Sequence[str] | None) -> list[tuple[str, ...]]:
    tables = [tuple(part.strip() for part in one.split(",")) for one in by or ["task"]]
    for column in (column for table in tables for column in table):
        if column not in BY:
            raise ConfigError(f"--by {column}: choose from {', '.join(BY)}")
    return tables


def part_of(path: str) -> str:
    return f"{path}.part"


def write(path: str, content: str) -> None:
    """Whole or not at all."""
    try:
        Path(part_of(path)).write_text(content, encoding="utf-8")
        os.replace(part_of(path), path)
    except OSError as error:
        raise MachineError(f"{path}: {error.strerror.lower()}; name another file") from error


def main(flags: Sequence[str] | None = None) -> int:
    escape_on_stdout()
    options = argument_parser().parse_args(flags)
    try:
        if options.bootstrap < 0 or options.seed < 0:
            raise ConfigError("--bootstrap and --seed take whole numbers from 0")
        if options.bootstrap > MOST_DRAWS:
            raise ConfigError(f"--bootstrap {options.bootstrap}: must be at most {MOST_DRAWS}")
        by = columns_of(options.by)
        if options.html and not os.path.isdir(os.path.dirname(os.path.abspath(options.html))):
            raise MachineError(f"{options.html}: no such file or directory; name another file")
        if options.html:
            inputs = [*options.predictions, *([options.gold] if options.gold else [])]
            for written in (options.html, part_of(options.html)):
                output_file.check("--html", written, inputs)
        report = score(
            options.predictions, options.gold, by, options.match, options.repair,
            options.bootstrap, options.seed, options.task, show_progress=True,
        )  # fmt: skip
        for note in report.notes:
            print(printable(f"note: {note}"), file=sys.stderr)
        from train.scoring.table import as_json, as_text

        if options.html:
            from train.scoring.report import page

            write(options.html, page(report))
        shown = json.dumps(as_json(report), ensure_ascii=False, indent=1) if options.json else as_text(report)
        print(shown, flush=True)
    except IEForgeError as error:
        if options.debug:
            traceback.print_exc()
        print(printable(f"error: {error}"), file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader of the table, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
