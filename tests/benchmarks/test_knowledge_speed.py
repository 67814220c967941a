"""The benchmark of the whole pipeline counts what the pipeline makes, and passes on its flags."""

import json

from benchmarks import knowledge_speed
from pipelines.knowledge.config import SAMPLES


def test_texts_are_repeated_and_every_stage_is_measured(tmp_path, capsys):
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"text": "Ada Lund was born in Brevik."}\n{"text": "Nobody was there."}\n', encoding="utf-8")
    passage = {
        "documentId": "1",
        "passageStart": 0,
        "text": "He left.",
        "exhaustivelyAnnotatedProperties": [],
        "facts": [],
    }
    gold = tmp_path / "gold.jsonl"
    gold.write_text(json.dumps(passage) + "\n", encoding="utf-8")
    folder = tmp_path / "run"
    flags = [
        "--wikidata",
        str(SAMPLES / "wikidata.json"),
        "--wikipedia",
        str(texts),
        "--gold",
        "knowledgenet",
        str(gold),
    ]
    flags += ["--repeat", "2", "--workers", "1", "--folder", str(folder), "--json", "--theme", "Person"]
    knowledge_speed.main(flags)
    figures = json.loads(capsys.readouterr().out)
    assert (figures["paragraphs"], figures["items"] > 0) == (6, True)
    assert list(figures["stages"]) == ["entities", "types", "pages", "link", "match", "score", "export"]
    assert figures["after_dump"]["wall_s"] < figures["wall_s"]
    assert 0 < figures["after_dump"]["processor_s"] <= figures["processor_s"]
    assert figures["peak_gb"] > 0.05
    record = json.loads((folder / "corpus/knowledge_run.json").read_bytes())
    assert '"Person"' in json.dumps(record)
    assert "6 paragraphs, 1 workers" in knowledge_speed.table(figures)
