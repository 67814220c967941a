"""The readers of the sets that pipelines.knowledge is measured on: one form for REBEL, Text2KGBench, KnowledgeNet."""

import gzip
import json

import pytest

from benchmarks import knowledge_gold
from benchmarks.knowledge_gold import End, GoldMention
from schemas.errors import ConfigError

CITY = "Brevik lies on Skerry Bay. Ada Lund was born in Brevik in 1913."


def written(path, rows: list[dict], compress: bool = False) -> str:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if compress else content)
    return str(path)


def rebel_row(*triples: tuple) -> dict:
    ends = {
        "Ada": {"uri": "Q7", "surfaceform": "Ada Lund", "boundaries": [27, 35]},
        "Brevik": {"uri": "Q9", "surfaceform": "Brevik", "boundaries": [47, 53]},  # one too small
        "1913": {"uri": "1913-01-01T00:00:00Z^^dateTime", "surfaceform": "1913", "boundaries": [58, 62]},
    }
    return {
        "docid": "1",
        "title": "Brevik",
        "uri": "Q9",
        "text": CITY,
        "entities": list(ends.values()),
        "triples": [
            {"subject": ends[head], "predicate": {"uri": pid, "surfaceform": pid.lower()}, "object": ends[tail]}
            for head, pid, tail in triples
        ],
    }


def test_rebel_looks_up_surface_forms_and_keeps_the_wanted_properties(tmp_path):
    row = rebel_row(
        ("Ada", "P19", "Brevik"), ("Ada", "P19", "Brevik"), ("Ada", "P569", "1913"), ("Ada", "P6", "Brevik")
    )
    gold = knowledge_gold.read("rebel", written(tmp_path / "r.jsonl.gz", [row], compress=True))
    (text,) = gold.texts
    assert [(f.relation, f.head.qid, f.tail.qid, f.is_value) for f in text.facts] == [
        ("P19", 7, 9, False),
        ("P569", 7, None, True),
    ]
    assert text.mentions == (GoldMention(27, 35, 7), GoldMention(48, 54, 9))
    assert [CITY[m.start : m.end] for m in text.mentions] == ["Ada Lund", "Brevik"]
    assert (text.title, text.page) == ("Brevik", 9)
    assert {"P19", "P569"} < text.relations and "P6" not in text.relations
    assert gold.relations["P19"].label == "p19" and gold.relations["P19"].properties == {19: False}


@pytest.mark.parametrize(
    "row",
    [
        {
            "ontology": "ont_1_movie",
            "text": "Ãrsa was directed by Bo Li.",
            "triples": [{"sub": "Q1", "sub_label": "Ãrsa", "pid": "P57", "rel": "director", "obj": "Q2"}],
        },
        {
            "id": "ont_1_movie_train_1",
            "sent": "Ãrsa was directed by Bo Li.",
            "sub": "Q1",
            "sub_label": "Ãrsa",
            "rel": "P57",
            "rel_label": "director",
            "obj": "Q2",
        },
        {
            "id": "ont_1_movie_unseen_1",
            "sent": "Ãrsa was directed by Bo Li.",
            "triples": [{"sub": "Ãrsa", "rel": "director", "obj": "Bo Li"}],
        },
    ],
)
def test_text2kgbench_has_the_same_facts_in_each_of_its_forms(row, tmp_path):
    for part in (row, *row.get("triples", [])):
        if part.get("obj") == "Q2":
            part["obj_label"] = "bo li "
    path = written(tmp_path / "t.jsonl", [json.loads(json.dumps(row).replace("\\u00c3r", "\\u00c3\\u0085r"))])
    gold = knowledge_gold.read("text2kgbench", path)
    (text,) = gold.texts
    (fact,) = text.facts
    assert text.text == "Årsa was directed by Bo Li." and gold.repaired == 1
    assert (fact.relation, fact.named, fact.is_value) == ("P57", True, False)
    assert (fact.head.text, fact.head.spans, fact.tail.spans) == ("Årsa", ((0, 4),), ((21, 26),))
    assert "P577" in text.relations and "P86" not in text.relations and "P86" in gold.relations


def test_text2kgbench_joins_the_triples_of_a_sentence(tmp_path):
    rows = [
        {
            "id": f"ont_1_movie_train_{at}",
            "sent": "Tide was shot by Bo Li in Brevik and came out in 1984.",
            "sub": "Q1",
            "sub_label": "Tide",
            "rel": rel,
            "obj": obj,
            "obj_label": label,
        }
        for at, (rel, obj, label) in enumerate(
            [("P57", "Q2", "Bo Li"), ("P577", None, "01 January 1984"), ("P915", "Q3", "Skerry")]
        )
    ]
    (text,) = knowledge_gold.read("text2kgbench", written(tmp_path / "t.jsonl", rows)).texts
    assert [(f.relation, f.named, f.is_value) for f in text.facts] == [
        ("P57", True, False),
        ("P577", True, True),
        ("P915", False, False),
    ]
    assert text.facts[1].tail == End("01 January 1984", None, ((49, 53),))


def passage(facts: list[tuple], annotated: list[str], text: str = CITY) -> dict:
    return {
        "documentId": "4",
        "fold": 1,
        "passageStart": 10,
        "passageEnd": 73,
        "text": text,
        "exhaustivelyAnnotatedProperties": annotated,
        "facts": [
            {
                "property": name,
                "subjectStart": start,
                "subjectEnd": end,
                "subjectText": text[start:end],
                "subjectQid": subject,
                "objectStart": at,
                "objectEnd": to,
                "objectText": text[at:to],
                "objectQid": object,
            }
            for name, start, end, subject, at, to, object in facts
        ],
    }


def test_knowledgenet_merges_mentions_of_one_item_and_knows_names(tmp_path):
    text = "Ada Lund, who lived in Brevik, loved its bay. She died in 1960."
    rows = [
        passage(
            [
                ("PLACE_OF_RESIDENCE", 10, 13, "Q7", 23, 29, "Q9"),
                ("PLACE_OF_RESIDENCE", 0, 8, "Q7", 23, 29, "Q9"),
                ("DATE_OF_DEATH", 46, 49, "Q7", 58, 62, None),
            ],
            ["PLACE_OF_RESIDENCE", "DATE_OF_DEATH", "SPOUSE"],
            text,
        ),
        passage([("PLACE_OF_RESIDENCE", 46, 49, "Q8", 23, 29, "Q9")], ["PLACE_OF_RESIDENCE"], text),
        passage([], ["CEO"], text),
    ]
    gold = knowledge_gold.read("knowledgenet", written(tmp_path / "k.jsonl", rows))
    first, second, third = gold.texts
    assert [(f.relation, f.head.spans, f.named, f.is_value) for f in first.facts] == [
        ("PLACE_OF_RESIDENCE", ((0, 8), (10, 13)), True, False),
        ("DATE_OF_DEATH", ((46, 49),), True, True),
    ]
    assert [fact.named for fact in second.facts] == [False]
    assert third.facts == () and third.relations == {"CEO"}
    assert first.mentions == (GoldMention(0, 8, 7), GoldMention(23, 29, 9))
    assert gold.relations["CHILD_OF"].properties[40] is True


@pytest.mark.parametrize(
    ("mention", "is_name"),
    [("The company", False), ("He", False), ("his father", False), ("The Hague", True), ("IBM", True), ("who", False)],
)
def test_is_name(mention, is_name):
    assert knowledge_gold.is_name(mention) is is_name


@pytest.mark.parametrize(
    ("raw", "repaired"),
    [
        ("M\u00c3\u00bcller", "Müller"),
        ("Müller", "Müller"),
        ("d\u00c4\u0081 d\u00e9", "dā dé"),
        ("naïve Ã", "naïve Ã"),
    ],
)
def test_repair(raw, repaired):
    assert knowledge_gold.repair(raw) == repaired


@pytest.mark.parametrize(
    ("name", "row", "problem"),
    [
        ("rebel", {"text": "Brevik"}, "not a record of this set"),
        ("text2kgbench", {"ontology": "ont_1_sea", "text": "Brevik", "triples": []}, "ont_1_sea is not in"),
        ("knowledgenet", passage([], ["SHOE_SIZE"]), "SHOE_SIZE is not a property"),
    ],
)
def test_a_record_of_another_form_is_an_error_with_its_line(name, row, problem, tmp_path):
    path = written(tmp_path / "x.jsonl", [row])
    with pytest.raises(ConfigError, match=rf"x\.jsonl:1: .*{problem}"):
        knowledge_gold.read(name, path)
