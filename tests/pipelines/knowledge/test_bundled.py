"""The bundled sample in both languages, from the dumps to a validated corpus, on one and on two workers."""

import json
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pipelines.knowledge import __main__ as knowledge
from tests.conftest import ROOT, build_here, checksums
from tests.pipelines.knowledge.test_command import run
from transforms.knowledge import themes

LANGS = ("en", "zh")


@pytest.fixture(scope="module", params=LANGS)
def made(request, tmp_path_factory) -> tuple[str, Path]:
    """The language, and the folder that the command wrote from the sample with its default settings."""
    output = tmp_path_factory.mktemp(f"knowledge_{request.param}") / "corpus"
    code, _, errors = run("--lang", request.param, "--output", str(output))
    assert code == 0, errors
    assert errors.splitlines()[-1].endswith(f"in 12 themes. Build it with {NEXT} --data_root {output}/export")
    return request.param, output


NEXT = "python -m pipelines.build"


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]


def test_every_theme_has_texts_with_facts(made):
    lang, output = made
    folders = {path.name: rows(path) for path in (output / "export").iterdir() if path.is_dir()}
    assert folders.keys() == {f"{lang}_{theme}" for theme in themes.load().themes}
    for name, texts in folders.items():
        facts = [fact for text in texts for fact in text["relation"]]
        assert len(facts) >= 2, name
        assert all(0.5 <= fact["score"] <= 1 for fact in facts)


def test_mentions_spell_their_offsets_and_relations_have_allowed_types(made):
    lang, output = made
    for path in sorted((output / "export").glob("*/knowledge.json")):
        about = json.loads(path.read_text())
        assert (about["lang"], about["licence"], about["scorer"]) == (lang, "CC-BY-SA-4.0", "lexical")
        assert [dump["name"] for dump in about["wikidata"] + about["wikipedia"]] == ["wikidata.json", f"{lang}wiki.xml"]
        relations = {relation["key"]: relation for relation in about["relations"]}
        for text in rows(path.parent):
            for entity in text["entity"]:
                assert text["text"][entity["start"] : entity["end"]] == entity["mention"]
            for fact in text["relation"]:
                relation = relations[fact["relation"]]
                assert fact["head_type"] in relation["head_types"] and fact["tail_type"] in relation["tail_types"]
                assert text["entity"][fact["head"]]["id"].startswith("Q99")
            assert set(text.get("unknown", ())) <= relations.keys()


def test_a_second_run_does_nothing(made):
    lang, output = made
    before = checksums(output, "**/*.*")
    code, _, errors = run("--lang", lang, "--output", str(output))
    assert code == 0
    assert [line for line in errors.splitlines() if line.endswith("already done")] == [
        f"{stage}: already done" for stage in knowledge.STAGES
    ]
    assert checksums(output, "**/*.*") == before
    code, status, _ = run("--lang", lang, "--output", str(output), "--status")
    assert {line.split("\t")[1] for line in status.splitlines()} == {"done"}


def test_the_build_takes_it_through_all_stages(made, tmp_path):
    lang, output = made
    flags = ("--data_root", str(output / "export"), "--output", str(tmp_path / "build"), "--hard_negatives", "none")
    done = build_here(*flags)
    assert done.returncode == 0, done.stderr
    assert "left out" not in done.stderr
    statistics = json.loads((tmp_path / "build/reports/stats.json").read_text())
    assert len(statistics["sources"]) == 12
    assert statistics["instructions"].keys() == {"RE", "SPO", "KG"}
    card = (tmp_path / "build/README.md").read_text()
    for fact in ("wikidata.json", f"{lang}wiki.xml", "the built-in lexical score", "CC-BY-SA-4.0"):
        assert fact in card


@pytest.mark.parametrize("made", ["zh"], indirect=True)
def test_two_workers_write_the_same_bytes(made, tmp_path):
    lang, output = made
    command = [sys.executable, "-m", "pipelines.knowledge", "--lang", lang, "--output", str(tmp_path / "corpus")]
    workers = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    done = subprocess.run([*command, *workers], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    for pattern in ("**/*.parquet", "export/**/*.json*"):
        assert checksums(tmp_path / "corpus", pattern) == checksums(output, pattern)


@pytest.mark.parametrize("made", ["en"], indirect=True)
def test_an_interrupted_run_says_so_in_one_line_and_is_resumed(made, tmp_path):
    lang, output = made
    command = [sys.executable, "-m", "pipelines.knowledge", "--lang", lang, "--output", str(tmp_path / "corpus")]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("pages: done"):
            process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert lines[-1] == "interrupted; run the same command again to resume\n"
    assert all(": done in " in line for line in lines[:-1])
    code, _, errors = run("--lang", lang, "--output", str(tmp_path / "corpus"))
    assert code == 0
    assert errors.splitlines()[:2] == ["entities: already done", "types: already done"]
    assert checksums(tmp_path / "corpus/export", "**/*.json*") == checksums(output / "export", "**/*.json*")


def test_the_theme_of_the_guide_makes_a_corpus_of_the_sample(tmp_path):
    (content,) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs/knowledge.md").read_text(), re.DOTALL | re.MULTILINE)
    (tmp_path / "landmarks.yaml").write_text(content)
    code, _, errors = run("--themes", str(tmp_path / "landmarks.yaml"), "--output", str(tmp_path / "landmarks"))
    assert code == 0, errors
    texts = rows(tmp_path / "landmarks/export/en_Landmarks")
    assert texts and all(fact["relation"] == "stands in" for text in texts for fact in text["relation"])
    assert "note: " not in errors and f"{len(texts)} texts with" in errors.splitlines()[-1]


def test_the_sample_has_no_text_twice(made):
    texts = Counter(text["text"] for path in (made[1] / "export").iterdir() if path.is_dir() for text in rows(path))
    assert max(texts.values()) == 1
