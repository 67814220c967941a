"""spaCy's DocBin: a file that spaCy 3.8 wrote, and damaged ones."""

import zlib
from base64 import b64decode

import msgspec
import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention
from tests.tool_files import head_of, read_tool_file
from transforms.formats import docbin

WRITTEN_BY_SPACY = b64decode(
    "eJzrXF6WWlScmZ+32EDPcGliSUlR8VxHZ08vbx9fP/+As4xHzjIePct4bFlJfnZqXvFR9oA/JhZeXKWzt5yKnsisaRbOyEAAMEPpGjSVhDSyGpxk"
    "vlAstiaJ0zXq7V6fv4TsgZmHbg8h8M5ue4liep85jCaknok04+GAsV+Wc9f9FwdgNK3sya0zsdp4eJKoyoTytE4NyyxC6mHx87Nkpm7XNPmr6PLe"
    "ysXxzb9ji9HFk/+a8j00lNv362n+lC2vHMsI2QOLFlLtWc6IShMC5IbbS6lj7KuqBOy7N1zw6WHLkKOVPcbdN+XSf9vNCxR4dvv+6pDD5NpDKDie"
    "2p78acw4IwVGk2sPIbDo0BqfNzfr18NoWtlDarjhAoTCTb1YeLr3ot4eGE2uPYQAqeFGLiC1PMAFCIUbqeUBuYBe9Q+p9QK5YFlxQWJyavERIUYI"
    "ADkMjBgZluek5qWXZBQfEeFggHgEhJmgeHlxSVFmXnrxHQbxBQv1FjumJC5xzk/MWeyTX77MN7GoKL98sX+Q67IA16Bgf79FgYZLAkMdI5cEliZW"
    "LorQW5wIVJ4MVL4kJzWtZHFOfvmS3MSi7GW5YI1LCoGqlpRkpqQuLU8sSS1aVKG35MP8GQ1LkhNLiqc2gMDStJzE9OKpjZsyEovjS/Oy8/LL8+Ih"
    "XjlEC8HVQDovPr0ov7SgeOoRxglQVNR4JLt5SV5ibuqi4mRI86VhKUhp8aQjGuhBfVV+WpfuzJKfUC6sJOLEVPnz0RVFJtabf6BcWFphmQi0BWgt"
    "ANz/RQQ="
)


def read(tmp_path, content: bytes) -> list:
    return read_tool_file(docbin.read, tmp_path, content, "a.spacy")


def test_documents(tmp_path):
    marked, empty, new, grouped, partly = read(tmp_path, WRITTEN_BY_SPACY)
    assert marked.text == "Ada Marrow left 😀 Coal Quay mark X."
    assert marked.entities == (
        Entity("PERSON", Mention("Ada Marrow", ((0, 10),))),
        Entity("QUAY", Mention("Coal Quay", ((18, 27),)), concepts=("Q1",)),
    )
    assert (empty.text, empty.entities) == ("Low water.", ())
    assert (new.text, new.entities, new.lost) == ("Low tide.", None, ())
    assert [(entity.label, entity.mention.text) for entity in grouped.entities] == [
        ("QUAY", "Coal Quay"),
        ("ORE", "Coal"),
    ]
    assert (partly.entities, [part.reason for part in partly.lost]) == (None, [Reason.MISSING_FIELD])


@pytest.mark.parametrize(
    ("string", "number"),
    [
        ("", 14313749767032693980),
        ("a", 11901859001352538922),
        ("東京 is", 15001671714852533961),
        ("x" * 17, 16970747057724827452),
    ],
)
def test_strings_have_the_hashes_of_spacy(string, number):
    assert docbin.hash_string(string) == number


def changed(**fields) -> bytes:
    content = msgspec.msgpack.decode(zlib.decompress(WRITTEN_BY_SPACY))
    return zlib.compress(msgspec.msgpack.encode(content | fields))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        WRITTEN_BY_SPACY[:-20],
        zlib.compress(b"text"),
        zlib.compress(msgspec.msgpack.encode({"attrs": [65]})),
        changed(tokens=b"1"),
        changed(spaces=b""),
        changed(lengths=b"\xff" * 20),
        changed(attrs=[1] * 13),
    ],
)
def test_a_file_that_is_no_docbin_is_one_bad_record(tmp_path, content):
    (bad,) = read(tmp_path, content)
    assert isinstance(bad, BadRecord) and bad.reason == Reason.BROKEN_RECORD


def test_a_large_file_in_few_bytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(docbin, "LIMIT", 1000)
    (bad,) = read(tmp_path, zlib.compress(b"\0" * 10_000))
    assert bad.detail == "more than 1,000 bytes after decompression; split it into several files"


def test_only_a_document_with_a_missing_string_is_lost(tmp_path):
    strings = msgspec.msgpack.decode(zlib.decompress(WRITTEN_BY_SPACY))["strings"]
    records = read(tmp_path, changed(strings=[string for string in strings if string != "water"]))
    assert [isinstance(record, BadRecord) for record in records] == [False, True, False, False, False]


def test_an_empty_span_group_is_an_annotation_without_spans(tmp_path):
    group = msgspec.msgpack.encode({"name": "sc", "attrs": {}, "spans": []})
    packed = msgspec.msgpack.encode({group: ["sc"]})
    assert read(tmp_path, changed(span_groups=[packed] * 5))[3].entities == ()


@pytest.mark.parametrize("groups", [[b"\x91"] * 5, [b"\x91\x01"] * 5, [], [b"\x81\xa1a\x01"] * 5])
def test_broken_span_groups_are_left_out(tmp_path, groups):
    assert read(tmp_path, changed(span_groups=groups))[3].entities is None


def test_recognised(tmp_path):
    assert docbin.recognises(head_of(tmp_path, WRITTEN_BY_SPACY, "a.spacy"))
    assert not docbin.recognises(head_of(tmp_path, b"", "b.spacy"))
