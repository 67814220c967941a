"""The suite of instructions accepts described and masked rows of every task, and the fast checks pass no wrong one."""

import pytest

from schemas.answer_form import FORMS
from tests.described import described_tables
from transforms.batches import SPLIT_NUM
from validation import faultless, profile
from validation.suites import INSTRUCTION_FAULTS


@pytest.mark.parametrize("forms", [{"iepile": 1.0}, dict.fromkeys(FORMS, 1 / len(FORMS))], ids=["iepile", "all forms"])
def test_described_rows_have_no_faults(small, forms):
    tasks = set()
    for table, labels, _ in described_tables(small, forms=forms):
        frame = profile.instructions_profile(table, [labels], SPLIT_NUM, 2.0)
        assert not frame[list(INSTRUCTION_FAULTS)].to_numpy().any(), labels.key
        tasks.add(labels.task)
        result = faultless.facts(table, labels, SPLIT_NUM[labels.task], 2.0)
        assert result is not None and result.rows == table.num_rows, labels.key
    assert tasks == {"NER", "RE", "SPO", "EE", "EET", "EEA", "KG"}
