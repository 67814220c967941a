"""Phrases: English text in HTML that a page can show in another language; every page has the words of all languages."""

import json
import re
from html import unescape

import pytest

from tests.conftest import ROOT
from transforms.pages.document import document
from transforms.pages.phrases import LANGUAGES, Phrasebook, element, html, read, visible

FOLDERS = sorted(path.parent for path in ROOT.glob("*/**/words.en.json"))
say = Phrasebook(
    {
        "en": {
            "rows": {"one": "{n} row of {source}", "other": "{n} rows of {source}"},
            "mean": "mean over <all> `sources`",
            "column.rows": "rows",
            "page.without_script": "only this",
        }
    }
)


def test_a_phrase_is_its_english_text_and_keeps_its_key_and_values():
    phrase = say("rows", n=1234, source=say("mean"))
    assert phrase == "1,234 rows of mean over <all> `sources`"
    assert say("rows", n=1, source="a") == "1 row of a"
    (parts,) = re.findall('data-parts="(.*?)"', html(phrase))
    assert json.loads(unescape(parts)) == {"n": 1234, "source": {"key": "mean", "parts": {}}}


def test_text_is_escaped_and_code_is_marked():
    assert html(say("mean")) == '<span data-say="mean">mean over &lt;all&gt; <code>sources</code></span>'
    assert html(say("rows", n=2, source="`a`<")).endswith(">2 rows of `a`&lt;</span>")  # a value has no code
    assert html(say("rows", n=2, source=say("mean"))).endswith(
        "2 rows of mean over &lt;all&gt; <code>sources</code></span>"
    )
    assert html("<b> `c`") == "&lt;b&gt; `c`"
    assert element("td", "<b>", "class=n") == "<td class=n>&lt;b&gt;</td>"
    assert say("rows", n=2, source='"<').label("title").startswith('title="2 rows of &quot;&lt;" data-say-title="rows"')


def test_a_name_does_not_change_the_direction_of_the_words_beside_it():
    assert visible("a\u202eevil") == r"a\u202eevil" and visible("\u200b") == r"\u200b"
    assert visible("נמל") == "\u2068נמל\u2069" and visible("港口 <b>") == "港口 <b>" and visible("") == ""
    assert visible(phrase := say("mean")) is phrase


def test_a_column_without_words_has_its_name():
    assert say.columns("rows", "F1") == ["rows", "F1"] and say.columns("rows")[0].key == "column.rows"


def test_data_cannot_end_its_block():
    page = document(say("mean"), ["body"], say.words, data={"text": "</script><script>alert(1)</script>"})
    assert page.count("<script") == 3 and "alert(1)</script>" not in page


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_language_has_all_words_with_the_same_values(folder):
    def values(entry: str | dict[str, str]) -> dict[str, list[str]]:
        forms = {"": entry} if isinstance(entry, str) else entry
        return {form: sorted(set(re.findall(r"\{\w+\}|`[^`]*`", text))) for form, text in forms.items()}

    words = read(folder)
    for lang in LANGUAGES:
        assert {key: values(entry) for key, entry in words[lang].items()} == {
            key: values(entry) for key, entry in words["en"].items()
        }
        assert "page.language" in words[lang]
    assert {path.name for path in folder.glob("words.*")} == {f"words.{lang}.json" for lang in LANGUAGES}


def test_pages_have_words():
    assert {str(folder.relative_to(ROOT)) for folder in FOLDERS} == {
        "hard_negatives/templates",
        "pipelines/report/templates",
        "train/scoring/templates",
        "validation/templates",
    }


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder.parts[-2] != "report"], ids=str)
def test_every_word_is_used(folder):
    """In the code of its package: by its key, or by the beginning of its key before a value."""
    package = ROOT / folder.relative_to(ROOT).parts[0]
    code = "".join(path.read_text("utf-8") for suffix in ("py", "js") for path in package.rglob(f"*.{suffix}"))
    begun = set(re.findall(r"""say\([^"'`]*f?["'`]([a-z_]+\.)\$?\{""", code)) | {"column."}
    used = set(re.findall(r"""["']([a-z_]+(?:\.[a-z_0-9]+)*)["']""", code)) | {"page.language", "page.without_script"}
    assert {key for key in read(folder)["en"] if key not in used and not key.startswith(tuple(begun))} == set()
