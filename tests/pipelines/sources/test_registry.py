"""Which files belong to which source and split, and the list of sources."""

import json
import shutil

import datasets
import pytest

from pipelines import build
from pipelines.config import SAMPLES
from pipelines.sources import Form, Licence, Source, __main__, keys, load, registry
from pipelines.sources.source_files import find, first_matching_form, split_in_path
from schemas.errors import ConfigError
from tests.unified import NER_SCHEMA, ner, write_source
from transforms.files import File
from transforms.formats import columns


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("eng.train", "train"),
        ("CDR_DevelopmentSet.PubTator.txt", "validation"),
        ("TEST_FILE_FULL.TXT", "test"),
        ("valid.first50.txt", "validation"),
        ("standoff/devel/PMID-1.ann", "validation"),
        ("train/contest.txt", "train"),
        ("duee_dev.json/duee_dev.json", "validation"),
        ("corpus.txt", None),
        ("latest.txt", None),
    ],
)
def test_the_split_is_recognized_by_the_words_of_a_path(name, split):
    assert split_in_path(name) == split


def source(*forms: Form, **more) -> Source:
    return Source("n", "t", ("NER",), "en", "d", Licence.OPEN, "l", "h", "g", "c", forms, **more)


def find_files(made: Source, *names: str):
    return find(made, [File(name, name) for name in names])


def names(group) -> list[str]:
    return [file.name for file in group]


def test_the_first_form_with_files_is_read_and_others_are_ignored():
    forms = [Form(columns.read, (pattern,)) for pattern in ("*.a", "*.b", "*")]
    grouped = find_files(source(*forms), "train.b", "test.b", "train.c", "x.b")
    assert {split: names(group) for split, group in grouped.splits.items()} == {
        "train": ["train.b"],
        "test": ["test.b"],
    }
    assert names(grouped.ignored) == ["train.c", "x.b"] or names(grouped.ignored) == ["train.c"]
    assert names(grouped.unassigned) == ["x.b"]
    assert find_files(source(Form(columns.read, ("*.a",))), "train.b") is None


def test_a_worker_reads_a_split_in_the_form_of_the_driver():
    for located in registry.locate_all(registry.list_root(str(SAMPLES))):
        for split, group in located.files.splits.items() if located.files else ():
            form = located.files.other_forms.get(split, located.files.form)
            assert first_matching_form(located.source, group).include == form.include, (located.key, split)
    assert first_matching_form(source(Form(columns.read, ("*.a",), exclude=("no*",))), [File("no.a", "no.a")]) is None


def test_a_held_out_source_has_only_test_data():
    made = source(Form(columns.read, ("*.a",)), held_out=True)
    assert {s: names(g) for s, g in find_files(made, "train.a", "dev.a").splits.items()} == {
        "test": ["dev.a", "train.a"]
    }
    grouped = find_files(made, "train.a", "test.a")
    assert {s: names(g) for s, g in grouped.splits.items()} == {"test": ["test.a"]}
    assert names(grouped.ignored) == ["train.a"]


def test_a_split_without_a_required_file_is_ignored():
    made = source(Form(columns.read, ("*.a", "*.labels"), needs=("*.a",)))
    grouped = find_files(made, "train.a", "train.labels", "test.labels")
    assert {s: names(g) for s, g in grouped.splits.items()} == {"train": ["train.a", "train.labels"]}
    assert names(grouped.ignored) == ["test.labels"]


def test_keys_of_cuts_share_a_folder():
    assert {"fewrel_0", "fewrel_4", "conll2003"} <= set(keys())
    assert registry.sources.folder("fewrel_4") == "fewrel"
    with pytest.raises(ConfigError, match="did you mean "):
        load("fewrel")


def run(capsys, *flags) -> tuple[int, list[dict]]:
    code = __main__.main([*flags, "--json"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_list_names_every_source_without_a_data_root(capsys):
    code, rows = run(capsys)
    assert code == 0
    assert [row["key"] for row in rows] == keys()
    assert all(row["licence"] in ("open", "ask", "gated") and row["get"] for row in rows)


def test_the_list_distinguishes_present_from_missing_sources(capsys, tmp_path):
    shutil.copytree(SAMPLES / "clue_ner", tmp_path / "clue_ner")
    write_source(tmp_path / "mine", "NER", NER_SCHEMA, train=[ner("Ada went to Rome.", person="Ada")])
    _, rows = run(capsys, "--data_root", str(tmp_path))
    assert [row["key"] for row in rows if row["state"] == "found"] == ["clue_ner", "mine"]
    assert __main__.main(["--data_root", str(tmp_path)]) == 0
    assert "    get: " in capsys.readouterr().out


def test_verify_shows_counts_and_the_first_problems(capsys, tmp_path):
    shutil.copytree(SAMPLES / "clue_ner", tmp_path / "clue_ner")
    write_source(tmp_path / "mine", "NER", NER_SCHEMA, train=[ner("Ada went to Rome.", person="Ada")])
    code, rows = run(capsys, "--verify", str(tmp_path))
    splits = {row["key"]: row["splits"] for row in rows if "splits" in row}
    assert code == 0
    assert splits["mine"]["train"] == {
        "examples": 1, "entities": 1, "relations": 0, "events": 0, "bad_records": 0, "lost_parts": 0,
        "first_problems": [],
    }  # fmt: skip
    assert splits["clue_ner"]["train"]["bad_records"] == 1
    assert splits["clue_ner"]["train"]["first_problems"][0].startswith("train.json:")
    (tmp_path / "mine/schema.json").write_text("[]\n")
    code, rows = run(capsys, "--verify", str(tmp_path))
    (user_data,) = [row for row in rows if row["key"] == "mine"]
    assert code == 3 and "schema.json" in user_data["problem"]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"a b c\n" * 30, b'{"text": "Ada went to Rome.", "entities": []}\n'])
@pytest.mark.parametrize("file", ["mine/train.json", "mine/test.json", "clue_ner/train.json"])
def test_verify_and_build_report_the_same_errors(content, file, tmp_path, capsys):
    data = tmp_path / "data"
    shutil.copytree(SAMPLES / "clue_ner", data / "clue_ner")
    texts = [ner(f"Ada went to Rome {n} times.", person="Ada") for n in range(3)]
    write_source(data / "mine", "NER", NER_SCHEMA, train=texts, test=texts[:1])
    (data / file).write_bytes(content)
    code, rows = run(capsys, "--verify", str(data))
    failed = {row["key"]: row["problem"] for row in rows if row["problem"]}
    flags = ["--data_root", str(data), "--output", str(tmp_path / "build"), "--hard_negatives", "none"]
    assert build.main([*flags, "--only", "ingest"]) == code
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert errors == [f"error: source {key}: {problem}" for key, problem in failed.items()]


def test_user_data_named_like_a_source_replaces_only_that_source(tmp_path):
    texts = [ner("Ada went to Rome.", person="Ada")]
    for key in ("resume_ner", "fewrel_0", "mine"):
        write_source(tmp_path / key, "NER", NER_SCHEMA, train=texts)
    shutil.copytree(SAMPLES / "fewrel", tmp_path / "fewrel")
    located = {one.key: one for one in registry.locate_all(registry.list_root(str(tmp_path))) if one.files}
    assert {"resume_ner", "fewrel_0", "fewrel_1", "mine"} <= located.keys()
    for key, one in located.items():
        assert registry.source_at(str(tmp_path), key).title == one.source.title  # as a worker reads it
    assert located["resume_ner"].source.title == "resume_ner"
    assert located["fewrel_0"].source.title == "fewrel_0"
    # A schema.json without files in the unified format does not replace the dataset in the folder.
    shutil.copytree(SAMPLES / "clue_ner", tmp_path / "clue_ner")
    (tmp_path / "clue_ner/schema.json").write_text((tmp_path / "mine/schema.json").read_text())
    (clue,) = [one for one in registry.locate_all(registry.list_root(str(tmp_path))) if one.key == "clue_ner"]
    assert clue.source is load("clue_ner") and registry.source_at(str(tmp_path), "clue_ner") is load("clue_ner")


def test_a_folder_name_that_cannot_be_a_key_fails_its_source_alone(tmp_path, capsys):
    data = tmp_path / "data"
    bad = (
        "manifest",
        "manifest.json",
        "x.parquet",
        "a" * 201,
        "小" * 67,
        "line\nend",
        "bell\a",
        "zero\u200bwidth",
        "esc\x1b[31m",
    )
    for name in (*bad, "mine"):
        write_source(data / name, "NER", NER_SCHEMA, train=[ner("Ada went to Rome.", person="Ada")])
    flags = ["--data_root", str(data), "--output", str(tmp_path / "build"), "--hard_negatives", "none"]
    assert build.main([*flags, "--only", "ingest"]) == 3
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(bad)
    assert all("; rename it" in error or "; shorten it" in error for error in errors)


def test_every_other_folder_name_is_a_key(tmp_path, capsys):
    data = tmp_path / "data"
    names = (
        "Orr, J (2024) 'notes' [v1]",
        "小集",
        "a" * 200,
        "-x",
        "{a}",
        "a=b",
        "$HOME;",
        "a.json",
        "a",
        "a/b",
        '"',
        "%41",
    )
    for number, name in enumerate(names):
        write_source(data / name, "NER", NER_SCHEMA, train=[ner(f"Ada went to Rome {number} times.", person="Ada")])
    flags = ["--data_root", str(data), "--output", str(tmp_path / "build"), "--embedding_model", "lexical"]
    assert build.main(flags) == 0, capsys.readouterr().err
    rows = datasets.load_dataset(str(tmp_path / "build"), "NER", split="train", cache_dir=str(tmp_path / "cache"))
    assert set(rows["example_id"]) == {f"{name}/train/0" for name in names}


@pytest.mark.parametrize("flags", [["--verify"], ["--data_root", "nowhere"], ["--verify", "nowhere"]])
def test_a_wrong_data_root_is_refused(flags, capsys):
    assert __main__.main(flags) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_split_missing_in_the_preferred_form_is_read_from_another():
    forms = Form(columns.read, ("*.a",)), Form(columns.read, ("*.b",))
    grouped = find_files(source(*forms), "train.a", "train.b", "test.b")
    assert {split: names(group) for split, group in grouped.splits.items()} == {
        "train": ["train.a"],
        "test": ["test.b"],
    }
    assert grouped.other_forms == {"test": forms[1]}
    assert names(grouped.ignored) == ["train.b"]


@pytest.mark.parametrize("other", [Form(columns.read, ("*.b",), splits={"*": "all"}),
                                   Form(columns.read, ("*.b",), collapsed=True)])  # fmt: skip
def test_forms_with_other_labels_or_without_splits_are_not_mixed(other):
    grouped = find_files(source(Form(columns.read, ("*.a",)), other), "train.a", "test.b")
    assert list(grouped.splits) == ["train"]
    assert names(grouped.ignored) == ["test.b"]
