"""A text with its annotations → plain text with mentions marked: `[Ada Marrow: person] moved to [Berlin: city].`"""

import re
from collections.abc import Sequence

from pipelines.sources.problems import quote
from schemas.example import Entity, Mention, RawExample

WIDTH, BEFORE = 300, 60
"""Characters shown of a text, and of these before the first mention if the text is longer."""

MOST = 5
"""Relations, events and entities that are listed below a text."""

Marks = dict[tuple[int, int], list[str]]
"""Span → labels."""


def lines(record: RawExample) -> list[str]:
    """The text in one line, then entities that cannot be marked in it, relations and events.

    Marks are nested as the entities are; of two that overlap in part, the second is listed. A mention without offsets
    is marked where its string first occurs. Of a long text, the part from the first mention on is shown.
    """
    located = [(place(record.text, entity.mention), entity) for entity in record.entities or ()]
    spans = sorted((span for span, _ in located if span), key=lambda span: (span[0], -span[1]))
    nested = nested_spans(spans)
    start, end = window(record.text, spans)
    marks: Marks = {}
    below: list[Entity] = []
    for span, entity in located:
        if span in nested:
            marks.setdefault(span, []).append(entity.label)
        else:
            below.append(entity)
    text = mark(record.text, marks, start, end)
    while len(text) > 2 * WIDTH and end - start > WIDTH // 8:
        end = (start + end) // 2
        text = mark(record.text, marks, start, end)
    shown = [f"{'...' * (start > 0)}{text}{'...' * (end < len(record.text))}"]
    shown += at_most([f"{entity.label}: {quote(one_line(entity.mention.text))}" for entity in below], "entities")
    relations = [
        f"{each.label}: {quote(one_line(each.head.text))} -> {quote(one_line(each.tail.text))}"
        for each in record.relations or ()
    ]
    shown += at_most(relations, "relations")
    events = []
    for event in record.events or ():
        parts = [quote(one_line(event.trigger.text))] if event.trigger else []
        parts += [f"{argument.role} {quote(one_line(argument.mention.text))}" for argument in event.arguments]
        events.append(f"{event.label}: {', '.join(parts)}")
    return shown + at_most(events, "events")


def at_most(items: list[str], what: str) -> list[str]:
    return items if len(items) <= MOST else [*items[:MOST], f"and {len(items) - MOST:,} more {what}"]


def place(text: str, mention: Mention) -> tuple[int, int] | None:
    """The span of a mention; None if it has several or does not occur."""
    if len(mention.spans) == 1:
        return mention.spans[0]
    at = -1 if mention.spans else text.find(mention.text)
    return None if at < 0 else (at, at + len(mention.text))


def nested_spans(spans: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the sorted `spans` that do not overlap in part with an earlier one."""
    kept: set[tuple[int, int]] = set()
    ends: list[int] = []
    for start, end in spans:
        while ends and ends[-1] <= start:
            ends.pop()
        if not ends or end <= ends[-1]:
            kept.add((start, end))
            ends.append(end)
    return kept


def window(text: str, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The part of the text to show."""
    if len(text) <= WIDTH:
        return 0, len(text)
    start = max(0, min((start for start, _ in spans), default=0) - BEFORE)
    return start, min(len(text), start + WIDTH)


def mark(text: str, marks: Marks, start: int, end: int) -> str:
    """`text[start:end]` in one line, with the marks inside it."""
    inserts = []
    for (first, last), labels in marks.items():
        if first < start or last > end:
            continue
        inserts.append((first, 1, -last, "["))
        inserts.append((last, 0, -first, f": {', '.join(labels)}]"))
    pieces, at = [], start
    for position, _, _, insert in sorted(inserts):
        pieces += [text[at:position], insert]
        at = position
    return one_line("".join([*pieces, text[at:end]]))


def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(" ")
