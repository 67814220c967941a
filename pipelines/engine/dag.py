"""Stages in the order of their needs, skipped where their manifest says that they are done.

A stage's fingerprint covers its name, its inputs (settings, checksums of files from outside), the code that decides
its result (`engine.code`) and the fingerprints of the stages that it needs. `manifest.json`, written last, holds it: a
stage whose manifest has the same fingerprint and whose files are all there as they were written is done. Of Parquet
files only the sizes are compared: their pages have checksums of their own, which are looked at as they are read.
"""

import hashlib
import json
import posixpath
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from pipelines.engine import code
from schemas import manifests
from schemas.errors import ConfigError
from schemas.manifests import Manifest, StageResult
from transforms import files


@dataclass(frozen=True)
class Stage:
    """One node: `run(output folder)` reads what it `needs`, fills `folders` and returns what its manifest notes.

    What decides the result besides the results of earlier stages: `inputs` (settings, checksums; JSON-able), and the
    code of `modules` with all that they import, and the files `data` that belong to it (both as in `engine.code`).
    The manifest, of the type `form`, lies in the first of `folders`.
    """

    name: str
    needs: tuple[str, ...]
    folders: tuple[str, ...]
    inputs: object
    modules: tuple[str, ...]
    run: Callable[[str], StageResult]
    form: type[StageResult]
    data: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # what it writes at the top of the output folder


def fingerprints(stages: Mapping[str, Stage], root: Path = code.ROOT) -> dict[str, str]:
    """Stage name → fingerprint, in an order in which every stage comes after what it needs. `root`: as in `code`."""
    prints: dict[str, str] = {}
    for name in TopologicalSorter({s.name: s.needs for s in stages.values()}).static_order():
        stage = stages[name]
        of_code = code.fingerprint(stage.modules, stage.data, root)
        known = [stage.name, stage.inputs, of_code, [prints[need] for need in stage.needs]]
        prints[name] = hashlib.sha256(json.dumps(known, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]
    return prints


def successors(stages: Mapping[str, Stage], name: str) -> list[str]:
    """Every stage that needs this one, itself or through others."""
    direct = [stage.name for stage in stages.values() if name in stage.needs]
    return sorted({*direct, *(further for stage in direct for further in successors(stages, stage))})


def manifest_path(output: str, stage: Stage) -> str:
    return f"{output}/{stage.folders[0]}/manifest.json"


def read_manifest(output: str, stage: Stage) -> Manifest | None:
    """The stage's manifest; None where there is none, or one that is damaged or of another version: the stage then
    counts as not ended.
    """
    path = manifest_path(output, stage)
    if not files.exists(path):
        return None
    try:
        return manifests.parse(files.read_bytes(path), stage.form, path, "run the build again")
    except ConfigError:
        return None


def is_done(output: str, stage: Stage, fingerprint: str) -> bool:
    """Whether the stage's manifest has this fingerprint and every file that it lists is there as it was written."""
    manifest = read_manifest(output, stage)
    if manifest is None or manifest.completion.fingerprint != fingerprint:
        return False
    written = manifest.completion
    if written.sha256.keys() != written.files.keys():
        return False
    if files.sizes(output, written.files) != written.files:
        return False
    noted = {name: sha256 for name, sha256 in written.sha256.items() if not name.endswith(".parquet")}
    return checksums(output, noted) == noted


def checksums(output: str, names: Iterable[str]) -> dict[str, str]:
    """Name → SHA-256 of files below `output`, several at a time: hashing lets other threads run."""
    names = list(names)
    with ThreadPoolExecutor() as pool:
        return dict(zip(names, pool.map(lambda name: files.checksum(f"{output}/{name}"), names), strict=True))


def run(
    stages: Mapping[str, Stage], output: str, last: str, on_start: Callable[[Stage, bool], None]
) -> dict[str, Manifest]:
    """Runs what `last` needs, then `last`; returns the manifests by stage name.

    `on_start(stage, done)` is called before each. A stage that is not done starts from empty folders, so that no
    file of an earlier try remains, and what was made of its earlier result no longer counts as made.
    """
    prints = fingerprints(stages)
    wanted = {last}
    for name in reversed(prints):
        if name in wanted:
            wanted.update(stages[name].needs)
    made = {}
    for name in prints:
        if name not in wanted:
            continue
        stage = stages[name]
        done = is_done(output, stage, prints[name])
        on_start(stage, done)
        if not done:
            for later in (name, *successors(stages, name)):
                if not is_done(output, stages[later], prints[later]):
                    files.remove_file(manifest_path(output, stages[later]))
                    for file in stages[later].files:
                        files.remove_file(f"{output}/{file}")
            for folder in stage.folders:
                files.remove_tree(f"{output}/{folder}")
            for file in stage.files:
                files.remove_temporaries(posixpath.dirname(f"{output}/{file}"))
            result = stage.run(output)
            written = sorted(
                f"{folder}/{file.name}"
                for folder in stage.folders
                if files.exists(f"{output}/{folder}")
                for file in files.list_files(f"{output}/{folder}")
            ) + list(stage.files)
            noted = manifests.noted_checksums(result)
            sha256 = noted | checksums(output, [file for file in written if file not in noted])
            sizes = files.sizes(output, written)
            text = manifests.render(name, prints[name], result, sizes, {file: sha256[file] for file in written})
            files.make_durable(output, written)  # before what says that they are there
            files.write_text(manifest_path(output, stage), text, durable=True)
        made[name] = read_manifest(output, stage)
    return made
