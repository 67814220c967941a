"""`ieforge inspect`: shifted offsets and repeated ids among the problems, and how many of each kind are shown."""

import json

from pipelines.sources import problems
from schemas.example import RawExample
from tests.label_studio_tasks import task
from tests.pipelines.test_inspect import ROWS, shown, write_rows


def test_offsets_that_are_shifted_are_a_problem(tmp_path, capsys):
    """doccano's files do not contain the strings of mentions, so only their edges can tell that a text was changed."""
    rows = [{"text": "Now Ada Marrow left.", "label": [[0, 10, "person"], [4, 14, "person"]]}]
    write_rows(tmp_path / "a/train.jsonl", rows)
    out = shown(capsys, f"{tmp_path}/a")
    assert "inside a word (are the offsets those of this text?): 1\n" in out
    assert '      train.jsonl:1: person "[Now Ada Ma]rrow lef"\n' in out


IDS = "    records with the id of another one, and another text: "


def test_ids_of_several_texts_are_a_problem(tmp_path, capsys):
    """Two exports in one folder, both numbered from 1; the same text twice is no problem."""
    write_rows(tmp_path / "a/train.jsonl", [{"id": number, **ROWS[number]} for number in (0, 1, 2)])
    write_rows(tmp_path / "a/train2.jsonl", [{"id": 0, **ROWS[0]}, {"id": 1, **ROWS[4]}, {"id": 1, **ROWS[2]}])
    lines = shown(capsys, f"{tmp_path}/a").splitlines()
    at = lines.index(f"{IDS}2")
    assert lines[at + 1 : at + 3] == [
        "      train2.jsonl:2: two records with the id 1, the first at train.jsonl:2",
        "      train2.jsonl:3: two records with the id 1, the first at train.jsonl:2",
    ]
    (tmp_path / "b").mkdir()
    tasks = [task(7, "Ada left.", {"ann": [("Ada", "p")]}), task(7, "Bo left.", {"ann": [("Bo", "p")]})]
    (tmp_path / "b/train.json").write_text(json.dumps(tasks, indent=1))
    assert f"{IDS}1\n" in shown(capsys, f"{tmp_path}/b")


def test_ids_beyond_the_limit_are_not_remembered(monkeypatch):
    monkeypatch.setattr(problems, "IDS", 1)
    ids = problems.Ids()
    records = [RawExample(f"f:{number}", f"text {number}", item=str(number % 2)) for number in range(4)]
    assert [problem.place for record in records for problem in ids.problems(record)] == ["f:2"]
    assert list(ids.texts) == ["0"]


def test_twenty_problems_are_spread_over_the_kinds(tmp_path, capsys):
    write_rows(tmp_path / "a/train.jsonl", [{"label": []}, *ROWS[:3]] * 15)
    lines = shown(capsys, f"{tmp_path}/a", code=3).splitlines()
    assert lines[2].startswith(
        "  problem: train: 15 of 60 records rejected (25.0%, allowed 2.0%), first train.jsonl:1: "
    )
    start = lines.index("  problems: 47, the first 20:")
    kinds = [line for line in lines[start + 1 :] if line.startswith("    ") and line[4] != " "]
    places = [line for line in lines[start + 1 :] if line.startswith("      ")]
    assert len(kinds) == 5 and len(places) == 20
