"""Runs stages in the order of their dependencies and skips those that are done according to their manifests.

The fingerprint of a stage covers its name, its inputs (settings, checksums of external files), the code that decides
its result (`engine.code`) and the fingerprints of the stages that it needs. It is recorded in `manifest.json`, which is
written last. A stage is done if its manifest has the current fingerprint and all its files exist unchanged. Parquet
files are compared by size only, because their pages have checksums that are verified when they are read.
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
from schemas import manifest_file
from schemas.errors import ConfigError
from schemas.manifest_file import Manifest
from schemas.manifests import StageResult
from transforms import files


@dataclass(frozen=True)
class Stage:
    """A node of the graph. `run(output folder)` reads the results of the stages it `needs`, fills `folders` and
    returns the result that its manifest records.

    Besides the earlier stages, these decide the result: `inputs` (settings and checksums, JSON-serializable), the code
    of `modules` with everything they import, and the `data` files that belong to this code (both as in `engine.code`).
    The manifest is in the first of `folders`, and its result has the type `form`.
    """

    name: str
    needs: tuple[str, ...]
    folders: tuple[str, ...]
    inputs: object
    modules: tuple[str, ...]
    run: Callable[[str], StageResult]
    form: type[StageResult]
    data: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # written to the top of the output folder


def fingerprints(stages: Mapping[str, Stage], root: Path = code.ROOT) -> dict[str, str]:
    """Stage name → fingerprint, ordered so that every stage comes after those that it needs. `root`: as in `code`."""
    by_name: dict[str, str] = {}
    for name in TopologicalSorter({s.name: s.needs for s in stages.values()}).static_order():
        stage = stages[name]
        code_fingerprint = code.fingerprint(stage.modules, stage.data, root)
        content = [stage.name, stage.inputs, code_fingerprint, [by_name[need] for need in stage.needs]]
        by_name[name] = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[
            :16
        ]
    return by_name


def successors(stages: Mapping[str, Stage], name: str) -> list[str]:
    """The names of all stages that need this one, directly or indirectly, sorted."""
    direct = [stage.name for stage in stages.values() if name in stage.needs]
    return sorted({*direct, *(further for stage in direct for further in successors(stages, stage))})


def requirements(stages: Mapping[str, Stage], name: str) -> set[str]:
    """The names of all stages that this one needs, directly or indirectly."""
    needs = stages[name].needs
    return {*needs, *(further for need in needs for further in requirements(stages, need))}


def manifest_path(output: str, stage: Stage) -> str:
    return f"{output}/{stage.folders[0]}/manifest.json"


def read_manifest(output: str, stage: Stage) -> Manifest | None:
    """The manifest of the stage; None if it is missing, damaged or from another version of IEForge. The stage then
    counts as not done.
    """
    if not files.exists(manifest_path(output, stage)):
        return None
    try:
        return parse_manifest(output, stage)
    except ConfigError:
        return None


def parse_manifest(output: str, stage: Stage) -> Manifest:
    """The manifest of the stage. Raises ConfigError if it is damaged or from another version of IEForge."""
    path = manifest_path(output, stage)
    return manifest_file.parse(files.read_bytes(path), stage.form, path, "run the build again")


def is_done(output: str, stage: Stage, fingerprint: str) -> bool:
    """Whether the manifest of the stage has this fingerprint and all files that it lists exist unchanged."""
    manifest = read_manifest(output, stage)
    if manifest is None or manifest.completion.fingerprint != fingerprint:
        return False
    written = manifest.completion
    if written.sha256.keys() != written.files.keys():
        return False
    if files.sizes(output, written.files) != written.files:
        return False
    expected = {name: sha256 for name, sha256 in written.sha256.items() if not name.endswith(".parquet")}
    return checksums(output, expected) == expected


def is_due(stages: Mapping[str, Stage], output: str, name: str, last: str) -> bool:
    """Whether `run` up to the stage `last` would run the stage `name`, because it is needed and not done."""
    is_wanted = name == last or name in requirements(stages, last)
    return is_wanted and not is_done(output, stages[name], fingerprints(stages)[name])


def checksums(output: str, names: Iterable[str]) -> dict[str, str]:
    """Name → SHA-256 of files below `output`. Threads hash several files at once, as hashing releases the GIL."""
    names = list(names)
    with ThreadPoolExecutor() as pool:
        return dict(zip(names, pool.map(lambda name: files.checksum(f"{output}/{name}"), names), strict=True))


def run(
    stages: Mapping[str, Stage],
    output: str,
    last: str,
    on_start: Callable[[Stage, bool], None],
    prepare: Callable[[], None] = lambda: None,
) -> dict[str, Manifest]:
    """Runs the stages that `last` needs, then `last`; returns their manifests by stage name.

    `on_start(stage, done)` is called before each stage, and `prepare` before the first one that is not
    done. A stage that is not done starts with empty folders, so that no file of an earlier attempt remains, and the
    manifests of the stages that used its earlier result are deleted.
    """
    by_name = fingerprints(stages)
    wanted = {last, *requirements(stages, last)}
    finished: dict[str, Manifest] = {}
    is_prepared = False
    for name in by_name:
        if name not in wanted:
            continue
        stage = stages[name]
        done = is_done(output, stage, by_name[name])
        on_start(stage, done)
        if not done:
            if not is_prepared:
                prepare()
                is_prepared = True
            for later in (name, *successors(stages, name)):
                if not is_done(output, stages[later], by_name[later]):
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
            known = manifest_file.noted_checksums(result)
            sha256 = known | checksums(output, [file for file in written if file not in known])
            sizes = files.sizes(output, written)
            text = manifest_file.render(name, by_name[name], result, sizes, {file: sha256[file] for file in written})
            files.make_durable(output, written)  # before the manifest that lists them
            files.write_text(manifest_path(output, stage), text, durable=True)
        finished[name] = parse_manifest(output, stage)
    return finished


def remove_later(stages: Mapping[str, Stage], output: str, name: str) -> None:
    """Removes the folders and files of all stages that need this one: they come from an earlier result of it."""
    for later in (stages[successor] for successor in successors(stages, name)):
        for folder in later.folders:
            files.remove_tree(f"{output}/{folder}")
        for file in later.files:
            files.remove_file(f"{output}/{file}")
