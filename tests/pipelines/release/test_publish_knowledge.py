"""Builds of corpora that pipelines.knowledge exported: their card, their release, and what can be rebuilt from it."""

import json
from dataclasses import dataclass
from pathlib import Path

import datasets
import msgspec
import pyarrow.parquet as pq
import pytest

from pipelines import diff, publish, rebuild
from tests.conftest import build_here
from tests.pipelines.knowledge.corpora import CORPUS
from tests.pipelines.sources.test_knowledge_data import ROW, write

CLOSED = msgspec.structs.replace(CORPUS, name="en_closed", licence="CC-BY-NC-ND-4.0")
CARD = (
    "People, English",
    "wikidata-20240102-all.json.gz of 2024-01-02",
    "enwiki-20240101-pages-articles.xml.bz2 of 2024-01-01",
    "the built-in lexical score, at least 0.5",
    "**open**: CC-BY-SA-4.0",
)


@dataclass(frozen=True)
class Published:
    """`raw`: the data root with one corpus that may be published and one that may not."""

    raw: Path
    build: Path
    release: Path
    log: str


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Published:
    root = tmp_path_factory.mktemp("knowledge")
    other = msgspec.structs.replace(ROW, id="8", text=f"{ROW.text} Nobody else was.")
    write(root / "raw/en_person", train=[ROW])
    write(root / "raw/en_closed", CLOSED, train=[other])
    (root / "raw/manifest.json").write_text("{}")  # of the stage that exported the corpora
    flags = ("--data_root", str(root / "raw"), "--output", str(root / "build"), "--hard_negatives", "none")
    done = build_here(*flags)
    assert done.returncode == 0, done.stderr
    assert publish.main(["--output", str(root / "build"), "--to", str(root / "release")]) == 0
    return Published(root / "raw", root / "build", root / "release", done.stderr)


@pytest.mark.parametrize(
    ("folder", "licence"), [("build", "license: other\n"), ("release", "license:\n- cc-by-sa-4.0\n")]
)
def test_the_card_names_dumps_dates_scorer_cut_and_licence(published, folder, licence):
    assert "note: left out" not in published.log
    card = (getattr(published, folder) / "README.md").read_text()
    for fact in (*CARD, licence):
        assert fact in card
    chinese = (getattr(published, folder) / "README_zh.md").read_text()
    for fact in CARD[:4]:
        assert fact in chinese


def test_a_release_has_the_instructions_of_open_corpora_and_loads(published, tmp_path):
    example = pq.read_table(published.build / "examples/en_person").to_pylist()[0]
    assert [entity["concepts"] for entity in example["entities"]] == [["Q990000001"], ["Q990000002"], []]
    assert [relation["score"] for relation in example["relations"]] == [0.75, None]
    for task in ("RE", "SPO", "KG"):
        rows = datasets.load_dataset(str(published.release), task, split="train", cache_dir=str(tmp_path))
        assert set(rows["source"]) == {"en_person"}
    assert not (published.release / "examples").exists()
    record = json.loads((published.release / "release.json").read_text())
    assert record["sources"]["en_person"]["licence_text"] == "CC-BY-SA-4.0 (texts); CC0-1.0 (facts)"


def test_a_corpus_that_was_left_out_can_be_rebuilt_from_its_export(published, tmp_path, capsys):
    flags = ["--release", str(published.release), "--sources", "en_closed", "--data_root", str(published.raw)]
    assert rebuild.main([*flags, "--output", str(tmp_path / "rebuilt")]) == 0
    capsys.readouterr()
    assert diff.main([str(published.release), str(published.build)]) == 0
    assert "source en_closed: added, 1 examples" in capsys.readouterr().out
