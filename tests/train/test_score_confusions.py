"""Confusions of labels and the share that a dictionary foresees: by hand, against all random dictionaries, and end to
end.
"""

import json
from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.train.predicted import dictionary, entities, event, row, triple, write
from train.score import main
from train.scoring import neighbours
from train.scoring.bootstrap import Bootstrap
from train.scoring.confusions import confusions, report
from train.scoring.neighbours import Neighbours
from train.scoring.predictions import align, load

LABELS = ["cargo", "port", "ship", "tide"]
RANKED = {"cargo": ["tide"], "port": ["tide", "ship", "cargo"], "ship": ["port", "tide"], "tide": []}


@pytest.fixture
def build(tmp_path) -> str:
    dictionary(tmp_path / "build", "NER", "harbour", "Harbour", RANKED)
    return str(tmp_path / "build")


def confused(tmp_path, *rows: dict) -> list[tuple[str, str, bool]]:
    records = load(write(tmp_path / "p.jsonl", list(rows))).records
    return [(one.gold, one.given, one.is_joint) for one in confusions([records])]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"ship": ["Ada"], "port": []}, []),
        ({"ship": [], "port": ["Ada"]}, [("ship", "port", True)]),
        ({"ship": ["Ada"], "port": ["Ada", "Ada"]}, [("ship", "port", True)]),  # the gold label was given as well
        ({"ship": [], "port": ["Bo"]}, []),  # another mention
        ({"ship": ["Coal Quay"], "port": []}, [("port", "ship", True)]),
        ({"ship": [], "port": [], "tide": ["Ada"]}, [("ship", "tide", False)]),  # a label that was not asked
        ("no JSON", []),
    ],
)
def test_confusions_of_entities(answer, expected, tmp_path):
    gold = entities(ship=["Ada"], port=["Coal Quay"])
    assert confused(tmp_path, row("NER", ["ship", "port"], answer, gold)) == expected


def test_a_mention_with_two_gold_labels_is_confused_with_both(tmp_path):
    rows = row("NER", ["ship", "port", "tide"], {"tide": ["Ada"]}, entities(ship=["Ada"], port=["Ada"]))
    assert confused(tmp_path, rows) == [("ship", "tide", True), ("port", "tide", True)]
    rows = row("NER", ["ship", "port", "tide"], {"ship": ["Ada"]}, entities(ship=["Ada"], port=["Ada"]))
    assert confused(tmp_path, rows) == []


def test_labels_of_two_prompts_are_not_joint(tmp_path):
    gold = entities(ship=["Ada"])
    rows = (row("NER", [label], {label: ["Ada"]}, gold, batch=at) for at, label in enumerate(("ship", "port")))
    assert confused(tmp_path, *rows) == [("ship", "port", False)]


def test_confusions_of_other_tasks(tmp_path):
    pair = {"subject": "Ada", "object": "Coal Quay"}
    rows = row("RE", ["left", "near"], {"left": [], "near": [pair]}, [triple("Ada", "left", "Coal Quay")])
    assert confused(tmp_path, rows) == [("left", "near", True)]
    turned = {"near": [{"subject": "Coal Quay", "object": "Ada"}]}
    assert confused(tmp_path, row("RE", ["left", "near"], turned, [triple("Ada", "left", "Coal Quay")])) == []
    labels = ["ship_left_port", "ship_near_port"]
    gold = [triple("Ada", "left", "Coal Quay", "ship", "port")]
    assert confused(tmp_path, row("SPO", labels, {"left": [], "near": [pair]}, gold)) == [(*labels, True)]
    events = {"sail": [{"trigger": "left", "arguments": {}}], "dock": []}
    assert confused(tmp_path, row("EE", ["sail", "dock"], events, [event("dock", "left")])) == [("dock", "sail", True)]
    events = {"sail": [{"trigger": "NAN", "arguments": {"ship": "Ada"}}], "dock": []}
    assert confused(tmp_path, row("EE", ["sail", "dock"], events, [event("dock", "", ship=["Bo"])])) == []


def texts(given: list[str]) -> list[dict]:
    """One text per label in `given`, in which the ship Ada is given as this label."""
    return [row("NER", LABELS, {label: ["Ada"]}, entities(ship=["Ada"]), number) for number, label in enumerate(given)]


def test_foreseen_shares(tmp_path, build):
    runs = [load(write(tmp_path / "p.jsonl", texts(["port", "port", "tide", "cargo", "ship"]))).records]
    result = report(runs, neighbours.load(build), Bootstrap(500))
    (only,) = result.rows
    assert (only.task, only.source, only.labels, only.confusions) == ("NER", "Harbour", "all", 4)
    assert [(one.first, one.share) for one in only.foreseen] == [(1, 0.5), (3, 0.75), (5, 0.75), (None, 0.75)]
    assert [one.expected for one in only.foreseen] == [pytest.approx(n / 3) for n in (1, 2, 2, 2)]
    assert all(one.interval[0] <= one.share <= one.interval[1] for one in only.foreseen)
    assert [(pair.gold, pair.given, pair.times, pair.rank) for pair in result.pairs] == [
        ("ship", "port", 2, 1),
        ("ship", "cargo", 1, None),
        ("ship", "tide", 1, 2),
    ]


def test_runs_and_texts_are_resampled(tmp_path, build):
    loaded = [
        load(write(tmp_path / f"{n}.jsonl", texts(given))) for n, given in enumerate((["port"] * 3, ["cargo"] * 3))
    ]
    align(loaded)
    result = report([one.records for one in loaded], neighbours.load(build), Bootstrap(500))
    first = result.rows[0].foreseen[0]
    assert (first.share, first.interval) == (0.5, (0, 1))  # all texts are alike: drawn are two runs of the two
    assert (
        report([one.records for one in loaded], neighbours.load(build), Bootstrap(0)).rows[0].foreseen[0].interval
        is None
    )


def test_what_no_dictionary_could_foresee_is_left_out(tmp_path, build):
    rows = [
        *texts(["port", "galleon"]),
        row("NER", LABELS, {"port": ["Ada"]}, entities(ship=["Ada"]), 7, source="Other"),
    ]
    result = report([load(write(tmp_path / "p.jsonl", rows)).records], neighbours.load(build), Bootstrap(100))
    assert (result.rows[0].confusions, result.left_out) == (1, 1)


@given(st.integers(2, 7), st.data())
def test_the_chance_is_the_share_of_all_dictionaries_of_equal_size(labels, data):
    names = [f"l{number}" for number in range(labels)]
    size = data.draw(st.integers(0, labels - 1))
    first = data.draw(st.one_of(st.none(), st.integers(1, 5)))
    known = Neighbours({"l0": tuple(names[1 : 1 + size])}, frozenset(names))
    kept = min(size, first or size)
    holding = sum("l1" in drawn for drawn in combinations(names[1:], kept))
    assert known.chance("l0", first) == pytest.approx(holding / comb(labels - 1, kept))


def test_events_share_the_dictionary_of_whole_events(tmp_path):
    dictionary(tmp_path, "EE", "h", "H", {"dock": ["sail"], "sail": []})
    (tmp_path / "labels/EET").mkdir()
    labels = json.loads((tmp_path / "labels/EE/h.json").read_text())
    (tmp_path / "labels/EET/h.json").write_text(json.dumps(labels | {"task": "EET"}))
    known = neighbours.load(str(tmp_path))
    assert known["EET", "H"] == known["EE", "H"]
    assert known["EET", "H"].rank("dock", "sail") == 1


def test_the_command_prints_writes_and_plots_them(tmp_path, build, capsys):
    path = write(tmp_path / "p.jsonl", texts(["port", "port", "cargo"]))
    flags = ["--predictions", path, "--hard_negatives", build]
    assert main([*flags, "--html", str(tmp_path / "scores.html")]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith("NER Harbour all 1 3 66.67 ") and line.endswith(" 33.33") for line in lines)
    assert "NER Harbour ship port 2 1" in lines and "NER Harbour ship cargo 1 –" in lines
    assert ">Confusions</h2>" in (tmp_path / "scores.html").read_text()
    assert main([*flags, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["confusions"]["rows"]
    assert rows[0]["foreseen"][0]["share"] == pytest.approx(2 / 3)


def test_no_confusion_and_no_dictionary(tmp_path, build, capsys):
    path = write(tmp_path / "p.jsonl", texts(["ship"]))
    assert main(["--predictions", path, "--hard_negatives", build]) == 0
    assert capsys.readouterr().out.endswith("\nNo confusions.\n")
    assert main(["--predictions", path, "--hard_negatives", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path}: has no hard negatives; give the folder of a build that was made with them\n"
    )
