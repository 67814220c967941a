"""Mistakes in annotations that a build accepts, and people should look at: overlaps, blanks at edges, labels mixed up.

What a build cannot use is found by the readers and by `transforms.normalize`; this module only names those reasons.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from schemas.errors import Reason
from schemas.example import Entity, Mention, RawExample, mentions
from transforms.normalize import spelled
from transforms.scripts import within_word

CORRECTED = "offsets that were corrected"
INSIDE_WORD = "mentions that begin or end inside a word (are the offsets those of this text?)"
EDGES = "blanks at the edges of a mention, which a build removes"
CROSSING = "mentions that overlap in part"
REPEATED = "mentions that are annotated twice"
HTML = "texts with HTML, which stays in the prompts"
TWO_LABELS = "strings with two labels"
SIMILAR = "labels that differ only in case, blanks or hyphens"

SAME_ID = "records with the id of another one, and another text"

KINDS = (SAME_ID, CORRECTED, INSIDE_WORD, EDGES, CROSSING, REPEATED, HTML, TWO_LABELS, SIMILAR)
"""The kinds of mistakes, in the order in which they are shown."""

MARKUP = re.compile(r"</[a-z][a-z0-9]*>|<(?:br|hr|img|p)\b[^<>]*>|&(?:amp|lt|gt|quot|nbsp|#[0-9]+);", re.IGNORECASE)

REASONS = {
    Reason.NOT_UTF8: "not UTF-8",
    Reason.BROKEN_JSON: "broken JSON",
    Reason.BROKEN_RECORD: "broken",
    Reason.WRONG_COLUMNS: "wrong columns",
    Reason.MISSING_FIELD: "a field is missing",
    Reason.EMPTY_TEXT: "an empty text",
    Reason.OFFSET_MISMATCH: "offsets that do not fit",
    Reason.UNKNOWN_LABEL: "an unknown label",
    Reason.MENTION_NOT_IN_TEXT: "a mention that is not in the text",
    Reason.IGNORED_ANNOTATION: "nothing that can be used",
}
"""Reasons of readers in words."""

RECORDS_LEFT_OUT, ANNOTATIONS_LEFT_OUT = "records left out: ", "annotations left out: "
"""What the kind of a loss begins with; its reason follows."""

IDS = 100_000
"""The number of different ids that are remembered to find those of several texts."""

MISSING_PART = "an end of a relation, or another part, is missing"

STRINGS = 100_000
"""The number of different mentions that are remembered to find those with two labels."""


def of_record(reason: Reason) -> str:
    """The kind of the problem that a record is left out for this reason."""
    return f"{RECORDS_LEFT_OUT}{in_words(reason)}"


def of_part(reason: Reason) -> str:
    """The kind of the problem that an annotation is left out for this reason."""
    return f"{ANNOTATIONS_LEFT_OUT}{MISSING_PART if reason == Reason.MISSING_FIELD else in_words(reason)}"


def in_words(reason: Reason) -> str:
    return REASONS.get(reason, str(reason).replace("_", " "))


@dataclass(frozen=True)
class Problem:
    """`place`: `file:line`."""

    kind: str
    place: str
    detail: str


def of_text(raw: RawExample, kept: RawExample) -> Iterator[Problem]:
    """The problems of one text. `raw`: as in the file; `kept`: with the labels and offsets that a build uses."""
    if markup := MARKUP.search(raw.text):
        yield Problem(HTML, raw.place, quote(markup[0]))
    used = {mention.text for mention in mentions(kept)}
    for mention in dict.fromkeys(mentions(raw)):
        if {mention.text, mention.text.strip()} & used and mention.spans and not spelled(raw.text, mention):
            yield Problem(CORRECTED, raw.place, f"{quote(mention.text)} is not at {show_spans(mention)}")
    for entity in kept.entities or ():
        if any(within_word(kept.text, start, end) for start, end in entity.mention.spans):
            yield Problem(INSIDE_WORD, kept.place, f"{entity.label} {quote(in_context(kept.text, entity.mention))}")
    for entity in raw.entities or ():
        if entity.mention.text != entity.mention.text.strip() in used:
            yield Problem(EDGES, raw.place, f"{entity.label} {quote(entity.mention.text)}")
    for first, second in crossing(kept.entities or ()):
        what = f"{first.label} {quote(first.mention.text)} and {second.label} {quote(second.mention.text)}"
        yield Problem(CROSSING, kept.place, what)
    seen = set()
    for entity in kept.entities or ():
        key = entity.label, entity.mention.spans
        if entity.mention.spans and key in seen:
            yield Problem(REPEATED, kept.place, f"{entity.label} {quote(entity.mention.text)}")
        seen.add(key)


def whole_spans(entities: Iterable[Entity]) -> list[tuple[int, int, Entity]]:
    """(start, end, entity) of the entities with one span, in the order of the text, outer ones before inner ones."""
    items = [(*entity.mention.spans[0], entity) for entity in entities if len(entity.mention.spans) == 1]
    return sorted(items, key=lambda item: (item[0], -item[1]))


def crossing(entities: Iterable[Entity]) -> Iterator[tuple[Entity, Entity]]:
    """Pairs of entities that overlap without one containing the other: at most one pair per entity."""
    around: list[tuple[int, Entity]] = []  # (end, entity) of those that are not over, outer ones first
    for start, end, entity in whole_spans(entities):
        while around and around[-1][0] <= start:
            around.pop()
        if around and around[-1][0] < end:
            yield around[-1][1], entity
        while around and around[-1][0] < end:
            around.pop()
        around.append((end, entity))


@dataclass
class Consistency:
    """Which labels each string has, over all texts of a source. At most STRINGS strings are remembered."""

    strings: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)
    """String → label → (number of mentions, place of the first)."""

    def add(self, record: RawExample) -> None:
        for entity in record.entities or ():
            labels = self.strings.get(entity.mention.text)
            if labels is None:
                if len(self.strings) == STRINGS:
                    continue
                labels = self.strings[entity.mention.text] = {}
            number, place = labels.get(entity.label, (0, record.place))
            labels[entity.label] = number + 1, place

    def problems(self) -> Iterator[Problem]:
        """One problem per string with several labels, at the first mention with the rarest of them: of several, the
        last to be used.
        """
        for string, labels in self.strings.items():
            if len(labels) > 1:
                counted = sorted(labels.items(), key=lambda item: -item[1][0])
                what = " and ".join(f"{label} ({number:,} x)" for label, (number, _) in counted)
                yield Problem(TWO_LABELS, counted[-1][1][1], f"{quote(string)} is {what}")


@dataclass
class Ids:
    """The ids of the records of a source. At most IDS are remembered."""

    texts: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Id → (hash of the text, place) of the first record."""

    def problems(self, record: RawExample) -> Iterator[Problem]:
        """The problem that another record has the id of this one and another text. Several people may have annotated
        the same text.
        """
        if record.item is None:
            return
        first = self.texts.get(record.item)
        if first is None:
            if len(self.texts) < IDS:
                self.texts[record.item] = hash(record.text), record.place
        elif first[0] != hash(record.text):
            yield Problem(
                SAME_ID, record.place, f"two records with the id {shorten(record.item)}, the first at {first[1]}"
            )


def similar_labels(counts: Mapping[str, int], places: Mapping[str, str]) -> Iterator[Problem]:
    """Labels of one layer that differ only in case, blanks, hyphens or underscores, at the first use of the rarest.

    `counts`: label → number of annotations. `places`: label → place of the first.
    """
    groups: dict[str, list[str]] = {}
    for label in counts:
        groups.setdefault(re.sub(r"[\s_-]+", "", label).casefold(), []).append(label)
    for group in groups.values():
        if len(group) > 1:
            group.sort(key=lambda label: -counts[label])
            what = " and ".join(f"{quote(label)} ({counts[label]:,} x)" for label in group)
            yield Problem(SIMILAR, places[group[-1]], what)


LONGEST = 60


def shorten(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def quote(text: str) -> str:
    return f'"{shorten(text)}"'


def in_context(text: str, mention: Mention) -> str:
    """The mention with up to CONTEXT characters on either side: `oved to [Coal Qua]y. Then`."""
    start, end = mention.spans[0][0], mention.spans[-1][1]
    return f"{text[max(0, start - CONTEXT) : start]}[{shorten(text[start:end], 30)}]{text[end : end + CONTEXT]}"


CONTEXT = 8


def show_spans(mention: Mention) -> str:
    return ", ".join(f"{start}-{end}" for start, end in mention.spans)
