"""What the README says of flags, settings and tables is what the code does."""

import re

import yaml

import benchmarks.build
from pipelines import publish
from pipelines.build import argument_parser
from pipelines.config import Config
from schemas.arrow import INSTRUCTIONS
from tests.conftest import ROOT
from train import predict, score, sft
from transforms.ask import SPLIT_NUM
from transforms.shards import read_shard

README = (ROOT / "README.md").read_text()


def test_the_settings_shown_are_the_defaults():
    (block,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    defaults = Config().model_dump(mode="json", exclude={"data_root": True, "sources": True, "instruct": {"tasks"}})
    defaults["instruct"]["split_num"] = SPLIT_NUM
    assert yaml.safe_load(block) == defaults


def test_every_flag_shown_exists():
    known = {name for action in argument_parser()._actions for name in action.option_strings}
    known |= {name for action in publish.argument_parser()._actions for name in action.option_strings}
    for command in (sft, predict, score):
        known |= {name for action in command.argument_parser()._actions for name in action.option_strings}
    known |= {name for action in benchmarks.build.argument_parser("")._actions for name in action.option_strings}
    known |= {"--verify", "--dictionary", "--reference", "--direct_running_mode", "--direct_num_workers"}
    assert set(re.findall(r"(?<![\w-])--[a-z_]+", README)) <= known


def test_every_column_is_described():
    for column in INSTRUCTIONS.names:
        assert f"`{column}`" in README


def test_the_row_shown_is_one_of_the_bundled_build(built):
    (shown,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (id_,) = re.findall(r'row\["id"\] == "(.*?)"', shown)
    rows = read_shard(str(built / "data/RE/train-00000-of-00001.parquet")).to_pylist()
    (row,) = [row for row in rows if row["id"] == id_]
    said = [line for line in shown.splitlines() if not line.startswith(">>>")]
    assert said == [row["instruction"], row["output"]]
