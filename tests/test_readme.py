"""The output, flags, settings and tables in the README and the guides match the code."""

import re

import pytest
import yaml

from pipelines.build import STAGES
from pipelines.config import Config
from pipelines.driver import closing_line
from schemas.answer_form import DEFAULT, forms_of
from schemas.arrow import INSTRUCTIONS
from schemas.example import TASKS
from tests.conftest import ROOT
from transforms import answer_forms
from transforms.batches import SPLIT_NUM
from transforms.shards import read_shard

README = (ROOT / "README.md").read_text()
GUIDES = sorted(path for path in (ROOT / "docs").glob("*.md") if not path.stem.endswith("_zh"))
OTHER_PROGRAMS = {
    *("--dist", "--no-loadscope-reorder"),
    *("--direct_running_mode", "--direct_num_workers", "--job_endpoint", "--extra_package"),  # Apache Beam
    *("--environment_type", "--environment_config", "--environment_cache_millis", "--sdk_worker_parallelism"),
    *("--max_bundle_size", "--object_reuse", "--parallelism", "--number_of_execution_retries", "--files_to_stage"),
    *("--flink_master", "--flink_job_server_jar", "--prism_location", "--worker_pool"),
    *("--job_name", "--project", "--region", "--temp_location", "--sdk_container_image", "--max_num_workers"),
    *("--service_port", "--container_executable"),  # Beam's pools of workers
    *("--flink-master", "--spark-master-url", "--job-port", "--artifact-port", "--expansion-port", "--artifacts-dir"),
    *("--configDir", "--host", "--port", "--cores", "--memory", "--add-opens"),  # Flink, Spark, java
    *("--no-deps", "--target", "--wheel-dir"),  # pip
    *("--nproc_per_node", "--enable-lora", "--jinja", "--outfile"),  # torchrun, vLLM, llama.cpp
    "--help",  # argparse
}


def guide(name: str) -> str:
    return (ROOT / f"docs/{name}.md").read_text()


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_settings_shown_are_the_defaults():
    (block,) = fenced(guide("build"), "yaml")
    defaults = Config().model_dump(mode="json", exclude={"data_root": True, "sources": True, "instruct": {"tasks"}})
    defaults["instruct"]["split_num"] = SPLIT_NUM
    assert yaml.safe_load(block) == defaults


def test_every_flag_shown_exists():
    known = set()
    for package in ("schemas", "transforms", "pipelines", "hard_negatives", "train", "benchmarks"):
        for path in (ROOT / package).rglob("*.py"):
            known |= set(re.findall(r'"(--[a-z_]+)"', path.read_text()))
    for path in (ROOT / "README.md", *GUIDES):
        shown = set(re.findall(r"(?<![\w-])--[a-z][a-z_-]+", path.read_text()))
        assert shown <= known | OTHER_PROGRAMS, path.name


def test_every_column_and_task_is_described():
    text = guide("instructions")
    for column in INSTRUCTIONS.names:
        assert f"`{column}`" in text
    answers = re.findall(r"^\| ([A-Z, ]+) \|", text.partition("## Answers")[2].partition("\n## ")[0], re.MULTILINE)
    assert sorted(", ".join(answers).split(", ")) == sorted(TASKS)


def test_every_task_is_shown_in_each_of_its_forms():
    rows = re.findall(r"^\| ([A-Z, ]+) \| `(\w+)` \| `(.*)` \|$", guide("instructions"), re.MULTILINE)
    shown = {(task, form): answer for tasks, form, answer in rows for task in tasks.split(", ")}
    assert shown.keys() == {(task, form) for task in TASKS for form in forms_of(task)}
    for (task, form), answer in shown.items():
        labels = list(answer_forms.read(DEFAULT, task, shown[task, DEFAULT]))
        assert answer_forms.read(form, task, answer, labels) == answer_forms.read(DEFAULT, task, shown[task, DEFAULT])


@pytest.mark.parametrize("text", [README, (ROOT / "README_zh.md").read_text()])
def test_the_readme_names_the_forms_of_every_task(text):
    rows = re.findall(r"^\| ([A-Z]{2,3}(?:[,、] ?[A-Z]{2,3})*) \| .* \| (.*) \|$", text, re.MULTILINE)
    named = {task: re.findall(r"`(\w+)`", forms) for tasks, forms in rows for task in re.split("[,、] ?", tasks)}
    assert named == {task: list(forms_of(task)[1:]) for task in TASKS}


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_described(stage):
    assert re.search(rf"^\| {stage} \| `", guide("build"), re.MULTILINE)


def test_the_row_shown_is_in_the_bundled_build(built):
    (shown,) = fenced(README, "python")
    (id_,) = re.findall(r'row\["id"\] == "(.*?)"', shown)
    rows = read_shard(str(built / "data/RE/train-00000-of-00001.parquet")).to_pylist()
    (row,) = [row for row in rows if row["id"] == id_]
    output = [line for line in shown.splitlines() if not line.startswith(">>>")]
    assert output == [row["instruction"], row["output"]]


def test_the_last_line_shown_is_from_the_bundled_build(built):
    (shown,) = fenced(README, "text")
    assert shown.splitlines()[-1] == closing_line(str(built), "build")


def test_the_readme_links_to_every_guide():
    linked = set(re.findall(r"\]\(docs/([a-z_]+\.md)", README))
    assert linked == {path.name for path in GUIDES}
