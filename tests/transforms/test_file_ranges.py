"""A file cut anywhere between lines has the same lines with the same numbers as the whole."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given
from hypothesis import strategies as st

from transforms.file_ranges import cut
from transforms.files import File

CONTENT = st.lists(
    st.sampled_from(["a", "é", "山水", "🙂", " ", "\ufeff", "\r", "\n", "\r\n", "\n\n"]).map(str.encode)
    | st.sampled_from([b"\xff", b"\xe5\xb1", b"\0"]),
    max_size=60,
).map(b"".join)


@given(content=CONTENT, size=st.integers(1, 40))
@example(content=b"a\n\xef\xbb\xbfb\n", size=1)  # a byte order mark that does not begin the file
@example(content=b"a\n\xff\xfeb\n", size=1)  # that of UTF-16
@example(content=b"a" * 2_000 + b"\n" + b"b\0" * 30, size=40)  # would be taken for UTF-16 by itself
def test_ranges_have_the_lines_of_the_file(content, size):
    with TemporaryDirectory() as folder:
        path = Path(folder, "train.json")
        path.write_bytes(content)
        file = File(str(path), "train.json")
        ranges = cut(file, size)
        assert [line for part in ranges for line in part.lines()] == list(file.lines())
        assert [line for part in ranges for lines in part.line_lists() for line in lines] == [
            line for _, line in file.lines()
        ]
        assert all(len(b"".join(part.blocks())) >= size for part in ranges[:-1])
        assert all(part.first_lines() == file.first_lines() for part in ranges)


def test_a_file_of_many_blocks_is_cut_between_lines(tmp_path):
    path = tmp_path / "train.json"
    path.write_text("".join(f"{'水' * (number % 999)}\r\n" for number in range(4_000)), newline="")
    file = File(str(path), "train.json")
    ranges = cut(file, 1 << 20)
    assert len(ranges) == path.stat().st_size >> 20 or len(ranges) == (path.stat().st_size >> 20) + 1
    assert [line for part in ranges for line in part.lines()] == list(file.lines())


def test_utf_16_and_short_files_are_not_cut(tmp_path):
    path = tmp_path / "train.json"
    for content in ("a\nb\n".encode("utf-16"), b"", b"a", b"a\n"):
        path.write_bytes(content)
        file = File(str(path), "train.json")
        assert cut(file, 2) == [file]
