"""Cleaning: which rows are dropped over all sources and why, and which are kept."""

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from pipelines import build
from pipelines.build_folder import keys_path
from pipelines.stages import clean
from schemas.arrow import EXAMPLES, table_to_examples
from tests.conftest import checksums, run_build
from tests.unified import NER_SCHEMA, ner, write_source
from transforms.decontaminate import leakage_key
from transforms.shards import read_shard, write_shard

LONG = " ".join(f"Sentence {n} of the long report tells about Ada in Rome once more." for n in range(6))


@pytest.fixture
def run(tmp_path):
    def run(*flags) -> dict:
        code = build.main(
            ["--data_root", str(tmp_path / "data"), "--output", str(tmp_path / "build"), "--only", "clean",
             "--hard_negatives", "none", "--set", "clean.max_chars=150", *flags]
        )  # fmt: skip
        assert code == 0
        return json.loads((tmp_path / "build/clean/manifest.json").read_text())

    run.data, run.output = tmp_path / "data", tmp_path / "build"
    return run


def texts(run, key: str, split: str) -> list[str]:
    return [e.text for e in table_to_examples(read_shard(f"{run.output}/clean/{key}/{split}-00000.parquet"))]


def annotated(run, key: str, split: str) -> dict[str, list[dict[str, str]]]:
    """Text → mention → label of each of its rows, in file order."""
    rows: dict[str, list] = {}
    for path in sorted((run.output / "clean" / key).glob(f"{split}-*.parquet")):
        for example in table_to_examples(read_shard(str(path))):
            rows.setdefault(example.text, []).append({e.mention.text: e.label for e in example.entities})
    return rows


def totals(manifest: dict) -> dict[str, Counter]:
    """The sums over all shards of a manifest."""
    names = ("rejected", "kept", "crosses_window")
    return {name: sum((Counter(part[name]) for part in manifest["shards"]), Counter()) for name in names}


def rejected(manifest: dict, key: str, split: str) -> dict[str, int]:
    return next(part["rejected"] for part in manifest["shards"] if (part["key"], part["split"]) == (key, split))


def test_duplicates_contradictions_and_low_quality_are_dropped(run):
    train = [
        ner("Ada went to Rome.", person="Ada", place="Rome"),
        ner("Ada went to Rome.", place="Rome", person="Ada"),  # the same, in another order
        ner("Bo saw the Tiber.", place="Tiber"),
        ner("Bo saw the Tiber.", thing="Tiber"),  # the same mention, another label
        ner("Cy and Di met.", person="Cy"),
        ner("Cy and Di met.", person="Di"),  # another mention: no contradiction
        ner("12 : 30 - 4 , 5 ( 6 )"),
        ner("Ok."),
        ner("Eve.", person="Eve"),  # short, but annotated
    ]
    write_source(run.data / "a", "NER", NER_SCHEMA, train=train)
    manifest = run()
    assert texts(run, "a", "train") == ["Ada went to Rome.", "Cy and Di met.", "Eve."]
    assert rejected(manifest, "a", "train") == {
        "duplicate": 1, "contradiction": 2, "same_text_united": 1, "low_quality": 2
    }  # fmt: skip
    assert annotated(run, "a", "train")["Cy and Di met."] == [{"Cy": "person", "Di": "person"}]
    rows = read_shard(f"{run.output}/rejects/clean/a/train-00000.parquet").to_pylist()
    assert [(row["id"], row["reason"], row["twin"]) for row in rows] == [
        ("a/train/1", "duplicate", "a/train/0"), ("a/train/2", "contradiction", "a/train/3"),
        ("a/train/3", "contradiction", "a/train/2"), ("a/train/5", "same_text_united", "a/train/4"),
        ("a/train/6", "low_quality", ""), ("a/train/7", "low_quality", ""),
    ]  # fmt: skip


ANNOTATORS = [
    ner("Ada went to Rome.", person="Ada"),
    ner("Bo saw the Tiber.", person="Bo"),
    ner("Cy and Di met.", person="Cy"),
    ner("Ada went to Rome.", place="Rome"),
    ner("Bo saw the Tiber.", place="Tiber"),
    ner("Cy and Di met.", thing="Cy"),
    ner("Ada went to Rome."),
    ner("Bo saw the Tiber.", person="Bo"),
    ner("Cy and Di met.", person="Di"),
]
"""Three annotators of three texts; two of them contradict each other on the last text."""


@pytest.mark.parametrize("shards", [1, 9])
@pytest.mark.parametrize(
    ("same_text", "kept", "lost", "same_text_rows"),
    [
        (
            "unite",
            {"Ada went to Rome.": [{"Ada": "person", "Rome": "place"}],
             "Bo saw the Tiber.": [{"Bo": "person", "Tiber": "place"}]},
            {"same_text_united": 3, "duplicate": 1, "contradiction": 2, "same_text": 1},
            0,
        ),
        ("drop", {}, {"same_text": 6, "duplicate": 1, "contradiction": 2}, 0),
        (
            "report",
            {"Ada went to Rome.": [{"Ada": "person"}, {"Rome": "place"}, {}],
             "Bo saw the Tiber.": [{"Bo": "person"}, {"Tiber": "place"}],
             "Cy and Di met.": [{"Di": "person"}]},
            {"duplicate": 1, "contradiction": 2},
            5,
        ),
    ],
)  # fmt: skip
def test_annotators_of_one_text_are_united_dropped_or_reported(run, shards, same_text, kept, lost, same_text_rows):
    write_source(run.data / "a", "NER", NER_SCHEMA, train=ANNOTATORS, test=[ner("Another text.")])
    shard_size = -(-len(ANNOTATORS) // shards)
    manifest = run(f"--set=clean.same_text={same_text}", f"--set=ingest.examples_per_shard={shard_size}")
    train = [part for part in manifest["shards"] if part["split"] == "train"]
    assert len(train) == shards
    assert annotated(run, "a", "train") == kept
    assert sum((Counter(part["rejected"]) for part in train), Counter()) == lost
    assert sum(part["same_text"] for part in train) == same_text_rows


def test_annotators_of_a_long_document_are_united_in_its_windows(run, monkeypatch):
    """Annotations of all copies are moved into the windows of the first copy, wherever the others are cut."""
    monkeypatch.setattr(clean, "EXAMPLES_PER_TABLE", 1)  # several tables per shard
    stretch = "once more. Sentence 2"  # spans a cut of the first document, so this document is cut elsewhere
    train = [ner(LONG, person="Ada"), ner(LONG, place="Rome"), ner(LONG, thing=stretch), ner(LONG, person="Ada")]
    write_source(run.data / "a", "NER", NER_SCHEMA, train=train)
    manifests = [run(f"--set=ingest.examples_per_shard={shard_size}") for shard_size in (9, 1)]
    windows = annotated(run, "a", "train")
    assert " ".join(windows) == LONG and len(windows) == 3 and all(len(rows) == 1 for rows in windows.values())
    assert all(rows[0].items() >= {"Ada": "person", "Rome": "place"}.items() for rows in windows.values())
    for manifest in manifests:
        lost = sum((Counter(part["rejected"]) for part in manifest["shards"]), Counter())
        assert sum(part["windows"] for part in manifest["shards"]) == 3 * 3 + 4
        assert lost == {"same_text_united": 3 + 4, "duplicate": 3}
    assert totals(manifests[0]) == totals(manifests[1])
    assert not any(stretch in rows[0] for rows in windows.values())
    assert totals(manifests[0])["crosses_window"] == {"entities": 1}  # counted for its document


def test_only_the_differing_windows_of_documents_are_counted(run):
    write_source(
        run.data / "a", "NER", NER_SCHEMA,
        train=[ner(LONG, thing="Sentence 0"), ner(LONG)],
        dev=[ner(LONG, thing="Sentence 0"), ner(LONG, person="Sentence 0", place="Rome")],
    )  # fmt: skip
    train, validation = run("--set=clean.same_text=report")["shards"]
    assert (train["rejected"], train["same_text"]) == ({"duplicate": 2}, 2)
    assert (validation["rejected"], validation["same_text"]) == ({"contradiction": 6}, 0)


def test_worker_processes_unite_the_same_rows(run, tmp_path):
    long = [ner(LONG, person="Ada"), ner(LONG, place="Rome"), ner(LONG.replace(" ", "\t", 1), thing="Sentence\t0")]
    write_source(run.data / "a", "NER", NER_SCHEMA, train=[*ANNOTATORS, *long])
    flags = ("--set", "ingest.examples_per_shard=2")
    run(*flags)
    windows = annotated(run, "a", "train")
    assert sorted(windows[LONG[:129]][0]) == ["Ada", "Rome", "Sentence 0"]  # repaired before the comparison
    expected = checksums(run.output, "clean/**/*.parquet")
    shutil.rmtree(run.output)
    done = run_build(
        "--data_root", str(run.data), "--output", str(run.output), "--only", "clean", "--hard_negatives", "none",
        "--set", "clean.max_chars=150", *flags, "--direct_running_mode=multi_processing", "--direct_num_workers=2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert checksums(run.output, "clean/**/*.parquet") == expected


def test_keys_with_a_common_prefix_are_not_mixed(run):
    """`a` is a parent folder of the key `a/b`, and the key `a/train` looks like a split of `a`."""
    text = ner("Ada went to Rome.", person="Ada")
    other = ner("Ada went to Rome.", place="Rome")
    write_source(run.data / "a", "NER", NER_SCHEMA, train=[text])
    write_source(run.data / "a/b", "NER", NER_SCHEMA, train=[other])
    write_source(run.data / "a/train", "NER", NER_SCHEMA, train=[other, other], dev=[text])
    write_source(run.data / "a/train/0", "NER", NER_SCHEMA, train=[text, other], test=[ner("None of these.")])
    manifest = run()
    shards = {
        (part["key"], part["split"], part["path"]): (part["rows"], part["rejected"]) for part in manifest["shards"]
    }
    assert shards == {
        ("a", "train", "clean/a/train-00000.parquet"): (1, {}),
        ("a/b", "train", "clean/a/b/train-00000.parquet"): (1, {}),
        ("a/train", "train", "clean/a/train/train-00000.parquet"): (1, {"duplicate": 1}),
        ("a/train", "validation", "clean/a/train/validation-00000.parquet"): (1, {}),
        ("a/train/0", "test", "clean/a/train/0/test-00000.parquet"): (1, {}),
        ("a/train/0", "train", "clean/a/train/0/train-00000.parquet"): (1, {"same_text_united": 1}),
    }  # fmt: skip
    assert annotated(run, "a/b", "train") == {"Ada went to Rome.": [{"Rome": "place"}]}


def test_splits_that_lose_most_rows_to_test_splits_are_reported(run, capsys):
    train = [ner(f"Ada went to place number {n}.", person="Ada") for n in range(4)]
    write_source(run.data / "a", "NER", NER_SCHEMA, train=train, dev=[*train[:1], ner("Only here.")], test=train)
    write_source(run.data / "b", "NER", NER_SCHEMA, train=[*train[:3], ner("Another text.")], test=train[:2])
    run()
    lines = [line for line in capsys.readouterr().err.splitlines() if "cleaning kept" in line]
    assert lines == [
        "warning: a/train: cleaning kept 0 of 4 rows (leakage 4 into the test split of a, b); "
        "rejects/clean/ lists the others",
        "note: b/train: cleaning kept 1 of 4 rows (leakage 3 into the test split of a, b); "
        "rejects/clean/ lists the others",
    ]


def test_test_texts_are_removed_from_train_and_validation(run):
    shared = ner("Ada went to Rome.", person="Ada")
    write_source(run.data / "a", "NER", NER_SCHEMA, train=[shared, ner("Only here."), ner("In b's test .")])
    write_source(
        run.data / "b", "NER", NER_SCHEMA,
        train=[ner("In a nowhere.")], dev=[ner("ada WENT to  Rome .")], test=[shared, ner("In b's test.")],
    )  # fmt: skip
    manifest = run()
    assert texts(run, "a", "train") == ["Only here."]
    assert texts(run, "b", "validation") == []
    assert texts(run, "b", "test") == ["Ada went to Rome.", "In b's test."]
    leaks = {(part["key"], part["split"]): part["leaks_into"] for part in manifest["shards"]}
    one, two = ({"b": {"equal": n, "contained": 0, "near": 0}} for n in (1, 2))
    assert leaks == {("a", "train"): two, ("b", "train"): {}, ("b", "validation"): one, ("b", "test"): {}}
    rows = read_shard(f"{run.output}/rejects/clean/a/train-00000.parquet").to_pylist()
    assert [(row["id"], row["twin"]) for row in rows] == [("a/train/0", "b/test/0"), ("a/train/2", "b/test/1")]


def test_a_leaking_document_is_dropped_with_all_its_windows(run):
    annotated = ner(LONG, place="Rome")
    write_source(run.data / "a", "NER", NER_SCHEMA, train=[annotated], test=[ner(LONG), ner("Another text.")])
    manifest = run()
    assert texts(run, "a", "train") == []
    (train,) = [part for part in manifest["shards"] if part["split"] == "train"]
    assert train["windows"] > 2 and train["rejected"] == {"leakage": train["windows"]}
    rows = read_shard(f"{run.output}/rejects/clean/a/train-00000.parquet").to_pylist()
    assert rows[0]["id"] == "a/train/0/0" and rows[0]["twin"].startswith("a/test/0")


def test_windows_are_bounded_and_lose_no_text(run):
    write_source(run.data / "a", "NER", NER_SCHEMA, train=[ner(LONG, place="Rome")])
    run()
    windows = texts(run, "a", "train")
    assert len(windows) > 2 and all(len(text) <= 150 for text in windows)
    assert " ".join(windows) == LONG


def test_unannotated_texts_are_kept_only_in_the_test_split(run):
    write_source(run.data / "a", "NER", NER_SCHEMA, train=[{"text": "Ada knows."}, ner("Bo knows.", person="Bo")],
                 test=[{"text": "Who else knows?"}])  # fmt: skip
    manifest = run()
    assert texts(run, "a", "train") == ["Bo knows."]
    assert texts(run, "a", "test") == ["Who else knows?"]
    assert rejected(manifest, "a", "train") == {"unannotated": 1}


def test_duplicates_are_removed_across_shards(run):
    train = [ner(f"Ada went to place number {n % 7}.", person="Ada") for n in range(21)]
    write_source(run.data / "a", "NER", NER_SCHEMA, train=train)
    manifest = run("--set", "ingest.examples_per_shard=5")
    assert [part["rows"] for part in manifest["shards"]] == [5, 2, 0, 0, 0]
    assert sum(part["rejected"].get("duplicate", 0) for part in manifest["shards"]) == 14


def test_clean_shards_have_a_key_file_and_canonical_bytes(run, tmp_path):
    write_source(
        run.data / "a", "NER", NER_SCHEMA,
        train=[ner("Ada went to Rome."), ner("12 : 30 - 4 , 5 ( 6 )"), ner("Ada went to Rome."), ner(LONG)],
        dev=[ner("Bo\tsaw the Tiber."), ner("Cy and Di met.", person="Di")],
        test=[ner("cy AND di met."), ner("中国成立于一九四九年。")],
    )  # fmt: skip
    manifest = run()
    assert [part["rows"] for part in manifest["shards"]] == [2, 4, 1]  # test, train, validation
    for part in manifest["shards"]:
        table = read_shard(f"{run.output}/{part['path']}")
        keys = Path(keys_path(str(run.output), part["number"])).read_bytes()
        assert keys == b"".join(map(leakage_key, table["text"].to_pylist()))
        assert part["keys_sha256"] == hashlib.sha256(keys).hexdigest()
        write_shard(f"{tmp_path}/again.parquet", EXAMPLES, [table])
        assert (tmp_path / "again.parquet").read_bytes() == (run.output / part["path"]).read_bytes()
