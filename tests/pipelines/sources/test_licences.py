"""Licence texts are mapped to identifiers of the Hub and to terms of use."""

import pytest

from pipelines.describe import citations
from pipelines.sources import keys, load
from pipelines.sources.licences import Terms, by_terms, identifiers, licence_class, terms
from tests.manifests import source_facts


@pytest.mark.parametrize(
    "licence, text, names, expected_terms",
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
def test_identifiers_and_terms_of_bundled_sources(licence, text, names, expected_terms):
    about = source_facts(licence=licence, licence_text=text)
    assert (identifiers(about), terms(about)) == (names, expected_terms)


@pytest.mark.parametrize(
    "text, names, expected_terms",
    [
        ("MIT", ["mit"], Terms.ATTRIBUTION),
        ("MIT License", ["mit"], Terms.ATTRIBUTION),
        ("Apache-2.0", ["apache-2.0"], Terms.ATTRIBUTION),
        ("Apache License, Version 2.0", ["apache-2.0"], Terms.ATTRIBUTION),
        ("BSD-3-Clause", ["bsd-3-clause"], Terms.ATTRIBUTION),
        ("CC-BY-4.0", ["cc-by-4.0"], Terms.ATTRIBUTION),
        ("CC BY 4.0", ["cc-by-4.0"], Terms.ATTRIBUTION),
        ("cc by 4.0 International", ["cc-by-4.0"], Terms.ATTRIBUTION),
        ("Creative Commons Attribution 4.0", ["cc-by-4.0"], Terms.ATTRIBUTION),
        ("Creative Commons Attribution 4.0 International License", ["cc-by-4.0"], Terms.ATTRIBUTION),
        ("https://creativecommons.org/licenses/by/4.0/", ["cc-by-4.0"], Terms.ATTRIBUTION),
        ("CC BY", ["other"], Terms.ATTRIBUTION),
        ("CC-BY-SA-3.0", ["cc-by-sa-3.0"], Terms.SHARE_ALIKE),
        ("cc_by_sa 3.0", ["cc-by-sa-3.0"], Terms.SHARE_ALIKE),
        ("CC BY-NC 4.0", ["cc-by-nc-4.0"], Terms.NON_COMMERCIAL),
        ("Creative Commons Attribution-NonCommercial 4.0", ["cc-by-nc-4.0"], Terms.NON_COMMERCIAL),
        ("cc-by-nc-sa-4.0", ["cc-by-nc-sa-4.0"], Terms.NON_COMMERCIAL_SHARE_ALIKE),
        ("CC BY NC SA 4.0", ["cc-by-nc-sa-4.0"], Terms.NON_COMMERCIAL_SHARE_ALIKE),
        ("Creative Commons Attribution Non-Commercial Share-Alike v4.0", ["cc-by-nc-sa-4.0"],
         Terms.NON_COMMERCIAL_SHARE_ALIKE),
        ("http://creativecommons.org/licenses/by-nc-sa/4.0/legalcode", ["cc-by-nc-sa-4.0"],
         Terms.NON_COMMERCIAL_SHARE_ALIKE),
        ("CC0", ["cc0-1.0"], Terms.AS_STATED),
        ("CC0-1.0", ["cc0-1.0"], Terms.AS_STATED),
        ("CC0 1.0 Universal", ["cc0-1.0"], Terms.AS_STATED),
        ("ODbL", ["odbl"], Terms.SHARE_ALIKE),
        ("ODbL-1.0", ["odbl"], Terms.SHARE_ALIKE),
        ("ODC-BY-1.0", ["odc-by"], Terms.ATTRIBUTION),
        ("PDDL-1.0", ["pddl"], Terms.AS_STATED),
        ("GPL-3.0-or-later", ["gpl-3.0"], Terms.SHARE_ALIKE),
        ("MIT OR Apache-2.0", ["apache-2.0", "mit"], Terms.ATTRIBUTION),
        ("MIT; CC BY-SA 4.0", ["cc-by-sa-4.0", "mit"], Terms.SHARE_ALIKE),
        ("open", ["other"], Terms.AS_STATED),
    ],
)  # fmt: skip
def test_clear_open_licences_of_user_data(text, names, expected_terms):
    assert licence_class(text) == "open"
    about = source_facts(licence_text=text)
    assert (identifiers(about), terms(about)) == (names, expected_terms)


@pytest.mark.parametrize(
    "text",
    ["", "none stated", "MIT, says a copy", "CC", "CC BY-ND 4.0", "Creative Commons Attribution-NoDerivs 4.0",
     "CC BY 4.0; ask the owners", "free for research", "public", "not MIT", "MIT and more", "4.0", "the license"],
)  # fmt: skip
def test_unclear_licences_of_user_data_are_ask(text):
    assert licence_class(text) == "ask"


@pytest.mark.parametrize("text", ["open", "ask", "gated"])
def test_licence_classes_of_user_data(text):
    assert licence_class(text) == text


def test_the_strictest_terms_come_first():
    about = {
        "a": source_facts(licence_text="MIT"),
        "b": source_facts(licence="gated"),
        "c": source_facts(licence_text="MIT"),
    }
    assert list(by_terms(about).items()) == [(Terms.FORBIDDEN, ["b"]), (Terms.ATTRIBUTION, ["a", "c"])]


def test_every_source_has_a_bibtex_entry():
    assert {load(key).citation for key in keys()} <= citations.entries().keys()


def test_bibtex_entries_are_complete():
    text = citations.BIBLIOGRAPHY.read_text(encoding="utf-8")
    assert text.count("\n@") + 1 == len(citations.entries())
    for key, entry in citations.entries().items():
        assert entry.count("{") == entry.count("}"), key
        assert citations.value(key, "author") and citations.value(key, "title"), key


def test_short_forms_of_citations():
    assert citations.short("roth2004linear") == "Roth and Yih 2004"
    assert citations.short("luan2018scierc") == "Luan et al. 2018"
    assert citations.short("gui2023instructie") == "Gui et al. 2023"
    assert citations.short("bosonnlp2015ner") == "BosonNLP"
    assert citations.short("") == ""
