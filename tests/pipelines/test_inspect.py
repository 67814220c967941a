"""`ieforge inspect`: what it prints for folders and files of users, and the source.yaml that it writes."""

import json
import shlex

import pytest
import yaml

from ieforge import commands as ieforge
from pipelines import build as build_command
from pipelines import inspect as command
from pipelines import inspecting
from pipelines.sources import source_yaml
from pipelines.sources.source import NO_TEST, SHARES
from pipelines.sources.user_forms import FORMS
from schemas.label import Label
from tests.label_studio_tasks import task
from tests.tool_files import FORMATS
from transforms.files import File

NOTE = (
    "the language is not stated; the texts are taken for English (en), but other languages have the same script; "
    "if it is another, write lang: CODE into source.yaml"
)
UNLICENSED = (
    "none stated; ieforge publish leaves this source out, unless you add --include_unlicensed; "
    "if you may pass the texts on, write their licence into source.yaml, such as license: CC-BY-4.0"
)

ROWS = [
    {"text": "Ada Marrow moved to Coal Quay.", "label": [[0, 10, "person"], [20, 29, "place"], [25, 29, "part"]]},
    {"text": "Coal Quay  is loud.", "label": [[0, 10, "Place"]]},
    {"text": "Marrow likes Coal Quay.", "label": [[13, 22, "person"], [7, 7, "place"]]},
    {"label": []},
    {
        "text": "Ada met Ben.",
        "entities": [
            {"id": 1, "label": "person", "start_offset": 0, "end_offset": 3},
            {"id": 2, "label": "person", "start_offset": 8, "end_offset": 11},
        ],
        "relations": [{"from_id": 1, "to_id": 2, "type": "met"}, {"from_id": 1, "to_id": 9, "type": "met"}],
    },
]
EXPECTED = f"""\
quays: doccano JSON, 1 file
  files: train.jsonl
  language: {NOTE}
  licence: {UNLICENSED}
  texts:
    train: 4 texts, 7 entities, 1 relation, 1 record left out
    nested: 1 entity inside other entities
  labels of entities: 4
    person 4 x: "Ada Marrow", "Coal Quay", "Ada"
    Place 1 x: "Coal Quay"
    part 1 x: "Quay"
    place 1 x: "Coal Quay"
  labels of relations: 1
    met 1 x: "Ada -> Ben"
  first texts:
    train.jsonl:1: [Ada Marrow: person] moved to [Coal [Quay: part]: place].
    train.jsonl:2: [Coal Quay: Place] is loud.
    train.jsonl:3: Marrow likes [Coal Quay: person].
  problems: 6
    records left out: a field is missing: 1
      train.jsonl:4: the row has no text, only label
    annotations left out: an end of a relation, or another part, is missing: 1
      train.jsonl:5: 'met': one of the entities 1 and 9 does not exist
    annotations left out: offsets that do not fit: 1
      train.jsonl:3: 'place': 7 to 7 is an empty span
    blanks at the edges of a mention, which a build removes: 1
      train.jsonl:2: Place "Coal Quay "
    strings with two labels: 1
      train.jsonl:3: "Coal Quay" is place (1 x) and Place (1 x) and person (1 x)
    labels that differ only in case, blanks or hyphens: 1
      train.jsonl:2: "place" (1 x) and "Place" (1 x)

not read:
  notes.bin: its format is none that is recognised (docs/user_data.md)

next: python -m pipelines.build quays --output corpus
"""


def write_rows(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "quays/train.jsonl", ROWS)
    (tmp_path / "quays/notes.bin").write_bytes(b"\0\1\2")
    return tmp_path / "quays"


def shown(capsys, *flags, code=0) -> str:
    assert command.main(list(flags)) == code
    return capsys.readouterr().out


def test_a_folder_with_every_kind_of_problem(folder, capsys):
    assert shown(capsys, "quays") == EXPECTED


def test_a_single_file_in_columns(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my export.conll").write_text("Ada B-person\nMarrow I-person\nleft O\n. O\n", encoding="utf-8")
    assert (
        shown(capsys, "my export.conll")
        == f"""\
my export.conll: CoNLL columns, 1 file
  files: my export.conll
  language: {NOTE}
  licence: {UNLICENSED}
  texts (no file name says its split: divided by a hash of the text):
    train: 1 text, 1 entity
    {NO_TEST}
  labels of entities: 1
    person 1 x: "Ada Marrow"
  first texts:
    my export.conll:1: [Ada Marrow: person] left .
  problems: none

next: python -m pipelines.build 'my export.conll' --output corpus
"""
    )


def test_a_single_file_of_brat_is_read_with_its_text(tmp_path, capsys):
    (tmp_path / "one.txt").write_text("Ada left Rye.\n")
    (tmp_path / "one.ann").write_text("T1\tPerson 0 3\tAda\n")
    (tmp_path / "other.txt").write_text("Bo left Rye.\n")
    out = shown(capsys, str(tmp_path / "one.ann"))
    assert "files: one.ann, one.txt\n" in out and "train: 1 text, 1 entity" in out


def test_a_mixed_folder(tmp_path, monkeypatch, capsys):
    """Files of two formats in one folder, whose source.yaml states language, licence and labels, and unknown files."""
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "all/letters/a.jsonl", ROWS[:1])
    write_rows(tmp_path / "all/letters/b.jsonl", [{"text": "Ben left.", "label": [[0, 3, "person"]]}])
    (tmp_path / "all/letters/c.conll").write_text("Ada B-person\nleft O\n. O\n", encoding="utf-8")
    (tmp_path / "all/letters/source.yaml").write_text("lang: de\nlicense: MIT\nlabels: {person: PERSON, part: null}\n")
    (tmp_path / "all/letters/README.md").write_text("letters")
    (tmp_path / "all/photos").mkdir()
    (tmp_path / "all/photos/1.png").write_bytes(b"\x89PNG\0")
    (tmp_path / "all/old.zip").write_bytes(b"PK")
    assert (
        shown(capsys, "all")
        == f"""\
letters: doccano JSON, 2 files
  files: a.jsonl, b.jsonl
  language: German (de)
  licence: MIT; may be published with attribution
  texts (no file name says its split: divided by a hash of the text):
    train: 2 texts, 3 entities
    {NO_TEST}
  labels of entities: 2
    PERSON 2 x: "Ada Marrow", "Ben"
    place 1 x: "Coal Quay"
  first texts:
    a.jsonl:1: [Ada Marrow: PERSON] moved to [Coal Quay: place].
    b.jsonl:1: [Ben: PERSON] left.
  problems: none

not read:
  old.zip: compressed or an archive; unpack it
  letters/c.conll: CoNLL columns, and the other files are doccano JSON; give such files a folder of their own
  letters/README.md: documentation
  photos/1.png: no source has this name, and its format is none that is recognised (docs/user_data.md)

next: python -m pipelines.build all --output corpus
"""
    )


def test_a_folder_named_after_a_built_in_source(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "scierc/train.jsonl", ROWS[:1])
    problem = "scierc is the name of a built-in source; rename the folder"
    assert f"  problem: {problem}\n" in shown(capsys, "scierc", code=3)
    assert build_command.main(["--data_root", "scierc", "--output", "out", "--embedding_model", "lexical"]) == 3
    assert f"error: source scierc: {problem}\n" in capsys.readouterr().err
    assert command.main(["."]) == 2
    assert "; rename the folder if its files are your own\n" in capsys.readouterr().out


def test_an_image_project_of_label_studio(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    results = [{"type": "rectanglelabels", "from_name": "l", "to_name": "i", "value": {"rectanglelabels": ["ship"]}}]
    rows = [{"id": n, "data": {"image": f"{n}.png"}, "annotations": [{"id": n, "result": results}]} for n in (1, 2)]
    (tmp_path / "ships.json").write_text(json.dumps(rows))
    first, files, problem, *_ = shown(capsys, "ships.json", code=3).splitlines()
    assert (first, files) == ("ships.json: Label Studio JSON, 1 file", "  files: ships.json")
    assert problem == (
        "  problem: none of its 2 records is a text, first ships.json:1: ignored_annotation: "
        "no text in the data of the task, only a file: image is 1.png; images, sound and video are not read"
    )
    assert build_command.main(["--data_root", "ships.json", "--output", "out", "--embedding_model", "lexical"]) == 3
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert errors == [problem.replace("  problem:", "error: source ships.json:")]


def test_a_stray_text_beside_the_data_is_not_a_source(tmp_path, monkeypatch, capsys):
    """A note at the root or in a folder of its own; plain text that a source.yaml describes stays one."""
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "all/letters/train.jsonl", ROWS[:1])
    (tmp_path / "all/notes").mkdir()
    for name in ("call Ben.txt", "notes/plan.txt"):
        (tmp_path / "all" / name).write_text("Call Ben about the quay.\n")
    out = shown(capsys, "all")
    reason = "plain text without annotations, from which nothing can be learnt"
    assert f"not read:\n  call Ben.txt: {reason}\n  notes/plan.txt: {reason}\n" in out
    assert "letters: doccano JSON, 1 file" in out and "notes: " not in out
    assert build_command.main(["--data_root", "all", "--output", "out", "--embedding_model", "lexical"]) == 0
    assert f"call Ben.txt ({reason})" in capsys.readouterr().err
    (tmp_path / "all/notes/source.yaml").write_text("format: text\n")
    assert "\nnotes: text, one per file, 1 file\n" in shown(capsys, "all", code=3)
    (tmp_path / "all/letters/train.jsonl").unlink()
    (tmp_path / "all/notes/source.yaml").unlink()
    assert "none of its texts has entities, relations or events" in shown(capsys, "all", code=3)


def test_the_next_command_is_quoted_and_not_inside_the_folder(tmp_path, monkeypatch, capsys):
    write_rows(tmp_path / "it's; mine/a.jsonl", ROWS[:1])
    monkeypatch.chdir(tmp_path)
    last = shown(capsys, "it's; mine").splitlines()[-1]
    words = ["python", "-m", "pipelines.build", "it's; mine", "--output", "corpus"]
    assert shlex.split(last.removeprefix("next: ")) == words
    monkeypatch.chdir(tmp_path / "it's; mine")
    assert ieforge.main(["inspect", "."]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "next: ieforge build . --output ../corpus"


def test_the_written_source_yaml_says_what_was_guessed(folder, capsys):
    lines = shown(capsys, "quays", "--write_source_yaml").splitlines()
    path = folder / "source.yaml"
    assert f"wrote {path}; correct it, and inspect again" in lines
    text = path.read_text(encoding="utf-8")
    read = source_yaml.read(File(str(path), "source.yaml"), [form.name for form in FORMS])
    assert (read.name, read.format, read.tasks, read.lang) == ("quays", "doccano", ("NER", "RE"), "en")
    assert (read.license, dict(read.labels)) == (None, {})
    uncommented = text.replace("# labels", "labels").replace("#   ", "  ").replace("# license", "license")
    path.write_text(uncommented, encoding="utf-8")
    labels = source_yaml.read(File(str(path), "source.yaml"), [form.name for form in FORMS]).labels
    assert labels == {name: Label(name) for name in ("person", "place", "part", "Place", "met")}
    assert command.main(["quays", "--write_source_yaml"]) == 2
    assert capsys.readouterr().err == f"error: {path}: exists already; delete or rename it to write another\n"
    assert path.read_text(encoding="utf-8") == uncommented


def test_the_written_source_yaml_has_splits_and_annotators_as_comments(tmp_path, capsys):
    (tmp_path / "quays").mkdir()
    votes = {"ann": [("Ada", "PER")], "ben": [("Ada", "PER")]}
    (tmp_path / "quays/export.json").write_text(json.dumps([task(1, "Ada left.", votes)]))
    shown(capsys, str(tmp_path / "quays"), "--write_source_yaml")
    path = tmp_path / "quays/source.yaml"
    text = path.read_text()
    assert "\n# splits: {train: 0.9, " in text and "\n# annotators: gold  #" in text
    path.write_text(text.replace("# splits", "splits").replace("# annotators", "annotators"))
    read = source_yaml.read(File(str(path), "source.yaml"), [form.name for form in FORMS])
    assert (read.shares, read.annotators) == (SHARES, "gold")


def test_no_source_yaml_for_a_single_file(folder, capsys):
    assert command.main(["quays/train.jsonl", "--write_source_yaml"]) == 2
    assert "a single file has no source.yaml" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["notes.bin", "train.jsonl"]


@pytest.mark.parametrize(
    "word", ["no", "NULL", "1", "a: b", "# x", " x", "", "[", "a\u2028b", "\u0085", "é", "a\nb", "-"]
)
def test_words_of_source_yaml_are_quoted(word):
    assert yaml.safe_load(f"{inspecting.yaml_word(word)}: {inspecting.yaml_word(word)}  # x") == {word: word}


def test_json(folder, capsys):
    shown_json = json.loads(shown(capsys, "quays", "--json"))
    (source,) = shown_json["sources"]
    assert (source["key"], source["format"], source["problem"]) == ("quays", "doccano", "")
    assert source["splits"] == {
        "train": {"texts": 4, "annotated": 4, "entities": 7, "relations": 1, "records_left_out": 1}
    }
    assert source["labels"]["relations"] == {"met": {"count": 1, "examples": ["Ada -> Ben"], "roles": []}}
    assert sum(source["problems"].values()) == len(source["first_problems"]) == 6
    assert shown_json["not_read"][0]["files"] == ["notes.bin"]
    assert shown_json["next"].endswith("build quays --output corpus")


def test_other_formats_that_a_file_may_be_in_are_named(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("Ada B-person\nleft O\n. O\n\nBen B-person\nleft O\n", encoding="utf-8")
    assert "could also be" not in shown(capsys, str(tmp_path))
    (tmp_path / "a.txt").write_text("Ada left.\nBen left.\n", encoding="utf-8")
    out = shown(capsys, str(tmp_path), code=3)
    assert "  could also be text, one per line (format: lines); if so, write that into source.yaml\n" in out


def test_splits_that_match_no_file(tmp_path, monkeypatch, capsys):
    write_rows(tmp_path / "quays/p.jsonl", ROWS)
    (tmp_path / "quays/source.yaml").write_text('splits: {train: "b*"}\n')
    monkeypatch.chdir(tmp_path)
    assert shown(capsys, "quays", code=3) == (
        "quays: doccano JSON\n"
        f"  problem: {tmp_path}/quays/source.yaml:1: splits: no file matches 'b*'; there is p.jsonl\n"
        "\n"
        "not read:\n"
        "  p.jsonl: no pattern of splits in source.yaml matches its name, which contains no split either\n"
    )


def test_a_small_source_without_test_texts_is_noted_by_inspect_and_build(tmp_path, monkeypatch, capsys):
    write_rows(tmp_path / "quays/p.jsonl", ROWS[:1])
    monkeypatch.chdir(tmp_path)
    build = ["quays", "--output", "corpus", "--only", "ingest", "--hard_negatives", "none"]
    note = "no text is in test, so no model can be scored on it; write splits: {train: 0.7, validation: 0.1, test: 0.2}"
    assert f"\n    {note} into source.yaml\n" in shown(capsys, "quays")
    assert build_command.main(build) == 0
    assert f"note: quays: {note} into source.yaml\n" in capsys.readouterr().err
    (tmp_path / "quays/p.jsonl").rename(tmp_path / "quays/train.jsonl")
    assert note not in shown(capsys, "quays")
    assert build_command.main(build) == 0
    assert note not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("licence", "line"),
    [
        (
            "MYOWN",
            "MYOWN; this is not the SPDX name of a licence that is known to allow publishing, so ieforge publish l",
        ),
        ("CC-BY-ND-4.0", "CC-BY-ND-4.0; ieforge publish leaves this source out"),
        ("ask", "ask; ieforge publish leaves this source out"),
        ("mit", "mit; may be published with attribution"),
    ],
)
def test_licences(licence, line, tmp_path, capsys):
    write_rows(tmp_path / "quays/train.jsonl", ROWS)
    (tmp_path / "quays/source.yaml").write_text(f"license: {licence}\n")
    assert f"  licence: {line}" in shown(capsys, str(tmp_path / "quays"))


@pytest.mark.skipif(not FORMATS.is_dir(), reason="needs the samples of real formats")
def test_real_files(capsys):
    for folder in sorted(FORMATS.iterdir()):
        if folder.is_dir():
            assert command.main([str(folder), "--json"]) in (0, 2, 3)
            assert "please report it" not in capsys.readouterr().out
