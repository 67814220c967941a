"""The rows of GIDS: underscores of names become blanks, and the text ends with a marker."""

import pytest

from pipelines.sources.datasets.gids import SOURCE
from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample
from transforms.files import File


def read_rows(tmp_path, *rows: str) -> list[RawExample | BadRecord]:
    (tmp_path / "dev.tsv").write_text("\n".join(rows), newline="")
    return list(SOURCE.forms[0].read([File(str(tmp_path / "dev.tsv"), "dev.tsv")]))


def row(head: str, tail: str, text: str, label: str = "NA") -> str:
    return f"/m/1\t/m/2\t{head}\t{tail}\t{label}\t{text}"


@pytest.mark.parametrize(
    ("head", "tail", "written", "text", "mentions"),
    [
        ("Ada_Poe", "Rye,_Kent", "Ada_Poe left Rye,_Kent.", "Ada Poe left Rye, Kent.", ("Ada Poe", "Rye, Kent")),
        ("Ada_Poe_", "Rye", "Ada_Poe_ left Rye.", "Ada Poe left Rye.", ("Ada Poe", "Rye")),
        ("Rye", "Rye_Bay", "Rye is not Rye_Bay", "Rye is not Rye Bay", ("Rye", "Rye Bay")),
        (
            "Rye_Bay",
            "Rye_Bay_Inn",
            "The Rye_Bay_Inn at Rye_Bay",
            "The Rye Bay Inn at Rye Bay",
            ("Rye Bay", "Rye Bay Inn"),
        ),
        ("A_/_B", "C", "C: A_/_B, x.org/a_b", "C: A / B, x.org/a_b", ("A / B", "C")),
    ],
)
def test_underscores_of_the_two_names_become_blanks(tmp_path, head, tail, written, text, mentions):
    (example,) = read_rows(tmp_path, row(head, tail, f"{written} ###END### "))
    assert example.text == text
    (relation,) = example.relations
    assert (relation.head, relation.tail) == tuple(map(Mention, mentions))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row("Ada", "Rye", "Ada left Rye."), Reason.BROKEN_RECORD),
        (row("Ada", "Rye", "Ada left Rye. ###EN"), Reason.BROKEN_RECORD),
        ("/m/1\t/m/2\tAda\tRye\tNA", Reason.WRONG_COLUMNS),
    ],
)
def test_a_broken_row_is_rejected_alone(tmp_path, line, reason):
    fine = row("Ada", "Rye", "Ada left Rye. ###END###")
    good, bad, last = read_rows(tmp_path, fine, line, fine)
    assert good.text == last.text == "Ada left Rye."
    assert (bad.place, bad.reason) == ("dev.tsv:2", reason)
