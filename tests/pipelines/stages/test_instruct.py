"""From clean shards to instruction shards: how shards are grouped, and the properties of all rows of a build."""

import json
from collections import defaultdict

import pyarrow as pa
import pytest
from msgspec.structs import replace

from pipelines.build_folder import Shard
from pipelines.stages.instruct import plan_shards, report_untested_themes
from schemas.arrow import examples_to_table, table_to_examples
from schemas.example_id import ExampleId
from schemas.label import Label
from tests.transforms.test_instruct import EXAMPLE, PROMPTS
from transforms import instruct
from transforms.ask import AskOptions, ask_spec
from transforms.instruct import bounded
from transforms.shards import read_shard


def test_plan_groups_whole_shards_in_order_up_to_a_size():
    shards = [(Shard(n, "a", "train", f"clean/a/{n}"), 10) for n in range(5)] + [
        (Shard(5, "b", "test", "clean/b/0"), 3)
    ]
    plan = plan_shards(
        shards, {"a": ("NER", "RE"), "b": ("RE",)}, {("NER", "a"): 1, ("RE", "a"): 2, ("RE", "b"): 9}, 25
    )
    assert [(s.path, [part.number for part in s.parts]) for s in plan] == [
        ("data/NER/train-00000-of-00003.parquet", [0, 1]),
        ("data/NER/train-00001-of-00003.parquet", [2, 3]),
        ("data/NER/train-00002-of-00003.parquet", [4]),
        ("data/RE/train-00000-of-00005.parquet", [0]),
        ("data/RE/train-00001-of-00005.parquet", [1]),
        ("data/RE/train-00002-of-00005.parquet", [2]),
        ("data/RE/train-00003-of-00005.parquet", [3]),
        ("data/RE/train-00004-of-00005.parquet", [4]),
        ("data/RE/test-00000-of-00001.parquet", [5]),
    ]


def test_plan_skips_empty_shards():
    assert plan_shards([(Shard(0, "a", "train", "p"), 0)], {"a": ("NER",)}, {("NER", "a"): 1}, 10) == []


@pytest.mark.parametrize(("size", "rows"), [(-1, [2, 3]), (1, [1, 1, 3])])
def test_tables_are_bounded_by_the_size_of_their_prompts(size, rows, monkeypatch):
    spec = ask_spec("NER", [Label("ab"), Label("é")], None, PROMPTS, AskOptions(split_num={"NER": size}))
    monkeypatch.setattr(instruct, "BYTES_PER_TABLE", 29)
    examples = examples_to_table([replace(EXAMPLE, text=text) for text in ("1234567890", "é" * 5, "1" * 10, "", "")])
    made = list(bounded([examples, examples.slice(0, 0)], spec))
    assert pa.concat_tables(made).equals(examples)
    assert [table.num_rows for table in made] == [*rows, 0]


def rows_by_example(built, task):
    grouped = defaultdict(list)
    for path in sorted(built.glob(f"data/{task}/*.parquet")):
        for row in read_shard(str(path)).to_pylist():
            grouped[row["example_id"]].append(row)
    return grouped


def test_every_positive_label_is_asked_exactly_once(built):
    examples = {e.id: e for path in built.glob("clean/**/*.parquet") for e in table_to_examples(read_shard(str(path)))}
    grouped = rows_by_example(built, "NER")
    assert len(grouped) > 100
    for example_id, rows in grouped.items():
        labels = [label for row in rows for label in row["labels"]]
        assert len(labels) == len(set(labels))
        gold = {entity.label for entity in examples[example_id].entities or ()}
        assert gold <= set(labels)
        answered = {
            label for row in rows if row["output"] for label, answer in json.loads(row["output"]).items() if answer
        }
        if rows[0]["split"] != "test":
            assert answered == gold


def test_test_rows_have_all_labels_and_the_gold_of_the_text(built):
    for task in ("NER", "RE", "EE"):
        for example_id, rows in rows_by_example(built, task).items():
            if rows[0]["split"] == "test":
                key = ExampleId.parse(example_id).key
                label_set = json.loads((built / f"labels/{task}/{key}.json").read_text())
                assert sorted(label for row in rows for label in row["labels"]) == [
                    label["name"] for label in label_set["labels"]
                ]
                assert len({row["label"] for row in rows}) == 1


def test_a_held_out_theme_without_a_test_text_is_noted(capsys):
    report_untested_themes({"ships": "Ship", "people": "Person"}, {"people", "places"})
    assert capsys.readouterr().err == (
        "note: ships: its theme Ship is held out, and it has no test text, so no row asks about it\n"
    )
