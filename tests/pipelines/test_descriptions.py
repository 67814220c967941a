"""A build with the recipe `varied.yaml`, settings of descriptions, and described rows that users bring."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hard_negatives.contrast_file import Contrast
from pipelines import config
from pipelines.build import argument_parser, configuration
from pipelines.build_folder import read_label_set
from pipelines.stages.label_descriptions import contrast_lines, load_contrasts, report_unused_lines
from schemas.errors import BadRecord, ConfigError
from tests.conftest import SMALL, build_again
from transforms.files import File
from transforms.formats import instruction_rows
from transforms.plain_schema import plain_schema, true_names

VARIED = str(config.RECIPES / "varied.yaml")


@pytest.fixture(scope="module")
def varied(small, tmp_path_factory) -> Path:
    samples = ("--set", "ingest.max_reject_rate=0.5", "--set", "mine.embedding_model=lexical")
    return build_again(small, tmp_path_factory.mktemp("varied") / "build", *SMALL, "--recipe", VARIED, *samples)


def rows(folder: Path) -> list[dict]:
    return [row for path in sorted(folder.glob("data/*/*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_the_other_columns_are_those_of_a_plain_build(varied, small):
    described = masked = contrasted = 0
    varied_rows, plain_rows = ({row["id"]: row for row in rows(folder)} for folder in (varied, small))
    both = varied_rows.keys() & plain_rows.keys()
    assert len(both) > 500
    for id_ in both:
        row, schema = varied_rows[id_], json.loads(varied_rows[id_]["instruction"])["schema"]
        plain = plain_schema(schema)
        names = true_names(row["task"], plain, row["labels"])
        described += schema != plain
        masked += bool(names)
        contrasted += "; not '" in json.dumps(schema) or "；不是“" in json.dumps(schema, ensure_ascii=False)
        assert not names or row["instruction"] != plain_rows[id_]["instruction"]
    assert described > 0.4 * len(both) and masked > 0.03 * len(both) and contrasted > 0.2 * len(both)


def test_described_rows_are_read_as_instructions(tmp_path):
    schema = {"meet": {"meet": "people come together", "trigger": True, "arguments": {"who": "one of them"}}}
    output = {"meet": [{"trigger": "met", "arguments": {"who": "Asta"}}]}
    prompt = {"instruction": "?", "schema": schema, "input": "Asta met Berg."}
    row = {"instruction": json.dumps(prompt), "output": json.dumps(output)}
    unreadable = {"instruction": json.dumps(prompt | {"schema": {"meet": 3}}), "output": "{}"}
    path = tmp_path / "rows.json"
    path.write_text(f"{json.dumps(unreadable)}\n{json.dumps(row)}\n")
    bad, good = instruction_rows.read_alpaca([File(str(path), path.name)])
    assert isinstance(bad, BadRecord) and "under 'meet'" in bad.detail
    assert [(event.label, event.arguments[0].role) for event in good.events] == [("meet", "who")]


def test_held_out_labels_are_in_no_line(varied):
    labels = read_label_set(str(varied), "NER", "clue_ner")
    lines = contrast_lines(str(varied), labels, {}, {})
    (hidden, *_) = [label.name for label in labels.labels if sum(label.name in line for line in lines.values()) > 1]
    without = contrast_lines(str(varied), labels, {}, {"entities": frozenset([hidden])})
    assert without.keys() == lines.keys() - {hidden}
    assert not any(f"“{hidden}”" in line for line in without.values())
    assert contrast_lines(str(varied), labels, None, {}) == {}
    by_hand = {("NER", "clue_ner", label): Contrast(f"与“{hidden}”不同") for label in without}
    made_for_it = {key: Contrast("与它不同", neighbours={hidden: ""}) for key in by_hand}
    for written in (by_hand, made_for_it):
        assert contrast_lines(str(varied), labels, written, {"entities": frozenset([hidden])}) == without
        assert contrast_lines(str(varied), labels, written, {}) != lines


def test_lines_of_labels_that_are_gone_are_named(varied, capsys):
    label_sets = [read_label_set(str(varied), "NER", "clue_ner"), read_label_set(str(varied), "EET", "duee1")]
    (event, *_) = [label.name for label in label_sets[1].labels]
    used = [("NER", "clue_ner", "公司"), ("EE", "duee1", event), ("NER", "another_source", "公司")]
    report_unused_lines(label_sets, dict.fromkeys(used, Contrast("x")))
    assert capsys.readouterr().err == ""
    report_unused_lines(label_sets, dict.fromkeys([*used, ("NER", "clue_ner", "公 司")], Contrast("x")))
    assert "1 lines of mine.contrasts are of labels that this build does not have: NER clue_ner 公 司" in (
        capsys.readouterr().err
    )


def test_contrasts_need_hard_negatives():
    flags = ("--recipe", VARIED, "--set", "mine.hard_negatives=none")
    with pytest.raises(ConfigError, match="contrast is true, but without hard negatives no label has neighbours"):
        load_contrasts(configuration(argument_parser().parse_args(flags)))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("share=1.5", r"instruct.descriptions.share: input should be less than or equal to 1, not 1.5"),
        ("mask=-1", r"instruct.descriptions.mask: input should be greater than or equal to 0, not -1"),
        ("masks=1", r"unknown key instruct.descriptions.masks; did you mean mask"),
    ],
)
def test_wrong_shares_are_refused(setting, message):
    with pytest.raises(ConfigError, match=message):
        configuration(argument_parser().parse_args(("--set", f"instruct.descriptions.{setting}")))
