"""Every file below a data root is read or named, with the reason."""

import shutil

import pytest

from pipelines.config import SAMPLES
from pipelines.sources import registry
from pipelines.sources.unread import unread_files
from tests.unified import NER_SCHEMA, ner, write_source


@pytest.fixture
def data(tmp_path):
    shutil.copytree(SAMPLES / "conll2003", tmp_path / "conll2003")
    write_source(tmp_path / "mine", "NER", NER_SCHEMA, train=[ner("Ada went to Rome.", person="Ada")])
    return tmp_path


def unread(data, *chosen) -> dict[tuple[str, str], str]:
    """(folder, file) → reason."""
    listing = registry.list_root(str(data))
    all_sources = registry.locate_all(listing)
    located = registry.select(all_sources, chosen, str(data))
    return {
        (group.folder, name): group.reason
        for group in unread_files(listing, all_sources, located if chosen else None)
        for name in group.files
    }


def test_what_is_read_is_not_named(data):
    (data / ".DS_Store").write_bytes(b"x")
    assert unread(data) == {}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("conll2003/eng.testb.gz", "compressed or an archive; unpack it"),
        ("conll2003/notes/README", "documentation"),
        ("mine/Licence.txt", "documentation"),
        ("notes.md", "documentation"),
        ("mine/readers.json", "no source reads it"),
        ("mine/more.json", "no source reads it"),
        ("mine/deeper/train.json", "no source reads it"),
        ("mine/TEST.JSON", "no source reads it"),
        ("corpus.zip", "compressed or an archive; unpack it"),
        ("train.json", "no source has this name, and there is no schema.json beside train.json"),
        ("conll2013/eng.train", "no source has this name, and there is no schema.json beside train.json"),
        ("scierc/notes.doc", "it contains none of the files of this source; "),
    ],
)
def test_what_nobody_reads_is_named(data, path, reason):
    (data / path).parent.mkdir(parents=True, exist_ok=True)
    (data / path).write_text('{"text": "Ada went to Rome."}\n')
    ((where, why),) = unread(data).items()
    assert "/".join(filter(None, where)) == path
    assert why.startswith(reason)


@pytest.mark.parametrize("name", ["dev.json", "val.jsonl", "valid.json", "validation.json", "validation.jsonl"])
def test_every_usual_name_of_the_validation_split_is_read(data, name):
    shutil.copy(data / "mine/train.json", data / "mine" / name)
    assert unread(data) == {}
    (mine,) = [located for located in registry.locate_all(registry.list_root(str(data))) if located.key == "mine"]
    assert set(mine.files.splits) == {"train", "validation"}


def test_with_sources_chosen_only_their_folders_are_looked_at(data):
    for folder in ("conll2003", "mine", "other"):
        (data / folder).mkdir(exist_ok=True)
        (data / folder / "notes.txt").write_text("x")
    assert unread(data, "mine") == {("mine", "notes.txt"): "no source reads it"}
    assert unread(data, "conll2003").keys() == {("conll2003", "notes.txt")}


def test_a_file_that_one_cut_reads_is_not_named_for_the_others(tmp_path):
    shutil.copytree(SAMPLES / "instructie", tmp_path / "instructie")
    (tmp_path / "instructie/train_zh_plus.json").write_text("{}\n")
    assert unread(tmp_path) == {
        ("instructie", "train_zh_plus.json"): "not in the form that is read, or incomplete without other files",
        ("instructie", "schema_en.json"): "no source reads it",
        ("instructie", "schema_zh.json"): "no source reads it",
    }


def test_a_line_names_three_files_and_counts_the_others(data):
    for number in range(5):
        (data / f"mine/{number}.doc").write_text("x")
    listing = registry.list_root(str(data))
    (line,) = map(str, unread_files(listing, registry.locate_all(listing), None))
    assert line == "mine/: left out 0.doc, 1.doc, 2.doc and 2 more (no source reads it)"


@pytest.mark.parametrize("name", ["train.json", "schema.json"])
def test_a_file_that_cannot_be_read_is_the_problem_of_its_folder_alone(data, name):
    write_source(data / "other", "NER", NER_SCHEMA, train=[ner("Bo stayed in Rome.", person="Bo")])
    path = data / "other" / name
    path.write_bytes(path.read_bytes().decode().encode("utf-16-le"))
    assert unread(data, "conll2003", "mine", "other") == {}
    problems = {located.key: located.problem for located in registry.locate_all(registry.list_root(str(data)))}
    assert problems["other"] == f"{name}:1: UTF-16 without a byte order mark; re-encode it as UTF-8"
    assert not problems["mine"] and not problems["conll2003"]
