"""Every row of clean/, labels/, hard_negatives/ and data/ → results of the suites, reports/validation.json, Data Docs.

The stages that write shards check every row as they write it, and record the facts of the shard with its checksum. Here
only the first rows of a shard are profiled if it is unchanged and all its rows were faultless, otherwise all its rows.
Faults that depend on more than one shard (leaks, duplicates, lost rows) are detected by counts and by the keys of all
texts, which are recorded in the same way. If partial leaks are dropped, all texts are searched for them once more.
"""

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import chain

import apache_beam as beam
import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.build_dictionaries import dictionary_path, read_dictionary
from pipelines.build_folder import Shard, read_label_set, read_result
from pipelines.build_reports import STATISTICS, read_results
from pipelines.config import Config
from pipelines.describe.stats import build_facts, stats
from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.run import run_pipeline
from pipelines.report import hard_negatives
from pipelines.stages.build_settings import BuildSettings
from pipelines.stages.corpus_facts import conclude
from pipelines.stages.familiarity import write_familiarity
from pipelines.stages.leak_search import FindPartialLeaks
from pipelines.stages.repeats import keys_folder, repeats, split_faults, text_keys
from pipelines.stages.torn_documents import torn_documents
from schemas import json_values
from schemas.errors import SuiteError
from schemas.example_id import ExampleId
from schemas.label import LabelSet
from schemas.manifests import Cleaned, Facts, Instructed, Labelled, Validated
from transforms import files
from transforms.batches import SPLIT_NUM
from transforms.deduplicate import SameText
from transforms.partial_leaks import LeakRules
from transforms.shards import read_batches, read_schema, row_count
from validation import faultless_examples, profile
from validation.check import batch_definition, check, failure_lines

ROWS_PER_PROFILE = 20_000
ROWS_PER_CHECK = 1_000_000
ROWS_ALWAYS_CHECKED = 200
"""Largest number of rows per shard that are always passed to the suite, even if its facts were recorded."""

ROWS_WITH_FACTS = 1_000
"""Number of these rows in a check of many shards, about; at least MIN_ROWS of each shard."""

MIN_ROWS = 20

MAX_ROWS_WITH_FACTS = 10_000
"""Largest number of rows that a shard with recorded facts counts for in `group_parts`: only its first rows are read."""


def stage(build: BuildSettings) -> Stage:
    return Stage(
        "validate",
        needs=("instruct", "tokens"),
        folders=("reports",),
        inputs=[
            msgspec.to_builtins(build_facts(build.config, ())),
            build.config.familiarity.model_dump(),
            files.checksum(build.config.mine.contrasts) if build.config.mine.contrasts else None,
        ],
        modules=(__name__,),
        data=("hard_negatives/templates", "transforms/pages/templates", "validation/templates"),
        run=partial(run, build.config, build.options),
        form=Validated,
    )


def run(config: Config, options: PipelineOptions, output: str) -> Validated:
    """Raises SuiteError if an expectation failed. The reports, which show it, are written before."""
    elements = checks(output)
    is_mined = config.mine.hard_negatives == "mine"
    drops_leaks = config.clean.partial_leaks == "drop"
    transform = Validate(
        output,
        elements,
        config.clean.max_chars,
        config.mine.max_neighbours if is_mined else None,
        config.instruct.split_num,
        config.instruct.negative_ratio,
        config.clean.same_text,
        LeakRules(config.clean.leak_words, config.clean.leak_jaccard) if drops_leaks else None,
    )
    run_pipeline("validate", elements, transform, options, output, "reports")
    files.remove_tree(keys_folder(output))
    write_familiarity(output, config)
    files.write_text(f"{output}/{STATISTICS}", json_values.render(stats(output, config)))
    if config.mine.hard_negatives != "none":
        page = hard_negatives.report(output, config.instruct.split_num, config.mine.contrasts)
        files.write_text(f"{output}/reports/hard_negatives.html", page)
    refuse_failures(output)
    return Validated()


@dataclass(frozen=True)
class Part:
    """A shard to check. `number`: as in clean/, None for instructions. `tasks`: source key → tasks in it.

    `facts`: recorded by the stage that wrote the file with this `sha256`; None if some row may have a fault.
    `keys_sha256`: checksum of the keys of the texts of a shard of clean/.
    """

    path: str
    split: str
    rows: int
    tasks: dict[str, tuple[str, ...]]
    sha256: str
    facts: Facts | None
    number: int | None = None
    keys_sha256: str | None = None


@dataclass(frozen=True)
class Check:
    """One element: the shards that are checked by one call of a suite; none for label sets and dictionaries.

    A call of Great Expectations takes some tenths of a second for any number of rows, so small shards are grouped.
    """

    suite: str
    parts: tuple[Part, ...] = ()
    tasks: tuple[tuple[str, str], ...] = ()  # (task, source key) of the label sets and dictionaries


def checks(output: str) -> list[Check]:
    """The checks of all files that the manifests list."""
    tasks = read_result(output, Labelled).tasks
    sets = tuple((task, key) for key, source_tasks in tasks.items() for task in source_tasks)
    examples = [
        Part(
            shard.path,
            shard.split,
            shard.rows,
            {shard.key: tasks[shard.key]},
            shard.sha256,
            shard.facts,
            shard.number,
            shard.keys_sha256,
        )
        for shard in read_result(output, Cleaned).shards
    ]
    instructions = [
        Part(
            shard.path, shard.split, shard.rows, dict.fromkeys(shard.sources, (shard.task,)), shard.sha256, shard.facts
        )
        for shard in read_result(output, Instructed).shards
    ]
    return [
        Check("labels", tasks=sets),
        Check("hard_negatives", tasks=sets),
        *(Check("examples", group) for group in group_parts(examples)),
        *(Check("instructions", group) for group in group_parts(instructions)),
    ]


def group_parts(parts: Iterable[Part]) -> Iterator[tuple[Part, ...]]:
    """Consecutive parts in groups of at most ROWS_PER_CHECK rows to check; a larger part is a group by itself."""
    group: list[Part] = []
    rows = 0
    for part in parts:
        part_rows = min(part.rows, MAX_ROWS_WITH_FACTS) if part.facts else part.rows
        if group and rows + part_rows > ROWS_PER_CHECK:
            yield tuple(group)
            group, rows = [], 0
        group.append(part)
        rows += part_rows
    if group:
        yield tuple(group)


def rows_of_each(shards: int) -> int:
    """How many rows are always checked of each of the shards of a check."""
    return min(ROWS_ALWAYS_CHECKED, max(MIN_ROWS, ROWS_WITH_FACTS // max(1, shards)))


class Validate(beam.PTransform):
    """Checks → `reports/validation.json` (the merged SuiteResults) and `reports/data_docs/index.html`."""

    def __init__(
        self,
        output: str,
        checks: list[Check],
        max_chars: int,
        max_neighbours: int | None,
        split_num,
        negative_ratio: float,
        same_text: SameText,
        leak_rules: LeakRules | None,
    ):
        super().__init__()
        self.output, self.same_text, self.leak_rules = output, same_text, leak_rules
        examples = [part for check in checks if check.suite == "examples" for part in check.parts]
        numbered = [(part.number, part) for part in examples if part.number is not None]
        self.splits = {number: (next(iter(part.tasks)), part.split) for number, part in numbered}
        self.paths = {number: part.path for number, part in numbered}
        self.check = CheckShards(output, max_chars, max_neighbours, SPLIT_NUM | split_num, negative_ratio)

    def expand(self, pcoll):
        checked = pcoll | "Check" >> beam.ParDo(self.check).with_outputs("keys", main="results")
        gathered = checked["keys"] | "Gather keys" >> gather.Gather()
        results = [
            checked["results"],
            gathered | "Find repeats" >> beam.FlatMap(repeats, self.output, self.splits, self.paths, self.same_text),
        ]
        if self.leak_rules:
            shards = [Shard(number, *self.splits[number], path) for number, path in sorted(self.paths.items())]
            search = FindPartialLeaks(self.output, shards, self.leak_rules, keys_folder(self.output))
            leaks = gathered | "Find partial leaks" >> search
            results.append(leaks | "Count leaks" >> beam.Map(leak_faults, self.splits, self.paths))
        return (
            results
            | beam.Flatten()
            | "Encode" >> beam.Map(gather.encode).with_output_types(str)
            | gather.Gather()
            | "Conclude" >> beam.Map(conclude, self.output)
        )


def leak_faults(
    element: tuple[int, pa.Table], splits: dict[int, tuple[str, str]], paths: dict[int, str]
) -> dict[str, dict]:
    """The facts of a shard with rows that the clean stage should have dropped. `element`: its number, LEAKS
    (`shard_leaks`).
    """
    shard, leaks = element
    return split_faults(paths[shard], splits[shard][1], partial_leaks=pc.unique(leaks["id"]).to_pylist())


class CheckShards(beam.DoFn):
    """Check → its SuiteResult, the facts of each shard for the corpus suite, and for each shard of clean/ the path of
    the keys of its texts.
    """

    def __init__(self, output: str, max_chars: int, max_neighbours: int | None, split_num: dict, negative_ratio: float):
        self.output, self.max_chars, self.max_neighbours = output, max_chars, max_neighbours
        self.split_num, self.negative_ratio = split_num, negative_ratio

    def setup(self):
        batch_definition()
        gc.freeze()  # else every garbage collection would traverse the imported modules again

    def process(self, element: Check):
        frames = []
        if element.suite == "labels":
            frames = [profile.labels_profile(read_label_set(self.output, *which) for which in element.tasks)]
        elif element.suite == "hard_negatives":
            frames = [self.dictionary(read_label_set(self.output, *which)) for which in element.tasks]
        rows = sum(map(len, frames))
        with_facts = []
        for part in element.parts:
            altered = files.checksum(f"{self.output}/{part.path}") != part.sha256
            facts = None if altered else self.recorded_facts(part)
            if facts:
                with_facts.append(part)
            else:
                facts, rows_to_check = self.profile_all(part)
                frames += rows_to_check
            if altered:
                facts["altered_shards"] = {"count": 1, "ids": [part.path]}
            rows += facts["rows"]
            facts |= {"folder": part.path.rpartition("/")[0], "split": part.split, "manifest_rows": part.rows}
            if part.number is None and part.split != "test":
                facts["negative_ratio"] = self.negative_ratio
            yield {"facts": facts}
            if part.number is not None:
                if torn := torn_documents(self.output, part.path, self.max_chars):
                    yield split_faults(part.path, part.split, torn_documents=torn)
                keys = text_keys(self.output, part.number, part.path, None if altered else part.keys_sha256)
                yield beam.pvalue.TaggedOutput("keys", (part.number, keys))
        frames += self.first_rows(with_facts)
        result = check(element.suite, pd.concat(frames, ignore_index=True))
        yield {"result": asdict(replace(result, rows=rows))}

    def recorded_facts(self, part: Part) -> dict | None:
        """The facts that were recorded for a shard; None if it must be profiled, because a row had a fault when it was
        written or has a label that is not in the label set.
        """
        if part.facts is None:
            return None
        sets = self.label_sets(part)
        if not faultless_examples.are_labels_known(part.facts.labels, {labels.task: labels for labels in sets}):
            return None
        return {
            "rows": row_count(f"{self.output}/{part.path}"),
            "ordinals": {prefix: (first[0], last[0]) for prefix, (first, last) in part.facts.places.items()},
            "negatives": part.facts.negatives,
            "positives": part.facts.positives,
        }

    def first_rows(self, parts: Sequence[Part]) -> Iterator[pd.DataFrame]:
        """The profile of the first rows of each shard. Shards with the same label sets share a profile, because one of
        few rows takes as long as one of hundreds.
        """
        number = rows_of_each(len(parts))
        by_tasks: dict[tuple, list[Part]] = defaultdict(list)
        for part in parts:
            by_tasks[tuple(part.tasks.items())].append(part)
        for group in by_tasks.values():
            rows = pa.concat_tables([next(self.tables(part, number)) for part in group])
            yield from self.profiles(group[0], [rows])

    def profile_all(self, part: Part) -> tuple[dict, list[pd.DataFrame]]:
        """The facts of all rows of a shard, and the rows that its suite must check (`profile.rows_to_check`): all rows
        if an id is repeated.

        Only one table at a time is in memory, and the ids.
        """
        facts = {"rows": 0, "ordinals": {}, "negatives": 0, "positives": 0}
        ids, rows_to_check = [], []
        for frame in self.profiles(part, self.tables(part, ROWS_PER_PROFILE)):
            rows_to_check.append(profile.rows_to_check(frame, ROWS_ALWAYS_CHECKED if facts["rows"] == 0 else 0))
            ids.append(frame["id"])
            facts["rows"] += len(frame)
            for name, ends in ordinal_ranges(frame["id" if part.number is not None else "example_id"]).items():
                low, high = facts["ordinals"].get(name, ends)
                facts["ordinals"][name] = min(low, ends[0]), max(high, ends[1])
            if part.number is None and part.split != "test":
                negatives, positives = profile.negative_counts(frame)
                facts["negatives"] += negatives
                facts["positives"] += positives
        if pd.concat(ids).duplicated().any():
            rows_to_check = list(self.profiles(part, self.tables(part, ROWS_PER_PROFILE)))
        return facts, rows_to_check

    def label_sets(self, part: Part) -> list[LabelSet]:
        return [read_label_set(self.output, task, key) for key, tasks in part.tasks.items() for task in tasks]

    def tables(self, part: Part, rows: int) -> Iterator[pa.Table]:
        """The rows of the shard, and an empty table, so that a shard without rows also has one."""
        path = f"{self.output}/{part.path}"
        tables = read_batches(path, rows)
        return chain(whole_examples(tables) if part.number is None else tables, [read_schema(path).empty_table()])

    def profiles(self, part: Part, tables: Iterable[pa.Table]) -> Iterator[pd.DataFrame]:
        sets = self.label_sets(part)
        for table in tables:
            if part.number is None:
                yield profile.instructions_profile(table, sets, self.split_num, self.negative_ratio)
            else:
                yield profile.examples_profile(table, {labels.task: labels for labels in sets}, self.max_chars)

    def dictionary(self, labels: LabelSet) -> pd.DataFrame:
        path = dictionary_path(self.output, labels.task, labels.key)
        given = read_dictionary(path).labels if files.exists(path) else {}
        pairs = {label: [(n.label, n.score) for n in ranking.neighbours] for label, ranking in given.items()}
        return profile.hard_negatives_profile(pairs, labels, self.max_neighbours)


def whole_examples(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables that do not divide an example. The rows of an example must be consecutive."""
    waiting: pa.Table | None = None
    for table in tables:
        joined = table if waiting is None else pa.concat_tables([waiting, table])
        ids = joined["example_id"]
        last = pc.index(ids, ids[-1]).as_py()
        if last:
            yield joined.slice(0, last)
        waiting = joined.slice(last)
    if waiting is not None:
        yield waiting


def ordinal_ranges(ids: pd.Series) -> dict[str, tuple[int, int]]:
    """`<key>/<split>` → least and greatest example number in a shard. Malformed ids are left to the suite."""
    ranges: dict[str, tuple[int, int]] = {}
    for parsed in filter(None, map(ExampleId.match, ids.drop_duplicates().dropna())):
        low, high = ranges.get(parsed.prefix, (parsed.number, parsed.number))
        ranges[parsed.prefix] = min(low, parsed.number), max(high, parsed.number)
    return ranges


def refuse_failures(output: str) -> None:
    """Raises SuiteError with one line for each expectation that failed."""
    lines = failure_lines(read_results(output))
    if lines:
        first = f"{len(lines)} expectations failed, see {output}/reports/data_docs/index.html"
        raise SuiteError(first, *lines)
