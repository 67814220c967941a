"""The fingerprint of a stage covers everything its result depends on: which stages run again after a change."""

import ast
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines import build
from pipelines.config import SAMPLES, Config
from pipelines.engine import code, dag
from pipelines.knowledge import config as knowledge_config
from pipelines.knowledge import plan as knowledge_plan
from pipelines.sources import registry
from pipelines.stages.plan import plan_stages
from tests.conftest import ROOT

STAGES = build.STAGES
NONE = ()


def from_stage(first: str) -> tuple[str, ...]:
    """The stage and all later ones, which depend on it directly or indirectly."""
    return STAGES[STAGES.index(first) :]


def stages(*keys: str, **settings: object) -> dict[str, dag.Stage]:
    """The stages of a build of these bundled samples (no key: of all)."""
    listing = registry.list_root(str(SAMPLES))
    located = registry.select(registry.locate_all(listing), keys, listing.root)
    return plan_stages(Config(data_root=str(SAMPLES), **settings), located, PipelineOptions([]))


@pytest.fixture(scope="module")
def some() -> dict[str, dag.Stage]:
    return stages("ace2005", "crossner_ai", "duee1")


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the packages, without the samples."""
    root = tmp_path_factory.mktemp("tree")
    for package in code.PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("samples", "__pycache__"))
    return root


def change(path: Path) -> None:
    """Adds a statement to the first function of a module (or to the module), or a line to any other file."""
    lines = path.read_text(encoding="utf-8").split("\n")
    place, indent = len(lines), ""
    if path.suffix == ".py":
        functions = [node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.FunctionDef)]
        if functions:
            last = functions[0].body[-1]
            place, indent = last.lineno - 1, " " * last.col_offset
    lines.insert(place, f"{indent}pass")
    path.write_text("\n".join(lines), encoding="utf-8")


def run_again(made: dict[str, dag.Stage], tree: Path, name: str) -> tuple[str, ...]:
    """The stages that run again after a change of the file `name`."""
    before, content = dag.fingerprints(made, tree), (tree / name).read_bytes()
    change(tree / name)
    after = dag.fingerprints(made, tree)
    (tree / name).write_bytes(content)
    return tuple(stage for stage in STAGES if after[stage] != before[stage])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("schemas/label.py", STAGES),
        ("transforms/normalize.py", STAGES),
        ("transforms/files.py", STAGES),
        ("transforms/windows.py", from_stage("clean")),
        ("transforms/sentences.py", from_stage("clean")),
        ("transforms/prompts/__init__.py", from_stage("instruct")),
        ("transforms/prompts/prompts.yaml", from_stage("instruct")),
        ("hard_negatives/mine.py", from_stage("mine")),
        ("hard_negatives/evaluate.py", NONE),
        ("hard_negatives/report.py", from_stage("validate")),
        ("validation/facts.py", from_stage("clean")),
        ("validation/check.py", from_stage("validate")),
        ("pipelines/sources/user_data.py", STAGES),
        ("pipelines/sources/judge.py", STAGES),
        ("pipelines/sources/unread.py", NONE),
        ("pipelines/sources/__main__.py", NONE),
        ("pipelines/sources/datasets/duee1.py", STAGES),
        ("pipelines/sources/datasets/_crossner.py", STAGES),
        ("pipelines/sources/datasets/ace2005.yaml", STAGES),
        ("transforms/formats/ace.py", STAGES),
        ("transforms/formats/unified.py", STAGES),
        ("transforms/formats/pubtator.py", STAGES),  # users' data may be in this format
        ("pipelines/sources/datasets/scierc.py", NONE),
        ("pipelines/sources/datasets/_wikidata.py", NONE),
        ("pipelines/sources/datasets/rams.yaml", NONE),
        ("transforms/formats/spert.py", NONE),
        ("pipelines/describe/lengths.py", from_stage("clean")),
        ("pipelines/describe/stats.py", from_stage("validate")),
        ("hard_negatives/contrast.py", from_stage("validate")),
        ("transforms/endpoint/client.py", NONE),
        ("pipelines/describe/card.py", ("card",)),
        ("pipelines/describe/citations.bib", ("card",)),
        ("pipelines/describe/templates/card.zh.md", ("card",)),
        ("pipelines/report/page.py", ("report", "card")),
        ("pipelines/report/templates/report.css", ("report", "card")),
        ("pipelines/stages/split_writer.py", STAGES),
        ("pipelines/stages/build_settings.py", STAGES),
        ("pipelines/stages/unions.py", from_stage("clean")),
        ("pipelines/stages/corpus_facts.py", from_stage("validate")),
        *((f"pipelines/stages/{stage}.py", from_stage(stage)) for stage in STAGES),
        ("pipelines/stages/plan.py", NONE),
        ("pipelines/engine/dag.py", NONE),
        ("pipelines/engine/gather.py", NONE),
        ("pipelines/engine/progress.py", NONE),
        ("pipelines/config.py", NONE),
        ("pipelines/build.py", NONE),
        ("pipelines/driver.py", NONE),
        ("pipelines/release/contents.py", NONE),
    ],
)
def test_a_change_runs_exactly_the_affected_stages_again(some, tree, name, expected):
    assert run_again(some, tree, name) == expected


def test_an_edited_contrast_runs_no_stage_that_mines_again(some, tree, tmp_path):
    path = tmp_path / "lines.json"
    prints = [dag.fingerprints(some, tree)]
    for line in ("a town", "a large town"):
        path.write_text(line)
        made = stages("ace2005", "crossner_ai", "duee1", mine={"contrasts": str(path)})
        prints.append(dag.fingerprints(made, tree))
    for before, after in pairwise(prints):
        assert [name for name in STAGES if after[name] != before[name]] == list(from_stage("validate"))


def test_comments_and_docstrings_run_nothing_again(some, tree):
    before = dag.fingerprints(some, tree)
    originals = {path: path.read_bytes() for path in tree.rglob("*.py")}
    for path, content in originals.items():
        path.write_bytes(b"# A comment.\n" + content + b'\n"""What it is."""\n')
    after = dag.fingerprints(some, tree)
    for path, content in originals.items():
        path.write_bytes(content)
    assert after == before


PARSED = {"transforms/knowledge/themes.yaml", "transforms/knowledge/types.yaml"}
"""Data files whose content is among the inputs of stages."""


def test_every_data_file_counts_in_some_stage():
    config = knowledge_config.Config(
        wikidata=(str(knowledge_config.SAMPLES / "wikidata.json"),),
        wikipedia=(str(knowledge_config.SAMPLES / "enwiki.xml"),),
        lang="en",
    )
    every = [*stages().values(), *knowledge_plan.plan_stages(config, PipelineOptions([])).values()]
    counted = {path for stage in every for path in stage.data} | PARSED
    for path in (path for package in code.PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()):
        name = path.relative_to(ROOT).as_posix()
        is_code = path.suffix in (".py", ".pyc") or path.name == "py.typed"
        if not is_code and path.parent.name != "recipes" and "/samples/" not in name:
            assert {name, *(parent.as_posix() for parent in path.relative_to(ROOT).parents)} & counted, name


LOADED = """\
import importlib, os, sys
import apache_beam, pyarrow.parquet, numpy
for modules in sys.argv[1:]:
    sys.stdout.flush()
    if not os.fork():
        for name in modules.split(","):
            importlib.import_module(name)
        print(modules, *(name for name in sys.modules if name.partition(".")[0] in {packages!r}))
        sys.stdout.flush()
        os._exit(0)
    os.wait()
"""


def test_all_modules_that_a_stage_imports_are_in_its_closure(some, monkeypatch):
    checked = {",".join(some[name].modules): name for name in ("ingest", "clean", "instruct")}
    script = LOADED.format(packages=code.PACKAGES)
    done = subprocess.run(
        [sys.executable, "-c", script, *checked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {line.split()[0]: set(line.split()[1:]) for line in done.stdout.splitlines()}
    assert loaded.keys() == checked.keys()
    closures = {modules: code.closure(some[name].modules).keys() for modules, name in checked.items()}
    engine = [f"pipelines.engine.{path.stem}" for path in (ROOT / "pipelines/engine").glob("*.py")]
    monkeypatch.setattr(code, "PLUMBING", ())
    plumbing = code.closure(["pipelines.config", *(name for name in engine if not name.endswith("__"))]).keys()
    for modules, names in loaded.items():
        assert len(names) > 20
        assert names <= closures[modules] | plumbing, checked[modules]
