"""The name of a base model, and optionally of an adapter → the model in memory."""

import importlib.util
import json
import os
import re
import sys
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

from schemas.errors import ConfigError, MachineError, quoted
from train.chat import check_name
from train.gguf_files import header, loading
from train.refusals import first_line, one_line

if TYPE_CHECKING:
    import torch
    from transformers import BitsAndBytesConfig, GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase


def quiet() -> None:
    """Limits the logs of the libraries to errors, and shows progress bars only on a terminal."""
    import logging

    import datasets
    import transformers

    transformers.logging.set_verbosity_error()
    datasets.logging.set_verbosity_error()
    for name in ("accelerate", "peft", "trl", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(torch|trl|peft|transformers|accelerate)\..*")
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
        transformers.logging.disable_progress_bar()


def has_bfloat16() -> bool:
    """Whether this machine's accelerator supports bfloat16 natively."""
    import torch

    return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)


def load_model(
    model: str,
    *,
    adapter: str | None = None,
    trainable: bool = False,
    dtype: str = "auto",
    four_bit: bool = False,
    attn_implementation: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> "PreTrainedModel":
    """Returns the causal language model `model` (a folder, a GGUF file or a Hub name) with `adapter`, on the CPU.

    `dtype` auto: bfloat16 if the device supports it, else float32; saved: the dtype the model was saved in. `four_bit`:
    NF4 by bitsandbytes (Dettmers et al. 2023, "QLoRA"). `trainable`: the adapter's weights get gradients. Raises
    ConfigError for a name that is not a causal language model, files that are damaged or do not match the config, and
    an adapter for another base model, MachineError for a missing library.
    """
    check(model, adapter)
    from transformers import AutoModelForCausalLM

    options = {"attn_implementation": attn_implementation} if attn_implementation else {}
    if four_bit:
        options["quantization_config"] = four_bits()
    with one_line(f"{model}: cannot load the model"):
        try:
            if file := header.locate(model):
                loaded, report = loading.load_model(file, dtype=_dtype(dtype), **options)
            else:
                loaded, report = AutoModelForCausalLM.from_pretrained(
                    model,
                    dtype=_dtype(dtype),
                    revision=revision,
                    trust_remote_code=trust_remote_code,
                    output_loading_info=True,
                    **options,
                )
        except ImportError as error:  # an attention or a quantization whose package is missing
            raise MachineError(f"{model}: does not load here: {first_line(error)}") from error
        except OSError as error:
            if os.path.isdir(model):
                raise
            raise MachineError(
                f"{model}: no such folder, and no model of this name on the Hub; check the name"
            ) from error
        weights = loaded.state_dict()
        _check_weights(model, report["missing_keys"], report["unexpected_keys"], weights)
        if any(value != value for value in _numbers(loaded.config.to_dict())):
            raise ConfigError(f"{model}: its config.json contains NaN; download the model again")
    return with_adapter(loaded, adapter, trainable) if adapter else loaded


def _check_weights(name: str, missing: Iterable[str], unexpected: Iterable[str], weights: Iterable[str]) -> None:
    """Raises ConfigError if the files lack weights of the model, which would be random, or contain additional layers.

    Other unused weights (a vision tower, a second head) are allowed.
    """
    if missing := sorted(missing):
        raise ConfigError(
            f"{name}: {len(missing):,} weights of the model are not in its files, the first is {missing[0]}; "
            "they do not match the config; download the model again"
        )
    kinds = {re.sub(r"\d+", "#", weight) for weight in weights}
    if extra := sorted(weight for weight in unexpected if re.sub(r"\d+", "#", weight) in kinds):
        raise ConfigError(
            f"{name}: {len(extra):,} weights in its files are not in the model, the first is {extra[0]}; "
            "they do not match the config; download the model again"
        )


def _numbers(value: object) -> Iterable[float]:
    """The floats in nested dicts and lists."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _numbers(item)


def check_tokens(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> None:
    """Raises ConfigError if the tokenizer has ids, other than the padding id, beyond the model's vocabulary."""
    with one_line(f"{model.name_or_path}: its tokenizer does not fit the model"):
        rows = model.get_input_embeddings().weight.shape[0]
        vocabulary = tokenizer.get_vocab()
        beyond = [token for token, number in vocabulary.items() if number >= rows and token != tokenizer.pad_token]
    if beyond:
        raise ConfigError(
            f"{model.name_or_path}: its tokenizer has ids up to {max(vocabulary.values()):,}, its model {rows:,} rows "
            "of embeddings; they do not match, download the model again"
        )


def check(model: str, adapter: str | None = None) -> None:
    """Checks the names and configs of model and adapter without loading weights. Raises ConfigError."""
    check_name(model)
    if os.path.isdir(model) and not header.locate(model) and not os.path.exists(f"{model}/config.json"):
        if not os.path.exists(f"{model}/adapter_config.json"):
            raise ConfigError(f"{model}: contains no model (no config.json); give a model folder or a Hub name")
        base = adapter_config(model).get("base_model_name_or_path")
        raise ConfigError(f"{model}: contains an adapter; pass --model {base} --adapter {model}")
    if adapter:
        check_adapter(adapter, model)


def with_adapter(model: "PreTrainedModel", adapter: str, trainable: bool = False) -> "PreTrainedModel":
    """Returns `model` with the adapter applied. Raises ConfigError if the adapter does not fit the model."""
    from peft import PeftModel, get_peft_model_state_dict, load_peft_weights

    with one_line(f"{adapter}: this adapter does not fit the model"), warnings.catch_warnings():
        warnings.filterwarnings("error", ".*missing adapter keys")
        try:
            loaded = PeftModel.from_pretrained(model, adapter, is_trainable=trainable)
        except UserWarning as error:
            raise ConfigError(f"{adapter}: weights of this adapter are missing: {first_line(error)}") from error
        weights = get_peft_model_state_dict(loaded, save_embedding_layers=False)
        extra = load_peft_weights(adapter, device="cpu").keys() - weights.keys()
        _check_weights(adapter, (), extra, weights)
    return loaded


def greedy(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> "GenerationConfig":
    """A config for greedy decoding that stops at any end token of the tokenizer or of the model's generation config."""
    from transformers import GenerationConfig

    return GenerationConfig(
        do_sample=False,
        bos_token_id=model.generation_config.bos_token_id,
        eos_token_id=end_tokens(model, tokenizer),
    )


def end_tokens(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """The ids that end an answer, the tokenizer's first. Raises ConfigError for an invalid id in the model's config."""
    ends = model.generation_config.eos_token_id
    ends = list(ends) if isinstance(ends, list | tuple) else [] if ends is None else [ends]
    for end in ends:
        if type(end) is not int or end < 0:
            raise ConfigError(
                f"{model.name_or_path}: its generation config has {quoted(end)} as eos_token_id, not a token id"
            )
    return list(dict.fromkeys([tokenizer.eos_token_id, *ends]))


def adapter_config(adapter: str) -> dict:
    """The content of adapter_config.json. Raises ConfigError if it is missing or unreadable."""
    path = f"{adapter}/adapter_config.json"
    try:
        if os.path.isdir(adapter):
            with open(path, encoding="utf-8") as file:
                config = json.load(file)
            if not isinstance(config, dict):
                raise ValueError("adapter_config.json is not a JSON object")
            return config
        check_name(adapter)
        from peft import PeftConfig

        with one_line(f"{adapter}: cannot read the adapter"):
            return PeftConfig.from_pretrained(adapter).to_dict()
    except FileNotFoundError as error:
        raise ConfigError(f"{adapter}: contains no adapter (no adapter_config.json)") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{adapter}: cannot read the adapter: {first_line(error)}") from error


def base_model(adapter: str) -> str:
    """The name of an adapter's base model. Raises ConfigError if the adapter does not name it."""
    config = adapter_config(adapter)
    model = config.get("base_model_name_or_path")
    if not isinstance(model, str):
        raise ConfigError(f"{adapter}: this adapter does not name its base model; pass --model")
    if model.endswith(".gguf") and not os.path.exists(model):
        raise ConfigError(
            f"{adapter}: its base model {model} is not there; pass --model with the path of this GGUF file"
            f"{f' ({content})' if (content := config.get('revision')) else ''}"
        )
    return model


def content_id(model: str) -> str | None:
    """What `revision` in the config of an adapter for `model` is: `sha256:…` of a GGUF file, None for other models."""
    file = header.locate(model)
    return f"sha256:{header.sha256(file)}" if file else None


def check_adapter(adapter: str, model: str) -> None:
    """Raises ConfigError for an adapter of another base model. Of a GGUF file the content is compared, of any other
    model the last part of the name, since the base model may have been moved.
    """
    config = adapter_config(adapter)
    base = config.get("base_model_name_or_path") or model
    if not isinstance(base, str):
        raise ConfigError(
            f"{adapter}: its base_model_name_or_path is {quoted(base)}, not a name; download the adapter again"
        )
    recorded, given = config.get("revision"), content_id(model)
    if given and str(recorded).startswith("sha256:"):
        if given != recorded:
            raise ConfigError(
                f"{adapter}: an adapter for {base} with {recorded}, but {model} has {given}; pass that file as --model"
            )
    elif _last_name(base) != _last_name(model):
        raise ConfigError(f"{adapter}: an adapter for {base}, not for {model}; pass --model {base}")


def _last_name(model: str) -> str:
    """The last part of a path or Hub name; for a folder of the Hub cache (`models--org--name/snapshots/<commit>`), the
    model's name.
    """
    path = os.path.abspath(model)
    cached = re.search(r"/models--(?:[^/]*--)?([^/]+)/snapshots/[^/]+$", path)
    return cached[1] if cached else os.path.basename(path)


def _dtype(name: str) -> "torch.dtype | str":
    import torch

    if name == "saved":
        return "auto"  # transformers' name of this option
    if name == "auto":
        return torch.bfloat16 if has_bfloat16() else torch.float32
    return getattr(torch, name)


def four_bits() -> "BitsAndBytesConfig":
    """The config for loading weights in 4 bits. Raises MachineError if bitsandbytes or a CUDA device is missing."""
    import torch
    from transformers import BitsAndBytesConfig

    if importlib.util.find_spec("bitsandbytes") is None:
        raise MachineError("4-bit weights need bitsandbytes: pip install bitsandbytes, or use method lora")
    if not torch.cuda.is_available():
        raise MachineError("4-bit weights need a CUDA device, and this machine has none; use method lora")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=_dtype("auto"),
    )
