"""The command line of the build, on the bundled samples: its files, messages and exit codes."""

import json
import os
import shutil
from collections import Counter

import datasets
import pyarrow.parquet as pq
import pytest

from pipelines import build
from pipelines.claim import claimed
from pipelines.config import SAMPLES
from pipelines.sources import folder, keys, load
from pipelines.sources.registry import list_root
from pipelines.sources.source_files import find
from schemas.arrow import EXAMPLES, INSTRUCTIONS, table_to_examples
from schemas.errors import Reason
from schemas.example import SPLITS, TASKS, mentions, surface
from tests.conftest import SMALL, build_here, checksums, run_build
from tests.unified import NER_SCHEMA, ner, write_source
from transforms.shards import read_shard


@pytest.fixture(scope="module")
def stats(built):
    return json.loads((built / "reports/stats.json").read_text())


def test_every_source_is_in_the_statistics(stats):
    assert set(keys()) <= stats["sources"].keys()
    assert not stats["failed"]


def test_every_task_occurs_in_every_split(stats):
    assert set(stats["instructions"]) == set(TASKS)
    assert all(set(splits) == set(SPLITS) for splits in stats["instructions"].values())


def test_every_sample_loses_its_bad_record_and_its_leak(stats):
    folders = list_root(str(SAMPLES)).folders
    bad = Counter()
    for key, splits in stats["sources"].items():
        rejected = Counter()
        for counts in splits.values():
            rejected.update(counts["rejected"])
        bad[folder(key) if key in keys() else key] += sum(n for why, n in rejected.items() if not Reason(why).is_rule)
        official = key not in keys() or "all" not in find(load(key), folders[folder(key)]).splits
        if official and key in bad and {"train", "test"} <= splits.keys():  # a split by hash keeps equal texts together
            assert rejected["leakage"] >= 1, key
    cuts = {folder(key) for key in keys() if folder(key) != key}
    # Each cut of a dataset may lose its bad records.
    assert {sample for sample, count in bad.items() if count != 1} <= cuts
    assert min(bad.values()) >= 1


def test_counts_add_up(stats):
    for key, splits in stats["sources"].items():
        for split, counts in splits.items():
            at_reading = {Reason.ONE_PAIR_UNITED, *(reason for reason in Reason if not reason.is_rule)}
            dropped = sum(n for reason, n in counts["rejected"].items() if reason not in at_reading)
            assert counts["windows"] == counts["kept"]["examples"] + dropped, (key, split)


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


def test_any_tasks_can_be_selected_for_any_sources(tmp_path, capsys):
    """The ingested examples are kept, so only the later stages run again."""
    base = ["--output", str(tmp_path / "build"), "--sources", "IE-en/KG/lighthouses,clue_ner,duee1,duie2"]
    for number, tasks in enumerate(("RE", "EE", "NER,EEA", "KG,EET,SPO")):
        flags = ["--tasks", tasks, *(("--hard_negatives", "none") if number % 2 else ("--embedding_model", "lexical"))]
        assert build.main([*base, *flags, "--only", "instruct"]) == 0, tasks
        shards = json.loads((tmp_path / "build/data/manifest.json").read_text())["shards"]
        assert {shard["task"] for shard in shards} == set(tasks.split(","))
        assert "none of the requested tasks" in capsys.readouterr().err
    assert build.main([*base, *flags]) == 0
    assert build.main([*base[:2], "--sources", "clue_ner", "--tasks", "EE,KG"]) == 2
    assert "--tasks EE,KG: no source has any of these tasks; available: NER" in capsys.readouterr().err


def test_a_label_set_without_annotations_is_warned_about(tmp_path, capsys):
    texts = [ner("Nothing moved."), ner("Low water.")]
    write_source(tmp_path / "data/mine", "NER", NER_SCHEMA, train=texts)
    flags = ["--data_root", str(tmp_path / "data"), "--output", str(tmp_path / "build"), "--only", "labels"]
    assert build.main(flags) == 0
    assert "warning: no text has a label of mine NER; all its answers are empty" in capsys.readouterr().err


def test_no_unfinished_file_is_left(built):
    assert not list(built.rglob("*.tmp"))
    assert not (built / "clean/.cut").exists()


@pytest.mark.parametrize("task", ["default", *TASKS])
def test_load_dataset_opens_every_config(built, stats, task, tmp_path):
    loaded = datasets.load_dataset(str(built), task, cache_dir=str(tmp_path))
    rows = {split: len(part) for split, part in loaded.items()}
    tasks = TASKS if task == "default" else (task,)
    assert rows == {split: sum(stats["instructions"][t].get(split, 0) for t in tasks) for split in SPLITS}


def test_load_dataset_streams_the_default_config(built, stats):
    loaded = datasets.load_dataset(str(built), streaming=True)
    row = next(iter(loaded["test"]))
    assert row["output"] is None
    assert json.loads(row["instruction"]).keys() == {"instruction", "schema", "input"}


def test_a_second_run_does_nothing(built):
    def written():
        return {
            path: path.stat().st_mtime_ns
            for path in built.rglob("*")
            if path.is_file() and path.name not in ("build.json", ".lock")
        }

    before = written()
    done = build_here("--output", str(built))
    assert done.returncode == 0
    assert done.stderr.count("already done") == len(build.STAGES)
    assert written() == before


def test_status_shows_the_stages_that_a_setting_outdates(built):
    done = build_here("--output", str(built), "--status", "--set", "instruct.order=sorted")
    states = dict(line.split("\t")[:2] for line in done.stdout.splitlines())
    assert states == {
        "ingest": "done",
        "clean": "done",
        "labels": "done",
        "mine": "done",
        **dict.fromkeys(("instruct", "tokens", "validate", "report", "card"), "outdated"),
    }


def test_a_tokenizer_outdates_no_shard(built, words):
    done = build_here("--output", str(built), "--status", "--tokenizer", words)
    states = dict(line.split("\t")[:2] for line in done.stdout.splitlines())
    assert [name for name, state in states.items() if state == "outdated"] == ["tokens", "validate", "report", "card"]


def test_status_without_mined_hard_negatives(tmp_path, capsys):
    flags = ["--output", str(tmp_path / "build"), "--sources", "clue_ner", "--hard_negatives", "none"]
    assert build.main([*flags, "--only", "mine"]) == 0
    assert build.main([*flags, "--status"]) == 0
    states = dict(line.split("\t")[:2] for line in capsys.readouterr().out.splitlines())
    assert [name for name, state in states.items() if state == "done"] == ["ingest", "clean", "labels", "mine"]


def test_a_deleted_shard_is_written_again_with_the_same_bytes(built, tmp_path):
    copy = shutil.copytree(built, tmp_path / "copy")
    (copy / "data/RE/train-00000-of-00001.parquet").unlink()
    assert build_here("--output", str(copy)).returncode == 0
    assert checksums(copy) == checksums(built)


def test_dry_run_builds_nothing_and_only_stops_at_its_stage(tmp_path):
    output = tmp_path / "build"
    planned = build_here("--output", str(output), "--dry_run")
    assert planned.returncode == 0
    assert "conll2003\ttrain\tNER\t" in planned.stdout
    assert not output.exists()
    assert build_here("--output", str(output), "--only", "ingest", "--sources", "clue_ner").returncode == 0
    assert sorted(path.name for path in output.iterdir()) == [".lock", "build.json", "examples", "rejects"]


def test_help_lists_all_flags():
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
    ("flags", "message"),
    [
        (["--runer=DirectRunner"], "unknown flag --runer; did you mean --runner"),
        (["--runner=DaskRunner"], "gives wrong results"),
        (["--runner=FlinkRuner"], "did you mean FlinkRunner?"),
        (["--direct_running_mode=many"], "invalid choice: 'many'"),
        (["--set", "instruct.negative_ratio=.inf"], "should be a finite number"),
        (["--set", "ingest.collapse=[nowhere]"], "'nowhere' cannot be collapsed to one label"),
        (["--output="], "--output is empty"),
        (["--data_root", "nowhere"], "nowhere: no such folder or file; check the path"),
        (["nowhere"], "nowhere: no such folder or file; check the path"),
        (["--direct_num_workers", "1", "--limit", "5", "nowhere"], "nowhere: no such folder or file; check the path"),
        (["a", "--data_root", "b"], "a and --data_root b both name the data; give one"),
        (["a", "--limit", "5", "b"], "unexpected argument b; see --help"),
        (["--sources", "conl2003"], "did you mean conll2003, conll2004?"),
        (["--set", "clean.max_char=3"], "unknown key clean.max_char; did you mean max_chars?"),
        (["--set", "clean.max_chars=many"], "clean.max_chars: input should be a valid integer"),
        (["--set", "clean"], "--set clean: write key=value or section.key=value"),
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
def test_a_wrong_setting_is_reported_in_one_line_with_exit_code_2(flags, message, tmp_path, capsys):
    assert build.main(["--output", str(tmp_path / "build"), *flags]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert errors[0].startswith("error: ") and message in errors[0]
    assert not (tmp_path / "build").exists()


def test_a_folder_that_is_not_a_build_is_left_alone(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/thesis.txt").write_text("chapter 1")
    done = build_here("--output", str(tmp_path))
    assert done.returncode == 2
    assert "not made by a build" in done.stderr
    assert (tmp_path / "data/thesis.txt").read_text() == "chapter 1"


def test_replacing_a_build_of_other_sources_is_noted(tmp_path, capsys):
    output, notes = tmp_path / "corpus", []
    for name, key in (("a", "harbours"), ("b", "quays"), ("c", "quays")):
        write_source(tmp_path / name / key, "NER", NER_SCHEMA, train=[ner(f"Ada {name} met Bo.", person="Bo")])
        flags = ["--data_root", str(tmp_path / name), "--output", str(output), "--embedding_model", "lexical"]
        assert build.main([*flags, "--only", "ingest"]) == 0
        notes.append([line for line in capsys.readouterr().err.splitlines() if "replaces" in line])
    assert notes == [[], [f"note: {output}: contains a build of harbours; this build replaces it"], []]


@pytest.mark.parametrize("marker", ['{"scripts": {}}', "not JSON", "{}"])
def test_a_foreign_build_json_does_not_make_a_folder_a_build(tmp_path, marker):
    (tmp_path / "build.json").write_text(marker)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/thesis.txt").write_text("chapter 1")
    assert build.main(["--output", str(tmp_path)]) == 2
    assert (tmp_path / "data/thesis.txt").exists()


def test_the_temporary_file_of_an_interrupted_write_is_deleted(tmp_path):
    (tmp_path / ".build.json.123.tmp").write_text("{")
    assert build.main(["--output", str(tmp_path), "--sources", "clue_ner", "--only", "ingest"]) == 0
    assert not (tmp_path / ".build.json.123.tmp").exists()


def test_inputs_in_a_folder_that_the_build_empties_are_refused(small, tmp_path, capsys):
    copy = shutil.copytree(small, tmp_path / "copy")
    write_source(copy / "data/raw/a", "NER", NER_SCHEMA, train=[ner("Ada went to Rome.", person="Ada")])
    flags = ["--output", str(copy), "--data_root", str(copy / "data/raw"), "--hard_negatives", "none"]
    assert build.main(flags) == 2
    assert "which the build empties" in capsys.readouterr().err
    assert (copy / "data/raw/a/train.json").exists()


def test_a_second_build_into_the_same_folder_is_refused(tmp_path, capsys):
    output = tmp_path / "build"
    with claimed(str(output)):
        assert build.main(["--output", str(output), "--sources", "clue_ner"]) == 2
    assert f"process {os.getpid()} is building into this folder" in capsys.readouterr().err
    assert sorted(path.name for path in output.iterdir()) == [".lock"]


def test_a_command_that_the_cluster_refuses_leaves_a_build_alone(small, tmp_path, capsys):
    copy = shutil.copytree(small, tmp_path / "copy")
    before = (copy / "build.json").read_bytes()
    flags = ["--output", str(copy), *SMALL, "--limit", "5", "--runner=PortableRunner", "--environment_type=LOOPBACK"]
    assert build.main(flags) == 2
    assert "--runner=PortableRunner needs --job_endpoint=HOST:PORT" in capsys.readouterr().err
    assert (copy / "build.json").read_bytes() == before


def test_a_stage_that_runs_again_deletes_the_later_results(small, tmp_path):
    copy = shutil.copytree(small, tmp_path / "copy")
    assert build.main(["--output", str(copy), *SMALL, "--seed", "7", "--only", "instruct"]) == 0
    assert not (copy / "README.md").exists()
    assert not (copy / "reports/manifest.json").exists()


@pytest.mark.parametrize("text", ["", '{"stage": "cle'])
def test_a_stage_with_a_damaged_manifest_runs_again(small, tmp_path, text):
    copy = shutil.copytree(small, tmp_path / "copy")
    (copy / "clean/manifest.json").write_text(text)
    assert build.main(["--output", str(copy), *SMALL]) == 0
    assert checksums(copy) == checksums(small)


def test_a_damaged_shard_is_named(small, tmp_path, capsys):
    copy = shutil.copytree(small, tmp_path / "copy")
    shard = copy / "clean/clue_ner/train-00000.parquet"
    content = shard.read_bytes()
    shard.write_bytes(content[:100] + bytes(len(content) - 200) + content[-100:])
    assert build.main(["--output", str(copy), *SMALL, "--seed", "7"]) == 1
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert str(shard) in error and "run again" in error


def test_a_split_may_end_up_empty(tmp_path):
    kept, leaked = ner("Ada went to Rome.", person="Ada"), ner("Bo went to Oslo.", person="Bo")
    events = (["meeting"], ["guest"], {"meeting": ["guest"]})
    event = {"event_trigger": "met", "event_type": "meeting", "arguments": [{"argument": "Ada", "role": "guest"}]}
    write_source(tmp_path / "data/a", "NER", NER_SCHEMA, train=[kept], dev=[leaked], test=[leaked])
    write_source(tmp_path / "data/b", "EE", events, train=[{"text": "Ada met Bo.", "event": [event]}],
                 test=[{"text": "Nobody met anybody there.", "event": []}])  # fmt: skip
    write_source(tmp_path / "data/c", "NER", NER_SCHEMA, train=[{"text": "To predict on."}], test=[ner("12 : 30 - 4")])
    flags = ["--data_root", str(tmp_path / "data"), "--output", str(tmp_path / "build"), "--hard_negatives", "none"]
    assert build.main(flags) == 0
    loaded = datasets.load_dataset(str(tmp_path / "build"), "EEA", cache_dir=str(tmp_path / "cache"))
    assert {split: len(part) for split, part in loaded.items()} == {"train": 1}
