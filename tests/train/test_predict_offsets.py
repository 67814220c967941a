"""Texts of a user: mentions have offsets into the original text, also after repair and in windows."""

import json

import pytest

from tests.serving import completion, serving
from tests.train.predicting import NAMES, gold, lines, run


def test_answers_to_windows_are_joined_with_offsets(tmp_path):
    sentences = [f"On day {number} {NAMES[number % 4]} met Halden." for number in range(8)]
    document = "  ".join(sentences)
    (tmp_path / "t.jsonl").write_text(json.dumps({"id": "log", "text": document}) + '\n{"text": "港口很安静。"}\n')
    flags = ("--task", "NER", "--labels", "person,place", "--max_chars", "80", "--overlap_chars", "40")
    with serving(gold) as served:
        text_flags = ("--endpoint", served.url, "--texts", str(tmp_path / "t.jsonl"))
        assert run(*text_flags, *flags, output=tmp_path / "p.jsonl") == 0
    rows = lines(tmp_path / "p.jsonl")
    assert [row["example_id"] for row in rows][:2] == ["texts/log/0", "texts/log/1"] and len(rows) > 4
    result, other = lines(tmp_path / "p.joined.jsonl")
    assert (result["id"], result["text"], other["id"], other["lang"]) == ("log", document, "1", "zh")
    assert {e["entity"] for e in result["entity"]} == set(NAMES)
    for e in result["entity"]:
        assert all(document[start:end] == e["entity"] for start, end in e["spans"])
        assert len(e["spans"]) == document.count(e["entity"])
    assert other["entity"] == []


MESSY = "\u200bAsta\u00a0met\r\nBe\u0301rg\u200b today.\u3000 Then\tInge\u00adborg left the  re\u0301uni\u200bon. "
"""Repaired: `Asta met\\nBérg today.\u3000 Then Ingeborg left the  réunion.`"""


@pytest.mark.parametrize("max_chars", [100, 25])
def test_offsets_refer_to_the_original_text(tmp_path, max_chars):
    mentions = {"Asta": "Asta", "Bérg": "Be\u0301rg", "Ingeborg": "Inge\u00adborg", "réunion": "re\u0301uni\u200bon"}
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": MESSY}))

    def reply(instruction, attempt):
        text = json.loads(instruction)["input"]
        return 200, completion(json.dumps({"person": [name for name in mentions if name in text]}))

    flags = ("--task", "NER", "--labels", "person", "--max_chars", str(max_chars), "--overlap_chars", "0")
    with serving(reply) as served:
        text_flags = ("--endpoint", served.url, "--texts", str(tmp_path / "t.jsonl"))
        assert run(*text_flags, *flags, output=tmp_path / "p.jsonl") == 0
    (result,) = lines(tmp_path / "p.joined.jsonl")
    assert result["text"] == MESSY
    originals = {e["entity"]: [MESSY[start:end] for start, end in e["spans"]] for e in result["entity"]}
    assert originals == {name: [original] for name, original in mentions.items()}
    assert len(lines(tmp_path / "p.jsonl")) == (1 if max_chars == 100 else 3)


def test_offsets_of_arguments_refer_to_the_original_text(tmp_path):
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": MESSY}))
    (tmp_path / "l.json").write_text('{"meet": ["who"]}')
    events = [{"trigger": "met", "arguments": {"who": ["Asta", "Bérg"]}}]
    flags = ("--task", "EE", "--labels", str(tmp_path / "l.json"))
    with serving(lambda *_: (200, completion(json.dumps({"meet": events})))) as served:
        text_flags = ("--endpoint", served.url, "--texts", str(tmp_path / "t.jsonl"))
        assert run(*text_flags, *flags, output=tmp_path / "p.jsonl") == 0
    (result,) = lines(tmp_path / "p.joined.jsonl")
    (event,) = result["event"]
    spans = [*event["trigger_spans"], *(span for argument in event["arguments"] for span in argument["spans"])]
    assert [MESSY[start:end] for start, end in spans] == ["met", "Asta", "Be\u0301rg"]


def test_offsets_are_in_the_window_that_answered_the_mention(tmp_path):
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": "Asta met Berg. Then Halden came. Berg left."}))

    def reply(instruction, attempt):
        people = ["Berg"] if "left" in json.loads(instruction)["input"] else []
        return 200, completion(json.dumps({"person": people}))

    flags = ("--task", "NER", "--labels", "person", "--max_chars", "30", "--overlap_chars", "0")
    with serving(reply) as served:
        text_flags = ("--endpoint", served.url, "--texts", str(tmp_path / "t.jsonl"))
        assert run(*text_flags, *flags, output=tmp_path / "p.jsonl") == 0
    (result,) = lines(tmp_path / "p.joined.jsonl")
    assert result["entity"] == [{"entity": "Berg", "entity_type": "person", "spans": [[33, 37]]}]


MANY_SCRIPTS = {
    "de": ("Dr. Ada Groß kam am {}. Mai nach Köln. ", ("Ada Groß", "Köln")),
    "ja": ("田中花子は東京で{}年間働いた。", ("田中花子", "東京")),
    "th": ("สมชายมาจากน่านเมื่อ{}ปีก่อน ", ("สมชาย", "น่าน")),
    "ar": ("\u200fزارت لَيلى حداد تونس {} مرات. ", ("لَيلى حداد", "تونس")),
    "hi": ("राम दिल्ली में {} वर्ष रहा। ", ("राम", "दिल्ली")),
}


@pytest.mark.parametrize("lang", MANY_SCRIPTS)
def test_offsets_in_any_script(tmp_path, lang):
    sentence, names = MANY_SCRIPTS[lang]
    document = "".join(sentence.format(number) for number in range(10, 18))
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": document, "lang": lang}))

    def reply(instruction, attempt):
        text = json.loads(instruction)["input"]
        return 200, completion(json.dumps({"name": [name for name in names if name in text]}))

    with serving(reply) as served:
        flags = ("--endpoint", served.url, "--texts", str(tmp_path / "t.jsonl"), "--task", "NER", "--labels", "name")
        assert run(*flags, "--max_chars", "90", "--overlap_chars", "45", output=tmp_path / "p.jsonl") == 0
    windows = [json.loads(row["instruction"])["input"] for row in lines(tmp_path / "p.jsonl")]
    assert len(windows) > 1 and all(text.count(names[0]) > 1 for text in windows)  # they overlap
    assert not any(text.startswith(names[1]) for text in windows)
    (result,) = lines(tmp_path / "p.joined.jsonl")
    assert (result["lang"], result["text"]) == (lang, document)
    assert {e["entity"]: len(e["spans"]) for e in result["entity"]} == dict.fromkeys(names, 8)
    assert all(document[start:end] == e["entity"] for e in result["entity"] for start, end in e["spans"])
