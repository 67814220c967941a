"""The theme of a Chinese paragraph of an encyclopaedia whose subject is not in the knowledge graph.

A list of nouns (`theme_cues.yaml`) and a few patterns decide where they apply: the definition ("是一座钟楼"), then
the end of the name, then other clauses. Otherwise, a naive Bayes classifier over the characters of the name decides. It
is trained on names of items of each theme.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from math import log
from pathlib import Path

import msgspec

from transforms import yaml_values

CUES = Path(__file__).with_name("theme_cues.yaml")
PERSON, CREATURE, WORK = "人物", "生物", "作品"

MAX_NOUN, MAX_NAME, OPENING = 7, 20, 120
"""Lengths in characters: of a noun, of a name, and of the opening in which a scientific name is looked for."""

BRACKETS = re.compile(r"[（(][^（）()]*[）)]")
CLAUSES, SENTENCES = re.compile("[，、]"), re.compile("[。；\n]")
COPULA = re.compile("是|为|指|属")
NAME = re.compile(r"《[^》]+》|[^（(，,。；:：、是为在於于位]+")
LIFE = re.compile(r"[（(][^（）()]*(?:\d{3,4}年[^（）()]*[－—–-]|出生|[－—–-][^（）()]*\d{3,4}年|本名)[^（）()]*[）)]")
FAMILY = re.compile(
    "出生|丈夫|妻子|儿子|女儿|父亲|母亲|结婚|离婚|恋爱|相恋|长子|次子|享年|去世|逝世|病逝|弟弟|哥哥|姐姐|妹妹|祖父"
)
TAXON = re.compile("学名|[科属](?:的|下的?|中的|植物)?(?:其中)?(?:一|之)个?(?:种|变种|属)|[纲目科属]动物")


@cache
def nouns() -> dict[str, str]:
    """Noun → theme."""
    by_theme = msgspec.convert(yaml_values.read(CUES, "restore it"), dict[str, str])
    themes: dict[str, str] = {}
    for theme, words in by_theme.items():
        for word in words.split():
            themes.setdefault(word, theme)
    return themes


class Names:
    """A multinomial naive Bayes classifier of names over n-grams of one to three characters, with uniform priors."""

    SMOOTHING = 0.1

    def __init__(self, names: Iterable[tuple[str, str]]):
        """`names`: (name, theme)."""
        self.counts: dict[str, Counter] = {}
        for name, theme in names:
            self.counts.setdefault(theme, Counter()).update(ngrams(name))
        size = len(set().union(*self.counts.values()))
        self.totals = {
            theme: sum(counts.values()) + self.SMOOTHING * size for theme, counts in sorted(self.counts.items())
        }

    def classify(self, name: str) -> str | None:
        """The likeliest theme; of equally likely ones the first by name; None without training data."""
        grams = ngrams(name)
        return max(self.totals, key=lambda theme: self.likelihood(grams, theme), default=None)

    def likelihood(self, grams: list[str], theme: str) -> float:
        counts, total = self.counts[theme], self.totals[theme]
        return sum(log((counts[gram] + self.SMOOTHING) / total) for gram in grams)


def ngrams(name: str) -> list[str]:
    """The n-grams of a name with marks for its start and end."""
    marked = f"^{name}$"
    return [marked[at : at + length] for length in (1, 2, 3) for at in range(len(marked) - length + 1)]


def opening_name(text: str) -> str:
    """What a paragraph starts with, up to the first punctuation or verb: usually the name of its subject."""
    match = NAME.match(text)
    return match[0][:MAX_NAME].strip("《》") if match else text[:MAX_NAME]


def classify(text: str, names: Names) -> tuple[str | None, str]:
    """(theme, the rule that decided)."""
    if text.startswith("《"):
        return WORK, "title in brackets"
    if TAXON.search(text[:OPENING]):
        return CREATURE, "scientific name"
    life = LIFE.search(text)
    if life and life.start() <= MAX_NAME and "年" not in text[: life.start()]:
        return PERSON, "dates of life"
    sentences = [CLAUSES.split(sentence) for sentence in SENTENCES.split(BRACKETS.sub("", text))]
    for clause in sentences[0]:
        if COPULA.search(clause) and (theme := last_noun(clause)):
            return theme, "definition"
    name = opening_name(text)
    if theme := last_noun(name[1:]):
        return theme, "end of the name"
    for clause in (clause for sentence in sentences[:2] for clause in sentence):
        if theme := last_noun(clause, shortest=2):
            return theme, "other clause"
    if len(FAMILY.findall(text)) > 1:
        return PERSON, "family"
    return names.classify(name), "naive Bayes"


def last_noun(clause: str, shortest: int = 1) -> str | None:
    """The theme of the longest noun at the end of a clause."""
    known: Mapping[str, str] = nouns()
    for length in range(min(MAX_NOUN, len(clause)), shortest - 1, -1):
        if clause[-length:] in known:
            return known[clause[-length:]]
    return None
