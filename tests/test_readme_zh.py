"""Each Chinese page matches the English one: the same commands, settings, names, tables and sections."""

import re

import pytest

from tests.conftest import ROOT

NAMES = ["README_zh.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*_zh.md"))]


@pytest.fixture(params=NAMES)
def pages(request) -> tuple[str, str]:
    """The English page and the Chinese one."""
    return tuple((ROOT / name).read_text() for name in (request.param.replace("_zh.md", ".md"), request.param))


def commands(text: str) -> list[str]:
    """The fenced blocks without their comments, which are translated."""
    return [re.sub(r" *# .*", "", block) for block in re.findall(r"^```.*?^```", text, re.DOTALL | re.MULTILINE)]


def prose(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def test_the_commands_and_settings_are_the_same(pages):
    english, chinese = map(commands, pages)
    assert chinese == english


def test_the_names_in_the_text_are_the_same(pages):
    english, chinese = (set(re.findall(r"`([^`\n]+)`", prose(page))) for page in pages)
    assert chinese == english


def test_the_links_and_figures_are_the_same(pages):
    english, chinese = (re.sub(r"_zh\.md\b", ".md", prose(page)) for page in pages)
    for pattern in (r"\]\(([^)]*)\)", r"(?<![\w.-])\d[\d,.]*\b"):
        assert sorted(re.findall(pattern, chinese)) == sorted(re.findall(pattern, english))


def test_the_sections_and_tables_have_the_same_shape(pages):
    english, chinese = (re.findall(r"^(#+ |\||- )", prose(page), re.MULTILINE) for page in pages)
    assert chinese == english


@pytest.mark.parametrize("name", NAMES)
def test_chinese_pages_link_to_chinese_pages_if_they_exist(name):
    _, _, body = (ROOT / name).read_text().partition("](")[2].partition("\n")  # the first link is the English page
    for target in re.findall(r"\]\(([^)#]+)\.md", body):
        assert target.endswith("_zh") or not (ROOT / name).parent.joinpath(f"{target}_zh.md").exists(), target
