"""The built-in score: a logistic function of a few features of the text around a fact, without a model to download.

`lexical_entailment.yaml` has the weights, which `benchmarks/fit_entailment.py` fits to annotated English texts. Chinese
texts are scored with the same weights and their own words.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from schemas.example import Span
from transforms import yaml_values
from transforms.sentences import sentences
from validation.claims import Claim
from validation.relation_words import Cues, entry, pattern, rivals

WEIGHTS = Path(__file__).with_name("lexical_entailment.yaml")

FEATURES = {
    "always": "1",
    "other_sentence": "head and tail are in different sentences",
    "mentions_between": "in one sentence: ln(1 + number of other mentions between head and tail)",
    "head_is_page": "the page is about the head",
    "tail_is_page": "the page is about the tail",
    "continued": "the page is about the head, and the sentence of the tail begins with a pronoun or without a subject",
    "head_is_word": "the head is recognised by its name only, which begins with a lower-case letter",
    "head_first": "the head is the first mention in the sentence of the tail",
    "listed": "only names, commas and and are between head and tail, and at least one name",
    "cue": "a word of the relation is in the sentence, between head and tail",
    "cue_missing": "texts mostly state the relation with one of its words, and the sentence of the tail has none",
    "rival": "the word nearest before the tail is of another relation with tails of this kind",
}
"""Feature → what it means. Those without a number are 0 or 1."""

BREAKS = {"en": re.compile(r"\n"), "zh": re.compile(r"\n|[。！？](?![”’」』）》。！？])")}
"""Ends of sentences besides those of sentencex, which continues a Chinese sentence if a digit follows."""

LIST = {
    "en": re.compile(r"(?:[\s,;()&]|\b(?:and|or|the)\b)*", re.IGNORECASE),
    "zh": re.compile(r"[\s,;&，、；（）()和及与與或]*"),
}
CONTINUES = {
    "en": re.compile(
        r"[\"“'(\s]*(?:(?:in|on|at|from|since|after|before|during|by|until|as)\b[^,]{0,40},\s*)?"
        r"(?:he|she|it|they|his|her|its|their|the|this|these|there|both|also)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"[“「『（\s]*(?:[^，。]{0,16}[，年月日时時后後])?(?:他|她|它|其|該|该|此|这|這|本|为|為|是|曾|于|於|由|位于|位於|主要)"
    ),
}
"""Begins of sentences without a name as their subject."""


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`features`: the weight of each feature. `relations`: what is added for the relations of an entry of
    relation_words.yaml, by its name.
    """

    features: dict[str, float]
    relations: dict[str, float]


class Sentences(msgspec.Struct, frozen=True):
    starts: list[int]
    ends: list[int]

    def number_of(self, position: int) -> int:
        """The number of the sentence with this position; that before it if the position is between two sentences."""
        return max(bisect_right(self.starts, position) - 1, 0)


@lru_cache(maxsize=64)
def split(text: str, lang: str) -> Sentences:
    """The sentences of a text. A line feed also ends one: it separates verses, headings and entries of lists."""
    starts, ends = [], []
    breaks_of = BREAKS["zh" if lang == "zh" else "en"]
    for start, end in sentences(text, lang):
        breaks = [match.end() for match in breaks_of.finditer(text, start, end) if match.end() < end]
        starts += [start, *breaks]
        ends += [*breaks, end]
    return Sentences(starts or [0], ends or [len(text)])


def features(claim: Claim) -> list[float]:
    """The values of FEATURES."""
    text, lang = claim.text, "zh" if claim.lang == "zh" else "en"
    parts = split(text, claim.lang)
    sentence = parts.number_of(claim.tail[0])
    same = sentence == parts.number_of(claim.head[0])
    start, end = parts.starts[sentence], parts.ends[sentence]
    first, second = sorted((claim.head, claim.tail))
    gap = (first[1], max(first[1], second[0])) if same else (end, end)
    inner = [span for span in claim.mentions if gap[0] <= span[0] and span[1] <= gap[1]]
    subject = next((mention for mention in claim.mentions if mention[0] >= start), claim.head)
    cues = entry(claim.property, claim.relation)
    return [
        1.0,
        float(not same),
        math.log1p(len(inner)),
        float(claim.head_is_page),
        float(claim.tail_is_page),
        float(not same and claim.head_is_page and CONTINUES[lang].match(text, start, end) is not None),
        float(claim.by_name and text[slice(*claim.head)][:1].islower()),
        float(same and claim.head[0] == subject[0]),
        float(bool(inner) and LIST[lang].fullmatch(without(text, gap, inner)) is not None),
        *((0.0, 0.0, 0.0) if cues is None else cue_features(claim, cues, lang, (start, end), gap)),
    ]


def without(text: str, span: Span, spans: Sequence[Span]) -> str:
    """The part of `text` in `span`, with a blank in the place of each of `spans` (sorted)."""
    kept, position = [], span[0]
    for start, end in spans:
        kept.append(text[position:start])
        position = max(position, end)
    return " ".join([*kept, text[position : span[1]]])


def cue_features(claim: Claim, cues: Cues, lang: str, sentence: Span, gap: Span) -> tuple[float, float, float]:
    """cue, cue_missing, rival. `sentence`: that of the tail."""
    places = occurrences(claim, cues, lang, sentence)
    nearest = max((place for place in places if place < claim.tail[0]), default=-1)
    before = (sentence[0], claim.tail[0])
    return (
        float(any(gap[0] <= place < gap[1] for place in places)),
        float(cues.often and not places),
        float(any(max(occurrences(claim, other, lang, before), default=-1) > nearest for other in rivals(cues))),
    )


def occurrences(claim: Claim, cues: Cues, lang: str, span: Span) -> list[int]:
    """Where the text in `span` has a word of the entry, outside head and tail."""
    return [
        match.start()
        for match in pattern(cues, lang).finditer(claim.text, *span)
        if not any(start <= match.start() < end for start, end in (claim.head, claim.tail))
    ]


class Lexical:
    """The built-in scorer. `weights`: None for those that are part of IEForge."""

    name = "lexical"

    def __init__(self, weights: Weights | None = None):
        self.weights = weights or read_weights()
        self.vector = [self.weights.features[name] for name in FEATURES]

    def score(self, pairs: Sequence[Claim]) -> list[float]:
        """A score from 0 to 1 for each claim, which depends on this claim only."""
        return [self.score_one(claim) for claim in pairs]

    def score_one(self, claim: Claim) -> float:
        cues = entry(claim.property, claim.relation)
        total = math.fsum(weight * value for weight, value in zip(self.vector, features(claim), strict=True))
        return 1 / (1 + math.exp(-total - self.weights.relations.get(cues.name if cues else "", 0.0)))


def read_weights(path: str | Path = WEIGHTS) -> Weights:
    return msgspec.convert(yaml_values.read(path, "install IEForge again"), Weights)
