"""Users' data in German, Japanese, Thai and Arabic, through a build: languages, prompts, gold, card and report."""

import json

import pyarrow.parquet as pq
import pytest
import yaml

from tests.conftest import build_here
from tests.unified import ner, write_source
from transforms import prompts

RECORDS = {
    "de": [
        ner(
            "Dr. Amsel lehrt z. B. an der Universität Kiel.", Person="Dr. Amsel", Organ=["Universität Kiel"], Ort="Kiel"
        ),
        ner("Nach Kiel kam Ute Groß erst im März.", Person="Ute Groß", Ort="Kiel"),
        ner("Die Straße war nass, und niemand kam."),
    ],
    "ja": [
        ner("田中花子は東京大学で教えた。", Person="田中花子", Organ="東京大学", Ort="東京"),
        ner("船で来た小川涼さんが港に着いた。", Person="小川涼"),
    ],
    "th": [
        ner("สมชายทำงานที่มหาวิทยาลัยเชียงใหม่", Person="สมชาย", Organ="มหาวิทยาลัยเชียงใหม่", Ort="เชียงใหม่"),
        ner("เมื่อวานมาลีนั่งเรือไปน่าน", Person="มาลี", Ort="น่าน"),
    ],
    "ar": [
        ner("يعمل أحمد ناصر في جامعة القاهرة.", Person="أحمد ناصر", Organ="جامعة القاهرة", Ort="القاهرة"),
        ner("سافرت ليلى حداد إلى دمشق، ثم عادت.", Person="ليلى حداد", Ort="دمشق"),
    ],
}
"""Language → records; entities nest, as a place in the name of a university."""

SENTENCES = {
    "th": ("สมชาย", "มีเรือ{}ลำ "),
    "ja": ("田中花子", "は{}回来た。"),
    "ar": ("أحمد ناصر", " زار الميناء {} مرات. "),
}
"""Language → a name, and what follows it in each of the sentences of a long document."""


def long_record(lang: str) -> dict:
    name, rest = SENTENCES[lang]
    return ner("".join(name + rest.format(number) for number in range(10, 50)), Person=name)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    root = tmp_path_factory.mktemp("languages")
    for lang, records in RECORDS.items():
        long = [long_record(lang)] if lang in SENTENCES else []
        schema = (["Ort", "Organ", "Person"], [], {})
        write_source(
            root / "raw" / lang, "NER", schema, lang=f"{lang}-XX", train=records[:-1] + long, test=records[-1:]
        )
    (root / "prompts.yaml").write_text("NER:\n  de-DE: [Finde sie.]\n  en: [Find them.]\n", encoding="utf-8")
    flags = ("--data_root", str(root / "raw"), "--set", "clean.max_chars=200", "--prompts", str(root / "prompts.yaml"))
    done = build_here(*flags, "--embedding_model", "lexical", "--output", str(root / "corpus"))
    assert done.returncode == 0, done.stderr
    return root / "corpus"


def rows(corpus, split: str) -> list[dict]:
    return [row for path in sorted(corpus.glob(f"data/NER/{split}-*")) for row in pq.read_table(path).to_pylist()]


def test_rows_have_the_language_its_prompt_and_all_gold(corpus):
    for split, part in (("train", slice(None, -1)), ("test", slice(-1, None))):
        for lang, records in RECORDS.items():
            of_text = {}
            for row in rows(corpus, split):
                if row["lang"] == lang:
                    prompt = json.loads(row["instruction"])
                    assert prompt["instruction"] == ("Finde sie." if lang == "de" else "Find them.")
                    gold = json.loads(row["output"] or row["label"])
                    if split == "test":
                        gold = {
                            label: [e["entity"] for e in gold if e["entity_type"] == label] for label in row["labels"]
                        }
                    of_text.setdefault(prompt["input"], {}).update(gold)
            for record in records[part]:
                for entity in record["entity"]:
                    assert entity["entity"] in of_text[record["text"]][entity["entity_type"]]


def test_long_documents_are_cut_at_sentence_ends(corpus):
    texts = {json.loads(row["instruction"])["input"] for row in rows(corpus, "train")}
    for lang, (name, rest) in SENTENCES.items():
        windows = [text for text in texts if text.count(name) > 1]
        assert sum(text.count(name) for text in windows) == 40 and len(windows) > 2
        assert all(text.startswith(name) and text.endswith(rest.split("{}")[1].strip()) for text in windows), lang


def test_the_card_and_the_report_name_the_languages(corpus):
    card = (corpus / "README.md").read_text(encoding="utf-8")
    assert yaml.safe_load(card.split("---\n")[1])["language"] == ["ar", "de", "ja", "th"]
    assert "in Arabic, German, Japanese and Thai:" in card
    assert all(f"| {name} | – |" in card for name in ("Arabic", "German", "Thai"))
    assert "阿拉伯文、德文、日文和泰文" in (corpus / "README_zh.md").read_text(encoding="utf-8")
    page = (corpus / "reports" / "report.html").read_text(encoding="utf-8")
    assert '"languages":{"ar":"Arabic","de":"German","ja":"Japanese","th":"Thai"}' in page
    assert 'class: "text", lang: example.lang, dir: "auto"' in page


def test_bundled_prompts_are_english_for_other_languages():
    assert prompts.load(None, ["NER"], ["th"])["NER"]["th"] == prompts.load()["NER"]["en"]


def test_a_language_that_the_script_does_not_tell_is_a_note(tmp_path):
    for name, text in (("letters", "Der Hafen war leer."), ("kana", "港は静かだった。")):
        write_source(tmp_path / "raw" / name, "NER", (["Ort"], [], {}), train=[ner(text)])
        (tmp_path / "raw" / name / "source.yaml").write_text("task: NER\n")
    done = build_here("--data_root", str(tmp_path / "raw"), "--output", str(tmp_path / "out"), "--dry_run")
    notes = [line for line in done.stderr.splitlines() if "language" in line]
    assert len(notes) == 1 and "letters: the language is not stated; the texts are taken for English (en)" in notes[0]
