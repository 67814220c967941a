"""Score predictions against gold annotations: precision, recall, F1 and error classes."""

import argparse
import json
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from schemas import command
from schemas.errors import ConfigError, MachineError, printable
from schemas.example import TASKS
from train import output_file

if TYPE_CHECKING:
    from train.scoring.aggregate import Report

BY = ("task", "source", "split", "file", "length", "labels_asked", "form", "description", "label", "familiarity")
MATCHES = ("normal", "set")
MOST_DRAWS = 100_000

EPILOG = """\
examples:
  %(prog)s --predictions predictions.jsonl --by source
  %(prog)s --predictions p.jsonl --by source,split --by label --html scores.html
  %(prog)s --predictions iepile_output.json --match set --json
  %(prog)s --predictions order1.jsonl order2.jsonl order3.jsonl     mean and spread over runs
  %(prog)s --predictions guided.jsonl free.jsonl --by file --by file,length
  %(prog)s --predictions p.jsonl --by familiarity --familiarity build
  %(prog)s --predictions predictions.jsonl --by source --card adapter         also into the model card
  %(prog)s --predictions predictions.jsonl --hard_negatives build   which confusions the dictionary foresees

Exit codes: 1 the machine, 2 an invalid file or flag.
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
    familiarity: str | None = None,
    show_progress: bool = False,
    hard_negatives: str | None = None,
    with_mistakes: bool = False,
) -> "Report":
    """Scores files of predictions for the same rows. Each file is a run (another label order, another seed).

    `by`: the factors to group by, one tuple per table (`scoring.factors`). With `file`, the files are groups, not runs.
    `familiarity`: a build, or its report, with the familiarity of labels; required if a table is by it.
    `hard_negatives`: a build whose dictionaries the confusions of labels are compared with (`scoring.confusions`).
    `with_mistakes`: also draw texts with their mistakes (`scoring.mistakes`).
    Raises ConfigError as `predictions.load` and `neighbours.load` do, if only some of the tables are by file, and for a
    file that is not a report of familiarity.
    """
    from tqdm import tqdm

    from train.scoring import confusions, familiar, neighbours
    from train.scoring.aggregate import Report, Table, scores, total
    from train.scoring.bootstrap import Bootstrap
    from train.scoring.mistakes import draw_mistakes
    from train.scoring.predictions import align, load
    from train.scoring.tally import tally

    is_by_file = any("file" in columns for columns in by)
    if is_by_file and not all("file" in columns for columns in by):
        raise ConfigError("--by file compares files and the other tables average them; score them in two commands")
    check_paths(*paths, *([gold] if gold else ()))
    kinds: familiar.Familiar = {}
    if familiarity:
        report_path = familiar.report_path(familiarity)
        check_paths(report_path, remedy=familiar.REMEDY)
        kinds = familiar.read(report_path)
    dictionaries = neighbours.load(hard_negatives) if hard_negatives else None
    loaded = [load(path, gold, task) for path in paths]
    runs = [predictions.records for predictions in loaded]
    if is_by_file:
        runs = [list(chain.from_iterable(runs))]
    else:
        align(loaded)
    bootstrap = Bootstrap(draws, seed)
    results = []
    mistakes = None
    for with_repair in (False, True) if repair else (False,):
        with tqdm(
            total=len(runs) * len(runs[0]), desc="repaired" if with_repair else "scored", unit=" texts",
            disable=None if show_progress else True, leave=False,
        ) as bar:  # fmt: skip
            counts = tally(runs, match, with_repair, bar.update, kinds)
        if with_mistakes and not with_repair:
            mistakes = draw_mistakes(runs, counts, match)
        tables = [Table(columns, scores(counts, columns, bootstrap)) for columns in by]
        results.append((total(counts, bootstrap), tables))
    notes = tuple(note for predictions in loaded for note in predictions.notes)
    absent = {run.path: {"missing": run.missing, "unanswerable": run.unanswerable} for run in loaded}
    confused = confusions.report(runs, dictionaries, bootstrap) if dictionaries else None
    report = Report(
        tuple(paths), match, draws, seed, notes, absent, *results[0], confusions=confused, mistakes=mistakes
    )
    return replace(report, repaired_total=results[1][0], repaired=tuple(results[1][1])) if repair else report


def check_paths(*paths: str, remedy: str = "give a JSON Lines file") -> None:
    """Raises ConfigError with `remedy` for the first path that is not a file, before any file is read."""
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror.lower()}; {remedy}") from error
        if is_folder:
            raise ConfigError(f"{path}: is a directory; {remedy}")


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("train.score", __doc__, EPILOG, "score.md")
    parser.add_argument(
        "--predictions", required=True, nargs="+", metavar="FILE",
        help="a file of train.predict, or rows in IEPile's format; several: runs over the same rows",
    )  # fmt: skip
    parser.add_argument("--gold", metavar="FILE", help="file with the gold annotations, joined by id")
    parser.add_argument(
        "--by", action="append", metavar="A[,B]",
        help=f"group the scores by {', '.join(BY)} or a combination; repeat it for several tables (default: task). "
        "With file, the files are compared instead of averaged",
    )  # fmt: skip
    parser.add_argument(
        "--familiarity", metavar="DIR|FILE",
        help="for --by familiarity: the build that the model was trained on, or its reports/familiarity.json",
    )  # fmt: skip
    parser.add_argument("--task", choices=TASKS, help="task of rows that have none, as in older files of IEPile")
    parser.add_argument("--match", choices=MATCHES, default="normal", help="normal counts repetitions, set does not")
    parser.add_argument(
        "--repair", action="store_true", help="also score with invalid JSON repaired, in a second table"
    )
    parser.add_argument(
        "--bootstrap",
        type=int,
        default=1000,
        metavar="N",
        help="number of bootstrap resamples (default: 1000; 0: none)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the resamples (default: 0)")
    parser.add_argument(
        "--hard_negatives", metavar="BUILD",
        help="also compare the confusions of labels with the hard negatives of this build",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--html", metavar="FILE", help="also write a self-contained HTML page with plots and the mistakes"
    )
    parser.add_argument("--card", metavar="DIR", help="also put the first table into the model card of this training")
    return parser


def parse_by(by: Sequence[str] | None) -> list[tuple[str, ...]]:
    """Parses the values of --by into columns, one tuple per table. Raises ConfigError for an unknown column."""
    tables = [tuple(column.strip() for column in value.split(",")) for value in by or ["task"]]
    for column in (column for table in tables for column in table):
        if column not in BY:
            raise ConfigError(f"--by {column}: choose from {', '.join(BY)}")
    return tables


def part_path(path: str) -> str:
    return f"{path}.part"


def write(path: str, content: str) -> None:
    """Writes the file atomically. Raises MachineError if it cannot be written."""
    try:
        Path(part_path(path)).write_text(content, encoding="utf-8")
        os.replace(part_path(path), path)
    except OSError as error:
        raise MachineError(f"{path}: {error.strerror.lower()}; choose another file") from error


def hard_negatives_page(arguments: argparse.Namespace) -> str:
    """The address of the page of hard negatives of the build, relative to that of the scores; "" without one."""
    path = Path(arguments.hard_negatives or "", "reports/hard_negatives.html")
    if not arguments.hard_negatives or not path.is_file():
        return ""
    return quote(os.path.relpath(path, os.path.dirname(os.path.abspath(arguments.html))))


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, print_scores, flags, after_interrupt="nothing was written")


def print_scores(arguments: argparse.Namespace) -> int:
    if arguments.bootstrap < 0 or arguments.seed < 0:
        raise ConfigError("--bootstrap and --seed must be 0 or more")
    if arguments.bootstrap > MOST_DRAWS:
        raise ConfigError(f"--bootstrap {arguments.bootstrap}: must be at most {MOST_DRAWS}")
    by = parse_by(arguments.by)
    is_by_familiarity = any("familiarity" in columns for columns in by)
    if is_by_familiarity and not arguments.familiarity:
        raise ConfigError("--by familiarity needs the report of a build; name the build with --familiarity")
    if arguments.familiarity and not is_by_familiarity:
        raise ConfigError("--familiarity is only for --by familiarity; add it or leave the flag out")
    if arguments.html and not os.path.isdir(os.path.dirname(os.path.abspath(arguments.html))):
        raise MachineError(f"{arguments.html}: no such file or directory; choose another file")
    if arguments.html:
        inputs = [*arguments.predictions, *([arguments.gold] if arguments.gold else [])]
        for path in (arguments.html, part_path(arguments.html)):
            output_file.check("--html", path, inputs)
    if arguments.card:
        from train.tuning import card

        card.check(arguments.card)
    report = score(
        arguments.predictions, arguments.gold, by, arguments.match, arguments.repair,
        arguments.bootstrap, arguments.seed, arguments.task, arguments.familiarity,
        show_progress=True, hard_negatives=arguments.hard_negatives, with_mistakes=bool(arguments.html),
    )  # fmt: skip
    for note in report.notes:
        print(printable(f"note: {note}"), file=sys.stderr)
    from train.scoring.table import as_json, as_text

    if arguments.html:
        from train.scoring.report import page

        write(arguments.html, page(report, hard_negatives_page(arguments)))
    if arguments.card:
        card.add_scores(arguments.card, report)
    if arguments.json:
        print(json.dumps(as_json(report), ensure_ascii=False, indent=1))
        return 0
    print(as_text(report))
    if report.confusions:
        from train.scoring import confusion_table

        print(f"\n{confusion_table.as_text(report.confusions)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
