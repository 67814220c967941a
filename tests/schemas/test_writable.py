"""Rejects can be written whatever bytes their file contains."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import rejects_to_table
from schemas.errors import BadRecord, Reason, Reject, writable

lone = st.text(st.characters(categories=["Cs", "Ll", "Lo", "Zs"]))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zürich", "Zürich"),
        (b"caf\xe9.txt".decode("utf-8", "surrogateescape"), r"caf\xe9.txt"),
        ("\ud83d", r"\ud83d"),
        ("\udfff\udc7f", r"\udfff\udc7f"),
    ],
)
def test_lone_surrogates_are_escaped(text, shown):
    assert writable(text) == shown


@given(lone, lone, lone)
def test_any_reject_can_be_written(place, detail, identifier):
    record = BadRecord(place, Reason.NOT_UTF8, detail)
    assert (record.place, record.detail) == (writable(place), writable(detail))
    at = "ingest", identifier, "train", identifier, place
    table = rejects_to_table([Reject(*at, Reason.NOT_UTF8, detail, record=detail)])
    assert table.to_pylist() == [
        {
            "stage": "ingest",
            "source": writable(identifier),
            "split": "train",
            "id": writable(identifier),
            "place": record.place,
            "reason": "not_utf8",
            "detail": record.detail,
            "twin": "",
            "record": record.detail,
        }
    ]
