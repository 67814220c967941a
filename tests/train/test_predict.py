"""`python -m train.predict` from the flags to the files, with a random tiny model and with a server on loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from schemas.example import Entity, Example, Mention
from schemas.label import Label
from tests.conftest import ROOT
from tests.rows import instructions
from tests.train.serving import completion, serving
from train import predict
from transforms.ask import AskOptions
from transforms.prompts import load

LABELS = [Label(name) for name in ("event", "person", "place", "quay", "ship", "time", "tool")]
NAMES = ("Asta", "Berg", "Ingrid Solheim", "Halden")


def example(split: str, number: int) -> Example:
    name, other = NAMES[number % 4], NAMES[(number + 1) % 4]
    text = f"On day {number} {name} met {other} at the quay."
    entities = (Entity("person", Mention(name)), Entity("person", Mention(other)))
    return Example(f"notes/{split}/{number}", "Notes", split, "en", text, ("NER",), entities, None, None)


def rows_of(split: str, numbers) -> list[dict]:
    prompts = load(None, ("NER",), ("en",))
    result = []
    for number in numbers:
        result += instructions(example(split, number), "NER", LABELS, None, prompts, AskOptions(split_num={"NER": 4}))[
            0
        ]
    return [asdict(row) for row in result]


def write_rows(path: Path, rows) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> str:
    """12 test rows (two batches of labels for each of 6 texts) and validation rows."""
    rows = rows_of("test", range(6)) + rows_of("validation", range(20, 26))
    return write_rows(tmp_path_factory.mktemp("data") / "rows.jsonl", rows)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory, data) -> str:
    from train import tiny

    texts = [row["instruction"] for row in lines(data)]
    return tiny.save(texts, tmp_path_factory.mktemp("tiny") / "model", vocab_size=600, hidden_size=32)


def lines(path) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def gold(instruction: str, attempt: int = 0) -> tuple[int, bytes]:
    """What a model that knows everything answers."""
    requested = json.loads(instruction)
    people = sorted((name for name in NAMES if name in requested["input"]), key=requested["input"].find)
    return 200, completion(json.dumps({label: people if label == "person" else [] for label in requested["schema"]}))


def run(*flags: str, output) -> int:
    return predict.main([*flags, "--output", str(output)])


def ask(served, data, output, *flags) -> int:
    quick = ("--backoff_s", "0.001", "--retries", "1", "--timeout_s", "5")
    return run("--endpoint", served.url, "--data", data, *quick, *flags, output=output)


def test_an_endpoint_answers_a_split(data, tmp_path, capsys):
    output = tmp_path / "new" / "p.jsonl"
    with serving(gold) as served:
        assert ask(served, data, output, "--json") == 0
    printed = capsys.readouterr()
    assert {"rows": 12, "predicted": 12, "failed": 0, "cut": 0}.items() <= json.loads(printed.out).items()
    assert "12 rows predicted" in printed.err
    rows = lines(output)
    expected = rows_of("test", range(6))
    assert [row["id"] for row in rows] == [row["id"] for row in expected]
    for row, requested in zip(rows, expected, strict=True):
        assert row["output"] == json.loads(gold(requested["instruction"])[1])["choices"][0]["message"]["content"]
        assert row["label"] == requested["label"] and row["labels"] == list(requested["labels"])
        same = ("example_id", "task", "source", "lang", "split", "text_sha256", "instruction")
        assert [row[name] for name in same] == [requested[name] for name in same]
    first = lines(tmp_path / "new" / "p.joined.jsonl")[0]
    assert first == {
        "id": "notes/test/0",
        "task": "NER",
        "source": "Notes",
        "lang": "en",
        "text": "On day 0 Asta met Berg at the quay.",
        "entity": [
            {"entity": "Asta", "entity_type": "person", "spans": [[9, 13]]},
            {"entity": "Berg", "entity_type": "person", "spans": [[18, 22]]},
        ],
        "unparseable": [],
    }
    assert len(lines(tmp_path / "new" / "p.joined.jsonl")) == 6


def test_rows_with_a_gold_output_keep_it_as_label(data, tmp_path):
    with serving(gold) as served:
        assert ask(served, data, tmp_path / "p.jsonl", "--split", "validation") == 0
    assert all(json.loads(row["label"]) == json.loads(row["output"]) for row in lines(tmp_path / "p.jsonl"))


def test_rows_of_other_files_need_no_ids(rows_file, tmp_path):
    """IEPile's train.json: no ids, no splits."""
    from train.scoring.predictions import load

    output = tmp_path / "p.jsonl"
    with serving(lambda *_: (200, completion('{"person": [], "place": []}'))) as served:
        assert ask(served, rows_file, output, "--split", "train") == 0
        whole = output.read_bytes()
        output.write_bytes(whole[: len(whole) // 2])
        assert ask(served, rows_file, output, "--split", "train") == 0
    assert output.read_bytes() == whole
    expected = [json.loads(line) for line in Path(rows_file).read_text().splitlines()]
    assert [row["instruction"] for row in lines(output)] == [row["instruction"] for row in expected]
    assert load(str(output)).rows == 24


def test_older_test_files_of_iepile_name_neither_task_nor_source(rows_file, tmp_path, capsys):
    bare = [{key: row[key] for key in ("instruction",)} for row in lines(rows_file)[:3]]
    old = write_rows(tmp_path / "old.json", [{**row, "id": "a", "label": "[]"} for row in bare])
    with serving(lambda *_: (200, completion("{}"))) as served:
        assert ask(served, old, tmp_path / "p.jsonl") == 2
        assert "old.json:1: no task; a row has task" in capsys.readouterr().err
        assert ask(served, old, tmp_path / "p.jsonl", "--task", "NER") == 0
    assert {(row["task"], row["source"]) for row in lines(tmp_path / "p.jsonl")} == {("NER", "old")}


def test_a_model_that_never_ends_is_told_at_once(rows_file, tmp_path, capsys):
    rows = write_rows(tmp_path / "rows.json", lines(rows_file) * 2)
    for finish, told in (("length", 1), ("stop", 0)):
        with serving(lambda *_, finish=finish: (200, completion("{}", finish))) as served:
            assert ask(served, rows, tmp_path / f"{finish}.jsonl") == 0
        assert capsys.readouterr().err.count("note: the first 32 answers all reached the token limit") == told


def test_failed_rows_are_left_out_and_a_second_run_adds_them_in_order(data, tmp_path, capsys):
    output = tmp_path / "p.jsonl"
    broken = {"day 1 ", "day 4 "}

    def reply(instruction, attempt):
        return (500, b"oops") if any(day in instruction for day in broken) else gold(instruction)

    with serving(reply) as served:
        assert ask(served, data, output) == 1
        error = capsys.readouterr().err
        assert "4 of 12 rows have no answer (first: notes/test/1/NER/0: HTTP 500: oops)" in error
        assert len(lines(output)) == 8 and not (tmp_path / "p.joined.jsonl").exists()
        asked_before = len(served.requests)
        broken.clear()
        assert ask(served, data, output) == 0
        assert len(served.requests) - asked_before == 4
    assert [row["id"] for row in lines(output)] == [row["id"] for row in rows_of("test", range(6))]
    assert len(lines(tmp_path / "p.joined.jsonl")) == 6


def test_what_was_joined_before_does_not_stand_beside_failures(data, tmp_path):
    output = tmp_path / "p.jsonl"
    with serving(gold) as served:
        assert ask(served, data, output) == 0
        assert (tmp_path / "p.joined.jsonl").exists()
        output.write_bytes(b"".join(output.read_bytes().splitlines(keepends=True)[:11]))
        served.reply = lambda *_: (500, b"")
        assert ask(served, data, output) == 1
    assert not (tmp_path / "p.joined.jsonl").exists()


def test_a_limit_is_of_texts_and_keeps_all_their_rows(data, tmp_path):
    with serving(gold) as served:
        assert ask(served, data, tmp_path / "p.jsonl", "--limit", "2") == 0
    assert [row["id"] for row in lines(tmp_path / "p.jsonl")] == [row["id"] for row in rows_of("test", range(2))]


def test_answers_that_were_not_asked_or_are_none_are_not_joined(data, tmp_path):
    def reply(instruction, attempt):
        broken = "person" in json.loads(instruction)["schema"]
        return 200, completion('{"person": ["Asta"' if broken else '{"person": ["Asta"]}')

    with serving(reply) as served:
        assert ask(served, data, tmp_path / "p.jsonl", "--limit", "1") == 0
    (result,) = lines(tmp_path / "p.joined.jsonl")
    assert (result["entity"], result["unparseable"]) == ([], ["notes/test/0/NER/0"])


def test_a_killed_run_is_taken_up_where_it_stopped(data, tmp_path, capsys):
    output = tmp_path / "p.jsonl"
    with serving(gold) as served:
        assert ask(served, data, output) == 0
        whole = output.read_bytes()
        ends = [at for at, byte in enumerate(whole) if byte == ord("\n")]
        for kept in (0, ends[3] + 1, ends[3] + 200, len(whole) - 1):  # also in the middle of a line, and of the last
            output.write_bytes(whole[:kept])
            before = len(served.requests)
            assert ask(served, data, output) == 0
            assert output.read_bytes() == whole
            assert len(served.requests) - before == 12 - whole[:kept].count(b"\n")
        assert ask(served, data, output) == 0
        assert "all of them in earlier runs" in capsys.readouterr().err


def test_predictions_made_otherwise_are_not_gone_on_with(data, tmp_path, capsys):
    output = tmp_path / "p.jsonl"
    with serving(gold) as served:
        assert ask(served, data, output) == 0
        whole = output.read_bytes()
        capsys.readouterr()
        assert ask(served, data, output, "--max_new_tokens", "9") == 2
        assert "made with max_new_tokens = 1024, now it is 9" in capsys.readouterr().err
        meta = tmp_path / "p.meta.json"
        content = meta.read_text()
        meta.unlink()
        assert ask(served, data, output) == 2
        assert "which records how it was made" in capsys.readouterr().err
        meta.write_text(content)
        output.write_bytes(whole + whole[: whole.index(b"\n") + 1])
        assert ask(served, data, output) == 2
        assert "p.jsonl:13: a repeated row" in capsys.readouterr().err
        output.write_bytes(b"{}\n" + whole)
        assert ask(served, data, output) == 2
        assert "p.jsonl:1: not a row of predictions" in capsys.readouterr().err


def test_a_foreign_file_stays_as_it_is(data, tmp_path, capsys):
    output = tmp_path / "notes.txt"
    output.write_text("my notes\nwithout a line end")
    with serving(gold) as served:
        assert ask(served, data, output) == 2
    assert output.read_text() == "my notes\nwithout a line end"


def test_a_file_that_another_process_writes_is_left_alone(data, tmp_path, capsys):
    import fcntl

    output = tmp_path / "p.jsonl"
    with open(output, "ab") as held, serving(gold) as served:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert ask(served, data, output) == 2
    assert "another process is writing into it" in capsys.readouterr().err


def test_the_key_is_sent_and_never_shown(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame-123")
    with serving(lambda *_: (401, b'{"error": "bad key"}')) as served:
        assert ask(served, data, tmp_path / "p.jsonl", "--debug") == 2
        assert served.headers[0]["Authorization"] == "Bearer sesame-123"
    shown = capsys.readouterr()
    assert "HTTP 401: bad key" in shown.err and "set OPENAI_API_KEY" in shown.err
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "sesame" not in shown.out + shown.err + written


def test_examples_come_from_validation_by_hash(data, tmp_path):
    with serving(gold) as served:
        assert ask(served, data, tmp_path / "p.jsonl", "--shots", "3") == 0
        assert ask(served, data, tmp_path / "q.jsonl", "--shots", "3", "--seed", "7") == 0
    validation = {row["instruction"]: row["output"] for row in rows_of("validation", range(20, 26))}
    turns = []
    for request in served.requests:
        *shots, last = request["messages"]
        requested, answered = [m["content"] for m in shots[::2]], [m["content"] for m in shots[1::2]]
        assert [message["role"] for message in shots] == ["user", "assistant"] * 3
        assert [validation[instruction] for instruction in requested] == answered
        texts = {json.loads(instruction)["input"] for instruction in requested}
        assert len(texts) == 3 and json.loads(last["content"])["input"] not in texts
        turns.append((last["content"], tuple(requested)))
    once, again = dict(turns[:12]), dict(turns[12:])
    assert len(set(once.values())) > 1 and once != again


def test_an_example_is_never_the_text_that_is_asked(data, tmp_path):
    with serving(gold) as served:
        assert ask(served, data, tmp_path / "p.jsonl", "--split", "validation", "--shots", "5") == 0
        assert ask(served, data, tmp_path / "q.jsonl", "--split", "validation", "--shots", "6") == 2
    for request in served.requests:
        inputs = [json.loads(message["content"])["input"] for message in request["messages"][::2]]
        assert len(set(inputs)) == 6


def test_own_texts_in_windows_are_joined_with_their_offsets(tmp_path):
    sentences = [f"On day {number} {NAMES[number % 4]} met Halden." for number in range(8)]
    document = "  ".join(sentences)
    (tmp_path / "t.jsonl").write_text(json.dumps({"id": "log", "text": document}) + '\n{"text": "港口很安静。"}\n')
    flags = ("--task", "NER", "--labels", "person,place", "--max_chars", "80", "--overlap_chars", "40")
    with serving(gold) as served:
        text_flags = ("--endpoint", served.url, "--texts", str(tmp_path / "t.jsonl"))
        assert run(*text_flags, *flags, output=tmp_path / "p.jsonl") == 0
    rows = lines(tmp_path / "p.jsonl")
    assert [row["example_id"] for row in rows][:2] == ["texts/log/0", "texts/log/1"] and len(rows) > 4
    result, other = lines(tmp_path / "p.joined.jsonl")
    assert (result["id"], result["text"], other["id"], other["lang"]) == ("log", document, "1", "zh")
    assert {e["entity"] for e in result["entity"]} == set(NAMES)
    for e in result["entity"]:
        assert all(document[start:end] == e["entity"] for start, end in e["spans"])
        assert len(e["spans"]) == document.count(e["entity"])
    assert other["entity"] == []


MESSY = "\u200bAsta\u00a0met\r\nBe\u0301rg\u200b today.\u3000 Then\tInge\u00adborg left the  re\u0301uni\u200bon. "
"""Repaired: `Asta met\\nBérg today.\u3000 Then Ingeborg left the  réunion.`"""


@pytest.mark.parametrize("max_chars", [100, 25])
def test_offsets_are_those_of_the_text_as_it_was_given(tmp_path, max_chars):
    mentions = {"Asta": "Asta", "Bérg": "Be\u0301rg", "Ingeborg": "Inge\u00adborg", "réunion": "re\u0301uni\u200bon"}
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": MESSY}))

    def reply(instruction, attempt):
        text = json.loads(instruction)["input"]
        return 200, completion(json.dumps({"person": [name for name in mentions if name in text]}))

    flags = ("--task", "NER", "--labels", "person", "--max_chars", str(max_chars), "--overlap_chars", "0")
    with serving(reply) as served:
        text_flags = ("--endpoint", served.url, "--texts", str(tmp_path / "t.jsonl"))
        assert run(*text_flags, *flags, output=tmp_path / "p.jsonl") == 0
    (result,) = lines(tmp_path / "p.joined.jsonl")
    assert result["text"] == MESSY
    spelt = {e["entity"]: [MESSY[start:end] for start, end in e["spans"]] for e in result["entity"]}
    assert spelt == {name: [given] for name, given in mentions.items()}
    assert len(lines(tmp_path / "p.jsonl")) == (1 if max_chars == 100 else 3)


def test_arguments_have_the_offsets_of_the_text_as_it_was_given(tmp_path):
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": MESSY}))
    (tmp_path / "l.json").write_text('{"meet": ["who"]}')
    events = [{"trigger": "met", "arguments": {"who": ["Asta", "Bérg"]}}]
    flags = ("--task", "EE", "--labels", str(tmp_path / "l.json"))
    with serving(lambda *_: (200, completion(json.dumps({"meet": events})))) as served:
        text_flags = ("--endpoint", served.url, "--texts", str(tmp_path / "t.jsonl"))
        assert run(*text_flags, *flags, output=tmp_path / "p.jsonl") == 0
    (result,) = lines(tmp_path / "p.joined.jsonl")
    (event,) = result["event"]
    spans = [*event["trigger_spans"], *(span for argument in event["arguments"] for span in argument["spans"])]
    assert [MESSY[start:end] for start, end in spans] == ["met", "Asta", "Be\u0301rg"]


def test_a_mention_has_the_offsets_of_the_window_that_answered_it(tmp_path):
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": "Asta met Berg. Then Halden came. Berg left."}))

    def reply(instruction, attempt):
        people = ["Berg"] if "left" in json.loads(instruction)["input"] else []
        return 200, completion(json.dumps({"person": people}))

    flags = ("--task", "NER", "--labels", "person", "--max_chars", "30", "--overlap_chars", "0")
    with serving(reply) as served:
        text_flags = ("--endpoint", served.url, "--texts", str(tmp_path / "t.jsonl"))
        assert run(*text_flags, *flags, output=tmp_path / "p.jsonl") == 0
    (result,) = lines(tmp_path / "p.joined.jsonl")
    assert result["entity"] == [{"entity": "Berg", "entity_type": "person", "spans": [[33, 37]]}]


def model_run(tiny, data, output, *flags) -> int:
    return run("--model", tiny, "--data", data, "--max_new_tokens", "12", *flags, output=output)


def test_batches_answer_as_single_prompts_do(tiny, data, tmp_path):
    for size in (1, 5):
        assert model_run(tiny, data, tmp_path / f"{size}.jsonl", "--batch_size", str(size)) == 0
    assert lines(tmp_path / "1.jsonl") == lines(tmp_path / "5.jsonl")
    rows = lines(tmp_path / "5.jsonl")
    assert [row["id"] for row in rows] == [row["id"] for row in rows_of("test", range(6))]
    assert all(row["output"] for row in rows) and len({row["output"] for row in rows}) > 1


def test_answers_are_what_transformers_generates(tiny, data, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert model_run(tiny, data, tmp_path / "p.jsonl", "--limit", "1") == 0
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny), AutoTokenizer.from_pretrained(tiny)
    for row in lines(tmp_path / "p.jsonl"):
        turns = [{"role": "user", "content": row["instruction"]}]
        requested = tokenizer.apply_chat_template(
            turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            result = model.generate(**requested, do_sample=False, max_new_tokens=12)[
                0, requested["input_ids"].shape[1] :
            ]
        assert row["output"] == tokenizer.decode(result, skip_special_tokens=True)
        assert row["cut"] is (tokenizer.eos_token_id not in result.tolist())


def test_cut_answers_are_counted(tiny, data, tmp_path, capsys):
    assert model_run(tiny, data, tmp_path / "p.jsonl", "--json") == 0
    printed = capsys.readouterr()
    cut = sum(row["cut"] for row in lines(tmp_path / "p.jsonl"))
    assert json.loads(printed.out)["cut"] == cut > 0
    assert f"{cut} answers were cut at the token limit" in printed.err


def test_guided_answers_are_json_even_of_a_random_model(tiny, data, tmp_path):
    """A string may run on to the token limit; an answer that ended is the JSON asked for."""
    output = tmp_path / "p.jsonl"
    assert run("--model", tiny, "--data", data, "--guided", "--max_new_tokens", "300", output=output) == 0
    ended = [row for row in lines(output) if not row["cut"]]
    for row in ended:
        assert list(json.loads(row["output"])) == row["labels"]
        assert row["output"] == json.dumps(json.loads(row["output"]), ensure_ascii=False)
    assert all(row["output"].startswith('{"') for row in lines(output))


def test_an_adapter_changes_the_answers_and_one_of_another_base_is_refused(tiny, data, tmp_path, capsys):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    config = LoraConfig(target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(tiny), config).save_pretrained(tmp_path / "adapter")
    flags = ("--data", data, "--max_new_tokens", "12", "--adapter", str(tmp_path / "adapter"))
    assert run(*flags, output=tmp_path / "a.jsonl") == 0  # the base is the one that the adapter names
    assert model_run(tiny, data, tmp_path / "b.jsonl") == 0
    assert [row["output"] for row in lines(tmp_path / "a.jsonl")] != [r["output"] for r in lines(tmp_path / "b.jsonl")]

    adapter = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    adapter["base_model_name_or_path"] = "org/another"
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(adapter))
    capsys.readouterr()
    assert run(*flags, "--model", tiny, output=tmp_path / "c.jsonl") == 2
    assert "an adapter for org/another, not for" in capsys.readouterr().err
    adapter["base_model_name_or_path"] = None
    adapter["r"] = 3
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(adapter))
    assert run(*flags, "--model", tiny, output=tmp_path / "d.jsonl") == 2
    assert "does not fit the model" in capsys.readouterr().err


def test_a_model_trained_anew_into_its_folder_is_another(tiny, data, tmp_path, capsys):
    import shutil

    import torch
    from safetensors.torch import load_file, save_file

    model = str(shutil.copytree(tiny, tmp_path / "model"))
    assert model_run(model, data, tmp_path / "p.jsonl", "--limit", "1") == 0
    weights = load_file(f"{model}/model.safetensors")
    save_file(
        {name: torch.randn_like(w) for name, w in weights.items()}, f"{model}/model.safetensors", {"format": "pt"}
    )
    assert model_run(model, data, tmp_path / "p.jsonl", "--limit", "1") == 2
    assert "made with model_files" in capsys.readouterr().err


def test_a_prompt_that_the_model_cannot_read_is_left_out(tiny, data, tmp_path, capsys):
    long = rows_of("test", [7])[0]
    content = json.loads(long["instruction"])
    long["instruction"] = json.dumps({**content, "input": "quay " * 5000})
    file = write_rows(tmp_path / "rows.jsonl", [*rows_of("test", [0]), long])
    assert model_run(tiny, file, tmp_path / "p.jsonl") == 1
    assert "1 of 3 rows have no answer" in capsys.readouterr().err
    assert len(lines(tmp_path / "p.jsonl")) == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data", "{data}"], "no model: pass --model, --adapter or --endpoint"),
        (["--model", "{tiny}"], "either --data or --texts"),
        (["--model", "{tiny}", "--data", "{data}", "--texts", "x"], "either --data or --texts"),
        (["--model", "{tiny}", "--texts", "{data}"], "--texts needs --task and --labels"),
        (["--model", "{tiny}", "--texts", "{data}", "--task", "NER", "--labels", "a", "--shots", "1"], "--shots takes"),
        (["--model", "{tiny}", "--texts", "no.txt", "--task", "NER", "--labels", "a"], "no.txt: No such file"),
        (["--model", "{tiny}", "--texts", "{data}", "--task", "X", "--labels", "a"], "--task X: no such task"),
        (["--model", "no/such/model", "--data", "{data}"], "no/such/model"),
        (["--model", "{folder}", "--data", "{data}"], "contains no model"),
        (["--model", "{tiny}", "--adapter", "{folder}", "--data", "{data}"], "no adapter"),
        (["--model", "{without_end}", "--data", "{data}"], "no end-of-sequence token"),
        (["--model", "{without_weights}", "--data", "{data}"], "cannot load the model"),
        (["--model", "{tiny}", "--data", "{data}", "--split", "train"], "train"),
        (["--model", "{tiny}", "--data", "{data}", "--tasks", "RE"], "RE"),
        (["--model", "{tiny}", "--data", "{doubled}"], "two rows have the id 'notes/test/0/NER/0'"),
        (["--model", "{tiny}", "--data", "{only_test}", "--shots", "1"], "no validation split"),
        (["--model", "{tiny}", "--data", "{data}", "--shots", "7"], "--shots 7: the validation split has fewer"),
        (["--model", "{tiny}", "--data", "{data}", "--device", "tpu9"], "--device tpu9"),
        (["--model", "{tiny}", "--data", "{data}", "--device", "cpu", "--four_bit"], "4-bit weights need a CUDA"),
        (["--model", "{tiny}", "--data", "{data}", "--batch_size", "0"], "--batch_size 0"),
        (["--model", "{tiny}", "--data", "{data}", "--batch_size", "many"], "see --help"),
        (["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}"], "the server does not answer"),
        (["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}", "--request", "{{"], "invalid JSON"),
        (["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}", "--adapter", "x"], "the server sets it"),
        (
            ["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}", "--request", '"\\ud800"'],
            "an unpaired surrogate",
        ),
        (["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}", "--request", "NaN"], "invalid JSON"),
        (["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}", "--request", "[]"], "must be a JSON object"),
        (["--endpoint", "http://127.0.0.1:9/v1", "--data", "{data}", "--model", "a\udcff"], "is not valid UTF-8"),
        (["--endpoint", "http://127.0.0.1:74333/", "--data", "{data}"], "not a valid URL"),
    ],
)
def test_bad_input_is_one_line(flags, message, tiny, data, tmp_path, capsys):
    import shutil

    places = {"tiny": tiny, "data": data, "folder": str(tmp_path)}
    for name in ("without_end", "without_weights"):
        places[name] = str(shutil.copytree(tiny, tmp_path / name))
    config = json.loads((tmp_path / "without_end" / "tokenizer_config.json").read_text())
    del config["eos_token"]
    (tmp_path / "without_end" / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "without_weights" / "model.safetensors").unlink()
    rows = rows_of("test", range(2))
    places["doubled"] = write_rows(tmp_path / "doubled.jsonl", [rows[0], *rows])
    places["only_test"] = write_rows(tmp_path / "only_test.jsonl", rows)
    code = run(*(flag.format(**places) for flag in flags), output=tmp_path / "p.jsonl")
    error = capsys.readouterr().err
    assert code == 2 or (code == 1 and "no/such" in message), error
    assert message in error and error.startswith("error: ") and error.count("\n") == 1
    assert not (tmp_path / "p.joined.jsonl").exists()


@pytest.mark.parametrize("flag", predict.RANGES)
def test_a_number_out_of_range_is_one_line(flag, capsys):
    is_float = flag in ("timeout_s", "backoff_s")
    for value in ("nan", "inf", "-inf", "-1", "1e300") if is_float else ("-1", "9" * 30):
        code = predict.main(["--model", "x", "--data", "y", f"--{flag}={value}"])
        error = capsys.readouterr().err
        assert code == 2 and error.startswith(f"error: --{flag} ") and error.count("\n") == 1, (value, error)
        assert "must be" in error


def test_the_key_gets_into_no_file_and_no_message(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sesame/1")

    def reply(instruction, attempt):
        if "day 3 " in instruction:
            return 400, b"you sent Bearer sk-sesame\\/1"
        return 200, completion('{"person": ["sk-sesame\\/1", "sk-\\u0073esame/1"]}')

    with serving(reply) as served:
        assert ask(served, data, tmp_path / "p.jsonl") == 1
        for flags in (("--request", '{"user": "sk-sesame/1"}'), ("--model", "sk-sesame/1")):
            assert ask(served, data, tmp_path / "q.jsonl", *flags) == 2
    printed = capsys.readouterr()
    files = [path.read_text() for path in tmp_path.iterdir() if path.name.startswith(("p.", "q."))]
    assert len(files) == 2 and "***" in printed.err
    assert not any("esame" in content for content in (printed.out, printed.err, *files))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_at_once_and_is_taken_up(stop, data, tmp_path):
    output = tmp_path / "p.jsonl"
    slow = {"day 3 ", "day 5 "}

    def reply(instruction, attempt):
        return "hang" if any(day in instruction for day in slow) else gold(instruction)

    with serving(reply) as served:
        flags = ("--endpoint", served.url, "--data", data, "--output", str(output))
        command = [sys.executable, "-m", "train.predict", *flags]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ})
        deadline = time.monotonic() + 60
        while (not output.exists() or output.read_bytes().count(b"\n") < 8) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(stop)
        started = time.monotonic()
        _, error = process.communicate(timeout=30)
        assert process.returncode == 130
        assert error == "interrupted; run the same command again to resume\n"
        assert time.monotonic() - started < 10
        slow.clear()
        assert predict.main(list(flags)) == 0
    assert [row["id"] for row in lines(output)] == [row["id"] for row in rows_of("test", range(6))]


def test_help_loads_nothing_heavy():
    heavy = ("torch", "datasets", "transformers", "apache_beam")
    code = f"import sys, train.predict; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
