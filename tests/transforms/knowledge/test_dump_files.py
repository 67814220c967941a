"""Finding dump files, and reading their lines through compression, cut-off data and damage."""

import bz2
import gzip
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, ConfigError, Reason
from transforms.files import File
from transforms.knowledge import dump_files

COMPRESS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}


def write(folder, name: str, content: bytes) -> File:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return File(str(path), name)


def random_lines(count: int) -> list[bytes]:
    """Lines that cannot be compressed much, so that a cut in the middle keeps some of them."""
    generator = random.Random(7)
    return [generator.randbytes(500).hex().encode() for _ in range(count)]


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_lines_have_their_numbers_and_blank_ones_are_left_out(tmp_path, ending, line_end):
    content = b"\xef\xbb\xbf" + line_end.join([b"[", b"one,", b"", b"  ", b"two", b"]"])
    file = write(tmp_path, f"dump{ending}", COMPRESS[ending](content))
    lines = [(number, line.rstrip(b"\r")) for number, line in dump_files.lines(file)]
    assert lines == [(1, b"["), (2, b"one,"), (5, b"two"), (6, b"]")]


@pytest.mark.parametrize("ending", COMPRESS)
def test_an_empty_file_has_no_lines(tmp_path, ending):
    assert not list(dump_files.lines(write(tmp_path, f"dump{ending}", b"")))


@pytest.mark.parametrize("ending", [".gz", ".bz2"])
def test_several_streams_and_zero_bytes_behind_them_are_one_file(tmp_path, ending):
    streams = [COMPRESS[ending](part) for part in (b"one\ntw", b"", b"o\nthree")]
    file = write(tmp_path, f"dump{ending}", b"".join(streams) + bytes(1000))
    assert list(dump_files.lines(file)) == [(1, b"one"), (2, b"two"), (3, b"three")]


@pytest.mark.parametrize("ending", [".gz", ".bz2"])
def test_what_is_before_a_cut_is_kept_and_the_cut_is_named(tmp_path, ending):
    lines = random_lines(4000)
    content = COMPRESS[ending](b"\n".join(lines))
    file = write(tmp_path, f"dump{ending}", content[: len(content) * 2 // 3])
    *kept, cut = dump_files.lines(file)
    assert 1000 < len(kept) < 3000
    whole = [line for _, line in kept[:-1]]
    assert whole == lines[: len(whole)]
    assert lines[len(whole)].startswith(kept[-1][1])
    assert isinstance(cut, BadRecord)
    assert cut.place in (f"dump{ending}:{len(kept)}", f"dump{ending}:{len(kept) + 1}")
    assert (cut.reason, cut.detail) == (Reason.BROKEN_RECORD, "the compressed data is cut off; the rest is lost")


@pytest.mark.parametrize("ending", [".gz", ".bz2"])
def test_what_is_before_damage_is_kept_and_the_damage_is_named(tmp_path, ending):
    content = bytearray(COMPRESS[ending](b"\n".join(random_lines(6000))))
    content[-1000:-500] = bytes(500)
    *kept, damage = dump_files.lines(write(tmp_path, f"dump{ending}", bytes(content)))
    assert len(kept) > 1000
    assert isinstance(damage, BadRecord)
    assert "damaged" in damage.detail


@pytest.mark.parametrize("ending", [".gz", ".bz2"])
def test_a_file_that_is_not_compressed_as_its_name_says_is_named(tmp_path, ending):
    (bad,) = dump_files.lines(write(tmp_path, f"dump{ending}", b"[\n{}\n]\n"))
    assert isinstance(bad, BadRecord)
    assert bad.place == f"dump{ending}:1"


@given(content=st.binary(max_size=300), block=st.integers(1, 40), ending=st.sampled_from(sorted(COMPRESS)))
def test_the_size_of_blocks_changes_nothing(tmp_path_factory, content, block, ending):
    file = write(tmp_path_factory.mktemp("blocks"), f"dump{ending}", COMPRESS[ending](content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dump_files, "BLOCK_BYTES", block)
        small = list(dump_files.lines(file))
    expected = list(enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1))
    assert small == [(number, line) for number, line in expected if line.strip()]


@pytest.mark.parametrize("block", [4, 1000])
def test_a_line_that_is_too_long_costs_only_itself(tmp_path, monkeypatch, block):
    monkeypatch.setattr(dump_files, "MAX_LINE_BYTES", 20)
    monkeypatch.setattr(dump_files, "BLOCK_BYTES", block)
    file = write(tmp_path, "dump", b"one\n" + b"x" * 50 + b"\ntwo\n" + b"y" * 30)
    first, long, last, end = dump_files.lines(file)
    assert (first, last) == ((1, b"one"), (3, b"two"))
    assert [(bad.place, bad.reason) for bad in (long, end)] == [
        ("dump:2", Reason.BROKEN_RECORD),
        ("dump:4", Reason.BROKEN_RECORD),
    ]


def test_files_folders_and_globs_are_found_once_and_in_order(tmp_path):
    for name in ("b/two.json", "b/one.json.gz", "b/.hidden", "three.json", "notes.txt"):
        write(tmp_path, name, b"[]")
    patterns = [f"{tmp_path}/*.json", f"{tmp_path}/b/", f"{tmp_path}/three.json"]
    names = ["one.json.gz", "three.json", "two.json"]
    assert [file.name for file in dump_files.find(patterns, "--wikidata")] == names
    assert dump_files.find(patterns[::-1], "--wikidata") == dump_files.find(patterns, "--wikidata")


@pytest.mark.parametrize("pattern", ["none.json", "*.bz2", "none/*.json", "empty"])
def test_a_pattern_without_a_file_is_an_error(tmp_path, pattern):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no such file|the folder has no file") as caught:
        dump_files.find([f"{tmp_path}/{pattern}"], "--wikidata")
    assert str(caught.value).startswith(f"--wikidata {tmp_path}/{pattern}")


@pytest.mark.parametrize("size", [0, 10, 1000])
def test_the_identity_of_a_file_changes_with_its_content(tmp_path, monkeypatch, size):
    monkeypatch.setattr(dump_files, "BLOCK_BYTES", 7)
    before = dump_files.identity(write(tmp_path, "dump", bytes(size)))
    assert before == dump_files.identity(write(tmp_path, "dump", bytes(size)))
    assert before[:2] == ("dump", size)
    for place in {0, size // 2 // 7 * 7, size} if size < 64 * 7 else {0, size}:
        changed = bytearray(size + 1)[:size] or bytearray(1)
        changed[min(place, len(changed) - 1)] = 1
        assert before != dump_files.identity(write(tmp_path, "dump", bytes(changed)))
