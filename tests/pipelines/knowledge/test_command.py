"""The command `python -m pipelines.knowledge`: flags, settings and errors of one line."""

import contextlib
import io
import json

import pytest

from pipelines.knowledge import __main__ as knowledge
from pipelines.knowledge.config import SAMPLES
from schemas.knowledge_corpus import ExportedSplit
from schemas.knowledge_manifests import Exported, Matched, MatchedShard, ThemeCounts


def run(*flags: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command in this process."""
    with contextlib.redirect_stdout(io.StringIO()) as stdout, contextlib.redirect_stderr(io.StringIO()) as stderr:
        code = knowledge.main(list(flags))
    return code, stdout.getvalue(), stderr.getvalue()


def configuration(*flags: str):
    return knowledge.configuration(knowledge.parse(flags))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_without_input_the_sample_in_the_language_is_read(lang):
    config = configuration("--lang", lang)
    assert config.wikidata == (str(SAMPLES / "wikidata.json"),)
    assert config.wikipedia == (str(SAMPLES / f"{lang}wiki.xml"),)
    assert all((SAMPLES / name).exists() for name in ("wikidata.json", f"{lang}wiki.xml"))


def test_flags_override_set_which_overrides_the_file(tmp_path):
    (tmp_path / "settings.yaml").write_text(
        "lang: zh\nseed: 1\nwikidata: [a.json]\nwikipedia: [b.xml]\npages: {limit: 5}\nexport: {alpha: 1}\n"
    )
    flags = ["--config", str(tmp_path / "settings.yaml"), "--set", "pages.limit=6", "--set", "seed=2", "--seed", "3"]
    config = configuration(*flags, "--wikipedia", "c.xml", "d.xml", "--theme", "Person")
    assert (config.lang, config.seed, config.pages.limit, config.export.alpha) == ("zh", 3, 6, 1)
    assert [path.rpartition("/")[2] for path in (*config.wikidata, *config.wikipedia)] == ["a.json", "c.xml", "d.xml"]
    assert config.match.theme == "Person"


WRONG = [
    (["--wikidata", "nowhere.json"], "no wikipedia; give --wikipedia FILE"),
    (["--wikipedia", "nowhere.xml"], "no wikidata; give --wikidata FILE"),
    (["--wikidata", "nowhere.json", "--wikipedia", str(SAMPLES / "enwiki.xml")], "nowhere.json"),
    (["--wikidata", str(SAMPLES / "wikidata.json"), "--wikipedia", "nowhere.xml"], "nowhere.xml"),
    (["--wikidata", ".", "--wikipedia", "nowhere.xml"], ": the folder has no file; give files, folders or globs"),
    (["--lang", "fr"], "--lang: lang: "),
    (["--limit", "0"], "--limit: pages.limit: "),
    (["--limit", "many"], "--limit: pages.limit: "),
    (["--set", "export.min_score=2"], "--set export.min_score: export.min_score"),
    (["--set", "export.alhpa=2"], "unknown key export.alhpa; did you mean alpha?"),
    (["--set", "nonsense"], "--set nonsense: write key=value"),
    (["--config", "nowhere.yaml"], "nowhere.yaml: No such file or directory"),
    (["--themes", "nowhere.yaml"], "nowhere.yaml: No such file or directory"),
    (["--theme", "Nonsense"], "Nonsense"),
    (["--only", "mine"], "--only mine: the stages are entities, types, pages, link, match, score, export"),
    (["--output", ""], "--output is empty"),
    (["--runner", "NoRunner"], "Apache Beam has no runner of this name"),
    (["--wikidatta", "x"], "unknown flag --wikidatta; did you mean"),
]


@pytest.mark.parametrize(("flags", "problem"), WRONG)
def test_wrong_flags_and_missing_files_are_one_line(flags, problem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, errors = run(*flags)
    assert code == 2, errors
    assert errors.startswith("error: ") and errors.count("\n") == 1, errors
    assert problem in errors
    assert not list(tmp_path.iterdir())


def test_a_folder_with_other_files_is_not_used(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    code, _, errors = run("--output", str(tmp_path))
    assert code == 2
    assert errors == (
        f"error: {tmp_path}: not empty and not made by a build (no knowledge_run.json); "
        "choose a new folder with --output\n"
    )


@pytest.mark.parametrize("flags", [[], ["--status"], ["--dry_run"]])
def test_an_output_that_is_a_file_is_refused(tmp_path, flags):
    (tmp_path / "notes.txt").write_text("mine")
    code, output, errors = run("--output", str(tmp_path / "notes.txt"), *flags)
    assert (code, output) == (2, "")
    assert errors == f"error: --output {tmp_path}/notes.txt: is a file; choose a folder\n"


def test_a_file_of_another_kind_is_refused_before_the_dump_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n")
    flags = ("--wikidata", str(SAMPLES / "wikidata.json"), "--wikipedia", str(tmp_path / "a.csv"))
    code, _, errors = run(*flags, "--output", str(tmp_path / "corpus"))
    assert code == 3
    assert errors.startswith("error: a.csv:1: neither a MediaWiki XML dump") and errors.count("\n") == 1
    assert not (tmp_path / "corpus").exists()


def test_rejects_are_named_with_their_place_by_a_run_and_by_status(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "Port Vell " * 40}) + "\n{\n")
    (tmp_path / "w.json").write_text((SAMPLES / "wikidata.json").read_text().replace("[\n", "[\nbroken,\n", 1))
    flags = ["--wikidata", str(tmp_path / "w.json"), "--wikipedia", str(tmp_path / "a.jsonl")]
    flags += ["--output", str(tmp_path / "corpus"), "--only", "pages"]
    code, _, errors = run(*flags)
    assert code == 0
    notes = [line for line in errors.splitlines() if line.startswith("note: ")]
    assert [note.partition(", first")[0] for note in notes] == [
        "note: w.json: 1 bad record",
        "note: a.jsonl: 1 bad record",
    ]
    assert notes[1].endswith(
        "a.jsonl:2: broken_json: Input data was truncated: '{'; see rejects/pages/ for place and reason"
    )
    assert run(*flags, "--status")[2].splitlines() == notes


def test_a_dry_run_prints_files_and_settings_and_writes_nothing(tmp_path):
    code, output, _ = run("--dry_run", "--output", str(tmp_path / "corpus"))
    assert code == 0
    first, second, folder, *settings = output.splitlines()
    assert first.startswith(f"wikidata\t{SAMPLES / 'wikidata.json'}\t") and first.endswith(" bytes")
    assert second.startswith(f"wikipedia\t{SAMPLES / 'enwiki.xml'}\t")
    assert folder == f"output: {tmp_path}/corpus"
    assert json.loads("\n".join(settings))["export"]["min_score"] == 0.5
    assert not list(tmp_path.iterdir())


def test_the_status_of_a_folder_that_does_not_exist(tmp_path):
    code, output, _ = run("--status", "--output", str(tmp_path / "corpus"))
    assert code == 0
    assert [line.split("\t")[:2] for line in output.splitlines()] == [[stage, "to do"] for stage in knowledge.STAGES]


def exported(*sizes: tuple[int, int]) -> Exported:
    splits = (ExportedSplit(f"en_{n}", "train", texts, facts, 0) for n, (texts, facts) in enumerate(sizes))
    return Exported(splits=tuple(splits))


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (exported((1, 3)), "out: 1 text with 3 facts in 1 theme. Build it with "),
        (exported((1_500, 1), (5, 0)), "out: 1,505 texts with 1 fact in 2 themes. Build it with "),
        (
            exported(),
            "out: no text is exported: 2 of 7 paragraphs have a theme, with 4 facts. A paragraph has the theme",
        ),
    ],
)
def test_the_last_line_says_what_was_exported_or_why_nothing_was(result, line):
    shard = MatchedShard("match/0.parquet", 7, 5, 0, {"Person": ThemeCounts(2, {"spouse": 4}, {})})
    assert knowledge.closing_line(result, Matched((shard,)), "out").startswith(line)
