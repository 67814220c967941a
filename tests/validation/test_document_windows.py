"""The windows of a document, compared with its text."""

import pytest

from validation.document_windows import is_torn

TEXT = "Ada sailed. Bo stayed.\nCy came back. Di left."


@pytest.mark.parametrize(
    ("windows", "torn"),
    [
        ([(0, "Ada sailed. Bo stayed."), (1, "Cy came back. Di left.")], False),
        ([(0, "Ada sailed. Bo stayed."), (1, "Cy came back. Di left."), (2, "Bo stayed.\nCy came back.")], False),
        ([(0, "Ada sailed."), (2, "Di left.")], False),
        ([(1, "Cy came back.")], False),
        ([(0, "Ada sailed."), (1, "Cy came back. Di left.")], True),
        ([(0, "Ada sailed. Bo stayed."), (1, "Ada sailed.")], True),
        ([(0, "Ada sailed. Bo stays.")], True),
        ([(1, "Cy comes back.")], True),
    ],
)
def test_only_missing_windows_leave_text_out(windows, torn):
    assert is_torn(TEXT, windows, max_chars=30) == torn


def test_a_short_document_has_no_windows():
    windows = [(0, "Ada sailed. Bo stayed."), (1, "Cy came back. Di left.")]
    assert is_torn(TEXT, windows, max_chars=len(TEXT)) and not is_torn(TEXT, windows, max_chars=len(TEXT) - 1)
