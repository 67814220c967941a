"""python -m tests.pipelines.knowledge.run_link OUTPUT DUMP PAGES MENTIONS [BEAM FLAG...]: the stages up to link.

Shards have few rows and buckets few names, so that a test of a few texts has several of both.
"""

import sys
from collections.abc import Sequence
from unittest.mock import patch

from pipelines.engine import dag, workers
from pipelines.engine.options import parse_options
from pipelines.knowledge import entities, link, pages, types
from pipelines.knowledge.config import Config, KnowledgeSettings, Link, Pages
from schemas.knowledge_manifests import Linked
from transforms.knowledge.spans import Recogniser, spans


@patch.multiple(entities, ITEMS_PER_SHARD=3)
@patch.multiple(link, NAMES_PER_BUCKET=3, ITEMS_PER_BUCKET=2, MERGED_PER_TABLE=1)
def run_link(
    output: str, dump: str, texts: str, mentions: str = "all", flags: Sequence[str] = (), recognise: Recogniser = spans
) -> Linked:
    config = Config(
        wikidata=(dump,),
        wikipedia=(texts,),
        lang="en",
        pages=Pages(min_tokens=1, paragraphs_per_shard=2),
        link=Link(mentions=mentions),
    )
    settings = KnowledgeSettings(config, parse_options(flags))
    stages = [entities.stage(settings), types.stage(settings), pages.stage(settings), link.stage(settings, recognise)]
    manifests = dag.run({stage.name: stage for stage in stages}, output, "link", lambda stage, done: None)
    return manifests["link"].result


if __name__ == "__main__":
    workers.register()
    run_link(*sys.argv[1:5], flags=sys.argv[5:])
