"""The version, the licence, the keywords and the pinned formatter are the same in all files that name them."""

import re
import tomllib

import yaml

from schemas.example import TASKS
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def read_yaml(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text())


def test_the_citation_matches_the_package_metadata():
    citation = read_yaml("CITATION.cff")
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    assert set(citation["keywords"]) <= set(PROJECT["keywords"])


def test_the_changelog_has_sections_for_this_version_and_the_next():
    sections = re.findall(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert sections[:2] == ["Unreleased", PROJECT["version"]]


def test_pre_commit_runs_the_pinned_formatter():
    (pinned,) = re.findall(r"^ruff==(.*)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    (ruff, _) = read_yaml(".pre-commit-config.yaml")["repos"]
    assert ruff["rev"] == f"v{pinned}"


def test_a_dataset_can_be_requested_for_every_task():
    form = read_yaml(".github/ISSUE_TEMPLATE/dataset_request.yml")
    (tasks,) = (field for field in form["body"] if field.get("id") == "tasks")
    assert tuple(option.split()[0] for option in tasks["attributes"]["options"]) == TASKS
