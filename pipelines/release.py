"""A whole build → its release: what may be published of it, shards, card and counts rewritten to just that."""

import hashlib
import importlib.metadata
import json
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypedDict

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import card, croissant, dag, dataset_info, figures, manifests, sources
from pipelines.build import STAGES
from pipelines.config import Config
from pipelines.manifests import Count, Inside, Sha256
from pipelines.output import recorded, settings
from pipelines.sources import Licence
from schemas.arrow import INSTRUCTIONS
from schemas.errors import ConfigError
from schemas.id_columns import source_keys
from transforms import files
from transforms.shards import read_batches, write_shard

WORK = ".release"
"""Where what is rewritten for a release waits, below the output folder; hidden from builds and loaders."""

MARKER = "release.json"
"""What a release holds, in the release itself: by it a later one knows which files it may replace or delete."""


class InRelease(TypedDict):
    size: Count
    sha256: Sha256


class Marker(TypedDict):
    ieforge: str
    files: dict[Inside, InRelease]


REPORT = "reports/report.html"
AS_THEY_ARE = ("reports/validation.json", "reports/data_docs/index.html")
ROWS_A_TABLE = 5_000
OWN_LICENCE = (
    "write license: and its SPDX name (CC-BY-4.0, MIT) into its source.yaml, or license: open where you may, "
    "and build again"
)


@dataclass(frozen=True)
class ReleaseFile:
    """One file of a release: its name there, and where its bytes lie now."""

    name: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """A shard of a release: its name there, the build's shard, its sources, and whether it has rows of others."""

    name: str
    built: str
    keys: tuple[str, ...]
    mixed: bool


@dataclass(frozen=True)
class Release:
    """`kept`: key → what the build says of the source; `left_out`: key → why; `holds`: shard → keys of its sources."""

    files: tuple[ReleaseFile, ...]
    kept: dict[str, dict]
    left_out: dict[str, str]
    holds: dict[str, tuple[str, ...]]


def manifest(output: str, folder: str) -> dict:
    """The manifest of the stage whose first folder this is. Raises MachineError where there is none."""
    return files.read_json(f"{output}/{folder}/manifest.json", dict)


def manifests_below(output: str) -> Iterator[tuple[str, dict]]:
    """(name, manifest) of the stages that have ended; one that is spoilt counts for none, as in a build."""
    for file in files.list_files(output):
        if posixpath.basename(file.name) == "manifest.json":
            content = manifests.read(file.path)
            form = manifests.FORMS.get(content["stage"], manifests.Manifest) if content else None
            if form and manifests.read(file.path, form):
                yield file.name, content


def by_stage(output: str) -> dict[str, dict]:
    """Stage name → manifest, of the stages that have ended."""
    return {content["stage"]: content for _, content in manifests_below(output)}


def refusals(output: str) -> list[str]:
    """Every reason why the build in `output` cannot be published, each with what to do.

    Raises ConfigError where it is no build.
    """
    if not files.is_folder(output) or recorded(output) is None:
        raise ConfigError(f"{output}: no build in it; name the --output folder of python -m pipelines.build")
    found = by_stage(output)
    again = "run python -m pipelines.build again with the same flags"
    reasons = []
    unfinished = [stage for stage in STAGES if stage not in found]
    before = [stage for stage in unfinished if stage not in ("validate", "card")]
    if before:
        reasons.append(f"the build is not whole, it lacks {', '.join(before)}: {again}, without --only")
    if "validate" in unfinished:
        failed = files.exists(f"{output}/reports/validation.json")
        todo = f"mend what {output}/reports/data_docs/index.html names, then " if failed else ""
        reasons.append(f"no passed validation: {todo}{again}")
    if "card" in unfinished or "config" not in found["card"]:  # an older IEForge did not record it
        reasons.append(f"no card: {again}, to its last stage")
    else:
        try:
            limit = built_with(found["card"]).ingest.limit
        except ConfigError:
            reasons.append(f"card/manifest.json was altered, or is of another IEForge: delete it, then {again}")
        else:
            if limit is not None:
                reasons.append(f"built with --limit {limit}, which makes a sample: build without it")
    shards = [shard for stage in ("clean", "instruct") for shard in found.get(stage, {"shards": ()})["shards"]]
    if any("histograms" not in shard for shard in shards):  # likewise
        reasons.append(f"made by an older IEForge, without what the report adds up: {again}")
    for key, reason in found.get("ingest", {"failed": {}})["failed"].items():
        reasons.append(f"source {key} failed ({reason}): mend it, or name the others with --sources and build again")
    for stage, content in found.items():
        there = files.sizes(output, content["files"])
        changed = sorted(name for name, size in content["files"].items() if there.get(name) != size)
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            reasons.append(f"{changed[0]}{more} changed or gone since stage {stage} ended: {again}")
        unchanged = content["files"].keys() - changed
        same_size = {name: sha256 for name, sha256 in content["sha256"].items() if name in unchanged}
        now = dag.checksums(output, same_size)
        for name in sorted(name for name, sha256 in same_size.items() if now[name] != sha256):
            reasons.append(f"{name} holds other bytes than were written: delete it, then {again}")
    if not reasons:  # what is wrong besides has the stage run again, which writes its manifest anew
        reasons += [
            f"{name} was altered since it was written: delete it, then {again}"
            for name, content in manifests_below(output)
            if content["checksum"] != manifests.checksum(content)
        ]
    return reasons


def built_with(card_manifest: dict) -> Config:
    """The configuration that all stages ran with (`build.json` may already tell that of a later, partial build)."""
    return settings(card_manifest["config"], "card/manifest.json")


def choose(output: str, include_unlicensed: bool) -> tuple[list[str], dict[str, str]]:
    """(keys of the sources to publish, key → why it is left out), by the licences that are known today.

    A user's own source that bears a gated source's name is taken for that source in another form, unless its licence is
    the word `open`: copies of gated data state licences that are not their owners'.
    """
    gated = {
        plain(name): source.licence_text
        for key, source in ((key, sources.load(key)) for key in sources.keys())
        if source.licence == Licence.GATED
        for name in (key, source.name)
    }
    kept, left_out = [], {}
    ingested = by_stage(output).get("ingest", {"sources": {}})
    for key, source in sorted(ingested["sources"].items()):
        licence = sources.load(key).licence if key in sources.keys() else source["licence"]
        if licence == Licence.GATED:
            left_out[key] = f"gated ({source['licence_text']})"
        elif key not in sources.keys() and source["licence_text"] != Licence.OPEN and plain(source["name"]) in gated:
            left_out[key] = f"gated, by its name {source['name']} ({gated[plain(source['name'])]})"
        elif licence == Licence.ASK and not include_unlicensed:
            todo = "" if key in sources.keys() else f"; {OWN_LICENCE}"
            left_out[key] = f"no licence known that allows to pass it on ({source['licence_text']}){todo}"
        else:
            kept.append(key)
    return kept, left_out


def plain(name: str) -> str:
    """A source's name without what tells two spellings apart: ACE 2005, ace-2005."""
    return re.sub(r"[\W_]", "", name).casefold()


def parts(shards: Iterable[dict], keep: Collection[str]) -> list[Part]:
    """The shards that have rows of sources to `keep`, numbered anew within their task and split."""
    groups: dict[tuple[str, str], list[dict]] = {}
    for shard in shards:
        groups.setdefault((shard["task"], shard["split"]), []).append(shard)
    found = []
    for (task, split), group in groups.items():
        holding = [(shard, [key for key, n in shard["sources"].items() if n["instructions"]]) for shard in group]
        holding = [(shard, keys) for shard, keys in holding if not keep.isdisjoint(keys)]
        for number, (shard, keys) in enumerate(holding):
            name = f"data/{task}/{split}-{number:05d}-of-{len(holding):05d}.parquet"
            ours = tuple(key for key in keys if key in keep)
            found.append(Part(name, shard["path"], ours, len(ours) < len(keys)))
    return found


def kept_rows(path: str, keep: Collection[str]) -> Iterator[pa.Table]:
    """The shard's rows of these sources, in their order."""
    wanted = pa.array(sorted(keep), pa.string())
    for table in read_batches(path, ROWS_A_TABLE):
        yield table.filter(pc.is_in(source_keys(table["example_id"]), wanted))


def row_digests(output: str, keys: Collection[str]) -> dict[str, dict[str, dict]]:
    """Source → "task/split" → rows and the SHA-256 over them: each row's values as a JSON list, one a line, in order.

    By these a rebuilt source is compared with the one that a release left out.
    """
    digests: dict[str, dict[str, list]] = {key: {} for key in sorted(keys)}
    for shard in manifest(output, "data")["shards"]:
        held = [key for key in shard["sources"] if key in digests]
        for table in kept_rows(f"{output}/{shard['path']}", held) if held else ():
            for key, row in zip(source_keys(table["example_id"]).to_pylist(), table.to_pylist(), strict=True):
                count = digests[key].setdefault(f"{shard['task']}/{shard['split']}", [0, hashlib.sha256()])
                count[0] += 1
                count[1].update(msgspec.json.encode(list(row.values())) + b"\n")
    return {
        key: {at: {"rows": rows, "sha256": digest.hexdigest()} for at, (rows, digest) in of.items()}
        for key, of in digests.items()
    }


def prepare(
    output: str, keep: Collection[str], left_out: dict[str, str], extra: dict[str, str], repo_id: str | None
) -> Release:
    """Writes what differs from the build below its work folder, and lists every file of the release.

    `extra`: name → text of further files; `repo_id`: where on the Hub it will be. The same build and choice give the
    same bytes.
    """
    work = f"{output}/{WORK}"
    about = manifest(output, "examples")["sources"]
    planned = parts(manifest(output, "data")["shards"], frozenset(keep))
    counts = figures.subset(files.read_json(f"{output}/reports/stats.json", dict), keep)
    rewrite(output, planned, counts)
    listed = [
        described(part.name, f"{work}/{part.name}" if part.mixed else f"{output}/{part.built}") for part in planned
    ]
    texts = telling(output, counts, listed, repo_id) | extra
    for name, text in texts.items():
        files.write_text(f"{work}/{name}", text)
    listed += [described(name, f"{work}/{name}") for name in (REPORT, *texts)]
    listed += [described(name, f"{output}/{name}") for name in AS_THEY_ARE]
    listed += [
        described(f"{folder}/{file.name}", file.path)
        for folder in ("labels", "hard_negatives")
        for file in files.list_files(f"{output}/{folder}")
        if file.name.partition("/")[2].removesuffix(".json") in keep
    ]
    listed.sort(key=lambda file: file.name)
    marker = {
        "ieforge": importlib.metadata.version("ieforge"),
        "build": manifest(output, "card")["fingerprint"],
        "sources": {key: {name: about[key][name] for name in ("title", "licence", "licence_text")} for key in keep},
        "left_out": left_out,
        "files": {file.name: {"size": file.size, "sha256": file.sha256} for file in listed},
    }
    files.write_text(f"{work}/{MARKER}", json.dumps(marker, ensure_ascii=False, indent=1) + "\n")
    listed.append(described(MARKER, f"{work}/{MARKER}"))
    return Release(
        tuple(listed), {key: about[key] for key in keep}, left_out, {part.name: part.keys for part in planned}
    )


def telling(output: str, counts: dict, shards: Iterable[ReleaseFile], repo_id: str | None) -> dict[str, str]:
    """Name → text of the files that tell what a release with these counts and shards holds."""
    url = f"https://huggingface.co/datasets/{repo_id}" if repo_id else None
    described_shards = [croissant.ShardFile(shard.name, shard.size, shard.sha256) for shard in shards]
    return {
        "README.md": card.render(counts, "en", repo_id or "PATH"),
        "README_zh.md": card.render(counts, "zh", repo_id or "PATH"),
        "croissant.json": croissant.render(counts, described_shards, url),
        "dataset_info.json": dataset_info.render(counts, repo_id),
        "reports/stats.json": json.dumps(counts, ensure_ascii=False, indent=1) + "\n",
    }


def rewrite(output: str, planned: Iterable[Part], counts: dict) -> None:
    """Writes the mixed shards without the rows of other sources, and the report without other sources.

    Not again where the last try of this build and choice ended well: the shards take long.
    """
    work, done = f"{output}/{WORK}", f"{output}/{WORK}/.rewritten.json"
    what = [manifest(output, "card")["fingerprint"], sorted(counts["sources"])]
    mixed = [part for part in planned if part.mixed]
    names = [REPORT, *(part.name for part in mixed)]
    with suppress(ConfigError):  # cut off or damaged: made anew
        if files.exists(done) and files.read_json(done) == [what, checksums(work, names)]:
            return
    from pipelines import report  # with it comes Beam, which takes seconds

    files.remove_tree(work)
    for part in mixed:
        write_shard(f"{work}/{part.name}", INSTRUCTIONS, kept_rows(f"{output}/{part.built}", counts["sources"]))
    files.write_text(f"{work}/{REPORT}", report.page(output, counts))
    files.write_text(done, json.dumps([what, checksums(work, names)]))


def checksums(folder: str, names: Iterable[str]) -> dict[str, str]:
    """Name → SHA-256 of the files below `folder` that are there."""
    return {name: files.checksum(f"{folder}/{name}") for name in files.sizes(folder, list(names))}


def described(name: str, path: str) -> ReleaseFile:
    folder, base = posixpath.split(path)
    return ReleaseFile(name, path, files.sizes(folder, [base])[base], files.checksum(path))


def fingerprint(listed: Iterable[ReleaseFile]) -> str:
    """Hex; stands for the names and bytes of all files."""
    lines = sorted(f"{file.sha256} {file.name}\n" for file in listed)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def for_machines(release: Release) -> dict:
    """What the release holds, JSON-able."""
    return {
        "files": [
            {"name": file.name, "size": file.size, "sha256": file.sha256, "sources": release.holds.get(file.name, ())}
            for file in release.files
        ],
        "sources": {
            key: {name: about[name] for name in ("title", "licence", "licence_text")}
            for key, about in release.kept.items()
        },
        "left_out": release.left_out,
    }


def for_people(release: Release) -> list[str]:
    """The same as lines: a file with bytes, name and licences of what is in it, a source, a source left out."""
    told = []
    for file in release.files:
        licences = sorted({release.kept[key]["licence_text"] for key in release.holds.get(file.name, ())})
        told.append(f"file\t{file.size}\t{file.name}\t{'; '.join(licences)}".rstrip())
    told += [f"source\t{key}\t{about['licence']}\t{about['licence_text']}" for key, about in release.kept.items()]
    return told + [f"left out\t{key}\t{why}" for key, why in release.left_out.items()]
