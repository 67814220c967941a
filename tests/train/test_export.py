"""A merged adapter gives the logits of base and adapter, and Ollama's template is that of training."""

import pytest

from schemas.errors import ConfigError
from tests.train.conftest import ner_row
from train import chat, export

CHATML = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""


@pytest.fixture
def adapter(tiny_base, tmp_path):
    """A random adapter, saved as train.sft saves one."""
    import torch
    from peft import LoraConfig, get_peft_model

    from train import load

    torch.manual_seed(7)
    model = get_peft_model(
        load.load_model(tiny_base), LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    )
    model.save_pretrained(tmp_path / "adapter")
    chat.load_tokenizer(tiny_base).save_pretrained(tmp_path / "adapter")
    (tmp_path / "adapter/chat_template.jinja").write_text(CHATML)
    return str(tmp_path / "adapter")


def test_a_merged_model_gives_the_same_logits(tiny_base, adapter, tmp_path):
    import torch

    from train import load

    assert export.main(["--adapter", adapter, "--output", str(tmp_path / "merged")]) == 0
    tokenizer = chat.load_tokenizer(str(tmp_path / "merged"))
    assert tokenizer.chat_template == CHATML
    ids = torch.tensor([chat.prompt(tokenizer, ner_row(1)["instruction"])])
    with torch.no_grad():
        base, unmerged, merged = (
            model.eval()(ids).logits
            for model in (
                load.load_model(tiny_base),
                load.load_model(tiny_base, adapter=adapter),
                load.load_model(str(tmp_path / "merged")),
            )
        )
    assert torch.allclose(unmerged, merged, atol=1e-4) and not torch.allclose(base, merged, atol=1e-2)


@pytest.mark.parametrize("template", [chat.PLAIN, CHATML])
def test_ollama_renders_the_prompt_of_training(tiny_base, template):
    tokenizer = chat.load_tokenizer(tiny_base)
    tokenizer.chat_template = template
    lines = export.modelfile(tokenizer, num_ctx=2048)
    prompt = lines.split('TEMPLATE """')[1].split('"""')[0].replace("{{ .Prompt }}", ner_row(1)["instruction"])
    assert prompt == chat.prompt_text(tokenizer, ner_row(1)["instruction"])
    assert lines.startswith("FROM .\n") and lines.endswith("PARAMETER num_ctx 2048\n")
    assert 'PARAMETER stop "</s>"\n' in lines


def test_a_start_token_that_the_server_adds_is_left_out(tiny_base):
    from tokenizers.processors import TemplateProcessing

    tokenizer = chat.load_tokenizer(tiny_base)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    assert export.prompt_template(tokenizer) == "### Instruction:\n{{ .Prompt }}\n\n### Answer:\n"


def test_an_impossible_export_is_refused_with_one_line(tmp_path, capsys):
    with pytest.raises(ConfigError, match="nothing to export"):
        export.export(str(tmp_path / "new"))
    for flags, line in (
        (["--adapter", str(tmp_path / "none"), "--output", str(tmp_path / "x")], "no such folder"),
        (["--adapter", str(tmp_path), "--output", str(tmp_path / "x")], "contains no adapter (no adapter_config.json)"),
        (["--model", "m"], "--output is missing"),
    ):
        assert export.main(flags) == 2
        assert line in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert export.main(["--model", "m", "--output", str(tmp_path)]) == 2
    assert "not empty; choose a new folder" in capsys.readouterr().err
