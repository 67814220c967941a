"""User data in the unified format: tasks, languages, settings, splits and labels of a folder, and their errors."""

import json
import pickle
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelines.sources import Licence, registry
from pipelines.sources.source_files import find
from pipelines.sources.user_data import instruction_files, source_at, sources_below
from schemas.errors import BadRecord, ConfigError, SourceError
from schemas.example import RawExample
from schemas.label import Label, named_roles, typed_label
from transforms.files import list_files
from transforms.normalize import normalize

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared"
NER = ('["town", "person"]', "[]", "{}")
OSLO = {"text": "Oslo is big", "entity": [{"entity": "Oslo", "entity_type": "town"}]}


def folder(path: Path, schema=NER, settings: str | None = None, **files) -> Path:
    """Creates a folder with schema.json and files of rows: `train=[…]` is train.json."""
    path.mkdir(parents=True)
    (path / "schema.json").write_text("\n".join(schema), encoding="utf-8")
    for name, rows in files.items():
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (path / f"{name}.json").write_text(text, encoding="utf-8")
    if settings is not None:
        (path / "source.yaml").write_text(settings, encoding="utf-8")
    return path


def test_task_and_language_come_from_the_folders_above(tmp_path):
    folder(tmp_path / "IE-en" / "NER" / "towns", train=[OSLO], dev=[OSLO], test=[{"text": "Bergen"}])
    folder(tmp_path / "IE-zh" / "NER" / "cities", train=[OSLO])
    folder(tmp_path / "RE" / "NER", valid=[OSLO])  # the innermost name counts, including its last folder
    made = sources_below(str(tmp_path))
    assert [source.key for source in made] == ["IE-en/NER/towns", "IE-zh/NER/cities", "RE/NER"]
    first = made[0]
    assert first.problem == ""
    assert (first.source.name, first.source.tasks, first.source.lang) == ("towns", ("NER",), "en")
    assert (first.source.licence, first.source.licence_text) == (Licence.ASK, "none stated")
    assert first.source.entity_labels == {"person": Label("person"), "town": Label("town")}
    splits = {split: [file.name for file in files] for split, files in first.files.splits.items()}
    assert splits == {"train": ["train.json"], "validation": ["dev.json"], "test": ["test.json"]}
    assert first.files.ignored == first.files.unassigned == []
    assert made[1].source.lang == "zh"
    assert (made[2].source.tasks, made[2].source.lang) == (("NER",), "en")
    assert list(made[2].files.splits) == ["validation"]


def test_source_yaml_overrides_the_folders(tmp_path):
    settings = "name: Towns\ntask: NER\nlang: zh\nlicense: CC BY 4.0\n"
    folder(tmp_path / "IE-en" / "RE" / "x", settings=settings, train=[OSLO])
    [made] = sources_below(str(tmp_path))
    source = made.source
    assert (made.key, source.name, source.tasks, source.lang) == ("IE-en/RE/x", "Towns", ("NER",), "zh")
    assert (source.licence, source.licence_text) == (Licence.OPEN, "CC BY 4.0")


@pytest.mark.parametrize("settings", ["", "# lang: zh\n"])
def test_source_yaml_may_be_empty(tmp_path, settings):
    folder(tmp_path / "NER", settings=settings, train=[OSLO])
    [made] = sources_below(str(tmp_path))
    assert (made.problem, made.source.tasks, made.source.lang) == ("", ("NER",), "en")


@pytest.mark.parametrize("licence", Licence)
def test_a_licence_class_is_accepted(tmp_path, licence):
    folder(tmp_path / "NER", settings=f"license: {licence}\n", train=[OSLO])
    assert sources_below(str(tmp_path))[0].source.licence == licence


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("lang: en\nnmae: x\n", "source.yaml:2: unknown key 'nmae'; did you mean name?"),
        (
            "lang: en\nannotators: all\n",
            "source.yaml:2: annotators does not go with a schema.json beside it; remove annotators, "
            "or remove schema.json: then all labels that occur are taken",
        ),
        ("xyzzy: x\n", "source.yaml:1: unknown key 'xyzzy'; known keys: name, task, lang, license"),
        ("lang: en\n\ntask: ner\n", "source.yaml:3: task is 'ner'; it must be one of NER, RE, SPO, EE, EET, EEA, KG"),
        (
            "lang: French\n",
            "source.yaml:1: lang is 'French'; it must be a language code",
        ),
        ("lang: [de]\n", "lang is ['de']; it must be a text"),
        ("name: 3\n", "name is 3; it must be a text"),
        ("- task\n", "source.yaml:1: expected the keys name, task, lang, license"),
        ("a: [\n", "source.yaml:2: invalid YAML"),
        ("name: a\nname: b\n", "source.yaml:2: invalid YAML: the key name occurs twice"),
        ("lang: en\nname: !!python/name:os.system x\n", "source.yaml:2: invalid YAML"),
        (f"name: {'[' * 9000}", "source.yaml:1: invalid YAML: nested more than 50 deep"),
        (f"name: 1{'0' * 5000}", "source.yaml:1: invalid YAML: not a valid int"),
        ("task: &a [*a]", "source.yaml:1: invalid YAML"),
        (f"task: [{'x, ' * 10000}]", "task is ['x', 'x'"),
        ("name: 'Nonesuch\0'", "source.yaml:1: invalid YAML: the character U+0000"),
    ],
)
def test_a_wrong_source_yaml_is_a_problem_of_its_folder(tmp_path, settings, message):
    path = folder(tmp_path / "NER", settings=settings, train=[OSLO]) / "source.yaml"
    (user_folder,) = sources_below(str(tmp_path))
    assert user_folder.problem.startswith(f"{path}:") and message in user_folder.problem
    assert "\n" not in user_folder.problem
    assert len(user_folder.problem) < 500


@pytest.mark.parametrize("name", ["2020-13-45", "2020-01-01", "12:30", "no", "1_000", "010", "语料"])
def test_a_name_is_always_read_as_text(tmp_path, name):
    folder(tmp_path / "NER", settings=f"name: {name}\n", train=[OSLO])
    assert sources_below(str(tmp_path))[0].source.name == name


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_source_yaml_may_have_a_byte_order_mark(tmp_path, encoding):
    path = folder(tmp_path / "NER", settings="", train=[OSLO]) / "source.yaml"
    path.write_bytes("name: Küstenorte\r\n".encode(encoding))
    assert sources_below(str(tmp_path))[0].source.name == "Küstenorte"


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("أوسلو عاصمة النرويج", "ar"),
        ("奥斯陆是挪威的首都", "zh"),
        ("患者使用 aspirin 100 mg", "zh"),
        ("The Tokyo (東京) Bay", "en"),
        ("12", "en"),
    ],
)
def test_the_language_is_recognized_by_the_script(tmp_path, text, lang):
    folder(tmp_path / "NER", train=[{"text": text, "entity": []}])
    assert sources_below(str(tmp_path))[0].source.lang == lang


@pytest.mark.parametrize(
    ("name", "settings", "lang"),
    [("IE-de", "", "de"), ("IE-zh-Hant", "", "zh"), ("IE-en", "lang: pt-BR\n", "pt"), ("IE", "lang: no\n", "no")],
)
def test_the_language_is_that_of_source_yaml_or_of_a_folder(tmp_path, name, settings, lang):
    folder(tmp_path / name / "NER", settings=settings, train=[OSLO])
    assert sources_below(str(tmp_path))[0].source.lang == lang


def test_the_data_root_may_be_a_source(tmp_path):
    root = folder(tmp_path / "IE-zh" / "NER" / "mine", train=[OSLO])
    [made] = sources_below(str(root))
    assert (made.key, made.source.name, made.source.tasks, made.source.lang) == ("mine", "mine", ("NER",), "zh")
    assert [file.name for file in made.files.splits["train"]] == ["train.json"]
    assert repr(source_at(str(root), "mine")) == repr(made.source)
    assert [source.key for source in sources_below(f"{root}/")] == ["mine"]
    # The files of folders below it are not added.
    folder(root / "more", train=[OSLO, OSLO])
    assert len(find(made.source, list_files(str(root))).splits["train"]) == 1
    assert [source.key for source in sources_below(str(root))] == ["mine", "more"]
    assert len(sources_below(str(root))[0].files.splits["train"]) == 1
    folder(root / "mine", train=[OSLO])
    with pytest.raises(ConfigError, match="have the same key"):
        sources_below(str(root))


def test_a_worker_gets_the_same_source(tmp_path):
    folder(tmp_path / "IE-en" / "NER" / "towns", train=[OSLO])
    [made] = sources_below(str(tmp_path), list_files(str(tmp_path)))
    source = source_at(str(tmp_path), "IE-en/NER/towns")
    assert repr(source) == repr(made.source)  # partial objects do not compare equal
    assert repr(pickle.loads(pickle.dumps(source))) == repr(source)
    assert source_at(str(tmp_path), "IE-en/NER/rivers") is None
    with pytest.raises(SourceError, match="IE-en/NER/rivers: no file there is in a known format"):
        registry.source_at(str(tmp_path), "IE-en/NER/rivers")


def test_files_of_instructions_are_listed_and_not_read(tmp_path):
    row = {"task": "NER", "source": "x", "instruction": '{"schema": []}', "output": "{}"}
    folder(tmp_path / "NER" / "made", train=[row], test=[{"id": "1", "instruction": "{}", "label": "[]"}])
    folder(tmp_path / "NER" / "mixed", train=[row], dev=[OSLO])
    raw_files = list_files(str(tmp_path))
    assert [file.name for file in instruction_files(raw_files)] == [
        "NER/made/test.json",
        "NER/made/train.json",
        "NER/mixed/train.json",
    ]
    [mixed] = sources_below(str(tmp_path), raw_files)
    assert mixed.key == "NER/mixed"
    assert {split: [f.name for f in files] for split, files in mixed.files.splits.items()} == {
        "validation": ["dev.json"]
    }


def test_folders_of_other_datasets_are_left_alone(tmp_path):
    other = {"text": "Oslo is big", "spo_list": []}
    folder(tmp_path / "NER" / "duie", schema=['{"predicate": "x"}'] * 48, train=[other])
    folder(tmp_path / "NER" / "tokens", train=[{"tokens": ["Oslo"], "tags": ["B"]}])
    (tmp_path / "NER" / "bare").mkdir()
    (tmp_path / "NER" / "bare" / "train.json").write_text(json.dumps(OSLO))
    made = sources_below(str(tmp_path))
    # A valid schema beside records without annotations, as in data to predict on.
    assert [source.key for source in made] == ["NER/tokens"]
    reader = made[0].source.forms[0].read(made[0].files.splits["train"])
    assert [type(item) for item in reader] == [BadRecord]


def test_unannotated_data_is_read(tmp_path):
    folder(tmp_path / "NER" / "new", test=[{"text": "Oslo"}, {"text": "Bergen", "entity": None}])
    [made] = sources_below(str(tmp_path))
    assert list(made.source.forms[0].read(made.files.splits["test"])) == [
        RawExample("test.json:1", "Oslo"),
        RawExample("test.json:2", "Bergen"),
    ]


def test_problems_of_folders_are_reported(tmp_path):
    folder(tmp_path / "NER" / "short", schema=NER[:2], train=[OSLO])
    folder(tmp_path / "towns", train=[OSLO])
    folder(tmp_path / "NER" / "good", train=[OSLO])
    made = {source.key: source for source in sources_below(str(tmp_path))}
    assert made["NER/good"].problem == ""
    assert made["NER/short"].problem.startswith("schema.json:2: 2 JSON lines, not exactly three")
    assert made["towns"].problem.startswith("no task: write task (one of NER, RE,")
    assert made["towns"].source.tasks == ()
    with pytest.raises(SourceError, match=r"^NER/short: schema"):
        source_at(str(tmp_path), "NER/short")


CASES = {
    "RE": (
        ("[]", '["born in"]', "{}"),
        {"text": "Ola", "relation": [{"head": "Ola", "relation": "born in", "tail": "Bodø"}]},
        {"tasks": ("RE",), "relation_labels": {"born in": Label("born in")}},
    ),
    "SPO": (
        ('["person_born in_town"]', '["born in"]', "{}"),
        {
            "text": "Ola",
            "relation": [
                {"head": "Ola", "head_type": "person", "relation": "born in", "tail": "Bodø", "tail_type": "town"}
            ],
        },
        {
            "tasks": ("SPO",),
            "entity_labels": {"person": Label("person"), "town": Label("town")},
            "relation_labels": {"born in": Label("born in")},
            "typed_labels": (typed_label("person", "born in", "town"),),
        },
    ),
    "EE": (
        ('["leave"]', '["who"]', '{"leave": ["who"]}'),
        {
            "text": "Ola left",
            "event": [
                {"event_trigger": "left", "event_type": "leave", "arguments": [{"argument": "Ola", "role": "who"}]}
            ],
        },
        {"tasks": ("EE", "EET", "EEA"), "event_labels": {"leave": Label("leave", roles=named_roles(("who",)))}},
    ),
    "KG": (
        ('["person_born_town"]', '["born"]', '{"person": ["born"]}'),
        {
            "text": "Ola",
            "entity": [{"entity": "Ola", "entity_type": "person"}, {"entity": "Bodø", "entity_type": "town"}],
            "relation": [{"head": "Ola", "relation": "born", "tail": "Bodø"}],
        },
        {
            "tasks": ("KG",),
            "entity_labels": {"person": Label("person", roles=named_roles(("born",)))},
            "relation_labels": {"born": Label("born")},
        },
    ),
}
CASES["EEA"] = (*CASES["EE"][:2], {**CASES["EE"][2], "tasks": ("EEA",)})
CASES["EET"] = (
    ('["leave"]', "[]", "{}"),
    CASES["EE"][1],
    {"tasks": ("EET",), "event_labels": {"leave": Label("leave")}},
)


@pytest.mark.parametrize("task", CASES)
def test_every_task_has_the_maps_that_its_records_need(tmp_path, task):
    schema, row, expected = CASES[task]
    folder(tmp_path / task / "mine", schema=schema, train=[row])
    [made] = sources_below(str(tmp_path))
    source = made.source
    empty = {"entity_labels": {}, "relation_labels": {}, "event_labels": {}, "typed_labels": ()}
    assert {name: getattr(source, name) for name in (*empty, "tasks")} == {**empty, **expected}
    [raw] = source.forms[0].read(made.files.splits["train"])
    kept = normalize(raw, source.entity_labels, source.relation_labels, source.event_labels, source.role_names)
    assert replace(kept, unknown_labels=()) == raw


@pytest.mark.skipif(not SHARED.exists(), reason="needs the published samples")
def test_the_published_samples_are_read():
    made = sources_below(str(SHARED / "reference"))
    by_task = {source.key.split("/")[-2]: source for source in made}
    assert len(made) == len(by_task) == 7 and not any(source.problem for source in made)
    counts = {}
    for task, folder_ in by_task.items():
        source = folder_.source
        assert source.lang == "zh"
        records = list(source.forms[0].read(folder_.files.splits["train"]))
        kept = [
            normalize(raw, source.entity_labels, source.relation_labels, source.event_labels, source.role_names)
            for raw in records
        ]
        assert kept == records
        counts[task] = len(records)
    assert counts == {"EE": 6, "EEA": 6, "EET": 6, "KG": 5, "NER": 6, "RE": 6, "SPO": 5}
    assert len(instruction_files(list_files(str(SHARED / "reference")))) == 14
