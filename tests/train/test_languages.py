"""Users' own labels in German, Japanese, Thai and Arabic: from the files of a tool to predictions with offsets."""

import json

import pytest

from tests.conftest import build_here
from tests.train.predicting import lines

GERMAN = """\
#\thttp://example.org/hafen\t[2026-01-05]
1\tDr.\tO\tO
2\tAmsel\tB-PER\tO
3\tlehrt\tO\tO
4\tan\tO\tO
5\tder\tO\tO
6\tUniversität\tB-ORG\tO
7\tKöln\tI-ORG\tB-LOC
8\t.\tO\tO

#\thttp://example.org/werft\t[2026-01-06]
1\tUte\tB-PER\tO
2\tGroß\tI-PER\tO
3\tkam\tO\tO
4\tin\tO\tO
5\tden\tO\tO
6\tKölner\tB-LOCderiv\tO
7\tHafen\tO\tO
8\t.\tO\tO
"""
"""The columns of GermEval 2014: outer and nested names."""

THAI = """\
สมชาย B-PER
ทำงาน O
ที่ O
เชียงใหม่ B-LOC

เมื่อวาน O
มาลี B-PER
นั่ง O
เรือ O
ไป O
น่าน B-LOC
"""
"""One token per line; the text has no blanks."""


def doccano(text: str, **mentions: str) -> dict:
    spans = [[text.index(string), text.index(string) + len(string), label] for label, string in mentions.items()]
    return {"text": text, "label": spans}


def label_studio(text: str, **mentions: str) -> dict:
    """A task, whose offsets count UTF-16 units."""
    result = []
    for label, string in mentions.items():
        before, length = (len(part.encode("utf-16-le")) // 2 for part in (text[: text.index(string)], string))
        value = {"start": before, "end": before + length, "text": string, "labels": [label]}
        result.append({"type": "labels", "from_name": "label", "to_name": "text", "value": value})
    return {"data": {"text": text}, "annotations": [{"result": result}]}


JAPANESE = [
    doccano("田中花子は東京大学で教えた。", PER="田中花子", ORG="東京大学", LOC="東京"),
    doccano("船で来た小川涼さんが港に着いた。", PER="小川涼"),
]
ARABIC = [
    label_studio("🚢 يعمل أحمد ناصر في جامعة القاهرة.", PER="أحمد ناصر", ORG="جامعة القاهرة", LOC="القاهرة"),
    label_studio("سافرت ليلى حداد إلى دمشق، ثم عادت.", PER="ليلى حداد", LOC="دمشق"),
]

FILES = {
    "de": ("train.tsv", GERMAN),
    "ja": ("train.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in JAPANESE)),
    "th": ("train.conll", THAI),
    "ar": ("train.json", json.dumps(ARABIC)),
}
WORDS = {
    "de": {"PER": "Person", "ORG": "Organisation", "LOC": "Ort", "LOCderiv": "Ableitung eines Ortes"},
    "ja": {"PER": "人物", "ORG": "組織", "LOC": "場所"},
    "th": {"PER": "บุคคล", "LOC": "สถานที่"},
    "ar": {"PER": "شخص", "ORG": "مؤسسة", "LOC": "مكان"},
}
"""Language → label in the files → word in prompts."""

GOLD = {
    "de": {
        "Dr. Amsel lehrt an der Universität Köln .": {
            ("Person", "Amsel"), ("Organisation", "Universität Köln"), ("Ort", "Köln"),
        },
        "Ute Groß kam in den Kölner Hafen .": {("Person", "Ute Groß"), ("Ableitung eines Ortes", "Kölner")},
    },
    "ja": {
        "田中花子は東京大学で教えた。": {("人物", "田中花子"), ("組織", "東京大学"), ("場所", "東京")},
        "船で来た小川涼さんが港に着いた。": {("人物", "小川涼")},
    },
    "th": {
        "สมชายทำงานที่เชียงใหม่": {("บุคคล", "สมชาย"), ("สถานที่", "เชียงใหม่")},
        "เมื่อวานมาลีนั่งเรือไปน่าน": {("บุคคล", "มาลี"), ("สถานที่", "น่าน")},
    },
    "ar": {
        "🚢 يعمل أحمد ناصر في جامعة القاهرة.": {
            ("شخص", "أحمد ناصر"), ("مؤسسة", "جامعة القاهرة"), ("مكان", "القاهرة"),
        },
        "سافرت ليلى حداد إلى دمشق، ثم عادت.": {("شخص", "ليلى حداد"), ("مكان", "دمشق")},
    },
}  # fmt: skip
"""Language → text → (word in prompts, mention)."""

PROMPTS = "NER: {ar: [استخرج الكيانات.], en: [Find the entities.]}"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> str:
    root = tmp_path_factory.mktemp("languages")
    for lang, (name, content) in FILES.items():
        (root / "raw" / lang).mkdir(parents=True)
        (root / "raw" / lang / name).write_text(content, encoding="utf-8")
        settings = {"labels": WORDS[lang], "task": "NER"} | ({"lang": "de"} if lang == "de" else {})
        (root / "raw" / lang / "source.yaml").write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")
    (root / "prompts.yaml").write_text(PROMPTS, encoding="utf-8")
    flags = ("--data_root", str(root / "raw"), "--prompts", str(root / "prompts.yaml"), "--embedding_model", "lexical")
    done = build_here(*flags, "--output", str(root / "corpus"))
    assert done.returncode == 0, done.stderr
    return str(root / "corpus")


@pytest.fixture(scope="module")
def model(corpus, one_thread, tmp_path_factory) -> str:
    """A tiny model that has learnt the rows of all languages by heart."""
    from train import sft

    output = str(tmp_path_factory.mktemp("model") / "model")
    settings = (
        "training.max_steps=120", "training.per_device_train_batch_size=8", "training.learning_rate=5e-3",
        "tiny.hidden_size=64",
    )  # fmt: skip
    flags = [flag for setting in settings for flag in ("--set", setting)]
    assert sft.main(["--config", "tiny-cpu", "--data", corpus, "--output", output, *flags]) == 0
    return output


def mentions(result: dict) -> set[tuple[str, str]]:
    """(word in prompts, what the offsets cut out of the text) of a text with predictions."""
    text = result["text"]
    return {(e["entity_type"], text[start:end]) for e in result["entity"] for start, end in e["spans"]}


@pytest.mark.parametrize("lang", FILES)
def test_a_trained_model_predicts_mentions_with_offsets_and_is_scored(corpus, model, lang, tmp_path, capsys):
    from train import predict, score

    predictions = tmp_path / "predictions.jsonl"
    of_corpus = ("--data", corpus, "--split", "train", "--sources", lang, "--output", str(predictions))
    assert predict.main(["--model", model, *of_corpus]) == 0
    results = lines(tmp_path / "predictions.joined.jsonl")
    assert {(row["lang"], row["text"]): mentions(row) for row in results} == {
        (lang, text): gold for text, gold in GOLD[lang].items()
    }
    capsys.readouterr()
    assert score.main(["--predictions", str(predictions), "--bootstrap", "0", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["tables"][0]["rows"]
    gold = sum(map(len, GOLD[lang].values()))
    assert (row["gold"], row["predicted"], row["right"], row["rouge_2"]) == (gold, gold, gold, 1)


@pytest.mark.parametrize("lang", FILES)
def test_a_users_texts_get_mentions_with_offsets(model, lang, tmp_path):
    """The texts that were learnt, with more blanks and marks at their edges, and labels in another order."""
    from train import predict

    texts = [{"text": f"\u200f\n {text} "} for text in GOLD[lang]]
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in texts), encoding="utf-8")
    (tmp_path / "prompts.yaml").write_text(PROMPTS, encoding="utf-8")
    flags = ("--texts", str(tmp_path / "texts.jsonl"), "--task", "NER", "--labels", ",".join(WORDS[lang].values()))
    prompts = ("--prompts", str(tmp_path / "prompts.yaml"), "--lang", lang)
    assert predict.main(["--model", model, *flags, *prompts, "--output", str(tmp_path / "p.jsonl")]) == 0
    results = lines(tmp_path / "p.joined.jsonl")
    assert [(row["lang"], row["text"]) for row in results] == [(lang, row["text"]) for row in texts]
    assert list(map(mentions, results)) == list(GOLD[lang].values())
