import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigError
from schemas.example import LAYER, Entity, Event, Example, Mention, Relation
from schemas.label import Label, named_roles, typed_label
from tests import rows
from tests.specification import asking
from tests.specification.asking import Batch
from transforms import prompts
from transforms.ask import AskOptions
from transforms.batches import cut

ROOT = Path(__file__).resolve().parents[2]
L12 = tuple(Label(name) for name in "ABCDEFGHIJKL")
UNCUT = AskOptions(negative_ratio=inf)

A = Mention("a")
MADE = {
    "entities": lambda name: Entity(name, A),
    "relations": lambda name: Relation(name, A, A),
    "events": lambda name: Event(name, A),
}
PROMPTS = prompts.load()


def ask(
    example_id: str,
    split: str,
    task: str,
    labels: Sequence[Label],
    positives: Collection[str],
    dictionary: Mapping[str, Sequence[str]] | None,
    options: AskOptions,
) -> tuple[list[Batch], int]:
    """The batches of a text with these positive labels, and how many all-negative batches are left out."""
    layer, make = LAYER[task], MADE[LAYER[task]]
    prompt_labels = labels
    if task == "KG":
        make = lambda name: Relation("r", A, A, name)  # noqa: E731
        prompt_labels = [replace(label, roles=named_roles(("r",))) for label in labels]
    layers = dict.fromkeys(MADE) | {layer: tuple(map(make, positives))}
    example = Example(example_id, "Made", split, "en", "a", (task,), **layers)
    made, dropped = rows.instructions(example, task, prompt_labels, dictionary, PROMPTS, options)
    by_name = {label.name: label for label in labels}
    batches = [Batch(tuple(map(by_name.get, row.labels)), row.positives, row.hard_negatives) for row in made]
    return batches, dropped


label_sets = st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=40, unique=True)


@st.composite
def questions(draw):
    """(labels, positives, dictionary or None): a dictionary may lack labels and may have other labels."""
    names = draw(label_sets)
    positives = draw(st.sets(st.sampled_from(names), max_size=6))
    values = st.lists(st.sampled_from(names) | st.text(max_size=3), max_size=5)
    dictionary = draw(st.none() | st.dictionaries(st.sampled_from(names) | st.text(max_size=3), values, max_size=10))
    return tuple(Label(name) for name in sorted(names)), positives, dictionary


def names(batches: list[Batch]) -> list[str]:
    return [label.name for batch in batches for label in batch.labels]


def sizes(count: int, size: int) -> list[int]:
    return [len(batch) for batch in cut([Label(str(n)) for n in range(count)], size)]


@pytest.mark.parametrize(
    ("count", "size", "expected"),
    [
        (0, 4, []),
        (1, 4, [1]),
        (3, 4, [3]),
        (4, 4, [4]),
        (5, 4, [5]),
        (6, 4, [4, 2]),
        (7, 4, [4, 3]),
        (9, 4, [4, 5]),
        (13, 4, [4, 4, 5]),
        (2, 6, [2]),
        (8, 6, [8]),
        (9, 6, [6, 3]),
        (14, 6, [6, 8]),
        (3, 1, [1, 1, 1]),
        (5, 2, [2, 2, 1]),
        (7, 3, [3, 3, 1]),
        (7, -1, [7]),
        (0, -1, []),
    ],
)
def test_batch_sizes(count, size, expected):
    assert sizes(count, size) == expected


@given(st.integers(0, 200), st.integers(1, 12))
def test_every_batch_but_the_last_is_full(count, size):
    got = sizes(count, size)
    least = max(1, size // 2)
    assert sum(got) == count
    assert all(n == size for n in got[:-1])
    if len(got) > 1:
        assert least <= got[-1] < size + least
    rest = count % size
    if count > size and 0 < rest < least:
        assert got[-1] == size + rest


def test_a_repeated_predicate_moves_to_the_next_batch():
    labels = [typed_label(*parts.split()) for parts in ("a p x", "a q x", "b p x", "a r x", "a s x", "a t x", "b q x")]
    p1, q1, p2, r, s, t, q2 = labels
    # The third label repeats p and is deferred. s fills the batch, and the next batch begins with the deferred label.
    assert cut(labels, 4) == [[p1, q1, r, s], [p2, t, q2]]
    # With one predicate, no two labels share a batch, and the last batch is not merged.
    assert cut([p1, p2], 4) == [[p1], [p2]]
    # With -1 there are as many batches as the most frequent predicate has labels.
    assert cut(labels, -1) == [[p1, q1, r, s, t], [p2, q2]]
    # A last batch of one label is merged if its predicate is new there, and kept otherwise.
    assert cut([p1, q1, r, s, t], 4) == [[p1, q1, r, s, t]]
    assert cut([p1, q1, r, s, p2], 4) == [[p1, q1, r, s], [p2]]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("pqrstu"), st.sampled_from("xyz")), unique=True),
    st.sampled_from([-1, 1, 2, 4, 6]),
)
def test_each_typed_triple_is_in_one_batch(triples, size):
    labels = [typed_label(*triple) for triple in triples]
    batches = cut(labels, size)
    assert sorted(label.name for batch in batches for label in batch) == sorted(label.name for label in labels)
    assert all(len({label.predicate for label in batch}) == len(batch) for batch in batches)
    limit = len(labels) if size == -1 else size + max(1, size // 2) - 1
    for number, batch in enumerate(batches):
        assert 0 < len(batch) <= max(limit, 1)
        later = {label.predicate for rest in batches[number + 1 :] for label in rest}
        if size != -1 and len(batch) < size:  # a short batch has every predicate that is left
            assert later <= {label.predicate for label in batch}


@given(questions(), st.sampled_from(["NER", "RE", "EE", "KG"]), st.sampled_from(["train", "validation"]), st.integers())
def test_labels_in_train_and_validation_prompts(question, task, split, seed):
    labels, positives, dictionary = question
    every = {label.name for label in labels}
    batches, dropped = ask("made/train/0", split, task, labels, positives, dictionary, AskOptions(negative_ratio=inf))
    got = names(batches)
    size = {"NER": 6, "RE": 4, "EE": 4, "KG": 1}[task]
    assert len(got) == len(set(got)) and set(got) <= every
    assert positives <= set(got)
    hard = {value for p in positives for value in (dictionary or {}).get(p, [])} & every - positives
    assert dropped == 0
    if not positives:
        assert len(got) == min(size, len(every)) and len(batches) == 1
    elif dictionary is None:
        assert set(got) == every
    else:
        other = every - positives - hard
        assert hard <= set(got)
        assert len(set(got) & other) == min(size, len(other))
    assert [len(batch.labels) for batch in batches] == sizes(len(got), size)
    for batch in batches:
        batch_labels = [label.name for label in batch.labels]
        assert batch.positives == tuple(name for name in batch_labels if name in positives)
        assert batch.hard_negatives == tuple(name for name in batch_labels if name in hard)


@given(questions(), st.sampled_from(["NER", "RE", "EET"]), st.sampled_from([0, 0.5, 1, 2, 3.0]))
def test_negative_ratio_limits_all_negative_batches(question, task, ratio):
    labels, positives, dictionary = question
    whole, none = ask("made/train/0", "train", task, labels, positives, dictionary, UNCUT)
    kept, dropped = ask("made/train/0", "train", task, labels, positives, dictionary, AskOptions(negative_ratio=ratio))
    with_positive = [batch for batch in whole if batch.positives]
    assert [batch for batch in kept if batch.positives] == with_positive
    assert sorted(name for batch in kept for name in batch.positives) == sorted(positives)
    assert len(kept) + dropped == len(whole) + none
    assert [batch for batch in whole if batch in kept] == kept
    limit = int(ratio * len(with_positive)) if positives else 1
    assert len(kept) - len(with_positive) == min(limit, len(whole) + none - len(with_positive))
    lost = [batch for batch in whole if batch not in kept]
    if any(batch.hard_negatives for batch in lost):  # batches with hard negatives are dropped last
        assert all(batch.positives or batch.hard_negatives for batch in kept)


def test_cut_batches_are_counted():
    # 12 labels in batches of 4, one positive label, no dictionary: 1 batch with the positive label, 2 without.
    batches, dropped = ask("made/train/0", "train", "RE", L12, {"C"}, None, AskOptions(negative_ratio=1))
    assert (len(batches), dropped) == (2, 1)
    batches, dropped = ask("made/train/0", "train", "RE", L12, {"C"}, None, AskOptions(negative_ratio=0))
    assert (len(batches), dropped) == (1, 2)
    assert "C" in names(batches)


def test_all_negative_batches_with_hard_negatives_are_cut_last():
    dictionary = {"A": ["B", "C"]}
    for n in range(20):
        options = AskOptions(split_num={"RE": 1}, negative_ratio=2)
        batches, dropped = ask(f"made/train/{n}", "train", "RE", L12, {"A"}, dictionary, options)
        assert sorted(names(batches)) == ["A", "B", "C"] and dropped == 1  # not one of the 9 other labels


def test_examples_without_positive_labels_get_one_batch():
    batches, dropped = ask("made/train/0", "train", "NER", L12, set(), {"A": ["B"]}, AskOptions())
    assert [len(batch.labels) for batch in batches] == [6] and dropped == 0
    assert batches[0].positives == batches[0].hard_negatives == ()
    batches, dropped = ask("made/train/0", "train", "NER", L12, set(), None, AskOptions(labels_without_positive=3))
    assert [len(batch.labels) for batch in batches] == [3] and dropped == 0
    batches, dropped = ask("made/train/0", "train", "RE", L12, set(), None, AskOptions(labels_without_positive=10))
    assert len(batches) == 1 and dropped == 2
    batches, dropped = ask("made/train/0", "train", "RE", L12, set(), None, AskOptions(labels_without_positive=-1))
    assert [len(batch.labels) for batch in batches] == [4] and dropped == 2
    kept = {
        frozenset(names(ask(f"made/train/{n}", "train", "NER", L12, set(), None, AskOptions())[0])) for n in range(20)
    }
    assert len(kept) > 10  # not always the same subset


def test_prompts_have_hard_negatives_and_other_labels():
    dictionary = {"A": ["B", "C", "no such label", "A", "D"], "D": ["E"]}
    batches, _ = ask("made/train/0", "train", "RE", L12, {"A", "D"}, dictionary, UNCUT)
    got = names(batches)
    assert {"A", "B", "C", "D", "E"} < set(got) and len(got) == 9  # A D, B C E, and 4 of the 7 other labels
    assert sorted(name for batch in batches for name in batch.hard_negatives) == ["B", "C", "E"]
    # A label that is not in the dictionary has no hard negatives.
    batches, _ = ask("made/train/0", "train", "RE", L12, {"K"}, dictionary, UNCUT)
    assert len(names(batches)) == 5 and not any(batch.hard_negatives for batch in batches)


def test_negative_share_applies_without_a_dictionary():
    batches, _ = ask("made/train/0", "train", "RE", L12, {"A", "B"}, None, AskOptions(negative_share=0.3))
    assert len(names(batches)) == 5  # 2 positives and 3 of 10 negatives
    batches, _ = ask("made/train/0", "train", "RE", L12, {"A", "B"}, None, AskOptions(negative_share=0))
    assert sorted(names(batches)) == ["A", "B"]


def test_split_num_minus_one_gives_one_batch():
    options = AskOptions(split_num={"RE": -1})
    batches, dropped = ask("made/train/0", "train", "RE", L12, {"A"}, {"A": ["B"]}, options)
    assert [len(batch.labels) for batch in batches] == [12] and dropped == 0
    batches, dropped = ask("made/train/0", "train", "RE", L12, set(), {"A": ["B"]}, options)
    assert [len(batch.labels) for batch in batches] == [12] and dropped == 0


@given(questions(), st.sampled_from(["NER", "RE", "EE", "EET", "KG"]))
def test_test_rows_ask_every_label_sorted(question, task):
    labels, positives, dictionary = question
    batches, dropped = ask("made/test/0", "test", task, labels, positives, dictionary, AskOptions(negative_ratio=0))
    assert names(batches) == [label.name for label in labels] and dropped == 0
    assert sorted(name for batch in batches for name in batch.positives) == sorted(positives)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_eea_asks_the_positive_types_only(split):
    batches, dropped = ask("made/x/0", split, "EEA", L12, {"A", "F", "G"}, {"A": ["B", "C"]}, AskOptions())
    assert sorted(names(batches)) == ["A", "F", "G"] and dropped == 0
    assert not any(batch.hard_negatives for batch in batches)
    assert ask("made/x/0", split, "EEA", L12, set(), None, AskOptions()) == ([], 0)


def test_labels_are_sorted_or_shuffled():
    options = AskOptions(order="sorted", negative_ratio=inf)
    batches, _ = ask("made/train/0", "train", "RE", L12, {"K"}, None, options)
    assert names(batches) == list("ABCDEFGHIJKL")
    orders = {tuple(names(ask(f"made/train/{n}", "train", "RE", L12, {"K"}, None, UNCUT)[0])) for n in range(20)}
    assert len(orders) == 20
    assert len({order.index("K") // 4 for order in orders}) == 3  # the positive label may be in any batch


def test_validation_batches_equal_train_batches():
    question = ("made/train/5", "RE", L12, {"A", "L"}, {"A": ["B"]})
    rows = [ask(question[0], split, *question[1:], AskOptions()) for split in ("train", "validation")]
    assert rows[0] == rows[1]


@given(questions(), st.randoms(use_true_random=False))
def test_input_order_does_not_change_the_batches(question, random):
    labels, positives, dictionary = question
    expected = ask("made/train/0", "train", "RE", labels, positives, dictionary, AskOptions())
    shuffled, given_positives = list(labels), sorted(positives)
    random.shuffle(shuffled)
    random.shuffle(given_positives)
    turned = None if dictionary is None else {p: values[::-1] for p, values in reversed(dictionary.items())}
    assert ask("made/train/0", "train", "RE", shuffled, given_positives, turned, AskOptions()) == expected


def test_python_hash_seed_does_not_change_the_batches():
    program = (
        "from tests.transforms.test_ask import *\n"
        "L = [Label(f'label {n}') for n in range(50)]\n"
        "K = {f'label {n}': [f'label {(n * 7 + k) % 60}' for k in range(5)] for n in range(0, 50, 2)}\n"
        "for n in range(30):\n"
        "    P = {f'label {(n * 11 + k) % 50}' for k in range(n % 5)}\n"
        "    print(ask(f'made/train/{n}', 'train', 'RE', L, P, K if n % 2 else None, AskOptions()))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1 and len(outputs.pop()) > 1000


def test_seed_example_and_task_change_the_draw():
    def first(example_id, task, seed):
        return names(ask(example_id, "train", task, L12, set(), None, AskOptions(seed=seed))[0])

    base = first("made/train/0", "RE", 0)
    assert base != first("made/train/1", "RE", 0)
    assert base != first("made/train/0", "EE", 0)
    assert base != first("made/train/0", "RE", 1)


def test_a_positive_label_outside_the_label_set_is_an_error():
    with pytest.raises(ValueError, match=r"made/train/9: M, N not in the RE label set"):
        ask("made/train/9", "train", "RE", L12, {"N", "A", "M"}, None, AskOptions())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split_num": {"RE": 0}}, "split_num.RE is 0; it must be -1 or at least 1"),
        ({"split_num": {"XX": 4}}, "a task of split_num is 'XX'"),
        ({"order": "random"}, "order is 'random'; it must be shuffled or sorted"),
        ({"negative_ratio": -1}, "negative_ratio is -1; it must be at least 0"),
        ({"negative_share": 1.5}, "negative_share is 1.5; it must be from 0 to 1"),
        ({"labels_without_positive": 0}, "labels_without_positive is 0"),
        ({"forms": {"iepile": 0.7, "nan": 0.2}}, "the shares of forms sum to 0.9; they must sum to 1"),
        ({"forms": {}}, "the shares of forms sum to 0; they must sum to 1"),
        ({"forms": {"iepile": 1.5, "nan": -0.5}}, "forms.iepile is 1.5; it must be from 0 to 1"),
        ({"forms": {"xml": 1}}, "a form of forms is 'xml'; it must be one of iepile, nan"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ConfigError) as error:
        AskOptions(**options)
    assert message in str(error.value)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("pqrs"), st.sampled_from("xyz")), unique=True),
    st.sampled_from([-1, 1, 2, 3, 4, 6]),
)
def test_batches_equal_the_specification(triples, size):
    labels = [typed_label(*triple) for triple in triples]
    assert cut(labels, size) == asking.cut(labels, size)
