"""Licence texts → the Hub's identifiers and what they ask."""

import pytest

from pipelines import citations
from pipelines.licences import Terms, by_terms, identifiers, terms
from pipelines.sources import keys, load


@pytest.mark.parametrize(
    "licence, text, names, asks",
    [
        ("gated", "CC BY 4.0", ["other"], Terms.FORBIDDEN),
        ("ask", "copies state Apache-2.0 without the owners' word", ["unknown"], Terms.UNSTATED),
        ("open", "MIT; CC BY-NC-SA 4.0", ["cc-by-nc-sa-4.0", "mit"], Terms.NON_COMMERCIAL_SHARE_ALIKE),
        ("open", "CC BY-NC 4.0", ["cc-by-nc-4.0"], Terms.NON_COMMERCIAL),
        ("open", "Apache-2.0; the text is Wikipedia's (CC BY-SA)", ["apache-2.0"], Terms.SHARE_ALIKE),
        ("open", "cc-by-4.0", ["cc-by-4.0"], Terms.ATTRIBUTION),
        ("open", "CC0 1.0", ["cc0-1.0"], Terms.AS_STATED),
        ("open", "US Government work, public domain notice", ["other"], Terms.AS_STATED),
    ],
)  # fmt: skip
def test_what_a_text_says(licence, text, names, asks):
    about = {"licence": licence, "licence_text": text}
    assert (identifiers(about), terms(about)) == (names, asks)


def test_the_strictest_come_first():
    about = {
        "a": {"licence": "open", "licence_text": "MIT"},
        "b": {"licence": "gated", "licence_text": ""},
        "c": {"licence": "open", "licence_text": "MIT"},
    }
    assert list(by_terms(about).items()) == [(Terms.FORBIDDEN, ["b"]), (Terms.ATTRIBUTION, ["a", "c"])]


def test_every_source_has_a_bibtex_entry():
    assert {load(key).citation for key in keys()} <= citations.entries().keys()


def test_every_entry_is_whole():
    text = citations.BIBLIOGRAPHY.read_text(encoding="utf-8")
    assert text.count("\n@") + 1 == len(citations.entries())
    for key, entry in citations.entries().items():
        assert entry.count("{") == entry.count("}"), key
        assert citations.value(key, "author") and citations.value(key, "title"), key


def test_short_forms():
    assert citations.short("roth2004linear") == "Roth and Yih 2004"
    assert citations.short("luan2018scierc") == "Luan et al. 2018"
    assert citations.short("gui2023instructie") == "Gui et al. 2023"
    assert citations.short("bosonnlp2015ner") == "BosonNLP"
    assert citations.short("") == ""
