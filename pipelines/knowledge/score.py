"""match/ → score/NNNNN.parquet (MATCHED): the same rows, with a score for each fact: how surely the text states it.

No fact is dropped here; export has the cut. Each shard is scored by itself, in batches of claims.
"""

from collections.abc import Iterator, Mapping
from functools import partial

import apache_beam as beam
import msgspec
import pyarrow as pa
from apache_beam.utils.shared import Shared

from pipelines.engine import gather, runner
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.run import run_pipeline
from pipelines.knowledge.config import KnowledgeSettings
from pipelines.knowledge.config import Score as ScoreConfig
from schemas.knowledge import MATCHED, MatchedParagraph, from_table, to_table
from schemas.knowledge_manifests import Scored, ScoredShard
from transforms import files
from transforms.knowledge import themes
from transforms.shards import read_batches, write_shard
from validation import entailment
from validation.entailment import Scorer

ROWS_PER_TABLE = 500
"""Paragraphs whose facts are scored in one call."""

BINS = 10
DIGITS = 4
"""Of scores. Batches of other sizes change the scores of a cross-encoder in the seventh digit."""

Names = Mapping[str, Mapping[str, str]]
"""Theme → relation → its name in the language of the texts."""


def stage(settings: KnowledgeSettings) -> Stage:
    """Raises ConfigError for a folder that has no model for entailment."""
    config = settings.config
    entailment.check(config.score.model)
    loaded = themes.load(config.match.themes)
    names = {
        theme.key: {relation.key: relation.name(config.lang) for relation in theme.relations}
        for theme in loaded.themes.values()
    }
    return Stage(
        "score",
        needs=("match",),
        folders=("score",),
        inputs=[config.score.model, config.score.batch_size, entailment.display_name(config.score.model), names],
        modules=(__name__,),
        run=partial(run, settings, names),
        form=Scored,
        data=("validation/lexical_entailment.yaml", "validation/relation_words.yaml"),
    )


def run(settings: KnowledgeSettings, names: Names, output: str) -> Scored:
    config = settings.config.score
    folder = f"{output}/match"
    paths = [file.name for file in files.list_files(folder, recursive=False) if file.name.endswith(".parquet")]
    is_local = runner.select_runner(settings.options) is not None  # a hint would only prevent the fusion of steps
    transform = ScoreShards(output, config, names, "" if is_local else config.accelerator or "")
    run_pipeline("score", sorted(paths), transform, settings.options, output, "score", len(paths))
    shards = sorted(gather.read(summary_path(output), ScoredShard), key=lambda shard: shard.path)
    histogram = tuple(sum(shard.histogram[number] for shard in shards) for number in range(BINS))
    return Scored(entailment.display_name(config.model), tuple(shards), histogram)


def summary_path(output: str) -> str:
    return f"{output}/score/.summary.json"


class ScoreShards(beam.PTransform):
    """Names of files in match/ → files of the same names in score/, and a summary.

    `accelerator`: a resource hint for the step ("" for no hint).
    """

    def __init__(self, output: str, config: ScoreConfig, names: Names, accelerator: str):
        super().__init__()
        self.output = output
        self.step = ScoreShard(output, config.model, config.batch_size, names)
        self.hints = {"accelerator": accelerator} if accelerator else {}

    def expand(self, pcoll):
        step = beam.ParDo(self.step)
        return (
            pcoll
            | "Score" >> (step.with_resource_hints(**self.hints) if self.hints else step)
            | "Sum up" >> WriteSummary(summary_path(self.output))
        )


class ScoreShard(beam.DoFn):
    """The name of a file in match/ → its ScoredShard. The threads of a worker share one scorer."""

    def __init__(self, output: str, model: str, batch_size: int, names: Names):
        self.output, self.model, self.batch_size, self.names = output, model, batch_size, names
        self.shared = Shared()

    def setup(self):
        self.scorer = self.shared.acquire(partial(entailment.load, self.model, self.batch_size))

    def process(self, path: str):
        histogram = [0] * BINS
        tables = self.tables(f"{self.output}/match/{path}", histogram)
        rows = write_shard(f"{self.output}/score/{path}", MATCHED, tables)
        yield ScoredShard(f"score/{path}", rows, tuple(histogram))

    def tables(self, path: str, histogram: list[int]) -> Iterator[pa.Table]:
        for table in read_batches(path, ROWS_PER_TABLE):
            scored = with_scores(from_table(table, MatchedParagraph), self.scorer, self.names)
            for paragraph in scored:
                for fact in paragraph.facts:
                    histogram[min(int((fact.score or 0.0) * BINS), BINS - 1)] += 1
            yield to_table(scored, MATCHED)


def with_scores(paragraphs: list[MatchedParagraph], scorer: Scorer, names: Names) -> list[MatchedParagraph]:
    """The paragraphs with the scores of their facts, all scored in one call."""
    claims = [
        claim
        for paragraph in paragraphs
        for claim in entailment.claims(paragraph, names.get(paragraph.theme or "", {}))
    ]
    scores = iter(scorer.score(claims))
    return [
        msgspec.structs.replace(
            paragraph,
            facts=tuple(msgspec.structs.replace(fact, score=round(next(scores), DIGITS)) for fact in paragraph.facts),
        )
        for paragraph in paragraphs
    ]
