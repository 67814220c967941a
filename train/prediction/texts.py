"""A user's texts and labels → instruction rows as in a build, with long documents in overlapping windows."""

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa

from schemas import language
from schemas.answer_form import DEFAULT
from schemas.arrow import examples_to_table
from schemas.errors import ConfigError, names_hint
from schemas.example import Event, Example, Mention, Span
from schemas.label import Label, LabelSet
from transforms import user_files
from transforms.ask import AskOptions, ask_spec
from transforms.clean import Steps, repair_text, span_before
from transforms.instruct import bounded, instruction_table
from transforms.label_descriptions import described_labels
from transforms.language import detect_language
from transforms.prompts import Prompts
from transforms.sentences import pieces, sentences

EXAMPLES_PER_TABLE = 1_000

EXPECTED = 'expected a JSON object with a "text" that is not empty'


@dataclass(frozen=True, slots=True)
class Document:
    """A text of the user: the `original`, and `text`, repaired by `steps` as in a build.

    `triggers`: event type → repaired triggers, for EEA.
    """

    id: str
    original: str
    text: str
    steps: Steps
    lang: str
    triggers: Mapping[str, Sequence[str]]

    def original_span(self, span: Span) -> Span:
        """Maps a span of `text` to `original`."""
        return span_before(span, self.steps)


@dataclass(frozen=True, slots=True)
class Window:
    """A span of a document's repaired text (offsets in code points)."""

    document: Document
    start: int
    end: int


def read(path: str, task: str, lang: str | None = None) -> list[Document]:
    """Reads the texts of a file. `.jsonl` and `.json` files contain JSON objects with `text` and optionally `id`,
    `lang` and `triggers`, one per line or in one array. Other files contain one text per line. Blank lines are skipped.
    `lang`: the language code of texts without one; if None, it is detected (`transforms.language`).

    Raises ConfigError, with the line, for the errors of `transforms.user_files`, invalid rows, a text that is empty
    after its repair, a repeated id, EEA without triggers, and a file without texts.
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
            raise ConfigError(f'{place}: EEA needs the key "triggers": event type → list of triggers')
        if document.id in documents:
            raise ConfigError(f"{place}: the id {reprlib.repr(document.id)} occurs twice in this file; ids must differ")
        documents[document.id] = document
    if not documents:
        raise ConfigError(f"{path}: contains no texts")
    return list(documents.values())


def _document(row: dict, default_id: str, lang: str | None, place: str) -> Document:
    text, identity, triggers = row.get("text"), row.get("id", default_id), row.get("triggers") or {}
    if not isinstance(text, str) or not text.strip():
        raise ConfigError(f"{place}: {EXPECTED}")
    if not isinstance(identity, str | int):
        raise ConfigError(f"{place}: the id must be a string or a number")
    if not isinstance(triggers, dict) or not all(
        isinstance(values, list) and values and all(isinstance(trigger, str) and trigger for trigger in values)
        for values in triggers.values()
    ):
        raise ConfigError(f'{place}: "triggers" must be a map event type → list of triggers')
    stated = row.get("lang")
    code = language.code(stated) if isinstance(stated, str) else None
    if stated and code is None:
        raise ConfigError(f"{place}: {language.problem('lang', stated)}")
    repaired, steps = repair_text(text)
    if not repaired:
        raise ConfigError(f"{place}: the text consists of invisible characters only; remove it")
    repaired_triggers = {
        label: [_trigger(value, repaired, place) for value in values] for label, values in triggers.items()
    }
    return Document(str(identity), text, repaired, steps, code or lang or detect_language(text), repaired_triggers)


def _trigger(value: str, text: str, place: str) -> str:
    trigger, _ = repair_text(value)
    if not trigger or trigger not in text:
        raise ConfigError(f"{place}: the trigger {reprlib.repr(value)} does not occur in the text")
    return trigger


def overlapping(text: str, lang: str, max_chars: int, overlap_chars: int) -> list[Span]:
    """Cuts a text into overlapping spans of whole sentences, of at most `max_chars` code points, without outer blanks.

    Each span begins with the last sentences of the previous one that have at most `overlap_chars` in total, as far as
    there is room for a new sentence. A longer sentence is cut (`transforms.sentences.pieces`).
    """
    units = [piece for sentence in sentences(text, lang) for piece in pieces(text, sentence, max_chars, ())]
    runs, first, last = [], 0, -1
    while last + 1 < len(units):
        first = _first(units, first, last, max_chars, overlap_chars)
        last += 1
        while last + 1 < len(units) and units[last + 1][1] - units[first][0] <= max_chars:
            last += 1
        runs.append((units[first][0], units[last][1]))
    return runs


def _first(units: Sequence[Span], before: int, last: int, max_chars: int, overlap_chars: int) -> int:
    """The index of the first unit of the span after the one from unit `before` to unit `last`."""
    first = last + 1
    end, new_end = units[last][1], units[last + 1][1]
    while (
        first - 1 > before and end - units[first - 1][0] <= overlap_chars and new_end - units[first - 1][0] <= max_chars
    ):
        first -= 1
    return first


def windows(documents: Sequence[Document], max_chars: int, overlap_chars: int) -> dict[str, Window]:
    """Example id → window. A document of at most `max_chars` is one window; a longer one has `<id>/0`, `<id>/1`, …

    Raises ConfigError if a document has the id of another one's window.
    """
    result: dict[str, Window] = {}
    for document in documents:
        cut = {f"texts/{document.id}": Window(document, 0, len(document.text))}
        if len(document.text) > max_chars:
            spans = overlapping(document.text, document.lang, max_chars, overlap_chars)
            cut = {f"texts/{document.id}/{number}": Window(document, *span) for number, span in enumerate(spans)}
        if taken := cut.keys() & result.keys():
            raise ConfigError(f"two texts or their windows have the id {min(taken)!r}; change one of the ids")
        result |= cut
    return result


def rows(
    cut: Mapping[str, Window],
    task: str,
    labels: Sequence[Label],
    prompts: Mapping[str, Prompts],
    options: AskOptions,
) -> list[dict]:
    """The instruction rows of all windows, made like the test rows of a build (all labels are requested). Prompts
    describe SPO labels without a description in the language of the text. `prompts`: by form.

    Raises ConfigError for triggers of a type that is not among `labels`.
    """
    names = [label.name for label in labels]
    examples = [_example(example_id, window, task, names) for example_id, window in cut.items()]
    made: list[dict] = []
    for lang, same_lang in groupby(examples, key=lambda example: example.lang):
        described = described_labels(LabelSet(task, "texts", "texts", lang, tuple(labels)))
        settings = ask_spec(task, described, None, prompts[DEFAULT], options, prompts)
        for table in bounded(_tables(list(same_lang)), settings):
            made += instruction_table(table, settings)[0].to_pylist()
    return [row | {"label": None} for row in made]  # the user's triggers are not gold


def _example(example_id: str, window: Window, task: str, labels: Sequence[str]) -> Example:
    """The window as an Example without annotations, except for the triggers of EEA."""
    document = window.document
    text = document.text[window.start : window.end]
    events = tuple(
        Event(label, Mention(trigger))
        for label, triggers in document.triggers.items()
        for trigger in triggers
        if trigger in text
    )
    unknown = sorted({event.label for event in events} - set(labels))
    if unknown:
        hint = names_hint(unknown[0], labels)
        raise ConfigError(f"text {document.id}: triggers for {unknown[0]!r}, which is not one of the labels; {hint}")
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
    for start in range(0, len(examples), EXAMPLES_PER_TABLE):
        yield examples_to_table(examples[start : start + EXAMPLES_PER_TABLE])
