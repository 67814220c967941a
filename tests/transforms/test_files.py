"""Raw files are read line by line, and files are written atomically."""

import codecs
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import SURROGATE, ConfigError, MachineError, SourceError
from transforms import files
from transforms.files import File


def test_lines_end_only_at_lf_and_crlf(tmp_path):
    (tmp_path / "f").write_bytes("\ufeffa\u2028b\r\nc\x85\n\nd\re".encode())
    assert list(File(str(tmp_path / "f"), "f").lines()) == [(1, "a\u2028b"), (2, "c\x85"), (3, ""), (4, "d\re")]


def test_lines_are_complete_across_block_borders(tmp_path):
    lines = [f"{n} 中文" + "x" * (n % 90) for n in range(40_000)]
    lines[20_000] = "yé" * files.BLOCK_BYTES
    for end in ("", "\n"):
        (tmp_path / "f").write_bytes(("\n".join(lines) + end).encode())
        assert list(File(str(tmp_path / "f"), "f").lines()) == list(enumerate(lines, 1))
    (tmp_path / "f").write_bytes(b"")
    assert list(File(str(tmp_path / "f"), "f").lines()) == []


def test_a_byte_order_mark_is_removed_only_from_the_first_line(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_text("\ufeffa\n\ufeffb\r\nc", encoding="utf-8", newline="")
    for size in (4, 100):
        monkeypatch.setattr(files, "BLOCK_BYTES", size)
        assert list(File(str(path), "a").lines()) == [(1, "a"), (2, "\ufeffb"), (3, "c")]


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("s3://bucket", "bucket"),
        ("s3://bucket/", "bucket"),
        ("s3://bucket/a/b.json", "bucket/a/b.json"),
        ("s3://bucket/a/", "bucket/a"),
        ("s3://bucket/a b/50%25 #1?.json", "bucket/a b/50%25 #1?.json"),
        ("file:///a%20b/c", "/a b/c"),
    ],
)
def test_the_path_within_a_remote_file_system(monkeypatch, uri, path):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")  # or Arrow would ask AWS for the bucket's region
    assert files.filesystem(uri)[1] == path


def test_a_remote_file_system_is_opened_once_in_each_process(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    first, second = (files.filesystem(f"s3://once/{name}")[0] for name in "ab")
    assert first is second
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert files.filesystem("s3://once/a")[0] is not first


@pytest.mark.parametrize("size", [3, 4, 1000])
@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_utf_16_with_a_byte_order_mark_is_read(tmp_path, monkeypatch, mark, size):
    monkeypatch.setattr(files, "BLOCK_BYTES", size)
    path = tmp_path / "f"
    encoding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
    data = mark + "a\u0a0a\r\n中𝒳\n".encode(encoding)
    path.write_bytes(data)
    assert list(File(str(path), "f").lines()) == [(1, "a\u0a0a"), (2, "中𝒳")]
    assert File(str(path), "f").text() == "a\u0a0a\r\n中𝒳\n"
    half = "\ud835".encode(encoding, "surrogatepass")
    for broken in (data + half + "b".encode(encoding), data + half, data + b"b"):
        path.write_bytes(broken)
        *whole, (_, last) = File(str(path), "f").lines()
        assert whole == [(1, "a\u0a0a"), (2, "中𝒳")] and SURROGATE.search(last)
        assert File(str(path), "f").text() == "a\u0a0a\r\n中𝒳\n" + last


UTF_16_FILES = {
    "columns": "".join(f"{character}\tO\n" for character in "今天下雨,一切照旧。"),
    "lines": '{"text": "他们一起去了海边看日出,然后一同回家。", "entity": []}\r\n' * 3,
    "words": "Rain fell.\n",
    "a schema": '["a"]\n[]\n{}',
}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("content", UTF_16_FILES)
def test_utf_16_without_a_byte_order_mark_is_refused(tmp_path, content, encoding):
    path = tmp_path / "f"
    path.write_bytes(UTF_16_FILES[content].encode(encoding))
    file = File(str(path), "d/f")
    for read in (file.text, lambda: list(file.lines()), lambda: list(file.line_lists()), lambda: list(file.blocks())):
        with pytest.raises(SourceError, match=r"^d/f:1: UTF-16 without a byte order mark; re-encode it as UTF-8$"):
            read()


@given(st.text(max_size=300), st.integers(0, 20))
def test_utf_8_is_not_mistaken_for_utf_16(text, nulls):
    assert not files.looks_like_utf_16(text.replace("\0", "").encode())
    assert not files.looks_like_utf_16(b"\0" * nulls + b"a\0\n\0"[:nulls])
    assert not files.looks_like_utf_16(f"{'ab' * 200}{chr(0) * nulls}{text}".replace("\0\0", "\0-\0").encode())


def test_invalid_utf_8_is_kept_as_surrogates(tmp_path):
    (tmp_path / "f").write_bytes(b"good\nb\xe4d\n")
    assert list(File(str(tmp_path / "f"), "f").lines()) == [(1, "good"), (2, "b\udce4d")]


def test_an_unreadable_file_raises_source_error(tmp_path):
    with pytest.raises(SourceError, match=r"^train\.txt: cannot be read"):
        File(str(tmp_path / "gone"), "train.txt").read()


def test_list_files_is_sorted_and_skips_hidden_files(tmp_path):
    for name in ("b.txt", "a/c.txt", ".hidden", ".git/x", "a/.cut/y"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [file.name for file in files.list_files(str(tmp_path))] == ["a/c.txt", "b.txt"]


def test_a_path_that_is_not_a_folder_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    for path in ("gone", "file"):
        with pytest.raises(MachineError, match=path):
            files.list_files(str(tmp_path / path))
        with pytest.raises(MachineError, match=path):
            files.list_folders(str(tmp_path / path))


@pytest.mark.parametrize("path", ["raw/b\udce4d", "raw/\ud800", "raw/a\0b"])
def test_an_invalid_path_raises_config_error(path):
    for use in (files.filesystem, files.absolute, files.exists, files.list_files, files.read_text):
        with pytest.raises(ConfigError, match=r"^raw/"):
            use(path)


PATHS = {
    "too long": "x" * 300,
    "far too long": "x/" * 3_000,
    "null": "a\0b",
}
USES = (
    files.exists,
    files.is_folder,
    files.list_files,
    files.list_folders,
    files.read_bytes,
    files.read_text,
    lambda path: files.read_json(path, dict, "run again"),
    files.checksum,
    files.create_folder,
    files.remove_file,
    files.remove_tree,
    files.remove_temporaries,
    lambda path: files.write_text(path, "x"),
    lambda path: files.copy(path, path),
    lambda path: files.total_bytes([File(path, "f")]),
    lambda path: files.sizes(path, ["f"]),
    lambda path: files.sizes(path.partition("/raw/")[0], [f"raw/{path.partition('/raw/')[2]}"]),
    lambda path: files.make_durable(path, ["f"]),
    lambda path: File(path, "f").read(),
    lambda path: list(File(path, "f").lines()),
)


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("use", USES)
def test_invalid_paths_give_a_one_line_error(tmp_path, use, name):
    (tmp_path / "raw").mkdir()
    with pytest.raises((ConfigError, MachineError, SourceError)) as refused:
        use(f"{tmp_path}/raw/{PATHS[name]}")
    assert "\n" not in str(refused.value)


def test_a_deleted_working_folder_is_reported(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(MachineError, match=r"^raw: No such file"):
        files.exists("raw")


def test_text_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "f").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="f: not valid UTF-8"):
        files.read_text(str(tmp_path / "f"))


def test_a_surrogate_escaped_path_names_the_same_file(tmp_path):
    """Python decodes command-line arguments in this way under an ASCII locale."""
    files.write_text(str(tmp_path / "语料"), "text")
    assert files.read_text(str(tmp_path / "语料".encode().decode("ascii", "surrogateescape"))) == "text"


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = str(tmp_path / "f")
    files.write_text(path, "old")
    with pytest.raises(ZeroDivisionError), files.atomic_write(path) as stream:
        stream.write(b"new")
        raise ZeroDivisionError
    assert files.read_text(path) == "old"


def test_a_refused_write_raises_machine_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="check the path"):
        files.write_text(str(tmp_path / "file/below"), "text")


@pytest.mark.parametrize(
    ("path", "error", "line"),
    [
        ("s3://b/a", "No response body.", "No response body; check the address, the credentials and the network"),
        ("s3://b/a", "No bucket. To create buckets, enable the x option.", "No bucket; check the address, the "),
        ("/b/a", "No such file.", "No such file.; check the path, its permissions and the disk"),
        ("file:///b/a", "No such file", "No such file; check the path, its permissions and the disk"),
    ],
)
def test_an_error_of_a_remote_file_system_names_what_to_check_there(path, error, line):
    with pytest.raises(MachineError) as raised, files.machine_errors(path):
        raise OSError(error)
    assert str(raised.value).startswith(f"{path}: {line}")


def test_sizes_and_checksums(tmp_path):
    (tmp_path / "f").write_text("abc")
    assert files.sizes(str(tmp_path), ["f", "gone"]) == {"f": 3}
    assert files.checksum(str(tmp_path / "f")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_total_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b").write_bytes(b"678")
    group = [File(str(tmp_path / name), name) for name in ("a", "b", "gone")]
    assert files.total_bytes(group) == 8
    assert files.total_bytes([]) == 0


def test_a_durable_file_is_synced_before_it_is_renamed(tmp_path, monkeypatch):
    """The order of the system calls decides what survives a loss of power."""
    calls = []
    fsync = os.fsync

    def synchronized(descriptor):
        calls.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", synchronized)
    for name in ("data/b", "data/a", "top"):
        files.write_text(f"{tmp_path}/out/{name}", name)
    assert calls == []
    files.make_durable(f"{tmp_path}/out", ["data/b", "data/a", "top"])
    assert sorted(calls[:3]) == ["a", "b", "top"]
    assert sorted(calls[3:]) == ["data", "out"]
    calls.clear()
    with files.atomic_write(f"{tmp_path}/out/done", durable=True) as stream:
        stream.write(b"{}")
    assert calls == [f".done.{os.getpid()}.tmp", "out"]
    assert files.read_text(f"{tmp_path}/out/done") == "{}"
