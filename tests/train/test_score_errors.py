"""Files that cannot be scored are refused with file and line; output and exit codes of the command."""

import json
import os
import subprocess
import sys

import pytest

from schemas.errors import ConfigError
from tests.conftest import ROOT
from tests.train.predicted import entities, row, write
from train.score import main, score

GOLD = entities(ship=["Ada"], place=["Low Water"])


def good(number=0, batch=0, **others):
    return {**row("NER", ["ship"], {"ship": ["Ada"]}, GOLD, number, batch), **others}


def prompt(schema, text="Ada"):
    return json.dumps({"instruction": "x", "schema": schema, "input": text})


def without(key):
    return {name: value for name, value in good().items() if name != key}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "p.jsonl: contains no predictions"),
        ([without("output")], "p.jsonl:1: no output"),
        ([good(output=None)], "p.jsonl:1: no output"),
        ([good(output={"ship": []})], r"p.jsonl:1: not a row of predictions .*`\$.output`"),
        ([good(output=3)], "p.jsonl:1: not a row"),
        ([["a", "list"]], "p.jsonl:1: not a row"),
        ([without("id")], "p.jsonl:1: no id"),
        ([without("task")], "p.jsonl:1: no task; pass --task"),
        ([without("instruction")], "p.jsonl:1: no instruction"),
        ([good(task="MRC")], "p.jsonl:1: unknown task 'MRC'"),
        ([good(instruction="Extract.")], "p.jsonl:1: instruction is not the JSON"),
        ([good(instruction='{"schema": []}')], "p.jsonl:1: instruction is not the JSON .*input"),
        ([good(task="EE", labels=None)], "p.jsonl:1: the schema of the instruction does not have the form of task EE"),
        ([good(instruction=prompt([{"a": 1}]), labels=None)], "p.jsonl:1: the schema of the instruction"),
        ([good(), good()], r"p.jsonl:2: the id 'harbour/test/0/NER/0' already occurs in .*p.jsonl:1"),
        ([good(), good(batch=1, label="[]")], "p.jsonl:2: the label differs from that of .*p.jsonl:1"),
        ([good(), good(batch=1, label='{"ship": []}')], "p.jsonl:2: gold in another form than in .*p.jsonl:1"),
        ([good(), good(batch=1, instruction=prompt(["ship"]))], "p.jsonl:2: the text differs from that of .*p.jsonl:1"),
        ([good(), good(1, label='[{"entity": "Ada"}]')], "p.jsonl:2: label is not the JSON of a list"),
        ([good(label='[{"entity": "Ada", "entity_type": 3}]')], "p.jsonl:1: label is not"),
        ([good(label="[1]")], "p.jsonl:1: label is not"),
        ([good(label="Ada")], "p.jsonl:1: label is not"),
        (
            [good(label='{"ship": "Ada"}')],
            "p.jsonl:1: label is an answer with values that do not have the form of task NER",
        ),
        ([good(label=None)], "p.jsonl:1: no gold .*--gold"),
    ],
)
def test_bad_rows_are_refused(rows, expected, tmp_path):
    with pytest.raises(ConfigError, match=expected) as error:
        score([write(tmp_path / "p.jsonl", rows)], draws=0)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"\xff\xfe{}", b"[\n{}\n]", b'{"id": 1}\n{"id": ', b"[" * 100_000])
def test_files_that_are_not_json_lines_are_refused(content, tmp_path):
    (tmp_path / "p.jsonl").write_bytes(content)
    with pytest.raises(ConfigError, match=r"p.jsonl:\d: (no |not |invalid )"):
        score([str(tmp_path / "p.jsonl")])


def test_missing_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"none.jsonl: no such file"):
        score([str(tmp_path / "none.jsonl")])
    with pytest.raises(ConfigError, match="is a directory"):
        score([str(tmp_path)])


@pytest.mark.parametrize(
    ("gold", "expected"),
    [
        ([good()], "p.jsonl:2: .*gold.jsonl has no row with the id 'harbour/test/1/NER/0'"),
        (
            [good(), good(1), good(2), good(3)],
            r"gold.jsonl:3: this row has no prediction in .*p.jsonl \(and 1 more\)",
        ),
        ([good(), good(1, source="Docks")], "p.jsonl:2: source 'Harbour', but 'Docks' in .*gold.jsonl:2"),
        ([good(), without("id")], "gold.jsonl:2: no id"),
    ],
)
def test_ids_that_do_not_match_are_refused(gold, expected, tmp_path):
    predictions = write(tmp_path / "p.jsonl", [good(), good(1)])
    with pytest.raises(ConfigError, match=expected):
        score([predictions], gold=write(tmp_path / "gold.jsonl", gold))


def test_more_predictions_than_gold_rows_of_an_id_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"p.jsonl:2: .*gold.jsonl has no more rows with the id"):
        score([write(tmp_path / "p.jsonl", [good(), good()])], gold=write(tmp_path / "gold.jsonl", [good()]))


def test_runs_over_different_rows_are_refused(tmp_path):
    first = write(tmp_path / "a.jsonl", [good(), good(1)])
    with pytest.raises(ConfigError, match=r"b.jsonl:2: NER Harbour 'harbour/test/2' is not in .*a.jsonl"):
        score([first, write(tmp_path / "b.jsonl", [good(), good(2)])])
    with pytest.raises(ConfigError, match=r"a.jsonl:2: NER Harbour 'harbour/test/1' is not in .*b.jsonl"):
        score([first, write(tmp_path / "b.jsonl", [good()])])


def notes(tmp_path, rows):
    return score([write(tmp_path / "p.jsonl", rows)], draws=0).notes


def test_notes(tmp_path):
    assert notes(tmp_path, [good(), good(1, label=None)]) == (
        f"texts without gold, not scored: 1 (first: {tmp_path}/p.jsonl:2)",
        f"gold annotations with a label that no row asks for; they count as missed: 1 (first: {tmp_path}/p.jsonl:1)",
    )


def test_notes_of_iepile_rows(tmp_path):
    """If several texts share an id, the first label and all answers count, as in the published scorer."""
    rows = [{key: row[key] for key in row if key != "example_id"} for row in (good(), good(label="[]"))]
    assert [note.rpartition(":")[0].split(": 1")[0] for note in notes(tmp_path, rows)][:2] == [
        "rows whose label differs from that of an earlier row of the same id; the earlier label counts",
        "rows that repeat the labels of an earlier row of the same id; all of them count",
    ]
    report = score([str(tmp_path / "p.jsonl")], draws=0)
    assert (report.total.gold, report.total.predicted, report.total.right) == (2, 2, 1)


def run(*flags):
    return subprocess.run(
        [sys.executable, "-m", "train.score", *flags], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_command_line(tmp_path):
    predictions = write(tmp_path / "p.jsonl", [good(n, source=f"S{n}") for n in range(3)])
    page = tmp_path / "scores.html"
    done = run("--predictions", predictions, "--by", "source", "--by", "task,label", "--json", "--html", str(page))
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [table["by"] for table in result["tables"]] == [["source"], ["task", "label"]]
    assert [(r["source"], r["f1"]) for r in result["tables"][0]["rows"]] == [(f"S{n}", 2 / 3) for n in range(3)]
    assert result["tables"][0]["means"][0]["f1"] == pytest.approx(2 / 3)
    assert result["total"]["precision_interval"] == [1, 1]
    assert page.read_text().startswith("<!doctype html>")
    assert done.stderr.startswith("note: ")


def test_table(tmp_path, capsys):
    predictions = write(tmp_path / "p.jsonl", [good(n, source=f"S{n}") for n in range(2)])
    assert main(["--predictions", predictions, "--by", "source", "--bootstrap", "0"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[:4] == [  # ROUGE-2: "ship ada" of "ship ada place low water" is 1 bigram of 4
        "task source measure texts gold pred right P R F1 95 % macro-F1 overlap-F1 ROUGE-2 F1+R2",
        "NER S0 entity 1 2 1 1 100.00 50.00 66.67 50.00 66.67 40.00 53.33",
        "NER S1 entity 1 2 1 1 100.00 50.00 66.67 50.00 66.67 40.00 53.33",
        "NER mean of 2 entity 100.00 50.00 66.67",
    ]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (
            ("--by", "lang"),
            "error: --by lang: choose from task, source, split, file, length, labels_asked, form, description, label",
        ),
        (("--bootstrap", "-1"), "error: --bootstrap and --seed"),
        (("--bootstrap", "9" * 30), "error: --bootstrap 9"),
        (("--gold", "none.jsonl"), "error: none.jsonl: no such file or directory; give a JSON Lines file"),
    ],
)
def test_wrong_flags_are_refused(flags, expected, tmp_path, capsys):
    assert main(["--predictions", write(tmp_path / "p.jsonl", [good()]), *flags]) == 2
    assert capsys.readouterr().err.startswith(expected)


def test_a_page_that_cannot_be_written_is_an_error(tmp_path, capsys):
    predictions = write(tmp_path / "p.jsonl", [good()])
    assert main(["--predictions", predictions, "--html", str(tmp_path / "no" / "p.html")]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {tmp_path}/no/p.html: no such file")


def test_help_needs_no_heavy_library():
    code = (
        "import sys, train.score; print([n for n in ('torch', 'numpy', 'datasets', 'apache_beam') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_output_does_not_depend_on_the_hash_seed(tmp_path):
    rows = [good(n, output=json.dumps({label: ["Ada", "Bo", "x"] for label in "abcdefgh"})) for n in range(5)]
    predictions = write(tmp_path / "p.jsonl", rows)
    command = [sys.executable, "-m", "train.score", "--predictions", predictions, "--by", "label", "--json", "--html"]
    pages, printed = set(), set()
    for seed in ("1", "2"):
        page = tmp_path / f"{seed}.html"
        done = subprocess.run(
            [*command, str(page)], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        )
        printed.add(done.stdout)
        pages.add(page.read_bytes())
    assert len(printed) == len(pages) == 1


def test_control_characters_are_escaped_in_the_output(tmp_path, capsys):
    rows = [good(n, source=f"S{n}\x1b[2J\u202e\x9b31m") for n in range(2)]
    predictions = write(tmp_path / "p.jsonl", rows)
    assert main(["--predictions", predictions, "--by", "source", "--bootstrap", "0"]) == 0
    shown = capsys.readouterr()
    assert r"S0\x1b[2J\u202e\x9b31m" in shown.out
    assert main(["--predictions", write(tmp_path / "p\x1b[2J.jsonl", [good(task="\x1b]0;t\x07")])]) == 2
    shown_error = capsys.readouterr().err
    assert shown_error.startswith("error: ") and not set("\x1b\x07\x9b\u202e") & set(shown.out + shown_error)
