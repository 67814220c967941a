"""Rebuilds rows of sources that a release left out, from their original files."""

import argparse
import logging
import sys
from collections.abc import Sequence

from pipelines import config
from pipelines.release import contents, recipes
from pipelines.release.recipes import CONTRASTS, DICTIONARIES, PROMPTS
from schemas import command, key_list
from schemas.errors import ConfigError, SourceError, printable
from schemas.releases import HoldOutSettings
from transforms import files
from transforms.settings import merged

EPILOG = """\
example:
  %(prog)s --release releases/v1 --sources conll2003 --data_root raw --output rebuilt

The rows are written to DIR/release, as shards that load_dataset can load.
Exit codes: 1 the machine, 2 configuration, 3 the files or the rows differ from those of the release, 130 interrupted.
"""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.rebuild", __doc__, EPILOG, "publish.md")
    parser.add_argument("--release", metavar="DIR", required=True, help="the folder of a release")
    parser.add_argument(
        "--sources", metavar="A,B", required=True, help='keys of sources that the release left out ("a, b",c)'
    )
    parser.add_argument(
        "--data_root",
        metavar="RAW",
        required=True,
        help="a folder with one folder of original files per source, named by source key",
    )
    parser.add_argument("--output", metavar="DIR", default="rebuilt", help="default: rebuilt/")
    parser.add_argument("--trust", action="store_true", help="load the models named in the recipe of the release")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, rebuild, flags, after_interrupt=command.RESUME_HINT)


def rebuild(arguments: argparse.Namespace) -> int:
    """Checks the original files, runs the build, checks its rows, and writes the rows of `--sources` to `release/`.

    Returns the exit code. Raises ConfigError for a source that the release did not leave out, and SourceError if the
    files or the rows differ from those of the release.
    """
    if not arguments.debug:
        logging.basicConfig(level=logging.CRITICAL)
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    folder, output = arguments.release.rstrip("/"), files.absolute(arguments.output.rstrip("/"))
    release, left_out, settings = recipes.read(folder, arguments.trust)
    keys = key_list.split(arguments.sources, "--sources")
    for key in keys:
        if key not in left_out:
            available = ", ".join(left_out) or "nothing"
            raise ConfigError(f"--sources {key}: not left out of {folder}, which left out {available}")
    check_raw_files(arguments.data_root, {name: sha256 for key in keys for name, sha256 in left_out[key].files.items()})
    from pipelines import driver
    from pipelines.release import to_folder  # these import Beam, which takes seconds

    to_folder.refuse_pattern(output)
    wanted = sorted({name for key in keys for name in (key, *left_out[key].needs)})
    code = driver.build(
        rebuild_settings(settings, folder, arguments.data_root, wanted, [left_out[key].hold_out for key in keys]),
        driver.BuildOptions(output, debug=arguments.debug),
    )
    if code:
        return code
    digests = contents.row_digests(output, keys)
    expected = {key: left_out[key].rows for key in keys}
    differing = [f"{key} {at}" for key in keys for at in expected[key] if digests[key].get(at) != expected[key][at]]
    differing += [f"{key} {at}" for key in keys for at in digests[key] if at not in expected[key]]
    if differing:
        raise SourceError(
            f"{output}: the rows differ from those of the release: {', '.join(differing)}; the release was made with "
            f"IEForge {release.ieforge}"
        )
    prepared = contents.prepare(output, keys, {key: "not requested" for key in wanted if key not in keys}, {}, None)
    to_folder.write(prepared.files, f"{output}/release")
    rows = sum(digest.rows for key in keys for digest in digests[key].values())
    print(
        printable(
            f"{output}/release: {rows:,} instructions of {', '.join(keys)}, the same as in the build of the release"
        )
    )
    return 0


def rebuild_settings(
    settings: config.Config,
    folder: str,
    data_root: str,
    keys: Sequence[str],
    hold_out: Sequence[HoldOutSettings],
) -> config.Config:
    """The settings of the release in `folder`, for a build of the sources `keys` below `data_root` with the prompts,
    dictionaries and contrasts of the release. `hold_out`: the settings of that name of each source.
    """
    changes: dict = {"data_root": data_root, "sources": keys}
    changes["hold_out"] = {
        "labels": sorted({name for one in hold_out for name in one.labels}),
        "themes": sorted({name for one in hold_out for name in one.themes}),
    }
    changes["ingest"] = {"collapse": [key for key in settings.ingest.collapse if key in keys]}
    if files.exists(f"{folder}/{PROMPTS}"):
        changes["instruct"] = {"prompts": f"{folder}/{PROMPTS}"}
    changes["mine"] = {
        setting: f"{folder}/{name}"
        for setting, name in (("hard_negatives", DICTIONARIES), ("contrasts", CONTRASTS))
        if files.exists(f"{folder}/{name}")
    }
    return config.Config.model_validate(merged(settings.model_dump(mode="json"), changes))


def check_raw_files(data_root: str, expected: dict[str, str]) -> None:
    """Raises SourceError that lists the files missing below `data_root` and those with another checksum.

    `expected`: path below `data_root` → SHA-256.
    """
    problems = []
    for name, checksum in sorted(expected.items()):
        path = f"{data_root.rstrip('/')}/{name}"
        if not files.sizes(data_root, [name]):
            problems.append(f"{path}: missing")
        elif files.checksum(path) != checksum:
            problems.append(
                f"{path}: differs from the file that the release was made of (its SHA-256 is not {checksum})"
            )
    if problems:
        raise SourceError("the raw files differ from those of the release:", *problems)


if __name__ == "__main__":
    sys.exit(main())
