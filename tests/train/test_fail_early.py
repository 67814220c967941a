"""A wrong path or setting is reported before the libraries that take half a minute to import."""

import json
import os
import subprocess
import sys

import pytest

from schemas.errors import ConfigError
from tests.conftest import ROOT
from tests.train.conftest import ner_row, write_rows
from train.comparing import comparison

HEAVY = ("torch", "transformers", "datasets", "trl", "peft", "apache_beam")

RUN = f"""
import contextlib, importlib, io, json, sys
for module, *flags in json.loads(sys.argv[1]):
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed):
        code = importlib.import_module(module).main(flags)
    print(json.dumps([code, printed.getvalue(), [name for name in {HEAVY} if name in sys.modules]]))
"""


def test_nothing_heavy_is_imported_before_paths_are_checked(tmp_path):
    rows, page = write_rows(tmp_path / "rows.jsonl", [ner_row(1)]), tmp_path / "page.html"
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"task": "NER"\n')
    user_texts = tmp_path / "user.txt"
    user_texts.write_text("Ada sailed.\n")
    pipe, linked = tmp_path / "pipe", tmp_path / "linked.jsonl"
    os.mkfifo(pipe)
    linked.symlink_to(rows)
    joined, part = (write_rows(tmp_path / name, [ner_row(1)]) for name in ("a.joined.jsonl", "page.part"))
    for name, file in (("model", "config.json"), ("adapter", "adapter_config.json"), ("full", "kept.txt")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text('{"base_model_name_or_path": "./gone"}')
    model, adapter, none = str(tmp_path / "model"), str(tmp_path / "adapter"), str(tmp_path / "none")
    new = ["--output", str(tmp_path / "new")]
    sft = ["train.sft", "--model", model, "--data", rows]
    texts = ["train.predict", "--model", model, "--texts", rows, "--task", "NER", "--labels", "person"]
    commands = [
        ([*sft[:-1], none, *new], "none: no such folder or file"),
        ([*sft[:-1], str(broken), *new], "broken.jsonl:1: invalid JSON"),
        ([*sft[:-1], model, *new], "not made by a build"),
        ([*sft, *new, "--model", none], "none: no such folder"),
        ([*sft, *new, "--model", str(tmp_path / "full")], "contains no model"),
        ([*sft, *new, "--model", adapter], "contains an adapter"),
        ([*sft, *new, "--adapter", none], "none: "),
        ([*sft, *new, "--adapter", adapter], "an adapter for ./gone, not for"),
        ([*sft, *new, "--chat_template", none], "cannot be read"),
        ([*sft, *new, "--config", none], "none: No such file"),
        ([*sft, "--output", str(tmp_path / "full")], "full: not empty"),
        ([*sft, *new, "--set", "training.output_dir=x"], "use output instead"),
        (["train.predict", "--model", none, "--data", rows], "none: no such folder"),
        (["train.predict", "--model", model, "--data", none], "none: no such folder or file"),
        (["train.predict", "--model", model, "--data", str(broken)], "broken.jsonl:1: invalid JSON"),
        (["train.predict", "--adapter", none, "--data", rows], "none: "),
        (["train.predict", "--adapter", adapter, "--data", rows], "./gone: no such folder"),
        (["train.predict", "--endpoint", "http://a:b@localhost/v1", "--data", rows], "without a user"),
        ([*texts, "--output", model], "model: is a folder"),
        ([*texts, "--output", "/dev/null"], "/dev/null: is not a regular file"),
        ([*texts, "--output", "/dev/full"], "/dev/full: is not a regular file"),
        ([*texts, "--output", str(pipe)], "pipe: is not a regular file"),
        ([*texts, "--output", rows], "is the input"),
        ([*texts, "--output", str(linked)], "is the input"),
        ([*texts, "--texts", joined, "--output", joined.replace(".joined", "")], "is the input"),
        ([*texts, "--labels", joined, "--output", joined.replace(".joined", "")], "is the input"),
        ([*texts, "--chat_template", none], "cannot be read"),
        ([*texts, "--texts", none], "none: No such file"),
        ([*texts, "--labels", f"{none}.json"], "none.json: no such file"),
        ([*texts, "--texts", str(broken)], "broken.jsonl:1: invalid JSON"),
        ([*texts, "--texts", str(user_texts), "--prompts", none], "none: No such file"),
        (["train.export", "--model", none, *new], "none: no such folder"),
        (["train.export", "--adapter", adapter, *new], "./gone: no such folder"),
        (["train.export", "--model", model, "--output", str(tmp_path / "full")], "full: not empty"),
        ([*sft, "--output", rows], "rows.jsonl: is not a folder"),
        ([*sft, "--output", f"{rows}/model"], "rows.jsonl is not a folder"),
        (["train.export", "--model", model, "--output", rows], "rows.jsonl: is not a folder"),
        (["train.export", "--model", model, "--output", f"{rows}/model"], "rows.jsonl is not a folder"),
        (["train.compare", "--config", none, "--output", rows], "rows.jsonl: is not a folder"),
        ([*texts, "--output", f"{rows}/p.jsonl"], "rows.jsonl is not a folder"),
        (["train.score", "--predictions", rows, none], "none: no such file"),
        (["train.score", "--predictions", rows, "--html", f"{none}/{page.name}"], "page.html: no such file"),
        (["train.score", "--predictions", rows, "--html", rows], "is the input"),
        (["train.score", "--predictions", rows, "--html", str(linked)], "is the input"),
        (["train.score", "--predictions", rows, "--gold", joined, "--html", joined], "is the input"),
        (["train.score", "--predictions", part, "--html", part.removesuffix(".part")], "is the input"),
        (["train.score", "--predictions", rows, "--html", "/dev/null"], "/dev/null: is not a regular file"),
        (["train.compare", "--config", none, *new], "none: No such file"),
    ]
    flags = json.dumps([command for command, _ in commands])
    done = subprocess.run([sys.executable, "-c", RUN, flags], cwd=ROOT, capture_output=True, text=True, check=True)
    for (command, line), result in zip(commands, map(json.loads, done.stdout.splitlines()), strict=True):
        code, printed, imported = result
        assert code == (1 if "no such file" in line and "--html" in command else 2) and imported == [], (
            command,
            result,
        )
        assert printed.startswith("error: ") and line in printed and printed.count("\n") == 1, (command, printed)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"sft": "none.yaml"}, "none.yaml: No such file"),
        ({"settings": {"methd": "full"}}, "unknown key methd"),
        ({"settings": {"model": "./gone"}}, "./gone: no such folder"),
        ({"predict": {"max_new_token": 3}}, "predict: .*max_new_token"),
        ({"predict": {"batch_size": 0}}, "predict: --batch_size 0: must be at least 1"),
    ],
)
def test_a_comparison_checks_its_later_commands_first(tmp_path, changes, line):
    content = {"arms": {"a": {}, "b": {"seed": 1}}, "tasks": ["NER"], "sources": ["s"], "held_out": ["c", "d", "e"]}
    content |= {"seeds": [1, 2, 3], "sft": "tiny-cpu", "budget": {"steps": 5}} | changes
    path = tmp_path / "recipe.yaml"
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=line):
        comparison.load(str(path))
