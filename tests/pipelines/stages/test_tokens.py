"""Token counts of shards: which rows are sampled, what is counted, and which tokenizers are refused."""

import json

import pyarrow as pa
import pytest

from pipelines import build
from pipelines.describe.figures import token_totals
from pipelines.describe.token_estimate import CONTEXTS, EDGES
from pipelines.stages import tokens
from schemas.arrow import INSTRUCTIONS
from schemas.errors import ConfigError
from schemas.manifests import TokenCounts
from tests.manifests import instruction_shard
from transforms.shards import write_shard


def rows(*instructions):
    """Instructions of (example id, words of the prompt, words of the answer or None)."""
    content = [
        {
            **dict.fromkeys(INSTRUCTIONS.names, ""),
            "id": f"{example}/NER/{number}",
            "example_id": example,
            "instruction": "w " * prompt,
            "output": None if answer is None else "w " * answer,
            "labels": [],
            "positives": [],
            "hard_negatives": [],
        }
        for number, (example, prompt, answer) in enumerate(instructions)
    ]
    return pa.Table.from_pylist(content, schema=INSTRUCTIONS)


def count(output, shard, tokenizer, seed=42):
    counting = tokens.CountShard(str(output), tokenizer, seed)
    counting.setup()
    return tokens.by_source(counting.process(shard))


def test_prompts_and_answers_are_counted_by_source(tmp_path, words):
    shard = rows(("a/test/train/0", 4, 2), ("b/train/0", 7, 0), ("a/test/train/1/3", 600, 1))
    write_shard(f"{tmp_path}/data/NER/train.parquet", INSTRUCTIONS, [shard])
    (element,) = tokens.plan([instruction_shard({"a/test": 2, "b": 1}, path="data/NER/train.parquet")], None)
    totals = token_totals(TokenCounts("words", CONTEXTS, EDGES, count(tmp_path, element, words)))
    assert totals.in_full
    assert totals.by_source["a/test"]["NER"]["train"].prompt == 604
    assert totals.by_source["a/test"]["NER"]["train"].answer == 3
    assert totals.by_source["b"]["NER"]["train"].above["512"] == 0
    assert totals.tasks["NER"]["train"].tokens == totals.total.tokens == 4 + 2 + 7 + 600 + 1
    assert totals.total.above["512"].share == pytest.approx(1 / 3, abs=1e-6)


def test_test_rows_count_only_their_prompt(tmp_path, words):
    write_shard(f"{tmp_path}/t.parquet", INSTRUCTIONS, [rows(("a/test/0", 5, None))])
    element = tokens.CountedShard("NER", "test", "t.parquet", {"a": (1, 1)})
    record = count(tmp_path, element, words)["a"]["NER"]["test"]
    assert (record.prompt, record.answer, record.longest) == (5, 0, 5)


def test_the_sample_depends_on_the_seed_not_on_the_row_order(tmp_path, words):
    instructions = [(f"a/train/{n}", n, 1) for n in range(200)]
    for name, order in (("one", instructions), ("other", instructions[::-1])):
        table = rows(*instructions).take(pa.array([instructions.index(row) for row in order]))
        write_shard(f"{tmp_path}/{name}.parquet", INSTRUCTIONS, [table])

    def drawn(name, seed):
        return count(tmp_path, tokens.CountedShard("NER", "train", f"{name}.parquet", {"a": (200, 20)}), words, seed)

    assert drawn("one", 1) == drawn("other", 1) != drawn("one", 2)
    assert drawn("one", 1)["a"]["NER"]["train"].counted == 20


def test_the_sample_is_proportional_and_covers_every_source():
    shards = [instruction_shard({"large": 9_000, "small": 980, "tiny": 20})]
    (element,) = tokens.plan(shards, 200)
    assert element.drawn == {"large": (9_000, 180), "small": (980, 50), "tiny": (20, 20)}
    (element,) = tokens.plan(shards, None)
    assert element.drawn == {"large": (9_000, 9_000), "small": (980, 980), "tiny": (20, 20)}


@pytest.mark.parametrize("content", [None, "", "{}", "not json", b"\xff\xfe"])
def test_an_invalid_tokenizer_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "given.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as refusal:
        tokens.load(str(path))
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_folder_without_a_tokenizer_is_refused_before_a_build(tmp_path, capsys):
    (tmp_path / "model").mkdir()
    flags = ["--output", str(tmp_path / "build"), "--sources", "anatem", "--tokenizer", str(tmp_path / "model")]
    assert build.main(flags) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert str(tmp_path / "model") in line
    assert not (tmp_path / "build").exists()


def test_display_names_of_tokenizers_have_no_path(words):
    assert tokens.display_name(words).startswith("tokenizer.json@")
    assert tokens.display_name("org/model") == "org/model"


def test_a_build_without_a_tokenizer_counts_nothing(built):
    assert json.loads((built / "reports/stats.json").read_text())["tokens"] is None
    assert "No tokens were counted" in (built / "README.md").read_text()
