"""link/ → match/NNNNN.parquet (MATCHED): the theme of each paragraph, its facts, and relations that are not asked.

Each shard is matched by itself: link/items/ has the items that its paragraphs mention.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.build_folder import read_result
from pipelines.engine import gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.run import run_pipeline
from pipelines.knowledge.config import KnowledgeSettings
from schemas.errors import ConfigError, did_you_mean, quoted
from schemas.knowledge import MATCHED, Item, LinkedParagraph, MatchedParagraph, from_table, to_table
from schemas.knowledge_manifests import Linked, Matched, MatchedShard, ThemeCounts
from transforms.knowledge import themes
from transforms.knowledge.matching import match
from transforms.knowledge.themes import Themes
from transforms.shards import read_batches, write_shard

PARAGRAPHS_PER_TABLE = 500
ITEMS_PER_TABLE = 5_000


@dataclass(frozen=True)
class Shard:
    """A shard of link/. `path`, `items_path`: below the output."""

    path: str
    items_path: str


def stage(settings: KnowledgeSettings) -> Stage:
    """Raises ConfigError for a wrong file of themes, and for a theme that it does not have."""
    config = settings.config.match
    loaded = themes.load(config.themes)
    if config.theme is not None and config.theme not in loaded.themes:
        hint = did_you_mean(config.theme, loaded.themes) or f"themes are {', '.join(loaded.themes)}"
        raise ConfigError(f"match.theme: no theme {quoted(config.theme)} in {loaded.path}; {hint}")
    return Stage(
        "match",
        needs=("link",),
        folders=("match",),
        inputs=[config.theme, config.coarse_dates, [asdict(theme) for theme in loaded.themes.values()]],
        modules=(__name__,),
        run=partial(run, settings, loaded),
        form=Matched,
        data=("transforms/knowledge/units.yaml",),
    )


def run(settings: KnowledgeSettings, loaded: Themes, output: str) -> Matched:
    linked = read_result(output, Linked).shards
    # Largest first, so that no worker gets a large shard at the end
    shards = [Shard(shard.path, shard.items_path) for shard in sorted(linked, key=lambda shard: -shard.rows)]
    config = settings.config.match
    transform = MatchShards(output, loaded, config.theme, config.coarse_dates)
    run_pipeline("match", shards, transform, settings.options, output, "match", len(shards))
    written = gather.read(summary_path(output), MatchedShard)
    return Matched(tuple(sorted(written, key=lambda shard: shard.path)))


def summary_path(output: str) -> str:
    return f"{output}/match/.summary.json"


class MatchShards(beam.PTransform):
    """Shards of link/ → shards of match/ and a summary."""

    def __init__(self, output: str, loaded: Themes, theme: str | None, coarse_dates: bool):
        super().__init__()
        self.output, self.loaded, self.theme, self.coarse_dates = output, loaded, theme, coarse_dates

    def expand(self, pcoll):
        return (
            pcoll
            | "Match" >> beam.Map(match_shard, self.output, self.loaded, self.theme, self.coarse_dates)
            | "Sum up" >> WriteSummary(summary_path(self.output))
        )


def match_shard(shard: Shard, output: str, loaded: Themes, theme: str | None, coarse_dates: bool) -> MatchedShard:
    """Writes the paragraphs of a shard with their facts."""
    items = read_items(shard, output)
    counts = Counts()

    def matched() -> Iterator[pa.Table]:
        for table in read_batches(f"{output}/{shard.path}", PARAGRAPHS_PER_TABLE):
            paragraphs = from_table(table, LinkedParagraph)
            results = [match(paragraph, items, loaded, theme, coarse_dates) for paragraph in paragraphs]
            for result in results:
                counts.add(result)
            yield to_table(results, MATCHED)

    path = shard.path.replace("link/", "match/", 1)
    rows = write_shard(f"{output}/{path}", MATCHED, matched())
    return MatchedShard(path, rows, counts.without_theme, counts.values, counts.themes())


def read_items(shard: Shard, output: str) -> Mapping[int, Item]:
    """The items of the mentions and pages of a shard. Those that are only candidates are not kept."""
    wanted = pa.chunked_array([], pa.int64())
    for table in read_batches(f"{output}/{shard.path}", PARAGRAPHS_PER_TABLE, ["page", "mentions.list.element.qid"]):
        qids = pc.struct_field(table["mentions"].combine_chunks().flatten(), "qid")
        wanted = pc.unique(pa.chunked_array([*wanted.chunks, qids, *table["page"].chunks]))
        wanted = pa.chunked_array([wanted])
    return {
        item.qid: item
        for table in read_batches(f"{output}/{shard.items_path}", ITEMS_PER_TABLE)
        for item in from_table(table.filter(pc.is_in(table["qid"], wanted.combine_chunks())), Item)
    }


class Counts:
    """Sums over the paragraphs of a shard."""

    def __init__(self) -> None:
        self.without_theme = self.values = 0
        self.texts: Counter[str] = Counter()
        self.facts: dict[str, Counter[str]] = {}
        self.unknown: dict[str, Counter[str]] = {}

    def add(self, paragraph: MatchedParagraph) -> None:
        if paragraph.theme is None:
            self.without_theme += 1
            return
        self.values += sum(mention.kind == "value" for mention in paragraph.mentions)
        self.texts[paragraph.theme] += 1
        self.facts.setdefault(paragraph.theme, Counter()).update(fact.relation for fact in paragraph.facts)
        self.unknown.setdefault(paragraph.theme, Counter()).update(paragraph.unknown)

    def themes(self) -> dict[str, ThemeCounts]:
        return {
            theme: ThemeCounts(
                texts, dict(sorted(self.facts[theme].items())), dict(sorted(self.unknown[theme].items()))
            )
            for theme, texts in sorted(self.texts.items())
        }
