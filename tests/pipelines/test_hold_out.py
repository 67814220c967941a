"""A build that holds labels and a theme out of training: its rows, its counts, and how familiar test labels are."""

import json
from collections import Counter
from pathlib import Path

import pytest

from pipelines import build, publish
from pipelines.build_reports import read_familiarity, read_statistics
from pipelines.describe import card
from pipelines.report.payload import payload
from schemas.example import LAYER
from schemas.example_id import ExampleId
from tests.conftest import build_again
from tests.unified import NER_SCHEMA, ner, write_source
from transforms.shards import read_shard

SOURCES = "IE-en/KG/lighthouses,ade_corpus,conll2003,crossner_ai,instructie_en_person,instructie_en_works,duee1"
LABELS = {"relations": {"adverse effect", "height"}, "entities": {"person"}}
THEME = "Person"


@pytest.fixture(scope="module")
def builds(tmp_path_factory) -> dict[str, Path]:
    """The same sources, `plain` and with what is `held_out`."""
    folder = tmp_path_factory.mktemp("hold_out")
    flags = ["--sources", SOURCES, "--embedding_model", "lexical"]
    names = "adverse effect,relations/height,entities/person"
    hold_out = ["--hold_out_labels", names, "--hold_out_themes", THEME]
    assert build.main([*flags, "--output", str(folder / "plain")]) == 0
    held_out = build_again(folder / "plain", folder / "held_out", *flags, *hold_out)
    return {"plain": folder / "plain", "held_out": held_out}


def rows(folder: Path) -> list[dict]:
    return [row for path in sorted(folder.glob("data/*/*.parquet")) for row in read_shard(str(path)).to_pylist()]


def key(row: dict) -> str:
    return ExampleId.parse(row["example_id"]).key


def predicates(row: dict) -> set[str]:
    """The labels that a row asks for, as annotations have them."""
    schema = json.loads(row["instruction"])["schema"]
    match row["task"]:
        case "SPO":
            return {item["predicate"] for item in schema}
        case "KG":
            return {attribute for item in schema for attribute in item["attributes"]}
    return set(row["labels"])


def answered(row: dict) -> set[str]:
    """The labels or attributes in the answer of a row."""
    answer = json.loads(row["output"])
    if row["task"] != "KG":
        return set(answer)
    return {attribute for heads in answer.values() for attributes in (heads or {}).values() for attribute in attributes}


def test_training_rows_neither_ask_for_a_held_out_label_nor_answer_it(builds):
    asked_before = Counter()
    for name, folder in builds.items():
        for row in rows(folder):
            names = LABELS.get(LAYER[row["task"]], set()) & predicates(row)
            if row["split"] == "test":
                continue
            if name == "plain":
                asked_before[row["task"]] += bool(names)
            else:
                assert not names
                assert not LABELS.get(LAYER[row["task"]], set()) & answered(row)
    assert asked_before["NER"] and asked_before["RE"] and asked_before["SPO"] and asked_before["KG"]


def test_no_training_row_asks_about_a_text_of_the_theme(builds):
    splits = {name: Counter(row["split"] for row in rows(folder) if key(row) == "instructie_en_person")
              for name, folder in builds.items()}  # fmt: skip
    assert splits["plain"]["train"] and not splits["held_out"]["train"] and not splits["held_out"]["validation"]
    assert splits["held_out"]["test"] == splits["plain"]["test"] > 0


def test_all_other_rows_are_unchanged(builds):
    plain, held_out = (
        {row["id"]: row for row in rows(builds[name]) if row["split"] == "test" or row["task"] in ("EE", "EET", "EEA")}
        for name in ("plain", "held_out")
    )
    assert plain == held_out and len(plain) > 50


def test_what_is_held_out_is_counted(builds):
    statistics = read_statistics(str(builds["held_out"]))
    assert statistics.held_out.labels == {
        "IE-en/KG/lighthouses": {"relations": ("height",)},
        "ade_corpus": {"relations": ("adverse effect",)},
        "conll2003": {"entities": ("person",)},
        "crossner_ai": {"entities": ("person",)},
    }
    assert statistics.held_out.themes == {"instructie_en_person": THEME}
    texts, hidden = Counter(), Counter()
    for path in sorted(builds["held_out"].glob("clean/**/*.parquet")):
        for example in read_shard(str(path)).to_pylist():
            source = ExampleId.parse(example["id"]).key
            if example["split"] == "test":
                continue
            if source == "instructie_en_person":
                texts[example["split"]] += 1
                continue
            for task in example["tasks"]:
                items = example[LAYER[task]] or ()
                n = sum(item["label"] in LABELS.get(LAYER[task], ()) for item in items)
                hidden.update({(source, task, example["split"]): n} if n else {})
    assert statistics.held_out.texts == {"instructie_en_person": dict(texts)}
    counts = {
        (source, task, split): counts.hidden
        for source, tasks in statistics.instructions_by_source.items()
        for task, splits in tasks.items()
        for split, counts in splits.items()
        if counts.hidden
    }
    assert counts == hidden and hidden["ade_corpus", "RE", "train"] > 10
    assert read_statistics(str(builds["plain"])).held_out.labels == {}


@pytest.mark.parametrize("name", ["plain", "held_out"])
def test_familiarity_equals_a_count_of_rows_and_annotations(builds, name):
    """By name: which labels train rows ask for, how often they are annotated, and where."""
    rows_by_label: dict[str, dict[tuple[str, str], set[str]]] = {"train": {}, "test": {}}
    for row in rows(builds[name]):
        for label in row["labels"] if row["split"] in rows_by_label else ():
            rows_by_label[row["split"]].setdefault((row["task"], label), set()).add(key(row))
    annotations = Counter()
    for path in builds[name].glob("labels/**/*.json"):
        if path.name != "manifest.json":
            content = json.loads(path.read_text())
            for label, splits in content["counts"].items():
                annotations.update({(content["task"], content["key"], label, split): n for split, n in splits.items()})
    report = read_familiarity(str(builds[name]))
    places = {(item.task, item.label, item.key) for item in report.labels}
    assert places == {(*label, source) for label, sources in rows_by_label["test"].items() for source in sources}
    assert len(places) == len(report.labels)
    for item in report.labels:
        assert item.annotations == annotations[item.task, item.key, item.label, "test"]
        same = {
            label for task, label in rows_by_label["train"] if task == item.task and label.lower() == item.label.lower()
        }
        assert (item.familiarity == "seen") == bool(same)
        assert {near.label for near in item.nearest if near.similarity == 1} >= same
        for near in item.nearest:
            sources = rows_by_label["train"][item.task, near.label]
            assert near.sources == tuple(sorted(sources))
            assert near.annotations == sum(annotations[item.task, source, near.label, "train"] for source in sources)
    held_out = {(item.key, item.label) for item in report.labels if item.held_out}
    assert not any(item.familiarity == "seen" for item in report.labels if item.held_out)
    assert (("ade_corpus", "adverse effect") in held_out) == (name == "held_out")
    assert (("conll2003", "person") in held_out) == (name == "held_out")


def test_familiarity_is_summed_up_by_source(builds):
    statistics = read_statistics(str(builds["held_out"])).familiarity
    items = read_familiarity(str(builds["held_out"])).labels
    for source, tasks in statistics.by_source.items():
        for task, counts in tasks.items():
            group = [item for item in items if (item.key, item.task) == (source, task)]
            seen, near = ([item for item in group if item.familiarity == kind] for kind in ("seen", "near"))
            assert (counts.labels, counts.seen, counts.near) == (len(group), len(seen), len(near))
            assert counts.annotations == sum(item.annotations for item in group)
            assert counts.seen_annotations == sum(item.annotations for item in seen)
            assert counts.near_annotations == sum(item.annotations for item in near)
    assert {(item.key, item.task) for item in items} == {
        (source, task) for source, tasks in statistics.by_source.items() for task in tasks
    }


def test_card_and_report_show_both(builds):
    statistics = read_statistics(str(builds["held_out"]))
    counts = statistics.familiarity.by_source["crossner_ai"]["NER"]
    hidden = statistics.instructions_by_source["ade_corpus"]["RE"]
    n = sum(splits.hidden for splits in hidden.values())
    english, chinese = card.render(statistics), card.render(statistics, "zh")
    for text in (english, chinese):
        assert f"| `crossner_ai` | NER | {counts.labels} | {counts.seen / counts.labels:.1%} |" in text
        assert f"RE {n}" in text
    assert "- `ade_corpus`: relations adverse effect. Annotations hidden: RE" in english
    assert "- `instructie_en_person`: all texts, of the theme Person. Left out: train" in english
    content = payload(str(builds["held_out"]), statistics)
    assert content["held_out"]["labels"]["conll2003"] == {"entities": ["person"]}
    assert content["held_out"]["themes"] == {"instructie_en_person": THEME}
    assert content["familiarity"]["by_source"]["crossner_ai"]["NER"]["labels"] == counts.labels
    plain = read_statistics(str(builds["plain"]))
    assert "Held out of training" not in card.render(plain) and "Familiarity of test labels" in card.render(plain)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--hold_out_themes", "Persn"],
            "hold_out.themes: no source of this build has the theme 'Persn'; none",
        ),
        (["--hold_out_labels", "Person"], "hold_out.labels: 'Person' is no label of this build; did you mean person?"),
        (["--hold_out_labels", "events/person"], "'events/person' is no label of this build; no source has events"),
        (["--hold_out_labels", "a,,b"], "--hold_out_labels a,,b: a name is empty"),
        (["--set", "hold_out.share=1.5"], "hold_out.share: input should be less than or equal to 1"),
        (["--set", "hold_out.label=x"], "unknown key hold_out.label; did you mean labels?"),
    ],
)
def test_wrong_settings_are_errors(tmp_path, capsys, flags, message):
    write_source(tmp_path / "data/a", "NER", NER_SCHEMA, train=[ner("Ada sat.", person="Ada")])
    where = ["--data_root", str(tmp_path / "data"), "--output", str(tmp_path / "build")]
    assert build.main([*where, "--embedding_model", "lexical", *flags]) == 2
    assert message in capsys.readouterr().err


def test_all_labels_may_be_held_out(tmp_path):
    splits = {"train": [ner("Ada sat.", person="Ada")], "test": [ner("Bo ran.", person="Bo")]}
    write_source(tmp_path / "data/a", "NER", NER_SCHEMA, **splits)
    where = ["--data_root", str(tmp_path / "data"), "--output", str(tmp_path / "build")]
    assert build.main([*where, "--embedding_model", "lexical", "--set", "hold_out.share=1"]) == 0
    assert {row["split"] for row in rows(tmp_path / "build")} == {"test"}
    report = read_familiarity(str(tmp_path / "build"))
    assert [(item.label, item.held_out, item.nearest) for item in report.labels] == [
        (name, True, ()) for name in ("person", "place", "thing")
    ]


def test_a_release_has_the_report_unless_it_leaves_sources_out(tmp_path):
    for name, licence in (("a", "open"), ("b", "gated")):
        splits = {"train": [ner(f"Ada sat in {name}.", person="Ada")], "test": [ner(f"Bo ran to {name}.", person="Bo")]}
        write_source(tmp_path / f"data/{name}", "NER", NER_SCHEMA, **splits)
        with (tmp_path / f"data/{name}/source.yaml").open("a") as settings:
            settings.write(f"license: {licence}\n")
    for keys in ("a", "a,b"):
        output, release = tmp_path / f"build {keys}", tmp_path / f"release {keys}"
        where = ["--data_root", str(tmp_path / "data"), "--sources", keys, "--output", str(output)]
        assert build.main([*where, "--embedding_model", "lexical"]) == 0
        assert publish.main(["--output", str(output), "--to", str(release)]) == 0
        report = release / "reports/familiarity.json"
        assert report.exists() == (keys == "a") == (read_statistics(str(release)).familiarity is not None)
        assert ("Familiarity of test labels" in (release / "README.md").read_text()) == (keys == "a")
