"""A model and its tokenizer → one GGUF file, which llama.cpp, Ollama and LM Studio serve.

Written are the architectures whose conversion only renames weights, or reorders their rows: Llama (and SmolLM2), Qwen 2
and Qwen 3, with a byte-level tokenizer. For any other model `convert_hf_to_gguf.py` of llama.cpp reads the folder that
`train.export` writes. Keys and layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

import json
import os
from typing import TYPE_CHECKING

from schemas.errors import ConfigError
from transforms import files

if TYPE_CHECKING:
    import torch
    from gguf import GGUFWriter
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

ARCHITECTURES = ("llama", "qwen2", "qwen3")
"""Values of `model_type`; those of general.architecture are the same."""

ROPE_TYPES = ("default", "llama3")
BY_HAND = "write the folder (--output), and convert it with convert_hf_to_gguf.py of llama.cpp"

LLAMA3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
GPT2_STEP = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
BYTES_STEP = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
DIGITS_STEP = {"type": "Digits", "individual_digits": True}
LLAMA3_STEP = {"type": "Split", "pattern": {"Regex": LLAMA3_WORDS}, "behavior": "Isolated", "invert": False}
QWEN2_STEP = {**LLAMA3_STEP, "pattern": {"Regex": LLAMA3_WORDS.replace("{1,3}", "")}}
WORDS = {
    "gpt-2": [GPT2_STEP],
    "smollm": [DIGITS_STEP, GPT2_STEP],
    "llama-bpe": [LLAMA3_STEP, BYTES_STEP],
    "qwen2": [QWEN2_STEP, BYTES_STEP],
}
"""llama.cpp's name (tokenizer.ggml.pre) → the steps that split a text into words, as in a tokenizer.json."""


def write(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", file: str) -> None:
    """Writes model and tokenizer with its chat template. Matrices are in bfloat16 if the model is, else in float16.

    Raises ConfigError for a model or a tokenizer that cannot be written exactly, MachineError if the file cannot be.
    """
    from gguf import GGUFWriter

    config = model.config
    if config.model_type not in ARCHITECTURES:
        raise ConfigError(
            f"--gguf: models of type {config.model_type} are not written, only {', '.join(ARCHITECTURES)}; {BY_HAND}"
        )
    rope = config.rope_parameters.get("rope_type", "default")
    if rope not in ROPE_TYPES or getattr(config, "use_sliding_window", False):
        raise ConfigError(f"--gguf: the attention of this model (rope {rope}) cannot be written; {BY_HAND}")
    temporary = f"{file}.part"
    with files.machine_errors(file):
        os.makedirs(os.path.dirname(os.path.abspath(file)), exist_ok=True)
        writer = GGUFWriter(temporary, config.model_type)
        _add_config(writer, model)
        _add_tokenizer(writer, tokenizer, model.get_input_embeddings().weight.shape[0])
        _add_weights(writer, model)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        os.replace(temporary, file)


def _add_config(writer: "GGUFWriter", model: "PreTrainedModel") -> None:
    import torch
    from gguf import LlamaFileType

    config = model.config
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    is_bfloat16 = model.dtype == torch.bfloat16
    writer.add_type("model")
    writer.add_file_type(LlamaFileType.MOSTLY_BF16 if is_bfloat16 else LlamaFileType.MOSTLY_F16)
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_dimension_count(head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)


def _add_tokenizer(writer: "GGUFWriter", tokenizer: "PreTrainedTokenizerBase", rows: int) -> None:
    """`rows`: of embeddings; those without a token get a placeholder."""
    from gguf import TokenType

    parts = json.loads(tokenizer.backend_tokenizer.to_str())
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_recognise_words(parts))
    names = {number: token for token, number in tokenizer.get_vocab().items()}
    added = tokenizer.added_tokens_decoder
    kinds = {number: TokenType.CONTROL if token.special else TokenType.USER_DEFINED for number, token in added.items()}
    writer.add_token_list([names.get(number, f"[PAD{number}]") for number in range(rows)])
    writer.add_token_types(
        [kinds.get(number, TokenType.NORMAL if number in names else TokenType.UNUSED) for number in range(rows)]
    )
    writer.add_token_merges([" ".join(merge) for merge in parts["model"]["merges"]])
    for name in ("bos", "eos", "unk", "pad"):
        number = getattr(tokenizer, f"{name}_token_id")
        if number is not None:
            getattr(writer, f"add_{name}_token_id")(number)
    writer.add_add_bos_token(False)  # the chat template sets it, as in training
    writer.add_chat_template(tokenizer.chat_template)


def _recognise_words(parts: dict) -> str:
    """llama.cpp's name of the way in which a tokenizer splits texts into words. `parts`: its tokenizer.json.

    Raises ConfigError if there is none.
    """
    splits = parts["pre_tokenizer"] or {}
    steps = splits.get("pretokenizers", [splits])
    normalizer = (parts["normalizer"] or {"type": "NFC"})["type"]  # llama.cpp has none; texts of a corpus are in NFC
    for name, expected in WORDS.items():
        matching = len(steps) == len(expected) and all(
            step.items() >= required.items() for step, required in zip(steps, expected, strict=True)
        )
        if matching and normalizer == "NFC" and parts["model"]["type"] == "BPE":
            return name
    raise ConfigError(f"--gguf: llama.cpp has no known name for the tokenizer of this model; {BY_HAND}")


def _add_weights(writer: "GGUFWriter", model: "PreTrainedModel") -> None:
    import gguf
    import torch

    config = model.config
    architecture = {name: number for number, name in gguf.MODEL_ARCH_NAMES.items()}[config.model_type]
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    half = gguf.GGMLQuantizationType.BF16 if model.dtype == torch.bfloat16 else gguf.GGMLQuantizationType.F16
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        weights = tensor.detach().float().cpu()
        if config.model_type == "llama" and name.split(".")[-2] in ("q_proj", "k_proj"):
            weights = _interleave(weights, config, name)
        kind = half if weights.dim() > 1 else gguf.GGMLQuantizationType.F32
        renamed = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if renamed is None:
            raise ConfigError(f"--gguf: GGUF has no name for the weight {name}; {BY_HAND}")
        writer.add_tensor(renamed, gguf.quantize(weights.numpy(), kind), raw_dtype=kind)
    if config.rope_parameters.get("rope_type") == "llama3":
        scaled = model.get_decoder().rotary_emb.inv_freq.float().cpu()
        plain = config.rope_parameters["rope_theta"] ** -(torch.arange(len(scaled)) / len(scaled))
        writer.add_tensor("rope_freqs.weight", (plain / scaled).numpy())


def _interleave(weights: "torch.Tensor", config: "PretrainedConfig", name: str) -> "torch.Tensor":
    """The rows of a query or key projection in the order of llama.cpp: it rotates rows 2n and 2n + 1 of a head with
    each other, transformers rows n and n + half.
    """
    heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
    return weights.unflatten(0, (heads, 2, -1)).transpose(1, 2).reshape(weights.shape)
