"""The settings of `python -m pipelines.knowledge`, with their types, ranges and defaults."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from apache_beam.options.pipeline_options import PipelineOptions
from pydantic import Field

from pipelines.config import Count, Int64, Positive, Section, Share
from transforms import settings
from transforms.settings import NUMBER, Settings

SAMPLES = Path(__file__).with_name("samples")


class Pages(Section):
    """Paragraphs of pages that are shorter than `min_tokens` are left out, and longer than `max_tokens` are cut at ends
    of sentences (tokens: words, or Chinese characters). `limit`: maximum number of pages per file, or of rows of JSON
    lines.
    """

    min_tokens: Count = 50
    max_tokens: Positive = 512
    limit: Positive | None = None
    paragraphs_per_shard: Positive = 2_000


class Link(Section):
    """`mentions`: `all` recognises names in the text; `given` uses only the links that come with it.

    `max_name_tokens`: maximum length of a name, in words without stop words (Chinese: twice as many characters).
    """

    mentions: Literal["all", "given"] = "all"
    max_name_tokens: Positive = 10


class Match(Section):
    """`themes`: a YAML file of themes (null: the bundled twelve). `theme`: only this theme, for all texts (null: each
    text has the theme of its page). `coarse_dates`: whether `2009` in a text states the date 4 December 2009.
    """

    themes: str | None = None
    theme: str | None = None
    coarse_dates: bool = False


class Score(Section):
    """`model`: a cross-encoder for natural language inference by name or path; `lexical`: the built-in score."""

    model: str = "lexical"
    batch_size: Positive = 32
    accelerator: str | None = None


class Export(Section):
    """`licence`: that of the texts. `min_score`: facts with a lower score are cut. `alpha`: how strongly frequent
    combinations of relations are thinned out (0: not at all). `without_facts`: share of the exported texts that state
    no fact. `test_share`, `validation_share`: shares of pages in these splits.
    """

    licence: Annotated[str, Field(min_length=1)] = "CC-BY-SA-4.0"
    min_score: Share = 0.5
    alpha: Annotated[float, Field(ge=0, le=10), NUMBER] = 0.5
    without_facts: Share = 0.1
    validation_share: Share = 0.05
    test_share: Share = 0.05


class Config(Section):
    """`wikidata`: dumps of the knowledge graph. `wikipedia`: dumps, HTML pages or JSON lines of paragraphs."""

    wikidata: tuple[str, ...]
    wikipedia: tuple[str, ...]
    lang: Literal["en", "zh"]
    seed: Int64 = 42
    pages: Pages = Pages()
    link: Link = Link()
    match: Match = Match()
    score: Score = Score()
    export: Export = Export()


def check(raw: Settings) -> Config:
    """The configuration with these settings. Raises ConfigError with the place, the key and the valid values."""
    return settings.check(Config, raw)


@dataclass(frozen=True)
class KnowledgeSettings:
    """The inputs of all stages: the checked configuration and the options of the runner."""

    config: Config
    options: PipelineOptions
