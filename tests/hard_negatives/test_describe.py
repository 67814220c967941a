"""The command that writes the lines of a build, against a server on loopback that fails in many ways."""

import json
from collections import Counter

import pytest

from hard_negatives import contrast_prompts, describe, dictionary
from hard_negatives.contrast import bases
from hard_negatives.contrast_file import read
from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from schemas import json_values
from schemas.label import Label, LabelSet
from tests.serving import completion, serving

TOWNS = LabelSet(
    "NER",
    "towns",
    "Towns",
    "en",
    (Label("city", "a town with city rights"), Label("river"), Label("sea", "salt water"), Label("village", "a place")),
)
CLINIC = LabelSet("RE", "clinic", "Clinic", "zh", (Label("导致", "引起疾病"), Label("治疗", "用于疾病的药物")))
FLOODS = LabelSet("EET", "floods", "Floods", "en", (Label("fire"), Label("flood", 'water {where} it is "not"')))
LABELS = 8
TEMPLATE_LINES = 6
"""Labels with a neighbour that has a description."""


def write_build(folder, neighbours=("village", "river")):
    """The files of a build that the command reads."""
    rankings = {
        "NER": {"city": neighbours, "river": ["city"], "village": ["city"], "sea": ["river"]},
        "RE": {"导致": ["治疗"], "治疗": ["导致"]},
        "EE": {"fire": ["flood"], "flood": ["fire"]},
    }
    for labels in (TOWNS, CLINIC, FLOODS):
        task = "EE" if labels.task == "EET" else labels.task
        by_label = {name: Ranking(tuple(map(Neighbour, others))) for name, others in rankings[task].items()}
        made = Dictionary(task, labels.key, labels.source, labels.lang, "lexical", by_label)
        for name, text in (
            (f"labels/{labels.task}", json_values.render(labels)),
            (f"hard_negatives/{task}", dictionary.dump(made)),
        ):
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / f"{labels.key}.json").write_text(text, encoding="utf-8")
    (folder / "hard_negatives/manifest.json").write_text("{}")
    return folder


@pytest.fixture
def build(tmp_path):
    return write_build(tmp_path / "build")


def run(build, *arguments, url=None):
    flags = ["--output", str(build), *arguments]
    if url:
        flags += ["--endpoint", url, "--retries", "0", "--timeout_s", "5", "--backoff_s", "0", "--concurrency", "2"]
    return describe.main(flags)


def lines(build):
    return {key[2]: entry.contrast for key, entry in read(str(build / "contrasts.json")).items()}


def right(prompt, attempt=0):
    """A good answer to a prompt."""
    if "导致" in prompt:
        return 200, completion("这个关系；不是“导致”，也不是“治疗”")
    named = next(name for name in ("city", "river", "village", "fire", "flood") if f"- '{name}'" in prompt)
    return 200, completion(f" what it means; not '{named}', which is another \n")


def test_the_template_writes_lines_against_described_neighbours(build, capsys):
    assert run(build) == 0
    assert "6 lines of the template written" in capsys.readouterr().err
    written = lines(build)
    assert written["city"] == "a town with city rights; not 'village', which means a place"
    assert written["导致"] == "引起疾病；不是“治疗”，后者指用于疾病的药物"
    assert written["fire"] == "not 'flood', which means water {where} it is \"not\"" and len(written) == TEMPLATE_LINES
    before = (build / "contrasts.json").read_bytes()
    assert run(build) == 0 and (build / "contrasts.json").read_bytes() == before
    assert "no line to write; kept: 6 up to date" in capsys.readouterr().err


def test_a_model_writes_lines_that_a_second_run_does_not_ask_for(build, capsys):
    with serving(right) as served:
        assert run(build, url=served.url) == 0
        assert len(served.requests) == LABELS and set(served.attempts.values()) == {1}
        assert lines(build)["river"] == "what it means; not 'city', which is another"
        assert {entry.model for entry in read(str(build / "contrasts.json")).values()} == {"tiny"}
        assert "8 lines of tiny written, 0 of the template" in capsys.readouterr().err
        assert run(build, url=served.url) == 0 and len(served.requests) == LABELS
        write_build(build, ["village"])  # other neighbours of one label
        assert run(build) == 0
        assert "kept: 1 of a model and made for other neighbours" in capsys.readouterr().err
        assert run(build, url=served.url) == 0 and len(served.requests) == LABELS + 1
    entry = read(str(build / "contrasts.json"))["NER", "towns", "city"]
    assert entry.neighbours == {"village": "a place"} and not entry.is_edited


def test_a_model_replaces_lines_of_the_template_but_not_those_of_a_person(build):
    assert run(build) == 0
    path = build / "contrasts.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["NER"]["towns"]["city"]["contrast"] = "a place with a mayor"
    content["NER"]["towns"]["sea"] = {"contrast": "salt water"}
    path.write_text(json.dumps(content))
    write_build(build, ["village"])
    with serving(right) as served:
        assert run(build, url=served.url) == 0 and len(served.requests) == LABELS - 2
    assert run(build) == 0
    assert lines(build)["city"] == "a place with a mayor" and lines(build)["sea"] == "salt water"
    assert "which is another" in lines(build)["village"]


def test_the_prompt_shows_the_neighbours_in_the_language_of_the_labels(build):
    with serving(right) as served:
        assert run(build, url=served.url) == 0
    prompts = [request["messages"][-1]["content"] for request in served.requests]
    (city,) = [prompt for prompt in prompts if "type of entity 'city': a town with city rights." in prompt]
    assert "- 'village': a place\n- 'river'\n" in city and "in English" in city
    assert any("关系“导致”：引起疾病" in prompt and "- “治疗”：用于疾病的药物" in prompt for prompt in prompts)
    assert {request["max_tokens"] for request in served.requests} == {contrast_prompts.MAX_NEW_TOKENS}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "the line is empty"),
        ("a town\nnot 'village'", "more than one line"),
        ("a town \ud800; not 'village'", "an unpaired surrogate"),
        ("not 'village' " * 100, "characters, at most"),
        ("城市是有市权的城镇，不是“village”", "in Chinese, not in English"),
        ("a town with a mayor", "names no neighbour"),
        ("a town; not 'village', not 'sea'", "names sea, which is no neighbour"),
        ("a town; not “village”, not “sea”", "names sea, which is no neighbour"),
    ],
)
def test_a_bad_answer_is_reported_and_gives_the_line_of_the_template(build, capsys, answer, reason):
    def reply(prompt, attempt):
        return (200, completion(answer)) if "entity 'city'" in prompt else right(prompt)

    with serving(reply) as served:
        assert run(build, url=served.url) == 0
        shown = capsys.readouterr().err
        assert "7 lines of tiny written, 1 of the template for bad answers" in shown
        assert "warning: the template replaces a bad answer: NER towns city: " in shown and reason in shown
        assert lines(build)["city"].startswith("a town with city rights; not 'village', which means")
        assert run(build, url=served.url) == 0 and len(served.requests) == LABELS + 1  # it is asked for again


def test_an_answer_at_the_token_limit_is_bad(build, capsys):
    with serving(lambda *_: (200, completion("a town; not 'village'", "length"))) as served:
        assert run(build, url=served.url) == 0
    assert "reached the token limit" in capsys.readouterr().err
    assert {entry.model for entry in read(str(build / "contrasts.json")).values()} == {"template"}


def test_an_endpoint_that_fails_half_way_keeps_the_answers_and_is_resumed(build, capsys):
    answered = Counter()

    def reply(prompt, attempt):
        answered[attempt] += 1
        return right(prompt) if answered[0] <= 3 or attempt else (500, b"overloaded")

    with serving(reply) as served:
        assert run(build, url=served.url) == 1
        (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert "5 of 8 labels have no answer" in error and "HTTP 500: overloaded" in error
        assert "run the same command again" in error and len(lines(build)) == 3
        assert run(build, url=served.url) == 0
        assert len(lines(build)) == LABELS and len(served.requests) == LABELS + 5


def test_bad_answers_are_reported_if_the_server_fails_later(build, capsys):
    def reply(prompt, attempt):
        return (200, completion("what?")) if "'river'" in prompt else (500, b"")

    with serving(reply) as served:
        assert run(build, url=served.url) == 1
    shown = capsys.readouterr().err
    assert "warning: the template replaces a bad answer: NER towns river: names no neighbour: 'what?'" in shown
    assert "labels have no answer" in shown.splitlines()[-1]


def test_answers_are_kept_if_the_server_refuses_the_rest(build):
    seen = []

    def reply(prompt, attempt):
        seen.append(prompt)
        return right(prompt) if len(seen) <= 3 else (401, b"key expired")

    with serving(reply) as served:
        assert run(build, "--concurrency", "1", url=served.url) == 2
    assert 1 <= len(lines(build)) <= 3


def test_a_dry_run_asks_and_writes_nothing(build, capsys):
    with serving(right) as served:
        assert run(build, "--dry_run", url=served.url) == 0
        assert not served.requests and not served.headers and not (build / "contrasts.json").exists()
    assert "8 lines would be written" in capsys.readouterr().err


def test_the_file_may_be_elsewhere(build, tmp_path):
    assert run(build, "--file", str(tmp_path / "mine.json")) == 0
    assert len(read(str(tmp_path / "mine.json"))) == TEMPLATE_LINES and not (build / "contrasts.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "gpt"], "--model is a model of --endpoint"),
        (["--endpoint", "localhost:1"], "does not start with http"),
        (["--endpoint", "http://localhost:1/v1", "--retries", "-1"], "--retries -1: must be at least 0"),
        (["--endpoint", "http://localhost:1/v1", "--request", "[]"], "must be a JSON object"),
        (["--file", "s3://bucket/lines.json"], "not a file of this machine"),
    ],
)
def test_wrong_flags_are_one_line(build, capsys, arguments, message):
    assert run(build, *arguments) == 2
    shown = capsys.readouterr().err
    assert message in shown and len(shown.splitlines()) == 1


def test_a_folder_without_dictionaries_is_refused(tmp_path, capsys):
    assert run(tmp_path) == 2
    assert "no hard_negatives/ in it" in capsys.readouterr().err


def test_names_in_other_scripts_are_accepted():
    labels = LabelSet("NER", "a", "A", "zh", (Label("DRUG"), Label("DISEASE")))
    ranking = Dictionary("NER", "a", "A", "zh", "", {"DRUG": Ranking((Neighbour("DISEASE"),))})
    basis = bases(labels, ranking)["DRUG"]
    assert not contrast_prompts.problem("药品；不是“DISEASE”，后者指疾病", basis, labels)
    assert contrast_prompts.problem("لا 'DISEASE' دواء للمريض وليس مرضا", basis, labels)
