"""DuEE's rows: spans from a start and a length, files of both releases."""

import json

import pytest

from pipelines.sources.datasets.duee1 import SOURCE
from pipelines.sources.source_files import find
from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Event, Mention
from transforms.files import File
from transforms.normalize import normalize

TEXT = "昨夜货船爆炸，二人受伤"


def row(role: str = "受伤人数", **changes) -> dict:
    event = {
        "class": "灾害/意外",
        "arguments": [
            {"alias": [], "argument": "昨夜", "role": "时间", "argument_start_index": 0},
            {"alias": [], "argument": "二人", "role": role, "argument_start_index": 7},
        ],
        "trigger_start_index": 4,
        "trigger": "爆炸",
        "event_type": "灾害/意外-爆炸",
    }
    return {"event_list": [event | changes], "id": "0", "text": TEXT}


@pytest.fixture
def read_row(tmp_path):
    def read(row: dict):
        (tmp_path / "dev.json").write_text(json.dumps(row, ensure_ascii=False))
        (example,) = SOURCE.forms[0].read([File(str(tmp_path / "dev.json"), "dev.json")])
        if isinstance(example, BadRecord):
            return example
        return normalize(example, {}, {}, SOURCE.event_labels, SOURCE.role_names)

    return read


def test_an_event_has_exact_spans(read_row):
    assert read_row(row()).events == (
        Event(
            "灾害/意外-爆炸",
            Mention("爆炸", ((4, 6),)),
            (Argument("时间", Mention("昨夜", ((0, 2),))), Argument("受伤人数", Mention("二人", ((7, 9),)))),
        ),
    )


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(role="震级"), Reason.UNKNOWN_LABEL),
        (row(event_type="灾害/意外-雪崩"), Reason.UNKNOWN_LABEL),
        (row(trigger="起火"), Reason.OFFSET_MISMATCH),
        (row(trigger=None), Reason.MISSING_FIELD),
    ],
)
def test_bad_rows_are_rejected(read_row, bad, reason):
    assert read_row(bad).reason == reason


def test_no_list_is_unannotated_and_an_empty_list_has_no_event(read_row):
    assert read_row({"text": TEXT, "id": "0"}).events is None
    assert read_row({"text": TEXT, "id": "0", "event_list": []}).events == ()


def files(*names: str) -> list[File]:
    return [File(f"/x/{name}", name) for name in names]


def test_the_release_is_preferred_to_the_files_of_the_contest():
    source_files = find(
        SOURCE,
        files(
            "duee_dev.json/duee_dev.json",
            "duee_event_schema.json",
            "duee_test2.json/duee_test2.json",
            "duee_train.json/duee_train.json",
            "lic/dev.json",
        ),
    )
    assert {split: [file.name for file in group] for split, group in source_files.splits.items()} == {
        "train": ["duee_train.json/duee_train.json"],
        "validation": ["duee_dev.json/duee_dev.json"],
        "test": ["duee_test2.json/duee_test2.json"],
    }
    assert [file.name for file in source_files.ignored] == ["lic/dev.json"]

    source_files = find(SOURCE, files("event_schema/event_schema.json", "sample_data.json", "test1.json", "train.json"))
    assert sorted(source_files.splits) == ["test", "train"]
    assert [file.name for file in source_files.unassigned] == ["sample_data.json"]


def test_there_are_65_event_types():
    assert len(SOURCE.event_labels) == 65
    assert sum(len(label.roles) for label in SOURCE.event_labels.values()) == 217
    assert SOURCE.event_labels["竞赛行为-胜负"].role_names == ("时间", "败者", "胜者", "赛事名称")
