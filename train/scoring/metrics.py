"""Predicted and gold items of one text → what is right, wrong and missed, and of which kind the errors are.

Items are compared as strings, exactly. The names of the error classes are those of the InstructIE paper
(arXiv 2305.11527); docs/score.md gives the rule for each.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from train.scoring.items import Item

MATCHES = ("normal", "set")
"""normal: an item counts as often as it stands there; set: once."""

WRONG = ("hallucinated", "boundary", "spurious", "entity mismatch", "incongruent", "repeated")
"""Classes of wrong predictions, each in exactly one."""

MISSED = ("boundary", "other label", "entity mismatch", "unparseable", "not found")
"""Classes of missed gold, each in exactly one."""

PARTIAL = 0.5
"""What a boundary error is worth in the overlap scores (the partial credit of MUC)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Label → number of items; class → number of items. `overlapping`: boundary errors, by the label of both sides."""

    right: Counter
    predicted: Counter
    gold: Counter
    overlapping: Counter = field(default_factory=Counter)
    wrong: Counter = field(default_factory=Counter)
    missed: Counter = field(default_factory=Counter)


def compare(predicted: Sequence[Item], gold: Sequence[Item], text: str, match: str, unparseable: bool) -> Outcome:
    """`match`: one of `MATCHES`. `unparseable`: an answer about this text could not be read."""
    if match == "set":
        predicted, gold = list(dict.fromkeys(predicted)), list(dict.fromkeys(gold))
    expected, given = Counter(gold), Counter(predicted)
    right = given & expected
    outcome = Outcome(_by_label(right), _by_label(given), _by_label(expected))
    wrong, missed = given - expected, expected - given
    if wrong or missed:
        _classify(wrong, missed, expected, given, text, unparseable, outcome)
    return outcome


def _by_label(items: Counter) -> Counter:
    labels: Counter = Counter()
    for item, count in items.items():
        labels[item[0]] += count
    return labels


def _classify(
    wrong: Counter, missed: Counter, gold: Counter, given: Counter, text: str, unparseable: bool, outcome: Outcome
) -> None:
    """Counts every wrong item and every missed one once. Ties are broken by the order of strings, so that the order
    in which a model answers changes nothing.
    """
    covered = cache(lambda mention: _covered(mention, text))
    open_gold = sorted(missed.elements())
    mentions = {mention for item in gold for mention in item[1:]}
    gold_mentions = {item[1:] for item in gold}
    rest = []
    for item in sorted(wrong.elements()):
        if item in gold:
            outcome.wrong["repeated"] += 1
        elif any(mention not in mentions and mention not in text for mention in item[1:]):
            outcome.wrong["hallucinated"] += 1
        else:
            rest.append(item)
    rest = list(_paired(rest, open_gold, "boundary", outcome, lambda ours, theirs: _overlap(ours, theirs, covered)))
    unexplained = []
    for item in rest:
        if item[1:] in gold_mentions or item[:0:-1] in gold_mentions:
            outcome.wrong["spurious"] += 1
        else:
            unexplained.append(item)
    unexplained = list(_paired(unexplained, open_gold, "entity mismatch", outcome, _shares_an_end))
    outcome.wrong["incongruent"] += len(unexplained)
    given_mentions = {item[1:] for item in given}
    for item in open_gold:
        if item[1:] in given_mentions or item[:0:-1] in given_mentions:
            outcome.missed["other label"] += 1
        else:
            outcome.missed["unparseable" if unparseable else "not found"] += 1


def _paired(
    wrong: list[Item], open_gold: list[Item], name: str, outcome: Outcome, likens: Callable[[Item, Item], object]
) -> Iterator[Item]:
    """Counts as `name` each wrong item that takes a missed one of its label which it is like; yields the others."""
    for item in wrong:
        for place, other in enumerate(open_gold):
            if other[0] == item[0] and likens(item, other):
                del open_gold[place]
                outcome.wrong[name] += 1
                outcome.missed[name] += 1
                if name == "boundary":
                    outcome.overlapping[item[0]] += 1
                break
        else:
            yield item


def _overlap(item: Item, other: Item, covered: Callable[[str], int]) -> bool:
    """Whether every mention is equal to or shares a character of the text with the other item's."""
    pairs = zip(item[1:], other[1:], strict=True)
    return all(ours == theirs or covered(ours) & covered(theirs) for ours, theirs in pairs)


def _covered(mention: str, text: str) -> int:
    """The characters of the text that occurrences of a mention cover, as bits; none for an empty trigger."""
    bits, start = 0, text.find(mention) if mention else -1
    while start >= 0:
        bits |= ((1 << len(mention)) - 1) << start
        start = text.find(mention, start + 1)
    return bits


def _shares_an_end(item: Item, other: Item) -> bool:
    """Of two pairs one end, or else the label alone (a mention of an entity, a trigger, an argument)."""
    return len(item) == 2 or any(ours == theirs for ours, theirs in zip(item[1:], other[1:], strict=True))


WORD = re.compile(r"\w+")


def tokens(items: Sequence[Item], lang: str) -> list[str]:
    """The words of the items in lower case, one after the other; Chinese: the characters, punctuation left out."""
    parts = [part for item in items for part in _strings(item)]
    if lang == "zh":
        return [character for part in parts for character in part if character.isalnum()]
    return [word for part in parts for word in WORD.findall(part.lower())]


def _strings(item: Item) -> Iterator[str]:
    for part in item:
        if isinstance(part, str):
            yield part
        else:
            yield from part


def rouge_2(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """F of the bigrams (Lin 2004), repeated ones counted; where there are none, whether the token lists are equal."""
    if predicted == gold:
        return 1.0
    ours, theirs = Counter(pairwise(predicted)), Counter(pairwise(gold))
    common = (ours & theirs).total()
    return 2 * common / (ours.total() + theirs.total()) if common else 0.0
