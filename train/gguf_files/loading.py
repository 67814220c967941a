"""A GGUF file → the tokenizer and the model of transformers, with what its conversion loses restored or named.

transformers reads the metadata that it has a place for, and skips the rest without a word: a split of texts into words
that it does not have, a scaling of positions, additional end tokens, biases that its config does not announce. Its
model counts as quantized, so it can be neither saved nor trained; the weights move into a fresh one.
"""

import contextlib
import io
import json
import os
import sys
from math import prod
from typing import TYPE_CHECKING

from schemas.errors import ConfigError
from train.gguf_files import header
from train.notes import note
from train.refusals import one_line

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

GPT2_WORDS = ("gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "olmo", "mpt", "jais", "mellum")
"""Values of tokenizer.ggml.pre that llama.cpp splits into words as GPT-2 does, which is what transformers falls back
to."""

SINGLE_DIGITS = ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")
"""Those that it splits as GPT-2 does after every digit was made a word."""

SAVED_SETTINGS = (
    "bos_token",
    "eos_token",
    "unk_token",
    "pad_token",
    "add_bos_token",
    "add_eos_token",
    "chat_template",
)
"""Settings of a tokenizer that a GGUF file has."""

END_TOKENS = ("eos", "eot", "eom")
"""Kinds of tokens that end a text, a turn, or a message."""

ROPE_FACTORS = "rope_freqs.weight"
"""The tensor that scales the positions of Llama 3.1 and later."""

LLAMA3_ROPE = {
    "rope_type": "llama3",
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
"""The parameters that these factors were computed with, besides their largest, which is `factor`."""


def place(file: str) -> dict[str, str]:
    """The arguments of `from_pretrained` that name the file."""
    folder, name = os.path.split(os.path.abspath(file))
    return {"pretrained_model_name_or_path": folder, "gguf_file": name}


def load_tokenizer(file: str) -> "PreTrainedTokenizerBase":
    """Returns the tokenizer in the file. Raises ConfigError if transformers cannot read it.

    If its way to split texts into words is unknown, a note says so.
    """
    from tokenizers import pre_tokenizers
    from transformers import AutoTokenizer

    metadata = header.read(file).metadata
    with one_line(_unreadable(file)):
        tokenizer = AutoTokenizer.from_pretrained(**place(file))
        tokenizer = _without_additions(tokenizer, metadata["tokenizer.ggml.tokens"])
    words = tokenizer.backend_tokenizer.pre_tokenizer
    if metadata.get("tokenizer.ggml.model") == "gpt2" and isinstance(words, pre_tokenizers.ByteLevel):
        kind = metadata.get("tokenizer.ggml.pre")
        if kind in SINGLE_DIGITS:
            digits = pre_tokenizers.Digits(individual_digits=True)
            tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, words])
        elif kind not in GPT2_WORDS:
            note(
                f"{file}: transformers does not know how this tokenizer ({kind}) splits texts into words and splits "
                "them as GPT-2 does; some texts get other tokens than in llama.cpp"
            )
    return tokenizer


def _without_additions(tokenizer: "PreTrainedTokenizerBase", count: int) -> "PreTrainedTokenizerBase":
    """The tokenizer with the first `count` ids only: for a file that names no unknown token, transformers adds one, for
    which the model has no embedding.
    """
    from tokenizers import Tokenizer

    parts = json.loads(tokenizer.backend_tokenizer.to_str())
    in_file = [token for token in parts["added_tokens"] if token["id"] < count]
    if in_file == parts["added_tokens"]:
        return tokenizer
    backend = Tokenizer.from_str(json.dumps({**parts, "added_tokens": in_file}))
    kept = {name: value for name, value in tokenizer.init_kwargs.items() if name in SAVED_SETTINGS}
    return type(tokenizer)(tokenizer_object=backend, **kept)


def load_model(file: str, *, dtype: "torch.dtype | str", **options) -> "tuple[PreTrainedModel, dict]":
    """Returns the dequantized model in the file, and the report of transformers on missing and unexpected weights.

    `dtype`: as in `from_pretrained`; auto: float32 for a quantized file. `options`: arguments of `from_pretrained`.
    Raises ConfigError if transformers cannot read the file, or reads only a part of its weights.
    """
    from transformers import AutoModelForCausalLM

    parts = header.read(file)
    hidden = io.StringIO()  # transformers shows its progress even where no terminal is
    with one_line(_unreadable(file)), contextlib.redirect_stderr(sys.stderr if sys.stderr.isatty() else hidden):
        loaded, report = AutoModelForCausalLM.from_pretrained(**place(file), dtype=dtype, output_loading_info=True)
    _check_weights(file, parts, loaded)
    config = loaded.config
    _restore_positions(file, parts, config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = type(loaded).from_pretrained(
        None, config=config, state_dict=loaded.state_dict(), dtype=loaded.dtype, **options
    )
    model.name_or_path = file  # what peft records as the base of an adapter
    ends = [parts.metadata.get(f"tokenizer.ggml.{name}_token_id") for name in END_TOKENS]
    model.generation_config.eos_token_id = list(dict.fromkeys(end for end in ends if isinstance(end, int))) or None
    return model, report


def _unreadable(file: str) -> str:
    architecture = header.read(file).architecture
    return (
        f"{file}: transformers cannot read this GGUF file (architecture {architecture}); give the folder or the Hub "
        "name of the original model"
    )


def _check_weights(file: str, parts: header.Header, model: "PreTrainedModel") -> None:
    """Raises ConfigError if the file has weights that are not in the model."""
    layers = model.config.get_text_config().num_hidden_layers
    # Layers that predict several tokens at once follow the others, and transformers leaves them out.
    expected = {
        name: prod(tensor.shape)
        for name, tensor in parts.tensors.items()
        if not name.startswith("rope_") and not (name.startswith("blk.") and int(name.split(".")[1]) >= layers)
    }
    weights = {tensor.data_ptr(): tensor.numel() for tensor in model.state_dict().values()}
    lost = sum(expected.values()) - sum(weights.values())
    if lost > 0:
        raise ConfigError(
            f"{file}: transformers does not read {lost:,} of the {sum(expected.values()):,} weights in it; give the "
            "folder or the Hub name of the original model"
        )


def _restore_positions(file: str, parts: header.Header, config: "PretrainedConfig") -> None:
    """Sets the scaling of positions of Llama 3.1 and later. Any other scaling is named in a note."""
    import torch
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    scaling = parts.metadata.get(f"{parts.architecture}.rope.scaling.type", "none")
    tensor = parts.tensors.get(ROPE_FACTORS)
    if parts.architecture == "llama" and tensor:
        with open(file, "rb") as stream:
            stream.seek(tensor.start)
            factors = torch.frombuffer(bytearray(stream.read(tensor.end - tensor.start)), dtype=torch.float32)
        plain = dict(config.rope_parameters)
        config.rope_parameters = {**plain, **LLAMA3_ROPE, "factor": factors.max().item()}
        scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, device="cpu")
        unscaled = plain["rope_theta"] ** -(torch.arange(len(factors)) / len(factors))
        if torch.allclose(scaled, unscaled / factors, rtol=1e-3):
            return
        config.rope_parameters, scaling = plain, ROPE_FACTORS
    if scaling != "none":
        note(f"{file}: transformers does not read its scaling of positions ({scaling}); long prompts get worse answers")
