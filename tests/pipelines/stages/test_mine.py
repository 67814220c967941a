"""The mine stage on a few examples of one source: its samples, embeddings, files and errors."""

import dataclasses
import json
import re

import apache_beam as beam
import msgspec
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from hard_negatives.dictionary import as_mapping
from hard_negatives.kinds import DEFAULT
from pipelines import sources
from pipelines.build_dictionaries import dictionary_path, read_dictionary
from pipelines.build_folder import Shard
from pipelines.config import Mine as MineConfig
from pipelines.engine import runner
from pipelines.stages.mine import (
    Amend,
    CopyDictionaries,
    Mine,
    check_sources,
    confusions,
    draw_shard,
    raw_labels,
    report_coverage,
)
from schemas.arrow import EXAMPLES, examples_to_table
from schemas.errors import ConfigError
from schemas.example import Entity, Example, Mention
from schemas.label import Label, LabelSet
from tests.conftest import build_here, checksums
from transforms import files
from transforms.shards import read_shard, write_shard

LABELS = LabelSet("NER", "clue_ner", "clue", "zh", tuple(Label(name) for name in ("公司", "地址", "景点", "姓名")))
MENTIONED = {
    "公司": ["蓝山电子", "蓝山商贸"],
    "地址": ["河东县", "河西县"],
    "景点": ["河东公园", "河西公园"],
    "姓名": ["李一", "李二"],
}
NO_PAIRS = Amend({}, {}, 20)


@pytest.fixture
def output(tmp_path) -> str:
    files.write_text(f"{tmp_path}/labels/NER/clue_ner.json", msgspec.json.encode(LABELS).decode())
    made = [
        Example(f"clue_ner/train/{n}", "clue", "train", "zh", word, ("NER",), (entity(label, word),), None, None)
        for n, (label, word) in enumerate((label, word) for label, words in MENTIONED.items() for word in words)
    ]
    for number in range(2):
        write_shard(f"{tmp_path}/clean/{number}.parquet", EXAMPLES, [examples_to_table(made[number::2])])
    return str(tmp_path)


def entity(label: str, word: str) -> Entity:
    return Entity(label, Mention(word, ((0, len(word)),)))


def run(output: str, transform: beam.PTransform, elements: list) -> None:
    runner.run(lambda p: p | beam.Create(elements) | transform, PipelineOptions([]), output)


def shards() -> list[Shard]:
    return [Shard(n, "clue_ner", "train", f"clean/{n}.parquet") for n in range(2)]


def mined(output: str, elements: list[Shard], amend: Amend = NO_PAIRS, per_label: int = 9) -> str:
    made = Mine(output, output, [("NER", "clue_ner")], "lexical", "", DEFAULT, per_label, amend, None, {}, "")
    run(output, made, elements)
    return files.read_text(dictionary_path(output, "NER", "clue_ner"))


def test_annotations_are_used_as_evidence(output):
    mined(output, shards())
    ranking = read_dictionary(dictionary_path(output, "NER", "clue_ner")).labels["地址"]
    assert ranking.neighbours[0].label == "景点"
    assert next(iter(ranking.neighbours[0].evidence)) == "mentions"


def test_the_order_of_shards_does_not_change_the_bytes(output):
    assert mined(output, shards()) == mined(output, shards()[::-1])


@pytest.mark.parametrize(("elements", "per_label"), [([], 9), (shards(), 0)])
def test_label_sets_without_annotations_are_mined(output, elements, per_label):
    labels = json.loads(mined(output, elements, per_label=per_label))["labels"]
    neighbours = [neighbour for ranking in labels.values() for neighbour in ranking["neighbours"]]
    assert {kind for neighbour in neighbours for kind in neighbour.get("evidence", ())} <= {"wording"}
    assert all(ranking["neighbours"] for ranking in labels.values())


def test_pins_and_forbidden_pairs_are_applied(output):
    amend = Amend({"NER": {"clue": {"公司": ["姓名"]}}}, {"NER": {"clue_ner": {"地址": ["景点"]}}}, 20)
    labels = json.loads(mined(output, shards(), amend))["labels"]
    assert labels["公司"]["neighbours"][0] == {"label": "姓名", "score": None}
    assert "景点" not in [near["label"] for part in labels["地址"].values() for near in part]


def test_a_custom_dictionary_is_changed_only_by_pins_and_forbid(output):
    custom = {"NER": {"clue": {"公司": ["地址", "景点"], "姓名": ["公司"]}}}
    files.write_text(f"{output}/custom.json", json.dumps(custom))
    amend = Amend({"NER": {"clue": {"景点": ["地址"]}}}, {"NER": {"clue": {"公司": ["景点"]}}}, None)
    run(output, CopyDictionaries(output, f"{output}/custom.json", amend), [("NER", "clue_ner")])
    labels = read_dictionary(dictionary_path(output, "NER", "clue_ner")).labels
    assert {label: [n.label for n in ranking.neighbours] for label, ranking in labels.items()} == {
        "公司": ["地址"],
        "姓名": ["公司"],
        "景点": ["地址"],
    }


def predicted(labels: tuple[str, ...], gold: str, given: str, source: str = "clue", number: int = 0) -> str:
    """A line of predictions with one mention, of the label `gold`, for which a model gave the label `given`."""
    row = {
        "id": f"clue_ner/validation/{number}/NER/0", "example_id": f"clue_ner/validation/{number}", "task": "NER",
        "source": source, "split": "validation", "labels": labels, "label": json.dumps({gold: ["甲"]}),
        "instruction": json.dumps({"instruction": "", "schema": labels, "input": "甲"}),
        "output": json.dumps({given: ["甲"]}),
    }  # fmt: skip
    return json.dumps(row) + "\n"


def test_mistakes_of_a_model_are_evidence(output, tmp_path, capsys):
    def neighbours(given) -> tuple[list[str], bool]:
        made = Mine(output, output, [("NER", "clue_ner")], "lexical", "", DEFAULT, 9, NO_PAIRS, None, given, "")
        run(output, made, shards())
        written = read_dictionary(dictionary_path(output, "NER", "clue_ner"))
        return [each.label for each in written.labels["公司"].neighbours], "mistakes" in written.evidence

    names = tuple(label.name for label in LABELS.labels)
    before, has_mistakes = neighbours({})
    other = next(name for name in names if name not in ("公司", *before))
    assert not has_mistakes
    lines = [predicted(names, *pair, number=number) for number in range(20) for pair in zip(names, names, strict=True)]
    lines += [predicted(names, "公司", other, number=number) for number in range(100, 120)]
    lines = [line.replace("NER/0", f"NER/{at}").replace("甲", f"甲{at}") for at, line in enumerate(lines)]
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    confused = confusions(MineConfig(confusions=str(path)), [LABELS])
    assert f"{path}: 20 confusions in 1 of 1 label sets, from 100 rows" in capsys.readouterr().err
    after, has_mistakes = neighbours(confused)
    assert after[0] == other and has_mistakes


def test_predictions_of_other_labels_are_refused_in_one_line(tmp_path):
    path = tmp_path / "predictions.jsonl"
    path.write_text(predicted(("ship", "quay"), "ship", "quay"), encoding="utf-8")
    flags = ("--output", str(tmp_path / "build"), "--sources", "clue_ner", "--set", f"mine.confusions={path}")
    done = build_here(*flags)
    assert done.returncode == 2
    assert f"mine.confusions: {path}: its rows name no label of a source of this build" in done.stderr
    path.write_text("")
    done = build_here(*flags)
    assert done.returncode == 2 and f"error: {path}: contains no predictions" in done.stderr


@pytest.mark.parametrize("task", ["EET", "EEA"])
def test_event_tasks_share_the_dictionary_of_ee(output, task):
    labels = dataclasses.replace(LABELS, task=task)
    files.write_text(f"{output}/labels/{task}/clue_ner.json", msgspec.json.encode(labels).decode())
    run(output, Mine(output, output, [(task, "clue_ner")], "lexical", "", DEFAULT, 9, NO_PAIRS, None, {}, ""), [])
    made = read_dictionary(f"{output}/hard_negatives/EE/clue_ner.json")
    assert (made.task, made.source, list(made.labels)) == ("EE", "clue", [label.name for label in LABELS.labels])
    files.write_text(f"{output}/custom.json", json.dumps({"EE": {"clue": {"公司": ["地址"]}}}))
    run(output, CopyDictionaries(output, f"{output}/custom.json", NO_PAIRS), [(task, "clue_ner")])
    copied = read_dictionary(f"{output}/hard_negatives/EE/clue_ner.json")
    assert (copied.task, as_mapping(copied)) == ("EE", {"公司": ["地址"]})


@pytest.mark.parametrize(
    ("dictionary", "message"),
    [
        ({"NER": {"clue": {"公司": ["地址"]}, "toy": {"a": ["b"]}}}, r"note: .*: names no label of 1 of 2 .*: RE Toy$"),
        ({"公司": ["地址"], "gives": ["takes"]}, "^$"),
        (
            {"NER": {"clue": {"company": ["address"]}}},
            "^warning: .*custom.json: names no label .* and names NER clue; this",
        ),
        ({"company": ["address"]}, r"^warning: .* names no source; this build has NER clue, RE Toy$"),
    ],
)
def test_label_sets_missing_in_a_custom_dictionary_are_reported(tmp_path, capsys, dictionary, message):
    path = tmp_path / "custom.json"
    path.write_text(json.dumps(dictionary))
    report_coverage(str(path), [LABELS, LabelSet("RE", "toy", "Toy", "en", (Label("gives"), Label("takes")))])
    assert re.search(message, capsys.readouterr().err.rstrip("\n"))


def test_draw_shard_samples_each_label(output):
    key, drawn = draw_shard(shards()[0], output, {"clue_ner": ["NER"]}, 1)
    assert key == "clue_ner"
    assert {at: [sample.slots for _, sample in kept] for at, kept in drawn.items()} == {
        ("NER", label): [((words[0],),)] for label, words in MENTIONED.items()
    }


@pytest.mark.parametrize("setting", ["pin", "forbid"])
def test_pairs_of_an_unknown_source_are_refused(setting):
    config = MineConfig.model_validate({setting: {"NER": {"clue_nre": {"公司": ["姓名"]}}}})
    with pytest.raises(ConfigError, match=rf"{setting}\.NER: no source is called .clue_nre.; did you mean clue_ner"):
        check_sources(config, {"clue_ner", "clue", "conll2003"})


def test_pairs_of_known_sources_outside_the_build_are_ignored():
    pairs = {"NER": {"conll2003": {"anything": ["else"]}}, "RE": {"clue": {"a": ["b"]}}}
    check_sources(MineConfig(pin=pairs), {"clue_ner", "clue", "conll2003"})


def test_raw_labels_are_listed_by_label_name():
    source = sources.load("clue_ner")
    assert raw_labels(source, "NER")["公司"] == ["company"]
    assert raw_labels(source, "SPO") == raw_labels(source, "EE") == {}
    two = dataclasses.replace(source, entity_labels={"b": Label("x"), "a": Label("x"), "O": None})
    assert raw_labels(two, "NER") == {"x": ["a", "b"]}
    assert raw_labels(sources.load("duee1"), "EET")["组织关系-裁员"] == ["组织关系-裁员"]


def hard_negatives_by_label(output, task: str, source: str) -> dict[str, list[str]]:
    """Positive label → the hard negatives in the train rows of a source that have this label."""
    labels_by_positive = {}
    for path in sorted((output / "data" / task).glob("train-*.parquet")):
        for row in read_shard(str(path)).to_pylist():
            for positive in row["positives"] if row["source"] == source else ():
                labels_by_positive.setdefault(positive, set()).update(row["hard_negatives"])
    return {positive: sorted(labels) for positive, labels in sorted(labels_by_positive.items())}


FLAGS = ("--sources", "clue_ner,duee1", "--only", "instruct")


def test_the_dictionaries_of_a_build_can_be_reused(small, tmp_path):
    again = tmp_path / "again"
    dictionaries = small / "hard_negatives"
    done = build_here("--output", str(again), *FLAGS, "--hard_negatives", str(dictionaries))
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr and "names no label" not in done.stderr
    for path in ("NER/clue_ner.json", "EE/duee1.json"):
        was, now = read_dictionary(str(dictionaries / path)), read_dictionary(str(again / "hard_negatives" / path))
        assert as_mapping(now) == {label: names for label, names in as_mapping(was).items() if names}
    assert checksums(again / "data/NER") and checksums(again / "data/EET")
    assert hard_negatives_by_label(again, "NER", "clue") == hard_negatives_by_label(small, "NER", "clue") != {}
    manifest = json.loads((again / "hard_negatives/manifest.json").read_text())
    assert (manifest["hard_negatives"], manifest["model"]) == ("hard_negatives", None)
    assert not [path for path in (again / "hard_negatives").rglob("*.json") if str(tmp_path) in path.read_text()]


def test_custom_dictionaries_and_pairs_decide_the_hard_negatives(tmp_path):
    dictionary, recipe, output = tmp_path / "custom.json", tmp_path / "recipe.yaml", tmp_path / "build"
    dictionary.write_text(json.dumps({"NER": {"clue": {"公司": ["地址", "姓名"], "书名": ["电影"]}}}))
    recipe.write_text(
        "mine:\n pin: {NER: {clue_ner: {书名: [游戏]}}}\n forbid: {NER: {clue: {公司: [姓名]}}}\n", encoding="utf-8"
    )
    done = build_here("--output", str(output), *FLAGS, "--hard_negatives", str(dictionary), "--recipe", str(recipe))
    assert done.returncode == 0, done.stderr
    assert "names no label of 1 of 2 label sets, which are asked without hard negatives: EE DuEE1.0" in done.stderr
    assert as_mapping(read_dictionary(dictionary_path(str(output), "NER", "clue_ner"))) == {
        "书名": ["游戏", "电影"],
        "公司": ["地址"],
    }
    negatives = hard_negatives_by_label(output, "NER", "clue")
    assert set().union(*negatives.values()) <= {"游戏", "电影", "地址"} and negatives["公司"]


def test_the_card_names_a_dictionary_that_covers_no_label(tmp_path):
    dictionary, output = tmp_path / "custom.json", tmp_path / "build"
    dictionary.write_text(json.dumps({"NER": {"nowhere": {"a": ["b"]}}}))
    done = build_here("--output", str(output), "--sources", "clue_ner", "--hard_negatives", str(dictionary))
    assert done.returncode == 0, done.stderr
    assert [
        line for line in done.stderr.splitlines() if line.startswith(f"warning: {dictionary}: names no label of any")
    ]
    card = (output / "README.md").read_text()
    assert "Taken from an existing dictionary (`custom.json`), which contains no label of these sources" in card
    assert not any(hard_negatives_by_label(output, "NER", "clue").values())


def test_neighbours_drawn_at_random(small, tmp_path):
    output = tmp_path / "build"
    done = build_here("--output", str(output), "--sources", "clue_ner", "--set", "mine.neighbours=random")
    assert done.returncode == 0, done.stderr
    drawn, mined = (read_dictionary(f"{folder}/hard_negatives/NER/clue_ner.json") for folder in (output, small))
    sizes = [{label: len(names) for label, names in as_mapping(made).items()} for made in (drawn, mined)]
    assert sizes[0] == sizes[1]
    assert as_mapping(drawn) != as_mapping(mined)
    assert json.loads((output / "hard_negatives/manifest.json").read_text())["hard_negatives"] == "random"
    assert "Drawn at random: for each label as many" in (output / "README.md").read_text()


@pytest.mark.parametrize("setting", ["mine.neighbours=random", "mine.confusions=predictions.jsonl"])
def test_settings_of_mining_are_refused_if_nothing_is_mined(tmp_path, setting):
    flags = ("--output", str(tmp_path / "build"), "--hard_negatives", "none", "--set", setting)
    done = build_here(*flags)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"{setting.replace('=', ' ')}: changes how hard negatives are mined, but mine.hard_neg" in done.stderr


def test_only_the_embedding_step_has_a_resource_hint():
    pipeline = beam.Pipeline(runner=runner.select_runner(PipelineOptions([])))
    made = Mine("out", "raw", [("NER", "clue_ner")], "lexical", "", DEFAULT, 9, NO_PAIRS, None, {}, "type:t4;count:1")
    _ = pipeline | beam.Create(shards()) | "Mine" >> made
    parts = pipeline.to_runner_api().components
    hinted = {name for name, environment in parts.environments.items() if environment.resource_hints}
    assert [list(parts.environments[name].resource_hints.values()) for name in hinted] == [[b"type:t4;count:1"]]
    steps = [t.unique_name for t in parts.transforms.values() if t.environment_id in hinted and not t.subtransforms]
    assert steps == ["Mine/Embed"]
