"""Folders as users have them, with something wrong in them: one line about it, and the rest is read."""

import json
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines import build, inspecting, inspecting_text
from schemas.example import RawExample

TOWNS = {"Ada": "Oslo", "Ben": "Bern", "Cleo": "Rome"}


def region(start: int, end: int, text: str, label: str) -> dict:
    value = {"start": start, "end": end, "text": text, "labels": [label]}
    return {"id": f"{start}", "from_name": "l", "to_name": "text", "type": "labels", "value": value}


def task(number: int, name: str = "Ada", before: str = "", after: str = " left.", **annotation) -> dict:
    """A task with one person and one town, whose offsets are those without `before`."""
    town = TOWNS[name]
    regions = [region(0, len(name), name, "person"), region(len(name) + 6, len(name) + 6 + len(town), town, "town")]
    return {
        "id": number,
        "data": {"text": f"{before}{name} from {town}{after}"},
        "annotations": [{"completed_by": 1, "result": regions} | annotation],
    }


TASKS = [task(number, name) for number, name in enumerate(TOWNS)]
IMAGE = {"type": "rectanglelabels", "from_name": "l", "to_name": "img", "value": {"x": 1, "rectanglelabels": ["Car"]}}
CHOICE = {"type": "choices", "from_name": "l", "to_name": "text", "value": {"choices": ["good"]}}


def write(root: Path, **contents: object) -> Path:
    """A folder with these files; `/` in a name is written as `__`, and `.` as `_`."""
    for name, content in contents.items():
        folder, _, rest = name.rpartition("__")
        stem, _, suffix = rest.rpartition("_")
        path = root / folder / f"{stem}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, str | bytes) else json.dumps(content)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return root


def inspected(path: Path) -> str:
    return "\n".join(inspecting_text.lines(inspecting.inspect(str(path))))


def built(path: Path, capsys, *flags: str) -> tuple[int, dict[str, list[dict]], list[str]]:
    """(exit code, source → its rows of clean/, lines of the log)."""
    output = path.parent / f"{path.name} built"
    settings = ["--hard_negatives", "none", "--only", "clean", "--output", str(output)]
    code = build.main([str(path), *settings, *flags])
    rows = defaultdict(list)
    for shard in sorted((output / "clean").rglob("*.parquet")):
        rows[shard.parent.name] += pq.read_table(shard).to_pylist()
    return code, rows, capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("tasks", "kind"),
    [
        ([{"id": 1, "data": {"img": "a.jpg", "text": "A car."}, "annotations": [{"result": [IMAGE]}]}], IMAGE["type"]),
        ([{"id": 1, "data": {"text": "Nice."}, "annotations": [{"result": [CHOICE]}]}], CHOICE["type"]),
    ],
)
def test_a_project_of_another_type(tmp_path, capsys, tasks, kind):
    root = write(tmp_path / "my", other__a_json=tasks, own__b_json=TASKS)
    problem = "none of its texts has entities, relations or events that can be used (left out: 1)"
    out = inspected(root)
    assert f"  problem: {problem}, so nothing can be learnt from it; annotate some, or move it away\n" in out
    assert f"  not used: a result of type {kind!r} (1 x)\n" in out
    code, rows, log = built(root, capsys)
    assert (code, list(rows), len(rows["own"])) == (3, ["own"], 3)
    assert [line for line in log if problem in line] == [line for line in log if line.startswith("error:")]


def test_texts_in_which_nothing_is_annotated(tmp_path, capsys):
    root = write(tmp_path / "my", a_json=[{"id": 1, "data": {"text": "Ada left."}, "annotations": [{"result": []}]}])
    assert (
        "  problem: none of its texts has entities, relations or events, so nothing can be learnt from it"
        in inspected(root)
    )
    code, rows, log = built(root, capsys)
    assert (code, rows) == (3, {}) and log[-1].startswith(
        "error: source my: none of its texts has entities, relations or events, so"
    )


@pytest.mark.parametrize(
    ("others", "is_named"),
    [([], True), ([{"id": 2, "data": {"text": "Bo left."}, "annotations": []}], True), (TASKS, False)],
)
def test_predictions_without_annotations_name_the_key_that_reads_them(tmp_path, capsys, others, is_named):
    result = TASKS[0]["annotations"][0]["result"]
    task = {"id": 1, "data": TASKS[0]["data"], "predictions": [{"model_version": "m", "result": result}]}
    root = write(tmp_path / "my", a_json=[task, *others])
    message = "predictions of a model are only read with predictions: true in source.yaml; add it, or annotate some"
    _, _, log = built(root, capsys)
    assert any(line.startswith("error: source my: ") and line.endswith(message) for line in log) == is_named
    assert (f"learnt from it; {message}\n" in inspected(root)) == is_named


def test_tasks_of_which_no_label_occurs(tmp_path, capsys):
    code, _, log = built(write(tmp_path / "my", a_json=TASKS), capsys, "--tasks", "RE", "--only", "report")
    assert (code, log[-1]) == (
        3,
        "error: no text has a label for one of the tasks RE; ieforge inspect shows the labels there are",
    )


def test_a_project_with_images_only(tmp_path):
    tasks = [{"id": 1, "data": {"img": "https://x.org/a.jpg"}, "annotations": [{"result": [IMAGE]}]}]
    root = write(tmp_path / "my", other__a_json=tasks, own__b_json=TASKS)
    assert "  problem: none of its 1 records is a text, first a.json:1: " in inspected(root)


def test_a_mixed_folder(tmp_path, capsys):
    zipped, picture = b"PK\x03\x04\0\0", b"\x89PNG\r\n\x1a\n\0\0"
    contents = {"notes_txt": "Hello.\n", "b_conll": "Ada B-person\nleft O\n", "c_csv": "a,b\n", "all_jsonl": ""}
    binary = {"d_xlsx": zipped, "e_zip": zipped, "f_png": picture}
    root = write(tmp_path / "my", a_json=TASKS, **contents, **binary)
    others = "and the other files are Label Studio JSON; give such files a folder of their own"
    expected = {
        "notes.txt": f"text, one per file, {others}",
        "b.conll": f"CoNLL columns, {others}",
        "c.csv, d.xlsx": "a table is not read; export JSON from the annotation tool",
        "all.jsonl": "it is empty",
        "e.zip": "compressed or an archive; unpack it",
        "f.png": "its format is none that is recognised (docs/user_data.md)",
    }
    out = inspected(root)
    assert all(f"  {names}: {reason}\n" in out for names, reason in expected.items()), out
    code, rows, log = built(root, capsys)
    assert (code, len(rows["my"])) == (0, 3)
    assert {f"note: left out {names} ({reason})" for names, reason in expected.items()} <= set(log)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a_xml", '<?xml version="1.0"?>\n<GateDocument version="3">\n', "GATE XML is not read; convert it to brat or"),
        ("a_lif", {"text": {"@value": "Ada left."}, "views": []}, "LIF is not read; convert it to brat or CoNLL"),
        ("a_ttl", "@prefix nif: <http://x/nlp2rdf/ontologies/nif-core#> .\n", "NIF is not read; convert it to brat or"),
        ("a_zip", b"PK\x03\x04", "compressed or an archive; unpack it"),
        ("a_json", "[]", "it is empty"),
        ("a_json", "[\n]\n", "it is empty"),
        ("a_jsonl", "\n", "it is empty"),
    ],
)
def test_nothing_that_is_read(tmp_path, capsys, name, content, line):
    root = write(tmp_path / "my", **{name: content})
    (line_shown,) = [each for each in inspected(root).splitlines() if each.startswith("  ")]
    assert line_shown.startswith(f"  {name.replace('_', '.')}: {line}")
    assert built(root, capsys)[::2] == (
        2,
        [
            f"error: {root}: contains no source; `ieforge inspect` says why of each file, and `ieforge sources` lists "
            "the built-in sources"
        ],
    )


def test_a_task_id_that_occurs_twice(tmp_path, capsys):
    """The same text is one row; another text with the id of the first is a row of its own."""
    tasks = [*TASKS, TASKS[0], task(0, "Ada", after=" stayed.")]
    code, rows, _ = built(write(tmp_path / "my", a_json=tasks), capsys)
    texts = sorted(row["text"] for row in rows["my"])
    assert (code, texts) == (0, sorted([*(each["data"]["text"] for each in TASKS), "Ada from Oslo stayed."]))


def test_texts_that_were_changed_after_labelling(tmp_path, capsys):
    changed = task(7, "Ben", before="Dear reader, ", after=" left Bern, Ben said.")
    root = write(tmp_path / "my", train_json=[*TASKS, changed])
    out = inspected(root)
    assert "    annotations left out: offsets that do not fit: 2\n" in out
    assert "      train.json:1 (id 7): 'person': the text at 0-3 is 'Dea', not 'Ben'\n" in out
    assert "offsets that were corrected" not in out
    code, rows, log = built(root, capsys)
    changed = next(row for row in rows["my"] if row["text"].startswith("Dear"))
    assert (code, len(rows["my"]), changed["entities"]) == (0, 4, [])
    assert sorted(label["label"] for label in changed["unknown_labels"]) == ["person", "town"]
    assert sum("offset_mismatch" in line for line in log) == 1


def test_offsets_that_are_corrected_are_a_problem(tmp_path):
    tasks = [task(7, "Ben", before="- "), task(8, "Cleo", before="Dear reader, ")]
    out = inspected(write(tmp_path / "my", train_json=tasks))
    assert "    offsets that were corrected: 4\n" in out and "left out" not in out


def test_html_in_texts(tmp_path, capsys):
    root = write(tmp_path / "my", train_json=[*TASKS, task(5, after=" &amp; left.<br>"), task(6, after=" a < b, A&M")])
    out = inspected(root)
    assert '    texts with HTML, which stays in the prompts: 1\n      train.json:1 (id 5): "&amp;"\n' in out
    assert built(root, capsys)[0] == 0


def test_an_annotator_with_a_path_as_name(tmp_path, capsys):
    name = "../../../evil"
    tasks = [task(n, person, completed_by={"email": name}) for n, person in enumerate(TOWNS)]
    root = write(tmp_path / "a/b/my", a_json=tasks, source_yaml=f"annotators: {name}\n")
    code, rows, _ = built(root, capsys, "--only", "report", "--embedding_model", "lexical")
    assert (code, len(rows["my"])) == (0, 3)
    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name]


def test_names_of_folders(tmp_path, capsys):
    names = ["a&b;c", "a: b", "it's", "my folder", "データ"]
    for name in names:
        write(tmp_path / "root" / name, a_json=[task(1, after=f" left {name}.")])
    code, rows, log = built(tmp_path / "root", capsys)
    assert (code, sorted(rows), sum(map(len, rows.values()))) == (0, names, 5)
    assert f"note: {', '.join(names)}: read as Label Studio JSON; if it is in another format, write " in "".join(log)


def test_a_format_that_the_user_names_is_not_announced(tmp_path, capsys):
    root = write(tmp_path / "my", a_txt="Ada left.\nBen left.\n")
    (line,) = (each for each in built(root, capsys, "--dry_run")[2] if "read as" in each and "my" in each)
    assert line == (
        "note: my: read as text, one per file; could also be text, one per line (format: lines); "
        "if so, write that into source.yaml"
    )
    write(root, source_yaml="format: lines\n", b__train_json=TASKS, b__source_yaml="format: label_studio\n")
    assert not [each for each in built(root, capsys, "--dry_run")[2] if "read as" in each]
    assert "could also be" not in inspected(root)


def test_inception_project_export(tmp_path, capsys):
    """The files of INCEpTION that are not annotations are named in one line; annotators in zip files, in another."""
    xmi = (
        '<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore" '
        'xmlns:custom="http:///webanno/custom.ecore">\n'
        '<custom:Span xmi:id="3" sofa="1" begin="0" end="3" value="person"/>\n'
        '<cas:Sofa xmi:id="1" sofaID="_InitialView" sofaString="Ada left."/>\n</xmi:XMI>\n'
    )
    files = {
        "annotation__d_txt__admin_xmi": xmi,
        "annotation__d_txt__eva_zip": b"PK\x03\x04",
        "exportedproject123_json": '{"name": "p"}',
        "source__d_txt": "Ada left.",
        "log__event_log": "x",
    }
    root = write(tmp_path / "data/project")
    for name, content in files.items():
        path = root / name.replace("d_txt__", "d.txt/").replace("__", "/")
        path = path.with_name(".".join(path.name.rsplit("_", 1)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    reason = "of an INCEpTION project, of which only the annotations and curations are read"
    out = inspected(root.parent)
    assert f"  project/exportedproject123.json, project/log/event.log, project/source/d.txt: {reason}\n" in out
    assert "  project/annotation/d.txt/eva.zip: compressed or an archive; unpack it\n" in out
    assert f"  log/event.log: {reason}\n" in inspected(root)
    code, rows, _ = built(root, capsys)
    ((row,),) = rows.values()
    assert (code, [each["label"] for each in row["entities"]]) == (0, ["person"])


def test_other_annotators_are_no_problems(tmp_path):
    rows = [{"id": n, "text": f"Ada left {n}.", "label": [[0, 3, "person"]]} for n in range(30)]
    lines = "\n".join(map(json.dumps, rows))
    out = inspected(write(tmp_path / "my", admin_jsonl=lines, eva_jsonl=lines))
    assert "(annotators: gold); left out: 30 other annotations\n" in out
    assert "  problems: none\n" in out and "not used" not in out


def test_the_samples_of_this_file_are_right(tmp_path):
    record = inspecting.inspect(str(write(tmp_path / "my", a_json=TASKS))).sources[0].survey.first_texts[0]
    assert isinstance(record, RawExample)
    assert [entity.mention.text for entity in record.entities] == ["Ada", "Oslo"]
