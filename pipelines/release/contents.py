"""A complete build → its release: the sources that may be published, with shards, card and counts for these only."""

import hashlib
import importlib.metadata
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import build_folder, build_reports, sources
from pipelines.build_reports import DATA_DOCS, FAMILIARITY, REPORT, STATISTICS, VALIDATION
from pipelines.describe import card, croissant, dataset_info, figures
from pipelines.describe.example_rows import example_rows
from pipelines.describe.form_examples import form_examples
from pipelines.engine import dag
from pipelines.sources import Licence
from schemas import json_values, manifest_file
from schemas.arrow import instruction_schema
from schemas.build_statistics import Statistics
from schemas.errors import ConfigError
from schemas.id_columns import source_keys
from schemas.manifest_file import Manifest
from schemas.manifests import (
    RESULTS,
    Carded,
    Ingested,
    Instructed,
    InstructionShard,
    SourceFacts,
)
from schemas.releases import MARKER, FileInRelease, ReleaseRecord, RowDigest, SourceTerms
from transforms import files
from transforms.shards import read_batches, read_schema, write_shard

WORK = ".release"
"""The folder for files rewritten for a release, below the output folder; hidden from builds and loaders."""

UNCHANGED = (VALIDATION, DATA_DOCS)
"""Files of the build that a release contains unchanged."""

ROWS_PER_TABLE = 5_000
USER_LICENCE_HINT = (
    "write license: and its SPDX name (CC-BY-4.0, MIT) into its source.yaml, or license: open if you may redistribute "
    "it (for a corpus of pipelines.knowledge, export it again with --set export.licence=NAME), and build again"
)


@dataclass(frozen=True)
class ReleaseFile:
    """One file of a release: its name in the release, and the path of its content now."""

    name: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """A shard of a release. `built`: the shard of the build; `mixed`: whether that has rows of sources left out."""

    name: str
    built: str
    keys: tuple[str, ...]
    mixed: bool


@dataclass(frozen=True)
class Release:
    """`kept`: key → facts; `left_out`: key → reason; `sources`: shard → keys of its sources; `annotated`: the
    keys of sources whose files name annotators.
    """

    files: tuple[ReleaseFile, ...]
    kept: dict[str, SourceFacts]
    left_out: dict[str, str]
    sources: dict[str, tuple[str, ...]]
    annotated: tuple[str, ...]


@dataclass(frozen=True)
class FinishedStages:
    """The finished stages of a build: their manifests, and the names of stages whose manifest was changed later.
    `unreadable`: stage → why its manifest cannot be read.
    """

    manifests: dict[str, Manifest] = field(default_factory=dict)
    altered: set[str] = field(default_factory=set)
    unreadable: dict[str, str] = field(default_factory=dict)


def finished_stages(output: str) -> FinishedStages:
    """Reads the manifests of all stages."""
    stages = FinishedStages()
    for stage, form in RESULTS.items():
        path = manifest_file.path(output, form)
        if not files.exists(path):
            continue
        try:
            content = files.read_bytes(path)
            stages.manifests[stage] = manifest_file.parse(content, form, path, build_folder.REMEDY)
        except ConfigError as error:
            stages.unreadable[stage] = str(error)
        else:
            if not manifest_file.is_as_written(content):
                stages.altered.add(stage)
    return stages


def refusals(output: str) -> list[str]:
    """All reasons why the build in `output` cannot be published, each with what to do.

    Raises ConfigError if it is not a build.
    """
    if not files.is_folder(output) or build_folder.last_configuration(output) is None:
        raise ConfigError(f"{output}: not a build; pass the --output folder of python -m pipelines.build")
    stages = finished_stages(output)
    again = "run python -m pipelines.build again with the same flags"
    reasons = list(stages.unreadable.values())
    missing = RESULTS.keys() - stages.manifests.keys() - stages.unreadable.keys()
    before = [stage for stage in RESULTS if stage in missing and stage not in ("validate", "card")]
    if before:
        reasons.append(f"the build is incomplete, stages missing: {', '.join(before)}; {again}, without --only")
    if "validate" in missing:
        failed = files.exists(f"{output}/{VALIDATION}")
        todo = f"fix the failures in {output}/{DATA_DOCS}, then " if failed else ""
        reasons.append(f"validation has not passed: {todo}{again}")
    if "card" in missing:
        reasons.append(f"no card: {again}, to its last stage")
    if "card" in stages.manifests:
        try:
            limit = build_folder.configuration(output).ingest.limit
        except ConfigError as error:
            reasons.append(str(error))
        else:
            if limit is not None:
                reasons.append(f"built with --limit {limit}, which makes only a sample; build without --limit")
    if "ingest" in stages.manifests:
        for key, reason in stages.manifests["ingest"].result.failed.items():
            reasons.append(
                f"source {key} failed ({reason}): fix it, or select the other sources with --sources and build again"
            )
    for stage, manifest in stages.manifests.items():
        completion = manifest.completion
        sizes = files.sizes(output, completion.files)
        changed = sorted(name for name, size in completion.files.items() if sizes.get(name) != size)
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            reasons.append(f"{changed[0]}{more} changed or deleted since stage {stage} finished: {again}")
        unchanged = completion.files.keys() - changed
        same_size = {name: sha256 for name, sha256 in completion.sha256.items() if name in unchanged}
        now = dag.checksums(output, same_size)
        for name in sorted(name for name, sha256 in same_size.items() if now[name] != sha256):
            reasons.append(f"{name} differs from the file that was written: delete it, then {again}")
    if not reasons:  # the other problems make the stage run again, which rewrites its manifest
        reasons += [
            f"{RESULTS[stage].folder}/manifest.json was altered since it was written: delete it, then {again}"
            for stage in sorted(stages.altered)
        ]
    return reasons


def choose(output: str, include_unlicensed: bool) -> tuple[list[str], dict[str, str]]:
    """(keys of the sources to publish, key → why it is left out), by the licences known today. Both are empty if the
    sources of the build cannot be read; `refusals` then says why.

    A user's source with the name of a gated source counts as a copy of that source unless its licence is the word
    `open`: the licences stated in copies of gated data are not those of the owners.
    """
    gated = {
        plain(name): source.licence_text
        for key, source in ((key, sources.load(key)) for key in sources.keys())
        if source.licence == Licence.GATED
        for name in (key, source.name)
    }
    kept, left_out = [], {}
    ingest = finished_stages(output).manifests.get("ingest")
    for key, source in sorted(ingest.result.sources.items()) if ingest else ():
        licence = sources.load(key).licence if key in sources.keys() else source.licence
        if licence == Licence.GATED:
            left_out[key] = f"gated ({source.licence_text})"
        elif key not in sources.keys() and source.licence_text != Licence.OPEN and plain(source.name) in gated:
            left_out[key] = f"gated, by its name {source.name} ({gated[plain(source.name)]})"
        elif licence == Licence.ASK and not include_unlicensed:
            todo = "" if key in sources.keys() else f"; {USER_LICENCE_HINT}"
            left_out[key] = f"no known licence that allows redistribution ({source.licence_text}){todo}"
        else:
            kept.append(key)
    return kept, left_out


def plain(name: str) -> str:
    """A source's name in lower case without punctuation and spaces: the same for ACE 2005 and ace-2005."""
    return re.sub(r"[\W_]", "", name).casefold()


def parts(shards: Iterable[InstructionShard], keep: frozenset[str]) -> list[Part]:
    """The shards with rows of the sources to `keep`, renumbered within their task and split."""
    groups: dict[tuple[str, str], list[InstructionShard]] = {}
    for shard in shards:
        groups.setdefault((shard.task, shard.split), []).append(shard)
    planned = []
    for (task, split), group in groups.items():
        with_keys = [(shard, [key for key, n in shard.sources.items() if n.instructions]) for shard in group]
        with_keys = [(shard, keys) for shard, keys in with_keys if not keep.isdisjoint(keys)]
        for number, (shard, keys) in enumerate(with_keys):
            name = f"data/{task}/{split}-{number:05d}-of-{len(with_keys):05d}.parquet"
            kept_keys = tuple(key for key in keys if key in keep)
            planned.append(Part(name, shard.path, kept_keys, len(kept_keys) < len(keys)))
    return planned


def kept_rows(path: str, keep: Collection[str]) -> Iterator[pa.Table]:
    """The rows of the sources `keep` in a shard, in order."""
    wanted = pa.array(sorted(keep), pa.string())
    for table in read_batches(path, ROWS_PER_TABLE):
        yield table.filter(pc.is_in(source_keys(table["example_id"]), wanted))


def row_digests(output: str, keys: Collection[str]) -> dict[str, dict[str, RowDigest]]:
    """Source → "task/split" → number of rows and their SHA-256: the values of a row as a JSON list, one row per line.

    They serve to compare a rebuilt source with the one that a release left out.
    """
    digests: dict[str, dict[str, list]] = {key: {} for key in sorted(keys)}
    for shard in build_folder.read_result(output, Instructed).shards:
        wanted = [key for key in shard.sources if key in digests]
        for table in kept_rows(f"{output}/{shard.path}", wanted) if wanted else ():
            for key, row in zip(source_keys(table["example_id"]).to_pylist(), table.to_pylist(), strict=True):
                count = digests[key].setdefault(f"{shard.task}/{shard.split}", [0, hashlib.sha256()])
                count[0] += 1
                count[1].update(msgspec.json.encode(list(row.values())) + b"\n")
    return {
        key: {at: RowDigest(rows, digest.hexdigest()) for at, (rows, digest) in splits.items()}
        for key, splits in digests.items()
    }


def prepare(
    output: str, keep: Collection[str], left_out: dict[str, str], extra: dict[str, str], repo_id: str | None
) -> Release:
    """Writes the files that differ from the build into its work folder, and lists every file of the release.

    `extra`: name → text of additional files; `repo_id`: the repository on the Hub, if any. The same build and choice of
    sources give the same bytes.
    """
    work = f"{output}/{WORK}"
    ingested = build_folder.read_result(output, Ingested)
    about = ingested.sources
    written = build_folder.read_result(output, Instructed).shards
    planned = parts(written, frozenset(keep))
    statistics = figures.subset(build_reports.read_statistics(output), keep)
    build = build_folder.read_manifest(output, Carded).completion.fingerprint
    rewrite(output, planned, statistics, build)
    included = [
        release_file(part.name, f"{work}/{part.name}" if part.mixed else f"{output}/{part.built}") for part in planned
    ]
    shown = card.Parts(
        title=build_folder.configuration(output).card.title,
        place=repo_id or card.FOLDER,
        rows=example_rows(output, written, card.shareable(statistics)),
        forms=form_examples(output, written, statistics.sources),
        annotators=ingested.annotators,
    )
    texts = descriptions(statistics, included, repo_id, shown) | extra
    for name, text in texts.items():
        files.write_text(f"{work}/{name}", text)
    included += [release_file(name, f"{work}/{name}") for name in (REPORT, *texts)]
    unchanged = (*UNCHANGED, FAMILIARITY) if statistics.familiarity else UNCHANGED
    included += [release_file(name, f"{output}/{name}") for name in unchanged]
    included += [
        release_file(f"{folder}/{file.name}", file.path)
        for folder in ("labels", "hard_negatives")
        for file in files.list_files(f"{output}/{folder}")
        if file.name.partition("/")[2].removesuffix(".json") in keep
    ]
    included.sort(key=lambda file: file.name)
    record = ReleaseRecord(
        importlib.metadata.version("ieforge"),
        build,
        {key: source_terms(about[key]) for key in keep},
        left_out,
        {file.name: FileInRelease(file.size, file.sha256) for file in included},
    )
    files.write_text(f"{work}/{MARKER}", json_values.render(record))
    included.append(release_file(MARKER, f"{work}/{MARKER}"))
    return Release(
        tuple(included),
        {key: about[key] for key in keep},
        left_out,
        {part.name: part.keys for part in planned},
        tuple(key for key in keep if key in ingested.annotators),
    )


def source_terms(source: SourceFacts) -> SourceTerms:
    return SourceTerms(source.title, source.licence, source.licence_text)


def descriptions(
    statistics: Statistics, shards: Iterable[ReleaseFile], repo_id: str | None, shown: card.Parts
) -> dict[str, str]:
    """Name → text of the files that describe a release with these statistics and shards. `shown`: the card's parts."""
    url = f"https://huggingface.co/datasets/{repo_id}" if repo_id else None
    shard_files = [croissant.ShardFile(shard.name, shard.size, shard.sha256) for shard in shards]
    return {
        "README.md": card.render(statistics, "en", shown),
        "README_zh.md": card.render(statistics, "zh", shown),
        "croissant.json": croissant.render(statistics, shard_files, url),
        "dataset_info.json": dataset_info.render(statistics.instructions, repo_id),
        STATISTICS: json_values.render(statistics),
    }


class Rewritten(msgspec.Struct, frozen=True):
    """`.rewritten.json`: the fingerprint of the build, the sources kept, and the checksums of the rewritten files."""

    build: str
    sources: tuple[str, ...]
    sha256: dict[str, str]


def rewrite(output: str, planned: Iterable[Part], statistics: Statistics, build: str) -> None:
    """Writes the mixed shards without the rows of other sources, and the report without other sources.

    Skipped if it was already done for this build (by fingerprint) and choice of sources, since the shards take long.
    """
    work, done = f"{output}/{WORK}", f"{output}/{WORK}/.rewritten.json"
    sources_kept = tuple(sorted(statistics.sources))
    mixed = [part for part in planned if part.mixed]
    names = [REPORT, *(part.name for part in mixed)]
    with suppress(ConfigError):  # interrupted or damaged: rewrite
        if files.exists(done) and files.read_json(done, Rewritten, build_folder.REMEDY) == Rewritten(
            build, sources_kept, checksums(work, names)
        ):
            return
    from pipelines.report import page

    files.remove_tree(work)
    for part in mixed:
        built = f"{output}/{part.built}"
        schema = instruction_schema(read_schema(built).names)
        write_shard(f"{work}/{part.name}", schema, kept_rows(built, statistics.sources))
    files.write_text(f"{work}/{REPORT}", page.page(output, statistics, pseudonymous=True))
    files.write_text(done, json_values.render(Rewritten(build, sources_kept, checksums(work, names))))


def checksums(folder: str, names: Iterable[str]) -> dict[str, str]:
    """Name → SHA-256 of the files that exist below `folder`."""
    return {name: files.checksum(f"{folder}/{name}") for name in files.sizes(folder, list(names))}


def release_file(name: str, path: str) -> ReleaseFile:
    """The file at `path` under its name in the release, with its size and checksum."""
    folder, base = posixpath.split(path)
    return ReleaseFile(name, path, files.sizes(folder, [base])[base], files.checksum(path))


def fingerprint(included: Iterable[ReleaseFile]) -> str:
    """A hash, in hex, of the names and bytes of all files."""
    lines = sorted(f"{file.sha256} {file.name}\n" for file in included)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def summary(release: Release) -> dict:
    """The content of the release as JSON values."""
    return {
        "files": [
            {"name": file.name, "size": file.size, "sha256": file.sha256, "sources": release.sources.get(file.name, ())}
            for file in release.files
        ],
        "sources": {key: msgspec.to_builtins(source_terms(about)) for key, about in release.kept.items()},
        "left_out": release.left_out,
    }


def summary_lines(release: Release) -> list[str]:
    """The content of the release as lines: files with bytes, name and licences; sources; sources left out."""
    lines = []
    for file in release.files:
        licences = sorted({release.kept[key].licence_text for key in release.sources.get(file.name, ())})
        lines.append(f"file\t{file.size}\t{file.name}\t{'; '.join(licences)}".rstrip())
    lines += [f"source\t{key}\t{about.licence}\t{about.licence_text}" for key, about in release.kept.items()]
    lines += [f"annotators\t{key}\t{REPORT} calls them annotator 1, annotator 2, ..." for key in release.annotated]
    return lines + [f"left out\t{key}\t{why}" for key, why in release.left_out.items()]
