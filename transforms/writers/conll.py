"""CoNLL columns: one word per line, a tab, and its tag in BIO (IOB2); a blank line after each text."""

from schemas.example import Example
from transforms import scripts
from transforms.writers.fit import CUT, Counts
from transforms.writers.words import tags, words


def block(example: Example, counts: Counts) -> str:
    """`counts`: gets the number of words that are cut because a mention starts or ends inside them."""
    spans = words(example)
    counts[CUT] += len(spans) - len(scripts.token_spans(example.text))
    lines = (
        f"{example.text[start:end]}\t{tag}\n" for (start, end), tag in zip(spans, tags(example, spans), strict=True)
    )
    return "".join(lines) + "\n"


def respell(label: str) -> str:
    """A label as it can stand in a column: line breaks and tabs become blanks, and none stand at its ends."""
    return " ".join(label.replace("\t", " ").splitlines()).strip() or "_"
