"""Which format the files of a folder are taken for, and what becomes of the files beside them."""

import pytest

from pipelines.sources.tool_folders import choose_form
from tests.tool_files import tool_file
from transforms.files import list_files

COLUMNS = "Asta\tB-person\nleft\tO\n"
SPAN = "T1\tperson 0 4\tAsta\n"


def formats(folder, contents: dict[str, str]) -> tuple[str, list[str], list[str], list[str]] | None:
    """The format, the names of its files, those of their companions, and those in other formats."""
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        tool_file(folder, content, name)
    taken = choose_form(list_files(str(folder)), None)
    return taken and (taken[0].name, *(sorted(file.name for file in files) for files in taken[1:]))


def test_a_brat_folder_in_which_most_texts_have_no_annotations(tmp_path):
    texts = {f"{name}.txt": "Asta left." for name in "abc"}
    assert formats(tmp_path, texts | {"a.ann": SPAN}) == ("brat", ["a.ann"], ["a.txt", "b.txt", "c.txt"], [])


@pytest.mark.parametrize("text", ["Asta left.", COLUMNS])
def test_a_text_beside_an_ann_file_is_in_no_other_format(tmp_path, text):
    contents = {"a.ann": SPAN, "a.txt": text, "c/b.txt": text, "c/b.ann": SPAN, "c/d.ann": SPAN, "c/d.txt": "Asta"}
    form, _, companions, others = formats(tmp_path, contents)
    assert (form, companions, others) == ("brat", ["a.txt", "c/b.txt", "c/d.txt"], [])


def test_an_ann_file_with_only_broken_lines_is_read_and_rejected(tmp_path):
    contents = {"a.ann": SPAN, "a.txt": "Asta left.", "b.ann": "what is this", "b.txt": "Asta left."}
    assert formats(tmp_path, contents) == ("brat", ["a.ann", "b.ann"], ["a.txt", "b.txt"], [])


def test_plain_text_never_outvotes_annotations(tmp_path):
    texts = {f"{name}.txt": "Asta left." for name in "abc"}
    expected = ("conll", ["train.conll"], [], ["a.txt", "b.txt", "c.txt"])
    assert formats(tmp_path, texts | {"train.conll": COLUMNS}) == expected


def test_plain_text_alone_is_taken(tmp_path):
    assert formats(tmp_path, {"a.txt": "Asta left.", "b.txt": "Bo came."}) == ("text", ["a.txt", "b.txt"], [], [])
