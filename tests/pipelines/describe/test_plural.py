"""Numbers with nouns in the lines of commands."""

import re

import pytest

from pipelines import exporting
from pipelines.describe.plural import counted
from tests.conftest import ROOT
from transforms.writers import fit, forms, predicted

KINDS = [kind for name, kind in vars(fit).items() if name.isupper() and isinstance(kind, str) and name != "END"]
KINDS += [forms.UNANNOTATED, forms.WITHOUT_ROW, predicted.UNREAD, exporting.WITHOUT_ANSWER]


def test_one_is_singular():
    shown = [counted(number, "entities in text") for number in (0, 1, 2, 1000)]
    assert shown == ["0 entities in text", "1 entity in text", "2 entities in text", "1,000 entities in text"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_loss_has_a_singular(kind):
    assert counted(1, kind) != f"1 {kind}" and counted(2, kind) == f"2 {kind}"


def test_every_noun_of_the_code_has_a_singular():
    """Of the phrases that are written at the call; others come from the tables of the writers."""
    for path in [*ROOT.glob("pipelines/**/*.py"), *ROOT.glob("pipelines/**/*.md")]:
        for phrase in re.findall(r"""counted\((?:[^()"']|\([^()]*\))*["']([^"']+)["']\)""", path.read_text("utf-8")):
            assert counted(1, phrase).startswith("1 "), path
