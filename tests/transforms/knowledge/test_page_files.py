"""Files of every kind → paragraphs, redirects and counts; bad pages and rows cost only themselves."""

import bz2
import gzip
import json
import random
import tracemalloc
from dataclasses import replace
from html import escape
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason, SourceError
from schemas.knowledge import Link, Paragraph
from transforms.files import File
from transforms.knowledge import dump_files, dump_parts, page_dumps
from transforms.knowledge.dump_parts import Part
from transforms.knowledge.page_files import Reader, Redirect, keys, kind

HEADER = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" xml:lang="en">\n  <siteinfo>\n    <namespaces>\n'
    '      <namespace key="0" case="first-letter" />\n      <namespace key="6">Datei</namespace>\n'
    "    </namespaces>\n  </siteinfo>\n"
)


def page(title: str, text: str, ns: int = 0, extra: str = "", model: str = "wikitext") -> str:
    return (
        f"  <page>\n    <title>{escape(title)}</title>\n    <ns>{ns}</ns>\n    <id>1</id>\n{extra}    <revision>\n"
        f"      <model>{model}</model>\n      <text>{escape(text)}</text>\n    </revision>\n  </page>\n"
    )


def dump(*pages: str) -> bytes:
    return (HEADER + "".join(pages) + "</mediawiki>\n").encode()


def read(path: Path, content: bytes, lang: str = "en", low: int = 2, high: int = 20, limit: int | None = None):
    """(records, the reader after reading) of a file with this content."""
    path.write_bytes(content)
    reader = Reader(lang, low, high, limit)
    file = File(str(path), path.name)
    return list(reader.read("key", dump_parts.whole(file), kind(file))), reader


def texts(records: list) -> list[str]:
    return [record.text for record in records if isinstance(record, Paragraph)]


def bad(records: list) -> list[tuple[str, Reason]]:
    return [(record.place, record.reason) for record in records if isinstance(record, BadRecord)]


OLD = "    <revision>\n      <text>Old.</text>\n    </revision>\n"
VELL = page("vell", "'''Vell''' is a [[port]].[[Datei:a.jpg|x [[b]]]]\n\nIt is big.\n\nShort")
PORT = page("Port", "A port is a harbour.", extra=OLD)


def compress_as_streams(content: bytes) -> bytes:
    middle = content.index(b"<page>") + 20
    return bz2.compress(content[:middle]) + bz2.compress(content[middle:])


@pytest.mark.parametrize(
    ("name", "pack"),
    [("d.xml", bytes), ("d.xml.gz", gzip.compress), ("d.xml.bz2", bz2.compress), ("m.xml.bz2", compress_as_streams)],
)
def test_pages_of_a_dump_become_paragraphs(tmp_path, name, pack):
    records, reader = read(tmp_path / name, pack(dump(VELL, PORT)))
    assert records == [
        Paragraph("key/00000001/00001", "en", "Vell is a port.", "Vell", None, (Link(10, 14, "Port"),)),
        Paragraph("key/00000001/00002", "en", "It is big.", "Vell"),
        Paragraph("key/00000002/00001", "en", "A port is a harbour.", "Port"),
    ]
    assert reader.pages == 2
    assert reader.paragraphs_left_out == {"short": 1, "long": 0}


def test_pages_that_are_no_articles_are_counted(tmp_path):
    pages = [
        page("A", "x", extra='    <redirect title="port Vell" />\n'),
        page("B", "#REDIRECT [[C#d]]"),
        page("Talk:A", "one two", ns=1),
        page("D", "{}", model="json"),
        page("E", "may be {{disambiguation}}"),
        page("List of ports", "one two"),
        page("F", " "),
        page("G", "x " * page_dumps.wikitext.MAX_BYTES),
        page("H", "x" * (page_dumps.MAX_PAGE_BYTES + 1)),
        VELL,
    ]
    records, reader = read(tmp_path / "d.xml", dump(*pages))
    assert [record for record in records if isinstance(record, Redirect)] == [("A", "Port Vell"), ("B", "C")]
    assert texts(records) == ["Vell is a port.", "It is big."]
    assert records[-1].id == "key/00000010/00002"
    assert reader.pages_left_out == {
        "redirect": 2, "namespace": 1, "model": 1, "disambiguation": 1, "list": 1, "empty": 1, "too large": 2,
    }  # fmt: skip


def test_a_limit_counts_pages_that_are_used(tmp_path):
    records, reader = read(tmp_path / "d.xml", dump(page("B", "#REDIRECT [[C]]"), PORT, VELL), limit=1)
    assert texts(records) == ["A port is a harbour."]
    assert reader.pages == 1


@pytest.mark.parametrize(
    ("content", "kept", "place"),
    [
        (dump(VELL, PORT)[:-40], 2, "d.xml:21"),  # cut off inside a page
        (dump(VELL, page("X", "a\nb").replace("<id>1", "<id>\x00"), PORT), 3, "d.xml:24"),
        (dump(VELL, "  <page>\n<title>X</title>\n", PORT), 3, "d.xml:21"),  # without an end
        (dump(VELL, page("X", "a").replace("</ns>", "</sn>"), PORT), 3, "d.xml:23"),
    ],
)
def test_a_broken_page_costs_only_itself(tmp_path, content, kept, place):
    records, _ = read(tmp_path / "d.xml", content)
    assert len(texts(records)) == kept
    assert bad(records) == [(place, Reason.BROKEN_RECORD)]


@pytest.mark.parametrize("suffix", [".gz", ".bz2"])
def test_the_pages_before_damaged_data_are_kept(tmp_path, suffix):
    many = "".join(page(f"N{n}", f"Number {n} is {hash(n) ** 9} here.") for n in range(3_000))
    content = dump(VELL, many)
    packed = gzip.compress(content) if suffix == ".gz" else bz2.compress(content, 1)
    records, _ = read(tmp_path / f"d.xml{suffix}", packed[: len(packed) // 2])
    assert texts(records)[0] == "Vell is a port."
    (reject,) = bad(records)
    assert reject[1] == Reason.BROKEN_RECORD
    assert 500 < len(texts(records)) < 3_000


def test_a_damaged_block_of_bzip2_costs_the_pages_in_it(tmp_path):
    generator = random.Random(7)
    content = dump(*(page(f"N{n}", f"Number {n} {generator.randbytes(40).hex()} here.") for n in range(3_000)))
    packed = bytearray(bz2.compress(content, 1))
    middle = len(packed) // 2
    packed[middle : middle + 50] = bytes(50)
    records, _ = read(tmp_path / "d.xml.bz2", bytes(packed))
    assert bad(records)[0][1] == Reason.BROKEN_RECORD and len(bad(records)) == 1
    kept = [int(text.split()[1]) for text in texts(records)]
    assert (kept[0], kept[-1]) == (0, 2_999)
    assert 2_000 < len(kept) < 2_900
    assert kept == sorted(set(kept))


BROKEN = page("X", "a").replace("</ns>", "</sn>")
PAGES = ("  <page>\n<title>X</title>\n", VELL, BROKEN, PORT, page("B", "#REDIRECT [[C]]"), "<pag e></pag\n", "\n\n")


@given(
    st.lists(st.sampled_from(PAGES), max_size=6), st.lists(st.integers(1, 3_000)), st.integers(3, 400), st.booleans()
)
@example([VELL, PAGES[0], PAGES[0], PORT], list(range(1, 3_000, 7)), 5, True)
@example([VELL, PORT], list(range(1, 3_000)), 100, False)
def test_parts_of_a_dump_have_the_pages_of_the_whole(tmp_path_factory, pages, cuts, block, is_whole):
    folder = tmp_path_factory.mktemp("parts")
    content = dump(*pages)[: None if is_whole else -30]
    whole, reader = read(folder / "d.xml", content)
    bounds = sorted({0, *(cut for cut in cuts if cut < len(content)), len(content)})
    file = File(str(folder / "d.xml"), "d.xml")
    joined, lines, numbers = [], 0, 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dump_files, "BLOCK_BYTES", block)
        for start, end in pairwise(bounds):
            part = Reader("en", 2, 20)
            joined += [moved(record, lines, numbers) for record in part.read("key", Part(file, start, end), "xml")]
            lines, numbers = lines + part.lines, numbers + part.numbers
    assert joined == whole
    assert (lines, numbers) == (content.count(b"\n"), reader.numbers)


def moved(record, lines: int, numbers: int):
    """The record of a part as one of the whole file."""
    if isinstance(record, BadRecord):
        name, _, line = record.place.rpartition(":")
        return replace(record, place=f"{name}:{int(line) + lines}")
    if isinstance(record, Paragraph):
        key, number, rest = record.id.split("/", 2)
        return msgspec.structs.replace(record, id=f"{key}/{int(number) + numbers:08d}/{rest}")
    return record


def test_memory_does_not_grow_with_a_dump(tmp_path):
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.xml"
        with path.open("wb") as file:
            file.write(HEADER.encode())
            for n in range(count):
                file.write(page(f"T{n}", "word " * 2_000, ns=1).encode())
        tracemalloc.start()
        assert not list(Reader("en", 50, 512).read("key", dump_parts.whole(File(str(path), path.name)), "xml"))
        return tracemalloc.get_traced_memory()[1]

    try:
        assert peak(2_000) < 1.5 * peak(300)
    finally:
        tracemalloc.stop()


def test_a_page_of_wikitext(tmp_path):
    records, _ = read(tmp_path / "Port_Vell.txt", "\ufeffVell is [[big]].\r\n\r\nIt is old.".encode())
    assert [(record.title, record.text) for record in records] == [
        ("Port Vell", "Vell is big."),
        ("Port Vell", "It is old."),
    ]
    assert read(tmp_path / "a.wiki", b"#REDIRECT [[port]]")[0] == [Redirect("A", "Port")]
    assert bad(read(tmp_path / "b.txt", b"one\n\xff two")[0]) == [("b.txt:2", Reason.NOT_UTF8)]
    records, reader = read(tmp_path / "c.txt", b"one two. " * 600_000)  # 5 MB
    assert not records and reader.pages_left_out == {"too large": 1}


def test_a_page_of_html(tmp_path):
    body = '<p>Vell is a <a href="/wiki/Port">port</a>.</p><p>x</p>'
    html = f'<!DOCTYPE html><html><title>Vell - Wikipedia</title><script>"wgWikibaseItemId":"Q7"</script>{body}</html>'
    records, reader = read(tmp_path / "a.html.gz", gzip.compress(html.encode()))
    assert records == [Paragraph("key/00000001/00001", "en", "Vell is a port.", "Vell", 7, (Link(10, 14, "Port"),))]
    assert (reader.pages, reader.paragraphs_left_out["short"]) == (1, 1)
    assert bad(read(tmp_path / "b.html", b"<html><p>\xff two")[0]) == [("b.html:1", Reason.NOT_UTF8)]
    for name, part, count in (
        ("c", '"wgNamespaceNumber":1', "namespace"),
        ("d", "<i id='disambigbox'>", "disambiguation"),
    ):
        records, reader = read(tmp_path / f"{name}.html", html.replace("<p>", f"{part}<p>").encode())
        assert not records and reader.pages_left_out == {count: 1}
    assert read(tmp_path / "e.html", b"<html>" + b"<p>one two</p>" * 1_300_000)[1].pages_left_out == {"too large": 1}


ROWS = (
    {"text": "Vell", "id": "a/1", "title": "port", "qid": "Q5", "url": "ignored"},
    {"text": "Ada in Vell", "links": [{"start": 7, "end": 11, "title": "vell#x"}, {"start": 0, "end": 3, "qid": "Q9"}]},
    {"text": "x", "id": 7, "links": [{"start": 0, "end": 1}]},
)


def test_rows_are_taken_as_they_are(tmp_path):
    content = "\n\n".join(json.dumps(row) for row in ROWS).encode()
    records, reader = read(tmp_path / "rows.jsonl.gz", gzip.compress(content))
    assert records == [
        Paragraph("key/00000001/a/1", "en", "Vell", "port", 5),
        Paragraph("key/00000003/0", "en", "Ada in Vell", None, None, (Link(0, 3, None, 9), Link(7, 11, "Vell"))),
        Paragraph("key/00000005/7", "en", "x", None, None, (Link(0, 1),)),
    ]
    assert reader.pages == 3
    assert len(read(tmp_path / "rows.json", content, limit=2)[0]) == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": " "}', Reason.EMPTY_TEXT),
        (b'{"id": "a"}', Reason.MISSING_FIELD),
        (b'{"text": 5}', Reason.BROKEN_RECORD),
        (b'{"text": "a"', Reason.BROKEN_JSON),
        (b'{"text": "\\ud83d"}', Reason.BROKEN_JSON),
        (b'{"a": ' + b"[" * 100_000, Reason.BROKEN_JSON),
        (b'{"text": "\xff"}', Reason.NOT_UTF8),
    ],
)
def test_a_bad_row_costs_only_itself(tmp_path, line, reason):
    records, _ = read(tmp_path / "rows.jsonl", b'{"text": "one"}\n' + line + b'\n{"text": "two"}')
    assert texts(records) == ["one", "two"]
    assert bad(records) == [("rows.jsonl:2", reason)]


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ({"start": 2, "end": 4}, Reason.OFFSET_MISMATCH),
        ({"start": -1, "end": 1}, Reason.OFFSET_MISMATCH),
        ({"start": 2, "end": 2}, Reason.OFFSET_MISMATCH),
        ({"start": 0, "end": 2}, Reason.OFFSET_MISMATCH),  # overlaps the other one
        ({"start": 2, "end": 3, "qid": "Q"}, Reason.BROKEN_RECORD),
    ],
)
def test_a_bad_link_costs_only_itself(tmp_path, link, reason):
    row = {"text": "abc", "links": [{"start": 0, "end": 1, "qid": "Q4"}, link]}
    records, reader = read(tmp_path / "rows.jsonl", json.dumps(row).encode())
    assert bad(records) == [("rows.jsonl:1", reason)]
    assert records[-1].links == (Link(0, 1, None, 4),)
    assert reader.pages == 1


def test_a_row_with_a_bad_id_of_its_page_has_no_page(tmp_path):
    records, _ = read(tmp_path / "rows.jsonl", b'{"text": "a", "qid": "P5"}')
    assert bad(records) == [("rows.jsonl:1", Reason.BROKEN_RECORD)]
    assert records[-1].page is None


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (dump(), "xml"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<mediawiki>", "xml"),
        (b"<!-- saved --><!doctype HTML>", "html"),
        (b"<html>", "html"),
        (b' {"text": "a"}', "json"),
        (b"{{Infobox}} text", "wikitext"),
        (b"[[a]] text", "wikitext"),
        (b"<!-- note --> text", "wikitext"),
    ],
)
def test_the_content_tells_the_kind(tmp_path, content, form):
    (tmp_path / "a.txt").write_bytes(content)
    assert kind(File(str(tmp_path / "a.txt"), "a.txt")) == form


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", b""), ("a.txt", b" \n"), ("a.txt", b"\x89PNG\0"), ("a.json", b"[{}]"), ("a.tsv", b"a")],
)
def test_other_files_are_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=rf"^{name}:1: neither a MediaWiki"):
        kind(File(str(tmp_path / name), name))


def test_keys_are_unique_and_sorted():
    names = ["b/pages.xml.bz2", "a/pages.xml", "pages-1.txt", "a b.html.gz", ".txt"]
    keyed = keys([File(f"/{name}", name) for name in names])
    assert [(key, file.name) for key, file in keyed] == [
        ("a b", "a b.html.gz"), ("file", ".txt"), ("pages-1", "pages-1.txt"), ("pages", "a/pages.xml"),
        ("pages~2", "b/pages.xml.bz2"),
    ]  # fmt: skip
