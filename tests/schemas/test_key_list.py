"""Lists of keys in one flag: any key survives, and plain lists mean what users expect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import key_list
from schemas.errors import ConfigError

KEYS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=12)


@given(st.lists(KEYS | st.sampled_from(["a,b", '"', "-x", " x", "a\nb", "\r", "Orr, J (2024) notes"]), min_size=1))
def test_any_keys_survive_joining_and_splitting(keys):
    text = key_list.join(keys)
    assert key_list.split(text, "--sources") == keys
    assert not text.startswith("-")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("conll2003,scierc", ["conll2003", "scierc"]),
        ('"Orr, J (2024) notes",conll2003', ["Orr, J (2024) notes", "conll2003"]),
        ('6" guns', ['6" guns']),
        ("a, b", ["a", "b"]),
        ('a, "b, c"', ["a", "b, c"]),
    ],
)
def test_values_that_users_type(text, keys):
    assert key_list.split(text, "--sources") == keys


@pytest.mark.parametrize("text", ['"a', '"a"b', "a\nb", "", ",", "a,", '""', "a,,b"])
def test_wrong_quotes_and_empty_names_are_errors_with_the_flag(text):
    with pytest.raises(ConfigError, match="--sources"):
        key_list.split(text, "--sources")
