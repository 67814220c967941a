"""Predicted and gold items of one text → the right, wrong and missed items, with the class of each error.

Items are compared by exact string match. The names of the error classes follow the InstructIE paper
(arXiv 2305.11527). docs/score.md defines each class.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from train.scoring.items import Item
from transforms import scripts

MATCHES = ("normal", "set")
"""normal: an item counts as often as it occurs; set: once."""

WRONG = ("hallucinated", "boundary", "spurious", "entity mismatch", "incongruent", "repeated")
"""The classes of wrong predictions. Each wrong item is in exactly one."""

MISSED = ("boundary", "other label", "entity mismatch", "unparseable", "not found")
"""The classes of missed gold items. Each missed item is in exactly one."""

OMITTED = ("unparseable", "not found")
"""The classes of missed items that no prediction corresponds to."""

PARTIAL = 0.5
"""The credit of a boundary error in the overlap scores (the partial credit of MUC)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts of items by label: `right`, `predicted`, `gold` and the boundary errors `overlapping`. By label and class:
    `wrong` and `missed`. `mistakes`: each wrong (of WRONG) and each missed item (of MISSED), with its side and class.
    """

    right: Counter
    predicted: Counter
    gold: Counter
    overlapping: Counter = field(default_factory=Counter)
    wrong: Counter = field(default_factory=Counter)
    missed: Counter = field(default_factory=Counter)
    mistakes: list[tuple[str, str, Item]] = field(default_factory=list)

    def add(self, side: str, kind: str, item: Item) -> None:
        """Counts a mistake. `side`: wrong or missed; `kind`: its class."""
        counter = self.wrong if side == "wrong" else self.missed
        counter[item[0], kind] += 1
        self.mistakes.append((side, kind, item))

    def counts(self, label: str | tuple) -> list[int]:
        """The right, predicted, gold and overlapping items of a label, then its wrong and missed items by class."""
        counters = self.right, self.predicted, self.gold, self.overlapping
        wrong = (self.wrong[label, kind] for kind in WRONG)
        missed = (self.missed[label, kind] for kind in MISSED)
        return [*(counter[label] for counter in counters), *wrong, *missed]


def compare(predicted: Sequence[Item], gold: Sequence[Item], text: str, match: str, unparseable: bool) -> Outcome:
    """Counts right, wrong and missed items. `match`: one of MATCHES. `unparseable`: an answer about this text could not
    be parsed.
    """
    if match == "set":
        predicted, gold = list(dict.fromkeys(predicted)), list(dict.fromkeys(gold))
    expected, answered = Counter(gold), Counter(predicted)
    right = answered & expected
    outcome = Outcome(_by_label(right), _by_label(answered), _by_label(expected))
    wrong, missed = answered - expected, expected - answered
    if wrong or missed:
        _classify(wrong, missed, expected, answered, text, unparseable, outcome)
    return outcome


def _by_label(items: Counter) -> Counter:
    labels: Counter = Counter()
    for item, count in items.items():
        labels[item[0]] += count
    return labels


def _classify(
    wrong: Counter, missed: Counter, gold: Counter, answered: Counter, text: str, unparseable: bool, outcome: Outcome
) -> None:
    """Counts each wrong and each missed item in one class. Items are processed in sorted order, so that the order of
    the answer has no effect.
    """
    coverage = cache(lambda mention: _coverage(mention, text))
    open_gold = sorted(missed.elements())
    mentions = {mention for item in gold for mention in item[1:]}
    gold_mentions = {item[1:] for item in gold}
    rest = []
    for item in sorted(wrong.elements()):
        if item in gold:
            outcome.add("wrong", "repeated", item)
        elif any(mention not in mentions and mention not in text for mention in item[1:]):
            outcome.add("wrong", "hallucinated", item)
        else:
            rest.append(item)
    rest = list(_pair(rest, open_gold, "boundary", outcome, lambda ours, theirs: _overlap(ours, theirs, coverage)))
    unexplained = []
    for item in rest:
        if item[1:] in gold_mentions or item[:0:-1] in gold_mentions:
            outcome.add("wrong", "spurious", item)
        else:
            unexplained.append(item)
    for item in _pair(unexplained, open_gold, "entity mismatch", outcome, _shares_an_end):
        outcome.add("wrong", "incongruent", item)
    answered_mentions = {item[1:] for item in answered}
    for item in open_gold:
        if item[1:] in answered_mentions or item[:0:-1] in answered_mentions:
            outcome.add("missed", "other label", item)
        else:
            outcome.add("missed", "unparseable" if unparseable else "not found", item)


def _pair(
    wrong: list[Item], open_gold: list[Item], name: str, outcome: Outcome, is_match: Callable[[Item, Item], object]
) -> Iterator[Item]:
    """Pairs each wrong item with a missed item of the same label for which `is_match` holds. Counts the pairs under
    `name`, removes the missed items from `open_gold` and yields the wrong items that have no pair.
    """
    for item in wrong:
        for place, other in enumerate(open_gold):
            if other[0] == item[0] and is_match(item, other):
                del open_gold[place]
                outcome.add("wrong", name, item)
                outcome.add("missed", name, other)
                if name == "boundary":
                    outcome.overlapping[item[0]] += 1
                break
        else:
            yield item


def _overlap(item: Item, other: Item, coverage: Callable[[str], int]) -> bool:
    """Whether each mention of `item` equals the mention of `other` or shares a character of the text with it."""
    pairs = zip(item[1:], other[1:], strict=True)
    return all(ours == theirs or coverage(ours) & coverage(theirs) for ours, theirs in pairs)


def _coverage(mention: str, text: str) -> int:
    """The characters of the text that all occurrences of a mention cover, as a bit set; 0 for an empty trigger."""
    bits, start = 0, text.find(mention) if mention else -1
    while start >= 0:
        bits |= ((1 << len(mention)) - 1) << start
        start = text.find(mention, start + 1)
    return bits


def _shares_an_end(item: Item, other: Item) -> bool:
    """Whether two pairs share their head or tail. Always true for items with one mention, whose labels are equal."""
    return len(item) == 2 or any(ours == theirs for ours, theirs in zip(item[1:], other[1:], strict=True))


def tokens(items: Sequence[Item], lang: str) -> list[str]:
    """The lower-cased words of the items, concatenated, without punctuation. In scripts without blanks between words
    (Thai, Japanese), each letter with its marks is a word; in Chinese texts, each character, also of Latin words.
    """
    parts = [part for item in items for part in _strings(item)]
    if lang == "zh":
        return [character for part in parts for character in part if character.isalnum()]
    return [token for part in parts for token in scripts.tokens(part.lower())]


def _strings(item: Item) -> Iterator[str]:
    for part in item:
        if isinstance(part, str):
            yield part
        else:
            yield from part


def rouge_2(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """The F-score of bigrams with repetitions (Lin 2004). Equal lists score 1, also without bigrams."""
    if predicted == gold:
        return 1.0
    ours, theirs = Counter(pairwise(predicted)), Counter(pairwise(gold))
    common = (ours & theirs).total()
    return 2 * common / (ours.total() + theirs.total()) if common else 0.0
