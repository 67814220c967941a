"""Prints the records and annotations that a build left out, with place and reason."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence

from schemas import command
from schemas.errors import ConfigError, MachineError, Reason, did_you_mean, names_hint, printable

EPILOG = """\
examples:
  %(prog)s corpus                                        the first 100
  %(prog)s corpus --source my_folder --limit 1000
  %(prog)s corpus --reason offset_mismatch,broken_json

One line each: stage, source, split, place in the file or id of the example, reason, detail, and the text of an
example. Of each split, a build keeps at most 10,000 records and 10,000 annotations that it could not read, and counts
the others in its report.
"""

STAGES = ("ingest", "clean")
"""The stages that leave records out, in their order."""

LIMIT, TEXT_CHARS = 100, 100


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.rejects", __doc__, EPILOG, "user_data.md")
    parser.add_argument("build", metavar="BUILD", help="the folder of a build")
    parser.add_argument("--source", metavar="KEY", help="only those of this source")
    parser.add_argument("--reason", metavar="A,B", help=f"only these reasons: {', '.join(Reason)}")
    parser.add_argument("--limit", metavar="N", default=str(LIMIT), help=f"print at most N; default: {LIMIT}")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, rejects, flags)


def rejects(arguments: argparse.Namespace) -> int:
    reasons = chosen_reasons(arguments.reason)
    if not (arguments.limit.isascii() and arguments.limit.isdigit() and int(arguments.limit)):
        raise ConfigError(f"--limit {arguments.limit}: must be a number of at least 1")
    limit, number = int(arguments.limit), 0
    chosen: list[dict[str, str]] = []
    for row in read(arguments.build, arguments.source):
        if row["reason"] in reasons:
            number += 1
            if number <= limit:
                chosen.append(row)
    texts = read_texts(arguments.build, chosen)
    for row in chosen:
        text = texts.get(row["id"], "")
        print(json.dumps(row | {"text": text}, ensure_ascii=False) if arguments.json else printable(line(row, text)))
    if not number and not arguments.json:
        print("nothing was left out" if not arguments.source and not arguments.reason else "no such reject")
    if number > limit:
        print(f"note: {limit:,} of {number:,}; --limit {number} prints all of them", file=sys.stderr)
    return 0


def line(row: dict[str, str], text: str) -> str:
    start = " ".join((row["stage"], row["source"], row["split"], row["id"] or row["place"]))
    shown = text if len(text) <= TEXT_CHARS else f"{text[:TEXT_CHARS]}..."
    return f"{start}: {row['reason']}: {row['detail']}{f': {shown}' if text else ''}"


KNOWN = ", ".join(Reason)


def chosen_reasons(names: str | None) -> list[str]:
    if names is None:
        return list(Reason)
    chosen = [name.strip() for name in names.split(",")]
    for name in chosen:
        if name not in tuple(Reason):
            raise ConfigError(
                f"--reason {name}: no such reason; {did_you_mean(name, Reason) or f'known reasons: {KNOWN}'}"
            )
    return chosen


def read(build: str, key: str | None) -> Iterator[dict[str, str]]:
    """The rejects of a build: those of ingest first, then by source and file.

    Raises ConfigError if the folder is no build, or has no source `key`.
    """
    from pipelines import build_folder
    from transforms import files
    from transforms.shards import read_batches

    if not files.is_folder(build) or build_folder.read_record(build) is None:
        raise ConfigError(f"{build}: not a build; name the folder that ieforge build wrote (--output)")
    known = read_keys(build)
    if key is not None and key not in known:
        raise ConfigError(f"--source {key}: no source of this build; {names_hint(key, known)}")
    for stage in STAGES:
        folder = f"{build}/rejects/{stage}"
        for file in files.list_files(folder) if files.is_folder(folder) else ():
            if file.name.endswith(".parquet") and (key is None or file.name.startswith(f"{key}/")):
                for table in read_batches(file.path, 10_000):
                    yield from (row for row in table.to_pylist() if key in (None, row["source"]))


def read_keys(build: str) -> set[str]:
    """The keys of the sources that were read, even if no record of them is left."""
    from pipelines import build_folder
    from pipelines.sources.judge import SplitOutcome
    from schemas.manifests import Ingested
    from transforms import files

    try:
        ingested = build_folder.read_result(build, Ingested)
    except MachineError:
        try:
            outcomes = files.read_json(f"{build}/examples/.summary.json", list[SplitOutcome], build_folder.REMEDY)
        except MachineError as error:
            raise ConfigError(f"{build}: has no finished stage yet; run the build first") from error
        return {outcome.key for outcome in outcomes}
    return {*ingested.sources, *ingested.failed}


def read_texts(build: str, rows: Sequence[dict[str, str]]) -> dict[str, str]:
    """Id → text of the examples that clean dropped. The id of a window is that of its example and a number."""
    from transforms import files
    from transforms.shards import read_batches

    wanted: dict[tuple[str, str], dict[str, list[str]]] = {}  # (source, split) → id of the example → ids
    for row in rows:
        if row["id"]:
            example = (
                row["id"] if row["id"].count("/") == row["source"].count("/") + 2 else row["id"].rpartition("/")[0]
            )
            wanted.setdefault((row["source"], row["split"]), {}).setdefault(example, []).append(row["id"])
    texts: dict[str, str] = {}
    for (key, split), ids in wanted.items():
        folder = f"{build}/examples/{key}"
        for file in files.list_files(folder, recursive=False):
            if file.name.startswith(f"{split}-"):
                for table in read_batches(file.path, 10_000, ["id", "text"]):
                    for row in table.to_pylist() if ids else ():
                        texts |= dict.fromkeys(ids.get(row["id"], ()), row["text"])
    return texts


if __name__ == "__main__":
    sys.exit(main())
