"""Scores of a dictionary against a reference agree with values worked out by hand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking, dump, parse
from hard_negatives.evaluate import Scores, evaluate, is_complete, main, score_label
from schemas.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = {
    "NER": {
        "Towns": {"city": ["village", "hamlet"], "village": ["city"], "river": [], "hamlet": ["lake"]},
        "Pair": {"yes": ["no"], "no": ["yes"]},
        "Absent": {"a": ["b"], "b": ["c"], "c": []},
    }
}


def ranking(kept: str, below: str = "") -> Ranking:
    return Ranking(*(tuple(Neighbour(label) for label in names.split()) for names in (kept, below)))


TOWNS = Dictionary(
    "NER",
    "towns",
    "Towns",
    "en",
    "lexical",
    {
        "city": ranking("village river", "hamlet"),
        "hamlet": ranking("city", "river village"),
        "river": ranking("city", "village hamlet"),
        "village": ranking("city hamlet", "river"),
    },
)


def reference(content: object = REFERENCE) -> tuple[Dictionary, ...]:
    return parse(json.dumps(content).encode(), "reference.json")


def test_one_label_is_scored():
    # Correct at ranks 1, 3 and 4; one of the four correct labels is not ranked
    scores = score_label(["a", "x"], ["a", "x", "b", "c", "y"], {"a", "b", "c", "d"}, 8)
    assert scores == Scores(
        p_at_r=3 / 4,
        average_precision=pytest.approx((1 / 1 + 2 / 3 + 3 / 4) / 4),
        jaccard=1 / 5,
        chance=4 / 8,
    )


def test_scores_agree_with_values_worked_out_by_hand():
    report = evaluate((TOWNS,), reference())
    (towns,) = report.sources
    # city: P@2 1/2, AP (1 + 2/3)/2, Jaccard 1/3; village: 1, 1, 1/2; hamlet: lake is not ranked: 0, 0, 0.
    # Five labels in total (lake only in the reference), so chance is 2/4, 1/4, 1/4
    assert towns.labels == 3 and towns.missing == ("lake",)
    assert towns.scores.p_at_r == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert towns.scores.average_precision == pytest.approx((5 / 6 + 1 + 0) / 3)
    assert towns.scores.jaccard == pytest.approx((1 / 3 + 1 / 2 + 0) / 3)
    assert report.left_out == (("NER", "Pair", "complete graph"), ("NER", "Absent", "not in the dictionary"))


def test_chance_counts_labels_in_dictionary_and_reference():
    report = evaluate((TOWNS,), reference({"NER": {"Towns": {"city": ["village", "hamlet"], "village": ["city"]}}}))
    assert report.mean.chance == pytest.approx((2 / 3 + 1 / 3) / 2)
    report = evaluate((TOWNS,), reference())
    assert report.mean.chance == pytest.approx((2 / 3 + 1 / 3 + 1 / 3) / 3)


def test_mean_is_over_labels_then_sources():
    second = Dictionary("RE", "r", "R", "en", "", {"a": ranking("b"), "b": ranking("c"), "c": ranking("a")})
    content = {"NER": {"Towns": REFERENCE["NER"]["Towns"]}, "RE": {"R": {"a": ["b"], "b": ["a"], "c": ["b"]}}}
    report = evaluate((TOWNS, second), reference(content))
    assert [s.scores.p_at_r for s in report.sources] == pytest.approx([1 / 2, 1 / 3])
    assert report.mean.p_at_r == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_label_that_the_dictionary_lacks_scores_nothing():
    ours = Dictionary("NER", "", "Towns", "en", "", {"city": ranking("village hamlet")})
    (towns,) = evaluate((ours,), reference()).sources
    assert towns.missing == ("village", "hamlet", "lake")
    assert towns.scores.p_at_r == pytest.approx(1 / 3)


def test_duplicate_and_self_neighbours_are_ignored():
    ours = Dictionary("NER", "", "Towns", "en", "", {"city": ranking("city village village hamlet", "village city")})
    (towns,) = evaluate((ours,), reference({"NER": {"Towns": {"city": ["village", "hamlet"], "lake": []}}})).sources
    assert (towns.scores.p_at_r, towns.scores.average_precision, towns.scores.jaccard) == (1, 1, 1)


def test_reference_against_itself_is_perfect():
    report = evaluate(reference(), reference())
    assert (report.mean.p_at_r, report.mean.average_precision, report.mean.jaccard) == (1, 1, 1)


def test_flat_dictionary_and_flat_reference():
    flat = parse(b'{"city": ["village"], "village": ["city"], "river": ["city"]}', "flat.json")
    assert evaluate((TOWNS,), flat).mean.p_at_r == 1
    assert evaluate(flat, reference({"NER": {"Towns": REFERENCE["NER"]["Towns"]}})).sources[0].labels == 3


def test_a_flat_dictionary_is_compared_where_labels_are_shared():
    flat = parse(b'{"city": ["village"]}', "flat.json")
    two = {"Towns": REFERENCE["NER"]["Towns"], "Absent": REFERENCE["NER"]["Absent"]}
    report = evaluate(flat, reference({"NER": two}))
    assert [source.source for source in report.sources] == ["Towns"]
    assert report.left_out == (("NER", "Absent", "not in the dictionary"),)


def test_a_flat_reference_needs_a_single_dictionary():
    with pytest.raises(ConfigError, match=r"^the reference names no task: 2 dictionaries"):
        evaluate((TOWNS, TOWNS), parse(b'{"city": ["village"], "river": []}', "flat.json"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"NER": {}}, "the reference is empty"),
        ({"NER": {"Towns": {}}}, "NER Towns: no neighbours"),
        ({"NER": {"Towns": {"city": []}}}, "NER Towns: no neighbours"),
    ],
)
def test_an_empty_reference_is_an_error(content, why):
    with pytest.raises(ConfigError, match=rf"nothing to compare \({why}\)"):
        evaluate((TOWNS,), reference(content))


@pytest.mark.parametrize(
    ("truth", "complete"),
    [
        ({"a": {"b"}, "b": {"a"}}, True),
        ({"a": {"b", "c"}, "b": {"a", "c"}, "c": {"a", "b"}}, True),
        ({"a": {"b", "c"}, "b": {"a", "c"}}, False),
        ({"a": {"b"}, "b": set()}, False),
    ],
)
def test_complete_graphs_are_recognized(truth, complete):
    assert is_complete(truth) == complete


def test_a_reference_without_common_sources_is_an_error():
    with pytest.raises(ConfigError, match=r"nothing to compare \(NER Absent: not in the dictionary\)"):
        evaluate((TOWNS,), reference({"NER": {"Absent": {"a": ["b"], "b": ["c"]}}}))


def test_two_dictionaries_for_one_source_are_an_error():
    with pytest.raises(ConfigError, match="NER Towns: 2 dictionaries match one reference"):
        evaluate((TOWNS, TOWNS), reference())


@pytest.fixture
def paths(tmp_path):
    ours, theirs = tmp_path / "build" / "towns.json", tmp_path / "reference.json"
    ours.parent.mkdir()
    ours.write_text(dump(TOWNS))
    theirs.write_text(json.dumps(REFERENCE))
    return ["--dictionary", str(ours.parent), "--reference", str(theirs)]


def test_the_table(paths, capsys):
    assert main(paths) == 0
    assert capsys.readouterr().out.splitlines() == [
        "task  source             labels  P@|R|     AP  Jaccard  chance",
        "NER   Towns                   3  0.500  0.611    0.278   0.444",
        "      mean over sources       1  0.500  0.611    0.278   0.444",
        "left out: NER Pair (complete graph)",
        "left out: NER Absent (not in the dictionary)",
        "not in the dictionary: NER Towns: lake",
    ]


def test_the_json_output(paths, capsys):
    assert main([*paths, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["mean"]["p_at_r"] == 0.5
    assert report["sources"][0]["source"] == "Towns" and report["sources"][0]["labels"] == 3
    assert report["left_out"][0] == ["NER", "Pair", "complete graph"]


def test_a_build_is_read_as_its_dictionaries(paths, capsys, tmp_path):
    (tmp_path / "build").rename(tmp_path / "hard_negatives")
    (tmp_path / "build.json").write_text("{}")
    assert main(["--dictionary", str(tmp_path), *paths[2:]]) == 0
    assert "  0.500  0.611    0.278   0.444" in capsys.readouterr().out


def test_a_closed_pipe_is_not_an_error(paths):
    command = [sys.executable, "-m", "hard_negatives.evaluate", *paths]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_error_is_one_line_and_exit_code_2(paths, capsys):
    assert main([*paths[:2], "--reference", "nowhere.json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("error: nowhere.json: no such file or folder")
    assert printed.err.count("\n") == 1


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from hard_negatives import evaluate\n"
        "try: evaluate.main(['--help'])\n"
        "except SystemExit: print({'faiss', 'torch', 'apache_beam'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: python -m hard_negatives.evaluate")
    assert done.stdout.splitlines()[-1] == "set()"


def test_neighbours_may_be_no_labels_of_the_reference(tmp_path):
    content = json.dumps({"Live_In": ["Work_For"]}).encode()
    report = evaluate(parse(content, "d"), parse(content, "r"))
    assert report.mean == Scores(1.0, 1.0, 1.0, 1.0)
