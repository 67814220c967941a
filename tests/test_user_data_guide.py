"""docs/user_data.md names everything that it documents, and its commands print what it shows."""

import re
import shutil

import pytest

from pipelines import export, exporting, inspecting, inspecting_text
from pipelines.sources import source_yaml, user_forms
from tests.conftest import ROOT
from transforms.files import File

GUIDE = (ROOT / "docs/user_data.md").read_text()
README = (ROOT / "README.md").read_text()
SAMPLE = ROOT / "docs/samples/label_studio.json"
PAGES = {"user_data": GUIDE, "README": README}


def section(title: str) -> str:
    """The text below a heading of the second level."""
    return re.split(r"^## ", GUIDE.split(f"\n## {title}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def first_column(text: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


def test_the_table_of_formats_has_every_format():
    assert sorted(first_column(section("Formats"))) == sorted(form.name for form in user_forms.FORMS)


def test_the_table_of_suffixes_has_a_suffix_of_every_format():
    rows = {row.split("`")[1]: row for row in section("Formats").splitlines() if row.startswith("| `")}
    by_suffix = [form for form in user_forms.FORMS if "only with `format:`" not in rows[form.name]]
    for form in by_suffix:
        named = set(re.findall(r"`(\.\w+)`", rows[form.name].split(" | ")[1]))
        assert named & set(form.suffixes) and named <= {*form.suffixes, *form.companions}, form.name


def test_formats_that_are_not_read_are_named():
    for form in user_forms.UNREAD_FORMS:
        title = form.title.removesuffix(" JSON")
        assert re.search(rf"\b{title}\b", section("Formats"), re.IGNORECASE), title


def test_the_table_of_settings_has_every_key():
    assert first_column(section("source.yaml")) == list(source_yaml.KEYS)


def test_the_example_of_settings_has_every_key_and_is_valid(tmp_path):
    shown = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert len(shown) == 2
    path = tmp_path / "source.yaml"
    for text in shown:
        path.write_text(text)
        source_yaml.read(File(str(path), path.name), [form.name for form in user_forms.FORMS])
    assert re.findall(r"^(\w+):", shown[1], re.MULTILINE) == list(source_yaml.KEYS)


def test_the_table_of_exports_has_every_form():
    assert first_column(section("Commands")) == [*export.ANNOTATED, *export.CHAT]


def test_the_files_of_exports_have_the_right_suffix():
    rows = {row.split("`")[1]: row for row in section("Commands").splitlines() if row.startswith("| `")}
    for name, form in exporting.FORMS.items():
        if form.layout != "folder":
            assert f"`train{form.suffixes[0]}`" in rows[name]


@pytest.mark.parametrize("page", PAGES)
def test_the_inspection_shown_is_that_of_the_sample(page, tmp_path, monkeypatch):
    """Each line shown, up to its first `...`, is printed, in this order."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_texts").mkdir()
    shutil.copy(SAMPLE, tmp_path / "my_texts/project-1.json")
    printed = iter(inspecting_text.lines(inspecting.inspect("my_texts")))
    blocks = re.findall(r"^\$ ieforge inspect my_texts\n(.*?)^(?:```|\$)", PAGES[page], re.DOTALL | re.MULTILINE)
    for shown in blocks[0].splitlines():
        start = shown.partition("...")[0]
        assert not start.strip() or any(line.startswith(start) for line in printed), shown
