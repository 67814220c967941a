import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms import normal_forms
from transforms.normal_forms import normalize

MARKS = "\u0301\u0323\u0302\u0338\u3099\uff9e\u0344\u09be\u0f71"
CHARACTERS = st.sampled_from(
    f"{MARKS}aA e\u1ec7\u00e9\u1112\u1161\u11ab\uac00\uff8a\u30cf\uff21\ufb01\uf900天😀\u09c7\u0fb2"
)


@settings(max_examples=300)
@given(st.lists(CHARACTERS, max_size=60).map("".join), st.integers(1, 8), st.sampled_from(["NFC", "NFKC"]))
def test_normalised_parts_equal_the_normalised_whole(text, part, form):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normal_forms, "PART", part)
        assert normalize(form, text) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_a_letter_with_many_combining_marks(form):
    text = "x" + "e\u1ec7" + "\u0301\u0323" * 1_500 + "y" * 2_000
    assert normalize(form, text) == unicodedata.normalize(form, text)
