"""A user's texts and labels → instruction rows as a build makes them, long documents in overlapping windows."""

import difflib
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from schemas.arrow import examples_to_table
from schemas.errors import ConfigError
from schemas.example import Event, Example, Mention, Span
from schemas.label import Label
from transforms import user_files
from transforms.ask import AskOptions, ask_spec
from transforms.clean import Steps, repair_text, span_before
from transforms.instruct import bounded, instruction_table
from transforms.language import detect_language
from transforms.prompts import Prompts
from transforms.sentences import pieces, sentences

EXAMPLES_A_TABLE = 1_000

EXPECTED = 'expected a JSON object with a "text" that is not empty'


@dataclass(frozen=True, slots=True)
class Document:
    """One of the user's texts: as `given`, and `text`, repaired as a build repairs its texts, by these `steps`.

    `triggers`, which EEA asks about: event type → triggers, repaired too.
    """

    id: str
    given: str
    text: str
    steps: Steps
    lang: str
    triggers: Mapping[str, Sequence[str]]

    def given_span(self, span: Span) -> Span:
        """Where a span of `text` is in `given`."""
        return span_before(span, self.steps)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a document's repaired text (code points)."""

    document: Document
    start: int
    end: int


def read(path: str, task: str, lang: str | None = None) -> list[Document]:
    """The texts of a file: `.jsonl` and `.json`, JSON objects with `text` and, if need be, `id`, `lang` and `triggers`,
    one per line or in one array; any other, one text per line. Blank lines are skipped. `lang` is the language of texts
    that name none; where it is None, it is detected (`transforms.language`).

    Raises ConfigError, with the line, for what `transforms.user_files` refuses, rows of another form, a text of which
    nothing remains when it is repaired, a repeated id, EEA without triggers, and a file without texts.
    """
    documents: dict[str, Document] = {}
    if path.endswith((".jsonl", ".json")):
        rows = user_files.objects(path, dict, EXPECTED)
    else:
        rows = ((number, {"text": line}) for number, line in user_files.text_lines(path))
    for number, row in rows:
        place = f"{path}:{number}"
        document = _document(row, str(len(documents)), lang, place)
        if task == "EEA" and not document.triggers:
            raise ConfigError(f'{place}: EEA needs the key "triggers": event type → the triggers to find arguments of')
        if document.id in documents:
            raise ConfigError(f"{place}: the id {reprlib.repr(document.id)} stands in this file twice; ids must differ")
        documents[document.id] = document
    if not documents:
        raise ConfigError(f"{path}: no texts in it")
    return list(documents.values())


def _document(row: dict, default_id: str, lang: str | None, place: str) -> Document:
    text, identity, triggers = row.get("text"), row.get("id", default_id), row.get("triggers") or {}
    if not isinstance(text, str) or not text.strip():
        raise ConfigError(f"{place}: {EXPECTED}")
    if not isinstance(identity, str | int):
        raise ConfigError(f"{place}: the id must be a string or a number")
    if not isinstance(triggers, dict) or not all(
        isinstance(found, list) and found and all(isinstance(trigger, str) and trigger for trigger in found)
        for found in triggers.values()
    ):
        raise ConfigError(f'{place}: "triggers" must be a map event type → list of triggers')
    named = row.get("lang") or lang or detect_language(text)
    if not isinstance(named, str):
        raise ConfigError(f"{place}: the lang must be a string, en or zh")
    repaired, steps = repair_text(text)
    if not repaired:
        raise ConfigError(f"{place}: nothing remains of the text but characters that nobody sees; leave it out")
    repaired_triggers = {label: [_trigger(one, repaired, place) for one in some] for label, some in triggers.items()}
    return Document(str(identity), text, repaired, steps, named, repaired_triggers)


def _trigger(given: str, text: str, place: str) -> str:
    trigger, _ = repair_text(given)
    if not trigger or trigger not in text:
        raise ConfigError(f"{place}: the trigger {reprlib.repr(given)} does not stand in the text")
    return trigger


def overlapping(text: str, lang: str, max_chars: int, overlap_chars: int) -> list[Span]:
    """Runs of whole sentences of at most `max_chars` code points that cover the text, blanks at their edges left out.

    Each begins with those last sentences of the one before that have at most `overlap_chars` together, as far as
    there is room for a new one. A sentence that alone is too long is cut (`transforms.sentences.pieces`).
    """
    found = sentences(text, lang)
    units = [piece for sentence in found for piece in pieces(text, sentence, max_chars, ())]
    runs, first, last = [], 0, -1
    while last + 1 < len(units):
        first = _first(units, first, last, max_chars, overlap_chars)
        last += 1
        while last + 1 < len(units) and units[last + 1][1] - units[first][0] <= max_chars:
            last += 1
        runs.append((units[first][0], units[last][1]))
    return runs


def _first(units: Sequence[Span], before: int, last: int, max_chars: int, overlap_chars: int) -> int:
    """The first unit of the run that comes after the one from unit `before` to unit `last`."""
    first = last + 1
    end, new_end = units[last][1], units[last + 1][1]
    while (
        first - 1 > before and end - units[first - 1][0] <= overlap_chars and new_end - units[first - 1][0] <= max_chars
    ):
        first -= 1
    return first


def windows(documents: Sequence[Document], max_chars: int, overlap_chars: int) -> dict[str, Window]:
    """Example id → window: a document of at most `max_chars` is its own, a longer one has `<id>/0`, `<id>/1`, …

    Raises ConfigError where another document has the id of a window.
    """
    found: dict[str, Window] = {}
    for document in documents:
        cut = {f"texts/{document.id}": Window(document, 0, len(document.text))}
        if len(document.text) > max_chars:
            spans = overlapping(document.text, document.lang, max_chars, overlap_chars)
            cut = {f"texts/{document.id}/{number}": Window(document, *span) for number, span in enumerate(spans)}
        if taken := cut.keys() & found.keys():
            raise ConfigError(f"two texts or their windows have the id {min(taken)!r}; name one of them otherwise")
        found |= cut
    return found


def rows(
    cut: Mapping[str, Window], task: str, labels: Sequence[Label], prompts: Prompts, options: AskOptions
) -> list[dict]:
    """The instruction rows of all windows, by the code that makes a build's test rows (all labels asked).

    Raises ConfigError for triggers of a type that is not among `labels`.
    """
    names = [label.name for label in labels]
    examples = [_example(example_id, window, task, names) for example_id, window in cut.items()]
    what = ask_spec(task, labels, None, prompts, options)
    made: list[dict] = []
    for table in bounded(_tables(examples), what):
        made += instruction_table(table, what)[0].to_pylist()
    return [row | {"label": None} for row in made]  # the triggers that were given are no gold


def _example(example_id: str, window: Window, task: str, labels: Sequence[str]) -> Example:
    """The window as an unannotated Example, but for the triggers that EEA asks about."""
    document = window.document
    text = document.text[window.start : window.end]
    events = tuple(
        Event(label, Mention(trigger))
        for label, triggers in document.triggers.items()
        for trigger in triggers
        if trigger in text
    )
    strange = sorted({event.label for event in events} - set(labels))
    if strange:
        near = difflib.get_close_matches(strange[0], labels, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"text {document.id}: triggers of {strange[0]!r}, which is no label{hint}")
    return Example(
        id=example_id,
        source="texts",
        split="test",
        lang=document.lang,
        text=text,
        tasks=(task,),
        entities=None,
        relations=None,
        events=events if task == "EEA" else None,
    )


def _tables(examples: Sequence[Example]) -> Iterable[pa.Table]:
    for start in range(0, len(examples), EXAMPLES_A_TABLE):
        yield examples_to_table(examples[start : start + EXAMPLES_A_TABLE])
