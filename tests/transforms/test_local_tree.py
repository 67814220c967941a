"""Which files and folders are listed below an untrusted folder, and which are left out."""

import os
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.local_tree import list_tree

LEADS_OUT = "a link that leads out of the data root; copy its target there"
NO_FILE = "not a regular file"
TWICE = "a link to a folder that is already listed"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "elsewhere/deep").mkdir(parents=True)
    (tmp_path / "elsewhere/deep/private.txt").write_text("")
    (tmp_path / "root/inside").mkdir(parents=True)
    (tmp_path / "root/inside/train.txt").write_text("")
    return tmp_path / "root"


def test_hidden_files_and_folders_are_skipped(root):
    for name in ("b.txt", ".hidden", ".git/x", "a/.cut/y", "a/语料.txt", "a/two\nlines"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    tree = list_tree(str(root))
    assert (sorted(tree.files), sorted(tree.folders), tree.left_out) == (
        ["a/two\nlines", "a/语料.txt", "b.txt", "inside/train.txt"],
        ["a", "inside"],
        {},
    )
    top = list_tree(str(root), recursive=False)
    assert (top.files, top.folders) == (["b.txt"], ["a", "inside"])


def test_names_that_are_not_utf_8_are_left_out(root):
    for name in (b"b\xe4d", "语料".encode("gb18030"), "语料".encode("utf-16-le")[1:] + b"\xff"):
        os.mkdir(os.path.join(os.fsencode(root), name))
        with open(os.path.join(os.fsencode(root), name, b"train.txt"), "wb"):
            pass
    with open(os.path.join(os.fsencode(root), b"inside/d\xe9v.txt"), "wb"):
        pass
    tree = list_tree(str(root))
    assert tree.files == ["inside/train.txt"]
    assert len(tree.left_out) == 4
    assert set(tree.left_out.values()) == {"its name is not valid UTF-8; rename it"}
    assert tree.left_out.keys() >= {"b\udce4d", "inside/d\udce9v.txt"}


def test_links_out_of_the_root_are_left_out_if_bounded(root):
    (root / "inside/out").symlink_to(root.parent / "elsewhere")
    (root / "inside/out.txt").symlink_to(root.parent / "elsewhere/deep/private.txt")
    (root / "inside/chain.txt").symlink_to(root / "inside/out.txt")
    (root / "inside/same.txt").symlink_to("train.txt")
    (root / "inside/back").symlink_to(root.parent / "root/inside/../other")
    (root / "other").mkdir()
    everything = list_tree(str(root / "inside"))
    assert set(everything.files) == {
        "train.txt",
        "same.txt",
        "out.txt",
        "chain.txt",
        "out/deep/private.txt",
    }
    bound = list_tree(str(root / "inside"), within=[str(root), str(root / "inside")])
    assert (bound.files, bound.folders) == (["same.txt", "train.txt"], ["back"])
    assert bound.left_out == dict.fromkeys(("out", "out.txt", "chain.txt"), LEADS_OUT)


def test_a_folder_with_the_root_name_as_prefix_is_outside(root):
    (root.parent / "root-of-others").mkdir()
    (root.parent / "root-of-others/private.txt").write_text("")
    (root / "inside/link.txt").symlink_to(root.parent / "root-of-others/private.txt")
    assert list_tree(str(root), within=[str(root)]).left_out == {"inside/link.txt": LEADS_OUT}


def test_a_root_given_as_a_link_is_resolved(root):
    (root.parent / "link").symlink_to(root)
    (root / "inside/same.txt").symlink_to(root / "inside/train.txt")
    tree = list_tree(str(root.parent / "link"), within=[str(root.parent / "link")])
    assert tree.files == ["inside/same.txt", "inside/train.txt"]


def test_folder_links_directly_below_the_root_are_followed(root):
    (root / "conll2003").symlink_to(root.parent / "elsewhere")
    (root / "train.json").symlink_to(root.parent / "elsewhere/deep/private.txt")
    tree = list_tree(str(root), recursive=False, within=[str(root)])
    assert (tree.files, tree.folders) == ([], ["conll2003", "inside"])
    assert tree.left_out == {"train.json": LEADS_OUT}


def test_special_files_are_left_out(root, monkeypatch):
    os.mkfifo(root / "inside/dev.txt")
    (root / "inside/test.txt").symlink_to("dev.txt")
    (root / "inside/zero.json").symlink_to("/dev/zero")
    monkeypatch.chdir(root)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.json")
        tree = list_tree(str(root))
    assert tree.files == ["inside/train.txt"]
    names = ("inside/dev.txt", "inside/test.txt", "inside/zero.json", "socket.json")
    assert tree.left_out == dict.fromkeys(names, NO_FILE)


def test_broken_and_circular_links_are_reported(root):
    (root / "gone").symlink_to("nowhere")
    (root / "self").symlink_to("self")
    assert {name: why.partition(" (")[0] for name, why in list_tree(str(root)).left_out.items()} == {
        "gone": "a link that cannot be followed",
        "self": "a link that cannot be followed",
    }


def test_a_link_to_a_parent_folder_is_left_out(root):
    (root / "inside/up").symlink_to(root)
    tree = list_tree(str(root))
    assert (tree.files, tree.left_out) == (["inside/train.txt"], {"inside/up": TWICE})


def test_exponentially_many_link_paths_are_not_followed(root):
    """Forty folders, each with two links to the next: 2**40 paths to one file."""
    for level in range(40):
        (root / f"{level}").mkdir()
        for name in "ab":
            (root / f"{level}/{name}").symlink_to(root / f"{level + 1}")
    (root / "40").mkdir()
    (root / "40/train.txt").write_text("")
    tree = list_tree(str(root))
    assert tree.files == ["40/train.txt", "inside/train.txt"]
    assert len(tree.left_out) == 80


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from(["file", "..", "../a", "../../out"])),
        unique_by=lambda entry: entry[:2],
    )
)
def test_no_file_outside_the_root_is_in_the_tree(tmp_path_factory, entries):
    base = tmp_path_factory.mktemp("tree")
    (base / "out").mkdir()
    (base / "out/private.txt").write_text("")
    for folder in "abc":
        (base / "root" / folder).mkdir(parents=True)
    for folder, name, what in entries:
        path = base / "root" / folder / name
        path.write_text("") if what == "file" else path.symlink_to(what)
    root = str(base / "root")
    tree = list_tree(root, within=[root])
    assert {os.path.realpath(f"{root}/{name}") for name in tree.files} == {
        f"{os.path.realpath(root)}/{folder}/{name}" for folder, name, what in entries if what == "file"
    }
    assert set(tree.left_out.values()) <= {LEADS_OUT, TWICE}
