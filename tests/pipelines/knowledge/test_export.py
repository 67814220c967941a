"""The export of matched paragraphs: cut by score, thinned out, with texts without a fact, in splits by page."""

import json
from collections import Counter
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.knowledge import corpora, export
from pipelines.knowledge.config import Config, KnowledgeSettings
from schemas.knowledge import MATCHED, to_table
from schemas.knowledge_corpus import ExportedSplit
from tests.conftest import checksums
from tests.pipelines.knowledge.corpora import CORPUS, paragraph
from transforms.shards import write_shard


def run(output: Path, shards, **options) -> export.Exported:
    for number, rows in enumerate(shards):
        write_shard(f"{output}/score/{number:05d}.parquet", MATCHED, [to_table(rows, MATCHED)])
    config = Config(wikidata=(), wikipedia=(), lang="en", export=options)
    settings = KnowledgeSettings(config, PipelineOptions(["--runner=DirectRunner"]))
    return export.run(settings, {"person": CORPUS}, str(output))


def rows(output: Path) -> dict[str, list[dict]]:
    folder = output / "export/en_person"
    return {path.stem: list(map(json.loads, path.read_text().splitlines())) for path in sorted(folder.glob("*.jsonl"))}


def all_rows(output: Path) -> list[dict]:
    return [row for split in rows(output).values() for row in split]


MANY = [
    paragraph(n, {"birth_place": 0.9} if n % 3 else {"spouse": 0.8, "birth_date": 0.7} if n % 2 else {})
    for n in range(600)
]


def shards_of(paragraphs, size):
    return [paragraphs[start : start + size] for start in range(0, len(paragraphs), size)]


def test_a_row_has_mentions_with_types_items_and_facts_with_scores(tmp_path):
    run(tmp_path, [[paragraph(3, {"birth_place": 0.9, "birth_date": 0.7}, unknown=("spouse",))]], test_share=0)
    (row,) = all_rows(tmp_path)
    assert [entity["mention"] for entity in row["entity"]] == ["Ada 3 Marrow", "4 May 1913", "Coal Quay", "Low Water"]
    for entity in row["entity"]:
        assert row["text"][entity["start"] : entity["end"]] == entity["mention"]
    assert [entity.get("id") for entity in row["entity"]] == ["Q990000004", None, "Q990001000", "Q990001000"]
    assert row["relation"] == [
        {
            "head": 0,
            "tail": tail,
            "relation": relation,
            "property": "P19",
            "head_type": "human",
            "tail_type": kind,
            "score": score,
        }
        for tail, relation, kind, score in (
            (2, "birth_place", "geographic_region", 0.9),
            (1, "birth_date", "time", 0.7),
        )
    ]
    assert (row["id"], row["title"], row["page"]) == ("000003", "Page 1", "Q990000002")
    assert row["unknown"] == ["spouse"]


def test_a_fact_below_the_cut_makes_its_relation_unknown(tmp_path):
    run(tmp_path, [[paragraph(3, {"birth_place": 0.9, "birth_date": 0.49})]])
    (row,) = all_rows(tmp_path)
    assert [fact["relation"] for fact in row["relation"]] == ["birth_place"]
    assert row["unknown"] == ["birth_date"]


def test_paragraphs_without_a_theme_are_left_out_and_themes_without_texts_have_no_folder(tmp_path):
    result = run(tmp_path, [[paragraph(3, {"birth_place": 0.9}), paragraph(4, {"birth_place": 0.9}, theme=None)]])
    assert [row["id"] for row in all_rows(tmp_path)] == ["000003"]
    assert sum(split.texts for split in result.splits) == 1
    assert sorted(path.name for path in (tmp_path / "export").iterdir()) == ["en_person"]


def test_a_text_that_no_relation_can_be_asked_of_is_left_out(tmp_path):
    every = tuple(relation.key for relation in CORPUS.relations)
    texts = [paragraph(1, {"birth_place": 0.9}), paragraph(2, {}, unknown=every), paragraph(3, {}, unknown=every[1:])]
    run(tmp_path, [texts], without_facts=1)
    assert sorted(row["id"] for row in all_rows(tmp_path)) == ["000001", "000003"]


def test_no_page_is_in_two_splits(tmp_path):
    run(tmp_path, shards_of(MANY, 50), alpha=0, validation_share=0.2, test_share=0.2)
    splits = rows(tmp_path)
    pages = {split: {row["page"] for row in rows} for split, rows in splits.items()}
    assert pages.keys() == {"train", "validation", "test"}
    assert sum(map(len, pages.values())) == len(set().union(*pages.values()))
    assert 0.12 < len(pages["test"]) / 300 < 0.28


def test_frequent_combinations_are_thinned_out(tmp_path):
    run(tmp_path, shards_of(MANY, 50), alpha=0.5, without_facts=0)
    kept = Counter(tuple(sorted(fact["relation"] for fact in row["relation"])) for row in all_rows(tmp_path))
    expected = {group: sum((1 + k) ** -0.5 for k in range(n)) for group, n in {"place": 400, "date": 100}.items()}
    assert kept.keys() == {("birth_place",), ("birth_date", "spouse")}
    assert abs(kept["birth_place",] - expected["place"]) < 12
    assert abs(kept["birth_date", "spouse"] - expected["date"]) < 8


@pytest.mark.parametrize(("share", "without"), [(0, 0), (0.1, 56), (0.9, 100)])
def test_texts_without_a_fact_have_their_share(tmp_path, share, without):
    result = run(tmp_path, shards_of(MANY, 50), alpha=0, without_facts=share)
    assert sum(not row["relation"] for row in all_rows(tmp_path)) == without
    assert sum(split.without_facts for split in result.splits) == without


def test_the_rows_do_not_depend_on_shards(tmp_path):
    """Nor on workers; see test_bundled.py."""
    results = []
    for name, size in (("a", 600), ("b", 37)):
        result = run(tmp_path / name, shards_of(MANY, size), test_share=0.2)
        assert all(isinstance(split, ExportedSplit) for split in result.splits)
        results.append((result, checksums(tmp_path / name / "export", "**/*.js*")))
    assert results[0] == results[1]


def test_names_of_dumps_have_their_dates():
    paths = ["/a/wikidata-20240131-all.json.gz", "b/enwiki-2023-12-01.xml", "c/plain.jsonl", "d/99999999.json"]
    assert [(dump.name, dump.date) for dump in corpora.dumps(paths)] == [
        ("99999999.json", None),
        ("enwiki-2023-12-01.xml", "2023-12-01"),
        ("plain.jsonl", None),
        ("wikidata-20240131-all.json.gz", "2024-01-31"),
    ]
