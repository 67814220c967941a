"""What a terminal is shown of a message that quotes somebody's file."""

import os
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import printable
from tests.conftest import ROOT

BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("train.txt:3: 没有标签 'Œuvre' 👩‍🚒", "train.txt:3: 没有标签 'Œuvre' 👩‍🚒"),
        ("two\r\nlines\u2028or\x85more", r"two\r\nlines\u2028or\x85more"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("\x9b31mred", r"\x9b31mred"),
        ("evil\u202egpj.exe", r"evil\u202egpj.exe"),
        ("b\udce4d", r"b\udce4d"),
        ("column\tcolumn\0\x7f", r"column\tcolumn\x00\x7f"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped_and_all_else_stays(text, shown):
    assert printable(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_every_text_is_one_line_that_can_be_encoded(text):
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not set(shown) & set(BIDIRECTIONAL)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in shown)
    shown.encode()
    assert printable(shown) == shown


def test_stdout_shows_any_text_in_any_locale():
    code = "from schemas.errors import escape_on_stdout as escape; escape(); print('\\u6ca1\\u6709 \\xe9 \\udce4')"
    ascii_locale = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=ascii_locale, capture_output=True, check=True)
    assert shown.stdout == b"\\u6ca1\\u6709 \\xe9 \\udce4\n"
