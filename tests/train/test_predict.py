"""`python -m train.predict` from the flags to the files, with a server on loopback."""

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.serving import completion, serving
from tests.train.conftest import write_rows
from tests.train.predicting import ask, gold, lines, rows_for


def test_an_endpoint_answers_a_split(notes_file, tmp_path, capsys):
    output = tmp_path / "new" / "p.jsonl"
    with serving(gold) as served:
        assert ask(served, notes_file, output, "--json") == 0
    printed = capsys.readouterr()
    assert {"rows": 12, "predicted": 12, "failed": 0, "cut": 0}.items() <= json.loads(printed.out).items()
    assert "12 rows predicted" in printed.err
    rows = lines(output)
    expected = rows_for("test", range(6))
    assert [row["id"] for row in rows] == [row["id"] for row in expected]
    for row, original in zip(rows, expected, strict=True):
        assert row["output"] == json.loads(gold(original["instruction"])[1])["choices"][0]["message"]["content"]
        assert row["label"] == original["label"] and row["labels"] == list(original["labels"])
        same = ("example_id", "task", "source", "lang", "split", "text_sha256", "instruction")
        assert [row[name] for name in same] == [original[name] for name in same]
    first = lines(tmp_path / "new" / "p.joined.jsonl")[0]
    labels = [label for row in rows[:2] for label in json.loads(row["instruction"])["schema"]]
    assert first == {
        "id": "notes/test/0",
        "task": "NER",
        "source": "Notes",
        "lang": "en",
        "text": "On day 0 Asta met Berg at the quay.",
        "entity": [
            {"entity": "Asta", "entity_type": "person", "spans": [[9, 13]]},
            {"entity": "Berg", "entity_type": "person", "spans": [[18, 22]]},
        ],
        "labels": {"entity": labels},
        "unparseable": [],
    }
    assert len(lines(tmp_path / "new" / "p.joined.jsonl")) == 6


def test_rows_with_a_gold_output_keep_it_as_label(notes_file, tmp_path):
    with serving(gold) as served:
        assert ask(served, notes_file, tmp_path / "p.jsonl", "--split", "validation") == 0
    assert all(json.loads(row["label"]) == json.loads(row["output"]) for row in lines(tmp_path / "p.jsonl"))


def test_rows_without_ids_are_predicted(rows_file, tmp_path):
    """Like IEPile's train.json, which has no ids and no splits."""
    from train.scoring.predictions import load

    output = tmp_path / "p.jsonl"
    with serving(lambda *_: (200, completion('{"person": [], "place": []}'))) as served:
        assert ask(served, rows_file, output, "--split", "train") == 0
        whole = output.read_bytes()
        output.write_bytes(whole[: len(whole) // 2])
        assert ask(served, rows_file, output, "--split", "train") == 0
    assert output.read_bytes() == whole
    expected = [json.loads(line) for line in Path(rows_file).read_text().splitlines()]
    assert [row["instruction"] for row in lines(output)] == [row["instruction"] for row in expected]
    assert load(str(output)).rows == 24


def test_rows_without_a_task_need_the_flag(rows_file, tmp_path, capsys):
    bare = [{key: row[key] for key in ("instruction",)} for row in lines(rows_file)[:3]]
    old = write_rows(tmp_path / "old.json", [{**row, "id": "a", "label": "[]"} for row in bare])
    with serving(lambda *_: (200, completion("{}"))) as served:
        assert ask(served, old, tmp_path / "p.jsonl") == 2
        assert "old.json:1: no task; a row has task" in capsys.readouterr().err
        assert ask(served, old, tmp_path / "p.jsonl", "--task", "NER") == 0
    assert {(row["task"], row["source"]) for row in lines(tmp_path / "p.jsonl")} == {("NER", "old")}


def test_answers_that_all_reach_the_token_limit_are_noted(rows_file, tmp_path, capsys):
    rows = write_rows(tmp_path / "rows.json", lines(rows_file) * 2)
    for finish, notes in (("length", 1), ("stop", 0)):
        with serving(lambda *_, finish=finish: (200, completion("{}", finish))) as served:
            assert ask(served, rows, tmp_path / f"{finish}.jsonl") == 0
        assert capsys.readouterr().err.count("note: the first 32 answers all reached the token limit") == notes


def test_limit_counts_texts_and_keeps_all_their_rows(notes_file, tmp_path):
    with serving(gold) as served:
        assert ask(served, notes_file, tmp_path / "p.jsonl", "--limit", "2") == 0
    assert [row["id"] for row in lines(tmp_path / "p.jsonl")] == [row["id"] for row in rows_for("test", range(2))]


def test_unrequested_and_invalid_answers_are_not_joined(notes_file, tmp_path):
    def reply(instruction, attempt):
        broken = "person" in json.loads(instruction)["schema"]
        return 200, completion('{"person": ["Asta"' if broken else '{"person": ["Asta"]}')

    with serving(reply) as served:
        assert ask(served, notes_file, tmp_path / "p.jsonl", "--limit", "1") == 0
    (result,) = lines(tmp_path / "p.joined.jsonl")
    assert (result["entity"], result["unparseable"]) == ([], ["notes/test/0/NER/0"])


def test_the_key_is_sent_and_never_shown(notes_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame-123")
    with serving(lambda *_: (401, b'{"error": "bad key"}')) as served:
        assert ask(served, notes_file, tmp_path / "p.jsonl", "--debug") == 2
        assert served.headers[0]["Authorization"] == "Bearer sesame-123"
    shown = capsys.readouterr()
    assert "HTTP 401: bad key" in shown.err and "set OPENAI_API_KEY" in shown.err
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "sesame" not in shown.out + shown.err + written


def test_examples_come_from_validation_by_hash(notes_file, tmp_path):
    with serving(gold) as served:
        assert ask(served, notes_file, tmp_path / "p.jsonl", "--shots", "3") == 0
        assert ask(served, notes_file, tmp_path / "q.jsonl", "--shots", "3", "--seed", "7") == 0
    validation = {row["instruction"]: row["output"] for row in rows_for("validation", range(20, 26))}
    turns = []
    for request in served.requests:
        *shots, last = request["messages"]
        instructions, outputs = [m["content"] for m in shots[::2]], [m["content"] for m in shots[1::2]]
        assert [message["role"] for message in shots] == ["user", "assistant"] * 3
        assert [validation[instruction] for instruction in instructions] == outputs
        texts = {json.loads(instruction)["input"] for instruction in instructions}
        assert len(texts) == 3 and json.loads(last["content"])["input"] not in texts
        turns.append((last["content"], tuple(instructions)))
    once, again = dict(turns[:12]), dict(turns[12:])
    assert len(set(once.values())) > 1 and once != again


def test_the_predicted_text_is_never_an_example(notes_file, tmp_path):
    with serving(gold) as served:
        assert ask(served, notes_file, tmp_path / "p.jsonl", "--split", "validation", "--shots", "5") == 0
        assert ask(served, notes_file, tmp_path / "q.jsonl", "--split", "validation", "--shots", "6") == 2
    for request in served.requests:
        inputs = [json.loads(message["content"])["input"] for message in request["messages"][::2]]
        assert len(set(inputs)) == 6


def test_the_key_is_written_to_no_file_and_no_message(notes_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sesame/1")

    def reply(instruction, attempt):
        if "day 3 " in instruction:
            return 400, b"you sent Bearer sk-sesame\\/1"
        return 200, completion('{"person": ["sk-sesame\\/1", "sk-\\u0073esame/1"]}')

    with serving(reply) as served:
        assert ask(served, notes_file, tmp_path / "p.jsonl") == 0
        for flags in (("--request", '{"user": "sk-sesame/1"}'), ("--model", "sk-sesame/1")):
            assert ask(served, notes_file, tmp_path / "q.jsonl", *flags) == 2
    printed = capsys.readouterr()
    files = [path.read_text() for path in tmp_path.iterdir() if path.name.startswith(("p.", "q."))]
    assert len(files) == 3 and any("Bearer ***" in content for content in files)
    assert not any("esame" in content for content in (printed.out, printed.err, *files))


def test_help_loads_nothing_heavy():
    heavy = ("torch", "datasets", "transformers", "apache_beam")
    code = f"import sys, train.predict; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
