"""A whole build → its release: what may be published of it, shards, card and counts rewritten to just that."""

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
from pipelines.build_reports import DATA_DOCS, REPORT, STATISTICS, VALIDATION
from pipelines.describe import card, croissant, dataset_info, figures
from pipelines.engine import dag
from pipelines.sources import Licence
from schemas import json_values, manifests
from schemas.arrow import INSTRUCTIONS
from schemas.build_statistics import Statistics
from schemas.errors import ConfigError
from schemas.id_columns import source_keys
from schemas.manifests import (
    RESULTS,
    Carded,
    Ingested,
    Instructed,
    InstructionShard,
    Manifest,
    SourceFacts,
)
from schemas.releases import MARKER, FileInRelease, ReleaseRecord, RowDigest, SourceTerms
from transforms import files
from transforms.shards import read_batches, write_shard

WORK = ".release"
"""Where what is rewritten for a release waits, below the output folder; hidden from builds and loaders."""

UNCHANGED = (VALIDATION, DATA_DOCS)
"""Files of the build that a release has as they are."""

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
    """`kept`: by key; `left_out`: key → why; `sources`: shard → keys of its sources."""

    files: tuple[ReleaseFile, ...]
    kept: dict[str, SourceFacts]
    left_out: dict[str, str]
    sources: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Ended:
    """The stages of a build that have ended: their manifests, and the names of those whose manifest was altered since.
    `unreadable`: stage → why its manifest cannot be read.
    """

    manifests: dict[str, Manifest] = field(default_factory=dict)
    altered: set[str] = field(default_factory=set)
    unreadable: dict[str, str] = field(default_factory=dict)


def ended(output: str) -> Ended:
    """Reads the manifests of all stages."""
    stages = Ended()
    for stage, form in RESULTS.items():
        path = manifests.path(output, form)
        if not files.exists(path):
            continue
        try:
            content = files.read_bytes(path)
            stages.manifests[stage] = manifests.parse(content, form, path, build_folder.REMEDY)
        except ConfigError as error:
            stages.unreadable[stage] = str(error)
        else:
            if not manifests.is_as_written(content):
                stages.altered.add(stage)
    return stages


def refusals(output: str) -> list[str]:
    """Every reason why the build in `output` cannot be published, each with what to do.

    Raises ConfigError where it is no build.
    """
    if not files.is_folder(output) or build_folder.last_configuration(output) is None:
        raise ConfigError(f"{output}: no build in it; name the --output folder of python -m pipelines.build")
    stages = ended(output)
    again = "run python -m pipelines.build again with the same flags"
    reasons = list(stages.unreadable.values())
    missing = RESULTS.keys() - stages.manifests.keys() - stages.unreadable.keys()
    before = [stage for stage in RESULTS if stage in missing and stage not in ("validate", "card")]
    if before:
        reasons.append(f"the build is not whole, it lacks {', '.join(before)}: {again}, without --only")
    if "validate" in missing:
        failed = files.exists(f"{output}/{VALIDATION}")
        todo = f"mend what {output}/{DATA_DOCS} names, then " if failed else ""
        reasons.append(f"no passed validation: {todo}{again}")
    if "card" in missing:
        reasons.append(f"no card: {again}, to its last stage")
    if "card" in stages.manifests:
        try:
            limit = build_folder.configuration(output).ingest.limit
        except ConfigError as error:
            reasons.append(str(error))
        else:
            if limit is not None:
                reasons.append(f"built with --limit {limit}, which makes a sample: build without it")
    if "ingest" in stages.manifests:
        for key, reason in stages.manifests["ingest"].result.failed.items():
            reasons.append(
                f"source {key} failed ({reason}): mend it, or name the others with --sources and build again"
            )
    for stage, manifest in stages.manifests.items():
        completion = manifest.completion
        there = files.sizes(output, completion.files)
        changed = sorted(name for name, size in completion.files.items() if there.get(name) != size)
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            reasons.append(f"{changed[0]}{more} changed or gone since stage {stage} ended: {again}")
        unchanged = completion.files.keys() - changed
        same_size = {name: sha256 for name, sha256 in completion.sha256.items() if name in unchanged}
        now = dag.checksums(output, same_size)
        for name in sorted(name for name, sha256 in same_size.items() if now[name] != sha256):
            reasons.append(f"{name} holds other bytes than were written: delete it, then {again}")
    if not reasons:  # what is wrong besides has the stage run again, which writes its manifest anew
        reasons += [
            f"{RESULTS[stage].folder}/manifest.json was altered since it was written: delete it, then {again}"
            for stage in sorted(stages.altered)
        ]
    return reasons


def choose(output: str, include_unlicensed: bool) -> tuple[list[str], dict[str, str]]:
    """(keys of the sources to publish, key → why it is left out), by the licences that are known today. None of a build
    whose sources cannot be read, which `refusals` names.

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
    ingest = ended(output).manifests.get("ingest")
    for key, source in sorted(ingest.result.sources.items()) if ingest else ():
        licence = sources.load(key).licence if key in sources.keys() else source.licence
        if licence == Licence.GATED:
            left_out[key] = f"gated ({source.licence_text})"
        elif key not in sources.keys() and source.licence_text != Licence.OPEN and plain(source.name) in gated:
            left_out[key] = f"gated, by its name {source.name} ({gated[plain(source.name)]})"
        elif licence == Licence.ASK and not include_unlicensed:
            todo = "" if key in sources.keys() else f"; {OWN_LICENCE}"
            left_out[key] = f"no licence known that allows to pass it on ({source.licence_text}){todo}"
        else:
            kept.append(key)
    return kept, left_out


def plain(name: str) -> str:
    """A source's name without what tells two spellings apart: ACE 2005, ace-2005."""
    return re.sub(r"[\W_]", "", name).casefold()


def parts(shards: Iterable[InstructionShard], keep: Collection[str]) -> list[Part]:
    """The shards that have rows of sources to `keep`, numbered anew within their task and split."""
    groups: dict[tuple[str, str], list[InstructionShard]] = {}
    for shard in shards:
        groups.setdefault((shard.task, shard.split), []).append(shard)
    planned = []
    for (task, split), group in groups.items():
        with_keys = [(shard, [key for key, n in shard.sources.items() if n.instructions]) for shard in group]
        with_keys = [(shard, keys) for shard, keys in with_keys if not keep.isdisjoint(keys)]
        for number, (shard, keys) in enumerate(with_keys):
            name = f"data/{task}/{split}-{number:05d}-of-{len(with_keys):05d}.parquet"
            ours = tuple(key for key in keys if key in keep)
            planned.append(Part(name, shard.path, ours, len(ours) < len(keys)))
    return planned


def kept_rows(path: str, keep: Collection[str]) -> Iterator[pa.Table]:
    """The shard's rows of these sources, in their order."""
    wanted = pa.array(sorted(keep), pa.string())
    for table in read_batches(path, ROWS_A_TABLE):
        yield table.filter(pc.is_in(source_keys(table["example_id"]), wanted))


def row_digests(output: str, keys: Collection[str]) -> dict[str, dict[str, RowDigest]]:
    """Source → "task/split" → rows and the SHA-256 over them: each row's values as a JSON list, one a line, in order.

    By these a rebuilt source is compared with the one that a release left out.
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
    """Writes what differs from the build below its work folder, and lists every file of the release.

    `extra`: name → text of further files; `repo_id`: where on the Hub it will be. The same build and choice give the
    same bytes.
    """
    work = f"{output}/{WORK}"
    about = build_folder.read_result(output, Ingested).sources
    planned = parts(build_folder.read_result(output, Instructed).shards, frozenset(keep))
    statistics = figures.subset(build_reports.read_statistics(output), keep)
    build = build_folder.read_manifest(output, Carded).completion.fingerprint
    rewrite(output, planned, statistics, build)
    included = [
        described(part.name, f"{work}/{part.name}" if part.mixed else f"{output}/{part.built}") for part in planned
    ]
    texts = descriptions(statistics, included, repo_id) | extra
    for name, text in texts.items():
        files.write_text(f"{work}/{name}", text)
    included += [described(name, f"{work}/{name}") for name in (REPORT, *texts)]
    included += [described(name, f"{output}/{name}") for name in UNCHANGED]
    included += [
        described(f"{folder}/{file.name}", file.path)
        for folder in ("labels", "hard_negatives")
        for file in files.list_files(f"{output}/{folder}")
        if file.name.partition("/")[2].removesuffix(".json") in keep
    ]
    included.sort(key=lambda file: file.name)
    record = ReleaseRecord(
        importlib.metadata.version("ieforge"),
        build,
        {key: terms_of(about[key]) for key in keep},
        left_out,
        {file.name: FileInRelease(file.size, file.sha256) for file in included},
    )
    files.write_text(f"{work}/{MARKER}", json_values.render(record))
    included.append(described(MARKER, f"{work}/{MARKER}"))
    return Release(
        tuple(included), {key: about[key] for key in keep}, left_out, {part.name: part.keys for part in planned}
    )


def terms_of(source: SourceFacts) -> SourceTerms:
    return SourceTerms(source.title, source.licence, source.licence_text)


def descriptions(statistics: Statistics, shards: Iterable[ReleaseFile], repo_id: str | None) -> dict[str, str]:
    """Name → text of the files that describe a release with these statistics and shards."""
    url = f"https://huggingface.co/datasets/{repo_id}" if repo_id else None
    described_shards = [croissant.ShardFile(shard.name, shard.size, shard.sha256) for shard in shards]
    return {
        "README.md": card.render(statistics, "en", repo_id or "PATH"),
        "README_zh.md": card.render(statistics, "zh", repo_id or "PATH"),
        "croissant.json": croissant.render(statistics, described_shards, url),
        "dataset_info.json": dataset_info.render(statistics.instructions, repo_id),
        STATISTICS: json_values.render(statistics),
    }


class Rewritten(msgspec.Struct, frozen=True):
    """`.rewritten.json`: the build's fingerprint and the sources that were kept, and the checksums of the files made
    for them.
    """

    build: str
    sources: tuple[str, ...]
    sha256: dict[str, str]


def rewrite(output: str, planned: Iterable[Part], statistics: Statistics, build: str) -> None:
    """Writes the mixed shards without the rows of other sources, and the report without other sources.

    Not again where the last try of this build (by its fingerprint) and choice ended well: the shards take long.
    """
    work, done = f"{output}/{WORK}", f"{output}/{WORK}/.rewritten.json"
    sources_kept = tuple(sorted(statistics.sources))
    mixed = [part for part in planned if part.mixed]
    names = [REPORT, *(part.name for part in mixed)]
    with suppress(ConfigError):  # cut off or damaged: made anew
        if files.exists(done) and files.read_json(done, Rewritten, build_folder.REMEDY) == Rewritten(
            build, sources_kept, checksums(work, names)
        ):
            return
    from pipelines.report import page

    files.remove_tree(work)
    for part in mixed:
        write_shard(f"{work}/{part.name}", INSTRUCTIONS, kept_rows(f"{output}/{part.built}", statistics.sources))
    files.write_text(f"{work}/{REPORT}", page.page(output, statistics))
    files.write_text(done, json_values.render(Rewritten(build, sources_kept, checksums(work, names))))


def checksums(folder: str, names: Iterable[str]) -> dict[str, str]:
    """Name → SHA-256 of the files below `folder` that are there."""
    return {name: files.checksum(f"{folder}/{name}") for name in files.sizes(folder, list(names))}


def described(name: str, path: str) -> ReleaseFile:
    folder, base = posixpath.split(path)
    return ReleaseFile(name, path, files.sizes(folder, [base])[base], files.checksum(path))


def fingerprint(included: Iterable[ReleaseFile]) -> str:
    """Hex; stands for the names and bytes of all files."""
    lines = sorted(f"{file.sha256} {file.name}\n" for file in included)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def for_machines(release: Release) -> dict:
    """What the release holds, JSON-able."""
    return {
        "files": [
            {"name": file.name, "size": file.size, "sha256": file.sha256, "sources": release.sources.get(file.name, ())}
            for file in release.files
        ],
        "sources": {key: msgspec.to_builtins(terms_of(about)) for key, about in release.kept.items()},
        "left_out": release.left_out,
    }


def for_people(release: Release) -> list[str]:
    """The same as lines: a file with bytes, name and licences of what is in it, a source, a source left out."""
    lines = []
    for file in release.files:
        licences = sorted({release.kept[key].licence_text for key in release.sources.get(file.name, ())})
        lines.append(f"file\t{file.size}\t{file.name}\t{'; '.join(licences)}".rstrip())
    lines += [f"source\t{key}\t{about.licence}\t{about.licence_text}" for key, about in release.kept.items()]
    return lines + [f"left out\t{key}\t{why}" for key, why in release.left_out.items()]
