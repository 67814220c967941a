import pytest

from schemas.answer_form import FORM_TASKS
from schemas.errors import ConfigError
from schemas.example import TASKS
from transforms.phrasings import PARTS, PHRASINGS, WORDS, shown_phrasing
from transforms.prompts import BUNDLED_LANGS, load


def test_bundled_prompts_cover_all_tasks_and_languages():
    prompts = load()
    assert list(prompts) == list(TASKS)
    for task in TASKS:
        for lang in BUNDLED_LANGS:
            texts = prompts[task][lang]
            assert len(texts) >= 3 and len(set(texts)) == len(texts)
            assert all(text == text.strip() and "\n" not in text for text in texts)
            han = [any("\u4e00" <= c <= "\u9fff" for c in text) for text in texts]
            assert han == [lang == "zh"] * len(texts)
            # A prompt must describe the format of the answer.
            assert all("JSON" in text for text in texts)
            assert all(("NAN" in text) == (task in ("EE", "EEA")) for text in texts)


SHAPES = {"nan": "NAN", "triples": "head", "sentences": "NAN", "spans": "mention"}


@pytest.mark.parametrize("form", SHAPES)
def test_bundled_prompts_have_four_texts_for_every_form(form):
    by_task = load(form=form)
    assert tuple(by_task) == FORM_TASKS[form]
    for task, by_lang in by_task.items():
        for lang, texts in by_lang.items():
            assert len(texts) >= 4 and len(set(texts)) == len(texts)
            assert all(text == text.strip() and "\n" not in text for text in texts)
            assert [any("\u4e00" <= c <= "\u9fff" for c in text) for text in texts] == [lang == "zh"] * len(texts)
            assert all("JSON" in text and SHAPES[form] in text for text in texts), (task, lang)


def test_the_texts_of_the_sentences_ask_for_every_phrasing():
    for lang, words in (("en", PARTS), ("zh", WORDS[1])):
        shown = [phrasing.sentence(dict(zip(PARTS, words, strict=True))) for phrasing in PHRASINGS]
        for task in FORM_TASKS["sentences"]:
            texts = load(form="sentences")[task][lang]
            assert len({shown_phrasing(text) for text in texts}) == 4
            assert all(sum(sentence in text for sentence in shown) == 1 for text in texts)


def test_a_key_with_a_list_is_a_language_and_one_with_a_mapping_a_form(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("NER:\n  en: [Find them.]\n  nan: [Chhoe in.]\n", encoding="utf-8")
    assert load(file, ["NER"], ["nan"]) == {"NER": {"nan": ("Chhoe in.",)}}
    file.write_text("NER:\n  en: [Find them.]\n  nan: {en: [Or say NAN.]}\n", encoding="utf-8")
    assert load(file, ["NER"], ["en", "fr"])["NER"]["fr"] == ("Find them.",)
    assert load(file, ["NER", "EEA"], ["en"], "nan") == {"NER": {"en": ("Or say NAN.",)}}


@pytest.mark.parametrize(
    ("content", "form", "message"),
    [
        ("NER:\n  en: [a]\n", "nan", ":1: no prompt for task NER in the form nan in language 'en'; add a list"),
        ("NER:\n  nan: {zh: [a]}\n", "nan", ":2: no prompt for task NER in the form nan in language 'en'"),
        ("NER:\n  en: [a]\n  tripels: {en: [a]}\n", "iepile", ":3: NER has no form 'tripels'; it has nan, spans, and"),
        ("NER:\n  iepile: {en: [a]}\n", "iepile", ":2: NER has no form 'iepile'; it has nan, spans, and iepile, whose"),
        ("EEA:\n  nan: {en: [a]}\n", "iepile", ":2: EEA has no form 'nan'; it has no other, and iepile"),
        ("NER:\n  nan:\n    en: ['']\n", "nan", ":3: NER.nan.en must be a list of texts, none of them empty"),
        ("RE:\n  sentences:\n    en:\n      - Write.\n", "sentences", ":4: a text of RE.sentences.en must show the"),
    ],
)
def test_an_invalid_file_of_forms_is_refused(tmp_path, content, form, message):
    file = tmp_path / "mine.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(file, [content[: content.index(":")] if "EEA" not in content else "NER"], ["en"], form)
    assert str(error.value).startswith(f"{file}{message}") and "\n" not in str(error.value)


def test_custom_prompts_replace_the_bundled_ones(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("NER:\n  en: [Find them.]\n  zh: ['找出实体: 全部', 再找]\n", encoding="utf-8")
    assert load(file, tasks=["NER"]) == {"NER": {"en": ("Find them.",), "zh": ("找出实体: 全部", "再找")}}
    assert load(str(file), ["NER"], ["en"]) == {"NER": {"en": ("Find them.",)}}


def test_a_language_without_texts_has_the_english_ones(tmp_path):
    assert load(None, ["NER"], ["de", "th"]) == {"NER": dict.fromkeys(("de", "th"), load()["NER"]["en"])}
    file = tmp_path / "mine.yaml"
    file.write_text("NER:\n  de: [Finde sie.]\n  pt-BR: [Encontre.]\n  no: [Finn dem.]\n", encoding="utf-8")
    assert load(file, ["NER"], ["de", "pt", "no"])["NER"] == {
        "de": ("Finde sie.",),
        "pt": ("Encontre.",),
        "no": ("Finn dem.",),
    }
    with pytest.raises(ConfigError, match=r"no prompt for task NER in language 'fr' or 'en'; add"):
        load(file, ["NER"], ["fr"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("NER:\n  de: [a]\n", "no prompt for task NER in language 'en'; add a list of texts under it"),
        ("NER:\n  de: [a]\n  zh: [b]\n", "no prompt for task NER in language 'en'"),
        ("NER:\n  en: [a]\n  Chinese: [b]\n", "mine.yaml:3: the key is 'Chinese'; it must be a language code"),
        ("NER:\n  en: [a]\n  zh: [b]\n  zh-TW: [c]\n", "mine.yaml:4: 'zh-TW' and 'zh' are one language"),
        ("NER:\n  en: [a]\n  zh: []\n", "no prompt for task NER in language 'zh'"),
        ("NER:\n  en: [a]\n  zh:\n", "no prompt for task NER in language 'zh'"),
        ("RE:\n  en: [a]\n  zh: [b]\n", "no prompt for task NER in language 'en'"),
        ("NER:\n  en: [a, ' ']\n  zh: [b]\n", "NER.en must be a list of texts, none of them empty"),
        ("NER:\n  en: text\n  zh: [b]\n", "NER.en must be a list of texts"),
        ("NER:\n  zh: [b]\n  en: [1]\n", "mine.yaml:3: NER.en must be a list of texts"),
        ("\nner:\n  en: [a]\n", "mine.yaml:2: unknown task 'ner'; tasks are NER, RE"),
        ("- a\n", "mine.yaml:1: expected a mapping task → language → list of texts"),
        ("", "mine.yaml:1: expected a mapping task → language → list of texts"),
        ("NER:\n  en: [a\n  zh: [b]\n", "mine.yaml:3: invalid YAML"),
    ],
)
def test_an_invalid_file_is_refused(tmp_path, content, message):
    file = tmp_path / "mine.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(file, tasks=["NER"])
    assert str(error.value).startswith(f"{file}:") and message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_and_wrongly_encoded_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: No such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "gbk.yaml").write_bytes("NER: {zh: [实体]}".encode("gbk"))
    with pytest.raises(ConfigError, match=r"gbk\.yaml:1: invalid YAML"):
        load(tmp_path / "gbk.yaml")
