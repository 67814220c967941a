"""Every relative link of a page leads to a file and, if it has an anchor, to a heading."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def text_of(page: Path) -> str:
    """The page without its fenced blocks, where brackets are not links and `#` is not a heading."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of GitHub: lower case, blanks as hyphens, no other punctuation; -1, -2 for repeated headings."""
    made: list[str] = []
    for heading in re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE):
        anchor = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        repetitions = sum(re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", other) is not None for other in made)
        made.append(f"{anchor}-{repetitions}" if repetitions else anchor)
    return set(made)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_of_a_page_resolves(page):
    for link in LINK.findall(text_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_relative_to(ROOT) and target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


def test_every_guide_named_in_the_code_exists():
    for package in ("schemas", "transforms", "hard_negatives", "validation", "pipelines", "train", "benchmarks"):
        for path in (ROOT / package).rglob("*.py"):
            for name in re.findall(r"\bdocs/[\w/]+\.md", path.read_text()):
                assert (ROOT / name).exists(), f"{path}: {name}"


@pytest.mark.parametrize("name", ["architecture.md", "glossary.md"])
def test_every_module_that_a_guide_names_exists(name):
    modules = re.findall(r"`([\w/]+\.py)`", text_of(ROOT / "docs" / name))
    assert modules
    assert [module for module in modules if not (ROOT / module).is_file()] == []
