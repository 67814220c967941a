"""A split that is read in parts has the same shards, rejects and counts, byte for byte, as one that is read whole."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from apache_beam.pvalue import TaggedOutput
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import build
from pipelines.config import SAMPLES
from pipelines.engine import gather
from pipelines.sources import registry
from pipelines.stages import ingest, parts
from pipelines.stages.ingest import IngestSplit, SplitFiles, cut_split, join_splits
from pipelines.stages.parts import write_numbered
from tests.unified import NER_SCHEMA, ner, write_source
from transforms.files import File

PER_SHARD = 3
RECORDS = st.sampled_from(
    [
        *(json.dumps(ner(f"Ada {n} 🙂 met Ben.", person="Ada"), ensure_ascii=False).encode() for n in range(30)),
        json.dumps(ner("Ada left.", person=["Ada", "Bob"])).encode(),  # a lost mention
        json.dumps(ner("Ada left.", planet="Ada")).encode(),  # an unknown label
        json.dumps({"text": "not annotated"}).encode(),
        b'{"text": "broken',
        b'{"text": "\xe5\xb1"}',
        b"",
    ]
)
CONTENT = st.tuples(
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(st.tuples(RECORDS, st.sampled_from([b"\n", b"\r\n"])), min_size=1, max_size=30),
    st.sampled_from([b"", json.dumps(ner("Ada, the last", person="Ada")).encode()]),
).map(lambda drawn: drawn[0] + b"".join(line + end for line, end in drawn[1]) + drawn[2])


def content(folder: str) -> dict[str, bytes]:
    paths = (path for path in Path(folder).rglob("*.parquet"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def read_in_parts(output: str, element: SplitFiles, size: int):
    source = registry.source_at(element.data_root, element.key)
    elements = cut_split(element, source, size)
    if elements == [element]:
        return list(IngestSplit(output, None, 42, PER_SHARD, ()).process(element))
    outputs = [item for each in elements for item in IngestSplit(output, None, 42, PER_SHARD, ()).process(each)]
    assert all(isinstance(item, TaggedOutput) for item in outputs)
    outcomes = []
    for outcome, shards in join_splits(
        output, elements, {element.key: source}, [item.value for item in outputs][::-1], PER_SHARD
    ):
        outcomes.append(outcome)
        for shard in shards:
            write_numbered(shard, output)
    return outcomes


def compare(folder: str, element: SplitFiles, size: int) -> int:
    """The number of parts that give the same as the whole."""
    expected = list(IngestSplit(f"{folder}/whole", None, 42, PER_SHARD, ()).process(element))
    outcomes = read_in_parts(f"{folder}/parts", element, size)
    assert list(map(gather.encode, outcomes)) == list(map(gather.encode, expected))
    assert content(f"{folder}/parts") == content(f"{folder}/whole")
    return len(list(Path(folder, f"parts/examples/.parts/{element.key}").glob("*")))


@settings(max_examples=40, deadline=None)
@given(file_content=CONTENT, size=st.integers(1, 1500))
def test_parts_give_the_bytes_of_the_whole(file_content, size):
    with TemporaryDirectory() as folder:
        write_source(Path(folder, "data/mine"), "NER", NER_SCHEMA)
        Path(folder, "data/mine/train.json").write_bytes(file_content)
        file = File(f"{folder}/data/mine/train.json", "train.json")
        number = compare(folder, SplitFiles(f"{folder}/data", "mine", "train", (file,)), size)
        assert number or size > len(file_content) / 2 or file_content.count(b"\n") < 3


def test_parts_of_the_samples_give_the_bytes_of_the_whole(tmp_path):
    """Built-in sources: several files in a split, and splits by a hash of the text."""
    cut = {}
    for located in registry.locate_all(registry.list_root(str(SAMPLES))):
        for split, group in located.files.splits.items() if located.files else ():
            element = SplitFiles(str(SAMPLES), located.key, split, tuple(group))
            if len(cut_split(element, located.source, 300)) > 1:
                cut[located.key, split] = compare(str(tmp_path / f"{located.key}-{split}"), element, 300)
    assert len({key for key, _ in cut}) >= 5
    assert "all" in {split for _, split in cut}
    assert all(number > 1 for number in cut.values())


@pytest.mark.parametrize(
    ("file_content", "reason"), [(b"\n" * 5_000, "no record in it"), (b'[{"text": "a"},\n' * 500, "")]
)
def test_a_split_without_records_and_one_array(tmp_path, file_content, reason):
    write_source(tmp_path / "data/mine", "NER", NER_SCHEMA, train=[ner("Ada left.", person="Ada")])
    (tmp_path / "data/mine/train.json").write_bytes(file_content)
    located = {each.key: each for each in registry.locate_all(registry.list_root(str(tmp_path / "data")))}["mine"]
    element = SplitFiles(str(tmp_path / "data"), "mine", "train", tuple(located.files.splits["train"]))
    expected = list(IngestSplit(str(tmp_path / "whole"), None, 42, PER_SHARD, ()).process(element))
    assert read_in_parts(str(tmp_path / "parts"), element, 100) == expected
    assert reason in expected[0].empty


def test_a_build_with_workers_reads_a_large_file_in_parts(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(ingest, "PART_BYTES", 2_000)
    records = [ner(f"Ada left house {number}.", person="Ada") for number in range(200)]
    write_source(tmp_path / "data/mine", "NER", NER_SCHEMA, train=records, dev=records[:3])
    train = tmp_path / "data/mine/train.json"  # of its reasons, the first in the alphabet is in the last part
    train.write_bytes(b'{"text": "\xe5\xb1"}\n' + train.read_bytes() + b'\n{"text": "broken')
    flags = ["--data_root", str(tmp_path / "data"), "--only", "ingest", "--set", "ingest.examples_per_shard=30"]
    assert build.main([*flags, "--output", str(tmp_path / "one")]) == 0
    two = ("--direct_running_mode=multi_threading", "--direct_num_workers=2")
    assert "(shards)" not in capsys.readouterr().err
    assert build.main([*flags, "--output", str(tmp_path / "two"), *two]) == 0
    assert "ingest (shards)" in capsys.readouterr().err
    assert content(str(tmp_path / "one")) == content(str(tmp_path / "two"))
    assert len(content(str(tmp_path / "two"))) == 9  # 7 of train, 1 of validation, the rejects
    assert not Path(parts.parts_folder(str(tmp_path / "two"))).exists()
    for name in ("manifest.json", ".summary.json"):
        assert (tmp_path / "one/examples" / name).read_text() == (tmp_path / "two/examples" / name).read_text()
    assert pq.read_table(tmp_path / "two/examples/mine/train-00001.parquet")["id"][0].as_py() == "mine/train/30"
