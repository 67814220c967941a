"""One configuration and the sources found → the stages of a build, each a Beam pipeline between directories."""

import importlib.metadata
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from hard_negatives import embed
from pipelines import (
    card,
    citations,
    croissant,
    dataset_info,
    manifests,
    negatives,
    reading_modules,
    report,
    runner,
    summary,
    token_estimate,
    tokens,
)
from pipelines.clean import Clean, Shard, cut_folder
from pipelines.config import SAMPLES, Config
from pipelines.dag import Stage
from pipelines.ingest import Ingest, SplitFiles, keep_trace
from pipelines.instruct import Instruct, ask_options, plan_shards
from pipelines.judge import judge
from pipelines.labels import WriteLabels, read_label_set
from pipelines.mine import Amend, Mine, TakeGiven, check_pairs, label_sets_to_mine, tell_coverage
from pipelines.output import told
from pipelines.progress import stage_progress
from pipelines.registry import Located
from pipelines.repeats import keys_folder
from pipelines.stats import stats
from pipelines.validate import Validate, checks, refuse_failures
from schemas.errors import MachineError, SourceError
from schemas.example import TASKS
from transforms import files, prompts
from transforms.ask import SPLIT_NUM, cut
from transforms.files import File

CARD_FILES = ("README.md", "README_zh.md", "croissant.json", "dataset_info.json")
"""What the card stage writes at the top of the output."""


def stages_of(config: Config, located: Sequence[Located], options: PipelineOptions) -> dict[str, Stage]:
    """The stages by name. What decides a stage's result besides earlier stages is in its `inputs`."""
    raw = {source.key: raw_checksums(source) for source in located}
    build = Build(config, located, options, raw)
    outside = {path: files.checksum(path) for path in (config.instruct.prompts,) if path}
    version = importlib.metadata.version("ieforge")
    chosen = config.mine.hard_negatives
    dictionary = {} if chosen in ("mine", "none") else checksums_below(chosen)
    model = config.mine.embedding_model
    of_model = checksums_below(model) if model and model != embed.LEXICAL and files.exists(model) else {}
    mined_from = [config.mine.model_dump(), dictionary, of_model]
    instruct = config.instruct.model_dump(mode="json")
    return {
        stage.name: replace(stage, form=manifests.FORMS.get(stage.name, manifests.Manifest))
        for stage in (
            Stage(
                "ingest",
                4,
                (),
                ("examples", "rejects/ingest"),
                ingest_inputs(config, located, version, raw),
                build.ingest,
            ),
            Stage("clean", 6, ("ingest",), ("clean", "rejects/clean"), config.clean.model_dump(), build.clean),
            Stage("labels", 1, ("clean",), ("labels",), [instruct["tasks"], config.ingest.collapse], build.labels),
            Stage("mine", 3, ("labels",), ("hard_negatives",), mined_from, build.mine),
            Stage(
                "instruct", 3, ("clean", "labels", "mine"), ("data",), [instruct, config.seed, outside], build.instruct
            ),
            Stage("tokens", 1, ("instruct",), ("tokens",), token_inputs(config), build.tokens),
            Stage("validate", 5, ("instruct", "tokens"), ("reports",), [], build.validate),
            Stage(
                "report",
                2,
                ("validate",),
                ("reports/report",),
                report_inputs(version),
                build.report,
                files=("reports/report.html",),
            ),
            Stage("card", 2, ("validate", "report"), ("card",), card_inputs(version), build.card, files=CARD_FILES),
        )
    }


def ingest_inputs(config: Config, located: Sequence[Located], version: str, raw: dict[str, dict]) -> list:
    """What decides what is read: how we read (any change of the modules that do counts) and the raw files."""
    return [
        version,
        {name: files.checksum(str(reading_modules.ROOT / name)) for name in reading_modules.reading_modules()},
        config.ingest.model_dump(mode="json"),
        config.seed if config.ingest.limit else None,
        [[source.key, source.problem, raw[source.key]] for source in located],
    ]


def raw_checksums(source: Located) -> dict[str, list[tuple[str, str]]]:
    """Split → (name, SHA-256) of its files, and "schema" → those of the files that say what a user's own folder holds.

    A file that cannot be read has none ("").
    """
    groups = dict(source.found.splits) if source.found else {}
    if source.settings:
        groups["schema"] = list(source.settings)
    return {name: [(file.name, checksum_of(file)) for file in group] for name, group in groups.items()}


def checksum_of(file: File) -> str:
    try:
        return files.checksum(file.path)
    except MachineError:
        return ""


def report_inputs(version: str) -> list:
    """What decides how the report is drawn."""
    return [version, {path.name: files.checksum(str(path)) for path in sorted(report.TEMPLATES.glob("report*"))}]


def card_inputs(version: str) -> list:
    """What decides how the card is worded."""
    texts = [citations.BIBLIOGRAPHY, *sorted(card.TEMPLATES.glob("card.*"))]
    return [version, {path.name: files.checksum(str(path)) for path in texts}]


def token_inputs(config: Config) -> list:
    """Nothing where no tokens are counted: then no setting makes a difference."""
    tokenizer = config.tokens.tokenizer
    if not tokenizer:
        return []
    return [config.tokens.model_dump(), config.seed, checksums_below(tokenizer) if files.exists(tokenizer) else {}]


def own_prompts(config: Config, located: Sequence[Located]) -> prompts.Prompts:
    """The prompts for the tasks and languages of this build. Raises ConfigError where the user's file lacks one."""
    tasks = [task for task in config.instruct.tasks if any(task in source.source.tasks for source in located)]
    langs = sorted({source.source.lang for source in located})
    return prompts.load(config.instruct.prompts, tasks, langs)


def checksums_below(path: str) -> dict[str, str]:
    """Name → SHA-256 of a file, or of all files of a folder."""
    if not files.is_folder(path):
        return {path: files.checksum(path)}
    return {file.name: files.checksum(file.path) for file in files.list_files(path)}


class Build:
    """What each stage does: `(output folder) -> manifest content`."""

    def __init__(self, config: Config, located: Sequence[Located], options: PipelineOptions, raw: dict[str, dict]):
        self.config, self.located, self.options, self.raw = config, located, options, raw
        self.data_root = files.absolute(config.data_root)
        forms = {source.key: source.found.form for source in located if source.found}
        self.collapse = (*config.ingest.collapse, *sorted(key for key, form in forms.items() if form.collapsed))

    def run(
        self, name: str, output: str, folder: str, elements: list, transform: beam.PTransform, files: int | None
    ) -> None:
        """Runs a stage over its elements; `files` is how many it will write below `folder`, for the progress bar."""
        with stage_progress(name, output, folder, files):
            runner.run(lambda p: p | "List" >> beam.Create(elements) | name >> transform, self.options)

    def ingest(self, output: str) -> dict:
        config = self.config.ingest
        elements = [
            SplitFiles(self.data_root, source.key, split, tuple(group))
            for source in self.located
            if not source.problem
            for split, group in source.found.splits.items()
        ]
        # Largest first: runners deal elements out in turn, so that by key and split one of two workers would get every
        # train split, and one that comes last would be read while the others have nothing left to do
        elements.sort(key=lambda element: (-files.total_bytes(element.files), element.key, element.split))
        read = Ingest(output, config.limit, self.config.seed, config.examples_per_shard, self.collapse)
        self.run("ingest", output, "examples", elements, read, None)
        parts = summary.read(f"{output}/examples/.summary.json")
        verdict = judge(parts, {source.key: source.source for source in self.located}, config.max_reject_rate)
        failed = {source.key: source.problem for source in self.located if source.problem} | verdict.failed
        for source in self.located:
            if source.trace:
                failed[source.key] += f": {keep_trace(output, source.key, 'listing', source.trace)}"
        for key in (*failed, *verdict.absent):
            remove_shards(f"{output}/examples/{key}")
        splits = [part for part in parts if "read" in part and part["key"] not in {*failed, *verdict.absent}]
        if not splits:
            raise SourceError("; ".join(f"source {key}: {reason}" for key, reason in sorted(failed.items())))
        built = {part["key"] for part in splits}
        known = {source.key: about(source) for source in self.located if source.key in built}
        raw = {key: self.raw[key] for key in known}
        return {
            "sources": known,
            "raw": raw,
            "splits": splits,
            "failed": dict(sorted(failed.items())),
            "absent": verdict.absent,
        }

    def clean(self, output: str) -> dict:
        read = {
            (part["key"], part["split"], shard["path"]): shard["rows"]
            for part in summary.manifest(output, "examples")["splits"]
            for shard in part["shards"]
        }
        shards = [Shard(number, *which) for number, which in enumerate(sorted(read))]
        elements = sorted(shards, key=lambda shard: -read[shard.key, shard.split, shard.path])  # as `ingest` has it
        config = self.config.clean
        clean = Clean(output, shards, config.max_chars, config.same_text)
        self.run("clean", output, "clean", elements, clean, len(shards))
        files.remove_tree(cut_folder(output))
        return {"shards": sorted(summary.read(f"{output}/clean/.summary.json"), key=lambda part: part["number"])}

    def labels(self, output: str) -> dict:
        shards = [shard for shard, _ in clean_shards(output)]
        write = WriteLabels(output, self.data_root, self.config.instruct.tasks, self.collapse)
        tasks = self.tasks(shards)
        self.run("labels", output, "labels", shards, write, sum(map(len, tasks.values())))
        return {"tasks": tasks}

    def tasks(self, shards: Iterable[Shard]) -> dict[str, list[str]]:
        """Source key → those of its tasks that this build is for."""
        built = {shard.key for shard in shards}
        wanted = self.config.instruct.tasks
        return {
            source.key: [task for task in TASKS if task in source.source.tasks and task in wanted]
            for source in self.located
            if source.key in built
        }

    def mine(self, output: str) -> dict:
        config = self.config.mine
        if config.hard_negatives != "none":
            which = label_sets_to_mine(summary.manifest(output, "labels")["tasks"])
            sets = [read_label_set(output, *one) for one in which]
            check_pairs(config.pin, "mine.pin", sets)
            check_pairs(config.forbid, "mine.forbid", sets)
            mined = config.hard_negatives == "mine"
            amend = Amend(config.pin, config.forbid, config.max_neighbours if mined else None)
            if mined:
                keys = {key for _, key in which}  # a source may have none of the tasks that this build is for
                elements = [shard for shard, _ in clean_shards(output) if shard.split != "test" and shard.key in keys]
                local = runner.runner_of(self.options) is not None  # hints would only break the fusion of its steps
                mine = Mine(
                    output,
                    self.data_root,
                    which,
                    config.embedding_model,
                    files.absolute(config.cache or f"{output}/embeddings"),
                    config.evidence,
                    config.annotations,
                    amend,
                    "" if local else config.accelerator or "",
                )
            else:
                tell_coverage(config.hard_negatives, sets)
                elements, mine = which, TakeGiven(output, files.absolute(config.hard_negatives), amend)
            self.run("mine", output, "hard_negatives", elements, mine, len(which))
        model = config.embedding_model and embed.called(config.embedding_model)
        return {"hard_negatives": config.hard_negatives.rstrip("/").rpartition("/")[2], "model": model}

    def instruct(self, output: str) -> dict:
        config = self.config.instruct
        tasks = summary.manifest(output, "labels")["tasks"]
        batches = {
            (task, key): len(cut(read_label_set(output, task, key).labels, (SPLIT_NUM | config.split_num)[task]))
            for key, of_source in tasks.items()
            for task in of_source
        }
        elements = plan_shards(clean_shards(output), tasks, batches, config.instructions_per_shard)
        options = ask_options(config, self.config.seed)
        texts = own_prompts(self.config, self.located)
        self.run("instruct", output, "data", elements, Instruct(output, options, texts), len(elements))
        return {"shards": sorted(summary.read(f"{output}/data/.summary.json"), key=lambda part: part["path"])}

    def tokens(self, output: str) -> dict:
        config = self.config.tokens
        if not config.tokenizer:
            return {"tokens": None}
        elements = tokens.plan(summary.manifest(output, "data")["shards"], config.sample)
        self.run(
            "tokens", output, "tokens", elements, tokens.CountTokens(output, config.tokenizer, self.config.seed), None
        )
        counted = tokens.by_source(summary.read(f"{output}/tokens/.summary.json"))
        return {
            "tokens": {
                "tokenizer": tokens.called(config.tokenizer),
                **token_estimate.BINS,
                "by_source": counted,
            }
        }

    def validate(self, output: str) -> dict:
        everything = checks(output)
        instruct = self.config.instruct
        check = Validate(
            output,
            everything,
            self.config.clean.max_chars,
            self.config.mine.max_neighbours if self.config.mine.hard_negatives == "mine" else None,
            instruct.split_num,
            instruct.negative_ratio,
            self.config.clean.same_text,
        )
        self.run("validate", output, "reports", everything, check, None)
        files.remove_tree(keys_folder(output))
        counts = stats(output, self.said())
        files.write_text(f"{output}/reports/stats.json", json.dumps(counts, ensure_ascii=False, indent=1) + "\n")
        if self.config.mine.hard_negatives != "none":
            files.write_text(f"{output}/reports/hard_negatives.html", negatives.report(output, instruct.split_num))
        refuse_failures(output)
        return {}

    def said(self) -> dict:
        """What the statistics say of this build: nothing that only this machine has."""
        samples = self.config.data_root == str(SAMPLES)
        return {"version": importlib.metadata.version("ieforge"), "samples": samples, "settings": told(self.config)}

    def report(self, output: str) -> dict:
        counts = files.read_json(f"{output}/reports/stats.json", dict)
        files.write_text(f"{output}/reports/report.html", report.page(output, counts))
        return {}

    def card(self, output: str) -> dict:
        counts = files.read_json(f"{output}/reports/stats.json", dict)
        shards = croissant.shards_of(output, summary.manifest(output, "data")["shards"])
        files.write_text(f"{output}/README.md", card.render(counts))
        files.write_text(f"{output}/README_zh.md", card.render(counts, lang="zh"))
        files.write_text(f"{output}/croissant.json", croissant.render(counts, shards))
        files.write_text(f"{output}/dataset_info.json", dataset_info.render(counts))
        return {"config": self.config.model_dump(mode="json")}


def remove_shards(folder: str) -> None:
    """Deletes the shards of a source. Folders in it stay: the key of another source may begin with this one's."""
    if not files.is_folder(folder):
        return
    shards = files.list_files(folder, recursive=False)
    if len(shards) == len(files.list_files(folder)):
        files.remove_tree(folder)
    for shard in shards:
        files.remove_file(shard.path)


def about(source: Located) -> dict:
    """What a manifest says of a source: by its licence class it is decided what may be published."""
    return {
        "name": source.source.name,
        "title": source.source.title,
        "lang": source.source.lang,
        "domain": source.source.domain,
        "tasks": list(source.source.tasks),
        "licence": str(source.source.licence),
        "licence_text": source.source.licence_text,
        "homepage": source.source.homepage,
        "citation": source.source.citation,
        "held_out": source.source.held_out,
        "one_pair": source.source.one_pair,
    }


def clean_shards(output: str) -> list[tuple[Shard, int]]:
    """The shards of clean/ with their rows, in (key, split, file) order."""
    return [
        (Shard(part["number"], part["key"], part["split"], part["path"]), part["rows"])
        for part in summary.manifest(output, "clean")["shards"]
    ]
