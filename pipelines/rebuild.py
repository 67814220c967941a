"""Rebuilds the rows of sources that a release left out, from their raw files."""

import argparse
import json
import logging
import sys
from collections.abc import Collection, Sequence

from pipelines import build, release, release_recipe, shell, sources
from pipelines.release_recipe import DICTIONARIES, PROMPTS, RECIPE, SOURCES
from schemas import command, key_list
from schemas.errors import ConfigError, SourceError, printable
from transforms import files, yaml_values


def recipes(output: str, left_out: Collection[str]) -> dict[str, str]:
    """Name → text of the files by which a release says how to rebuild the sources `left_out` of the build `output`.

    `rebuild/sources.json` names for each the raw files with their SHA-256, the command, and the rows to expect;
    `rebuild/recipe.yaml` holds the settings, `rebuild/hard_negatives/` what the build mined from label names (no text
    of a source): rows then do not depend on an embedding model. Empty where nothing is left out.
    """
    if not left_out:
        return {}
    config = release.built_with(release.manifest(output, "card"))
    ingested = release.manifest(output, "examples")
    leakage = files.read_json(f"{output}/reports/stats.json", dict)["leakage"]
    digests = release.row_digests(output, left_out)
    found = {}
    for key in sorted(left_out):
        about = ingested["sources"][key]
        into = {other for split in ("train", "validation") for other in leakage.get(f"{key}/{split}", ())}
        needs = sorted(into - {key})
        found[key] = {
            "title": about["title"],
            "licence": about["licence"],
            "licence_text": about["licence_text"],
            "get": sources.load(key).get if key in sources.keys() else "the files of whoever published this",
            "needs": needs,
            "files": {name: checksum for one in (key, *needs) for name, checksum in raw_files(ingested, one).items()},
            "command": shell.command(["python", "-m", "pipelines.rebuild", *given_flags(key)]),
            "rows": digests[key],
        }
    settings = config.model_dump(mode="json", exclude={"data_root", "sources", "tokens"})
    settings["mine"] |= {"hard_negatives": "none", "embedding_model": None, "pin": {}, "forbid": {}, "cache": None}
    settings["instruct"] |= {"prompts": None}
    texts = {
        SOURCES: json.dumps(found, ensure_ascii=False, indent=1) + "\n",
        RECIPE: yaml_values.render(settings),
    }
    if config.instruct.prompts:
        texts[PROMPTS] = files.read_text(config.instruct.prompts)
    for file in files.list_files(f"{output}/hard_negatives"):
        if file.name.partition("/")[2].removesuffix(".json") in left_out:
            texts[f"{DICTIONARIES}/{file.name}"] = files.read_text(file.path)
    return texts


def given_flags(key: str) -> list[str]:
    return ["--release", ".", "--sources", key_list.join([key]), "--data_root", "RAW", "--output", "DIR"]


def raw_files(ingested: dict, key: str) -> dict[str, str]:
    """Path below a data root → SHA-256 of the source's raw files, as the build read them."""
    folder = sources.folder(key) if key in sources.keys() else key
    return {f"{folder}/{name}": checksum for of in ingested["raw"][key].values() for name, checksum in sorted(of)}


EPILOG = """\
The rows are written to DIR/release, in shards that load_dataset opens.
Exit codes: 1 the machine, 2 configuration, 3 the files or the rows differ from those of the release, 130 interrupted.
"""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.rebuild", __doc__, EPILOG)
    parser.add_argument("--release", metavar="DIR", required=True, help="a release: the folder of its README.md")
    parser.add_argument("--sources", metavar="A,B", required=True, help='keys of sources that it left out ("a, b",c)')
    parser.add_argument(
        "--data_root", metavar="RAW", required=True, help="folders named by source key, raw files in them"
    )
    parser.add_argument("--output", metavar="DIR", default="rebuilt", help="default: rebuilt/")
    parser.add_argument("--trust", action="store_true", help="load the models that the release's recipe names")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, rebuild, flags, after_interrupt=command.GOES_ON)


def rebuild(arguments: argparse.Namespace) -> int:
    """Checks the raw files, builds, checks the rows, and writes those of the sources asked for to `release/`."""
    if not arguments.debug:
        logging.basicConfig(level=logging.CRITICAL)
    folder, output = arguments.release.rstrip("/"), files.absolute(arguments.output.rstrip("/"))
    marker, left_out, settings = release_recipe.read(folder, arguments.trust)
    keys = key_list.split(arguments.sources, "--sources")
    for key in keys:
        if key not in left_out:
            those = ", ".join(left_out) or "nothing"
            raise ConfigError(f"--sources {key}: not left out of {folder}, which left out {those}")
    refuse_other_files(arguments.data_root, {name: of for key in keys for name, of in left_out[key]["files"].items()})
    from pipelines import to_path  # with it comes Beam, which takes seconds

    to_path.refuse_pattern(output)
    wanted = sorted({name for key in keys for name in (key, *left_out[key]["needs"])})
    collapse = [key for key in settings.ingest.collapse if key in wanted]
    flags = ["--recipe", f"{folder}/{RECIPE}", "--data_root", arguments.data_root]
    flags += ["--sources", key_list.join(wanted), "--set", f"ingest.collapse={json.dumps(collapse)}"]
    flags += ["--output", output]
    flags += ["--prompts", f"{folder}/{PROMPTS}"] if files.exists(f"{folder}/{PROMPTS}") else []
    flags += ["--hard_negatives", f"{folder}/{DICTIONARIES}"] if files.exists(f"{folder}/{DICTIONARIES}") else []
    code = build.main([*flags, "--debug"] if arguments.debug else flags)
    if code:
        return code
    digests = release.row_digests(output, keys)
    expected = {key: left_out[key]["rows"] for key in keys}
    other = [f"{key} {at}" for key in keys for at in expected[key] if digests[key].get(at) != expected[key][at]]
    other += [f"{key} {at}" for key in keys for at in digests[key] if at not in expected[key]]
    if other:
        raise SourceError(
            f"{output}: other rows than in the release's build: {', '.join(other)}; it was made with IEForge "
            f"{marker['ieforge']}"
        )
    prepared = release.prepare(output, keys, {key: "not asked for" for key in wanted if key not in keys}, {}, None)
    to_path.write(prepared.files, f"{output}/release")
    rows = sum(of["rows"] for key in keys for of in digests[key].values())
    print(
        printable(f"{output}/release: {rows:,} instructions of {', '.join(keys)}, the same as in the release's build")
    )
    return 0


def refuse_other_files(data_root: str, expected: dict[str, str]) -> None:
    """Raises SourceError naming every file that is missing below `data_root` or has another checksum."""
    wrong = []
    for name, checksum in sorted(expected.items()):
        path = f"{data_root.rstrip('/')}/{name}"
        if not files.sizes(data_root, [name]):
            wrong.append(f"{path}: missing")
        elif files.checksum(path) != checksum:
            wrong.append(f"{path}: another file than the release was made of (its SHA-256 is not {checksum})")
    if wrong:
        raise SourceError("not the files that the release was made of:", *wrong)


if __name__ == "__main__":
    sys.exit(main())
