"""Tables that pass the fast checks: the profile must find no fault in any of them."""

import copy
import json
from dataclasses import replace
from hashlib import sha256

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.arrow import EXAMPLES, INSTRUCTIONS, instruction_schema
from schemas.example_id import ExampleId
from tests.validation import good
from tests.validation.cases import CASES
from tests.validation.corruption import with_optional_columns
from tests.validation.profiles import SPLIT_NUM
from validation import facts, faultless, faultless_examples, profile
from validation.suites import EXAMPLE_FAULTS, INSTRUCTION_FAULTS

SETS = {labels.task: labels for labels in good.label_sets()}
MAX_CHARS = 80


def groups(rows):
    """The rows of each task and split, as the instruct stage writes them."""
    by_table: dict[tuple, list] = {}
    for row in rows:
        by_table.setdefault((row["task"], row["split"]), []).append(row)
    return by_table.items()


def instruction_facts(rows, task):
    table = pa.Table.from_pylist(rows, schema=instruction_schema(rows[0]))
    return faultless.facts(table, SETS[task], SPLIT_NUM[task], 2)


def profile_finds_a_fault(rows, labels, size, ratio):
    table = pa.Table.from_pylist(rows, schema=instruction_schema(rows[0]))
    frame = profile.instructions_profile(table, [labels], {labels.task: size}, ratio)
    return bool(frame[list(INSTRUCTION_FAULTS)].to_numpy().any() or frame["id"].duplicated().any())


def example_facts(rows):
    """The facts of the rows of one split, if their labels are in the label sets too."""
    result = faultless_examples.facts(
        pa.Table.from_pylist(rows, schema=EXAMPLES), good.KEY, rows[0]["split"], MAX_CHARS
    )
    return result if result and faultless_examples.are_labels_known(result.labels, SETS) else None


def by_split(rows):
    splits: dict[str, list] = {}
    for row in rows:
        splits.setdefault(row["split"], []).append(row)
    return splits.values()


def test_facts_of_good_instructions_agree_with_the_profile():
    for (task, split), rows in groups(good.instructions()):
        result = instruction_facts(rows, task)
        frame = profile.instructions_profile(
            pa.Table.from_pylist(rows, schema=INSTRUCTIONS), good.label_sets(), SPLIT_NUM, 2
        )
        counted = (0, 0) if split == "test" else profile.negative_counts(frame)
        assert (result.rows, result.negatives, result.positives) == (len(rows), *counted)
        assert result.places.keys() == {f"{good.KEY}/{split}"}


@pytest.mark.parametrize("size", [-1, 1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("ratio", [0, 0.5, 1])
def test_batches_and_negatives_are_checked_like_in_the_profile(size, ratio):
    for (task, _), rows in groups(good.instructions()):
        result = faultless.facts(pa.Table.from_pylist(rows, schema=INSTRUCTIONS), SETS[task], size, ratio)
        assert (result is None) == profile_finds_a_fault(rows, SETS[task], size, ratio)


@pytest.mark.parametrize(
    ("task", "spoil"),
    [
        ("SPO", lambda label: replace(label, name=f"{label.name}.")),
        ("EE", lambda label: replace(label, roles=label.roles * 2)),
        ("EEA", lambda label: replace(label, roles=label.roles * 2)),
        ("KG", lambda label: replace(label, roles=label.roles * 2)),
    ],
)
def test_rows_that_match_an_invalid_label_set_have_no_facts(task, spoil):
    (rows,) = (rows for kind, rows in groups(good.instructions()) if kind == (task, "train"))
    labels = replace(SETS[task], labels=tuple(map(spoil, SETS[task].labels)))
    rows = [dict(row) for row in rows]
    for row in rows:
        prompt = json.loads(row["instruction"])
        for entry in prompt["schema"]:
            for roles in {"arguments", "attributes"} & entry.keys():
                entry[roles] *= 2
        row["instruction"] = json.dumps(prompt)
        if task == "SPO":
            for column in ("labels", "positives", "hard_negatives"):
                row[column] = [f"{name}." for name in row[column]]
    table = pa.Table.from_pylist(rows, schema=INSTRUCTIONS)
    assert faultless.facts(table, labels, SPLIT_NUM[task], 2) is None
    assert profile_finds_a_fault(rows, labels, SPLIT_NUM[task], 2)


def test_good_examples_have_facts():
    first, *_ = by_split(good.examples())
    result = example_facts(first)
    assert (result.rows, result.places) == (2, {f"{good.KEY}/train": ((0, -1), (1, -1))})
    assert ("events", "start job", "employer") in result.labels
    assert ("relations", "works for", "person", "organization") in result.labels
    assert all(example_facts(rows) for rows in by_split(good.examples()))


def test_prompts_with_a_blank_text_have_no_facts():
    ((task, _), rows), *_ = groups(good.instructions())
    blank = "\t\u3000"
    rows = [row | {"text_sha256": sha256(blank.encode()).hexdigest()} for row in rows]
    for row in rows:
        row["instruction"] = json.dumps(json.loads(row["instruction"]) | {"input": blank}, ensure_ascii=False)
    assert instruction_facts(rows, task) is None
    assert profile_finds_a_fault(rows, SETS[task], SPLIT_NUM[task], 2)


# A row with another key, task, source or split forms another group, which the writing stage never produces.
CORRUPTED = [case for case in CASES if case.corrupt and case.suite in ("examples", "instructions")]


def test_rows_with_messages_have_facts_and_rows_in_other_forms_have_none():
    for (task, split), rows in groups(with_optional_columns(good.instructions())):
        assert instruction_facts(rows, task)
        if split == "train":
            assert instruction_facts([row | {"form": "nan"} for row in rows], task) is None


@pytest.mark.parametrize("case", CORRUPTED, ids=str)
def test_rows_that_fail_a_suite_have_no_facts(case):
    rows = good.instructions() if case.suite == "instructions" else good.examples()
    kinds = [(row.get("task"), row["split"]) for row in rows]
    case.corrupt(rows)
    kinds += [(row.get("task"), row["split"]) for row in rows[len(kinds) :]]
    results = []
    for kind in dict.fromkeys(kinds):
        selected = [row for row, row_kind in zip(rows, kinds, strict=True) if row_kind == kind]
        if case.suite == "instructions":
            results.append(instruction_facts(selected, kind[0]))
        else:
            result = faultless_examples.facts(
                pa.Table.from_pylist(selected, schema=EXAMPLES), good.KEY, kind[1], MAX_CHARS
            )
            results.append(result if result and faultless_examples.are_labels_known(result.labels, SETS) else None)
    assert None in results


def test_two_answers_in_one_row_do_not_count_as_two_rows():
    (row,) = (row for row in good.instructions() if row["task"] == "RE" and row["split"] == "train")
    other = {name: row[name].replace("/train/0", "/train/1") for name in ("id", "example_id")}
    assert instruction_facts([row, row | other], "RE")
    twice = {"output": f"{row['output']}\n{row['output']}"}
    assert instruction_facts([row | twice, row | other | {"output": ""}], "RE") is None


PIECES = ['"', "[", "]", "{", "}", ", ", ": ", "\\", "a", "é", " ", "NAN", '"schema": [', '], "input": ']


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_changed_strings_with_facts_pass_the_profile(data):
    task, rows = data.draw(st.sampled_from([(task, rows) for (task, split), rows in groups(good.instructions())]))
    rows = copy.deepcopy(rows)
    row = data.draw(st.sampled_from(rows))
    column = data.draw(st.sampled_from(["instruction", "output", "label", "id", "example_id", "text_sha256"]))
    value = row[column] or ""
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, min(len(value), start + 3)))
    row[column] = value[:start] + data.draw(st.sampled_from(["", *PIECES])) + value[end:]
    assert_as_strict_as_the_profile(rows, task)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_changed_lists_with_facts_pass_the_profile(data):
    task, rows = data.draw(st.sampled_from([(task, rows) for (task, split), rows in groups(good.instructions())]))
    rows = copy.deepcopy(rows)
    row = data.draw(st.sampled_from(rows))
    names = st.sampled_from([*row["labels"], "city", "elsewhere"])
    for column in data.draw(st.sets(st.sampled_from(["labels", "positives", "hard_negatives"]), min_size=1)):
        row[column] = data.draw(st.lists(names, max_size=7))
    if data.draw(st.booleans()) and task in ("NER", "RE", "EET") and row["output"]:  # with a matching prompt and answer
        prompt = json.loads(row["instruction"])
        row["instruction"] = json.dumps(prompt | {"schema": row["labels"]}, ensure_ascii=False)
        row["output"] = json.dumps({label: [] for label in row["labels"]}, ensure_ascii=False)
    assert_as_strict_as_the_profile(rows, task)


def assert_as_strict_as_the_profile(rows, task):
    if instruction_facts(rows, task):
        assert not profile_finds_a_fault(rows, SETS[task], SPLIT_NUM[task], 2)


@settings(max_examples=300, deadline=None)
@given(st.text("ab é中😀", min_size=1, max_size=12), st.data())
def test_spans_have_facts_if_and_only_if_they_pass_the_profile(text, data):
    bound = st.integers(-1, len(text) + 1)
    start, end = data.draw(bound), data.draw(bound)
    string = data.draw(st.sampled_from([text[max(start, 0) : max(end, 0)], text, "a"]))
    more = data.draw(st.sampled_from([[], [[0, 1]]]))
    mention = {"text": string, "spans": [[start, end], *more]}
    before = good.example(0, text="中é before.", entities=[], relations=[])
    rows = [before, good.example(1, text=text, entities=[good.entity("city", mention)], relations=[])]
    frame = profile.examples_profile(pa.Table.from_pylist(rows, schema=EXAMPLES), SETS, MAX_CHARS)
    faults = frame[list(EXAMPLE_FAULTS)].to_numpy().any() or not text.strip()
    assert (example_facts(rows) is None) == faults


def test_facts_are_merged_unless_an_example_may_occur_twice():
    def shard_facts(first, last, **more):
        return facts.Facts(1, {"k/train": ((first, -1), (last, -1))}, **more)

    labels = (("entities", "city"),)
    assert facts.merge_facts(
        [shard_facts(0, 3, negatives=2, positives=1), shard_facts(5, 9, negatives=1, labels=labels)]
    ) == facts.Facts(2, {"k/train": ((0, -1), (9, -1))}, 3, 1, labels)
    assert facts.merge_facts([shard_facts(0, 3), shard_facts(3, 9)]) is None
    assert facts.merge_facts([shard_facts(0, 3), None]) is None
    assert facts.merge_facts([]) == facts.Facts(0, {})


def places(ids: list[str | None]):
    return facts.places(pa.array(ids, pa.string()))


def test_places_need_ids_of_one_split_in_order():
    assert places(["k/train/2", "k/train/10/0", "k/train/10/1"]) == {"k/train": ((2, -1), (10, 1))}
    assert places(["k/train/2", "k/train/2"]) is None
    assert places(["k/train/2", "k/test/3"]) is None
    assert places(["k/train/2", "j/train/3"]) is None
    assert places(["k/train/2", "k/train/"]) is None
    assert places(["k/train/2", "k/train/03"]) is None
    assert places(["k/2"]) is None
    assert places([]) is places([None, "k/train/2"]) is None


def by_number(numbers: list[int]) -> list[str]:
    return [f"k/train/{number}" for number in sorted(numbers)]


ids = st.builds(
    "{}/{}{}".format,
    st.sampled_from(["k/train", "k/train", "k/train", "k/test", "k", "k/train/1/train"]),
    st.integers(0, 12) | st.sampled_from(["", "x", "-1"]),
    st.sampled_from(["", "", "", "/0", "/1", "\n"]),
)


@given(st.lists(ids, max_size=4) | st.lists(st.integers(0, 99), min_size=1, unique=True).map(by_number))
def test_places_agree_with_the_parsed_ids(texts):
    parsed = [ExampleId.match(id_) for id_ in texts]
    expected = None
    if parsed and None not in parsed and len({one.prefix for one in parsed}) == 1:
        order = [(one.number, -1 if one.window is None else one.window) for one in parsed]
        expected = {parsed[0].prefix: (order[0], order[-1])} if order == sorted(set(order)) else None
    assert places(texts) == expected
