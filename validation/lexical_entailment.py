"""The built-in score: a logistic function of a few features of the text around a fact, without a model to download.

`relation_words.yaml` has the words that state relations, `lexical_entailment.yaml` the weights, which
`benchmarks/fit_entailment.py` fits to annotated texts.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from schemas.example import Span
from transforms import yaml_values
from transforms.sentences import sentences
from validation.claims import Claim

WEIGHTS = Path(__file__).with_name("lexical_entailment.yaml")
WORDS = Path(__file__).with_name("relation_words.yaml")

FEATURES = (
    "always",
    "other_sentence",
    "sentences_between",
    "words_between",
    "mentions_between",
    "head_is_page",
    "tail_is_page",
    "continued",
    "head_first",
    "tail_before_head",
    "apposition",
    "listed",
    "cue_between",
    "cue_near",
    "cue_missing",
    "rival",
    "steps",
)
"""`continued`: the head is the page's item, and the sentence of the tail begins with a pronoun or a description instead
of a name. `apposition`: only a comma or bracket is between head and tail; `listed`: only names, commas and "and".
The `cue_` features refer to the words of the relation: between head and tail, within NEAR words of one of them,
or missing from the sentence of the tail although texts mostly state the relation with one. `rival`: among the words of
all relations with tails of this kind, the nearest one before the tail is that of another relation.
"""

NEAR = 4
MOST_SENTENCES = 6

WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]|[^\W\u3400-\u9fff\uf900-\ufaff]+")
CHINESE_PER_WORD = 1.6
"""Chinese characters for an English word, so that distances in both languages are on one scale."""

ONLY_COMMA = re.compile(r"[\s,(（，、·\[]{0,3}")
ONLY_LIST = re.compile(r"(?:[\s,()（），、和及与;&]|\b(?:and|in|of|the|or|city|state|county|province|district)\b)*")
CONTINUES = {
    "en": re.compile(
        r"[\"“'(\s]*(?:(?:in|on|at|from|since|after|before|during|by|until|as)\b[^,]{0,40},\s*)?"
        r"(?:he|she|it|they|his|her|its|their|the|this|these|there|both|also)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"[“「『（\s]*(?:[^，。]{0,16}[，年月日时後后])?(?:他|她|它|其|該|该|此|这|這|本|为|為|是|曾|于|於|由|位于|主要)"
    ),
}


class Cues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`often`: texts mostly state the relation with one of these words."""

    properties: tuple[int, ...]
    en: tuple[str, ...]
    zh: tuple[str, ...]
    relations: tuple[str, ...] = ()
    often: bool = True
    rivals: str | None = None


class RelationWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cues: tuple[Cues, ...]
    templates: dict[str, dict[str, str]]


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`features`: weight of each of FEATURES. `properties`: what is added for a property, `relations`: for a relation
    whose property is not listed.
    """

    features: dict[str, float]
    properties: dict[int, float] = {}


@cache
def relation_words() -> RelationWords:
    return msgspec.convert(yaml_values.read(WORDS, "install IEForge again"), RelationWords)


@cache
def entry(property: int, relation: str) -> Cues | None:
    """The words of a property or, if no entry has it, of a relation."""
    for cues in relation_words().cues:
        if property in cues.properties:
            return cues
    return next((cues for cues in relation_words().cues if relation in cues.relations), None)


@cache
def pattern(cues: Cues, lang: str) -> re.Pattern[str]:
    if lang == "zh":
        return re.compile("|".join(re.escape(word) for word in sorted(cues.zh, key=len, reverse=True)))
    words = [re.escape(word).replace(r"\*", r"\w*") for word in sorted(cues.en, key=len, reverse=True)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


class Lines(msgspec.Struct, frozen=True):
    """The starts and ends of the sentences and of the words of a text."""

    starts: list[int]
    ends: list[int]
    words: list[int]


@lru_cache(maxsize=64)
def lines(text: str, lang: str) -> Lines:
    spans = [part for start, end in sentences(text, lang) for part in split_lines(text, start, end)]
    return Lines([s for s, _ in spans], [e for _, e in spans], [match.start() for match in WORD.finditer(text)])


def split_lines(text: str, start: int, end: int) -> list[Span]:
    """The lines of a sentence: a line feed in a paragraph of an encyclopaedia ends a heading or a verse."""
    bounds = [start, *(start + match.end() for match in re.finditer("\n", text[start:end])), end]
    return list(zip(bounds, bounds[1:], strict=False))


def features(claim: Claim) -> list[float]:
    """The values of FEATURES."""
    at = lines(claim.text, claim.lang)
    (first, second) = sorted((claim.head, claim.tail))
    tail_line, head_line = (max(bisect_right(at.starts, span[0]) - 1, 0) for span in (claim.tail, claim.head))
    start, end = at.starts[tail_line], at.ends[tail_line]
    same = tail_line == head_line
    gap = (first[1], max(second[0], first[1]))
    words = bisect_left(at.words, gap[1]) - bisect_left(at.words, gap[0])
    words = words / CHINESE_PER_WORD if claim.lang == "zh" else words
    others = [span for span in claim.mentions if span[0] >= gap[0] and span[1] <= gap[1]]
    between = claim.text[gap[0] : gap[1]]
    cue = cue_features(claim, at, start, end, same, gap)
    subject = start if not claim.mentions else next((s for s, _ in claim.mentions if s >= start), start)
    return [
        1.0,
        float(not same),
        math.log1p(min(abs(tail_line - head_line), MOST_SENTENCES)),
        math.log1p(words) if same else 0.0,
        math.log1p(len(others)) if same else 0.0,
        float(claim.head_is_page),
        float(claim.tail_is_page),
        float(not same and claim.head_is_page and bool(CONTINUES[claim.lang].match(claim.text[start:end]))),
        float(same and claim.head[0] == subject),
        float(claim.tail < claim.head),
        float(same and bool(ONLY_COMMA.fullmatch(between))),
        float(same and bool(ONLY_LIST.fullmatch(without(between, gap[0], others)))),
        *cue,
        float(min(claim.steps, 2)),
    ]


def without(text: str, offset: int, spans: Sequence[Span]) -> str:
    """`text`, which begins at `offset`, with blanks in the place of the spans."""
    for start, end in spans:
        text = text[: start - offset] + " " * (end - start) + text[end - offset :]
    return text


def cue_features(claim: Claim, at: Lines, start: int, end: int, same: bool, gap: Span) -> tuple[float, ...]:
    """cue_between, cue_near, cue_missing, rival: of the words in the sentence from `start` to `end`, that of the tail."""
    cues = entry(claim.property, claim.relation)
    if cues is None:
        return 0.0, 0.0, 0.0, 0.0
    places = occurrences(claim, cues, start, end)
    near = NEAR if claim.lang != "zh" else round(NEAR * CHINESE_PER_WORD)
    spans = [claim.tail, claim.head] if same else [claim.tail]
    return (
        float(same and any(gap[0] <= place < gap[1] for place in places)),
        float(any(distance(at.words, place, span) <= near for place in places for span in spans)),
        float(not places and cues.often),
        float(has_rival(claim, cues, start, last_before(places, claim.tail[0]))),
    )


def occurrences(claim: Claim, cues: Cues, start: int, end: int) -> list[int]:
    """Where a stretch of the text has a word of the entry, outside head and tail."""
    return [
        match.start()
        for match in pattern(cues, claim.lang).finditer(claim.text, start, end)
        if not any(s <= match.start() < e for s, e in (claim.head, claim.tail))
    ]


def last_before(places: Sequence[int], limit: int) -> int:
    return max((place for place in places if place < limit), default=-1)


def has_rival(claim: Claim, cues: Cues, start: int, nearest: int) -> bool:
    """Whether a word of another relation is nearer to the tail than that at `nearest` (-1 for none)."""
    return any(
        last_before(occurrences(claim, other, start, claim.tail[0]), claim.tail[0]) > nearest for other in rivals(cues)
    )


@cache
def rivals(cues: Cues) -> tuple[Cues, ...]:
    all_cues = relation_words().cues
    return tuple(other for other in all_cues if cues.rivals and other.rivals == cues.rivals and other != cues)


def distance(words: list[int], place: int, span: Span) -> int:
    """The number of words from the word at `place` to a span."""
    here, first, last = (bisect_left(words, position) for position in (place, span[0], span[1]))
    return first - here if place < span[0] else here - last + 1


class Lexical:
    """The built-in score. `weights`: None for those that are part of IEForge."""

    name = "lexical"

    def __init__(self, weights: Weights | None = None):
        self.weights = weights or read_weights()
        self.vector = [self.weights.features[name] for name in FEATURES]

    def score(self, pairs: Sequence[Claim]) -> list[float]:
        """A score from 0 to 1 for each claim, which depends on nothing but this claim."""
        return [self.score_one(claim) for claim in pairs]

    def score_one(self, claim: Claim) -> float:
        total = math.fsum(weight * value for weight, value in zip(self.vector, features(claim), strict=True))
        return 1 / (1 + math.exp(-total - self.weights.properties.get(claim.property, 0.0)))


def read_weights(path: str | Path = WEIGHTS) -> Weights:
    return msgspec.convert(yaml_values.read(path, "install IEForge again"), Weights, strict=False)
