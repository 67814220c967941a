"""python -m tests.pipelines.knowledge.run_stages OUTPUT DUMP... [BEAM FLAG...]: the stages entities and types.

Shards have three items, and buckets few ids, so that a test of a few items has several of both.
"""

import sys
from collections.abc import Sequence
from functools import partial
from unittest.mock import patch

from pipelines.engine import dag, workers
from pipelines.engine.dag import Stage
from pipelines.engine.options import parse_options
from pipelines.knowledge import entities, types
from pipelines.knowledge.config import Config, KnowledgeSettings, Match
from schemas.knowledge_manifests import Entities, Types
from transforms.knowledge import dump_files

PROPERTIES = frozenset({10, 20, 31})
TYPE_CLASSES = {"human": (5,), "place": (50, 60), "event": (60,)}


@patch.multiple(entities, ITEMS_PER_SHARD=3, BYTES_PER_BUCKET=200, POSITIONS_PER_TABLE=6)
@patch.multiple(types, EDGES_PER_BUCKET=2)
def run_stages(
    output: str, dumps: Sequence[str], flags: Sequence[str] = (), themes: str | None = None
) -> tuple[Entities, Types]:
    """The results of both stages. `themes`: a file, of which only the places of properties are read."""
    config = Config(wikidata=tuple(dumps), wikipedia=(), lang="en", match=Match(themes=themes))
    settings = KnowledgeSettings(config, parse_options(flags))
    files = dump_files.find(dumps, "--wikidata")
    stages = [
        Stage("entities", (), ("entities",), 0, (), partial(entities.run, settings, files, PROPERTIES), Entities),
        Stage("types", ("entities",), ("types",), 0, (), partial(types.run, settings, TYPE_CLASSES, ()), Types),
    ]
    manifests = dag.run({stage.name: stage for stage in stages}, output, "types", lambda stage, done: None)
    return manifests["entities"].result, manifests["types"].result


if __name__ == "__main__":
    workers.register()
    paths = [argument for argument in sys.argv[2:] if not argument.startswith("--")]
    run_stages(sys.argv[1], paths, [argument for argument in sys.argv[2:] if argument.startswith("--")])
