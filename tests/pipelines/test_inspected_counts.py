"""`ieforge inspect` shows the counts of what a build then reads."""

import json
from pathlib import Path

import pytest

from pipelines import build, build_folder, inspecting
from schemas.manifests import Ingested
from tests.label_studio_tasks import span, task

NAMES = ("Anna", "Ben", "Carla")


def label_studio(number: int, **data) -> list[dict]:
    """Tasks of which every third is annotated by two people, and one has a span beyond the end of its text."""
    tasks = []
    for n in range(number):
        text = f"{NAMES[n % 3]} has house {n} in Rome."
        marked = {"a@x": [(NAMES[n % 3], "PER"), ("Rome", "LOC")]}
        if n % 3 == 0:
            marked["b@x"] = [(NAMES[n % 3], "PER"), ("Rome", "CITY")]
        tasks.append(task(n, text, marked, document_id=f"d{n % 9}", **data))
    tasks[1]["annotations"][0]["result"].append(span("Rome", "Rome", "LOC"))
    tasks[1]["annotations"][0]["result"][-1]["value"] |= {"start": 500, "end": 504}
    return tasks


def doccano(number: int, label: str) -> str:
    rows = [{"id": n, "text": f"Anna has house {n}.", "label": [[0, 4, label]]} for n in range(number)]
    return "".join(f"{json.dumps(row)}\n" for row in [*rows, {"id": number, "label": []}])


def brat(number: int) -> dict[str, str]:
    files = {}
    for n in range(number):
        files[f"d{n}.txt"] = f"Anna has house {n}.\n"
        files[f"d{n}.ann"] = "T1\tPER 0 4\tAnna\n" + "T2\tOBJ 9 14\thouse\n" * (n % 2)
    return files


UNIFIED = {
    "source.yaml": "task: NER\n",
    "schema.json": '["person"]\n["lives in"]\n{}\n',
    "train.json": "".join(
        json.dumps({"text": f"Anna has house {n}.", "entity": [{"entity": "Anna", "entity_type": label}]}) + "\n"
        for n, label in enumerate(["person"] * 9 + ["thing"])
    ),
}
GROUPED = "splits: {train: 0.4, validation: 0.1, test: 0.5}\ngroup_by: document_id\n"
FOLDERS = {
    "gold": {"a.json": json.dumps(label_studio(40))},
    "every": {"a.json": json.dumps(label_studio(40)), "source.yaml": "annotators: all\n"},
    "named": {"a.json": json.dumps(label_studio(40)), "source.yaml": "annotators: b@x\nlabels: {CITY: null}\n"},
    "majority": {"a.json": json.dumps(label_studio(40)), "source.yaml": "annotators: majority\nmin_annotators: 2\n"},
    "grouped": {"a.json": json.dumps(label_studio(40)), "source.yaml": GROUPED},
    "alone": {"a.json": json.dumps([task(1, "Anna left.", {"a@x": [("Anna", "PER")]})])},
    "splits": {"train.json": json.dumps(label_studio(20)), "test.json": json.dumps(label_studio(9))},
    "users": {"ann.jsonl": doccano(30, "PER"), "ben.jsonl": doccano(30, "PER"), "eve.jsonl": doccano(30, "MAN")},
    "parts": {"one.jsonl": doccano(3, "PER"), "two.jsonl": doccano(15, "PER").split("\n", 3)[3]},
    "brat": {**brat(12), "source.yaml": "complete: [PER]\n"},
    "unified": UNIFIED,
    "columns": {"train.conll": "Anna B-PER\nleft O\n\nBen B-PER\nleft\n", "test.conll": "Ben B-PER\nleft O\n"},
}


def write_folder(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def read(tmp_path_factory) -> tuple[dict, Ingested]:
    """Key → what inspect shows, and the manifest of a build."""
    root = tmp_path_factory.mktemp("read")
    for name, files in FOLDERS.items():
        write_folder(root / "data" / name, files)
    inspection = inspecting.inspect(str(root / "data"))
    flags = ["--hard_negatives", "none", "--only", "ingest"]
    assert build.main(["--data_root", str(root / "data"), "--output", str(root / "build"), *flags]) == 0
    inspected = {source.located.key: source for source in inspection.sources}
    return inspected, build_folder.read_result(str(root / "build"), Ingested)


@pytest.mark.parametrize("key", FOLDERS)
def test_counts(read, key):
    inspected, ingested = read
    assert (inspected[key].problem, ingested.failed.get(key, "")) == ("", "")
    built = {split.split: split for split in ingested.splits if split.key == key}
    survey = inspected[key].survey
    assert survey.splits.keys() == built.keys()
    for name, counts in survey.splits.items():
        split = built[name]
        assert (counts.texts, counts.annotated) == (split.read.examples, split.annotated)
        layers = ("entities", "relations", "events")
        assert [counts.layers[layer] for layer in layers] == [getattr(split.read, layer) for layer in layers]
        assert (counts.rejected, counts.lost) == (split.rejected, split.lost)
        assert counts.first_rejects == [line for line in split.first_rejects if ": not_chosen: " not in line]
    annotators = survey.comparison.annotators()
    assert ingested.annotators.get(key) == (annotators if annotators.texts else None)


def test_the_folders_differ_in_what_is_read(read):
    """Else the counts would be equal for too simple a reason."""
    _, ingested = read
    splits: dict[str, list] = {}
    for split in ingested.splits:
        splits.setdefault(split.key, []).append(split)
    texts = {key: sum(split.read.examples for split in group) for key, group in splits.items()}
    assert texts == {
        **{"gold": 40, "every": 54, "named": 14, "majority": 40, "grouped": 40, "splits": 29, "users": 30},
        **{"parts": 15, "alone": 1, "brat": 12, "columns": 2, "unified": 9},
    }
    left_out = {key: sum(split.rejected.get("not_chosen", 0) for split in group) for key, group in splits.items()}
    assert {key: number for key, number in left_out.items() if number} == {
        **{"gold": 14, "named": 40, "grouped": 14, "splits": 10, "users": 60},
    }
    several = {key for key, annotators in ingested.annotators.items() if len(annotators.texts) > 1}
    assert several == {"gold", "every", "named", "majority", "grouped", "splits", "users"}
    assert ingested.annotators["splits"].texts == {"a@x": 29, "b@x": 10}
    assert [pair.texts for pair in ingested.annotators["users"].pairs] == [30, 30, 30]
