"""The command line of the build, on the bundled samples: what it writes, says and refuses."""

import json
import shutil
from collections import Counter

import datasets
import pyarrow.parquet as pq
import pytest

from pipelines import build
from pipelines.config import SAMPLES
from pipelines.registry import below
from pipelines.sources import find, folder, keys, load
from schemas.arrow import EXAMPLES, INSTRUCTIONS, table_to_examples
from schemas.errors import Reason
from schemas.example import SPLITS, TASKS, mentions, surface
from tests.conftest import checksums, run_build
from transforms.files import list_files
from transforms.shards import read_shard


@pytest.fixture(scope="module")
def stats(built):
    return json.loads((built / "reports/stats.json").read_text())


def test_every_reader_has_been_used(stats):
    assert set(keys()) <= stats["sources"].keys()
    assert not stats["failed"]


def test_every_task_is_there_in_every_split(stats):
    assert set(stats["instructions"]) == set(TASKS)
    assert all(set(splits) == set(SPLITS) for splits in stats["instructions"].values())


def test_every_sample_loses_its_bad_record_and_its_planted_leak(stats):
    listed = list_files(str(SAMPLES))
    bad = Counter()
    for key, splits in stats["sources"].items():
        rejected = Counter()
        for of in splits.values():
            rejected.update(of["rejected"])
        bad[folder(key) if key in keys() else key] += sum(n for why, n in rejected.items() if not Reason(why).is_rule)
        official = key not in keys() or "all" not in find(load(key), below(listed, folder(key))).splits
        if official and {"train", "test"} <= splits.keys():  # a hash split puts one text on one side
            assert rejected["leakage"] >= 1, key
    cuts = {folder(key) for key in keys() if folder(key) != key}
    assert {sample for sample, count in bad.items() if count != 1} <= cuts  # a cut may lose the others' bad record too
    assert min(bad.values()) >= 1


def test_counts_add_up(stats):
    for key, splits in stats["sources"].items():
        for split, of in splits.items():
            dropped = sum(
                n
                for reason, n in of["rejected"].items()
                if reason in ("duplicate", "contradiction", "leakage", "low_quality", "unannotated")
            )
            assert of["windows"] == of["kept"]["examples"] + dropped, (key, split)


def test_every_mention_with_offsets_spells_its_text(built):
    examples = [e for path in built.glob("clean/**/*.parquet") for e in table_to_examples(read_shard(str(path)))]
    with_spans = [(e, m) for e in examples for m in mentions(e) if m.spans]
    assert len(with_spans) > 500
    assert all(surface(example.text, mention.spans) == mention.text for example, mention in with_spans)


@pytest.mark.parametrize(("folder", "schema"), [("examples", EXAMPLES), ("clean", EXAMPLES), ("data", INSTRUCTIONS)])
def test_shards_have_the_declared_schema_in_every_row_group(built, folder, schema):
    paths = list(built.glob(f"{folder}/**/*.parquet"))
    assert paths
    for path in paths:
        file = pq.ParquetFile(path)
        assert file.schema_arrow.equals(schema, check_metadata=True)
        for group in range(file.num_row_groups):
            assert file.read_row_group(group).schema.equals(schema)


def test_no_unfinished_file_is_left(built):
    assert not list(built.rglob("*.tmp"))
    assert not (built / "clean/.cut").exists()


@pytest.mark.parametrize("task", ["default", *TASKS])
def test_load_dataset_opens_every_config(built, stats, task, tmp_path):
    loaded = datasets.load_dataset(str(built), task, cache_dir=str(tmp_path))
    rows = {split: len(part) for split, part in loaded.items()}
    tasks = TASKS if task == "default" else (task,)
    assert rows == {split: sum(stats["instructions"][t].get(split, 0) for t in tasks) for split in SPLITS}


def test_load_dataset_without_a_config_streams_all(built, stats):
    loaded = datasets.load_dataset(str(built), streaming=True)
    row = next(iter(loaded["test"]))
    assert row["output"] is None
    assert json.loads(row["instruction"]).keys() == {"instruction", "schema", "input"}


def test_a_second_run_does_nothing(built):
    before = {
        path: path.stat().st_mtime_ns for path in built.rglob("*") if path.is_file() and path.name != "build.json"
    }
    done = run_build("--output", str(built))
    assert done.returncode == 0
    assert done.stderr.count("already done") == 7
    assert before == {
        path: path.stat().st_mtime_ns for path in built.rglob("*") if path.is_file() and path.name != "build.json"
    }


def test_status_tells_what_a_changed_setting_outdates(built):
    done = run_build("--output", str(built), "--status", "--set", "instruct.order=sorted")
    states = dict(line.split("\t")[:2] for line in done.stdout.splitlines())
    assert states == {
        "ingest": "done",
        "clean": "done",
        "labels": "done",
        "mine": "done",
        "instruct": "outdated",
        "validate": "outdated",
        "card": "outdated",
    }


def test_a_lost_shard_is_made_again_with_the_same_bytes(built, tmp_path):
    copy = shutil.copytree(built, tmp_path / "copy")
    (copy / "data/RE/train-00000-of-00001.parquet").unlink()
    assert run_build("--output", str(copy)).returncode == 0
    assert checksums(copy) == checksums(built)


def test_dry_run_and_only_build_no_more_than_they_say(tmp_path):
    output = tmp_path / "build"
    planned = run_build("--output", str(output), "--dry_run")
    assert planned.returncode == 0
    assert "conll2003\ttrain\tNER\t" in planned.stdout
    assert not output.exists()
    assert run_build("--output", str(output), "--only", "ingest", "--sources", "clue_ner").returncode == 0
    assert sorted(path.name for path in output.iterdir()) == ["build.json", "examples", "rejects"]


def test_help_is_quick_and_complete():
    done = run_build("--help")
    assert done.returncode == 0
    for flag in (
        "--data_root",
        "--sources",
        "--tasks",
        "--output",
        "--recipe",
        "--set",
        "--hard_negatives",
        "--embedding_model",
        "--prompts",
        "--seed",
        "--limit",
        "--status",
        "--dry_run",
        "--only",
        "--runner",
    ):
        assert flag in done.stdout


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--runer=DirectRunner"], "unknown flag --runer; did you mean --runner"),
        (["--runner=DaskRunner"], "gives wrong results"),
        (["--data_root", "nowhere"], "--data_root nowhere: no such folder"),
        (["--sources", "conl2003"], "did you mean: conll2003, conll2004?"),
        (["--set", "clean.max_char=3"], "unknown key clean.max_char; did you mean max_chars?"),
        (["--set", "clean.max_chars=many"], "clean.max_chars: input should be a valid integer"),
        (["--set", "clean"], "write section.key=value"),
        (["--set", "instruct.split_num={NER: 0}"], "split_num"),
        (["--tasks", "NER,NRE"], "not 'NRE'"),
        (["--recipe", "nowhere.yaml"], "nowhere.yaml: No such file"),
        (["--hard_negatives", "nowhere.json"], "nowhere.json: no such file"),
        (["--prompts", "nowhere.yaml"], "nowhere.yaml: No such file"),
        (["--only", "train"], "--only train: the stages are ingest"),
        (["--limit", "0"], "ingest.limit: input should be greater than 0"),
        (["--seed"], "expected one argument"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_2(flags, said, tmp_path, capsys):
    assert build.main(["--output", str(tmp_path / "build"), *flags]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert errors[0].startswith("error: ") and said in errors[0]
    assert not (tmp_path / "build").exists()


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/thesis.txt").write_text("mine")
    done = run_build("--output", str(tmp_path))
    assert done.returncode == 2
    assert "not made by a build" in done.stderr
    assert (tmp_path / "data/thesis.txt").read_text() == "mine"
