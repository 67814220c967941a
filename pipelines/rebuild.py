"""python -m pipelines.rebuild: the raw files of sources that a release left out → the rows that it would have had."""

import argparse
import json
import logging
import sys
import traceback
from collections.abc import Collection, Sequence

import yaml

from pipelines import build, release, sources
from schemas.errors import ConfigError, IEForgeError, SourceError, escape_on_stdout, printable
from transforms import files

FOLDER = "rebuild"
SOURCES, RECIPE = f"{FOLDER}/sources.json", f"{FOLDER}/recipe.yaml"
PROMPTS, DICTIONARIES = f"{FOLDER}/prompts.yaml", f"{FOLDER}/hard_negatives"


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
    leakage = json.loads(files.read_text(f"{output}/reports/stats.json"))["leakage"]
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
            "command": f"python -m pipelines.rebuild --release . --sources {key} --data_root RAW --output DIR",
            "rows": digests[key],
        }
    settings = config.model_dump(mode="json", exclude={"data_root", "sources", "tokens"})
    settings["mine"] |= {"hard_negatives": "none", "embedding_model": None, "pin": {}, "forbid": {}, "cache": None}
    settings["instruct"] |= {"prompts": None}
    texts = {
        SOURCES: json.dumps(found, ensure_ascii=False, indent=1) + "\n",
        RECIPE: yaml.safe_dump(settings, allow_unicode=True, sort_keys=False),
    }
    if config.instruct.prompts:
        texts[PROMPTS] = files.read_text(config.instruct.prompts)
    for file in files.list_files(f"{output}/hard_negatives"):
        if file.name.partition("/")[2].removesuffix(".json") in left_out:
            texts[f"{DICTIONARIES}/{file.name}"] = files.read_text(file.path)
    return texts


def raw_files(ingested: dict, key: str) -> dict[str, str]:
    """Path below a data root → SHA-256 of the source's raw files, as the build read them."""
    folder = sources.folder(key) if key in sources.keys() else key
    return {f"{folder}/{name}": checksum for of in ingested["raw"][key].values() for name, checksum in sorted(of)}


def argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.rebuild",
        description=__doc__,
        epilog="DIR/release then holds the rows, in shards that load_dataset opens. Exit codes: 1 the machine, "
        "2 configuration, 3 files or rows are not those that the release was made of, 130 interrupted.",
        allow_abbrev=False,
    )
    parser.add_argument("--release", metavar="DIR", required=True, help="a release: the folder of its README.md")
    parser.add_argument("--sources", metavar="A,B", required=True, help="keys of sources that it left out")
    parser.add_argument(
        "--data_root", metavar="RAW", required=True, help="folders named by source key, raw files in them"
    )
    parser.add_argument("--output", metavar="DIR", default="rebuilt", help="default: rebuilt/")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    arguments = argument_parser().parse_args(flags)
    escape_on_stdout()
    if not arguments.debug:
        logging.basicConfig(level=logging.CRITICAL)
    try:
        return rebuild(arguments)
    except IEForgeError as error:
        if arguments.debug:
            traceback.print_exc()
        print("error: " + "\n".join(map(printable, str(error).split("\n"))), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where this one stopped", file=sys.stderr)
        return 130


def rebuild(arguments: argparse.Namespace) -> int:
    """Checks the raw files, builds, checks the rows, and writes those of the sources asked for to `release/`."""
    from pipelines import to_path  # with it comes Beam, which takes seconds

    folder, output = arguments.release.rstrip("/"), files.absolute(arguments.output.rstrip("/"))
    if not files.exists(f"{folder}/{SOURCES}"):
        raise ConfigError(f"{folder}: no {SOURCES} in it; name the folder of a release that left sources out")
    to_path.refuse_pattern(output)
    told = files.read_json(f"{folder}/{SOURCES}")
    keys = arguments.sources.split(",")
    for key in keys:
        if key not in told:
            raise ConfigError(f"--sources {key}: not left out of {folder}, which left out {', '.join(told)}")
    expected = {name: checksum for key in keys for name, checksum in told[key]["files"].items()}
    refuse_other_files(arguments.data_root, expected)
    wanted = sorted({name for key in keys for name in (key, *told[key]["needs"])})
    settings = yaml.safe_load(files.read_text(f"{folder}/{RECIPE}"))
    collapse = [key for key in settings["ingest"]["collapse"] if key in wanted]
    flags = ["--recipe", f"{folder}/{RECIPE}", "--data_root", arguments.data_root, "--sources", ",".join(wanted)]
    flags += ["--set", f"ingest.collapse={json.dumps(collapse)}", "--output", output]
    flags += ["--prompts", f"{folder}/{PROMPTS}"] if files.exists(f"{folder}/{PROMPTS}") else []
    flags += ["--hard_negatives", f"{folder}/{DICTIONARIES}"] if files.exists(f"{folder}/{DICTIONARIES}") else []
    code = build.main([*flags, "--debug"] if arguments.debug else flags)
    if code:
        return code
    digests = release.row_digests(output, keys)
    other = [f"{key} {at}" for key in keys for at in told[key]["rows"] if digests[key].get(at) != told[key]["rows"][at]]
    other += [f"{key} {at}" for key in keys for at in digests[key] if at not in told[key]["rows"]]
    if other:
        version = json.loads(files.read_text(f"{folder}/{release.MARKER}"))["ieforge"]
        raise SourceError(
            f"{output}: other rows than in the release's build: {', '.join(other)}; it was made with IEForge {version}"
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
        if not files.exists(path):
            wrong.append(f"{path}: missing")
        elif files.checksum(path) != checksum:
            wrong.append(f"{path}: another file than the release was made of (its SHA-256 is not {checksum})")
    if wrong:
        raise SourceError("not the files that the release was made of:\n" + "\n".join(wrong))


if __name__ == "__main__":
    sys.exit(main())
