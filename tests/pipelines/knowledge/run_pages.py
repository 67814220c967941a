"""python -m tests.pipelines.knowledge.run_pages OUTPUT FILE... [BEAM FLAG...]: the stage pages.

Shards have four paragraphs, and buckets few rows, so that a test of a few pages has several of both. The stage entities
is replaced by one that writes the names that the tests need.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import patch

import pyarrow as pa

from pipelines.engine import dag, workers
from pipelines.engine.dag import Stage
from pipelines.engine.options import parse_options
from pipelines.knowledge import page_titles, pages
from pipelines.knowledge.config import Config, KnowledgeSettings
from schemas.knowledge import NAMES
from schemas.knowledge_manifests import Entities, ItemShard, Pages
from transforms.knowledge.item_tables import MERGED
from transforms.shards import write_shard

NAMES_OF_ITEMS = (
    (("Port Vell", 1, "title"), ("Vell", 1, "alias"), ("harbour", 2, "label")),
    (("Mercury (ship)", 3, "title"), ("quay", 4, "label"), ("Quay", 5, "label"), ("Isle", 6, "label")),
)
MERGED_ITEMS = ((70, 7),)


def write_entities(output: str) -> Entities:
    shards = []
    for number, rows in enumerate(NAMES_OF_ITEMS):
        path = f"entities/names/{number:05d}.parquet"
        table = pa.Table.from_pylist([dict(zip(NAMES.names, row, strict=True)) for row in rows], schema=NAMES)
        count = write_shard(f"{output}/{path}", NAMES, [table])
        shards.append(ItemShard(path.replace("names", "items"), path, 0, count, 0, 0))
    columns = [pa.array(column) for column in zip(*MERGED_ITEMS, strict=True)]
    write_shard(f"{output}/entities/merged.parquet", MERGED, [pa.Table.from_arrays(columns, schema=MERGED)])
    return Entities((), tuple(shards), 0, 0, 0, "entities/merged.parquet", ())


@patch.multiple(pages, ROWS_PER_BUCKET=3, PARAGRAPHS_PER_TABLE=3, REDIRECTS_PER_PART=2)
@patch.multiple(page_titles, NAMES_PER_TABLE=2)
def run_pages(output: str, inputs: Sequence[str], flags: Sequence[str] = (), **config: int) -> Pages:
    """The result of the stage. `config`: settings of `pages`."""
    sizes = {"min_tokens": 2, "max_tokens": 20, "paragraphs_per_shard": 4} | config
    checked = Config(wikidata=(), wikipedia=tuple(inputs), lang="en", pages=sizes)
    settings = KnowledgeSettings(checked, parse_options(flags))
    entities = Stage("entities", (), ("entities",), 0, (), write_entities, Entities)
    stage = pages.stage(settings)
    without_code = replace(stage, modules=())
    manifests = dag.run({"entities": entities, "pages": without_code}, output, "pages", lambda stage, done: None)
    return manifests["pages"].result


if __name__ == "__main__":
    workers.register()
    inputs = [argument for argument in sys.argv[2:] if not argument.startswith("--")]
    run_pages(sys.argv[1], inputs, [argument for argument in sys.argv[2:] if argument.startswith("--")])
