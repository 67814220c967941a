"""Partial leaks over all shards of a build: counted by default, dropped on request."""

import json
from collections import Counter
from random import Random

import numpy as np
import pytest

from pipelines import build
from pipelines.stages import shard_leaks
from pipelines.stages.shard_leaks import TextShard, index_groups, partial_leaks, read_index, write_index
from schemas.arrow import EXAMPLES, examples_to_table
from schemas.example import Example
from tests.unified import NER_SCHEMA, ner, write_source
from transforms import leak_index
from transforms.leak_index import LeakIndex, TextHashes
from transforms.partial_leaks import LeakRules
from transforms.shards import read_shard, write_shard

SENTENCE = "The old harbour of Brevik was closed to all larger ships in the spring of that year."
NEXT = "Most of the fishermen of the town moved on to the islands further south before summer."
CHINESE = "这座老港口在那一年的春天对所有较大的船只关闭了。"
RULES = LeakRules(words=10, jaccard=0.8)


@pytest.fixture
def data(tmp_path):
    """`a` leaks into the tests of `b` and of itself."""
    train = [
        ner(SENTENCE),
        ner(f"{NEXT} {SENTENCE}"),
        ner(NEXT.replace("Most of", "Some of")),
        ner("Yes, of course."),
        ner(f"据说{CHINESE}"),
        ner("An unrelated text that has more than ten words and that nobody else has ever used."),
    ]
    write_source(
        tmp_path / "data/a", "NER", NER_SCHEMA, train=train, test=[ner(f"It rained. {SENTENCE} Yes, of course.")]
    )
    write_source(tmp_path / "data/b", "NER", NER_SCHEMA, dev=[ner(f"{CHINESE}好。")], test=[ner(NEXT), ner(CHINESE)])
    return tmp_path / "data"


def run(data, name: str, *flags: str) -> tuple[dict, dict[str, bytes]]:
    """The leaks by split, and the content of clean/ and rejects/ by file name."""
    output = data.parent / name
    command = ["--data_root", str(data), "--output", str(output), "--only", "clean", "--hard_negatives", "none"]
    assert build.main([*command, *flags]) == 0
    shards = json.loads((output / "clean/manifest.json").read_text())["shards"]
    leaks: dict[str, Counter] = {}
    for shard in shards:
        counts = leaks.setdefault(f"{shard['key']}/{shard['split']}", Counter())
        counts.update({(key, kind): n for key, kinds in shard["leaks_into"].items() for kind, n in kinds.items() if n})
    contents = {str(path.relative_to(output)): path.read_bytes() for path in output.glob("clean/*/*.parquet")}
    return {pair: dict(counts) for pair, counts in leaks.items() if counts}, contents


LEAKS = {
    "a/train": {("a", "contained"): 1, ("b", "contained"): 2, ("b", "near"): 1},
    "b/validation": {("b", "contained"): 1},
}


def test_leaks_are_counted_by_default_and_all_rows_stay(data):
    leaks, rows = run(data, "build")
    assert leaks == LEAKS
    assert len(read_shard(f"{data.parent}/build/clean/a/train-00000.parquet")) == 6
    assert not (data.parent / "build/rejects/clean").exists()
    leaking = read_shard(f"{data.parent}/build/leaks/a/train-00000.parquet").to_pylist()
    assert [tuple(row.values()) for row in leaking] == [
        ("a/train/0", "contained", "a", "a/test/0"),
        ("a/train/1", "contained", "b", "b/test/0"),
        ("a/train/2", "near", "b", "b/test/0"),
        ("a/train/4", "contained", "b", "b/test/1"),
    ]
    assert run(data, "shards", "--set", "ingest.examples_per_shard=1")[0] == leaks
    two = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    assert run(data, "workers", *two) == (leaks, rows)


def test_leaks_are_dropped_on_request_with_the_id_of_the_twin(data):
    leaks, _ = run(data, "build", "--set", "clean.partial_leaks=drop")
    assert leaks == LEAKS
    rejects = read_shard(f"{data.parent}/build/rejects/clean/a/train-00000.parquet").to_pylist()
    assert [(row["id"], row["reason"], row["detail"].rpartition(": ")[2]) for row in rejects] == [
        ("a/train/0", "contained_leak", "a/test/0"),
        ("a/train/1", "contained_leak", "b/test/0"),
        ("a/train/2", "near_leak", "b/test/0"),
        ("a/train/4", "contained_leak", "b/test/1"),
    ]
    assert read_shard(f"{data.parent}/build/clean/a/train-00000.parquet")["id"].to_pylist() == [
        "a/train/3",
        "a/train/5",
    ]
    assert len(read_shard(f"{data.parent}/build/clean/b/test-00000.parquet")) == 2


def test_thresholds_are_settings(data):
    assert run(data, "long", "--set", "clean.leak_words=60")[0] == {}
    near = run(data, "near", "--set", "clean.leak_jaccard=1")[0]["a/train"]
    assert ("b", "near") not in near and near["b", "contained"] == 2


@pytest.mark.parametrize("setting", ["partial_leaks=ignore", "leak_jaccard=0.4", "leak_jaccard=1.1", "leak_words=2"])
def test_impossible_settings_are_refused(setting, data, capsys):
    code = build.main(["--data_root", str(data), "--output", str(data.parent / "x"), "--set", f"clean.{setting}"])
    assert code == 2 and f"clean.{setting.partition('=')[0]}" in capsys.readouterr().err


def shard(folder, number: int, key: str, texts: list[str]) -> TextShard:
    """A shard of clean/ with these texts."""
    path = f"{folder}/{number}.parquet"
    examples = [
        Example(f"{key}/test/{n}", key, "test", "en", text, ("NER",), (), None, None) for n, text in enumerate(texts)
    ]
    write_shard(path, EXAMPLES, [examples_to_table(examples)])
    return TextShard(number, key, path)


def leaks_of(tmp_path, train: list[str], tests: list[TextShard]) -> list[tuple]:
    paths = [write_index(f"{tmp_path}/{n}.index", group, RULES) for n, group in index_groups(tests)]
    by_number = {test.number: test for test in tests}
    table = partial_leaks(shard(tmp_path, 99, "t", train), map(read_index, paths), by_number, RULES)
    return [tuple(row.values()) for row in table.drop_columns("id").to_pylist()]


def test_the_number_of_indexes_does_not_matter(tmp_path, monkeypatch):
    tests = [shard(tmp_path, 0, "a", [NEXT, CHINESE]), shard(tmp_path, 1, "b", [f"{SENTENCE} {NEXT}", NEXT])]
    train = [NEXT.replace("Most of", "Some of"), f"{NEXT} Really.", SENTENCE]
    leaks = leaks_of(tmp_path, train, tests)
    assert leaks == [
        (0, "near", "a", "a/test/0"), (0, "near", "b", "b/test/1"), (1, "contained", "a", "a/test/0"),
        (1, "contained", "b", "b/test/1"), (2, "contained", "b", "b/test/0"),
    ]  # fmt: skip
    monkeypatch.setattr(shard_leaks, "INDEX_BYTES", 1)
    assert len(list(index_groups(tests))) == 2
    assert leaks_of(tmp_path, train, tests) == leaks


def test_a_shared_anchor_alone_is_no_leak(tmp_path):
    """The first text shares only its beginning with the test text: one of the two anchors is missing."""
    beginning = "In the spring of that year the harbour master of the town of Brevik"
    tests = [shard(tmp_path, 0, "a", [f"{beginning} gave up his post.", f"{beginning} wrote many long letters home."])]
    assert leaks_of(tmp_path, [f"{beginning} went for a walk, as on every other day of the week."], tests) == []


def test_extreme_texts(tmp_path):
    """Equal texts, emoji, a text of 1 MB, and a document with all test texts."""
    random = Random(3)
    sentences = [" ".join(random.choices([f"word{n}" for n in range(2_000)], k=12)) + "." for _ in range(3_000)]
    tests = [shard(tmp_path, 0, "a", [*sentences, *[SENTENCE] * 2_000, "", "Yes .", "😀" * 300])]
    train = [" ".join(sentences), "x" * 1_000_000, f"{SENTENCE} Indeed.", "", "Yes .", "😀" * 400, SENTENCE, "word"]
    train += [f"{SENTENCE} Indeed."] * 2_000
    leaks = leaks_of(tmp_path, train, tests)
    rows = {row for row, *_ in leaks}
    assert rows == {0, 2, *range(8, 2_008)}
    assert {twin for row, kind, into, twin in leaks if row} == {"a/test/3000"}
    assert leaks[0][3] == "a/test/0"
    assert np.all([kind == "contained" for _, kind, *_ in leaks])


def test_texts_of_one_template_are_compared_exactly(tmp_path, monkeypatch):
    """Their number reaches `shard_leaks.MANY`; the result is that of comparing every two of them."""
    template = f"{SENTENCE} {NEXT} On day {{}} the town of {{}} sold all of its ships by order of the mayor."
    words = [f"{a}{b}" for a in ("Bel", "Cor", "Dan", "Fen") for b in ("ton", "ville", "burg", "stad")]
    ends = ["".join(f" They noted {n}." for n in range(day)) for day in range(10)]
    train = [template.format(day, name) + end for day, end in enumerate(ends) for name in words]
    tests = [shard(tmp_path, 0, "a", [template.format(day + 20, name) for day in range(2) for name in words])]
    monkeypatch.setattr(shard_leaks, "MANY", 1_000)
    leaks = leaks_of(tmp_path, train, tests)
    monkeypatch.setattr(shard_leaks, "MANY", 2)
    assert leaks_of(tmp_path, train, tests) == leaks and 0 < len(leaks) < len(train)


def test_a_crowded_band_names_a_bounded_number_of_texts(monkeypatch):
    texts = [f"{SENTENCE} {number}" for number in range(20)]
    hashes = TextHashes.from_texts([f"{SENTENCE} {NEXT[:9]}"], RULES)
    index = LeakIndex.build(texts, np.arange(20), RULES)
    assert len(np.concatenate([rows for _, rows in index.near(hashes)])) == 20
    monkeypatch.setattr(leak_index, "MOST_PER_BAND", 5)
    assert len(np.concatenate([rows for _, rows in index.near(hashes)])) < 20
