"""Words of a text, cut at mentions, and their tags."""

import json
from collections import Counter

import pytest

from schemas.example import Entity, Example, Mention
from transforms.writers import conll, fit, spacy
from transforms.writers.words import gliner_words, tags, words

TEXT = "Non-toxic aspirin/药物 हिन्दी  e\u0301tat 1.5\nmg"


def example(text: str, *spans: tuple[int, int, str]) -> Example:
    entities = tuple(Entity(label, Mention(text[start:end], ((start, end),))) for start, end, label in spans)
    return Example("k/train/0", "K", "train", "en", text, ("NER",), entities, None, None)


def strings(item: Example, *split) -> list[str]:
    return [item.text[start:end] for start, end in words(item, *split)]


def test_words_have_their_marks_and_letters_of_scripts_without_blanks_stand_alone():
    assert " ".join(strings(example(TEXT))) == "Non - toxic aspirin / 药 物 हिन्दी e\u0301tat 1 . 5 mg"


def test_words_of_gliner_have_hyphens():
    assert strings(example(TEXT[:20]), gliner_words) == ["Non-toxic", "aspirin", "/", "药", "物"]


def test_words_are_cut_at_mentions():
    assert strings(example("unhappily so", (2, 7, "x"), (5, 12, "y"))) == ["un", "hap", "pi", "ly", "so"]


@pytest.mark.parametrize(("scheme", "expected"), [("BIO", "B-x I-x B-x B-y O"), ("BILUO", "B-x L-x U-x U-y O")])
def test_adjacent_mentions_stay_apart(scheme, expected):
    item = example("a b c d e", (0, 3, "x"), (4, 5, "x"), (6, 7, "y"))
    assert tags(item, words(item), scheme) == expected.split()


def test_a_block_of_columns():
    assert conll.block(example("Bo ate.", (0, 2, "the person")), Counter()) == "Bo\tB-the person\nate\tO\n.\tO\n\n"
    assert conll.respell(" a\tb\n") == "a b"


def test_tokens_of_spacy_are_the_whole_text():
    item = example("  Ada \n Marrow ate", (2, 14, "person"))
    (paragraph,) = spacy.row(item, 0)["paragraphs"]
    tokens = paragraph["sentences"][0]["tokens"]
    assert "".join(token["orth"] + token["space"] for token in tokens) == item.text
    assert [token["ner"] for token in tokens] == ["O", "B-person", "I-person", "L-person", "O"]
    assert json.dumps(paragraph["entities"]) == '[[2, 14, "person"]]'


@pytest.mark.parametrize(
    ("text", "mention", "cuts"),
    [
        ("Asun Espoossa.", (5, 10), 1),
        ("Asun Espoo.", (5, 10), 0),
        ("在北京站", (1, 3), 0),
        ("삼성전자의 폰", (0, 4), 1),
    ],
)
def test_words_that_are_cut_in_columns_are_counted(text, mention, cuts):
    start, end = mention
    counts = Counter()
    conll.block(example(text, (start, end, "x")), counts)
    assert counts[fit.CUT] == cuts
