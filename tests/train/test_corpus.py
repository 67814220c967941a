"""Rows of a build, a file or a repository have all columns, or are refused with one line."""

import json
import shutil

import pytest

from schemas.arrow import INSTRUCTIONS
from schemas.errors import ConfigError
from tests.train.conftest import ner_row, write_rows
from train import corpus


@pytest.fixture
def build_copy(small, tmp_path):
    return shutil.copytree(small, tmp_path / "build")


@pytest.mark.parametrize("streaming", [False, True])
def test_rows_of_a_build_have_all_columns(small, streaming):
    rows = corpus.rows(str(small), "train", streaming=streaming)
    row = next(iter(rows))
    assert list(row) == INSTRUCTIONS.names
    assert row["split"] == "train" and row["output"] and row["label"] is None
    assert corpus.requested_labels(row["task"], row["instruction"]) == row["labels"]


def test_labels_of_every_task_are_read_from_the_instruction(small):
    tasks = set()
    for row in corpus.rows(str(small), "train"):
        assert corpus.requested_labels(row["task"], row["instruction"]) == row["labels"], row["id"]
        tasks.add(row["task"])
    assert tasks == {"NER", "RE", "SPO", "EE", "EET", "EEA", "KG"}


def test_a_source_without_a_row_is_refused(small):
    for names in (["ADE_corpus"], ["ade_corpus"], ["ade_corpus", "ADE_corpus", "clue"]):
        corpus.refuse_absent(corpus.rows(str(small), "train", sources=names), "build", "train", names)
    chosen = corpus.rows(str(small), "train", tasks=["RE"], sources=["ade_corpus", "ade_corpsu", "clue_ner"])
    with pytest.raises(ConfigError, match="train has no rows of ade_corpsu, clue_ner for these tasks; check it"):
        corpus.refuse_absent(chosen, "build", "train", ["ade_corpus", "ade_corpsu", "clue_ner"])


def test_sources_are_chosen_by_published_name_or_by_key(small):
    by_name = corpus.rows(str(small), "train", tasks=["RE"], sources=["ADE_corpus"])
    by_key = corpus.rows(str(small), "train", tasks=["RE"], sources=["ade_corpus"])
    assert by_name["id"] == by_key["id"]
    assert {(row["task"], row["source"]) for row in by_name} == {("RE", "ADE_corpus")}


def test_a_source_is_chosen_by_its_whole_key(tmp_path):
    ids = ["a/train/0", "a/train/0/1", "a/b/train/0", "a/train/0/train/1", "a/x", None]
    rows = [{**ner_row(1), "id": str(number), "example_id": id_} for number, id_ in enumerate(ids)]
    path = write_rows(tmp_path / "rows.jsonl", rows)
    for key, chosen in (("a", ids[:2]), ("a/b", ids[2:3]), ("a/train/0", ids[3:4]), ("harbour", ids)):
        assert list(corpus.rows(path, "train", sources=[key])["example_id"]) == chosen


def test_a_build_without_validated_manifests_is_refused(build_copy):
    (build_copy / "reports/manifest.json").unlink()
    with pytest.raises(ConfigError, match=r"not validated \(no reports/manifest.json\); finish it with python -m"):
        corpus.rows(str(build_copy), "train")


def test_a_build_of_another_version_is_refused_with_the_key(build_copy):
    manifest = json.loads((build_copy / "data/manifest.json").read_text())
    del manifest["shards"][0]["sha256"]
    (build_copy / "data/manifest.json").write_text(json.dumps(manifest))
    line = r"data/manifest.json: made by another .*\(\$.shards\[0\].sha256 is missing\); run the build again: python -m"
    with pytest.raises(ConfigError, match=line):
        corpus.rows(str(build_copy), "train")


def test_a_shard_changed_after_validation_is_refused(build_copy):
    shard = sorted(build_copy.glob("data/NER/train-*.parquet"))[0]
    shard.write_bytes(shard.read_bytes() + b" ")
    with pytest.raises(ConfigError, match=r"train-00000-of-00001.parquet: not the file that was validated"):
        corpus.rows(str(build_copy), "train")


def test_a_folder_that_is_not_a_build_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"not made by a build \(no build.json\)"):
        corpus.rows(str(tmp_path), "train")


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        ({"split": "dev"}, "no such split; choose from train, validation, test"),
        ({"tasks": ["NRE"]}, "task NRE: no such task; choose from NER"),
        ({"sources": ["ade"]}, "no rows of ade; did you mean ADE_corpus"),
        ({"tasks": ["KG"], "sources": ["duee1"]}, "no rows of duee1; did you mean lighthouses"),
    ],
)
def test_an_unknown_split_task_or_source_is_refused(small, choice, line):
    with pytest.raises(ConfigError, match=line):
        corpus.rows(str(small), **{"split": "train", **choice})


@pytest.mark.parametrize("name", ["no/such/folder", "./nothing", "rows.jsonl", "/nowhere"])
def test_a_missing_path_is_refused_at_once(name):
    with pytest.raises(ConfigError, match="no such folder or file"):
        corpus.rows(name, "train")


@pytest.mark.parametrize("streaming", [False, True])
def test_missing_columns_are_derived_from_the_row(rows_file, streaming):
    rows = list(corpus.rows(rows_file, "train", streaming=streaming))
    assert len(rows) == 24 and list(rows[0]) == [*INSTRUCTIONS.names, "form"]
    assert rows[1]["labels"] == ["person", "place"] and rows[1]["split"] == "train"
    assert rows[1]["text_sha256"] == "540de1ba6b7062f852f8b5753ba1d53fd4967a5d7fca747bbb6cd51dd168e619"
    assert rows[1]["example_id"] is None and rows[1]["positives"] is None
    assert not corpus.has_split(rows_file, "validation")


def test_a_json_list_and_parsed_values_are_read(tmp_path):
    row = ner_row(1)
    row = {**row, "instruction": json.loads(row["instruction"]), "output": json.loads(row["output"])}
    path = tmp_path / "list.json"
    path.write_text(json.dumps([row, ner_row(2)]))
    assert corpus.rows(str(path), "train")["output"] == [ner_row(1)["output"], ner_row(2)["output"]]


def test_rows_with_a_split_belong_to_that_split_only(tmp_path):
    path = write_rows(tmp_path / "rows.jsonl", [ner_row(1, "train"), ner_row(2, "validation"), ner_row(4, "train")])
    assert len(corpus.rows(path, "train")) == 2
    assert corpus.has_split(path, "validation") and not corpus.has_split(path, "test")
    with pytest.raises(corpus.EmptySplit, match="split test is empty"):
        corpus.rows(path, "test")


def test_a_file_that_changed_is_read_again(tmp_path):
    path = write_rows(tmp_path / "rows.jsonl", [ner_row(1)])
    assert len(corpus.rows(path, "train")) == 1
    write_rows(tmp_path / "rows.jsonl", [ner_row(1), ner_row(2)])
    assert len(corpus.rows(path, "train")) == 2


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"task": "NER"\n', r"rows.jsonl:1: invalid JSON"),
        (json.dumps(ner_row(1)) + "\n\n{]\n", r"rows.jsonl:3: invalid JSON"),
        ("[1]", r"rows.jsonl:1: a row is a JSON object"),
        ('{"task": "NER", "source": "x"}', r"rows.jsonl:1: no instruction; a row has task, source, instruction"),
        (json.dumps({**ner_row(1), "task": "NRE"}), r"rows.jsonl:1: task NRE: no such task"),
        (
            json.dumps({**ner_row(1), "instruction": "Name them."}),
            r"rows.jsonl:1: the instruction is not a JSON object",
        ),
        (json.dumps({**ner_row(1), "task": "EE"}), r"rows.jsonl:1: the instruction is not a JSON object"),
        ("", "split train is empty"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path, text, line, streaming):
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigError, match=line):
        list(corpus.rows(str(path), "train", streaming=streaming))


@pytest.mark.parametrize("name", ["corpus[v1]", "a*b?", "{x,y}", "it's {0}", "港 口", "a#b%20", "train-test", "**"])
@pytest.mark.parametrize("streaming", [False, True])
def test_the_folder_of_a_build_may_have_any_name(small, tmp_path, name, streaming):
    folder = tmp_path / name
    folder.symlink_to(small)
    rows = corpus.rows(str(folder), "train", streaming=streaming)
    assert next(iter(rows)) == next(iter(corpus.rows(str(small), "train", streaming=streaming)))


@pytest.mark.parametrize(
    ("instruction", "why"),
    [
        ('{"schema": ["person"], "input": "\\ud83d"}', "an unpaired surrogate"),
        ('{"schema": ' + "[" * 100_000, "nested too deep"),
        ('{"schema": ' + "9" * 5000 + "}", ""),
        ('{"schema": ["person"], "input": 3}', "Expected `str`"),
    ],
    ids=["surrogate", "nested", "digits", "number"],
)
@pytest.mark.parametrize("labels", [None, ["person"]])
def test_an_invalid_instruction_is_refused_with_the_reason(tmp_path, instruction, why, labels):
    path = write_rows(
        tmp_path / "rows.jsonl", [ner_row(1), {**ner_row(2), "instruction": instruction, "labels": labels}]
    )
    with pytest.raises(ConfigError, match=r"rows.jsonl:2: the instruction is not a JSON object.*" + why) as error:
        corpus.rows(path, "train")
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("streaming", [False, True])
def test_a_shard_with_a_flipped_byte_is_refused(build_copy, streaming):
    shard = sorted(build_copy.glob("data/NER/train-*.parquet"))[0]
    content = bytearray(shard.read_bytes())
    content[len(content) // 3] ^= 1
    shard.write_bytes(content)
    with pytest.raises(ConfigError, match=r"train-00000-of-00001.parquet: damaged, it is not the file that was valid"):
        corpus.rows(str(build_copy), "train", streaming=streaming)


def test_a_wrong_split_is_no_empty_split(tmp_path):
    path = write_rows(tmp_path / "rows.jsonl", [ner_row(1, "train")])
    for read in (corpus.check, corpus.rows):
        with pytest.raises(ConfigError, match="split tes: no such split; choose from train, validation, test"):
            read(path, "tes")
