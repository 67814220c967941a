"""Every way to write a file × every place that reads one: the file is read the same, or refused with one line.

The line names the file. A new place that reads files needs one function in ENTRY_POINTS, and a new way to write files
one line in CONVENTIONS. The last tests are about a convention of the code: names that say nothing are not used.
"""

import ast
import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hard_negatives import contrast_file, dictionary
from pipelines.sources import load, reading, user_data
from schemas.errors import BadRecord, IEForgeError
from tests.conftest import ROOT
from tests.test_imports import MAY_IMPORT
from tests.train.conftest import ner_row
from transforms import prompts
from transforms.files import File

TEXTS = ("Ada Lund sailed to Brevik.", "Åse Kjær stayed; 王芳去了港口。")


@dataclass(frozen=True)
class EntryPoint:
    """`read` takes the path of a file and returns a value to compare. `kind`: one of ALL."""

    file: str
    kind: str
    content: str
    read: Callable[[Path], object]


@dataclass(frozen=True)
class Read:
    """The result of a reader: (language, text, entities) of each good record, and the bad records."""

    good: list[tuple]
    bad: list[BadRecord]


def rows_as_lines(rows: list[dict]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def texts_as_objects() -> EntryPoint:
    from train.prediction import texts

    content = rows_as_lines([{"text": text, "id": str(at)} for at, text in enumerate(TEXTS)])
    return EntryPoint("texts.jsonl", "objects", content, lambda path: texts.read(str(path), "NER"))


def texts_as_lines() -> EntryPoint:
    from train.prediction import texts

    content = "".join(f"{text}\n" for text in TEXTS)
    return EntryPoint("texts.txt", "lines", content, lambda path: texts.read(str(path), "NER"))


def rows_to_train_on() -> EntryPoint:
    from train import corpus

    rows = [{**ner_row(1), "source": "港"}, ner_row(2)]
    return EntryPoint("rows.jsonl", "objects", rows_as_lines(rows), lambda path: list(corpus.rows(str(path), "train")))


def predicted(output: str = '{"person": ["Åse"]}') -> dict:
    prompt = {"instruction": "Name them.", "schema": ["person"], "input": TEXTS[1]}
    gold = [{"entity": "Åse", "entity_type": "person"}]
    return {"id": "a/0", "example_id": "a", "task": "NER", "instruction": prompt, "label": gold, "output": output}


def predictions() -> EntryPoint:
    from train.scoring.predictions import load

    def read(path: Path) -> object:
        return [(r.id, r.text, r.gold, [a.text for a in r.answers]) for r in load(str(path)).records]

    rows = [predicted(), {**predicted(), "id": "b/0", "example_id": "b"}]
    return EntryPoint("predictions.jsonl", "objects", rows_as_lines(rows), read)


def gold() -> EntryPoint:
    from train.scoring.predictions import load

    def read(path: Path) -> object:
        answers = path.with_name("answers.jsonl")
        answers.write_text(rows_as_lines([{"id": "a/0", "output": "{}"}]), encoding="utf-8")
        return [(r.text, r.gold) for r in load(str(answers), str(path)).records]

    return EntryPoint("gold.jsonl", "objects", rows_as_lines([predicted()]), read)


def labels_as_json() -> EntryPoint:
    from train.prediction import labels

    return EntryPoint("labels.json", "json", '["person",\n "港"]\n', lambda path: labels.read(str(path), "NER"))


def labels_as_lines() -> EntryPoint:
    from train.prediction import labels

    return EntryPoint("labels.txt", "lines", "person\n港\n", lambda path: labels.read(str(path), "NER"))


def dictionaries() -> EntryPoint:
    return EntryPoint("mine.json", "json", '{"城市": ["河"],\n "a": ["b"]}\n', lambda path: dictionary.load(str(path)))


def contrast_lines() -> EntryPoint:
    content = '{"NER":\n {"港": {"城市": {"contrast": "不是“河”"}}}}\n'
    return EntryPoint("lines.json", "json", content, lambda path: contrast_file.read(str(path)))


def prompt_texts() -> EntryPoint:
    content = "NER:\n  en: [Name them.]\n  zh: [找出来]\n"
    return EntryPoint("mine.yaml", "yaml", content, lambda path: prompts.load(path, tasks=["NER"]))


ENTRY_POINTS = (
    texts_as_objects,
    texts_as_lines,
    rows_to_train_on,
    predictions,
    gold,
    labels_as_json,
    labels_as_lines,
    dictionaries,
    contrast_lines,
    prompt_texts,
)


def as_array(content: bytes, **layout) -> bytes:
    return json.dumps([json.loads(line) for line in content.splitlines()], ensure_ascii=False, **layout).encode()


def with_value(value: bytes) -> Callable[[bytes], bytes]:
    """Adds a JSON value to the file's last object or list."""

    def change(content: bytes) -> bytes:
        end = content.rstrip()
        more = b', "unknown": ' if end.endswith(b"}") else b", "
        return end[:-1] + more + value + end[-1:] + b"\n"

    return change


JSON = ("objects", "json")
ALL = (*JSON, "lines", "columns", "yaml")


@dataclass(frozen=True)
class Convention:
    """`change`: from the bytes of a normal file to those of this convention. `kinds`: the kinds of files that it can
    change. `refusal`: pattern of the error; None if the file is read the same. `or_read`: reading it the same is right
    too, since a reader need not parse values that it skips.
    """

    change: Callable[[bytes], bytes]
    kinds: tuple[str, ...]
    refusal: str | None = None
    or_read: bool = False


CONVENTIONS = {
    "unchanged": Convention(lambda content: content, ALL),
    "byte order mark": Convention(lambda content: b"\xef\xbb\xbf" + content, ALL),
    "CRLF": Convention(lambda content: content.replace(b"\n", b"\r\n"), ALL),
    "blank lines": Convention(lambda content: b"\n\n" + content.replace(b"\n", b"\n \n"), ("objects", "lines", "yaml")),
    "no last line end": Convention(lambda content: content.rstrip(b"\n"), ALL),
    "an array": Convention(as_array, ("objects",)),
    "an indented array": Convention(lambda content: b"\n" + as_array(content, indent=1), ("objects",)),
    "escapes": Convention(lambda content: json.dumps(json.loads(content)).encode(), ("json",)),
    "UTF-16": Convention(lambda content: content.decode().encode("utf-16"), (*JSON, "lines", "columns"), "UTF-16"),
    "UTF-16 with its mark": Convention(lambda content: content.decode().encode("utf-16"), ("yaml",)),  # YAML 1.2, 5.2
    "gzip": Convention(gzip.compress, ALL, r"compressed \(gzip\)|invalid YAML"),
    "Latin-1": Convention(lambda content: re.sub(b"[\x80-\xff]+", b"\xe9", content), ALL, "UTF-8|utf-8"),
    "empty": Convention(lambda content: b"", ALL, ""),
    "deep nesting": Convention(with_value(b"[" * 100_000 + b"]" * 100_000), JSON, "nested too deep"),
    "nesting at the limit": Convention(with_value(b"[" * 950 + b"]" * 950), JSON, "nested|expected|Expected", True),
    "5,000 digits": Convention(with_value(b"9" * 5000), JSON, "out of range", True),
    "half a surrogate pair": Convention(with_value(b'"\\ud83d"'), JSON, r"an unpaired surrogate: \\ud83d"),
    "the other half": Convention(with_value(b'"a\\uDE00"'), JSON, r"an unpaired surrogate: \\uDE00"),
    "NUL": Convention(with_value(b'"a\0b"'), JSON, "(no valid|invalid) JSON"),
    "NaN": Convention(with_value(b"NaN"), JSON, "(no valid|invalid) JSON"),
    "a truncated end": Convention(lambda content: content.rstrip()[:-1], JSON, "(no valid|invalid) JSON"),
}
CELLS = [
    pytest.param(convention, entry, id=f"{name}-{entry.__name__}")
    for name, convention in CONVENTIONS.items()
    for entry in ENTRY_POINTS
    if entry().kind in convention.kinds
]


@pytest.mark.parametrize(("convention", "entry"), CELLS)
def test_a_file_is_read_the_same_or_refused_in_one_line(convention, entry, tmp_path):
    point = entry()
    plain, path = tmp_path / point.file, tmp_path / "other" / point.file
    path.parent.mkdir()
    plain.write_text(point.content, encoding="utf-8", newline="\n")
    path.write_bytes(convention.change(point.content.encode()))
    try:
        result = point.read(path)
    except IEForgeError as error:
        shown = str(error)
        assert convention.refusal is not None and re.search(convention.refusal, shown), shown
        assert len(shown.splitlines()) == 1 and len(shown) < 500 and str(path) in shown
        shown.encode()
    else:
        assert convention.refusal is None or convention.or_read
        assert result == point.read(plain)


def column_files() -> EntryPoint:
    content = "".join(f"{text} NN O {tag}\n" for text, tag in (("Åse", "I-PER"), ("港", "O"))) + "\nAda NN O I-PER\n"
    return EntryPoint("eng.train", "columns", content, lambda path: read_dataset("conll2003", path))


def json_files() -> EntryPoint:
    rows = [{"text": text, "label": {"name": {text[:3]: [[0, 2]]}}} for text in TEXTS]
    return EntryPoint("train.json", "objects", rows_as_lines(rows), lambda path: read_dataset("clue_ner", path))


def user_data_files() -> EntryPoint:
    rows = [{"text": text, "entity": [{"entity": text[:3], "entity_type": "person"}]} for text in TEXTS]
    return EntryPoint("train.json", "objects", rows_as_lines(rows), read_user_folder)


def read_dataset(key: str, path: Path) -> Read:
    return as_read(reading.records(load(key), load(key).forms[0], [File(str(path), path.name)]))


def read_user_folder(path: Path) -> Read:
    """As a build reads a folder of user data: the language and the task are those of its files."""
    for name, text in (("schema.json", '["person"]\n[]\n{}\n'), ("source.yaml", "task: NER\n")):
        path.with_name(name).write_text(text, encoding="utf-8")
    (folder,) = user_data.sources_below(str(path.parent))
    assert not folder.problem
    records = reading.records(folder.source, folder.files.form, folder.files.splits["train"])
    return as_read(records, folder.source.lang)


def as_read(records, lang: str = "") -> Read:
    good, bad = [], []
    for record in records:
        if isinstance(record, BadRecord):
            bad.append(record)
        else:
            good.append((lang, record.text, record.entities))
    return Read(good, bad)


READERS = (column_files, json_files, user_data_files)
READ_ALIKE = ("UTF-16",)
"""Conventions that are read in datasets, but refused in files that a user names on the command line."""


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        (name, entry)
        for name, convention in CONVENTIONS.items()
        for entry in READERS
        if entry().kind in convention.kinds
    ],
)
def test_a_data_file_is_read_the_same_or_loses_bad_records(name, entry, tmp_path):
    convention, point = CONVENTIONS[name], entry()
    plain, path = tmp_path / "plain" / point.file, tmp_path / "other" / point.file
    for folder in (plain.parent, path.parent):
        folder.mkdir()
    plain.write_text(point.content, encoding="utf-8", newline="\n")
    path.write_bytes(convention.change(point.content.encode()))
    expected, result = point.read(plain), point.read(path)
    assert expected.good and not expected.bad
    if convention.refusal is None or name in READ_ALIKE:
        assert (result.good, result.bad) == (expected.good, [])
    elif name != "empty" and not (convention.or_read and result.good == expected.good):
        assert result.bad and len(result.good) < len(expected.good)
        assert all(text in point.content for _, text, _ in result.good)
        assert all(re.fullmatch(rf"{point.file}:[0-9]+", record.place) for record in result.bad)


@pytest.mark.parametrize("name", ["half a surrogate pair", "deep nesting", "NaN", "NUL"])
@pytest.mark.parametrize("entry", [entry for entry in ENTRY_POINTS if entry().kind == "objects"])
def test_the_line_of_a_bad_object_is_reported(name, entry, tmp_path):
    point = entry()
    path = tmp_path / point.file
    path.write_bytes(CONVENTIONS[name].change(point.content.encode()))
    with pytest.raises(IEForgeError) as error:
        point.read(path)
    assert str(error.value).startswith(f"{path}:{point.content.count(chr(10))}: ")


def test_the_line_within_an_array_is_reported(tmp_path):
    from train.prediction import texts

    path = tmp_path / "texts.json"
    path.write_text('[\n{"text": "Ada"},\n\n{"text": "Bo",\n "lang": "en"},\n{"text": 3}]')
    with pytest.raises(IEForgeError, match=r"texts.json:6: expected a JSON object with a \"text\""):
        texts.read(str(path), "NER")
    path.write_text('[\n{"text": "Ada"},\n{"text": "Ada"},, ]')
    with pytest.raises(IEForgeError, match=r"texts.json:3: invalid JSON"):
        texts.read(str(path), "NER")


def test_nan_means_no_value_in_an_answer(tmp_path):
    from train.score import score

    prompt = {"instruction": "Fill them.", "schema": [{"event_type": "meet", "trigger": True, "arguments": ["who"]}]}
    row = {"id": "a", "task": "EE", "instruction": {**prompt, "input": "They met."}}
    row["label"] = [{"event_type": "meet", "event_trigger": "met", "arguments": []}]
    row["output"] = '{"meet": [{"trigger": "met", "arguments": {"who": "NAN"}}]}'
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(row))
    assert score([str(path)], draws=0).total.predicted == 1


MEANINGLESS = {"found", "told", "said", "asked", "own", "of", "listed", "stands", "holds", "together"}
"""Not names of variables, parameters, functions or classes: the reader cannot tell what they are."""


def defined_names(source: str) -> list[tuple[int, str]]:
    """(line, name) of every variable, parameter, function and class that a module defines."""
    names = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                names.append((node.lineno, name))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.append((node.lineno, name))
            case ast.MatchAs(name=name) | ast.MatchStar(name=name) | ast.ExceptHandler(name=name) if name:
                names.append((node.lineno, name))
            case ast.alias(asname=name) if name:
                names.append((node.lineno, name))
    return sorted(names)


@pytest.mark.parametrize("package", [*MAY_IMPORT, "tests"])
def test_no_name_is_meaningless(package):
    places = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, name in defined_names(path.read_text(encoding="utf-8"))
        if name in MEANINGLESS
    ]
    assert not places, "\n".join(places)


@pytest.mark.parametrize(
    "source",
    [
        "found = 1",
        "for i, found in x: pass",
        "lambda found: 1",
        "def f(*, found=1): pass",
        "async def found(): pass",
        "class found: pass",
        "[found for found in x]",
        "import x as found",
        "match x:\n case [1, *found]: pass",
        "match x:\n case {'a': found}: pass",
        "try: pass\nexcept E as found: pass",
        "with x as found: pass",
    ],
)
def test_defined_names_are_detected(source):
    assert "found" in [name for _, name in defined_names(source)]
    assert defined_names("x.found(found=y.found)[found]") == []
