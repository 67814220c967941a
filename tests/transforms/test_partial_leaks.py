"""Partial leaks: the candidates of the index and the rules that decide on them, compared with all pairs of texts."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.anchors import FEWEST_BYTES
from transforms.leak_index import LeakIndex, TextHashes
from transforms.partial_leaks import ComparedText, LeakKind, LeakRules, is_leak
from transforms.scripts import tokens
from transforms.shingles import folded

RULES = LeakRules(words=10, jaccard=0.8)
SENTENCE = "The old harbour of Brevik was closed to all larger ships in the spring of that year."
CHINESE = "这座老港口在那一年的春天对所有较大的船只关闭了。"


def kinds(text: str, other: str) -> list[str]:
    return [str(kind) for kind in LeakKind if is_leak(ComparedText(text), ComparedText(other), kind, RULES)]


@pytest.mark.parametrize(
    ("text", "other", "expected"),
    [
        (SENTENCE, SENTENCE.upper().replace(" ", "  "), ["equal"]),
        (SENTENCE, f"It rained. {SENTENCE} Nobody complained.", ["contained"]),
        (f"It rained. {SENTENCE}", "the old harbour of Brevik was closed to all larger ships", ["contained"]),
        (SENTENCE, f"{SENTENCE} Yes.", ["contained", "near"]),
        (SENTENCE, SENTENCE.replace("The old", "An old"), ["near"]),
        (SENTENCE, SENTENCE.replace("closed", "opened"), []),
        (CHINESE, f"据说，{CHINESE}没有人抱怨。", ["contained"]),
        (f"{CHINESE}人们等待着。", f"{CHINESE}人们等待着", ["contained", "near"]),
        (CHINESE, CHINESE.replace("这座", "那座"), ["near"]),
        (CHINESE, CHINESE.replace("春天", "冬日"), []),
        ("", SENTENCE, ["contained"]),  # too short, which the index knows
    ],
)
def test_kinds_of_leaks(text, other, expected):
    assert kinds(text, other) == kinds(other, text) == expected


def candidates(index: LeakIndex, texts: list[str]) -> dict[str, set[tuple[int, int]]]:
    hashes = TextHashes.from_texts(texts, RULES)
    sources = {"contained": index.contained(hashes), "near": index.near(hashes)}
    return {
        kind: {pair for numbers, rows in parts for pair in zip(numbers.tolist(), rows.tolist(), strict=True)}
        for kind, parts in sources.items()
    }


def long_enough(text: str) -> bool:
    return len(tokens(folded(text))) >= RULES.words and len(ComparedText(text).squeezed) >= FEWEST_BYTES


WORDS = st.lists(st.sampled_from(("harbour", "ship", "Brevik", ",", "the", "港口", "关闭", "春天")), max_size=14).map(
    " ".join
)


@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(WORDS, min_size=1, max_size=4), st.data())
def test_every_contained_text_is_a_candidate(tests, texts, data):
    texts += [f"{data.draw(WORDS)}{text}{data.draw(WORDS)}" for text in tests]
    tests += [f"{data.draw(WORDS)} {text} {data.draw(WORDS)}" for text in texts]
    index = LeakIndex.build(tests, np.arange(len(tests)), RULES)
    pairs = candidates(LeakIndex.from_bytes(index.to_bytes()), texts)
    for number, text in enumerate(texts):
        for row, test in enumerate(tests):
            if long_enough(text) and long_enough(test) and "contained" in kinds(text, test):
                assert (number, row) in pairs["contained"]
            if not (long_enough(text) and long_enough(test)):
                assert (number, row) not in pairs["contained"] | pairs["near"]


def planted(random: Random, count: int, letters: bool) -> list[list[str]]:
    vocabulary = [chr(code) for code in range(0x4E00, 0x5600)] if letters else [f"w{n}" for n in range(5_000)]
    return [random.choices(vocabulary, k=random.randint(40, 120)) for _ in range(count)]


@pytest.mark.parametrize("letters", [False, True], ids=["words", "letters"])
def test_near_texts_are_candidates(letters):
    random, blank = Random(1), "" if letters else " "
    originals = planted(random, 400, letters)
    tests, texts = [], []
    for words in originals:
        changed = list(words)
        # So many changed words at the end leave a Jaccard index of about 0.8
        for place in range(len(words) // 10):
            changed[-1 - place] = words[place]
        tests.append(blank.join(words))
        texts.append(blank.join(changed))
    index = LeakIndex.build(tests, np.arange(len(tests)), RULES)
    pairs = candidates(index, texts)["near"]
    similar = {(number, number) for number in range(len(texts)) if "near" in kinds(texts[number], tests[number])}
    assert len(similar) > 200
    assert len(similar & pairs) >= 0.98 * len(similar)
    assert len(pairs) < 2 * len(texts)


def test_texts_of_one_template_do_not_make_a_text_hang():
    """10,000 test texts that differ in one name: the rarest anchor of each has the name."""
    random = Random(2)
    names = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=12)) for _ in range(10_000)]
    tests = [f"The patient was admitted to the ward of Doctor {name} with pain in the lower abdomen." for name in names]
    index = LeakIndex.build(tests, np.arange(len(tests)), RULES)
    document = " ".join(["It was a quiet week.", *tests[:50], "Nothing else is known."])
    pairs = candidates(index, [document])["contained"]
    assert {(0, row) for row in range(50)} <= pairs and len(pairs) < 500


def test_texts_without_words_are_not_compared():
    texts = ["", "Yes .", "😀" * 500, "- - - " * 50, "a b c d e f g h i j k", "\u200d" * 100]
    index = LeakIndex.build(texts, np.arange(len(texts)), RULES)
    assert not len(index.rows)
    assert candidates(index, [SENTENCE, *texts]) == {"contained": set(), "near": set()}
