"""Shows what a build would read in a folder or file: formats, counts, labels, texts and problems."""

import argparse
import json
import sys
from collections.abc import Sequence

from pipelines.engine import command_line
from schemas import command
from schemas.errors import ConfigError, printable

EPILOG = """\
examples:
  %(prog)s export.json                      one file
  %(prog)s my_folder                        a folder of files, or of one folder per data set
  %(prog)s my_folder --write_source_yaml    also write the guesses into source.yaml, to be corrected

Nothing else is written. The last line is the command that builds a corpus from the folder.
Exit codes: 1 the machine, 2 configuration, or nothing that can be read, 3 a source cannot be read, 130 interrupted.
"""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.inspect", __doc__, EPILOG, "user_data.md")
    parser.add_argument("path", metavar="PATH", help="a folder or a file")
    parser.add_argument(
        "--write_source_yaml", action="store_true", help="write source.yaml with what was guessed; never replaces one"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, inspect, flags)


def inspect(arguments: argparse.Namespace) -> int:
    command_line.silence_logs(arguments)
    from pipelines import inspecting, inspecting_json, inspecting_text  # they import Beam

    inspection = inspecting.inspect(arguments.path)
    written = inspecting.write_source_yaml(inspection) if arguments.write_source_yaml else []
    if arguments.json:
        print(json.dumps(inspecting_json.as_json(inspection, written), ensure_ascii=False))
    else:
        print("\n".join(map(printable, inspecting_text.lines(inspection, written))))
    if not inspection.sources:
        raise ConfigError(f"{arguments.path}: {inspecting_text.why_nothing(inspection)}")
    return 3 if any(source.problem for source in inspection.sources) else 0


if __name__ == "__main__":
    sys.exit(main())
