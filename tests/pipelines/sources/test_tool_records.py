"""source.yaml of a folder from an annotation tool: annotators, splits, groups, predictions and complete labels."""

import json
import re
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines import build
from pipelines.sources import reading, tool_folders
from pipelines.sources.tool_folders import source_at
from pipelines.stages.labels import label_set
from schemas.errors import BadRecord, SourceError
from schemas.label import Label, Role
from tests.label_studio_tasks import span, task
from transforms.files import list_raw_files


def event(label: str, trigger: str, **arguments: str) -> dict:
    """An event in the unified format. `arguments`: role → argument."""
    return {
        "event_type": label,
        "event_trigger": trigger,
        "arguments": [{"role": role, "argument": argument} for role, argument in arguments.items()],
    }


def folder(root: Path, settings: str | None = None, **exports) -> Path:
    path = root / "data/mine"
    path.mkdir(parents=True)
    for name, content in exports.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (path / f"{name}.json").write_text(text)
    if settings is not None:
        (path / "source.yaml").write_text(settings)
    return root / "data"


def read(root: Path) -> list:
    source = source_at(str(root), "mine")
    files = [file for file in list_raw_files(str(root / "mine"), within=[str(root)])[0] if file.name.endswith("json")]
    return list(reading.records(source, source.forms[0], files))


def built(root: Path, capsys, *flags: str) -> tuple[int, dict[str, list[dict]], str]:
    """(exit code, split → rows of examples/, log)."""
    output = root.parent / "build"
    args = ["--data_root", str(root), "--output", str(output), "--hard_negatives", "none", "--only", "ingest", *flags]
    code = build.main(args)
    rows = defaultdict(list)
    for path in sorted((output / "examples/mine").glob("*.parquet")) if output.exists() else ():
        rows[path.name.partition("-")[0]] += pq.read_table(path).to_pylist()
    return code, rows, capsys.readouterr().err


ANNA = "Anna lives in Rome."
TASKS = [
    task(1, ANNA, {"a@x": [("Anna", "PER")], "b@x": [("Anna", "PER"), ("Rome", "LOC")]}),
    task(2, "Ben works at Acme.", {"b@x": [("Acme", "ORG")]}),
]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (None, [["PER"], ["ORG"]]),
        ("", [["PER"], ["ORG"]]),
        ("# task: NER\n", [["PER"], ["ORG"]]),
        ("annotators: all", [["PER"], ["PER", "LOC"], ["ORG"]]),
        ("annotators: b@x", [["PER", "LOC"], ["ORG"]]),
        ("annotators: a@x", [["PER"]]),
        ("annotators: majority", [["PER"], ["ORG"]]),
        ("annotators: majority\nmin_annotators: 1", [["PER", "LOC"], ["ORG"]]),
        ("annotators: majority\nmin_annotators: 2", [["PER"], None]),
        ("labels: {PER: person, LOC: null}\nannotators: b@x", [["person"], ["ORG"]]),
    ],
)
def test_annotators(tmp_path, settings, expected):
    rows = [row for row in read(folder(tmp_path, settings, a=TASKS)) if not isinstance(row, BadRecord)]
    made = [None if row.entities is None else [entity.label for entity in row.entities] for row in rows]
    assert made == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("lang: en\nannotators: c@x", ":2: annotators: nobody is called 'c@x'; known: 'a@x', 'b@x'"),
        ("lang: en\n\ngroup_by: contract", ":3: group_by is 'contract', but no record has this field"),
        ("complete:\n- PER\n- PRE", ":3: complete: no annotation has the label 'PRE'; did you mean PER?"),
        ("format: gliner\npredictions: true", ":2: predictions is not possible for files in the format GLiNER JSON"),
        ("labels:\n  PER: person\n  LCO: place", ":3: labels: no annotation has the label 'LCO'; did you mean LOC?"),
        ("predictions: true", ":1: predictions: no record has any; remove it to read annotations"),
        ("format: brat", ":1: format is brat, but no file ends with .ann; a.json looks like Label Studio JSON (format"),
        ("splits: {train: [a*, b*]}", ":1: splits: no file matches 'b*'; there is a.json"),
        ("lang: en\ntask: SPO", ":2: task: SPO needs relations, but no text is annotated with them; remove SPO"),
        ("task: [NER, EE]", ":1: task: EE needs events, but no text is annotated with them; remove EE"),
        ("splits: {train: '*', test: 'a*'}", ":1: splits: a.json fits the patterns of train and test; change one"),
        ("min_annotators: 2", ":1: min_annotators needs annotators: majority"),
    ],
)
def test_a_wrong_setting_fails_its_source(tmp_path, settings, message):
    root = folder(tmp_path, settings, a=TASKS)
    with pytest.raises(SourceError, match=re.escape(f"{root}/mine/source.yaml{message}")):
        read(root)


def test_labels_that_are_not_used_yet_may_be_described(tmp_path):
    settings = "labels: {PER: person, PERS: {name: people, description: several}, LAW: law}\nannotators: b@x"
    rows = read(folder(tmp_path, settings, a=TASKS))
    assert [entity.label for entity in rows[1].entities] == ["person", "LOC"]


def test_predictions_of_one_split_suffice(tmp_path, capsys):
    predicted = {**task(1, ANNA, {}), "predictions": [{"result": [span(ANNA, "Rome", "LOC")], "model_version": "m"}]}
    code, rows, _ = built(folder(tmp_path, "predictions: true", train=[predicted], test=TASKS[1:]), capsys)
    assert (code, sorted(rows)) == (0, ["test", "train"])


@pytest.mark.parametrize("tasks", ["NER", "[NER, RE]"])
def test_a_task_needs_annotations_in_one_split_only(tmp_path, capsys, tasks):
    relation = {"type": "relation", "from_id": "PER0", "to_id": "LOC14", "direction": "right", "labels": ["in"]}
    related = task(1, ANNA, {"a@x": [("Anna", "PER"), ("Rome", "LOC")]})
    related["annotations"][0]["result"].append(relation)
    bare = {"id": 3, "data": {"text": "Cleo left."}, "annotations": []}
    root = folder(tmp_path, f"task: {tasks}", train=[related], dev=TASKS[1:], test=[bare])
    code, rows, _ = built(root, capsys)
    assert (code, sorted(rows)) == (0, ["test", "train", "validation"])


def test_labels_that_are_not_complete_are_unknown_where_they_do_not_occur(tmp_path):
    rows = read(folder(tmp_path, "complete: [PER]\nannotators: b@x", a=TASKS))
    unknown = [[label.label for label in row.unknown_labels] for row in rows if not isinstance(row, BadRecord)]
    assert unknown == [["ORG"], ["LOC"]]


def test_blanks_at_the_ends_of_labels_do_not_count(tmp_path):
    texts = ["Ann left Rye.", "Bo left Rye.", "Cy left."]
    spans = [[("Ann", "PER"), ("Rye", "LOC ")], [("Bo", " PER"), ("Rye", "LOC")], []]
    rows = [task(number, text, {"a@x": each}) for number, (text, each) in enumerate(zip(texts, spans, strict=True))]
    plain, mapped = (
        [
            ([entity.label for entity in row.entities], [label.label for label in row.unknown_labels])
            for row in read(folder(tmp_path / name, settings, a=rows))
        ]
        for name, settings in (("plain", None), ("mapped", "labels: {PER: ' person '}\ncomplete: [PER]"))
    )
    assert plain == [(["PER", "LOC"], []), (["PER", "LOC"], []), ([], [])]
    assert mapped == [(["person", "LOC"], []), (["person", "LOC"], []), ([], ["LOC"])]


@pytest.mark.parametrize("word", ["'  '", "{name: ' '}", "{name: ' ', description: x}"])
def test_a_blank_word_is_refused(tmp_path, word):
    root = folder(tmp_path, f"labels:\n  PER: {word}", a=TASKS)
    with pytest.raises(SourceError, match=r"source\.yaml:2: labels is .*; it must be a word, null, or"):
        read(root)


def test_complete_counts_the_labels_of_all_splits(tmp_path, capsys):
    root = folder(tmp_path, "complete: []", train=TASKS[:1], test=TASKS[1:])
    code, rows, _ = built(root, capsys)
    assert code == 0
    unknown = {
        split: [[label["label"] for label in row["unknown_labels"]] for row in each] for split, each in rows.items()
    }
    assert unknown == {"train": [["LOC", "ORG"]], "test": [["LOC", "PER"]]}


def many(count: int, documents: int) -> list[dict]:
    texts = [f"Person{n} lives in Rome." for n in range(count)]
    return [
        task(n, text, {"a@x": [(f"Person{n}", "PER")]}, document_id=f"d{n % documents}", contract=n % 7)
        for n, text in enumerate(texts)
    ]


def splits_of(rows: dict[str, list[dict]], modulo: int) -> dict[int, set[str]]:
    """The splits in which the persons with the same number modulo `modulo` are."""
    splits = defaultdict(set)
    for split, each in rows.items():
        for row in each:
            splits[int(row["text"].split()[0].removeprefix("Person")) % modulo].add(split)
    return splits


def test_a_document_is_in_one_split(tmp_path, capsys):
    code, rows, _ = built(folder(tmp_path, None, a=many(200, 40)), capsys)
    assert code == 0
    assert set(rows) == {"train", "validation", "test"}
    assert all(len(splits) == 1 for splits in splits_of(rows, 40).values())


def test_shares_and_groups(tmp_path, capsys):
    settings = "splits: {train: 0.5, test: 0.5}\ngroup_by: contract\n"
    code, rows, _ = built(folder(tmp_path, settings, a=many(210, 40)), capsys)
    assert code == 0
    assert set(rows) == {"train", "test"}
    assert sum(map(len, rows.values())) == 210
    assert all(len(splits) == 1 for splits in splits_of(rows, 7).values())


def test_shares_do_not_follow_the_names_of_files(tmp_path, capsys):
    code, rows, _ = built(folder(tmp_path, "splits: {train: 0.5, test: 0.5}", train=many(100, 100)), capsys)
    assert code == 0
    assert 30 < len(rows["test"]) < 70


def test_predictions_are_read_if_asked(tmp_path):
    result = [span(ANNA, "Rome", "LOC")]
    predicted = {**task(1, ANNA, {}), "predictions": [{"result": result, "model_version": "m"}]}
    (row,) = read(folder(tmp_path / "without", None, a=[predicted]))
    assert row.entities is None
    (row,) = read(folder(tmp_path / "with", "predictions: true", a=[predicted]))
    assert [entity.label for entity in row.entities] == ["LOC"]


def test_one_bad_span_is_lost_alone(tmp_path, capsys):
    tasks = many(20, 20)
    tasks[0]["annotations"][0]["result"].append(span(tasks[0]["data"]["text"], "Rome", "LOC"))
    tasks[0]["annotations"][0]["result"][1]["value"] |= {"start": 500, "end": 504, "text": "Riga"}
    code, rows, log = built(folder(tmp_path, None, a=tasks), capsys)
    assert code == 0
    assert sum(map(len, rows.values())) == 20
    assert "1 lost part of records" in log


def test_a_task_that_is_exported_twice_is_read_once(tmp_path, capsys):
    code, _, _ = built(folder(tmp_path, None, old=many(20, 20), new=many(20, 20)), capsys, "--only", "clean")
    assert code == 0
    cleaned = [
        row["text"]
        for path in (tmp_path / "build/clean/mine").glob("*.parquet")
        for row in pq.read_table(path).to_pylist()
    ]
    assert len(cleaned) == len(set(cleaned)) == 20


@pytest.mark.parametrize("content", ["", "[]"])
def test_an_empty_export_beside_others_is_not_read(tmp_path, content):
    assert len(read(folder(tmp_path, None, a=many(20, 20), b=content))) == 20


def test_empty_exports_fail_alone_with_the_name_of_the_file(tmp_path, capsys):
    root = folder(tmp_path, "format: label_studio", b="[]")
    for name, content in (("other/a.json", json.dumps(many(20, 20))), ("no_bytes/c.json", "")):
        (root / name).parent.mkdir()
        (root / name).write_text(content)
    (root / "no_bytes/source.yaml").write_text("format: label_studio")
    code, rows, log = built(root, capsys)
    assert (code, rows) == (3, {})
    assert "error: source mine: b.json" in log and "error: source no_bytes: c.json" in log


def test_annotators_in_files_of_their_own(tmp_path):
    """doccano: one file per user."""
    text = {"id": 1, "text": ANNA}
    rows = {
        "ann": {**text, "label": [[0, 4, "PER"]]},
        "ben": {**text, "label": [[0, 4, "PER"], [14, 18, "LOC"]]},
        "eve": {**text, "label": [[14, 18, "LOC"]]},
    }
    exports = {name: [row] for name, row in rows.items()}
    (made,) = (
        row for row in read(folder(tmp_path, "annotators: majority", **exports)) if not isinstance(row, BadRecord)
    )
    assert [entity.label for entity in made.entities] == ["PER", "LOC"]


def test_sources_without_shares_are_split_as_before(tmp_path):
    (located,) = tool_folders.sources_below(
        str(folder(tmp_path, None, a=TASKS)), {"mine": list_raw_files(str(tmp_path / "data/mine"))[0]}, ()
    )
    assert located.source.shares == {"train": 0.9, "validation": 0.05, "test": 0.05}


UNIFIED = [
    {"text": "Ada left.", "doc": 1, "entity": [{"entity": "Ada", "entity_type": "PER"}]},
    {"text": "Rome is big.", "doc": 1, "entity": [{"entity": "Rome", "entity_type": "LOC"}]},
    {"text": "Low water.", "doc": 2, "entity": []},
]
UNIFIED_YAML = """
labels: {PER: person, LOC: {name: place, description: a town}}
group_by: doc
complete: [PER]
splits: {train: 0.5, test: 0.5}
"""


def test_the_unified_format_needs_no_schema(tmp_path, capsys):
    code, rows, _ = built(folder(tmp_path, UNIFIED_YAML, part=UNIFIED), capsys)
    texts = {row["text"]: (split, row) for split, group in rows.items() for row in group}
    (ada, first), (rome, second), (_, third) = texts["Ada left."], texts["Rome is big."], texts["Low water."]
    assert (code, ada, len(texts)) == (0, rome, 3)
    assert [row["entities"][0]["label"] for row in (first, second)] == ["person", "place"]
    assert [[each["label"] for each in row["unknown_labels"]] for row in (first, second, third)] == [
        ["place"],
        [],
        ["place"],
    ]


EVENTS = [
    {"text": "Ada left Rome in May.", "event": [event("leave", "left", who="Ada", date="May")]},
    {"text": "Bo met Cy, and Ed sold it.", "event": [event("meet", "met", who="Bo"), event("sell", "sold", who="Ed")]},
]
ROLES_YAML = """
labels: {leave: departure, meet: {name: meeting, description: people see each other}, sell: trade, buy: trade}
roles:
  date: when it happens
  who: the person
  leave: {who: the traveller, place: not used yet}
  buy: {who: the one who pays or is paid}
"""


def test_roles_are_described_for_all_event_types_and_by_type(tmp_path):
    source = source_at(str(folder(tmp_path, ROLES_YAML, train=EVENTS)), "mine")
    read(tmp_path / "data")  # no setting is wrong
    counted = [(("departure", "date"), "train", 1), (("departure", "who"), "train", 1), (("departure",), "train", 1)]
    counted += [((label, *role), "train", 1) for label in ("meeting", "trade") for role in ((), ("who",), ("price",))]
    assert label_set("mine", source, "EE", counted, False).labels == (
        Label("departure", roles=(Role("date", "when it happens"), Role("who", "the traveller"))),
        Label("meeting", "people see each other", (Role("price"), Role("who", "the person"))),
        Label("trade", roles=(Role("price"), Role("who", "the one who pays or is paid"))),
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("roles: who", ":1: roles is 'who'; it must be a map from roles to descriptions, or from event types to such"),
        ("roles:\n  date: x\n  who: 3", ":3: roles is .*; it must be a map from roles to descriptions"),
        ("roles:\n  leave:\n    date: x\n    who: ' '", ":4: roles is .*; it must be a map from roles"),
        ("roles:\n  leave:\n    who: {x: y}", ":3: roles is .*; it must be a map from roles"),
        ("roles:\n  date: x\n  whoo: x", ":3: roles: no annotation has the role 'whoo'; did you mean who?"),
        ("roles:\n  leaves: {who: x}", ":2: roles: no annotation has the event type 'leaves'; did you mean leave?"),
        ("roles:\n  leave:\n    dat: x", ":3: roles: no annotation has the role 'dat'; did you mean date?"),
    ],
)
def test_wrong_roles_fail_their_source(tmp_path, settings, message):
    root = folder(tmp_path, settings, train=EVENTS)
    with pytest.raises(SourceError, match=re.escape(f"{root}/mine/source.yaml") + message):
        read(root)


@pytest.mark.parametrize("name", ["train", "train.1"])
def test_a_file_in_the_unified_format(tmp_path, name):
    path = tmp_path / f"{name}.jsonl"
    path.write_text("\n".join(map(json.dumps, UNIFIED)))
    located = tool_folders.folder_at(str(path), "", tool_folders.root_files(str(path)))
    assert (located.files.form.user_form, list(located.files.splits)) == ("unified", ["train"])


def test_the_unified_format_has_no_predictions(tmp_path):
    with pytest.raises(SourceError, match="predictions is not possible for files in the format IEPile's unified"):
        read(folder(tmp_path, "predictions: true", part=UNIFIED))
