"""The stage pages, from files to shards: redirects, items of titles, order, bad input, equal bytes."""

import bz2
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.build_folder import read_result
from pipelines.knowledge import pages
from schemas.errors import ConfigError, SourceError
from schemas.knowledge import Paragraph, from_table
from schemas.knowledge_manifests import Pages
from tests.conftest import ROOT, checksums
from tests.pipelines.knowledge.run_pages import run_pages
from tests.transforms.knowledge.test_page_files import dump, page
from transforms.shards import read_shard

REDIRECTS = [("Vell", "Port Vell"), ("Old Vell", "Vell"), ("Oldest Vell", "Old Vell"), ("Vel", "Oldest Vell")]
LOOPS = [("A", "B"), ("B", "C"), ("C", "A"), ("D", "D"), ("E", "A")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Files of every kind. The redirects are in another file than most links to them."""
    folder = tmp_path_factory.mktemp("pages")
    articles = [
        page("Port Vell", "\n\n".join(f"Pier {n} of [[Vell]] is [[old Vell|old]]." for n in range(5))),
        page("Mercury (ship)", "It sailed to [[Vel]], [[Isle (Norway)|Isle]] and [[Quay]]."),
        *(page(title, f"#REDIRECT [[{target}]]") for title, target in REDIRECTS[2:]),
    ]
    (folder / "b.xml.bz2").write_bytes(bz2.compress(dump(*articles)))
    redirects = [page(title, f"#REDIRECT [[{target}]]") for title, target in (*REDIRECTS[:2], *LOOPS)]
    (folder / "c.xml").write_bytes(dump(*redirects, page("Talk:A", "one two", ns=1))[:-20])
    (folder / "a.html").write_text('<html><title>x</title><p>See <a href="/wiki/Harbour">it</a> now.</p></html>')
    (folder / "Vell.txt").write_text("It is [[A|a]] or [[D|d]].\n\n{{broken text")
    rows = [{"text": "Ada", "qid": "Q70", "id": "x"}, {"text": "Bo", "links": [{"start": 0, "end": 2, "qid": "Q70"}]}]
    (folder / "d.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n{")
    return folder


@pytest.fixture(scope="module")
def output(folder, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("output")
    run_pages(str(output), [str(folder)])
    return output


def paragraphs(output: Path) -> list[list[Paragraph]]:
    """The paragraphs of each shard."""
    return [from_table(read_shard(str(path)), Paragraph) for path in sorted((output / "pages").glob("*.parquet"))]


def test_files_become_shards_with_items(output):
    result = read_result(str(output), Pages)
    shards = paragraphs(output)
    assert [len(shard) for shard in shards] == [4, 4, 2]
    rows = [row for shard in shards for row in shard]
    assert [row.id for row in rows] == [
        "Vell/00000001/00001", "a/00000001/00001",
        *(f"b/00000001/{n:05d}" for n in range(1, 6)), "b/00000002/00001", "d/00000001/x", "d/00000002/0",
    ]  # fmt: skip
    assert [(row.title, row.page) for row in rows] == [
        ("Vell", 1), ("X", None), *[("Port Vell", 1)] * 5, ("Mercury (ship)", 3), (None, 7), (None, None),
    ]  # fmt: skip
    links = {row.id: [(row.text[link.start : link.end], link.title, link.qid) for link in row.links] for row in rows}
    assert links["Vell/00000001/00001"] == [("a", "A", None), ("d", "D", None)]
    assert links["a/00000001/00001"] == [("it", "Harbour", 2)]
    assert links["b/00000001/00003"] == [("Vell", "Port Vell", 1), ("old", "Port Vell", 1)]
    expected = [("Vel", "Port Vell", 1), ("Isle", "Isle (Norway)", 6), ("Quay", "Quay", None)]
    assert links["b/00000002/00001"] == expected
    assert links["d/00000002/0"] == [("Bo", None, 7)]
    assert [(each.name, each.kind, each.pages, each.paragraphs) for each in result.sources] == [
        ("Vell.txt", "wikitext", 1, 1), ("a.html", "html", 1, 1), ("b.xml.bz2", "xml", 2, 6), ("c.xml", "xml", 0, 0),
        ("d.jsonl", "json", 2, 2),
    ]  # fmt: skip
    vell, _, b, c, d = result.sources
    assert vell.paragraphs_left_out == {"markup": 1}
    assert b.pages_left_out == {"redirect": 2}
    assert c.pages_left_out == {"redirect": 7} and c.rejected == {"broken_record": 1}
    assert d.first_rejects == ("d.jsonl:3: broken_json: Input data was truncated: '{'",)
    rejects = read_shard(str(output / "rejects/pages/rejects.parquet")).to_pylist()
    assert [(row["stage"], row["source"], row["place"], row["reason"]) for row in rejects] == [
        ("pages", "c.xml", "c.xml:71", "broken_record"), ("pages", "d.jsonl", "d.jsonl:3", "broken_json"),
    ]  # fmt: skip
    assert not (output / "rejects/pages/.scratch").exists()
    assert (result.redirects, result.redirect_loops) == (9, 5)
    counts = [(shard.path, shard.rows, shard.with_page, shard.links, shard.links_with_item) for shard in result.shards]
    assert counts == [
        ("pages/00000.parquet", 4, 3, 7, 5), ("pages/00001.parquet", 4, 4, 9, 8), ("pages/00002.parquet", 2, 1, 1, 1),
    ]  # fmt: skip
    assert not (output / "pages/.scratch").exists()


def test_a_redirect_over_more_than_four_pages_leads_nowhere(tmp_path):
    chain = [page(f"R{n}", f"#REDIRECT [[R{n + 1}]]") for n in range(6)]
    (tmp_path / "a.xml").write_bytes(dump(*chain, page("P", "one [[R0]], [[R1]] [[R2]] [[R5]]")))
    result = run_pages(str(tmp_path / "out"), [str(tmp_path / "a.xml")])
    ((row,),) = paragraphs(tmp_path / "out")
    assert [link.title for link in row.links] == ["R0", "R1", "R6", "R6"]
    assert result.redirect_loops == 2


def test_shards_have_the_size_that_is_set(folder, output, tmp_path):
    run_pages(str(tmp_path), [str(folder)], paragraphs_per_shard=100)
    (everything,) = paragraphs(tmp_path)
    assert everything == [row for shard in paragraphs(output) for row in shard]


def test_files_in_parts_have_the_same_paragraphs_and_rejects(tmp_path, monkeypatch):
    generator = random.Random(7)
    texts = [f"Pier {n} of [[Vell]] {generator.randbytes(500).hex()}." for n in range(200)]
    broken = page("X", "a").replace("</ns>", "</sn>")
    articles = [page(f"Pier {n}", text) for n, text in enumerate(texts)]
    xml = dump(page("Vell", "#REDIRECT [[Port Vell]]"), *articles[:100], broken, *articles[100:], broken)
    rows = [json.dumps({"text": text, "id": f"x/{n}"}) for n, text in enumerate(texts)]
    files = tmp_path / "files"
    files.mkdir()
    (files / "a.xml").write_bytes(xml)
    (files / "b.xml.bz2").write_bytes(bz2.compress(xml, 1))
    (files / "c.jsonl").write_text("\n".join(["", *rows[:100], "broken", *rows[100:], "{"]))
    results = []
    for name, size in (("whole", 1 << 30), ("divided", 40_000)):
        monkeypatch.setattr(pages, "PLAIN_BYTES", size)
        monkeypatch.setattr(pages, "BZ2_BYTES", size)
        results.append(run_pages(str(tmp_path / name), [str(files)], paragraphs_per_shard=70))
    assert results[0] == results[1]
    assert [(source.paragraphs, sum(source.rejected.values())) for source in results[0].sources] == [(200, 2)] * 3
    for glob in ("pages/*.parquet", "rejects/pages/*"):
        assert checksums(tmp_path / "whole", glob) == checksums(tmp_path / "divided", glob) != {}
    ids = [row.id for shard in paragraphs(tmp_path / "divided") for row in shard]
    assert (ids[0], ids[199], ids[-1]) == ("a/00000002/00001", "a/00000202/00001", "c/00000202/x/199")
    assert ids == sorted(set(ids), key=ids.index) and len(ids) == 600


def test_a_file_with_a_limit_is_not_divided(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "PLAIN_BYTES", 100)
    (tmp_path / "a.xml").write_bytes(dump(*(page(f"P{n}", "one two three") for n in range(5))))
    result = run_pages(str(tmp_path / "out"), [str(tmp_path / "a.xml")], limit=3)
    assert result.sources[0].pages == 3


def test_bytes_are_equal_for_two_workers_and_any_order_of_files(folder, output, tmp_path):
    backwards = sorted((str(path) for path in folder.iterdir()), reverse=True)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.pipelines.knowledge.run_pages", str(tmp_path), *backwards),
            *("--direct_running_mode=multi_processing", "--direct_num_workers=2"),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    expected = checksums(output, "pages/[!.]*")
    assert len(expected) == 4
    assert checksums(tmp_path, "pages/[!.]*") == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", b"\x89PNG\0", r"^a\.png:1: neither a MediaWiki XML dump"),
        ("a.txt", b"short", r"^no paragraph of 2 tokens or more in --wikipedia \(a\.txt: wikitext\)$"),
        ("a.jsonl", b'{"text": 5}', r"--wikipedia \(a\.jsonl:1: broken_record: "),
    ],
)
def test_files_without_paragraphs_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=message):
        run_pages(str(tmp_path / "out"), [str(tmp_path / name)])


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        run_pages(str(tmp_path / "out"), [str(tmp_path / "missing.xml")])
