"""Prompts → greedy answers of a transformers model, with or without a PEFT adapter, in padded batches."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from schemas.answers import Answer, Failure, Prompt
from schemas.errors import ConfigError, MachineError, quoted
from train import chat
from train.load import check_tokens, end_tokens, has_bfloat16
from train.prediction.guided import Guide
from train.refusals import one_line

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

T = TypeVar("T")

SORTED_BATCHES = 64
"""Number of batches whose prompts are sorted by length: little padding, while answers still arrive early."""


@dataclass(frozen=True)
class Loaded:
    """A model ready to generate. `end_tokens`: ids that end an answer. `context`: maximum number of tokens of prompt
    and answer, None if the model has no limit.
    """

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    end_tokens: tuple[int, ...]
    context: int | None
    guide: Guide | None


def load(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", device: "torch.device", guided: bool
) -> Loaded:
    """Prepares `model` (from `train.load.load_model`) for generation on `device`.

    Raises MachineError if the device runs out of memory, and for `guided` if llguidance is not installed.
    """
    import torch
    from transformers import GenerationConfig

    check_tokens(model, tokenizer)
    ends = tuple(end_tokens(model, tokenizer))
    # The model's settings (sampling, a repetition penalty) are replaced: decoding is greedy, and JSON is repetitive.
    plain = GenerationConfig(do_sample=False, eos_token_id=list(ends), pad_token_id=ends[0])
    model.generation_config = plain
    try:
        if not getattr(model, "is_quantized", False):
            model.to(device)
    except torch.OutOfMemoryError as error:
        raise MachineError(
            f"{device}: out of memory while loading the model; use --four_bit, a smaller model, or --device cpu"
        ) from error
    model.eval()
    try_out(model, tokenizer.eos_token_id)
    width = model.get_output_embeddings().weight.shape[0]
    guide = Guide(tokenizer, width, ends) if guided else None
    context = getattr(model.config, "max_position_embeddings", None)
    if context is not None and type(context) is not int:
        raise ConfigError(
            f"{model.name_or_path}: its max_position_embeddings is {quoted(context)}, not a number of tokens"
        )
    return Loaded(model, tokenizer, ends, context, guide)


def try_out(model: "PreTrainedModel", token: int) -> None:
    """Raises ConfigError if `model` fails on two tokens, which reveals an invalid config."""
    import torch

    ids = torch.tensor([[token, token]], device=model.device)
    with one_line(f"{model.name_or_path}: this model does not run; check its config"), torch.inference_mode():
        logits = model(input_ids=ids).logits
    if logits.isnan().any():
        raise ConfigError(
            f"{model.name_or_path}: the outputs of this model are NaN; its weights or its config are damaged"
        )


def device(name: str | None) -> "torch.device":
    """The device of this name (None: CUDA, else Apple's MPS, else the CPU). Raises ConfigError if there is none."""
    import torch

    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        place = torch.device(name or best)
    except RuntimeError as error:
        raise ConfigError(f"--device {name}: unknown device; available: {best}") from error
    if place.type != "cpu" and place.type != best:
        raise ConfigError(f"--device {name}: not on this machine; available: {best}")
    return place


def dtype_for(place: "torch.device") -> str:
    """The name of the dtype: on CUDA bfloat16 if supported, else float16; on MPS float16; on the CPU float32."""
    if place.type == "cuda":
        return "bfloat16" if has_bfloat16() else "float16"
    return "float16" if place.type == "mps" else "float32"


def generate(
    loaded: Loaded, prompts: Iterable[tuple[int, Prompt]], max_new_tokens: int, batch_size: int
) -> Iterator[tuple[int, Answer | Failure]]:
    """Yields (number, answer) for (number, prompt), in batches of prompts of similar length.

    A prompt that fills the model's context, or for which `chat.prompt` raises SpecialTokenError, yields a Failure.
    Raises MachineError if the device runs out of memory.
    """
    for chunk in batches(prompts, SORTED_BATCHES * batch_size):
        encoded = []
        for number, prompt in chunk:
            try:
                ids = chat.prompt(loaded.tokenizer, prompt.instruction, prompt.shots)
            except chat.SpecialTokenError as error:
                yield number, Failure(str(error))
                continue
            if loaded.context is not None and len(ids) >= loaded.context:
                yield number, Failure(f"its prompt has {len(ids):,} tokens, the model reads {loaded.context:,}")
            else:
                encoded.append((ids, number, prompt.schema))
        # The longest first, so that running out of memory shows at once.
        encoded.sort(key=lambda item: (-len(item[0]), item[1]))
        for batch in batches(encoded, batch_size):
            answers = answer_batch(loaded, [ids for ids, _, _ in batch], [s for _, _, s in batch], max_new_tokens)
            yield from zip((number for _, number, _ in batch), answers, strict=True)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yields `items` in lists of `size`. The last one may be smaller."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def answer_batch(
    loaded: Loaded, prompts: Sequence[list[int]], schemas: Sequence[dict | None], max_new_tokens: int
) -> list[Answer]:
    """Returns the greedy answers to prompts (token ids). Raises MachineError if the device runs out of memory."""
    import torch

    longest = max(map(len, prompts))
    room = max_new_tokens if loaded.context is None else min(max_new_tokens, loaded.context - longest)
    pad = loaded.end_tokens[0]
    device = loaded.model.device
    ids = torch.tensor([[pad] * (longest - len(prompt)) + prompt for prompt in prompts], device=device)
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device)
    processors = [loaded.guide.processor(schemas, longest)] if loaded.guide else None
    try:
        with torch.inference_mode():
            outputs = loaded.model.generate(
                input_ids=ids, attention_mask=mask, max_new_tokens=room, logits_processor=processors
            )
    except torch.OutOfMemoryError as error:
        raise MachineError(
            f"{device}: out of memory with {len(prompts)} prompts of up to {longest:,} tokens; use a smaller "
            "--batch_size; the predictions are then continued"
        ) from error
    return [_answer(loaded, tokens) for tokens in outputs[:, longest:].tolist()]


def _answer(loaded: Loaded, tokens: list[int]) -> Answer:
    end = next((at for at, token in enumerate(tokens) if token in loaded.end_tokens), None)
    return Answer(loaded.tokenizer.decode(tokens[:end], skip_special_tokens=True), cut=end is None)
