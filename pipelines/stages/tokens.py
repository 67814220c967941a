"""Instruction shards and a tokenizer → `tokens/`: token counts of the prompts and answers of each source.

The length of a row is that of its `instruction` plus, in train and validation, that of its `output`. Both are tokenized
separately, without special tokens and without the chat template that a trainer adds.
"""

import math
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import apache_beam as beam
import pyarrow as pa

from hard_negatives import embed
from pipelines.build_folder import read_result
from pipelines.describe import token_estimate
from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.run import run_pipeline
from pipelines.stages.build_settings import BuildSettings
from schemas.errors import ConfigError
from schemas.id_columns import source_keys
from schemas.manifests import Instructed, InstructionShard, Stored, TokenCounts, Tokenized, TokenStratum
from transforms import files, model_hub
from transforms.draw import seed_key
from transforms.shards import read_batches

MIN_ROWS_PER_SOURCE = 50
"""Minimum number of rows drawn per source and shard, enough to estimate the variance."""

ROWS_PER_BATCH = 1_000

Lengths = Callable[[list[str]], list[int]]


def stage(build: BuildSettings) -> Stage:
    config = build.config
    tokenizer = config.tokens.tokenizer
    inputs = []  # if no tokens are counted, the settings do not matter
    if tokenizer:
        checksums = files.checksums_below(tokenizer) if files.exists(tokenizer) else {}
        inputs = [config.tokens.model_dump(), config.seed, checksums]
    return Stage(
        "tokens",
        needs=("instruct",),
        folders=("tokens",),
        inputs=inputs,
        modules=(__name__,),
        run=partial(run, build),
        form=Tokenized,
    )


def run(build: BuildSettings, output: str) -> Tokenized:
    config = build.config.tokens
    if not config.tokenizer:
        return Tokenized(None)
    elements = plan(read_result(output, Instructed).shards, config.sample)
    transform = CountTokens(output, embed.located(config.tokenizer), build.config.seed)
    run_pipeline("tokens", elements, transform, build.options, output, "tokens")
    counted = by_source(gather.read(f"{output}/tokens/.summary.json", CountedStratum))
    return Tokenized(
        TokenCounts(display_name(config.tokenizer), token_estimate.CONTEXTS, token_estimate.EDGES, counted)
    )


@dataclass(frozen=True)
class CountedShard:
    """One element: a shard of data/ and, for each source in it, its rows and how many of them are drawn."""

    task: str
    split: str
    path: str
    drawn: dict[str, tuple[int, int]]


class CountedStratum(Stored, frozen=True):
    """The token counts of a source in a shard: an element of `tokens/.summary.json`."""

    task: str
    split: str
    key: str
    stratum: TokenStratum


def plan(shards: Sequence[InstructionShard], sample: int | None) -> list[CountedShard]:
    """Divides about `sample` rows (None: all) among the sources of the shards in proportion to their rows.

    Each source in a shard gets at least MIN_ROWS_PER_SOURCE rows, or all of its rows.
    """
    total = sum(shard.rows for shard in shards)

    def drawn(rows: int) -> int:
        return rows if sample is None else min(rows, max(MIN_ROWS_PER_SOURCE, math.ceil(sample * rows / total)))

    return [
        CountedShard(
            shard.task,
            shard.split,
            shard.path,
            {key: (n.instructions, drawn(n.instructions)) for key, n in shard.sources.items()},
        )
        for shard in shards
    ]


class CountTokens(beam.PTransform):
    """CountedShards → `tokens/.summary.json`: a CountedStratum for each shard and source."""

    def __init__(self, output: str, tokenizer: str, seed: int):
        super().__init__()
        self.output = output
        self.count = CountShard(output, tokenizer, seed)

    def expand(self, pcoll):
        return (
            pcoll | "Count" >> beam.ParDo(self.count) | "Sum up" >> WriteSummary(f"{self.output}/tokens/.summary.json")
        )


class CountShard(beam.DoFn):
    """CountedShard → a CountedStratum for each source in it that has rows."""

    def __init__(self, output: str, tokenizer: str, seed: int):
        self.output, self.tokenizer, self.seed = output, tokenizer, seed

    def setup(self):
        self.lengths = load(self.tokenizer)

    def process(self, shard: CountedShard):
        path = f"{self.output}/{shard.path}"
        ids: dict[str, list[tuple[str, int]]] = {}
        first = 0
        for table in read_batches(path, 100_000, ["id", "example_id"]):
            keys = source_keys(table["example_id"]).to_pylist()
            for number, (row_id, key) in enumerate(zip(table["id"].to_pylist(), keys, strict=True), first):
                ids.setdefault(key, []).append((row_id, number))
            first += table.num_rows
        wanted = {number: key for key, rows in ids.items() for number in self.draw(rows, shard.drawn[key][1])}
        lengths = self.token_counts(path, wanted)
        for key, (prompts, answers) in lengths.items():
            stratum = token_estimate.stratum(shard.drawn[key][0], prompts, answers)
            yield CountedStratum(shard.task, shard.split, key, stratum)

    def draw(self, rows: list[tuple[str, int]], count: int) -> list[int]:
        """The numbers of `count` of the rows, by a hash of the seed and their ids."""
        if count == len(rows):
            return [number for _, number in rows]
        return [number for _, _, number in sorted((seed_key(self.seed, id_, "tokens"), id_, n) for id_, n in rows)][
            :count
        ]

    def token_counts(self, path: str, wanted: dict[int, str]) -> dict[str, tuple[list[int], list[int]]]:
        """Source key → tokens of the prompts and of the answers of its rows. `wanted`: row number → source key."""
        lengths: dict[str, tuple[list[int], list[int]]] = {}
        first = 0
        for table in read_batches(path, ROWS_PER_BATCH, ["instruction", "output"]):
            here = [number for number in range(first, first + table.num_rows) if number in wanted]
            rows = table.take(pa.array([number - first for number in here], pa.int64()))
            first += table.num_rows
            prompts = self.lengths(rows["instruction"].to_pylist())
            answers = self.lengths([answer or "" for answer in rows["output"].to_pylist()])
            for number, prompt, answer in zip(here, prompts, answers, strict=True):
                prompt_lengths, answer_lengths = lengths.setdefault(wanted[number], ([], []))
                prompt_lengths.append(prompt)
                answer_lengths.append(answer)
        return lengths


def by_source(counted: Iterable[CountedStratum]) -> dict[str, dict[str, dict[str, TokenStratum]]]:
    """Source key → task → split → the joined strata of its shards."""
    groups: dict[tuple[str, str, str], list[TokenStratum]] = {}
    for part in counted:
        groups.setdefault((part.key, part.task, part.split), []).append(part.stratum)
    strata: dict[str, dict[str, dict[str, TokenStratum]]] = {}
    for (key, task, split), group in sorted(groups.items()):
        strata.setdefault(key, {}).setdefault(task, {})[split] = token_estimate.joined(group)
    return strata


def load(tokenizer: str) -> Lengths:
    """A function from texts to their lengths in tokens. `tokenizer`: a `tokenizer.json` file of the tokenizers library,
    or a folder or Hub name for transformers' AutoTokenizer.

    A tokenizer is only downloaded if it is not in the local cache. Raises ConfigError if it cannot be loaded.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")  # unset, a forked worker warns and uses one core
    try:
        import tokenizers
        import transformers
    except ImportError as error:
        raise unusable(tokenizer, f"{error.name} is not installed (pip install 'ieforge[embed]')") from error
    if tokenizer.endswith(".json"):
        from_file = read_file(tokenizer, tokenizers.Tokenizer.from_str)
        return lambda texts: [len(tokens) for tokens in from_file.encode_batch(texts, add_special_tokens=False)]
    transformers.utils.logging.set_verbosity_error()
    named = read_named(tokenizer, transformers.AutoTokenizer.from_pretrained)
    return lambda texts: [len(ids) for ids in named(texts, add_special_tokens=False)["input_ids"]] if texts else []


def display_name(tokenizer: str) -> str:
    """The name of a tokenizer in the statistics: a Hub name unchanged, a file or folder without its path."""
    path = Path(tokenizer)
    return f"{path.name}@{files.checksum(tokenizer)[:12]}" if path.is_file() else embed.display_name(tokenizer)


def read_file(path: str, parse: Callable):
    try:
        tokenizer = parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise unusable(path, getattr(error, "strerror", None) or "it is not valid UTF-8") from error
    except Exception as error:
        if type(error) is not Exception:  # the library raises plain Exception for a bad file
            raise
        raise unusable(path, f"it is not a tokenizer.json: {error}") from error
    tokenizer.no_truncation()  # the file may contain truncation and padding for a model
    tokenizer.no_padding()
    return tokenizer


def read_named(name: str, read: Callable):
    errors = (OSError, ValueError, TypeError, KeyError, RuntimeError, ImportError)
    try:
        return read(name, local_files_only=True, trust_remote_code=False)
    except errors as error:
        if Path(name).exists() or not re.fullmatch(r"\w[\w.-]*(/[\w.-]+)?", name):
            raise unusable(name, error if Path(name).exists() else "there is no such file or folder") from error
        if not model_hub.reachable(model_hub.endpoint()):
            reason = f"it is neither a folder nor in the local cache, and {model_hub.endpoint()} does not answer"
            raise unusable(name, reason) from error
    try:
        return read(name, trust_remote_code=False)
    except errors as error:
        raise unusable(name, error) from error


def unusable(tokenizer: str, reason: object) -> ConfigError:
    line = " ".join(str(reason).split())[:200].rstrip(". ")
    return ConfigError(
        f"tokenizer {tokenizer} cannot be used: {line}; give --tokenizer a tokenizer.json, a folder or a Hub name"
    )
