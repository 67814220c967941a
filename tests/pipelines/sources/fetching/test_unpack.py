import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipelines.sources.fetching import unpack as unpack_module
from pipelines.sources.fetching.unpack import ArchiveError, unpack

FILES = {
    "top/data/train.txt": b"one",
    "top/data/dev.txt": b"two",
    "top/README.md": b"three",
    "top/.git/train.txt": b"x",
}


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


WRITERS = pytest.mark.parametrize("write", [write_zip, write_tar])


@WRITERS
def test_the_files_that_match_are_unpacked_without_their_common_folder(tmp_path, write):
    archive = write(tmp_path / "a", FILES)
    assert unpack(archive, ("*.txt",), tmp_path / "out") == [Path("data/train.txt"), Path("data/dev.txt")]
    assert (tmp_path / "out/data/train.txt").read_bytes() == b"one"
    assert unpack(archive, ("TOP/*/train.TXT",), tmp_path / "other") == [Path("data/train.txt")]


@WRITERS
@pytest.mark.parametrize(
    "name", ["../train.txt", "a/../../train.txt", "/etc/train.txt", "..\\train.txt", "C:/train.txt"]
)
def test_a_path_that_leads_out_of_the_folder(tmp_path, write, name):
    archive = write(tmp_path / "a", {"a/dev.txt": b"", name: b"x"})
    with pytest.raises(ArchiveError, match="would be written outside the folder"):
        unpack(archive, ("*.txt",), tmp_path / "out/in")
    assert not (tmp_path / "out").exists()


def test_links_are_not_unpacked(tmp_path):
    archive = write_tar(tmp_path / "a.tar.gz", {})
    with tarfile.open(archive, "w:gz") as files:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            link = tarfile.TarInfo(f"train{kind.decode()}.txt")
            link.type, link.linkname = kind, "/etc/passwd"
            files.addfile(link)
    zipped = zipfile.ZipInfo("train.txt")
    zipped.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as files:
        files.writestr(zipped, "/etc/passwd")
    for path in (archive, tmp_path / "a.zip"):
        with pytest.raises(ArchiveError, match=r"no file in it matches \*\.txt"):
            unpack(path, ("*.txt",), tmp_path / "out")


@WRITERS
def test_too_many_bytes(tmp_path, write, monkeypatch):
    monkeypatch.setattr(unpack_module, "MAX_BYTES", 2_000_000)
    archive = write(tmp_path / "a", {"a.txt": bytes(1_500_000), "b.txt": bytes(1_500_000)})
    with pytest.raises(ArchiveError, match="GB unpacked"):
        unpack(archive, ("*.txt",), tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 and no more"])
def test_a_file_that_is_no_archive(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ArchiveError, match=r"a\.zip: cannot be unpacked: [^\n]*$"):
        unpack(tmp_path / "a.zip", ("*.txt",), tmp_path / "out")


@WRITERS
def test_a_damaged_archive(tmp_path, write):
    content = write(tmp_path / "a", {"train.txt": bytes(range(256)) * 1_000}).read_bytes()
    (tmp_path / "b").write_bytes(content[:200] + b"damage" + content[206:])
    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        unpack(tmp_path / "b", ("*.txt",), tmp_path / "out")
