"""The stage match: shards of linked paragraphs → shards of facts and their counts, for any number of workers."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.engine import dag
from pipelines.engine.dag import Stage
from pipelines.knowledge import match
from pipelines.knowledge.config import Config, KnowledgeSettings
from schemas.errors import ConfigError
from schemas.knowledge import (
    CONTEXT,
    LINKED,
    Item,
    LinkedMention,
    LinkedParagraph,
    MatchedParagraph,
    Paragraph,
    Statement,
    from_table,
    to_table,
)
from schemas.knowledge_manifests import Linked, LinkedShard, Matched, ThemeCounts
from tests.conftest import checksums
from transforms.shards import write_shard

ADA, PORT, OTHER = 1, 2, 3
ITEMS = [
    Item(
        ADA,
        "Ada",
        ("Ada",),
        ("human",),
        (Statement(19, "item", item=PORT), Statement(569, "time", text="+1950-00-00T00:00:00Z", precision=9)),
        frozenset({PORT}),
    ),
    Item(PORT, "Port", ("Port",), ("geographic_region",), (), frozenset()),
    Item(OTHER, "Ada", ("Ada",), ("organism",), (), frozenset()),
]


def paragraph(number: int, page: int | None) -> LinkedParagraph:
    mentions = (LinkedMention(0, 3, "title", ADA, ("human",)), LinkedMention(16, 20, "name", PORT, ("other",)))
    return LinkedParagraph(Paragraph(f"p{number:04}", "en", "Ada was born in Port in 1950.", "Ada", page), mentions)


def run(output: Path, workers: int = 1, pages=(ADA, None, PORT), **config) -> Matched:
    def link(folder: str) -> Linked:
        shards = []
        for number in range(3):
            path, items = f"link/{number:05}.parquet", f"link/items/{number:05}.parquet"
            rows = [paragraph(number * 100 + n, pages[n % 3]) for n in range(20 * (number + 1))]
            write_shard(f"{folder}/{path}", LINKED, [to_table(rows, LINKED)])
            write_shard(f"{folder}/{items}", CONTEXT, [to_table(ITEMS, CONTEXT)])
            shards.append(LinkedShard(path, items, len(rows), len(ITEMS), {}, 0))
        return Linked(tuple(shards))

    mode = "multi_processing" if workers > 1 else "in_memory"
    flags = ["--runner=DirectRunner", f"--direct_running_mode={mode}", f"--direct_num_workers={workers}"]
    settings = KnowledgeSettings(Config(wikidata=(), wikipedia=(), lang="en", match=config), PipelineOptions(flags))
    before = Stage("link", (), ("link",), 0, (), link, Linked)
    after = match.stage(settings)
    manifests = dag.run({"link": before, "match": after}, str(output), "match", lambda stage, done: None)
    return manifests["match"].result


def paragraphs(output: Path) -> list[MatchedParagraph]:
    return [
        row
        for path in sorted(output.glob("match/*.parquet"))
        for row in from_table(pq.read_table(path), MatchedParagraph)
    ]


def test_counts_and_rows(tmp_path):
    result = run(tmp_path)
    assert [(shard.path, shard.rows) for shard in result.shards] == [
        ("match/00000.parquet", 20),
        ("match/00001.parquet", 40),
        ("match/00002.parquet", 60),
    ]
    first = result.shards[0]
    assert first.without_theme == 7
    assert first.values == 7
    assert first.themes == {
        "Geographic_Location": ThemeCounts(6, {}, first.themes["Geographic_Location"].unknown),
        "Person": ThemeCounts(7, {"date of birth": 7, "place of birth": 7}, first.themes["Person"].unknown),
    }
    assert first.themes["Person"].unknown["place of death"] == 7
    rows = paragraphs(tmp_path)
    assert [row.paragraph.id for row in rows] == [f"p{s * 100 + n:04}" for s in range(3) for n in range(20 * (s + 1))]
    assert [fact.relation for fact in rows[0].facts] == ["place of birth", "date of birth"]
    assert rows[1].theme is None and not rows[1].facts


def test_one_theme_for_all_texts(tmp_path):
    result = run(tmp_path, theme="Person")
    assert [shard.without_theme for shard in result.shards] == [0, 0, 0]
    assert result.shards[0].themes.keys() == {"Person"}


def test_only_items_that_are_mentioned_are_read(tmp_path):
    run(tmp_path)
    shard = match.Shard("link/00000.parquet", "link/items/00000.parquet")
    assert match.read_items(shard, str(tmp_path)).keys() == {ADA, PORT}


def test_a_shard_without_paragraphs(tmp_path):
    write_shard(f"{tmp_path}/link/00000.parquet", LINKED, [LINKED.empty_table()])
    write_shard(f"{tmp_path}/link/items/00000.parquet", CONTEXT, [to_table(ITEMS, CONTEXT)])
    shard = match.Shard("link/00000.parquet", "link/items/00000.parquet")
    written = match.match_shard(shard, str(tmp_path), match.themes.load(None), None, False)
    assert (written.rows, written.themes) == (0, {})
    assert isinstance(pq.read_table(tmp_path / "match/00000.parquet"), pa.Table)


def test_same_bytes_with_two_workers(tmp_path):
    run(tmp_path / "one")
    run(tmp_path / "two", workers=2)
    assert checksums(tmp_path / "one/match") == checksums(tmp_path / "two/match")


def test_a_theme_that_does_not_exist(tmp_path):
    with pytest.raises(ConfigError, match=r"match\.theme: no theme 'Persons' in .*themes\.yaml; did you mean Person"):
        run(tmp_path, theme="Persons")


def test_a_change_of_the_themes_runs_the_stage_again(tmp_path):
    settings = Config(wikidata=(), wikipedia=(), lang="en")
    bundled = match.stage(KnowledgeSettings(settings, PipelineOptions([])))
    path = tmp_path / "themes.yaml"
    path.write_text("themes: {Coal: {relations: {born: {properties: [P19], head: [human], tail: [other]}}}}")
    user = match.stage(
        KnowledgeSettings(settings.model_copy(update={"match": match_config(str(path))}), PipelineOptions([]))
    )
    assert bundled.inputs != user.inputs
    path.write_text(path.read_text().replace("P19", "P20"))
    changed = match.stage(
        KnowledgeSettings(settings.model_copy(update={"match": match_config(str(path))}), PipelineOptions([]))
    )
    assert changed.inputs != user.inputs


def match_config(path: str):
    return Config(wikidata=(), wikipedia=(), lang="en", match={"themes": path}).match
