"""A corrupted row anywhere in a build is named in an error and stops the build before the card is written."""

import hashlib
import json
import shutil

import pyarrow as pa
import pytest

from pipelines import build
from pipelines.build_reports import read_results
from pipelines.stages.corpus_facts import add_up
from pipelines.stages.validate import refuse_failures, rows_of_each
from schemas.arrow import EXAMPLES, INSTRUCTIONS
from schemas.errors import SuiteError
from tests.unified import NER_SCHEMA, ner, write_source
from transforms.shards import read_shard, write_shard
from validation import profile
from validation.check import check
from validation.suites import CORPUS_CULPRITS

FLAGS = ("--hard_negatives", "none", "--sources", "clue_ner,scierc", "--only", "instruct")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    output = tmp_path_factory.mktemp("corpus") / "build"
    assert build.main(["--output", str(output), *FLAGS]) == 0
    return output


def corrupt(path, schema: pa.Schema, row: int, change) -> str:
    """Rewrites a shard with one row changed by `change(row)`, updates its size in the manifest, returns the id."""
    rows = read_shard(str(path)).to_pylist()
    change(rows[row])
    write_shard(str(path), schema, [pa.Table.from_pylist(rows, schema=schema)])
    for manifest in path.parents[1].glob("manifest.json"):
        content = json.loads(manifest.read_text())
        content["files"][f"{path.parents[1].name}/{path.parent.name}/{path.name}"] = path.stat().st_size
        manifest.write_text(json.dumps(content))
    return rows[row]["id"]


def wrong_spans(row):
    row["entities"][0]["mention"]["spans"] = [[0, 1]]


def other_label(row):
    row["entities"][0]["label"] = "no such label"


def lost_key(row):
    row["output"] = "{}"


def broken_json(row):
    row["instruction"] = row["instruction"][:-1]


def other_text(row):
    row["text_sha256"] = "0" * 64


@pytest.mark.parametrize(
    ("name", "schema", "row", "change", "message"),
    [
        ("clean/clue_ner/train-00000.parquet", EXAMPLES, 7, wrong_spans, "offset_mismatches"),
        ("clean/clue_ner/validation-00000.parquet", EXAMPLES, 0, other_label, "unknown_labels"),
        ("data/NER/train-00000-of-00001.parquet", INSTRUCTIONS, -1, lost_key, "answer_keys_differ"),
        ("data/RE/validation-00000-of-00001.parquet", INSTRUCTIONS, 1, broken_json, "broken_prompt"),
        ("data/NER/test-00000-of-00001.parquet", INSTRUCTIONS, 3, other_text, "wrong_hash"),
    ],
)
def test_a_corrupted_row_is_named(corpus, tmp_path, capsys, name, schema, row, change, message):
    output = shutil.copytree(corpus, tmp_path / "build")
    id_ = corrupt(output / name, schema, row, change)
    assert build.main(["--output", str(output), *FLAGS[:-2]]) == 4
    lines = [line for line in capsys.readouterr().err.splitlines() if message in line]
    assert len(lines) == 1 and ": 1 unexpected: " in lines[0] and id_ in lines[0]
    assert not (output / "README.md").exists()
    assert message in (output / "reports/data_docs/index.html").read_text()


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("name", ["clean/scierc/train-00000.parquet", "data/NER/train-00000-of-00001.parquet"])
def test_a_changed_byte_of_a_shard_is_detected(corpus, tmp_path, capsys, name, place):
    output = shutil.copytree(corpus, tmp_path / "build")
    content = bytearray((output / name).read_bytes())
    content[int(len(content) * place)] ^= 0x10
    (output / name).write_bytes(content)
    assert build.main(["--output", str(output), *FLAGS[:-2]]) in (1, 4)
    message = capsys.readouterr().err
    assert "altered_shards" in message or "cannot be read back" in message


def test_the_first_rows_are_parsed_even_if_their_facts_are_recorded(corpus, tmp_path, capsys):
    """If the facts recorded while a shard was written are wrong, parsing the rows reveals it."""
    output = shutil.copytree(corpus, tmp_path / "build")
    name = "data/NER/train-00000-of-00001.parquet"
    corrupt(output / name, INSTRUCTIONS, 0, lost_key)
    manifest = json.loads((output / "data/manifest.json").read_text())
    for part in manifest["shards"]:
        assert part["facts"]["rows"] == part["rows"]
        if part["path"] == name:
            part["sha256"] = hashlib.sha256((output / name).read_bytes()).hexdigest()
    (output / "data/manifest.json").write_text(json.dumps(manifest))
    assert build.main(["--output", str(output), *FLAGS[:-2]]) == 4
    assert "answer_keys_differ" in capsys.readouterr().err


def test_leaks_and_repetitions_are_detected_across_shards(corpus, tmp_path, capsys):
    output = shutil.copytree(corpus, tmp_path / "build")
    test = read_shard(str(output / "clean/scierc/test-00000.parquet")).to_pylist()[0]
    other = read_shard(str(output / "clean/clue_ner/train-00000.parquet")).to_pylist()[2]

    def leak(row):
        row.update(text=test["text"], entities=[])

    def repeat(row):
        row.update(text=other["text"], entities=other["entities"])

    leaked = corrupt(output / "clean/clue_ner/train-00000.parquet", EXAMPLES, 5, leak)
    repeated = corrupt(output / "clean/clue_ner/train-00000.parquet", EXAMPLES, 6, repeat)
    assert build.main(["--output", str(output), *FLAGS[:-2]]) == 4
    message = capsys.readouterr().err
    assert any("leaked_texts" in line and leaked in line for line in message.splitlines())
    assert any("repeated_texts" in line and repeated in line for line in message.splitlines())


def test_a_window_with_a_test_text_is_a_leak_of_its_split(tmp_path):
    """A window's id ends in two numbers, and neither is its split."""
    long = " ".join(f"Sentence {n} of the report tells about Ada in Rome once more." for n in range(6))
    write_source(
        tmp_path / "raw/a", "NER", NER_SCHEMA,
        train=[ner(long, place="Rome")], test=[ner("Ada went to the harbour.", person="Ada")],
    )  # fmt: skip
    output = tmp_path / "build"
    flags = ["--data_root", str(tmp_path / "raw"), "--output", str(output), "--hard_negatives", "none"]
    flags += ["--set", "clean.max_chars=150"]
    assert build.main([*flags, "--only", "instruct"]) == 0

    def leak(row):
        row.update(text="Ada went to the harbour.", entities=[])

    leaked = corrupt(output / "clean/a/train-00000.parquet", EXAMPLES, 1, leak)
    assert leaked == "a/train/0/1"
    assert build.main(flags) == 4
    assert corpus_failures(output) == {
        "altered_shards": (1, ["clean/a/train-00000.parquet"]),
        "leaked_texts": (1, [leaked]),
        "torn_documents": (1, ["a/train/0"]),
    }
    with pytest.raises(SuiteError) as error:
        refuse_failures(str(output))
    assert [leaked in line for line in error.value.args] == [False, False, True, False]


def test_partial_leaks_fail_if_they_should_have_been_dropped(tmp_path):
    test = "The old harbour of Brevik was closed to all larger ships in the spring of that year."
    train = [ner(f"It rained. {test}"), ner(test.replace("old harbour", "older harbours")), ner("Ada went home.")]
    write_source(tmp_path / "raw/a", "NER", NER_SCHEMA, train=train, test=[ner(test, place="Brevik")])
    output = tmp_path / "build"
    flags = ["--data_root", str(tmp_path / "raw"), "--output", str(output), "--hard_negatives", "none"]
    flags += ["--set", "clean.partial_leaks=drop", "--set", "clean.leak_jaccard=0.6"]
    assert build.main([*flags, "--only", "validate"]) == 0
    manifest = json.loads((output / "clean/manifest.json").read_text())
    assert [part["rows"] for part in manifest["shards"]] == [1, 1]

    def contain(row):
        row.update(text=f"Afterwards they wrote: {test}")

    leaked = corrupt(output / "clean/a/train-00000.parquet", EXAMPLES, 0, contain)
    (output / "reports/manifest.json").unlink()
    assert build.main(flags) == 4
    assert corpus_failures(output) == {
        "altered_shards": (1, ["clean/a/train-00000.parquet"]),
        "partial_leaks": (1, [leaked]),
    }


def corpus_failures(output) -> dict[str, tuple[int, list[str]]]:
    """Rule → number of faults and the ids shown, for the rules that the corpus suite found broken."""
    (corpus,) = (result for result in read_results(str(output)) if result.suite == "corpus")
    return {e.column: (e.unexpected, list(e.examples)) for e in corpus.expectations if not e.success}


@pytest.mark.parametrize("fault", list(CORPUS_CULPRITS))
def test_failures_in_an_unknown_split_are_reported(fault):
    shard = {"folder": "clean/a", "split": "train", "manifest_rows": 3, "rows": 3}
    astray = {"folder": "clean/a", "split": "0", fault: {"count": 1, "ids": ["a/train/0/1"]}}
    empty = {"folder": "clean/a", "split": "test", "manifest_rows": 0, "rows": 0}
    result = check("corpus", profile.corpus_profile(add_up([shard, astray, empty])))
    assert {e.column for e in result.expectations if not e.success} == {"split", "rows", fault}
    assert all(e.success for e in check("corpus", profile.corpus_profile(add_up([shard, empty]))).expectations)


@pytest.mark.parametrize("same_text", ["unite", "report"])
def test_duplicate_texts_fail_unless_they_are_only_reported(tmp_path, capsys, same_text):
    rows = [ner("Ada went to Rome.", person="Ada"), ner("Bo saw the Tiber.", place="Tiber"), ner("Cy met Di.")]
    write_source(tmp_path / "raw/a", "NER", NER_SCHEMA, train=[*rows, ner("Cy met Di.", person="Di")])
    output = tmp_path / "build"
    flags = ["--data_root", str(tmp_path / "raw"), "--output", str(output), "--hard_negatives", "none"]
    flags += ["--set", f"clean.same_text={same_text}"]
    assert build.main([*flags, "--only", "validate"]) == 0

    def differ(row):
        row.update(text="Ada went to Rome.", entities=[])

    if same_text != "report":
        repeated = corrupt(output / "clean/a/train-00000.parquet", EXAMPLES, 1, differ)
        (output / "reports/manifest.json").unlink()
        assert build.main(flags) == 4
        lines = [line for line in capsys.readouterr().err.splitlines() if "repeated_texts" in line]
        assert len(lines) == 1 and repeated in lines[0]
    else:
        assert build.main(flags) == 0
        assert "2 rows have the text of another row of the split" in (output / "README.md").read_text()
        assert "2 行与同一划分中文本相同" in (output / "README_zh.md").read_text().replace("有 ", "")


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[16:])])
def test_texts_are_read_if_their_keys_are_missing_or_changed(corpus, tmp_path, capsys, damage):
    output = shutil.copytree(corpus, tmp_path / "build")
    parts = json.loads((output / "clean/manifest.json").read_text())["shards"]
    for part in parts:
        damage(output / f"clean/.keys/{part['number']:06d}.keys")
    test = read_shard(str(output / "clean/scierc/test-00000.parquet")).to_pylist()[0]
    train = output / "clean/clue_ner/train-00000.parquet"
    leaked = corrupt(train, EXAMPLES, 5, lambda row: row.update(text=test["text"], entities=[]))
    assert build.main(["--output", str(output), *FLAGS[:-2]]) == 4
    lines = [line for line in capsys.readouterr().err.splitlines() if "leaked_texts" in line]
    assert len(lines) == 1 and ": 1 unexpected: " in lines[0] and leaked in lines[0]


def test_a_failed_build_continues_after_a_repair(corpus, tmp_path):
    output = shutil.copytree(corpus, tmp_path / "build")
    corrupt(output / "data/NER/train-00000-of-00001.parquet", INSTRUCTIONS, 0, lost_key)
    flags = ["--output", str(output), *FLAGS[:-2]]
    assert build.main(flags) == 4
    shutil.rmtree(output / "data")
    assert build.main(flags) == 0
    assert (output / "README.md").exists()


def test_many_shards_share_the_rows_that_are_always_checked():
    assert [rows_of_each(shards) for shards in (0, 1, 5, 10, 1000)] == [200, 200, 200, 100, 20]
