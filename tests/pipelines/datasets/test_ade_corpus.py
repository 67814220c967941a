"""What of the ADE corpus is no matter of its file format."""

import pytest

from pipelines.sources.datasets.ade_corpus import AMOUNT


@pytest.mark.parametrize(
    "text", ["Overdose of it.", "after two doses", "50 mg daily", "a 20-mg tablet", "0.5 microg/kg", "100 U of insulin"]
)
def test_sentences_that_speak_of_an_amount(text):
    assert AMOUNT.search(text)


@pytest.mark.parametrize("text", ["Aged 24 years.", "Lidosed lupus.", "grade 3 mucositis", "in 12 girls", "Mg was low"])
def test_sentences_that_do_not(text):
    assert not AMOUNT.search(text)
