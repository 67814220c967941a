"""Sentences of the code that the report shows and translates: notes on a user's own data, details of rejects."""

from pathlib import Path

import msgspec

from transforms.pages.phrases import Words

SENTENCES = Path(__file__).parent / "templates/sentences.zh.json"


def sentence_words() -> dict[str, Words]:
    """Language → English sentence, or a part of one, → the text in this language.

    The tables of a build have the English text. One that is not here is shown as it is.
    """
    chinese = msgspec.json.decode(SENTENCES.read_bytes(), type=dict[str, str])
    return {"en": {sentence: sentence for sentence in chinese}, "zh": dict(chinese)}
