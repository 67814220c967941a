"""The instructions, forms and rejects of the report in a browser: marked, filtered, and beside what they belong to."""

import json
from pathlib import Path

from pipelines.report.gold import compact
from pipelines.report.page import html
from schemas.example import Entity, Event, Example, Mention, Relation
from schemas.example_id import ExampleId
from tests.pipelines.report.looking import HOSTILE, LABEL, TEXTS, articles, choose, drawn
from transforms.shards import read_shard


def test_gold_mentions_are_marked_at_their_offsets(page, report_data, tmp_path):
    text = "🚢🚢 北港 Harbour Lane quay and Lane ferry"
    spans = {"Harbour Lane": ((6, 18),), "Lane": ((14, 18),), "Harbour ferry": ((6, 13), (33, 38)), "🚢": ((1, 2),)}
    entities = [Entity(f"label {n}", Mention(name, at)) for n, (name, at) in enumerate(spans.items())]
    relation = Relation("leads to", Mention("北港"), Mention("ferry", ((33, 38),)))
    event = Event("dock", Mention("quay", ((19, 23),)))
    example = Example("anatem/test/0", "A", "test", "en", text, ("NER",), tuple(entities), (relation,), (event,))
    path = tmp_path / "report.html"
    show_rows(
        path, report_data, example, [["NER", [f"label {n}" for n in range(4)]], ["RE", ["leads to"]], ["EE", ["dock"]]]
    )
    page.open(path)
    assert page.run(TEXTS) == [text] * 3
    by_label = """((title) => [...document.querySelectorAll('#instructions .text mark')]
        .filter((m) => m.title.split(' · ').includes(title)).map((m) => m.textContent))"""
    assert "".join(page.run(f"{by_label}('label 0')")) == "Harbour Lane"
    assert page.run(f"{by_label}('label 1')") == ["Lane"]  # not the other Lane
    assert page.run(f"{by_label}('label 2')") == ["Harbour", "ferry"]
    assert page.run(f"{by_label}('label 3')") == ["🚢"]
    assert page.run(f"{by_label}('dock')") == ["quay"]
    somewhere = "[...document.querySelectorAll('#instructions .text mark.somewhere')].map((m) => m.textContent)"
    assert page.run(somewhere) == ["北港"]
    choose(page, "task", "NER")
    assert page.run(TEXTS) == [text] and page.run(somewhere) == []


def test_only_the_labels_of_a_prompt_are_marked(page, report_data, tmp_path):
    entities = [Entity(label, Mention("Keel", ((0, 4),))) for label in ("ship", "boat")]
    example = Example("anatem/test/0", "A", "test", "en", "Keel and mast", ("NER",), tuple(entities), None, None)
    path = tmp_path / "report.html"
    show_rows(path, report_data, example, [["NER", ["boat"]]])
    page.open(path)
    assert page.run("[...document.querySelectorAll('#instructions .text mark')].map((m) => m.title)") == ["boat"]


def show_rows(path: Path, report_data: dict, example: Example, labels: list[list]) -> None:
    """Writes a report with an instruction for each [task, positive labels] that asks about the example."""
    key = ExampleId.parse(example.id).key
    rows = [[0, task, 0, 0, "", names, "p" * len(names), 0, {}] for task, names in labels]
    sample = {"prompts": ["Say."], "texts": {key: [compact(example)]}, "rows": {key: rows}}
    path.write_text(html({**report_data, "sample": sample}))


def test_forms_of_answer_stand_side_by_side(page, report_data, tmp_path):
    answers = [{"form": form, "prompt": f"{HOSTILE} {form}", "answer": '{"ship": []}'} for form in ("iepile", "nan")]
    long = {"task": "NER", "id": "harbour/train/1/NER/0", "schema": json.dumps([LABEL]), "text": HOSTILE}
    path = tmp_path / "report.html"
    path.write_text(html({**report_data, "forms": [{**long, "answers": answers}]}))
    page.open(path)
    assert page.run("window.ran") is None and not page.problems and drawn(page)["forms"] == 1
    assert page.run("document.querySelector('#forms .text').textContent") == HOSTILE
    assert page.run("[...document.querySelectorAll('#forms h3')].map((h) => h.textContent)") == ["iepile", "nan"]
    tops = "[...document.querySelectorAll('#forms h3')].map((h) => h.getBoundingClientRect().top)"
    assert len(set(page.run(tops))) == 1
    page.look(390, 844)
    page.open(path)
    assert page.run("document.documentElement.scrollWidth") <= 390
    assert len(set(page.run(tops))) == 2


def test_gold_answers_are_recognized_by_split_not_by_key(page, report_data, tmp_path):
    key = "IE-en/NER/test"
    places = ["train/1", "validation/1/2", "test/1", "test/1/2"]
    texts = [[f"{key}/{place}", "Keel", [], None, None] for place in places]
    rows = [[number, "NER", 0, 0, "", ["ship"], "o", 0, {}] for number in range(4)]
    sources = {key: report_data["sources"]["anatem"]}
    sample = {"prompts": ["Say."], "texts": {key: texts}, "rows": {key: rows}}
    path = tmp_path / "report.html"
    path.write_text(html({**report_data, "sources": {**report_data["sources"], **sources}, "sample": sample}))
    page.open(path)
    assert articles(page) == [f"{key}/{place}/NER/0" for place in places]
    titles = page.run("[...document.querySelectorAll('#instructions article > h3')].map((h) => h.textContent)")
    assert titles == ["Answer", "Answer", "Gold of the whole text", "Gold of the whole text"]


def sampled(report_data: dict) -> dict[str, dict]:
    """Id → text, labels and roles of the instructions on the page."""
    sample = report_data["sample"]
    return {
        f"{sample['texts'][key][number][0]}/{task}/{batch}": {
            "text": sample["texts"][key][number][1],
            "roles": dict(zip(labels, roles, strict=True)),
        }
        for key, rows in sample["rows"].items()
        for number, task, batch, _, _, labels, roles, _, _ in rows
    }


def all_articles(page) -> list[str]:
    """The ids of all pages of instructions."""
    return page.run("""(() => {
        const ids = [];
        for (;;) {
            ids.push(...[...document.querySelectorAll('#instructions article')].map((a) => a.dataset.id));
            const next = document.querySelector('#instructions .pages button:last-child');
            if (!next || next.disabled) return ids;
            next.click();
        }
    })()""")


def test_instructions_are_filtered_by_every_control(page, small, report_data):
    page.open(small / "reports/report.html")
    rows = sampled(report_data)
    choose(page, "source", "clue_ner")
    shown = {id_: row for id_, row in rows.items() if id_.startswith("clue_ner/")}
    assert set(all_articles(page)) == set(shown)
    assert page.run("document.querySelector('#instructions .text').lang") == "zh"
    label = next(label for row in shown.values() for label, role in row["roles"].items() if role == "h")
    choose(page, "label", label)
    here = sum(label in row["roles"] for row in shown.values())
    (_, _, _, counts) = next(labels for labels in report_data["labels"] if labels[1] == "clue_ner")
    corpus = sum(next(row for row in counts if row[0] == label)[1:])
    option = page.run("document.getElementById('label').selectedOptions[0].textContent")
    assert option == f"{label} ({here} here; {corpus:,} annotations in the corpus)" and corpus
    for role in "pho":
        choose(page, "role", role)
        assert set(all_articles(page)) == {id_ for id_, row in shown.items() if row["roles"].get(label) == role}
    choose(page, "role", "")
    roles = [rows[id_]["roles"][label] for id_ in all_articles(page)]
    assert roles == sorted(roles, key="pho".index) and {"p", "h"} <= set(roles)  # positive ones first
    assert label in page.run("document.querySelector('.about-label').textContent")
    choose(page, "label", "")
    for value, has in (("with", True), ("without", False)):
        choose(page, "hard", value)
        assert set(all_articles(page)) == {id_ for id_, row in shown.items() if ("h" in row["roles"].values()) == has}
    choose(page, "hard", "")
    choose(page, "split", "validation")
    assert set(all_articles(page)) == {id_ for id_ in shown if "/validation/" in id_}
    choose(page, "label", label)
    choose(page, "query", "no such words", "input")
    page.run("document.getElementById('show-all').click()")
    assert page.run("['label', 'query', 'split'].map((id) => document.getElementById(id).value).join()") == ",,"
    choose(page, "query", "CARBAMAZEPINE", "input")
    assert set(all_articles(page)) == {
        id_ for id_, row in rows.items() if "carbamazepine" in json.dumps([id_, row], ensure_ascii=False).lower()
    }
    choose(page, "query", "no such words", "input")
    assert articles(page) == []
    choose(page, "query", "", "input")
    choose(page, "task", "EE")
    assert {id_.split("/")[0] for id_ in all_articles(page)} == {"duee1"}


def test_a_label_leads_to_its_instructions_and_hard_negatives(page, small, report_data):
    page.open(small / "reports/report.html")
    choose(page, "source", "clue_ner")
    page.run("document.querySelector('#instructions .chip.hard').click()")
    label = page.run("document.getElementById('label').value")
    _, _, _, names, edges = next(graph for graph in report_data["neighbours"] if graph[1] == "clue_ner")
    near = [names[to] for to, _ in edges[names.index(label)]]
    chips = "[...document.querySelectorAll('.near-labels .chip bdi')].map((chip) => chip.textContent)"
    assert near and page.run(chips) == near
    first = "[...document.querySelector('#instructions article').querySelectorAll('.chip')].map((c) => c.className)"
    assert {"chip positive", "chip hard"} <= set(page.run(first))
    page.run("document.querySelector('.near-labels .chip').click()")
    assert page.run("document.getElementById('label').value") == near[0]


def test_an_instruction_is_shown_as_json_on_request(page, small, report_data):
    page.open(small / "reports/report.html")
    choose(page, "task", "EE")
    page.run("document.querySelector('#instructions article summary').click()")
    page.run("new Promise((done) => setTimeout(done, 100))")
    prompt, answer = page.run("[...document.querySelectorAll('#instructions pre')].map((pre) => pre.textContent)")
    path = next((small / "data/EE").glob("*.parquet")).parent
    rows = [row for file in path.glob("*.parquet") for row in read_shard(str(file)).to_pylist()]
    (row,) = [row for row in rows if row["id"] == articles(page)[0]]
    assert json.loads(prompt) == json.loads(row["instruction"])
    assert json.loads(answer) == json.loads(row["output"] or row["label"])


def test_rejects_are_filtered_and_shown_beside_their_twins(page, small, report_data):
    page.open(small / "reports/report.html")
    assert articles(page, "rejects")
    choose(page, "reason", "leakage")
    rows = [row for row in report_data["rejects"] if row[3] == "leakage"]
    assert set(articles(page, "rejects")) <= {row[5] for row in rows} and rows
    page.run("document.querySelector('#flow [role=button]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert page.run("document.getElementById('reason').value") != "leakage"
    choose(page, "reason", "")
    choose(page, "reject-query", rows[0][8][1][:30].upper(), "input")
    assert rows[0][5] in articles(page, "rejects")


def test_texts_and_annotations_that_differ_are_marked(page, report_data, tmp_path):
    place = ["examples/anatem/train-00000.parquet", "anatem/train/1", "why", ""]
    one = ["anatem/train/1", "Ada sailed to Coal  Quay .", [["person", [0, 3]]], None, None]
    leak = ["anatem/test/4", "ada sailed to Coal Quay.", [["person", [0, 3]]], None, None]
    twin = ["anatem/train/0", None, [["ship", [0, 3]]], None, None]
    rows = [
        ["clean", "anatem", "train", "leakage", *place, one, leak],
        ["clean", "anatem", "train", "contradiction", *place, one, twin],
        ["clean", "anatem", "train", "duplicate", *place, one, [twin[0], None, *one[2:]]],
    ]
    path = tmp_path / "report.html"
    path.write_text(html({**report_data, "rejects": rows}))
    page.open(path)
    cards = "[...document.querySelectorAll('#rejects article')]"
    differs = f"{cards}.map((card) => [...card.querySelectorAll('.differs')].map((node) => node.textContent))"
    leaked, contradicted, repeated = page.run(differs)
    assert leaked == ["Ada", "  ", " ", "ada", " "] and contradicted == ["person: Ada", "ship: Ada"] and not repeated
    assert page.run(f"{cards}[2].querySelectorAll('.text').length") == 1
    assert "anatem/train/0" in page.run(f"{cards}[2].textContent")


def test_the_detail_of_a_reject_is_in_the_language_of_the_page(page, report_data, tmp_path):
    one = ["anatem/train/1", "Ada sailed to Coal Quay.", [["person", [0, 3]]], None, None]
    place = ["examples/anatem/train-00000.parquet", "anatem/train/1"]
    details = [
        "the same text occurs in a test split: other",
        "a mention is empty after repair",
        "line 3: no text",
        "3 of 4 characters are not letters",
    ]
    rows = [["clean", "anatem", "train", "leakage", *place, detail, "", one, None] for detail in details]
    path = tmp_path / "report.html"
    path.write_text(html({**report_data, "rejects": rows}))
    shown = "[...document.querySelectorAll('#rejects .detail')].map((node) => node.textContent)"
    page.open(path)
    assert page.run(shown) == details
    page.open(path, "?lang=zh")
    assert page.run(shown) == [
        "相同的文本出现在测试集中：other",
        "修复之后有提及为空",
        details[2],
        "有 3 个字符不是字母，共 4 个",
    ]
