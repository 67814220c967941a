"""The benchmark of the pass over a dump reads what the pipeline reads."""

import json

from benchmarks import knowledge_dump
from pipelines.knowledge.config import SAMPLES


def test_every_entity_of_a_dump_is_read(capsys):
    dump = SAMPLES / "wikidata.json"
    knowledge_dump.main(["--wikidata", str(dump), "--json"])
    (figures,) = json.loads(capsys.readouterr().out)
    entities = [entity for entity in json.loads(dump.read_bytes()) if entity["type"] == "item"]
    assert (figures["file"], figures["items"], figures["rejected"]) == ("wikidata.json", len(entities), 0)
    assert figures["mb"] == round(dump.stat().st_size / 1e6, 1)
