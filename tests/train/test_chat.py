"""One template for training, predicting and serving: the same token ids everywhere."""

import copy
import json
import re
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigError
from tests.conftest import ROOT
from tests.train.conftest import ner_row
from train import chat, tiny

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
def test_training_and_a_saved_tokenizer_render_the_same_ids(tiny_base, tmp_path, template):
    from transformers import AutoTokenizer

    file = tmp_path / "template.jinja"
    file.write_text(template)
    tokenizer = chat.load_tokenizer(tiny_base, chat_template=str(file))
    ids, mask = chat.example(tokenizer, ROW["instruction"], ROW["output"])
    prompt = chat.prompt(tokenizer, ROW["instruction"])
    tokenizer.save_pretrained(tmp_path / "saved")
    served = AutoTokenizer.from_pretrained(tmp_path / "saved")
    turns = [{"role": "user", "content": ROW["instruction"]}]
    served_prompt = served.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]
    assert served_prompt == prompt == ids[: len(prompt)]
    assert sum(mask) == len(ids) - len(prompt) and mask == sorted(mask)
    answer = tokenizer.decode([i for i, in_answer in zip(ids, mask, strict=True) if in_answer])
    end = "<|im_end|>\n</s>" if "im_end" in template else "</s>"
    assert answer.strip().replace(" </s>", "</s>") == ROW["output"] + end  # Llama 2's template puts a space before it
    whole = served.apply_chat_template([*turns, {"role": "assistant", "content": ROW["output"]}])["input_ids"]
    assert whole[: len(ids) - 1] == ids[:-1]
    again = chat.load_tokenizer(str(tmp_path / "saved"))
    assert chat.example(again, ROW["instruction"], ROW["output"]) == (ids, mask)


def test_the_template_of_an_adapter_is_used(tiny_base, tmp_path, tokenizer):
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "chat_template.jinja").write_text(CHATML)
    assert chat.load_tokenizer(tiny_base, adapter=str(tmp_path)).chat_template == CHATML
    assert chat.load_tokenizer(tiny_base, adapter=str(tmp_path / "none")).chat_template == chat.PLAIN


def test_reasoning_is_switched_off(tokenizer, tmp_path):
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


def test_an_answer_must_follow_directly_after_the_prompt(tiny_base, tmp_path):
    (tmp_path / "t.jinja").write_text(CHATML.replace("assistant\\n' -}}{%- endif", "assistant\\n<think>' -}}{%- endif"))
    tokenizer = chat.load_tokenizer(tiny_base, chat_template=str(tmp_path / "t.jinja"))
    with pytest.raises(ConfigError, match="does not render an answer directly after its prompt"):
        chat.example(tokenizer, "a", "b")


@pytest.mark.parametrize(
    ("model", "line"),
    [("no/such/model", "no such folder"), ("./model", "no such folder"), ("{folder}", "contains no model")],
)
def test_a_missing_model_is_refused(tmp_path, model, line):
    with pytest.raises(ConfigError, match=line):
        chat.load_tokenizer(model.format(folder=tmp_path))


SPELLED = ("</s>", "<s>", "<pad>", "<|im_end|>", "<|im_start|>", "</", "s>", "<", ">", "</s")
"""Special tokens and pieces of them."""
NEAR_TOKENS = st.lists(st.sampled_from((*SPELLED, "Vell", " ", '"', "\n", "港", "\ue000", "\ue001")), max_size=8)


@pytest.fixture(scope="module", params=["byte-level", "metaspace", "unigram"])
def any_tokenizer(request):
    """Tokenizers of the kinds that models have: byte-level BPE, BPE with byte fallback after ▁, Unigram after ▁."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    texts = [ROW["instruction"], ROW["output"], *SPELLED] * 20
    if request.param == "byte-level":
        made = tiny.tokenizer(texts, 400)
    else:
        blanks = {"prepend_scheme": "first"}
        special = {"special_tokens": ["<unk>", "<s>", "</s>"], "show_progress": False}
        if request.param == "unigram":
            trained = Tokenizer(models.Unigram())
            trainer = trainers.UnigramTrainer(vocab_size=120, unk_token="<unk>", **special)
        else:
            trained = Tokenizer(models.BPE(unk_token="<unk>"))
            trainer = trainers.BpeTrainer(vocab_size=300, **special)
        trained.pre_tokenizer, trained.decoder = pre_tokenizers.Metaspace(**blanks), decoders.Metaspace(**blanks)
        trained.train_from_iterator(texts, trainer)
        made = PreTrainedTokenizerFast(tokenizer_object=trained, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    return made


@pytest.mark.parametrize("template", [chat.PLAIN, CHATML, chat.NO_THINKING + THINKING, *DOCUMENTED])
@pytest.mark.parametrize("token", SPELLED[:5])
def test_a_special_token_in_a_text_is_text(any_tokenizer, template, token):
    any_tokenizer.chat_template = template
    instruction, output = (
        text.replace("Bo Kerr", f"Bo {token} Kerr{token}") for text in (ROW["instruction"], ROW["output"])
    )
    ids, mask = chat.example(any_tokenizer, instruction, output)
    start = mask.index(1)
    assert ids[:start] == chat.prompt(any_tokenizer, instruction)
    assert any_tokenizer.decode(ids[start:]).lstrip().startswith(output)
    assert ids[start:].index(any_tokenizer.eos_token_id) == len(ids) - start - 1
    plain, _ = chat.example(any_tokenizer, ROW["instruction"], ROW["output"])
    control = set(any_tokenizer.all_special_ids)
    assert [i for i in ids if i in control] == [i for i in plain if i in control]
    assert instruction in any_tokenizer.decode(ids[:start])
    shown = chat.prompt(any_tokenizer, "{}", [(instruction, output)])
    assert instruction in any_tokenizer.decode(shown) and output in any_tokenizer.decode(shown)


@given(NEAR_TOKENS.map("".join), NEAR_TOKENS.map("".join), st.sampled_from([chat.PLAIN, CHATML]))
def test_only_the_template_sets_special_tokens(tokenizer, instruction, output, template):
    """The tokens are within JSON, as in all instructions and answers."""
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.chat_template = template
    instruction, output = json.dumps({"input": instruction}), json.dumps({"tag": [output]}, ensure_ascii=False)
    ids, mask = chat.example(tokenizer, instruction, output)
    answer = ids[mask.index(1) :]
    assert answer.count(tokenizer.eos_token_id) == 1 and answer[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(answer, clean_up_tokenization_spaces=False).startswith(output)
    assert ids.count(tokenizer.bos_token_id) == (template == chat.PLAIN)
    assert ids[: mask.index(1)] == chat.prompt(tokenizer, instruction)


def test_a_custom_end_token_within_a_text_is_text(tiny_base):
    tokenizer = chat.load_tokenizer(tiny_base, eos_token="son")
    ids, mask = chat.example(tokenizer, ROW["instruction"], '{"person": ["Bo Kerr"], "place": []}')
    answer = ids[mask.index(1) :]
    assert answer.count(tokenizer.eos_token_id) == 1 and answer[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(answer[:-1]).strip() == '{"person": ["Bo Kerr"], "place": []}'


def test_a_special_token_that_cannot_be_text_is_refused(tiny_base):
    from tokenizers.normalizers import Replace

    tokenizer = chat.load_tokenizer(tiny_base)
    tokenizer.backend_tokenizer.normalizer = Replace("\ue000", "")  # a normalizer that drops private characters
    with pytest.raises(chat.SpecialTokenError, match="cannot encode as text"):
        chat.prompt(tokenizer, "</s>")
    assert chat.prompt(tokenizer, "s")
