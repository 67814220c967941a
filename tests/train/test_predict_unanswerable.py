"""Rows that can never be answered, servers that ignore the schema, and what the scores make of missing answers."""

import json
from collections import Counter

import pytest

from tests.serving import completion, serving
from tests.train.conftest import write_rows
from tests.train.predicted import entities, row, write
from tests.train.predicting import ask, gold, lines, rows_for
from train.score import main as score_main
from train.score import score

TOO_LONG = (400, b'{"error": {"message": "the prompt exceeds the context"}}')


def test_twenty_unanswerable_rows_in_a_row_do_not_stop_a_run(tmp_path, capsys):
    data = write_rows(tmp_path / "rows.jsonl", rows_for("test", range(30)))

    def reply(instruction, attempt):
        return gold(instruction) if "day 29 " in instruction else TOO_LONG

    output = tmp_path / "p.jsonl"
    with serving(reply) as served:
        assert ask(served, data, output) == 0
        requests = len(served.requests)
        assert "58 of 60 rows cannot be answered and are not tried again: HTTP 400 58" in capsys.readouterr().err
        assert ask(served, data, output) == 0
        assert len(served.requests) == requests == 60
    assert Counter(row["output"] is None for row in lines(output)) == {True: 58, False: 2}
    assert [row["id"] for row in lines(output)] == [row["id"] for row in rows_for("test", range(30))]
    assert lines(output)[0]["unanswerable"] == "HTTP 400: the prompt exceeds the context"
    meta = json.loads((tmp_path / "p.meta.json").read_text())
    assert meta["unanswerable"] == {"HTTP 400": 58}
    report = score([str(output)], draws=0)
    assert report.without_answer == {str(output): {"missing": 0, "unanswerable": {"HTTP 400": 58}}}
    assert (report.total.gold, report.total.right) == (60, 2)


def test_rows_that_failed_otherwise_are_tried_again_beside_unanswerable_ones(notes_file, tmp_path, capsys):
    broken = [TOO_LONG, (503, b"busy")]

    def reply(instruction, attempt):
        return broken[0] if "day 1 " in instruction else broken[1] if "day 2 " in instruction else gold(instruction)

    with serving(reply) as served:
        assert ask(served, notes_file, tmp_path / "p.jsonl") == 1
        assert "2 of 12 rows have no answer" in capsys.readouterr().err
        broken[1] = (200, completion("{}"))
        assert ask(served, notes_file, tmp_path / "p.jsonl") == 0
    assert [row["output"] for row in lines(tmp_path / "p.jsonl")][2:6] == [None, None, "{}", "{}"]


@pytest.mark.parametrize(
    ("answers", "warned"), [(("Sure: Asta",), True), (("[]",), True), (("Sure: Asta", None), False), ((None,), False)]
)
def test_a_server_that_ignores_response_format_is_noticed(answers, warned, notes_file, tmp_path, capsys):
    """None: the right answer."""
    replies = iter(answers * 12)

    def reply(instruction, attempt):
        answer = next(replies)
        return gold(instruction) if answer is None else (200, completion(answer))

    with serving(reply) as served:
        assert ask(served, notes_file, tmp_path / "p.jsonl", "--guided", "--concurrency", "1") == 0
        assert all("response_format" in request for request in served.requests)
    error = capsys.readouterr().err
    assert error.count("warning: none of the first 8 answers follows the JSON Schema of --guided") == warned
    assert ("ignores response_format" in error) == warned


def test_scores_say_what_has_no_answer(tmp_path, capsys):
    gold_entities = entities(person=["Ada"], place=["Coal Quay"])
    rows = [
        row("NER", ["person", "place"], {"person": ["Ada"], "place": []}, gold_entities),
        row("NER", ["person", "place"], "", gold_entities, 1) | {"output": None, "unanswerable": "prompt too long: 9"},
    ]
    path = write(tmp_path / "p.jsonl", rows)
    (tmp_path / "p.meta.json").write_text('{"rows": 5, "model": "tiny"}')
    assert score_main(["--predictions", path, "--bootstrap", "0", "--json"]) == 0
    printed = capsys.readouterr()
    scored = json.loads(printed.out)
    assert scored["without_answer"] == {path: {"missing": 3, "unanswerable": {"prompt too long": 1}}}
    assert (scored["total"]["gold"], scored["total"]["right"], scored["total"]["missed"]["unparseable"]) == (4, 1, 2)
    for note in (
        f"rows that cannot be answered; their gold items count as missed: 1 (first: {path}:2)",
        "rows without an answer because of prompt too long: 1",
        f"{path}: 3 rows of the run of train.predict are missing and not scored",
    ):
        assert note in printed.err and any(note in line for line in scored["notes"])


def test_a_row_without_a_reason_still_needs_an_output(tmp_path, capsys):
    rows = [row("NER", ["person"], "", []) | {"output": None}]
    assert score_main(["--predictions", write(tmp_path / "p.jsonl", rows)]) == 2
    assert "no output" in capsys.readouterr().err
