"""Every file below a data root is read or reported with a reason."""

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


def test_files_that_are_read_are_not_reported(data):
    (data / ".DS_Store").write_bytes(b"x")
    assert unread(data) == {}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("conll2003/eng.testb.gz", "compressed or an archive; unpack it"),
        ("conll2003/notes/README", "documentation"),
        ("mine/Licence.txt", "documentation"),
        ("notes.md", "documentation"),
        ("mine/deeper/quays_README.txt", "documentation"),
        ("mine/CITATION.cff", "documentation"),
        ("mine/dataset_info.json", "documentation"),
        ("mine/readers.json", "no source reads it"),
        ("mine/more.json", "no source reads it"),
        ("mine/deeper/train.json", "no source reads it"),
        ("mine/TEST.JSON", "no source reads it"),
        ("corpus.zip", "compressed or an archive; unpack it"),
        ("train.json", "its format is none that is recognised"),
        ("conll2013/eng.train", "no source has this name, and its format is none that is recognised"),
        ("scierc/notes.doc", "it contains none of the files of this source; "),
    ],
)
def test_files_that_are_not_read_are_reported_with_a_reason(data, path, reason):
    (data / path).parent.mkdir(parents=True, exist_ok=True)
    (data / path).write_text('{"text": "Ada went to Rome."}\n')
    ((where, actual),) = unread(data).items()
    assert "/".join(filter(None, where)) == path
    assert actual.startswith(reason)


@pytest.mark.parametrize("name", ["dev.json", "val.jsonl", "valid.json", "validation.json", "validation.jsonl"])
def test_every_usual_name_of_the_validation_split_is_read(data, name):
    shutil.copy(data / "mine/train.json", data / "mine" / name)
    assert unread(data) == {}
    (mine,) = [located for located in registry.locate_all(registry.list_root(str(data))) if located.key == "mine"]
    assert set(mine.files.splits) == {"train", "validation"}


def test_only_the_folders_of_selected_sources_are_checked(data):
    for folder in ("conll2003", "mine", "other"):
        (data / folder).mkdir(exist_ok=True)
        (data / folder / "notes.txt").write_text("x")
    assert unread(data, "mine") == {("mine", "notes.txt"): "no source reads it"}
    assert unread(data, "conll2003").keys() == {("conll2003", "notes.txt")}


def test_a_file_read_by_one_cut_is_not_reported_for_the_others(tmp_path):
    shutil.copytree(SAMPLES / "instructie", tmp_path / "instructie")
    (tmp_path / "instructie/train_zh_plus.json").write_text('{"id": 1}\n')
    assert unread(tmp_path) == {
        ("instructie", "train_zh_plus.json"): "not in the form that is read, or incomplete without other files",
        ("instructie", "schema_en.json"): "no source reads it",
        ("instructie", "schema_zh.json"): "no source reads it",
    }


def test_a_message_names_three_files_and_counts_the_others(data):
    for number in range(5):
        (data / f"mine/{number}.doc").write_text("x")
    listing = registry.list_root(str(data))
    (line,) = map(str, unread_files(listing, registry.locate_all(listing), None))
    assert line == "mine/: left out 0.doc, 1.doc, 2.doc and 2 more (no source reads it)"


@pytest.mark.parametrize("name", ["train.json", "schema.json"])
def test_an_unreadable_file_is_a_problem_only_of_its_folder(data, name):
    write_source(data / "other", "NER", NER_SCHEMA, train=[ner("Bo stayed in Rome.", person="Bo")])
    path = data / "other" / name
    path.write_bytes(path.read_bytes().decode().encode("utf-16-le"))
    assert unread(data, "conll2003", "mine", "other") == {}
    problems = {located.key: located.problem for located in registry.locate_all(registry.list_root(str(data)))}
    assert problems["other"] == f"{name}:1: UTF-16 without a byte order mark; re-encode it as UTF-8"
    assert not problems["mine"] and not problems["conll2003"]
