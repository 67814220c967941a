"""The pattern of the ADE corpus for amounts in sentences."""

import pytest

from pipelines.sources.datasets.ade_corpus import AMOUNT


@pytest.mark.parametrize(
    "text", ["Overdose of it.", "after two doses", "50 mg daily", "a 20-mg tablet", "0.5 microg/kg", "100 U of insulin"]
)
def test_sentences_with_an_amount_match(text):
    assert AMOUNT.search(text)


@pytest.mark.parametrize("text", ["Aged 24 years.", "Lidosed lupus.", "grade 3 mucositis", "in 12 girls", "Mg was low"])
def test_sentences_without_an_amount_do_not_match(text):
    assert not AMOUNT.search(text)
