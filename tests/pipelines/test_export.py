"""ieforge export: files, counts, choices, predictions, refusals; rows of chat data are read back as the annotations."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from pipelines import export, exporting
from pipelines.describe.plural import counted
from pipelines.sources import tool_folders
from pipelines.sources.user_forms import form_named
from schemas.arrow import table_to_examples
from tests.conftest import ROOT
from transforms.files import list_files
from transforms.shards import read_shard
from transforms.writers import fit
from transforms.writers.forms import Context


def run(*flags, capsys) -> tuple[int, str, str]:
    code = export.main(list(map(str, flags)))
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def tree(folder) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_in(path) -> list:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def cleaned(build, split: str) -> list:
    folder = build / "clean"
    return [
        example
        for path in sorted(folder.rglob("*.parquet"))
        for example in table_to_examples(read_shard(str(path)))
        if example.split == split
    ]


@pytest.mark.parametrize("form", (*export.ANNOTATED, *export.CHAT))
def test_every_form_of_a_build(form, small, tmp_path, capsys):
    code, out, err = run("--form", form, "--output", tmp_path / "out", small, capsys=capsys)
    assert (code, err) == (0, "") and out.splitlines()[-1].startswith("next: ")
    code, printed, _ = run("--form", form, "--output", tmp_path / "dry", "--dry_run", "--json", small, capsys=capsys)
    summary = json.loads(printed)
    assert code == 0 and os.listdir(tmp_path) == ["out"]
    for part, number in summary["rows"].items():
        (path,) = (tmp_path / "out").glob(f"{part}*")
        if path.is_dir():
            assert len(list(path.rglob("*.txt"))) == len(list(path.rglob("*.ann"))) == number
        elif path.suffix == ".conll":
            assert path.read_text(encoding="utf-8").count("\n\n") == number
        else:
            assert len(rows_in(path)) == number
    for kind, number in {**summary["not_carried"], **summary["changed"]}.items():
        assert f": {counted(number, kind)}\n" in out


def test_the_bytes_depend_on_the_build_only(small, tmp_path):
    for seed in ("1", "2"):
        flags = ["--form", "brat", "--output", str(tmp_path / seed), str(small)]
        subprocess.run(
            [sys.executable, "-m", "pipelines.export", *flags],
            env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip
    assert tree(tmp_path / "1") == tree(tmp_path / "2")


def test_chosen_splits_and_sources(small, tmp_path, capsys):
    by_name = {example.source: example.id.split("/")[0] for example in cleaned(small, "train")}
    name = next(name for name, key in by_name.items() if key == "clue_ner")
    for number, source in enumerate(("clue_ner", name)):
        output = tmp_path / str(number)
        assert (
            run(
                "--form",
                "doccano",
                "--output",
                output,
                "--split",
                "dev,train",
                "--sources",
                source,
                small,
                capsys=capsys,
            )[0]
            == 0
        )
        assert sorted(path.name for path in output.iterdir()) == ["dev.jsonl", "train.jsonl"]
        assert {row["source"] for path in output.iterdir() for row in rows_in(path)} == {name}
    assert tree(tmp_path / "0") == tree(tmp_path / "1")


@pytest.mark.parametrize("form", ["alpaca", "sharegpt"])
def test_rows_of_chat_data_are_read_back_as_the_entities_of_their_texts(form, small, tmp_path, capsys):
    assert run("--form", form, "--output", tmp_path / "out", "--sources", "anatem", small, capsys=capsys)[0] == 0
    records = list(form_named(form).read([file for file in list_files(str(tmp_path / "out")) if "train" in file.name]))
    read = {record.text: {(e.label, e.mention.text) for e in record.entities} for record in records}
    written = {
        example.text: {(e.label, e.mention.text) for e in example.entities}
        for example in cleaned(small, "train")
        if example.id.startswith("anatem/")
    }
    assert read == written and any(read.values())


def test_an_exported_folder_of_chat_data_keeps_its_splits(small, tmp_path, capsys):
    assert run("--form", "alpaca", "--output", tmp_path / "out", small, capsys=capsys)[0] == 0
    (tmp_path / "out" / "source.yaml").write_text("format: alpaca\n")
    files = list_files(str(tmp_path / "out"))
    grouped = tool_folders.folder_at(str(tmp_path), "out", files).files
    splits = {split: [file.name for file in files] for split, files in grouped.splits.items() if files}
    assert splits == {"train": ["train.json"], "validation": ["dev.json"]}


def test_llama_factory_finds_the_files(small, tmp_path, capsys):
    assert run("--form", "sharegpt", "--output", tmp_path / "out", small, capsys=capsys)[0] == 0
    info = json.loads((tmp_path / "out" / "dataset_info.json").read_text())
    assert set(info) == {"ieforge_train", "ieforge_dev"}
    for entry in info.values():
        rows = rows_in(tmp_path / "out" / entry["file_name"])
        turns = rows[0][entry["columns"]["messages"]]
        assert [turn["from"] for turn in turns] == ["human", "gpt"]


def line(task: str, text: str = "Ada had met Bo and Ada.", **annotations) -> dict:
    return {"id": "7", "task": task, "source": "texts", "lang": "en", "text": text, "unparseable": [], **annotations}


PREDICTED = [
    line(
        "NER",
        entity=[
            {"entity": "Ada", "entity_type": "person", "spans": [[0, 3], [19, 22]]},
            {"entity": "Zoe", "entity_type": "person", "spans": []},
        ],
    ),
    {**line("NER", text="Nothing."), "id": "8", "entity": [], "unparseable": ["8/NER/0"]},
    line(
        "RE",
        relation=[
            {"head": "Ada", "relation": "met", "tail": "Bo", "head_spans": [[0, 3], [19, 22]], "tail_spans": [[12, 14]]}
        ],
    ),
]


@pytest.fixture
def predictions(tmp_path):
    path = tmp_path / "p.joined.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in PREDICTED))
    (tmp_path / "p.meta.json").write_text(json.dumps({"model": "base", "adapter": "runs/mine/", "rows": 3}))
    return path


def test_predictions_are_the_predictions_of_label_studio(predictions, tmp_path, capsys):
    flags = "--form", "label_studio", "--output", tmp_path / "out", "--predictions", predictions
    code, out, _ = run(*flags, capsys=capsys)
    assert code == 0 and "predictions 2 texts" in out
    assert "not carried: 1 mention without offsets\n" in out and "not carried: 1 answer " in out
    first, second = rows_in(tmp_path / "out" / "predictions.json")
    assert "annotations" not in first and first["data"]["text"] == "Ada had met Bo and Ada."
    (prediction,) = first["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("mine", None)
    regions = [(r["value"]["start"], r["value"]["text"]) for r in prediction["result"] if r["type"] == "labels"]
    assert regions == [(0, "Ada"), (19, "Ada"), (12, "Bo")]
    ids = [r["id"] for r in prediction["result"] if r["type"] == "labels"]
    (arrow,) = [r for r in prediction["result"] if r["type"] == "relation"]
    assert (arrow["from_id"], arrow["to_id"], arrow["labels"]) == (ids[1], ids[2], ["met"])
    assert second["predictions"][0]["result"] == []
    assert '<Label value="person"/>' in (tmp_path / "out" / "config.xml").read_text()


def label_studio_configuration(rows: list[dict], folder, capsys) -> str:
    folder.mkdir(parents=True)
    (folder / "p.joined.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    flags = "--form", "label_studio", "--output", folder / "out", "--predictions", folder / "p.joined.jsonl"
    assert run(*flags, capsys=capsys)[0] == 0
    return (folder / "out" / "config.xml").read_text()


def test_labels_that_were_not_predicted_can_be_given_in_label_studio(tmp_path, capsys):
    nothing = [
        {**line("NER"), "entity": [], "labels": {"entity": ["person", "quay & pier"]}},
        {**line("RE"), "relation": [], "labels": {"relation": ["met"]}},
    ]
    text = label_studio_configuration(nothing, tmp_path / "both", capsys)
    assert '<Label value="person"/>' in text and '<Label value="quay &amp; pier"/>' in text
    assert '<Relation value="met"/>' in text
    assert '<Label value="entity"/>' in label_studio_configuration(nothing[1:], tmp_path / "relations", capsys)
    assert '<Label value="entity"/>' not in text


def predicted_regions(tmp_path, capsys, *lines: dict) -> tuple[list, list]:
    """(start, string) of the regions, and the starts of both ends of the relations, of the only text."""
    path = tmp_path / "p.joined.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in lines))
    assert run("--form", "label_studio", "--output", tmp_path / "out", "--predictions", path, capsys=capsys)[0] == 0
    ((prediction,),) = (row["predictions"] for row in rows_in(tmp_path / "out" / "predictions.json"))
    regions = {r["id"]: r["value"] for r in prediction["result"] if r["type"] == "labels"}
    arrows = [(r["from_id"], r["to_id"]) for r in prediction["result"] if r["type"] == "relation"]
    starts = [tuple(regions[end]["start"] for end in ends) for ends in arrows]
    return sorted((value["start"], value["text"]) for value in regions.values()), starts


def test_a_predicted_mention_is_not_placed_inside_a_longer_one(tmp_path, capsys):
    text = "Ida Rye met Bo Rye in Rye, at Quay Inn."
    entity = [
        {"entity": "Ida Rye", "entity_type": "person", "spans": [[0, 7]]},
        {"entity": "Bo Rye", "entity_type": "person", "spans": [[12, 18]]},
        {"entity": "Rye", "entity_type": "place", "spans": [[4, 7], [15, 18], [22, 25]]},
        {"entity": "Quay", "entity_type": "place", "spans": [[30, 34]]},  # only inside another one
        {"entity": "Quay Inn", "entity_type": "inn", "spans": [[30, 38]]},
    ]
    ends = {"head_spans": [[12, 18]], "tail_spans": [[4, 7], [15, 18], [22, 25]]}
    relation = [{"head": "Bo Rye", "relation": "lives in", "tail": "Rye", **ends}]
    regions, arrows = predicted_regions(
        tmp_path, capsys, line("NER", text, entity=entity), line("RE", text, relation=relation)
    )
    assert regions == [(0, "Ida Rye"), (12, "Bo Rye"), (22, "Rye"), (30, "Quay"), (30, "Quay Inn")]
    assert arrows == [(12, 22)]


@pytest.mark.parametrize(
    ("heads", "tails", "expected"),
    [
        ([[0, 3], [19, 22]], [[0, 3], [19, 22]], (0, 19)),  # a relation of a string to itself
        ([[8, 11]], [[0, 3], [4, 7], [19, 22]], (8, 4)),
        ([[0, 3]], [[0, 3]], (0, 0)),
    ],
)
def test_predicted_ends_are_the_nearest_places_without_overlap(heads, tails, expected, tmp_path, capsys):
    ends = {"head_spans": heads, "tail_spans": tails}
    relation = [{"head": "x", "relation": "met", "tail": "y", **ends}]
    assert predicted_regions(tmp_path, capsys, line("RE", relation=relation))[1] == [expected]


@pytest.mark.parametrize("form", ["doccano", "brat"])
def test_predictions_are_read_as_annotations_by_tools_without_predictions(form, predictions, tmp_path, capsys):
    output = tmp_path / "out"
    assert run("--form", form, "--output", output, "--predictions", predictions, capsys=capsys)[0] == 0
    files = [file for file in list_files(str(output)) if file.name.startswith("predictions")]
    first = next(iter(form_named(form).read(files)))
    assert [(e.label, e.mention.spans) for e in first.entities][:2] == [("person", ((0, 3),)), ("person", ((19, 22),))]
    assert [(r.label, r.head.text, r.tail.text) for r in first.relations] == [("met", "Ada", "Bo")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "contains no predictions"),
        ('{"id": "1", "task": "NER", "output": "{}"}', "p.joined.jsonl:1: expected a line of predictions.joined.jsonl"),
        (json.dumps(PREDICTED), "one object per line"),
        (json.dumps(line("NER", entity=[{"entity": "Ada", "entity_type": "x", "spans": [[15, 99]]}])), "outside the"),
        ("\n".join(map(json.dumps, (line("NER"), line("RE", text="Other text.")))), "two texts of texts have the id"),
    ],
)
def test_other_files_of_predictions_are_refused(content, message, tmp_path, capsys):
    (tmp_path / "p.joined.jsonl").write_text(content)
    flags = "--form", "brat", "--output", tmp_path / "out", "--predictions", tmp_path / "p.joined.jsonl"
    code, _, err = run(*flags, capsys=capsys)
    assert code == 2 and message in err and err.count("\n") == 1
    assert os.listdir(tmp_path) == ["p.joined.jsonl"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--form", "glinr"], "no such form; did you mean gliner"),
        (["--split", "tset"], "no such split"),
        (["--sources", "anatm"], "no such source in "),
        (["--output", "{build}/out"], "is inside the build"),
        (["--output", "{full}"], "exists; choose a new folder"),
        (["--output", "{full}/file"], "exists; choose a new folder"),
        (["--output", "gs://bucket/out"], "choose a folder on this machine"),
        (["--predictions", "p.jsonl"], "nothing to export: give the folder of a build, or --predictions"),
    ],
)
def test_wrong_flags(flags, message, small, tmp_path, capsys):
    full = tmp_path / "full"
    full.mkdir()
    (full / "file").write_text("kept")
    given = [flag.format(build=small, full=full) for flag in flags]
    code, out, err = run("--form", "gliner", "--output", tmp_path / "out", *given, small, capsys=capsys)
    assert (code, out) == (2, "") and message in err and err.count("\n") == 1
    assert tree(tmp_path) == {"full/file": hashlib.sha256(b"kept").hexdigest()}


def test_what_is_not_a_finished_build_is_refused(small, tmp_path, capsys):
    code, _, err = run("--form", "gliner", "--output", tmp_path / "out", ROOT / "docs", capsys=capsys)
    assert code == 2 and "not made by a build (no build.json)" in err
    copy = tmp_path / "copy"
    shutil.copytree(small, copy)
    (copy / "reports" / "manifest.json").unlink()
    code, _, err = run("--form", "messages", "--output", tmp_path / "out", copy, capsys=capsys)
    assert code == 2 and "finish it with python -m pipelines.build" in err


def test_a_damaged_shard_leaves_no_output(small, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(small, copy)
    shard = max((copy / "clean").rglob("*.parquet"))
    shard.write_bytes(shard.read_bytes()[:-100])
    code, _, err = run("--form", "doccano", "--output", tmp_path / "out", copy, capsys=capsys)
    assert code == 1 and shard.name in err and os.listdir(tmp_path) == ["copy"]


def test_unknown_labels_are_no_loss():
    """The text itself is in the export."""
    assert exporting.losses({fit.UNKNOWN_LABELS: 1, fit.RELATIONS: 2}) == (
        {"relations": 2},
        {"texts with unknown labels, written as if these did not occur": 1},
    )


@pytest.mark.parametrize(("has_relations", "words"), [(True, "with"), (False, "without")])
def test_the_doccano_project_to_create(has_relations, words):
    after = exporting.annotated("doccano", {}, Context(has_relations)).after
    assert f"overlapping entities, {words} relation labelling;" in after
