"""The time to train the tiny tokenizer does not depend on the length of words."""

import random
import time

from train import tiny


def test_a_text_without_spaces_is_trained_on_in_seconds():
    letters = random.Random(0)
    text = "".join(letters.choice("abcdefghijkl") for _ in range(250_000))
    started = time.process_time()
    trained = tiny.tokenizer([text], 600)
    assert time.process_time() - started < 20
    assert trained.decode(trained(text[:999])["input_ids"]) == text[:999]
