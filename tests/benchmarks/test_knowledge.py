"""The commands that measure pipelines.knowledge, from small dumps and annotated texts to their figures."""

import json

import pytest

from benchmarks import knowledge, knowledge_run, knowledge_themes
from benchmarks.knowledge_facts import Gold, Relation
from benchmarks.knowledge_themes import Row
from schemas.knowledge import LinkedMention, LinkedParagraph, Paragraph
from transforms.knowledge import themes
from transforms.knowledge.themes import Themes


def item(number: int, label: str, lang: str = "en", **statements: int) -> str:
    """A line of a dump. `statements`: property → the item that is its value."""
    claims = {
        name: [
            {
                "rank": "normal",
                "type": "statement",
                "mainsnak": {
                    "snaktype": "value",
                    "property": name,
                    "datatype": "wikibase-item",
                    "datavalue": {
                        "type": "wikibase-entityid",
                        "value": {"entity-type": "item", "numeric-id": value, "id": f"Q{value}"},
                    },
                },
            }
        ]
        for name, value in statements.items()
    }
    labels = {lang: {"language": lang, "value": label}}
    return json.dumps({"type": "item", "id": f"Q{number}", "labels": labels, "claims": claims}, ensure_ascii=False)


def dump(path, *lines: str) -> str:
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def wikidata(tmp_path) -> str:
    return dump(
        tmp_path / "dump.json",
        item(7, "Ada Lund", P31=5, P19=9),
        item(8, "Bo Lind", P31=5, P19=9),
        item(9, "Brevik", P31=515),
        item(5, "human"),
        item(515, "city", P279=486972),
        item(486972, "human settlement"),
    )


def passage(text: str, head: str, annotated: str, with_fact: bool) -> dict:
    fact = {
        "property": annotated,
        "subjectStart": text.index(head),
        "subjectEnd": text.index(head) + len(head),
        "subjectText": head,
        "subjectQid": "Q7",
        "objectStart": text.index("Brevik"),
        "objectEnd": text.index("Brevik") + 6,
        "objectText": "Brevik",
        "objectQid": "Q9",
    }
    return {
        "documentId": "1",
        "passageStart": 0,
        "text": text,
        "exhaustivelyAnnotatedProperties": [annotated],
        "facts": [fact] if with_fact else [],
    }


def test_a_set_is_measured_from_its_file_to_its_figures(tmp_path, wikidata, capsys):
    texts = tmp_path / "texts.jsonl"
    rows = [
        passage("Ada Lund was born in Brevik.", "Ada Lund", "PLACE_OF_BIRTH", True),
        passage("Ada Lund lived in Brevik.", "Ada Lund", "PLACE_OF_RESIDENCE", True),
        passage("Bo Lind was born in Brevik.", "Bo Lind", "PLACE_OF_BIRTH", False),
        passage("Bo Lind left Brevik.", "Bo Lind", "PLACE_OF_RESIDENCE", False),
    ]
    texts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    flags = ["--gold", "knowledgenet", "--texts", str(texts), "--wikidata", wikidata, "--folder", str(tmp_path / "run")]
    assert knowledge.main([*flags, "--min_score", "0", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["predicted"], figures["right"], figures["facts_named"]) == (2, 1, 2)
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0.5, 0.5, 0.5)
    assert figures["texts_without_fact_that_get_one"] == 0.5
    assert figures["linking_accuracy"] == 1.0 and figures["hallucinated_ends"] == 0
    assert figures["ontology_conformance"] == 1.0
    assert figures["causes"]["missed"] == {"not in the graph": 1}
    assert knowledge.main([*flags, "--min_score", "0", "--errors", "1"]) == 0
    printed = capsys.readouterr().out
    assert "| place of birth | 1 | 2 | 50.0 % | 100.0 % | 66.7 % |" in printed
    assert "wrong (not annotated, score" in printed and "Bo Lind | place of birth | Brevik" in printed


def test_a_set_becomes_a_themes_file_with_a_relation_per_property(tmp_path, bundled):
    child = Relation("child of", {40: True, 22: False}, ("human",), ("human",))
    gold = Gold("set", {"CHILD": child, "P19": Relation("born in", {19: False}), "P4": Relation("x", {4: False})}, ())
    path = tmp_path / "gold.yaml"
    path.write_text(json.dumps(knowledge_run.as_theme(gold, bundled)))
    (theme,) = themes.load(path).themes.values()
    first, second, third = theme.relations
    assert (first.properties, first.head, first.tail) == (((40, True), (22, False)), ("human",), ("human",))
    assert (first.name("en"), second.properties) == ("child of", ((19, False),))
    assert {"human", "organization"} < set(second.tail) and "text" not in second.tail
    assert {"human", "text", "time", "measure"} < set(third.tail)


@pytest.fixture
def bundled() -> Themes:
    return themes.load(None)


@pytest.mark.parametrize(
    ("text", "start", "end", "theme"),
    [
        ("林海生是一名诗人。", 0, 3, "人物"),
        ("《林海生》是一部书。", 1, 4, "人物"),
        ("林海生桥是一座桥。", 0, 3, None),
        ("诗人林海生。", 2, 5, None),
    ],
)
def test_the_item_whose_name_opens_a_text_gives_the_theme(text, start, end, theme, bundled):
    mentions = (LinkedMention(start, end, "name", 7, ("human",)),)
    paragraph = LinkedParagraph(Paragraph("0", "zh", text), mentions)
    assert knowledge_themes.opening_theme(paragraph, bundled) == theme


def test_the_twelve_themes_have_the_names_of_the_test_set(bundled):
    from benchmarks.theme_classifier import nouns

    assert {theme.name("zh") for theme in bundled.themes.values()} == set(nouns().values())


def test_figures_of_themes_are_reported_by_what_decided():
    answers = [
        knowledge_themes.Answer(Row(0, "人物", "甲"), "人物", knowledge_themes.ITEM),
        knowledge_themes.Answer(Row(1, "人物", "乙"), "建筑", "definition"),
    ]
    figures = knowledge_themes.figures_of(answers, 5)
    assert (figures["accuracy"], figures["accuracy_odd_ids"]) == (0.5, 0.0)
    assert figures["by_item"] == {"texts": 1, "accuracy": 1.0}
    assert figures["classified"] == {"texts": 1, "accuracy": 0.0}
    assert figures["confusions"] == [["人物", "建筑", 1]]
    assert [error["text"] for error in figures["errors"]] == ["乙"]


def test_themes_are_measured_from_the_file_to_the_figures(tmp_path, capsys):
    path = dump(tmp_path / "zh.json", item(7, "林海生", "zh", P31=5), item(5, "人", "zh"))
    texts = tmp_path / "texts.json"
    rows = [(0, "人物", "林海生，生活在海边。"), (1, "建筑", "石湾塔是海边的一座灯塔。")]
    texts.write_text(
        "".join(
            json.dumps({"id": n, "cate": cate, "instruction": "", "input": text}, ensure_ascii=False) + "\n"
            for n, cate, text in rows
        )
    )
    assert knowledge_themes.main(["--texts", str(texts), "--wikidata", path, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["accuracy"] == 1.0 and figures["by_item"]["texts"] == 1
