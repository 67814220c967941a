"""One template for training, predicting and serving: the same token ids everywhere."""

import json
import re
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigError
from tests.conftest import ROOT
from tests.train.conftest import ner_row
from train import chat

CHATML = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""
THINKING = CHATML.replace(
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}",
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}"
    "{%- if enable_thinking is defined and enable_thinking is false -%}{{- '<think>\\n\\n</think>\\n\\n' -}}"
    "{%- endif -%}{%- endif -%}",
).replace(
    "message.content +", "('<think>\\n\\n</think>\\n\\n' if message.role == 'assistant' else '') + message.content +"
)

SHOWN = re.compile(r"^```jinja\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DOCUMENTED = SHOWN.findall((ROOT / "docs/train.md").read_text(encoding="utf-8"))

ROW = ner_row(1)


@pytest.fixture(scope="module")
def tokenizer(tiny_base):
    return chat.load_tokenizer(tiny_base)


@pytest.mark.parametrize("template", [chat.PLAIN, CHATML, THINKING, *DOCUMENTED])
def test_training_transformers_and_a_saved_tokenizer_render_the_same_ids(tiny_base, tmp_path, template):
    from transformers import AutoTokenizer

    file = tmp_path / "template.jinja"
    file.write_text(template)
    tokenizer = chat.load_tokenizer(tiny_base, chat_template=str(file))
    ids, mask = chat.example(tokenizer, ROW["instruction"], ROW["output"])
    prompt = chat.prompt(tokenizer, ROW["instruction"])
    tokenizer.save_pretrained(tmp_path / "saved")
    served = AutoTokenizer.from_pretrained(tmp_path / "saved")
    turns = [{"role": "user", "content": ROW["instruction"]}]
    asked = served.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]
    assert asked == prompt == ids[: len(prompt)]
    assert sum(mask) == len(ids) - len(prompt) and mask == sorted(mask)
    answer = tokenizer.decode([i for i, of_answer in zip(ids, mask, strict=True) if of_answer])
    end = "<|im_end|>\n</s>" if "im_end" in template else "</s>"
    assert answer.strip().replace(" </s>", "</s>") == ROW["output"] + end  # Llama 2's has a blank before
    whole = served.apply_chat_template([*turns, {"role": "assistant", "content": ROW["output"]}])["input_ids"]
    assert whole[: len(ids) - 1] == ids[:-1]
    again = chat.load_tokenizer(str(tmp_path / "saved"))
    assert chat.example(again, ROW["instruction"], ROW["output"]) == (ids, mask)


def test_an_adapter_brings_its_own_template(tiny_base, tmp_path, tokenizer):
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "chat_template.jinja").write_text(CHATML)
    assert chat.load_tokenizer(tiny_base, adapter=str(tmp_path)).chat_template == CHATML
    assert chat.load_tokenizer(tiny_base, adapter=str(tmp_path / "none")).chat_template == chat.PLAIN


def test_no_model_is_asked_to_reason_first(tokenizer, tmp_path):
    file = tmp_path / "template.jinja"
    file.write_text(THINKING)
    once = chat.template(tokenizer, str(file))
    file.write_text(once)
    assert once == chat.NO_THINKING + THINKING == chat.template(tokenizer, str(file))


def test_solved_examples_come_first(tokenizer):
    text = chat.prompt_text(tokenizer, "c", [("a", "b")])
    assert text == ("<s>### Instruction:\na\n\n### Answer:\nb</s>\n\n### Instruction:\nc\n\n### Answer:\n")


@given(st.text(), st.text())
def test_prompt_and_answer_lose_nothing(tokenizer, instruction, output):
    ids, mask = chat.example(tokenizer, instruction, output)
    start = mask.index(1)
    assert ids[:start] == chat.prompt(tokenizer, instruction)
    assert ids[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(ids[start:-1], clean_up_tokenization_spaces=False) == output


def test_a_tokenizer_without_an_end_is_refused(tiny_base, tmp_path):
    for name in ("tokenizer.json", "tokenizer_config.json", "config.json"):
        shutil.copy(f"{tiny_base}/{name}", tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    del config["eos_token"]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match="no end-of-sequence token"):
        chat.load_tokenizer(str(tmp_path))
    assert chat.load_tokenizer(str(tmp_path), eos_token="</s>").eos_token_id == 2
    with pytest.raises(ConfigError, match="'<end>': not in the vocabulary"):
        chat.load_tokenizer(str(tmp_path), eos_token="<end>")


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{{ messages[0]['content'] }", "does not render: unexpected '}'"),
        ("{{ raise_exception('system first') }}", "does not render: system first"),
    ],
)
def test_a_template_that_does_not_render_is_refused(tiny_base, tmp_path, template, line):
    (tmp_path / "t.jinja").write_text(template)
    with pytest.raises(ConfigError, match=line):
        chat.load_tokenizer(tiny_base, chat_template=str(tmp_path / "t.jinja"))


def test_a_template_that_answers_elsewhere_is_refused(tiny_base, tmp_path):
    (tmp_path / "t.jinja").write_text(CHATML.replace("assistant\\n' -}}{%- endif", "assistant\\n<think>' -}}{%- endif"))
    tokenizer = chat.load_tokenizer(tiny_base, chat_template=str(tmp_path / "t.jinja"))
    with pytest.raises(ConfigError, match="does not put an answer right behind its own prompt"):
        chat.example(tokenizer, "a", "b")


@pytest.mark.parametrize(
    ("model", "line"),
    [("no/such/model", "no such folder"), ("./model", "no such folder"), ("{folder}", "holds no model")],
)
def test_a_model_path_that_is_none_is_refused(tmp_path, model, line):
    with pytest.raises(ConfigError, match=line):
        chat.load_tokenizer(model.format(folder=tmp_path))
