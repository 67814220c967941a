"""A build without instructions: it fails, and its report shows what was left out."""

import json
import shutil

import pytest

from pipelines import build, rejects
from tests.pipelines.report.looking import articles, drawn
from tests.tool_files import tool_file

EMPTY = {"text": "", "label": [[0, 3, "person"]]}
SIGNS = {"text": "..... ..... .....", "label": [[0, 3, "person"]]}

BARE = {"id": 1, "data": {"text": "Ada left."}, "annotations": [{"result": []}]}

ALL_BAD = "error: source quays: train: 3 of 3 records rejected "
NONE_KEPT = "error: cleaning left no text; ieforge rejects shows the reason of each"


@pytest.mark.parametrize(
    ("row", "error", "reason"),
    [(EMPTY, ALL_BAD, "empty text"), (SIGNS, NONE_KEPT, "low quality")],
    ids=["ingest", "clean"],
)
def test_rejects_are_shown_if_no_record_is_left(page, tmp_path, capsys, row, error, reason):
    (tmp_path / "quays").mkdir()
    tool_file(tmp_path / "quays", "\n".join([json.dumps(row)] * 3), "train.jsonl")
    output = tmp_path / "corpus"
    assert build.main(["--data_root", f"{tmp_path}/quays", "--output", str(output), "--hard_negatives", "none"]) == 3
    *_, note, last = capsys.readouterr().err.splitlines()
    where = f"{output}/reports/report.html"
    assert note == f"note: {output}: there are no instructions; {where} shows what was left out, and why"
    assert last.startswith(error)
    assert rejects.main([str(output), "--source", "quays"]) == 0
    assert capsys.readouterr().out.count("\n") == 3
    page.open(output / "reports/report.html")
    assert not page.problems and page.run("document.documentElement.dataset.ready") == ""
    assert drawn(page).keys() == {"user-sources", "flow", "rejects"} and all(drawn(page).values())
    assert page.run("document.getElementById('headline').textContent").startswith("No instructions")
    assert len(articles(page, "rejects")) == 3
    counts = page.run("document.querySelector('#rejects .plot').textContent")
    assert reason in counts and page.run("document.querySelectorAll('#pages a').length") == 0
    text = page.without_script(output / "reports/report.html")
    assert "stats.json" not in text and "No instructions" in text and "the card says" not in text
    assert [reason, "3", "0", "0"] in [[part.strip() for part in line.split("\t")] for line in text.splitlines()]
    if last.startswith(ALL_BAD):
        page.open(output / "reports/report.html", "?lang=zh")
        assert "train：有 3 条记录被拒，共 3 条" in page.run("document.getElementById('notices').textContent")
        (output / "examples/.summary.json").unlink()
        assert rejects.main([str(output)]) == 2
        assert "has no finished stage yet" in capsys.readouterr().err


def test_the_texts_of_a_source_that_failed_are_not_looked_at(page, tmp_path):
    (tmp_path / "quays").mkdir()
    tool_file(tmp_path / "quays", json.dumps([BARE]), "train.json")
    output = tmp_path / "corpus"
    assert build.main(["--data_root", f"{tmp_path}/quays", "--output", str(output), "--hard_negatives", "none"]) == 3
    page.open(output / "reports/report.html", "?lang=en")
    about = page.run("document.getElementById('user-sources').textContent")
    assert "not looked at" in about and "first 0" not in about and "Problems in the texts" not in about
    page.open(output / "reports/report.html", "?lang=zh")
    notices = page.run("document.getElementById('notices').textContent")
    assert "它的文本都没有实体、关系或事件" in notices and "请标注一些文本" in notices and not page.problems


@pytest.mark.parametrize("row", [EMPTY, SIGNS], ids=["ingest", "clean"])
def test_nothing_of_the_replaced_build_is_left_beside_the_report(small, tmp_path, row):
    (tmp_path / "quays").mkdir()
    tool_file(tmp_path / "quays", "\n".join([json.dumps(row)] * 3), "train.jsonl")
    output = tmp_path / "corpus"
    shutil.copytree(small, output)
    assert (output / "reports/hard_negatives.html").exists() and (output / "README.md").exists()
    assert build.main(["--data_root", f"{tmp_path}/quays", "--output", str(output), "--hard_negatives", "none"]) == 3
    assert [path.name for path in (output / "reports").iterdir()] == ["report.html"]
    assert {path.name for path in output.iterdir()} <= {
        *("build.json", "examples", "rejects", "reports", ".lock", "embeddings"),
        *(("clean", "leaks", "labels") if row is SIGNS else ()),
    }
