"""Parts of a dump file have all its lines, each in one part, also of .bz2 files, and damage costs one block."""

import bz2
import random
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.errors import BadRecord
from transforms.files import File
from transforms.knowledge import bz2_blocks, dump_files, dump_parts
from transforms.knowledge.dump_parts import Part


def write(folder, name: str, content: bytes) -> File:
    path = folder / name
    path.write_bytes(content)
    return File(str(path), name)


def random_lines(count: int, seed: int = 7) -> list[bytes]:
    """Lines of up to 2 kB that compress badly."""
    generator = random.Random(seed)
    return [generator.randbytes(generator.randrange(1000)).hex().encode() for _ in range(count)]


def content_of_parts(file: File, cuts: list[int], size: int) -> list[list[bytes]]:
    bounds = sorted({0, *(cut for cut in cuts if cut < size), size})
    parts = [Part(file, start, end) for start, end in pairwise(bounds)]
    return [[line for _, line in dump_parts.lines(part)] for part in parts]


@given(st.binary(min_size=1, max_size=200), st.lists(st.integers(1, 200)), st.integers(1, 50))
@example(b"a\nb\nc", [2, 3], 50)
@example(b"\n\n\n", [1, 2], 50)
def test_parts_have_all_lines_in_order(tmp_path_factory, content, cuts, block):
    file = write(tmp_path_factory.mktemp("parts"), "dump.json", content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dump_files, "BLOCK_BYTES", block)
        parts = content_of_parts(file, cuts, len(content))
    expected = [line for _, line in dump_files.numbered([content], "dump.json")]
    assert [line for part in parts for line in part] == expected


def small_blocks(content: bytes, level: int, streams: int) -> bytes:
    """Several streams with blocks of `level` times 100 kB."""
    size = len(content) // streams + 1
    return b"".join(bz2.compress(content[at : at + size], level) for at in range(0, len(content), size))


@pytest.fixture(scope="module", params=[(1, 1), (9, 1), (1, 5)], ids=["blocks", "large blocks", "streams"])
def compressed(request, tmp_path_factory) -> tuple[File, list[bytes], int]:
    """A .bz2 file of 2 MB, its lines, and its stored size."""
    lines = random_lines(2000)
    content = small_blocks(b"\n".join(lines), *request.param)
    return write(tmp_path_factory.mktemp("bz2"), "dump.json.bz2", content), lines, len(content)


@pytest.mark.parametrize("seed", range(3))
def test_parts_of_bzip2_have_all_lines_in_order(compressed, seed, monkeypatch):
    file, lines, size = compressed
    monkeypatch.setattr(bz2_blocks, "READ_BYTES", random.Random(seed).choice([1 << 15, 1 << 18, 4 << 20]))
    parts = content_of_parts(file, random.Random(seed).sample(range(size), 4), size)
    assert [line for part in parts for line in part] == lines


def test_a_line_longer_than_the_parts_is_in_one_of_them(tmp_path):
    lines = [b"one", random.Random(7).randbytes(500_000).hex().encode(), b"three"]
    content = bz2.compress(b"\n".join(lines), 1)
    file = write(tmp_path, "dump.json.bz2", content)
    parts = content_of_parts(file, list(range(0, len(content), len(content) // 20)), len(content))
    assert sum(map(bool, parts)) == 2
    assert [line for part in parts for line in part] == lines


def test_files_are_divided_by_size_unless_they_are_gzip(tmp_path):
    bounds = {
        name: [(part.start, part.end) for part in dump_parts.parts(write(tmp_path, name, bytes(10)), 4, 3)]
        for name in ("a.json", "a.json.bz2", "a.json.gz")
    }
    assert bounds == {
        "a.json": [(0, 4), (4, 8), (8, 10)],
        "a.json.bz2": [(0, 3), (3, 6), (6, 9), (9, 10)],
        "a.json.gz": [(0, 10)],
    }
    empty = write(tmp_path, "empty.json", b"")
    assert [list(dump_parts.lines(part)) for part in dump_parts.parts(empty, 4, 3)] == [[]]


def test_a_damaged_block_costs_one_block_and_is_in_one_part(compressed, tmp_path):
    file, lines, size = compressed
    content = bytearray(file.read())
    content[size // 2 : size // 2 + 50] = bytes(50)
    broken = write(tmp_path, "broken.bz2", bytes(content))
    for cuts in ([], [size // 3, size // 2 - 10, size * 2 // 3]):
        bounds = sorted({0, *cuts, size})
        read = [line for start, end in pairwise(bounds) for line in dump_parts.lines(Part(broken, start, end))]
        (bad,) = [line for line in read if isinstance(line, BadRecord)]
        assert bad.detail == "the compressed data is damaged; one block is lost"
        kept = [line[1] for line in read if not isinstance(line, BadRecord)]
        assert len(set(kept) - set(lines)) <= 2  # the lines that the block cuts
        assert (kept[0], kept[-1]) == (lines[0], lines[-1]) or len(kept) > 100


@pytest.mark.parametrize("content", [b"[\n{}\n]\n", b"x"])
def test_a_file_that_is_not_bzip2_is_named(tmp_path, content):
    (bad,) = dump_parts.lines(Part(write(tmp_path, "dump.bz2", content), 0, len(content)))
    assert bad.detail == "the compressed data is not bzip2; the rest is lost"
    assert not list(dump_parts.lines(Part(write(tmp_path, "dump.bz2", bz2.compress(b"")), 0, 14)))


def test_a_chance_mark_inside_a_block_is_not_its_end(tmp_path, monkeypatch):
    lines = random_lines(300)
    content = bz2.compress(b"\n".join(lines), 1)
    (first, *_), marks = bz2_blocks.marks(content), bz2_blocks.marks
    chance = (first[0] + 4000, bz2_blocks.BLOCK)
    monkeypatch.setattr(bz2_blocks, "marks", lambda data: sorted([*marks(data), chance]))
    file = write(tmp_path, "dump.bz2", content)
    assert [line for _, line in dump_parts.lines(Part(file, 0, len(content)))] == lines
