"""A bounded run of the fuzzer over all readers, and tests of the fuzzer itself."""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import fuzz
from benchmarks.mutations import MUTATIONS, Nested, as_json, mutated
from pipelines import sources


def test_readers_survive_mutated_files(tmp_path, capsys):
    code = fuzz.main(["--variants", "400", "--failures", str(tmp_path)])
    report = capsys.readouterr().out
    assert code == 0, report
    assert report.startswith("variants 400, ") and report.endswith(", failures 0\n")


def test_every_form_of_every_source_is_a_case():
    by_folder = fuzz.cases([*sources.keys(), fuzz.USER_DATA])
    seen = {(case.key, case.form) for cases in by_folder.values() for case in cases}
    assert seen == {(key, form) for key in sources.keys() for form in range(len(sources.load(key).forms))} | {
        (fuzz.USER_DATA, -1)
    }
    assert all(case.files for cases in by_folder.values() for case in cases)


def test_unchanged_cases_are_read_without_a_fault(tmp_path):
    for number, case in enumerate(
        case for cases in fuzz.cases(["boson", "phee", fuzz.USER_DATA]).values() for case in cases
    ):
        outcome = fuzz.run_case(case, number, tmp_path / str(number))
        assert outcome.failure is None, outcome.failure
        assert outcome.examples or case.form > 0


def test_a_variant_is_the_same_on_every_run():
    by_folder = fuzz.cases(["conll2003", "casie"])
    again = fuzz.cases(["conll2003", "casie"])
    for number in range(30):
        case = fuzz.variant(by_folder, 7, number)
        assert case == fuzz.variant(again, 7, number)
    assert fuzz.variant(by_folder, 7, 0) != fuzz.variant(by_folder, 8, 0)


def test_an_exception_is_a_failure_with_its_place_and_input(tmp_path):
    case = fuzz.Case("conll2003", 99, "train", (("a/train.txt", b"\xff"),))  # the source has no form 99
    outcome = fuzz.run_case(case, 3, tmp_path)
    assert outcome.failure[0].startswith("IndexError at benchmarks/fuzz.py:")
    fuzz.keep(outcome, tmp_path / "kept")
    assert (tmp_path / "kept/3/files/a/train.txt").read_bytes() == b"\xff"
    assert "IndexError" in (tmp_path / "kept/3/failure.txt").read_text(encoding="utf-8")


@given(st.binary(max_size=60), st.integers(0, 10**6))
def test_mutations_of_any_bytes_are_reproducible(data, seed):
    assert mutated(data, Random(seed)) == mutated(data, Random(seed))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_mutations_change_a_row_of_json_and_of_columns(mutation):
    for data in (b'{"text": "Ada left.", "entity": [{"start": 0}]}\n' * 3, b"Ada B-PER\nleft O\n\n<e1>a</e1> 7\n"):
        assert any(mutation(data, Random(seed)) != data for seed in range(20))


def test_nested_values_are_written_to_their_depth():
    text = as_json({"a": Nested(5), "b": [Nested(2)]}, Random(0)).decode()
    assert json.loads(text) == {"a": [[[[[]]]]], "b": [[[]]]}
