"""`ieforge rejects`: the records and annotations that a build left out, as text."""

import json

import pytest

from pipelines import build as build_command
from pipelines import rejects as command
from schemas.errors import Reason
from tests.tool_files import tool_file

ROWS = [
    {"text": "Ada Marrow moved to Coal Quay.", "label": [[0, 10, "person"], [7, 7, "place"]]},
    {"label": []},
    {"text": "Ada Marrow moved to Coal Quay.", "label": [[0, 10, "person"]]},
    {"text": "Ben Hollow met Ada Marrow at the fair.", "label": [[0, 10, "person"]]},
]
INGEST = [
    "ingest quays train train.jsonl:2: missing_field: the row has no text, only label",
    "ingest quays train train.jsonl:1: offset_mismatch: 'place': 7 to 7 is an empty span",
]
DUPLICATE = "the same text occurs elsewhere in this split with the same annotations"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rejects")
    (folder / "quays").mkdir()
    tool_file(folder / "quays", "\n".join(map(json.dumps, ROWS)), "train.jsonl")
    flags = ["--data_root", f"{folder}/quays", "--output", f"{folder}/out", "--only", "clean"]
    assert build_command.main(flags) == 0
    return f"{folder}/out"


def test_all_of_them(built, capsys):
    assert command.main([built]) == 0
    *ingest, clean = capsys.readouterr().out.splitlines()
    assert ingest == INGEST
    assert clean.startswith("clean quays train quays/train/") and clean.endswith("Ada Marrow moved to Coal Quay.")


def test_choice_and_limit(built, capsys):
    assert command.main([built, "--source", "quays", "--limit", "1"]) == 0
    out, err = capsys.readouterr()
    assert (out.splitlines(), err) == (INGEST[:1], "note: 1 of 3; --limit 3 prints all of them\n")
    assert command.main([built, "--reason", "offset_mismatch,leakage"]) == 0
    assert capsys.readouterr().out.splitlines() == INGEST[1:]
    assert command.main([built, "--reason", "leakage"]) == 0
    assert capsys.readouterr().out == "no such reject\n"


def test_json(built, capsys):
    assert command.main([built, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["reason"] for row in rows][:2] == ["missing_field", "offset_mismatch"]
    assert [row["text"] for row in rows] == ["", "", "Ada Marrow moved to Coal Quay."]


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--source", "quay"], "error: --source quay: no source of this build; did you mean quays?"),
        (["--reason", "foo"], f"error: --reason foo: no such reason; known reasons: {', '.join(Reason)}"),
        (["--reason", "leak"], "error: --reason leak: no such reason; did you mean leakage, near_leak?"),
        (["--limit", "0"], "error: --limit 0: must be a number of at least 1"),
        (["--limit", "many"], "error: --limit many: must be a number of at least 1"),
    ],
)
def test_wrong_flags(built, flags, line, capsys):
    assert command.main([built, *flags]) == 2
    assert capsys.readouterr().err == f"{line}\n"


def test_a_folder_that_is_no_build(tmp_path, capsys):
    assert command.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}: not a build; ")
    assert command.main([f"{tmp_path}/nowhere"]) == 2
