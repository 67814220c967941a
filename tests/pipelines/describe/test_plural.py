"""Numbers with nouns in the lines of commands."""

import pytest

from pipelines import exporting
from pipelines.describe.plural import counted
from transforms.writers import fit, forms, predicted

KINDS = [kind for name, kind in vars(fit).items() if name.isupper() and isinstance(kind, str) and name != "END"]
KINDS += [forms.UNANNOTATED, forms.WITHOUT_ROW, predicted.UNREAD, exporting.WITHOUT_ANSWER]


def test_one_is_singular():
    shown = [counted(number, "entities without offsets") for number in (0, 1, 2, 1000)]
    assert shown == [
        f"{number} without offsets" for number in ("0 entities", "1 entity", "2 entities", "1,000 entities")
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_loss_has_a_singular(kind):
    assert counted(1, kind) != f"1 {kind}" and counted(2, kind) == f"2 {kind}"
