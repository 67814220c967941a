"""The stage score: matched paragraphs → the same paragraphs with the scores of their facts."""

from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from msgspec.structs import replace

from pipelines.knowledge import score
from pipelines.knowledge.config import Config, KnowledgeSettings
from schemas.errors import ConfigError
from schemas.knowledge import MATCHED, Fact, LinkedMention, MatchedParagraph, Paragraph, from_table, to_table
from schemas.knowledge_manifests import Scored
from tests.conftest import checksums
from tests.validation.test_cross_encoder import write_model
from transforms.shards import read_shard, write_shard
from validation.entailment import Claim, Lexical

TEXT = "Ada Quill was born in Marrowby. She paints. Her brother Bo Reed lives in Marrowby."
MENTIONS = (
    LinkedMention(0, 9, "title", 1, ("human",)),
    LinkedMention(22, 30, "anchor", 2, ("geographic_region",)),
    LinkedMention(56, 63, "anchor", 3, ("human",)),
)
FACTS = (Fact("place of birth", 0, 1, 19), Fact("spouse", 0, 2, 26), Fact("place of birth", 2, 1, 19))


def paragraph(number: int) -> MatchedParagraph:
    """Two in three paragraphs have facts."""
    text = Paragraph(f"{number:06d}", "en", TEXT, "Ada Quill", 1)
    return MatchedParagraph(text, "Person", MENTIONS, FACTS[: number % 3 + 1] if number % 3 else ())


def settings(workers: int = 1, model: str = "lexical") -> KnowledgeSettings:
    mode = "multi_processing" if workers > 1 else "in_memory"
    flags = ["--runner=DirectRunner", f"--direct_running_mode={mode}", f"--direct_num_workers={workers}"]
    config = Config(wikidata=(), wikipedia=(), lang="en", score={"model": model, "batch_size": 4})
    return KnowledgeSettings(config, PipelineOptions(flags))


def run(output: Path, shards: list[list[MatchedParagraph]], workers: int = 1, model: str = "lexical") -> Scored:
    for number, rows in enumerate(shards):
        write_shard(f"{output}/match/{number:05d}.parquet", MATCHED, [to_table(rows, MATCHED)])
    return score.stage(settings(workers, model)).run(str(output))


def read(output: Path) -> list[MatchedParagraph]:
    paths = sorted((output / "score").glob("*.parquet"))
    return [each for path in paths for each in from_table(read_shard(str(path)), MatchedParagraph)]


def without_scores(scored: MatchedParagraph) -> MatchedParagraph:
    return replace(scored, facts=tuple(replace(fact, score=None) for fact in scored.facts))


def test_every_fact_gets_its_score_and_nothing_else_changes(tmp_path):
    paragraphs = [paragraph(number) for number in range(7)]
    result = run(tmp_path, [paragraphs[:3], paragraphs[3:6], paragraphs[6:], []])
    scored = read(tmp_path)
    assert [without_scores(each) for each in scored] == paragraphs
    spans = tuple((mention.start, mention.end) for mention in MENTIONS)
    birth = Claim(TEXT, "en", spans[0], spans[1], "place of birth", "place of birth", 19, spans, True)
    other = Claim(TEXT, "en", spans[2], spans[1], "place of birth", "place of birth", 19, spans)
    expected = [round(value, 4) for value in Lexical().score([birth, other])]
    assert [scored[2].facts[number].score for number in (0, 2)] == expected
    assert expected[0] > 0.5 > expected[1]

    assert result.scorer == "lexical"
    assert [(shard.path, shard.rows) for shard in result.shards] == [
        (f"score/{number:05d}.parquet", rows) for number, rows in enumerate((3, 3, 1, 0))
    ]
    assert sum(result.histogram) == sum(len(each.facts) for each in scored)
    assert result.histogram[9] == sum((fact.score or 0) >= 0.9 for each in scored for fact in each.facts)


def test_workers_do_not_change_a_byte(tmp_path):
    shards = [[paragraph(number) for number in range(start, start + 40)] for start in range(0, 120, 40)]
    one, two = (run(tmp_path / name, shards, workers) for name, workers in (("one", 1), ("two", 2)))
    assert one == two
    assert checksums(tmp_path / "one/score") == checksums(tmp_path / "two/score")


def test_scores_of_a_cross_encoder(tmp_path):
    labels = {0: "entailment", 1: "not_entailment"}
    (tmp_path / "model").mkdir()
    model = write_model(tmp_path / "model", labels)
    result = run(tmp_path, [[paragraph(2), paragraph(0), paragraph(1)]], model=model)
    scores = [fact.score for each in read(tmp_path) for fact in each.facts]
    assert len(scores) == 5
    assert all(0 < value < 1 for value in scores)
    assert scores[:2] == scores[3:]  # the same facts of the same text
    assert result.scorer.startswith("model@")
    assert str(tmp_path) not in result.scorer


def test_the_plan_depends_on_the_model_and_refuses_a_missing_one(tmp_path):
    model = write_model(tmp_path, {0: "entailment", 1: "other"})
    inputs = score.stage(settings(model=model)).inputs
    assert inputs != score.stage(settings()).inputs
    write_model(tmp_path, {0: "other", 1: "entailment"})
    assert inputs != score.stage(settings(model=model)).inputs
    with pytest.raises(ConfigError, match=r"^score\.model /nowhere cannot be used: there is no such folder"):
        score.stage(settings(model="/nowhere"))
