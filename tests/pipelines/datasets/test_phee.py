"""Nested events of PHEE in JSON and brat: which nodes become arguments, and that both forms agree."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from pipelines.sources import load
from pipelines.sources.source_files import find
from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Event, Mention, RawExample
from transforms.files import list_files
from transforms.normalize import normalize

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "phee"
SOURCE = load("phee")
JSON, BRAT = SOURCE.forms


def node(*mentions: list[tuple[int, str]], **more) -> dict:
    """Mentions as lists of (start, piece)."""
    return {
        "text": [[piece for _, piece in pieces] for pieces in mentions],
        "start": [[start for start, _ in pieces] for pieces in mentions],
        "entity_id": [f"T{n}" for n, _ in enumerate(mentions)],
        **more,
    }


TEXT = "Perhaps fever in a boy, and then rash, came of oral aa with bb."
AA, BB = Mention("aa", ((52, 54),)), Mention("bb", ((60, 62),))
ROW = {
    "id": "7_1",
    "context": TEXT,
    "is_mult_event": True,
    "annotations": [
        {
            "events": [
                {
                    "event_id": "E1",
                    "event_type": "Adverse_event",
                    "Trigger": node([(39, "came")]),
                    "Speculated": node([(0, "Perhaps")], value=True),
                    "Subject": node([(17, "a boy")], Gender=node([(19, "boy")])),
                    "Effect": node([(33, "rash"), (8, "fever")]),
                    "Treatment": node(
                        [(47, "oral aa with bb")],
                        Route=node([(47, "oral")]),
                        Drug=node([(52, "aa")]),
                        Combination=[
                            {
                                "event_id": "E2",
                                "event_type": "Combination",
                                "Trigger": node([(55, "with")]),
                                "Drug": node([(52, "aa")], [(60, "bb")]),
                            }
                        ],
                    ),
                }
            ]
        }
    ],
}
EVENT = Event(
    "adverse event",
    Mention("came", ((39, 43),)),
    (
        Argument("subject", Mention("a boy", ((17, 22),))),
        Argument("subject gender", Mention("boy", ((19, 22),))),
        Argument("treatment", Mention("oral aa with bb", ((47, 62),))),
        Argument("treatment drug", AA),
        Argument("treatment route", Mention("oral", ((47, 51),))),
        Argument("treatment drug", BB),
        Argument("effect", Mention("fever rash", ((8, 13), (33, 37)))),
    ),
)
"""The cue `Perhaps` is not an argument, `aa` is one only once, and the parts of the effect are in text order."""


def normalized(records: Iterable[RawExample | BadRecord]) -> list[RawExample | BadRecord]:
    return [
        record if isinstance(record, BadRecord) else normalize(record, {}, {}, SOURCE.event_labels, SOURCE.role_names)
        for record in records
    ]


def read_json(folder: Path, *rows: dict):
    (folder / "train.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return normalized(JSON.read(list_files(str(folder))))


def changed(change) -> dict:
    """A copy of ROW whose event went through `change`."""
    row = json.loads(json.dumps(ROW))
    change(row["annotations"][0]["events"][0])
    return row


def test_nested_arguments_are_flattened(tmp_path):
    [example] = read_json(tmp_path, ROW)
    assert example == RawExample("train.json:1", TEXT, events=(EVENT,))


def test_every_nested_role_has_a_unique_name(tmp_path):
    subs = {
        "Subject": ("Age", "Gender", "Population", "Race", "Disorder"),
        "Treatment": ("Drug", "Dosage", "Route", "Freq", "Duration", "Time_elapsed", "Disorder"),
        "Effect": (),
    }

    def fill(event):
        for main, names in subs.items():
            event[main] = node([(0, "Perhaps")], **{sub: node([(8, "fever")]) for sub in names})

    [example] = read_json(tmp_path, changed(fill))
    roles = [argument.role for argument in example.events[0].arguments]
    assert len(roles) == 15
    assert set(roles) == set(SOURCE.event_labels["Adverse_event"].role_names)


def test_several_mentions_are_several_arguments(tmp_path):
    row = changed(lambda event: event.update(Effect=node([(8, "fever")], [(33, "rash")])))
    [example] = read_json(tmp_path, row)
    effects = [argument.mention.text for argument in example.events[0].arguments if argument.role == "effect"]
    assert effects == ["fever", "rash"]


def test_a_row_without_annotations_is_unlabelled(tmp_path):
    assert read_json(tmp_path, {"id": "1", "context": "Rest."}) == [RawExample("train.json:1", "Rest.")]


BROKEN = {
    "event type": (lambda event: event.update(event_type="Accident"), Reason.UNKNOWN_LABEL),
    "role of the other main argument": (
        lambda event: event["Subject"].update(Drug=node([(52, "aa")])),
        Reason.UNKNOWN_LABEL,
    ),
    "unknown key": (lambda event: event.update(Cause=node([(52, "aa")])), Reason.MISSING_FIELD),
    "no start": (lambda event: event["Effect"].pop("start"), Reason.MISSING_FIELD),
    "one start too few": (lambda event: event["Effect"]["start"][0].pop(), Reason.MISSING_FIELD),
    "negative start": (lambda event: event["Trigger"]["start"][0].__setitem__(0, -24), Reason.OFFSET_MISMATCH),
    "two triggers": (lambda event: event.update(Trigger=node([(8, "fever")], [(39, "came")])), Reason.MISSING_FIELD),
    "start far off": (lambda event: event["Trigger"]["start"][0].__setitem__(0, 3), Reason.OFFSET_MISMATCH),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_row_is_a_bad_record(tmp_path, case):
    change, reason = BROKEN[case]
    bad, good = read_json(tmp_path, changed(change), ROW)
    assert isinstance(bad, BadRecord)
    assert (bad.place, bad.reason) == ("train.json:1", reason)
    assert good.events == (EVENT,)


def read_brat(folder: Path, text: str, ann: str):
    (folder / "train").mkdir()
    (folder / "train" / "7_1.txt").write_text(text + "\n")
    (folder / "train" / "7_1.ann").write_text(ann)
    [record] = normalized(BRAT.read(list_files(str(folder))))
    return record


ANN = """\
T1	Subject 17 22	a boy
T2	Gender 19 22	boy
T3	Treatment 47 62	oral aa with bb
T4	Drug 52 54	aa
T5	Route 47 51	oral
T6	Drug 60 62	bb
T7	Effect 33 37;8 13	rash fever
T8	Speculation_cue 0 7	Perhaps
T9	Adverse_event 39 43	came
T10	Combination 55 59	with
E1	Adverse_event:T9\x20
E2	Combination:T10 arg:T4 arg2:T6
A1	Speculated E1
"""


def test_brat_mentions_belong_to_a_single_event(tmp_path):
    example = read_brat(tmp_path, TEXT, ANN)
    assert example.text == TEXT
    [event] = example.events
    assert (event.label, event.trigger) == (EVENT.label, EVENT.trigger)
    assert sorted(map(repr, event.arguments)) == sorted(map(repr, EVENT.arguments))


TWO = "aa 5 mg cured croup but aa caused rash."
TWO_ANN = """\
T1	Treatment 0 7	aa 5 mg
T2	Drug 0 2	aa
T3	Dosage 3 7	5 mg
T4	Potential_therapeutic_event 8 13	cured
T5	Treat-Disorder 14 19	croup
T6	Treatment 24 26	aa
T7	Drug 24 26	aa
T8	Adverse_event 27 33	caused
T9	Effect 34 38	rash
E1	Potential_therapeutic_event:T4 arg:T1
E2	Adverse_event:T8 arg:T6 arg2:T9
"""


def test_brat_mentions_are_assigned_by_containment_and_relations(tmp_path):
    example = read_brat(tmp_path, TWO, TWO_ANN + "R1\thas Arg1:T1 Arg2:T5\t\n")
    assert [[(a.role, a.mention.spans[0]) for a in event.arguments] for event in example.events] == [
        [
            ("treatment", (0, 7)),
            ("treatment drug", (0, 2)),
            ("treatment dosage", (3, 7)),
            ("treatment disorder", (14, 19)),
        ],
        [("treatment", (24, 26)), ("treatment drug", (24, 26)), ("effect", (34, 38))],
    ]


def test_brat_an_argument_of_neither_event_is_lost_alone(tmp_path):
    example = read_brat(tmp_path, TWO, TWO_ANN)  # T5 is neither within a treatment nor related to one
    assert [len(event.arguments) for event in example.events] == [3, 3]
    (lost,) = example.lost
    assert lost.reason == Reason.MISSING_FIELD and "T5" in lost.detail


@pytest.mark.parametrize(
    ("ann", "reason", "name"),
    [
        (ANN.replace("Gender", "Sex"), Reason.UNKNOWN_LABEL, "Sex"),
        (ANN.replace("Adverse_event", "Accident"), Reason.UNKNOWN_LABEL, "Accident"),
    ],
)
def test_brat_unknown_labels_are_bad_records(tmp_path, ann, reason, name):
    record = read_brat(tmp_path, TEXT, ann)
    assert isinstance(record, BadRecord)
    assert record.reason == reason
    assert name in record.detail


def test_json_is_preferred_to_brat(tmp_path):
    for name in ("json/dev.json", "clean/dev/7_1.ann", "clean/dev/7_1.txt", "README.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    source_files = find(SOURCE, list_files(str(tmp_path)))
    assert {split: [file.name for file in files] for split, files in source_files.splits.items()} == {
        "validation": ["json/dev.json"]
    }
    assert [file.name for file in source_files.ignored] == ["clean/dev/7_1.ann", "clean/dev/7_1.txt"]


UNDECIDED = {
    "10084639_2",  # a disorder overlaps its treatment in the JSON, but no R line relates them
    "12546343_4",  # two events have the same treatment; the JSON assigns drug and dosage to one of them
    "12635752_1",  # R lines relate a disorder to both treatments; the JSON assigns it to the second
}


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real files")
def test_both_forms_of_the_real_corpus_agree():
    files = list_files(str(REAL))
    json_files = [file for file in files if file.name.endswith(".json")]
    ids = [json.loads(line)["id"] for file in json_files for _, line in file.lines()]
    json_records = dict(zip(ids, JSON.read(json_files), strict=True))
    differing = set()
    brat_records = list(BRAT.read([file for file in files if file.name.startswith("clean/")]))
    assert len(brat_records) == 600
    for record in brat_records:
        name = Path(record.place).name.partition(".")[0]
        expected = json_records[name]
        if isinstance(record, BadRecord) or content(record) != content(expected):
            differing.add(name)
    assert differing == UNDECIDED


def content(example: RawExample):
    return example.text, [(event.label, event.trigger, frozenset(event.arguments)) for event in example.events]
