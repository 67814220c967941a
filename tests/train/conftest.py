"""Shared by the tests of train/: no network, a separate cache, made-up rows, and tiny random models."""

import json
import os
import tempfile
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the libraries are first imported, which tests do late
os.environ.setdefault("HF_DATASETS_CACHE", tempfile.mkdtemp(prefix="ieforge-datasets-"))

PEOPLE = ("Ada Lund", "Bo Kerr", "Cy Marsh", "Di Holm")
PLACES = ("Aldby", "Brevik", "Corno", "Dunvale")


def ner_row(number: int, split: str | None = None) -> dict:
    """A row in the form of IEPile's train.json with a made-up text; every third one is all-negative."""
    person, place = PEOPLE[number % 4], PLACES[number // 4 % 4]
    result = number % 3 != 0
    text = f"{person} sailed to {place} with {number} crates." if result else f"It rained for {number} days."
    schema = ["person", "place"] if number % 2 else ["place", "person"]
    answer = {"person": [person] if result else [], "place": [place] if result else []}
    row = {
        "task": "NER",
        "source": "harbour" if number % 5 else "weather",
        "instruction": json.dumps({"instruction": "Name them.", "schema": schema, "input": text}),
        "output": json.dumps({label: answer[label] for label in schema}),
    }
    return row if split is None else {**row, "split": split}


def write_rows(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def one_thread():
    """Limits torch to one thread: where other programs run, threads that wait for each other are slower than one."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory) -> str:
    """24 rows in IEPile's form, without splits."""
    return write_rows(tmp_path_factory.mktemp("rows") / "train.json", [ner_row(number) for number in range(24)])


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory, rows_file) -> str:
    """A random model of two layers in a folder named `base`, its tokenizer trained on `rows_file`."""
    from train import tiny

    texts = Path(rows_file).read_text(encoding="utf-8").splitlines()
    return tiny.save(texts, tmp_path_factory.mktemp("tiny") / "base", vocab_size=400, hidden_size=32)


@pytest.fixture(scope="session")
def notes_file(tmp_path_factory) -> str:
    """12 test rows (two batches of labels for each of 6 texts) and 12 validation rows of a made-up source "Notes"."""
    from tests.train.predicting import rows_for

    rows = rows_for("test", range(6)) + rows_for("validation", range(20, 26))
    return write_rows(tmp_path_factory.mktemp("notes") / "rows.jsonl", rows)


@pytest.fixture(scope="session")
def notes_model(tmp_path_factory, notes_file) -> str:
    """A random model of two layers, its tokenizer trained on `notes_file`."""
    from train import tiny

    texts = [json.loads(line)["instruction"] for line in Path(notes_file).read_text(encoding="utf-8").splitlines()]
    return tiny.save(texts, tmp_path_factory.mktemp("notes-model") / "model", vocab_size=600, hidden_size=32)
