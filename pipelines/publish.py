"""Publishes a finished, validated build on the Hugging Face Hub or in a folder."""

import argparse
import dataclasses
import json
import logging
import sys
from collections.abc import Sequence

from schemas import command
from schemas.errors import ConfigError, PublishError, printable

EPILOG = """\
examples:
  %(prog)s --output build --dry_run                  the content of a release, and the sources left out
  %(prog)s --output build --to releases/v1           into a folder, or gs://..., s3://..., hdfs://...
  %(prog)s --output build --repo_id org/name --tag v1

The token comes from HF_TOKEN or from `hf auth login`. Sources that must not be redistributed are always left out.
Exit codes: 1 the machine or the connection, 2 configuration, 5 publishing refused, 130 interrupted.
"""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.publish", __doc__, EPILOG, "publish.md")
    parser.add_argument("--output", metavar="DIR", default="build", help="the folder of the build; default: build/")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--repo_id", metavar="ORG/NAME", help="a dataset repository on the Hub; created if it does not exist"
    )
    where.add_argument(
        "--to", metavar="PATH", help="a folder, local or on a remote file system (gs://, s3://, hdfs://)"
    )
    parser.add_argument(
        "--private", action="store_true", help="create the repository as private; refuse one that is public"
    )
    parser.add_argument("--tag", help="set or move this tag to the release")
    parser.add_argument(
        "--include_unlicensed", action="store_true", help="also publish sources without a known licence"
    )
    parser.add_argument("--dry_run", action="store_true", help="print what would be published, and exit")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, publish, flags, after_interrupt=command.RESUME_HINT)


def publish(arguments: argparse.Namespace) -> int:
    if not arguments.debug:  # the library also raises the errors that it logs
        logging.basicConfig(level=logging.CRITICAL)
        logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    if not (arguments.repo_id or arguments.to or arguments.dry_run):
        raise ConfigError(
            "no destination: pass --repo_id ORG/NAME or --to PATH (or --dry_run to see what would be published)"
        )
    if not arguments.repo_id and (arguments.private or arguments.tag is not None):
        raise ConfigError("--private and --tag require --repo_id")
    if arguments.repo_id and "://" in arguments.output:
        raise ConfigError(f"--output {arguments.output}: copy the build to this machine to publish it on the Hub")
    from pipelines import claim
    from pipelines.release import contents, recipes
    from transforms import files

    folder = files.absolute(arguments.output.rstrip("/") or "/")
    if arguments.to and f"{files.absolute(arguments.to)}/".startswith(f"{folder}/"):
        raise ConfigError(f"--to {arguments.to}: is inside the build {arguments.output}; choose a folder outside it")
    if arguments.to:
        if "://" not in arguments.to and files.exists(arguments.to) and not files.is_folder(arguments.to):
            raise ConfigError(f"--to {arguments.to}: is a file; choose a new folder")
        from pipelines.release import to_folder  # imports Beam, which takes seconds

        to_folder.check(arguments.to)
    refusals = contents.refusals(folder)
    if arguments.repo_id:
        from pipelines.release import hub

        hub.check_names(arguments.repo_id, arguments.tag)
        if not arguments.dry_run and not hub.has_token():
            refusals.append("no token for the Hub: log in with `hf auth login`, or set HF_TOKEN")
    kept, left_out = contents.choose(folder, arguments.include_unlicensed)
    if not kept and left_out:
        keys_by_reason: dict[str, list[str]] = {}
        for key, why in left_out.items():
            keys_by_reason.setdefault(why, []).append(key)
        reasons = (f"{', '.join(keys)}: {why}" for why, keys in keys_by_reason.items())
        refusals.append("all sources are left out: " + "; ".join(reasons))
    if refusals:
        raise PublishError(f"{arguments.output} is not published:", *(f"- {reason}" for reason in refusals))
    with claim.claimed(folder):
        prepared = contents.prepare(folder, kept, left_out, recipes.recipe_texts(folder, left_out), arguments.repo_id)
        if arguments.dry_run:
            summary = {}
        elif arguments.to:
            summary = {"to": arguments.to, "sent": to_folder.write(prepared.files, arguments.to)}
        else:
            publication = hub.publish(prepared.files, arguments.repo_id, arguments.private, arguments.tag)
            summary = {"repo_id": arguments.repo_id, **dataclasses.asdict(publication)}
    if arguments.json:
        print(json.dumps(contents.summary(prepared) | summary))
    elif arguments.dry_run:
        for line in contents.summary_lines(prepared):
            print("\t".join(map(printable, line.split("\t"))))
        print(f"total\t{total_line(prepared)}")
    else:
        print(printable(closing_line(prepared, summary)))
    return 0


def closing_line(prepared, summary: dict) -> str:
    """The last line of the command. `summary`: the destination and what was sent there."""
    where = summary.get("to") or summary["repo_id"]
    note = f", tag {summary['tag']} moved" if summary.get("tag_moved") else ""
    sent = f", {summary['sent']} of them sent{note}"
    return f"{where}: {total_line(prepared, sent)}"


def total_line(prepared, sent: str = "") -> str:
    """The numbers of files, bytes and sources of a release."""
    from pipelines.describe.plural import counted

    size = sum(file.size for file in prepared.files)
    return (
        f"{counted(len(prepared.files), 'files')}, {size:,} bytes{sent}; "
        f"{counted(len(prepared.kept), 'sources')}, {len(prepared.left_out)} left out"
    )


if __name__ == "__main__":
    sys.exit(main())
