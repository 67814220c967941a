"""Runs pipelines.knowledge on annotated texts, up to the scores."""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.knowledge_facts import Gold, GoldMention, Relation
from benchmarks.knowledge_score import Result
from pipelines import driver
from pipelines.engine import command_line, dag, workers
from pipelines.engine.options import parse_options
from pipelines.knowledge import config, plan
from schemas.knowledge import Item, MatchedParagraph, from_table
from transforms import files, yaml_values
from transforms.knowledge import themes
from transforms.knowledge.themes import VALUE_TYPES, Themes, fits
from transforms.settings import Settings

THEME = "gold"
MAX_TOKENS = 1_000_000
"""More than any text has, so that no text is cut or left out."""


def as_theme(gold: Gold, bundled: Themes) -> dict:
    """A themes file with a relation for each property of the set.

    A relation whose types the set does not say may hold between items of any types, and has values as tails unless the
    bundled themes have its property only between items.
    """
    items = [key for key in bundled.type_classes if key not in VALUE_TYPES]
    relations = {}
    for key, relation in gold.relations.items():
        tails = {kind for other in same_properties(relation, bundled) for kind in other.tail}
        values = [kind for kind in VALUE_TYPES if not tails or kind in tails]
        relations[key] = {
            "names": {"en": relation.label},
            "properties": [f"{'^' * swapped}P{number}" for number, swapped in relation.properties.items()],
            "head": list(relation.head or items),
            "tail": list(relation.tail or (*items, *sorted(values))),
        }
    return {"themes": {THEME: {"relations": relations}}}


def same_properties(relation: Relation, bundled: Themes) -> Iterator[themes.Relation]:
    """The relations of the themes with a property of this relation."""
    for theme in bundled.themes.values():
        for other in theme.relations:
            if any(number in relation.properties for number, _ in other.properties):
                yield other


def run(
    gold: Gold, bundled: Themes, wikidata: Sequence[str], folder: str, given: bool, model: str, worker_count: int
) -> Result:
    """Runs the stages that are not done in `folder`."""
    texts, themes_file, output = (f"{folder}/{name}" for name in ("texts.jsonl", "themes.yaml", "stages"))
    files.create_folder(folder)
    files.write_text(texts, "".join(paragraphs(gold, given)))
    files.write_text(themes_file, yaml_values.render(as_theme(gold, bundled)))
    raw = Settings(
        {
            "wikidata": [files.absolute(path) for path in wikidata],
            "wikipedia": [files.absolute(texts)],
            "lang": "en",
            "pages": {"min_tokens": 0, "max_tokens": MAX_TOKENS},
            "link": {"mentions": "given" if given else "all"},
            "match": {"themes": files.absolute(themes_file), "theme": THEME},
            "score": {"model": model},
        }
    )
    run_stages(config.check(raw), output, "score", worker_count)
    return read_result(output, themes.load(themes_file), bundled)


def run_stages(settings: config.Config, output: str, last: str, worker_count: int) -> None:
    flags = ["--runner=DirectRunner"]
    if worker_count > 1:
        command_line.start_fork_server()
        workers.register()
        flags += ["--direct_running_mode=multi_processing", f"--direct_num_workers={worker_count}"]
    dag.run(plan.plan_stages(settings, parse_options(flags)), output, last, driver.announce)


def paragraphs(gold: Gold, given: bool) -> Iterator[str]:
    """JSON lines of paragraphs for the pipeline. `given`: with the annotated mentions as links. Links do not overlap,
    so the longer one of two mentions is used.
    """
    for text in gold.texts:
        row: dict = {"id": text.id, "text": text.text}
        if text.title:
            row["title"] = text.title
        if text.page:
            row["qid"] = f"Q{text.page}"
        if given:
            mentions = apart(text.mentions)
            row["links"] = [{"start": m.start, "end": m.end, "qid": f"Q{m.qid}"} for m in mentions]
        yield json.dumps(row, ensure_ascii=False) + "\n"


def apart(mentions: Iterable[GoldMention]) -> list[GoldMention]:
    """Mentions that do not overlap: the longest, the first of equally long ones."""
    kept: list[GoldMention] = []
    for mention in sorted(mentions, key=lambda mention: (mention.start - mention.end, mention.start)):
        if all(mention.end <= other.start or other.end <= mention.start for other in kept):
            kept.append(mention)
    return kept


def text_id(paragraph: str) -> str:
    """The id of the text that a paragraph with this id comes from; the pipeline puts file and line before it."""
    return paragraph.rpartition("/")[2]


def read_result(output: str, loaded: Themes, bundled: Themes) -> Result:
    """`loaded`: the themes file of the run. `bundled`: the themes that figures are grouped by."""
    by_id: dict[str, MatchedParagraph] = {}
    shards: dict[str, str] = {}
    for path in sorted(Path(output, "score").glob("*.parquet")):
        for paragraph in from_table(pq.read_table(path), MatchedParagraph):
            by_id[text_id(paragraph.paragraph.id)] = paragraph
            shards[text_id(paragraph.paragraph.id)] = path.name

    @lru_cache(maxsize=2)
    def items_of_shard(name: str) -> dict[int, Item]:
        return {item.qid: item for item in from_table(pq.read_table(Path(output, "link", "items", name)), Item)}

    relations = {relation.key: relation for relation in loaded.themes[THEME].relations}

    def allows(relation: str, head: Sequence[str], tail: Sequence[str]) -> bool:
        return fits(head, relations[relation].head) and fits(tail, relations[relation].tail)

    return Result(
        by_id,
        lambda text: items_of_shard(shards[text]),
        allows,
        lambda types: themes.theme_of_types(types, bundled),
    )
