"""Lists the sources, whether their files are present, and their problems; fetches files."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence

import msgspec

from pipelines.config import Ingest
from pipelines.sources import Source, reading, registry
from pipelines.sources.fetching.fetch import fetch
from pipelines.sources.judge import SplitOutcome, judge
from pipelines.sources.source_files import SourceFiles
from pipelines.sources.unread import unread_files
from schemas import command, key_list
from schemas.errors import BadRecord, ConfigError, Reason, SourceError, printable
from schemas.manifests import LayerCounts, SplitRead

FIRST_PROBLEMS = 3
LAYERS = ("entities", "relations", "events")


EPILOG = """\
examples:
  %(prog)s --data_root raw                            which sources are there, and where to get the others
  %(prog)s --fetch conll2004,scierc --data_root raw   download them, as far as that is possible without registration
  %(prog)s --verify raw                               read everything, and count

Exit codes: 1 the machine or the connection, 2 configuration, 3 a source cannot be read, 130 interrupted.
"""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.sources", __doc__, EPILOG, "data.md")
    parser.add_argument(
        "--data_root", metavar="DIR", help="folder with one folder of original files per source, named by source key"
    )
    parser.add_argument(
        "--verify",
        nargs="?",
        const="",
        metavar="DIR",
        help="read all files that are present; print counts and the first problems (DIR: as --data_root DIR --verify)",
    )
    parser.add_argument(
        "--fetch",
        metavar="KEYS",
        help="download the original files of these sources (comma-separated, or all) into --data_root, as far as their "
        "owners offer them without registration; an interrupted download goes on where it stopped",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per source, one per line")
    return parser


def describe(key: str, source: Source, files: SourceFiles | None) -> dict:
    """The row of a source in the list. `files`: its files, None if it has none or no data root is given."""
    return {
        "key": key,
        "name": source.name,
        "tasks": list(source.tasks),
        "lang": source.lang,
        "domain": source.domain,
        "licence": str(source.licence),
        "licence_text": source.licence_text,
        "held_out": source.held_out,
        "real_files_seen": source.real_files_seen,
        "homepage": source.homepage,
        "files": {split: [file.name for file in group] for split, group in files.splits.items()} if files else {},
        "ignored": [file.name for file in (*files.ignored, *files.unassigned)] if files else [],
        "downloads": [one.url for one in source.downloads],
        "get": source.get,
    }


def verify(key: str, source: Source, source_files: SourceFiles) -> list[SplitOutcome]:
    """Reads each split without writing its examples. `first_rejects` of the outcomes includes lost parts of records."""
    outcomes = []
    for split, files in source_files.splits.items():
        read = dict.fromkeys(("examples", *LAYERS), 0)
        rejected: Counter[Reason] = Counter()
        lost: Counter[Reason] = Counter()
        problems: list[str] = []
        annotated = 0
        failed = empty = ""
        try:
            for record in reading.records(source, source_files.other_forms.get(split, source_files.form), files):
                if isinstance(record, BadRecord):
                    rejected[Reason(record.reason)] += 1
                    problems.append(f"{record.place}: {record.reason}: {record.detail}")
                else:
                    read["examples"] += 1
                    for layer in LAYERS:
                        read[layer] += len(getattr(record, layer) or ())
                    annotated += any(getattr(record, layer) is not None for layer in LAYERS)
                    lost.update(Reason(problem.reason) for problem in record.lost)
                    problems += [f"{problem.place}: {problem.reason}: {problem.detail}" for problem in record.lost]
                del problems[FIRST_PROBLEMS:]
            if not read["examples"] and not rejected:
                raise reading.no_record(files)
        except reading.NoRecord as error:
            empty = str(error)
        except SourceError as error:
            failed = str(error)
        if failed or empty:
            read, annotated, lost = dict.fromkeys(("examples", *LAYERS), 0), 0, Counter()
        counts = SplitRead(
            key, split, LayerCounts(**read), annotated, 0, dict(rejected), dict(lost), tuple(problems), (), ()
        )
        outcomes.append(SplitOutcome(key, split, counts, failed, empty))
    return outcomes


def as_splits(outcomes: list[SplitOutcome]) -> dict[str, dict]:
    """Split → its counts and first problems, for the row of the source."""
    return {
        outcome.split: {
            **msgspec.structs.asdict(outcome.counts.read),
            "bad_records": sum(outcome.counts.rejected.values()),
            "lost_parts": sum(outcome.counts.lost.values()),
            "first_problems": outcome.counts.first_rejects,
        }
        for outcome in outcomes
        if outcome.counts is not None
    }


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, list_sources, flags)


def list_sources(arguments: argparse.Namespace) -> int:
    data_root = arguments.verify or arguments.data_root
    if arguments.fetch is not None:
        if not data_root or arguments.verify is not None or arguments.json:
            raise ConfigError("--fetch needs --data_root DIR, and neither --verify nor --json")
        return fetch(key_list.split(arguments.fetch, "--fetch"), data_root)
    if arguments.verify is not None and not data_root:
        raise ConfigError("--verify needs a data root: --verify DIR")
    return show(data_root, arguments.verify is not None, arguments.json)


def show(data_root: str | None, verified: bool, as_json: bool) -> int:
    """Prints the list and returns the exit code. Verified sources are judged like in a build with default settings."""
    listing = registry.list_root(data_root) if data_root else None
    all_sources = registry.locate_all(listing) if listing else registry.without_files()
    rows = {located.key: describe(located.key, located.source, located.files) for located in all_sources}
    outcomes: list[SplitOutcome] = []
    for located in all_sources if listing else ():
        row = rows[located.key]
        row["state"] = "missing" if not located.files else "unreadable" if located.problem else "found"
        row["problem"] = located.problem if row["state"] == "unreadable" else ""
        if verified and located.files and row["state"] == "found":
            source_outcomes = verify(located.key, located.source, located.files)
            row["splits"] = as_splits(source_outcomes)
            outcomes += source_outcomes
    verdict = judge(outcomes, {located.key: located.source for located in all_sources}, Ingest().max_reject_rate)
    for key, problem in verdict.failed.items():
        rows[key]["problem"] = problem
    for key in verdict.absent:
        rows[key]["state"], rows[key]["splits"] = "no text of it in the files", {}
    for row in sorted(rows.values(), key=lambda row: row.get("state") == "missing"):  # those with files come first
        print(json.dumps(row) if as_json else "\n".join(lines(row)))
    for unread in unread_files(listing, all_sources, None) if listing else ():
        print(f"note: {printable(str(unread))}", file=sys.stderr)
    return 3 if verified and any(row.get("problem") for row in rows.values()) else 0


def lines(row: dict) -> list[str]:
    """The row as text: one line, followed by one line per split and per problem."""
    state = row.get("state", "")
    seen = "" if row["real_files_seen"] else "not yet tested on real files"
    notes = ["held out"] if row["held_out"] else []
    first = (
        row["key"],
        row["lang"],
        ",".join(row["tasks"]),
        row["licence"],
        state,
        "; ".join([*notes, seen]).strip("; "),
    )
    text_lines = ["\t".join(map(printable, first)).rstrip()]
    if state == "missing":
        fetched = f"--fetch {row['key']}, or " if row["downloads"] else ""
        text_lines.append(f"    get: {fetched}{row['get']} ({row['homepage']})")
    if row.get("problem"):
        text_lines.append(f"    {printable(row['problem'])}")
    for split, counts in row.get("splits", {}).items():
        numbers = ", ".join(f"{counts[name]:,} {name}" for name in ("examples", *LAYERS) if counts[name])
        lost = f", {counts['lost_parts']:,} lost parts of records" if counts["lost_parts"] else ""
        text_lines.append(f"    {split}: {numbers or 'nothing'}; {counts['bad_records']:,} bad records{lost}")
        text_lines.extend(f"        {printable(problem)}" for problem in counts["first_problems"])
    return text_lines


if __name__ == "__main__":
    sys.exit(main())
