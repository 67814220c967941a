"""A build with rows in every form of answer, and with messages, passes through every command that reads rows."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines import diff, publish
from schemas.answer_form import FORMS
from schemas.arrow import instruction_schema
from schemas.example import TASKS
from tests.conftest import SMALL, build_again, build_here

SHARES = json.dumps(dict.fromkeys(FORMS, 1 / len(FORMS)))
FLAGS = ("--set", f"instruct.forms={SHARES}", "--set", "instruct.messages=true")


@pytest.fixture(scope="module")
def mixed(small, tmp_path_factory) -> Path:
    return build_again(small, tmp_path_factory.mktemp("mixed") / "build", *SMALL, *FLAGS)


def rows(folder: Path) -> list[dict]:
    return [row for path in sorted(folder.glob("data/*/*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_all_forms_occur_and_the_other_columns_are_those_of_a_plain_build(mixed, small):
    assert {row["form"] for row in rows(mixed)} == set(FORMS)
    for row, plain in zip(rows(mixed), rows(small), strict=True):
        answers = [message["content"] for message in row.pop("messages") if message["role"] == "assistant"]
        assert answers == ([] if row["output"] is None else [row["output"]])
        if row.pop("form") != "iepile":
            assert row["instruction"] != plain["instruction"]
            row |= {name: plain[name] for name in ("instruction", "output")}
        assert row == plain


def test_annotations_are_equal_in_all_forms(mixed, small, capsys):
    assert diff.main([str(small), str(mixed), "--json"]) == 0
    changes = json.loads(capsys.readouterr().out)
    assert not changes["examples"] and changes["instructions"]


def test_a_release_keeps_the_columns(mixed, tmp_path):
    assert publish.main(["--output", str(mixed), "--to", str(tmp_path / "release")]) == 0
    shards = sorted((tmp_path / "release").glob("data/*/*.parquet"))
    assert shards and all(pq.read_schema(path) == instruction_schema(("form", "messages")) for path in shards)
    card = (tmp_path / "release/README.md").read_text()
    assert "| `form` |" in card and "| `messages` |" in card
    ids = {row["id"] for row in rows(tmp_path / "release")}
    examples = re.findall(r"^`(\S+)` \(\w+\) asks for", card, re.MULTILINE)
    assert len(examples) == 2 and ids.issuperset(examples)
    assert set(re.findall(r"^\| `(\w+)` \| [^|]+ \| .*[\[\]{}()\"]", card, re.MULTILINE)) >= set(FORMS)


def test_training_reads_the_forms(mixed):
    from train import corpus

    read = corpus.rows(str(mixed), "train")
    assert {corpus.row_form(row) for row in read} == set(FORMS)
    assert {row["task"] for row in read} == set(TASKS)


def test_shares_that_do_not_add_up_are_refused(tmp_path):
    done = build_here("--output", str(tmp_path / "build"), *SMALL, "--set", "instruct.forms={iepile: 0.7, nan: 0.2}")
    assert done.returncode == 2 and "the shares of forms sum to 0.9; they must sum to 1" in done.stderr
    done = build_here("--output", str(tmp_path / "build"), *SMALL, "--set", "instruct.forms={tripels: 1}")
    assert done.returncode == 2 and "instruct.forms.tripels" in done.stderr
