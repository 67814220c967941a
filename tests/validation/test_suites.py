"""Every expectation of every suite: a corrupted row of good output fails this expectation alone and is reported."""

import json

import pytest

from tests.validation import good
from tests.validation.cases import ARROWS, CASES, TRIPLE, VARIANTS
from tests.validation.corruption import EET, KG, RE, in_form
from tests.validation.profiles import FRAMES
from validation.check import check, failure_lines
from validation.suites import SUITES

GRAPH = json.dumps(
    [
        {"head": head, "head_type": "person", "relation": "works for", "tail": tail}
        for head, tail in (("Anna Berg", "Nordlys"), ("Kalle Lund", "Nordlys"), ("Kalle Lund", "it"))
    ]
)


@pytest.mark.parametrize("suite", SUITES)
def test_good_output_passes(suite):
    make_output, make_frame = FRAMES[suite]
    frame = make_frame(make_output())
    result = check(suite, frame)
    assert failure_lines([result]) == []
    assert result.rows == len(frame) > 0


@pytest.mark.parametrize(
    ("number", "form", "output", "prompt"),
    [
        (RE, "triples", f"[{TRIPLE}]", None),
        (RE, "sentences", '"works for": "Anna Berg" → "Nordlys"', ARROWS),
        (EET, "nan", '{"start job": ["joined"], "end job": "NAN"}', None),
        (EET, "spans", '{"start job": ["joined"], "end job": []}', None),
        (KG, "triples", GRAPH, None),
    ],
)
def test_good_output_in_another_form_passes(number, form, output, prompt):
    rows = good.instructions()
    in_form(number, form, output, prompt)(rows)
    assert failure_lines([check("instructions", FRAMES["instructions"][1](rows))]) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_corrupted_row_is_named(case):
    make_output, make_frame = FRAMES[case.suite]
    output = make_output()
    if case.corrupt:
        case.corrupt(output)
    frame = make_frame(output)
    if case.corrupt_frame:
        frame = case.corrupt_frame(frame)
    result = check(case.suite, frame)
    failed = [(e.name, e.column, e.unexpected, e.examples) for e in result.expectations if not e.success]
    assert failed == [(case.name, case.column, case.count, case.ids)]


@pytest.mark.parametrize("case", VARIANTS, ids=str)
def test_a_corrupted_row_has_one_fault(case):
    make_output, make_frame = FRAMES[case.suite]
    output = make_output()
    case.corrupt(output)
    frame = make_frame(output).set_index("id")
    zeros = [rule.column for rule in SUITES[case.suite].rules if rule.settings.get("max_value") == 0]
    faults = frame[zeros].stack()
    assert faults[faults != 0].index.tolist() == [(case.ids[0], case.column)]


def test_every_expectation_has_a_corruption():
    known = {(suite.name, rule.name, rule.column) for suite in SUITES.values() for rule in suite.rules}
    assert {(case.suite, case.name, case.column) for case in CASES} == known
    assert len(known) == sum(len(suite.rules) for suite in SUITES.values()), "two rules share name and column"
