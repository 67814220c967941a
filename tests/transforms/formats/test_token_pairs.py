"""Token numbers as mentions: spans in the joined text, blank tokens, several mentions, candidate labels."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, surface
from transforms.files import File
from transforms.formats.token_pairs import read, to_example

TOKENS = ["Ada", "\xa0", "Poe", "left", "\n\n", "Rye", "for", "Rye", "Bay"]


def ends(head: list[int], tail: list[int], tokens: list[str] = TOKENS) -> tuple[Mention, Mention] | BadRecord:
    example = to_example("a:1", tokens, [(head, tail, "P1")], {"P1"}, {"P1"})
    return example if isinstance(example, BadRecord) else (example.relations[0].head, example.relations[0].tail)


def test_blank_tokens_are_skipped():
    example = to_example("a:1", TOKENS, [([0, 1, 2], [5], "P1")], {"P1"}, {"P1"})
    assert example.text == "Ada Poe left Rye for Rye Bay"
    assert ends([0, 1, 2], [5]) == (Mention("Ada Poe", ((0, 7),)), Mention("Rye", ((13, 16),)))


@pytest.mark.parametrize(
    ("numbers", "text", "start"), [([7, 8], "Rye Bay", 21), ([5, 7, 8], "Rye", 13), ([8, 7, 3], "left", 8)]
)
def test_only_the_first_run_of_token_numbers_counts(numbers, text, start):
    assert ends([0], numbers)[1] == Mention(text, ((start, start + len(text)),))


@pytest.mark.parametrize("numbers", [[], [1], [4], [9], [-1], [-1, 0], [8, 9]])
def test_invalid_token_numbers_reject_the_sentence(numbers):
    assert ends([0], numbers).reason == Reason.OFFSET_MISMATCH
    assert ends(numbers, [0]).reason == Reason.OFFSET_MISMATCH


def test_candidate_labels_may_be_known_or_unknown():
    pairs = [([0], [5], "P1"), ([5], [0], "P2"), ([0], [7], "P1")]
    example = to_example("a:1", TOKENS, pairs, {"P1"}, {"P1", "P2"})
    assert [(relation.label, relation.tail.spans) for relation in example.relations] == [
        ("P1", ((13, 16),)),
        ("P1", ((21, 24),)),
    ]
    assert to_example("a:1", TOKENS, pairs, {"P3"}, {"P1", "P2", "P3"}) is None
    assert to_example("a:1", TOKENS, pairs, {"P1"}, {"P1"}).reason == Reason.UNKNOWN_LABEL


def test_json_lines_of_triplets(tmp_path):
    def triplet(label: str, tail: list[int]) -> dict:
        return {"tokens": TOKENS, "head": [0], "tail": tail, "label_id": label, "label": "name"}

    rows = [[triplet("P1", [5]), triplet("P2", [7])], [triplet("P2", [5])], [], [triplet("P9", [5])]]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"triplets": row}) + "\n" for row in rows))
    got = list(read([File(str(tmp_path / "a.jsonl"), "a.jsonl")], {"P1"}, {"P1", "P2"}))
    assert isinstance(got[0], RawExample) and [relation.label for relation in got[0].relations] == ["P1"]
    assert [(bad.place, bad.reason) for bad in got[1:]] == [
        ("a.jsonl:3", Reason.MISSING_FIELD),
        ("a.jsonl:4", Reason.UNKNOWN_LABEL),
    ]


@given(
    st.lists(st.sampled_from(["a", "Bo", "𝒳", " ", "\xa0", "é"]), min_size=1, max_size=8),
    st.lists(st.integers(-2, 9), max_size=4),
    st.lists(st.integers(-2, 9), max_size=4),
)
def test_mention_texts_match_their_spans(tokens, head, tail):
    example = to_example("a:1", tokens, [(head, tail, "P1")], {"P1"}, {"P1"})
    if isinstance(example, BadRecord):
        good = [n for n in (head, tail) if all(0 <= i < len(tokens) for i in n) and any(tokens[i].strip() for i in n)]
        assert len(good) < 2
        return
    assert "  " not in example.text
    for mention in (example.relations[0].head, example.relations[0].tail):
        assert mention.text.strip() and surface(example.text, mention.spans) == mention.text
        assert all(0 <= start < end <= len(example.text) for start, end in mention.spans)
