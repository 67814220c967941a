"""Merge a model and its adapter into one model folder with an Ollama Modelfile; also write GGUF."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas import command
from schemas.errors import ConfigError, printable
from train import output_file
from train.gguf_files import writing

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

EPILOG = """\
examples:
  %(prog)s --adapter adapter --output merged       the adapter names its base model
  %(prog)s --model model --output served           a fully fine-tuned model
  %(prog)s --adapter adapter --output merged --gguf merged.gguf    for llama.cpp, too
  ollama create my-extractor -f merged/Modelfile                 afterwards
  vllm serve merged
"""

PLACE = "{{ .Prompt }}"
"""The placeholder of the user message in Ollama's template (Go's text/template)."""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("train.export", __doc__, EPILOG, "train.md")
    parser.add_argument("--adapter", metavar="DIR", help="an adapter folder written by train.sft (lora, qlora)")
    parser.add_argument("--model", metavar="NAME|DIR|FILE", help="default: the base model named in the adapter")
    parser.add_argument("--output", metavar="DIR", help="a new folder")
    parser.add_argument("--gguf", metavar="FILE", help="also write a GGUF file (Llama, SmolLM2, Qwen 2, Qwen 3)")
    parser.add_argument("--num_ctx", metavar="N", type=int, default=4096, help="context length in Ollama, in tokens")
    parser.add_argument("--trust_remote_code", action="store_true", help="run code that comes with the model")
    return parser


def export(
    output: str,
    model: str | None = None,
    adapter: str | None = None,
    num_ctx: int = 4096,
    trust: bool = False,
    gguf: str | None = None,
) -> None:
    """Writes model (in the base model's dtype), tokenizer, chat template, Modelfile and, for a training of this
    version, its model card into the folder `output`, and the model as a GGUF file to the path `gguf`.

    Raises ConfigError if neither model nor adapter is given, if they do not fit, if the folder is not empty, or if the
    model cannot be written as GGUF.
    """
    from train import chat, load
    from train.tuning import card

    base = check(output, model, adapter)
    tokenizer = chat.load_tokenizer(base, adapter=adapter, trust_remote_code=trust)
    loaded = load.load_model(base, adapter=adapter, dtype="saved", trust_remote_code=trust)
    if adapter:
        loaded = loaded.merge_and_unload()
    loaded.generation_config = load.greedy(loaded, tokenizer)
    if gguf:
        load.check_tokens(loaded, tokenizer)
        writing.write(loaded, tokenizer, gguf)
    loaded.save_pretrained(output)
    tokenizer.save_pretrained(output)
    with open(f"{output}/Modelfile", "w", encoding="utf-8") as file:
        file.write(modelfile(tokenizer, num_ctx))
    card.write(output, adapter or base, "merged" if adapter else "model")


def check(output: str, model: str | None = None, adapter: str | None = None) -> str:
    """Returns the name of the base model. Raises the ConfigErrors of `export` before anything is loaded."""
    from train import load

    output_file.check_folder("--output", output)
    if not model and not adapter:
        raise ConfigError("nothing to export; give --adapter, or --model for a fully fine-tuned model")
    if os.path.isdir(output) and os.listdir(output):
        raise ConfigError(f"{output}: not empty; choose a new folder")
    base = model or load.base_model(adapter)
    load.check(base, adapter)
    return base


def modelfile(tokenizer: "PreTrainedTokenizerBase", num_ctx: int) -> str:
    """The Modelfile, which describes its folder to Ollama, with the prompt template used in training."""
    stop = json.dumps(tokenizer.eos_token, ensure_ascii=False)
    return (
        f'FROM .\nTEMPLATE """{prompt_template(tokenizer)}"""\n'
        f"PARAMETER stop {stop}\nPARAMETER temperature 0\nPARAMETER num_ctx {num_ctx}\n"
    )


def prompt_template(tokenizer: "PreTrainedTokenizerBase") -> str:
    """The chat template for one instruction, as Go's text/template, without the start token, which Ollama adds.

    Raises ConfigError for a chat template that Go's text/template cannot express.
    """
    from train import chat

    rendered = chat.prompt_text(tokenizer, PLACE)
    if rendered.count(PLACE) != 1 or '"""' in rendered or rendered.count("{{") != 1:
        raise ConfigError("the chat template changes the user message, which Ollama cannot do; choose another template")
    start = tokenizer.bos_token
    adds_start = start is not None and tokenizer("")["input_ids"][:1] == [tokenizer.bos_token_id]
    return rendered.removeprefix(start) if adds_start else rendered


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, run, flags, after_interrupt="{output} is incomplete; delete it")


def run(arguments: argparse.Namespace) -> int:
    if not arguments.output:
        raise ConfigError("--output is missing; choose a new folder")
    from train import load

    base = check(arguments.output, arguments.model, arguments.adapter)
    if arguments.gguf:
        output_file.check("--gguf", arguments.gguf, [base])
    load.quiet()
    export(
        arguments.output,
        arguments.model,
        arguments.adapter,
        arguments.num_ctx,
        arguments.trust_remote_code,
        arguments.gguf,
    )
    print(printable(arguments.output))
    return 0


if __name__ == "__main__":
    sys.exit(main())
