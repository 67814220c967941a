"""The stages entities and types, from dump files to shards: repeated and merged items, bad input, equal bytes."""

import bz2
import gzip
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.engine.dag import Stage
from pipelines.engine.options import parse_options
from pipelines.knowledge import entities as entities_stage
from pipelines.knowledge import types as types_stage
from pipelines.knowledge.config import Config, KnowledgeSettings, Match
from schemas.errors import ConfigError, SourceError
from tests.conftest import ROOT, checksums
from tests.pipelines.knowledge.run_stages import run_stages
from tests.transforms.knowledge.entities import claims, dump, entity, to_item
from transforms.shards import read_shard

MAYA = entity("Q1", "Maya Lund", claims=claims(to_item("P31", 5), to_item("P10", 2)))
PORT = entity("Q2", "Port Vell", claims=claims(to_item("P31", 40)))
TOWN = entity("Q40", "port town", claims=claims(to_item("P279", 41)))
SETTLEMENT = entity("Q41", "settlement", claims=claims(to_item("P279", 40), to_item("P279", 50)))
NAMELESS = entity("Q3", claims=claims(to_item("P31", 99)))
FAIR = entity("Q4", "Harbour Fair", claims=claims(to_item("P31", 60)))
PROPERTY = {"type": "property", "id": "P10"}


@pytest.fixture
def dumps(tmp_path) -> Path:
    """A folder with three dumps, one per form."""
    folder = tmp_path / "dumps"
    folder.mkdir()
    (folder / "a.json").write_bytes(dump([MAYA, PORT, TOWN, PROPERTY, NAMELESS]))
    (folder / "b.json.gz").write_bytes(gzip.compress(dump([SETTLEMENT, FAIR], brackets=False)))
    (folder / "c.json.bz2").write_bytes(bz2.compress(dump([entity("Q9", "Ninth")])))
    return folder


def rows(output: Path, folder: str) -> dict[str, list[dict]]:
    """Name of a shard → its rows."""
    return {path.stem: read_shard(str(path)).to_pylist() for path in sorted((output / folder).glob("*.parquet"))}


def qids(output: Path, folder: str = "entities/items") -> dict[str, list[int]]:
    return {name: [row["qid"] for row in shard] for name, shard in rows(output, folder).items()}


def all_types(output: Path) -> dict[int, list[str]]:
    return {row["qid"]: row["types"] for shard in rows(output, "types").values() for row in shard}


def test_dumps_become_shards_of_items_names_and_types(dumps, tmp_path):
    entities, types = run_stages(str(tmp_path / "out"), [str(dumps)])
    expected = {"00000-00000": [1, 2, 40], "00000-00001": [3], "00001-00000": [41, 4], "00002-00000": [9]}
    assert qids(tmp_path / "out") == expected
    assert qids(tmp_path / "out", "types") == expected
    names = {name: [row["name"] for row in shard] for name, shard in rows(tmp_path / "out", "entities/names").items()}
    assert names == {
        "00000-00000": ["Maya Lund", "Port Vell", "port town"],
        "00000-00001": [],
        "00001-00000": ["settlement", "Harbour Fair"],
        "00002-00000": ["Ninth"],
    }
    assert all_types(tmp_path / "out") == {  # 40 and 41 are classes
        1: ["human"], 2: ["place"], 40: [], 3: [], 41: [], 4: ["event", "place"], 9: [],
    }  # fmt: skip
    assert [(read.name, read.counts, read.rejected) for read in entities.dumps] == [
        ("a.json", {"items": 4, "skipped.property": 1, "unnamed": 1}, {}),
        ("b.json.gz", {"items": 2}, {}),
        ("c.json.bz2", {"items": 1}, {}),
    ]
    counts = [(shard.path, shard.names_path, shard.rows, shard.names) for shard in entities.shards[:2]]
    assert counts == [
        ("entities/items/00000-00000.parquet", "entities/names/00000-00000.parquet", 3, 3),
        ("entities/items/00000-00001.parquet", "entities/names/00000-00001.parquet", 1, 0),
    ]
    assert [(shard.statements, shard.superclasses) for shard in entities.shards] == [(3, 1), (1, 0), (1, 2), (0, 0)]
    assert (entities.repeated_items, entities.merged_items, entities.merge_loops, entities.merged) == (0, 0, 0, None)
    assert [(shard.path, shard.rows, shard.typed) for shard in types.shards] == [
        ("types/00000-00000.parquet", 3, 2),
        ("types/00000-00001.parquet", 1, 0),
        ("types/00001-00000.parquet", 2, 1),
        ("types/00002-00000.parquet", 1, 0),
    ]
    assert types.shards[2].types == {"event": 1, "place": 1}


def test_repeated_items_are_kept_once_with_their_names(dumps, tmp_path):
    newer = entity("Q1", "Maya L.", lastrevid=7)
    (dumps / "d.json").write_bytes(dump([newer, FAIR, entity("Q11"), newer]))
    entities, _ = run_stages(str(tmp_path / "out"), [str(dumps)])
    assert qids(tmp_path / "out") == {
        "00000-00000": [2, 40],
        "00000-00001": [3],
        "00001-00000": [41, 4],
        "00002-00000": [9],
        "00003-00000": [1, 11],
        "00003-00001": [],
    }
    names = [row["name"] for shard in rows(tmp_path / "out", "entities/names").values() for row in shard]
    assert sorted(names) == sorted(["Port Vell", "port town", "settlement", "Harbour Fair", "Ninth", "Maya L."])
    assert entities.repeated_items == 3
    assert [shard.rows for shard in entities.shards] == [2, 1, 2, 1, 2, 0]
    assert not (tmp_path / "out/entities/.scratch").exists()


def test_merged_items_are_replaced_in_all_dumps(dumps, tmp_path):
    merged = [{"entity": "Q2", "redirect": "Q8"}, {"entity": "Q8", "redirect": "Q88"}, entity("Q88", "Port Old")]
    merged += [{"entity": "Q99", "redirect": "Q5"}, {"entity": "Q70", "redirect": "Q71"}]
    (dumps / "d.json").write_bytes(dump([*merged, {"entity": "Q71", "redirect": "Q70"}]))
    entities, _ = run_stages(str(tmp_path / "out"), [str(dumps)])
    assert entities.merged == "entities/merged.parquet"
    table = read_shard(str(tmp_path / "out/entities/merged.parquet")).to_pylist()
    assert [(row["qid"], row["target"]) for row in table] == [(2, 88), (8, 88), (99, 5)]
    assert (entities.merged_items, entities.merge_loops, entities.repeated_items) == (1, 2, 0)
    maya = rows(tmp_path / "out", "entities/items")["00000-00000"][0]
    assert maya["neighbours"] == [5, 88]
    assert {each["item"] for each in maya["statements"]} == {5, 88}
    assert all_types(tmp_path / "out")[3] == ["human"]
    assert 2 not in all_types(tmp_path / "out")


def test_bad_input_costs_only_itself(dumps, tmp_path):
    generator = random.Random(7)
    whole = gzip.compress(dump([entity(f"Q{number}", generator.randbytes(200).hex()) for number in range(100, 200)]))
    (dumps / "b.json.gz").write_bytes(whole[:-2000])
    (dumps / "d.json").write_bytes(dump([FAIR]).replace(b"[\n", b"[\nbroken,\n"))
    entities, _ = run_stages(str(tmp_path / "out"), [str(dumps)])
    cut, broken = entities.dumps[1], entities.dumps[3]
    assert 50 < cut.counts["items"] < 100
    assert cut.rejected == {"broken_json": 1, "broken_record": 1}
    line = cut.counts["items"] + 2
    assert cut.first_rejects[-1] == (
        f"b.json.gz:{line}: broken_record: the compressed data is cut off; the rest is lost"
    )
    assert broken.counts == {"items": 1}
    assert broken.first_rejects[0].startswith("d.json:2: broken_json: ")
    assert broken.first_rejects[0].endswith(": 'broken'")
    rejects = read_shard(str(tmp_path / "out/rejects/entities/rejects.parquet")).to_pylist()
    assert [f"{row['place']}: {row['reason']}: {row['detail']}" for row in rejects] == [
        *cut.first_rejects, *broken.first_rejects,
    ]  # fmt: skip
    assert {row["stage"] for row in rejects} == {"entities"}
    assert [row["source"] for row in rejects] == ["b.json.gz", "b.json.gz", "d.json"]
    assert not (tmp_path / "out/rejects/entities/.scratch").exists()
    assert sum(shard.rows for shard in entities.shards) == 6 + cut.counts["items"]


THEME = """themes:
  Harbours:
    pages: [human]
    relations:
      keeps: {properties: [P10, ^P31], head: [human], tail: [human]}
      feeds:
        properties:
        - P31
        - P20
        head: [human]
        tail: [human]
"""


def test_a_property_that_a_graph_with_its_properties_does_not_declare_is_an_error(tmp_path):
    (tmp_path / "themes.yaml").write_text(THEME)
    (tmp_path / "a.json").write_bytes(dump([MAYA, PROPERTY, {"type": "property", "id": "P31"}]))
    place = re.escape(f"{tmp_path}/themes.yaml:9: P20 (feeds): ")
    with pytest.raises(ConfigError, match=rf"^{place}the graph of --wikidata has no such property; correct"):
        run_stages(str(tmp_path / "out"), [str(tmp_path / "a.json")], themes=str(tmp_path / "themes.yaml"))


@pytest.mark.parametrize(
    ("used", "declared"), [((), ()), ((10, 31), ()), ((10, 31), (10,)), ((), (10,)), ((10, 31), (10, 20, 31))]
)
def test_a_part_of_the_graph_may_lack_a_property(tmp_path, used, declared):
    (tmp_path / "themes.yaml").write_text(THEME)
    sets = frozenset({10, 20, 31}), frozenset(used), frozenset(declared)
    entities_stage.check_properties(str(tmp_path / "themes.yaml"), *sets)
    entities_stage.check_properties(None, frozenset({10, 20}), frozenset({10}), frozenset({10}))


def test_a_file_that_is_not_a_dump_is_an_error(dumps, tmp_path):
    (dumps / "notes.txt").write_text("Not a dump.\n")
    with pytest.raises(SourceError, match=r"^notes\.txt:1: broken_json: .*; give a Wikidata JSON dump"):
        run_stages(str(tmp_path / "out"), [str(dumps)])


def test_an_empty_dump_is_refused(tmp_path):
    (tmp_path / "empty.json").write_bytes(b"[\n]\n")
    with pytest.raises(SourceError, match=r"^empty\.json: no entity; give a Wikidata JSON dump"):
        run_stages(str(tmp_path / "out"), [str(tmp_path / "empty.json")])


def test_two_processes_and_another_order_of_files_give_the_same_bytes(dumps, tmp_path):
    (dumps / "d.json").write_bytes(dump([{"entity": "Q2", "redirect": "Q8"}, FAIR, entity("Q1", lastrevid=7)]))
    paths = sorted(map(str, dumps.iterdir()))
    entities, _ = run_stages(str(tmp_path / "one"), paths)
    assert (entities.repeated_items, entities.merged_items) == (2, 1)
    flags = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipelines.knowledge.run_stages", str(tmp_path / "two"), *paths[::-1], *flags],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert checksums(tmp_path / "two", "**/*.parquet") == checksums(tmp_path / "one", "**/*.parquet")
    assert checksums(tmp_path / "two", "*/manifest.json") == checksums(tmp_path / "one", "*/manifest.json")
    assert len(checksums(tmp_path / "one", "**/*.parquet")) == 16


@pytest.mark.parametrize("end", [b"]\n", b""])
def test_a_file_in_parts_has_the_same_items_and_line_numbers(tmp_path, monkeypatch, end):
    many = [entity(f"Q{number}", f"Item {number}", claims=claims(to_item("P31", 5))) for number in range(1, 41)]
    content = dump(many).removesuffix(b"]\n") + b"broken\n" + end
    (tmp_path / "a.json").write_bytes(content)
    whole, _ = run_stages(str(tmp_path / "whole"), [str(tmp_path / "a.json")])
    monkeypatch.setattr(entities_stage, "PLAIN_BYTES", len(content) // 7)
    divided, _ = run_stages(str(tmp_path / "divided"), [str(tmp_path / "a.json")])
    assert len({shard.path.partition("-")[0] for shard in divided.shards}) == 7
    for folder in ("entities/items", "entities/names", "types"):
        both = [
            [row for shard in rows(tmp_path / name, folder).values() for row in shard] for name in ("whole", "divided")
        ]
        assert both[0] == both[1]
        assert len(both[0]) == 40
    assert divided.dumps == whole.dumps
    places = [message.partition(": ")[0] for message in divided.dumps[0].first_rejects]
    assert places == ["a.json:42"] + ["a.json:42"] * (not end)


def stages(dumps: Path, **settings: object) -> list[Stage]:
    config = Config(**{"wikidata": (str(dumps),), "wikipedia": (), "lang": "en", **settings})
    return [module.stage(KnowledgeSettings(config, parse_options([]))) for module in (entities_stage, types_stage)]


def test_stages_depend_on_the_dumps_and_the_language(dumps):
    before = [stage.inputs for stage in stages(dumps)]
    assert before == [stage.inputs for stage in stages(dumps)]
    assert before[0] != stages(dumps, lang="zh")[0].inputs
    (dumps / "a.json").write_bytes(dump([MAYA]))
    after = [stage.inputs for stage in stages(dumps)]
    assert (before[0] != after[0], before[1] == after[1]) == (True, True)


def test_stages_name_what_is_missing(dumps, tmp_path):
    with pytest.raises(ConfigError, match=r"^--wikidata .*/none\.json: no such file"):
        stages(dumps, wikidata=(f"{tmp_path}/none.json",))
    with pytest.raises(ConfigError, match=r"themes\.yaml"):
        stages(dumps, match=Match(themes=f"{tmp_path}/themes.yaml"))
