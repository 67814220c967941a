"""Rows for training: none is truncated, the loss is on the answer, weights are exact, no text is in both parts."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigError
from tests.train.conftest import ner_row, write_rows
from train import chat
from train.tuning import recipe, rows
from transforms.settings import Settings


@pytest.fixture(scope="module")
def tokenizer(tiny_base):
    return chat.load_tokenizer(tiny_base)


@pytest.fixture(scope="module")
def tokenised(tokenizer, rows_file):
    def tokenise(data=rows_file, max_length=2048, **settings) -> rows.Rows:
        content = {"model": "m", "output": "o", "data": data, "validation_share": 0, **settings}
        return rows.tokenize(recipe.check(Settings(content)), tokenizer, max_length, seed=42)

    return tokenise


def answers(tokenizer, result) -> list[str]:
    """The part of each row that the loss is on."""
    return [
        tokenizer.decode([i for i, learnt in zip(row["input_ids"], row["completion_mask"], strict=True) if learnt])
        for row in result
    ]


@pytest.mark.parametrize("streaming", [False, True])
def test_the_loss_is_on_the_answer_and_its_end(tokenizer, tokenised, streaming):
    result = tokenised(streaming=streaming)
    assert sorted(answers(tokenizer, result.train)) == sorted(ner_row(n)["output"] + "</s>" for n in range(24))
    assert result.validation is None and next(iter(result.train)).keys() == set(rows.COLUMNS)


@pytest.mark.parametrize("streaming", [False, True])
def test_long_rows_are_left_out_and_counted(tokenizer, tokenised, streaming):
    lengths = [len(chat.example(tokenizer, row["instruction"], row["output"])[0]) for row in map(ner_row, range(24))]
    border = sorted(lengths)[11]
    result = tokenised(max_length=border, streaming=streaming)
    assert sorted(len(row["input_ids"]) for row in result.train) == sorted(n for n in lengths if n <= border)
    assert result.counts.too_long == sum(n > border for n in lengths) > 0  # of a stream: known once it has been read
    if not streaming:
        assert result.counts.tokens == sum(n for n in lengths if n <= border)


def test_a_corpus_without_rows_left_is_refused(tokenised):
    with pytest.raises(ConfigError, match=r"no row is left to train on \(24 were longer than max_length 5\)"):
        tokenised(max_length=5)


def test_all_negative_rows_are_balanced_by_source(tokenizer, tokenised):
    # 24 rows: every third is all-negative. weather: 0, 5, 10, 15, 20, of which 0 and 15; harbour: 19, of which 6
    full, none, half = (tokenised(max_negative_ratio=ratio) for ratio in (None, 0, 0.4))
    assert (full.counts.train, none.counts.train) == (24, 16)
    assert (half.counts.train, half.counts.negatives_cut) == (16 + 1 + 5, 2)
    kept = Counter(answers(tokenizer, none.train))
    assert kept == Counter(ner_row(n)["output"] + "</s>" for n in range(24) if n % 3)


def test_balancing_a_stream_is_refused(tokenised):
    with pytest.raises(ConfigError, match="max_negative_ratio: needs all rows to be counted first"):
        tokenised(streaming=True, max_negative_ratio=1)


@pytest.mark.parametrize("streaming", [False, True])
def test_weights_multiply_and_whole_numbers_are_exact(tokenised, streaming):
    result = tokenised(weights={"NER": 2, "weather": 0}, streaming=streaming)
    assert sum(1 for _ in result.train) == 2 * 19


def test_a_weight_for_an_unknown_source_is_refused(tokenised):
    with pytest.raises(ConfigError, match="no task or source harbor; did you mean harbour"):
        tokenised(weights={"harbor": 2})


@given(st.floats(0, 4), st.integers(0, 9))
def test_a_weight_is_a_rate(weight, seed):
    table = {"task": ["NER"] * 400, "source": ["x"] * 400, "instruction": [f"{n}" for n in range(400)]}
    seen = Counter(rows._weighted(table, {"x": weight}, seed))
    assert all(int(weight) <= seen[place] <= int(weight) + 1 for place in range(400))
    assert abs(seen.total() / 400 - weight) < 0.12
    assert rows._weighted(table, {"x": weight}, seed) == sorted(seen.elements())


def test_no_text_is_in_both_parts_and_no_row_is_lost(tokenizer, tokenised, tmp_path):
    """Each text has two rows, like the batches of a text."""
    twice = []
    for number in range(60):
        row = ner_row(number)
        other = json.loads(row["instruction"]) | {"schema": ["place"]}
        twice += [row, {**row, "instruction": json.dumps(other), "output": '{"place": []}'}]
    result = tokenised(data=write_rows(tmp_path / "rows.json", twice), validation_share=0.3)

    def texts(part) -> Counter:
        prompts = (tokenizer.decode(row["input_ids"]).split("### Answer")[0] for row in part)
        return Counter(prompt.rsplit('"input": ', 1)[1] for prompt in prompts)

    train, validation = texts(result.train), texts(result.validation)
    assert not train.keys() & validation.keys() and (train + validation).total() == 120
    assert 5 < len(validation) < 35 and set((train + validation).values()) == {2}


def test_the_validation_split_of_the_corpus_is_used(tokenised, tmp_path):
    data = write_rows(tmp_path / "r.json", [ner_row(n, "validation" if n < 8 else "train") for n in range(24)])
    result = tokenised(data=data, validation_share=0.5, max_validation_rows=5)
    assert (result.counts.train, result.counts.validation) == (16, 5)


def test_a_row_without_output_is_refused(tokenised, tmp_path):
    row = {key: value for key, value in ner_row(1).items() if key != "output"}
    with pytest.raises(ConfigError, match=r"row .*: no output, so nothing can be learnt from it"):
        tokenised(data=write_rows(tmp_path / "rows.json", [row]))


@pytest.mark.parametrize("streaming", [False, True])
def test_rows_with_a_token_that_cannot_be_text_are_left_out(tiny_base, tmp_path, streaming):
    from tokenizers.normalizers import Replace

    named = [json.loads(json.dumps(ner_row(n)).replace("sailed", "sailed </s>")) for n in range(24)]
    content = {"model": "m", "output": "o", "data": write_rows(tmp_path / "rows.jsonl", named), "validation_share": 0}
    content |= {"streaming": streaming}
    whole = rows.tokenize(recipe.check(Settings(content)), chat.load_tokenizer(tiny_base), 2048, seed=42)
    assert len(list(whole.train)) == 24 and whole.counts.special == 0
    tokenizer = chat.load_tokenizer(tiny_base)
    tokenizer.backend_tokenizer.normalizer = Replace("\ue000", "")
    result = rows.tokenize(recipe.check(Settings(content)), tokenizer, 2048, seed=42)
    assert len(list(result.train)) == 8 and result.counts.special == 16 and result.counts.too_long == 0


@pytest.mark.parametrize(
    ("form", "output", "expected"),
    [
        (None, '{"a": [], "b": {}}', True),
        (None, "{}", True),
        (None, '{"a": [], "b": ["x"]}', False),
        (None, "[]", False),
        (None, "none of them", False),
        (None, '{"a": ' + "[" * 100_000, False),
        (None, '{"a": ' + "9" * 5000 + "}", False),
        ("nan", '{"a": "NAN"}', True),
        ("triples", "[]", True),
        ("sentences", "NAN", True),
        ("sentences", '"a": "b" → "c"', False),
    ],
    ids=range(11),
)
def test_all_negative_answers_are_recognized(form, output, expected):
    assert rows.is_all_negative({"task": "RE", "form": form, "output": output}) is expected
