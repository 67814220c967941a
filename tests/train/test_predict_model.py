"""`python -m train.predict` with a random tiny model: its answers, adapters, and prompts that are too long."""

import json

import pytest

from schemas.answers import Answer, Prompt
from tests.train.conftest import write_rows
from tests.train.predicting import lines, model_run, rows_for, run
from train.prediction import generate


def test_batches_give_the_answers_of_single_prompts(notes_model, notes_file, tmp_path):
    for size in (1, 5):
        assert model_run(notes_model, notes_file, tmp_path / f"{size}.jsonl", "--batch_size", str(size)) == 0
    assert lines(tmp_path / "1.jsonl") == lines(tmp_path / "5.jsonl")
    rows = lines(tmp_path / "5.jsonl")
    assert [row["id"] for row in rows] == [row["id"] for row in rows_for("test", range(6))]
    assert all(row["output"] for row in rows) and len({row["output"] for row in rows}) > 1


def test_answers_are_what_transformers_generates(notes_model, notes_file, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert model_run(notes_model, notes_file, tmp_path / "p.jsonl", "--limit", "1") == 0
    model, tokenizer = AutoModelForCausalLM.from_pretrained(notes_model), AutoTokenizer.from_pretrained(notes_model)
    for row in lines(tmp_path / "p.jsonl"):
        turns = [{"role": "user", "content": row["instruction"]}]
        prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        with torch.inference_mode():
            result = model.generate(**prompt, do_sample=False, max_new_tokens=12)[0, prompt["input_ids"].shape[1] :]
        assert row["output"] == tokenizer.decode(result, skip_special_tokens=True)
        assert row["cut"] is (tokenizer.eos_token_id not in result.tolist())


def test_cut_answers_are_counted(notes_model, notes_file, tmp_path, capsys):
    assert model_run(notes_model, notes_file, tmp_path / "p.jsonl", "--json") == 0
    printed = capsys.readouterr()
    cut = sum(row["cut"] for row in lines(tmp_path / "p.jsonl"))
    assert json.loads(printed.out)["cut"] == cut > 0
    assert f"{cut} answers were cut at the token limit" in printed.err


@pytest.mark.parametrize("limit", ["100", "200"])
def test_a_random_model_gives_json_if_guided(limit, notes_model, notes_file, tmp_path):
    """Every answer is JSON with the requested labels and words of the text, also where the token limit ends it."""
    output = tmp_path / "p.jsonl"
    assert run("--model", notes_model, "--data", notes_file, "--guided", "--max_new_tokens", limit, output=output) == 0
    rows = lines(output)
    for row in rows:
        answer = json.loads(row["output"])
        assert list(answer) == row["labels"]
        assert row["output"] == json.dumps(answer, ensure_ascii=False)
        text = json.loads(row["instruction"])["input"]
        assert all(mention in text for mentions in answer.values() for mention in mentions)
    assert any(row["cut"] for row in rows) is (limit == "100")


def test_lists_of_guided_answers_have_at_most_max_items(notes_model, notes_file, tmp_path):
    output = tmp_path / "p.jsonl"
    assert run("--model", notes_model, "--data", notes_file, "--guided", "--max_items", "2", output=output) == 0
    sizes = [len(mentions) for row in lines(output) for mentions in json.loads(row["output"]).values()]
    assert max(sizes) == 2 and not any(row["cut"] for row in lines(output))


def test_an_adapter_changes_the_answers_and_must_fit_its_base(notes_model, notes_file, tmp_path, capsys):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    config = LoraConfig(target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(notes_model), config).save_pretrained(tmp_path / "adapter")
    flags = ("--data", notes_file, "--max_new_tokens", "12", "--adapter", str(tmp_path / "adapter"))
    assert run(*flags, output=tmp_path / "a.jsonl") == 0  # with the base model that the adapter names
    assert model_run(notes_model, notes_file, tmp_path / "b.jsonl") == 0
    assert [row["output"] for row in lines(tmp_path / "a.jsonl")] != [r["output"] for r in lines(tmp_path / "b.jsonl")]

    adapter = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    adapter["base_model_name_or_path"] = "org/another"
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(adapter))
    capsys.readouterr()
    assert run(*flags, "--model", notes_model, output=tmp_path / "c.jsonl") == 2
    assert "an adapter for org/another, not for" in capsys.readouterr().err
    adapter["base_model_name_or_path"] = None
    adapter["r"] = 3
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(adapter))
    assert run(*flags, "--model", notes_model, output=tmp_path / "d.jsonl") == 2
    assert "does not fit the model" in capsys.readouterr().err


def test_a_prompt_too_long_for_the_model_is_recorded(notes_model, notes_file, tmp_path, capsys):
    long = rows_for("test", [7])[0]
    content = json.loads(long["instruction"])
    long["instruction"] = json.dumps({**content, "input": "quay " * 5000})
    file = write_rows(tmp_path / "rows.jsonl", [*rows_for("test", [0]), long])
    for _ in range(2):  # it is not tried again
        assert model_run(notes_model, file, tmp_path / "p.jsonl", "--json") == 0
        printed = capsys.readouterr()
        assert "1 of 3 rows cannot be answered and are not tried again: prompt too long 1" in printed.err
        counts = json.loads(printed.out)
        assert (counts["predicted"], counts["unanswerable"], counts["failed"]) == (2, 1, 0)
    *_, row = lines(tmp_path / "p.jsonl")
    assert row["output"] is None and row["unanswerable"].startswith("prompt too long: ")
    assert json.loads((tmp_path / "p.meta.json").read_text())["unanswerable"] == {"prompt too long": 1}
    joined = lines(tmp_path / "p.joined.jsonl")
    assert [line["unparseable"] for line in joined][1] == [row["id"]]

    alone = write_rows(tmp_path / "alone.jsonl", [long])
    assert model_run(notes_model, alone, tmp_path / "q.jsonl") == 1
    assert "no row can be answered (prompt too long 1; line 1 says more)" in capsys.readouterr().err


class Canned:
    """A model that "generates" the same tokens after every prompt, as `generate` of transformers does it."""

    device = "cpu"

    def __init__(self, tokens):
        self.tokens, self.steps = tokens, 0

    def generate(self, input_ids, max_new_tokens, stopping_criteria, logits_processor, attention_mask):
        import torch

        (stop,) = stopping_criteria
        done = torch.zeros(len(input_ids), dtype=torch.bool)
        for token in self.tokens[:max_new_tokens]:
            self.steps += 1
            step = torch.where(done, 0, token)
            input_ids = torch.cat([input_ids, step[:, None]], dim=1)
            done = done | stop(input_ids, None)
            if done.all():
                break
        return input_ids


def batch_answers(model_folder, text, prompt_lengths, context, limit):
    """The answers of a model that always says `text`, and the number of steps until all were complete."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = Canned(tokenizer(text, add_special_tokens=False)["input_ids"])
    loaded = generate.Loaded(model, tokenizer, (0,), context, None, generate.closing_tokens(tokenizer))
    prompts = [Prompt("")] * len(prompt_lengths)
    return generate.answer_batch(loaded, [[5] * n for n in prompt_lengths], prompts, limit), model.steps


def test_generation_stops_where_the_json_is_closed(notes_model):
    answer = '{"person": ["Asta}"], "place": []}'
    answers, steps = batch_answers(notes_model, answer + "\n### Instruction: Find {", [3, 3], None, 500)
    assert answers == [Answer(answer, cut=False)] * 2
    _, most = batch_answers(notes_model, answer, [3], None, 500)
    assert steps <= most + 1
    for free in ("a sentence } that goes on", '{"person": "}'):
        assert batch_answers(notes_model, free, [3], None, 500)[0] == [Answer(free, cut=True)]


def test_a_long_prompt_does_not_shorten_the_answers_of_its_batch(notes_model):
    answer = '{"person": ["Asta"]}'
    (long, short), _ = batch_answers(notes_model, answer, [97, 10], 100, 50)
    assert short == Answer(answer, cut=False)
    assert long.cut and answer.startswith(long.text) and len(long.text) < len(answer)
