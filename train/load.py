"""The name of a base model, and of an adapter on it → the model in memory, on this machine's device."""

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
from train.refusals import first_line, one_line

if TYPE_CHECKING:
    import torch
    from transformers import BitsAndBytesConfig, GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase


def quiet() -> None:
    """Leaves of the libraries' logs what is an error, and their bars only where somebody watches."""
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
    """Whether this machine's accelerator computes in bfloat16 itself."""
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
    """The causal language model `model` (a folder or a Hub name), with `adapter` on it, on the CPU.

    `dtype` auto: bfloat16 where the device has it, else float32; own: as the model was saved. `four_bit`: NF4 by
    bitsandbytes (Dettmers et al. 2023, "QLoRA"). `trainable`: the adapter's weights get gradients. Raises ConfigError
    for a name that is no causal language model, files that are damaged or hold other weights than the model has, and
    an adapter of another base model, MachineError for a missing library.
    """
    check(model, adapter)
    from transformers import AutoModelForCausalLM

    options = {"attn_implementation": attn_implementation} if attn_implementation else {}
    if four_bit:
        options["quantization_config"] = four_bits()
    with one_line(f"{model}: holds no model that loads"):
        try:
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
            raise MachineError(f"{model}: no such folder, and the Hub gives no model for it; check the name") from error
        weights = loaded.state_dict()
        _check_weights(model, report["missing_keys"], report["unexpected_keys"], weights)
        if any(value != value for value in _numbers(loaded.config.to_dict())):
            raise ConfigError(f"{model}: its config.json holds NaN, so every answer would be one; get the model anew")
    return with_adapter(loaded, adapter, trainable) if adapter else loaded


def _check_weights(name: str, missing: Iterable[str], unexpected: Iterable[str], weights: Iterable[str]) -> None:
    """Raises ConfigError where a file lacks weights of the model, which would be random, or has more of its layers.

    Other weights that the model does not use (a vision tower, a second head) are no error.
    """
    if missing := sorted(missing):
        raise ConfigError(
            f"{name}: {len(missing):,} weights of the model are not in its files, the first is {missing[0]}; "
            "they do not belong to this config, get the model anew"
        )
    kinds = {re.sub(r"\d+", "#", weight) for weight in weights}
    if more := sorted(weight for weight in unexpected if re.sub(r"\d+", "#", weight) in kinds):
        raise ConfigError(
            f"{name}: {len(more):,} weights in its files have no place in the model, the first is {more[0]}; "
            "they do not belong to this config, get the model anew"
        )


def _numbers(value: object) -> Iterable[float]:
    """The floats in nested dicts and lists."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _numbers(item)


def check_tokens(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> None:
    """Raises ConfigError where the tokenizer has ids beyond the model's vocabulary. A padding token may have one."""
    with one_line(f"{model.name_or_path}: its tokenizer and its model do not fit"):
        rows = model.get_input_embeddings().weight.shape[0]
        vocabulary = tokenizer.get_vocab()
        beyond = [token for token, number in vocabulary.items() if number >= rows and token != tokenizer.pad_token]
    if beyond:
        raise ConfigError(
            f"{model.name_or_path}: its tokenizer has ids up to {max(vocabulary.values()):,}, its model {rows:,} rows "
            "of embeddings; they do not belong together, get the model anew"
        )


def check(model: str, adapter: str | None = None) -> None:
    """What can be told of model and adapter before anything is loaded. Raises ConfigError as `load_model` does."""
    check_name(model)
    if os.path.isdir(model) and not os.path.exists(f"{model}/config.json"):
        if not os.path.exists(f"{model}/adapter_config.json"):
            raise ConfigError(f"{model}: holds no model (no config.json); name a model's folder or its Hub name")
        base = adapter_config(model).get("base_model_name_or_path")
        raise ConfigError(f"{model}: holds an adapter; give --model {base} --adapter {model}")
    if adapter:
        check_adapter(adapter, model)


def with_adapter(model: "PreTrainedModel", adapter: str, trainable: bool = False) -> "PreTrainedModel":
    """`model` with the adapter on it. Raises ConfigError where its weights are not those that the model takes."""
    from peft import PeftModel, get_peft_model_state_dict, load_peft_weights

    with one_line(f"{adapter}: this adapter does not fit the model"), warnings.catch_warnings():
        warnings.filterwarnings("error", ".*missing adapter keys")
        try:
            loaded = PeftModel.from_pretrained(model, adapter, is_trainable=trainable)
        except UserWarning as error:
            raise ConfigError(f"{adapter}: not all weights of this adapter are there: {first_line(error)}") from error
        weights = get_peft_model_state_dict(loaded, save_embedding_layers=False)
        more = load_peft_weights(adapter, device="cpu").keys() - weights.keys()
        _check_weights(adapter, (), more, weights)
    return loaded


def greedy(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> "GenerationConfig":
    """A generation config that takes the likeliest token and ends at every token that ended an answer before or now."""
    from transformers import GenerationConfig

    return GenerationConfig(
        do_sample=False,
        bos_token_id=model.generation_config.bos_token_id,
        eos_token_id=end_tokens(model, tokenizer),
    )


def end_tokens(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Ids that end an answer, the tokenizer's first. Raises ConfigError for a generation config whose ids are none."""
    ends = model.generation_config.eos_token_id
    ends = list(ends) if isinstance(ends, list | tuple) else [] if ends is None else [ends]
    for end in ends:
        if type(end) is not int or end < 0:
            raise ConfigError(f"{model.name_or_path}: its generation config has {quoted(end)} as eos_token_id, no id")
    return list(dict.fromkeys([tokenizer.eos_token_id, *ends]))


def adapter_config(adapter: str) -> dict:
    """The adapter's own description. Raises ConfigError where there is none."""
    path = f"{adapter}/adapter_config.json"
    try:
        if os.path.isdir(adapter):
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
            if not isinstance(found, dict):
                raise ValueError("adapter_config.json is no JSON object")
            return found
        check_name(adapter)
        from peft import PeftConfig

        with one_line(f"{adapter}: no adapter can be read there"):
            return PeftConfig.from_pretrained(adapter).to_dict()
    except FileNotFoundError as error:
        raise ConfigError(f"{adapter}: holds no adapter (no adapter_config.json)") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{adapter}: no adapter can be read there: {first_line(error)}") from error


def base_model(adapter: str) -> str:
    """The model that an adapter is for. Raises ConfigError where it names none."""
    model = adapter_config(adapter).get("base_model_name_or_path")
    if not isinstance(model, str):
        raise ConfigError(f"{adapter}: this adapter does not name its base model; name it with --model")
    return model


def check_adapter(adapter: str, model: str) -> None:
    """Raises ConfigError for an adapter of another base model. A base that was moved is known by its last name."""
    base = adapter_config(adapter).get("base_model_name_or_path") or model
    if not isinstance(base, str):
        raise ConfigError(f"{adapter}: its base_model_name_or_path is {quoted(base)}, no name; get the adapter anew")
    if _last_name(base) != _last_name(model):
        raise ConfigError(f"{adapter}: an adapter for {base}, not for {model}; give --model {base}")


def _last_name(model: str) -> str:
    """Of a path or a Hub name; a folder of the Hub's cache (`models--org--name/snapshots/<commit>`) has the model's."""
    path = os.path.abspath(model)
    cached = re.search(r"/models--(?:[^/]*--)?([^/]+)/snapshots/[^/]+$", path)
    return cached[1] if cached else os.path.basename(path)


def _dtype(name: str) -> "torch.dtype | str":
    import torch

    if name == "own":
        return "auto"  # transformers' word for it
    if name == "auto":
        return torch.bfloat16 if has_bfloat16() else torch.float32
    return getattr(torch, name)


def four_bits() -> "BitsAndBytesConfig":
    """How weights are loaded in 4 bits. Raises MachineError where bitsandbytes or a CUDA device is missing."""
    import torch
    from transformers import BitsAndBytesConfig

    if importlib.util.find_spec("bitsandbytes") is None:
        raise MachineError("4-bit weights need bitsandbytes: pip install bitsandbytes, or load without (method lora)")
    if not torch.cuda.is_available():
        raise MachineError("4-bit weights need a CUDA device, and this machine has none; load without (method lora)")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=_dtype("auto"),
    )
