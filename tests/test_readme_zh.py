"""README_zh.md is in step with README.md: the same commands, settings, names, tables and sections."""

import re

from tests.conftest import ROOT

ENGLISH, CHINESE = ((ROOT / name).read_text() for name in ("README.md", "README_zh.md"))


def commands(text: str) -> list[str]:
    """The fenced blocks, without the comments that are translated."""
    return [re.sub(r" *# .*", "", block) for block in re.findall(r"^```.*?^```", text, re.DOTALL | re.MULTILINE)]


def prose(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def test_the_commands_and_settings_are_the_same():
    assert commands(CHINESE) == commands(ENGLISH)


def test_the_names_in_the_text_are_the_same():
    names = [set(re.findall(r"`([^`\n]+)`", prose(text))) for text in (ENGLISH, CHINESE)]
    assert names[0] == names[1]


def test_the_links_and_figures_are_the_same():
    for pattern in (r"\]\((?!README|#)([^)]*)\)", r"(?<![\w.-])\d[\d,.]*\b"):
        assert sorted(re.findall(pattern, prose(CHINESE))) == sorted(re.findall(pattern, prose(ENGLISH)))


def test_the_sections_and_tables_have_the_same_shape():
    shapes = [re.findall(r"^(#+ |\||- )", prose(text), re.MULTILINE) for text in (ENGLISH, CHINESE)]
    assert shapes[0] == shapes[1]
