"""python -m pipelines.sources: every source, whether its files are there, and what is wrong with them."""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from pipelines import registry
from pipelines.sources import Found, Source
from schemas.errors import BadRecord, ConfigError, IEForgeError, SourceError, escape_on_stdout, printable
from transforms.normalize import normalize

FIRST_PROBLEMS = 3
LAYERS = ("entities", "relations", "events")


def argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.sources",
        description=__doc__,
        epilog="exit codes: 2 configuration, 3 a source that is there cannot be read",
    )
    parser.add_argument("--data_root", metavar="DIR", help="folders named by source key, original files in them")
    parser.add_argument(
        "--verify",
        nargs="?",
        const="",
        metavar="DIR",
        help="read what is there; print counts and the first problems (DIR: as --data_root DIR --verify)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a source and line")
    return parser


def describe(key: str, source: Source, found: Found | None) -> dict:
    """What a row of the list says. `state`: found, missing, or empty where no data root was given."""
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
        "files": {split: [file.name for file in group] for split, group in found.splits.items()} if found else {},
        "ignored": [file.name for file in (*found.ignored, *found.unassigned)] if found else [],
        "get": source.get,
    }


def verify(source: Source, found: Found) -> dict[str, dict]:
    """Split → counts of what can be read, how many bad records there are, and the first of them."""
    report = {}
    for split in found.splits:
        counts = dict.fromkeys(("examples", *LAYERS), 0)
        problems: list[str] = []
        bad = 0
        try:
            for record in found.read(split):
                if not isinstance(record, BadRecord):
                    record = normalize(
                        record, source.entity_labels, source.relation_labels, source.event_labels, source.role_names
                    )
                if isinstance(record, BadRecord):
                    bad += 1
                    problems.append(f"{record.place}: {record.reason}: {record.detail}")
                    del problems[FIRST_PROBLEMS:]
                else:
                    counts["examples"] += 1
                    for layer in LAYERS:
                        counts[layer] += len(getattr(record, layer) or ())
        except SourceError as error:
            problems.insert(0, str(error))
            counts["failed"] = str(error)
        report[split] = {**counts, "bad_records": bad, "first_problems": problems}
    return report


def main(flags: Sequence[str] | None = None) -> int:
    arguments = argument_parser().parse_args(flags)
    escape_on_stdout()
    data_root = arguments.verify or arguments.data_root
    try:
        if arguments.verify is not None and not data_root:
            raise ConfigError("--verify needs a data root: --verify DIR")
        return show(data_root, arguments.verify is not None, arguments.json)
    except IEForgeError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def show(data_root: str | None, verified: bool, as_json: bool) -> int:
    """Prints the list and returns the exit code."""
    code = 0
    for located in registry.everything(registry.listing(data_root)) if data_root else registry.without_files():
        row = describe(located.key, located.source, located.found)
        if data_root:
            row["state"] = "missing" if not located.found else "unreadable" if located.problem else "found"
            row["problem"] = located.problem if row["state"] == "unreadable" else ""
        if verified and row.get("state") == "found":
            row["splits"] = verify(located.source, located.found)
        if verified and (row["problem"] or any("failed" in split for split in row.get("splits", {}).values())):
            code = 3
        print(json.dumps(row) if as_json else "\n".join(lines(row)))
    return code


def lines(row: dict) -> list[str]:
    """The row for people: one line, and one more for each split and each thing to do."""
    state = row.get("state", "")
    seen = "" if row["real_files_seen"] else "not yet tried on real files"
    notes = ["held out"] if row["held_out"] else []
    first = (
        row["key"],
        row["lang"],
        ",".join(row["tasks"]),
        row["licence"],
        state,
        "; ".join([*notes, seen]).strip("; "),
    )
    told = ["\t".join(map(printable, first)).rstrip()]
    if state == "missing":
        told.append(f"    get: {row['get']} ({row['homepage']})")
    if row.get("problem"):
        told.append(f"    {printable(row['problem'])}")
    for split, counts in row.get("splits", {}).items():
        numbers = ", ".join(f"{counts[name]:,} {name}" for name in ("examples", *LAYERS) if counts[name])
        told.append(f"    {split}: {numbers or 'nothing'}; {counts['bad_records']:,} bad records")
        told.extend(f"        {printable(problem)}" for problem in counts["first_problems"])
    return told


if __name__ == "__main__":
    sys.exit(main())
