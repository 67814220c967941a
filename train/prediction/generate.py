"""Prompts → greedy answers of a transformers model, with or without a PEFT adapter, in padded batches."""

import json
import math
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
    and answer, None if the model has no limit. `closing`: see `closing_tokens`.
    """

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    end_tokens: tuple[int, ...]
    context: int | None
    guide: Guide | None
    closing: frozenset[int]


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
    return Loaded(model, tokenizer, ends, context, guide, closing_tokens(tokenizer))


def closing_tokens(tokenizer: "PreTrainedTokenizerBase") -> frozenset[int]:
    """The ids of tokens that may close a JSON object or array."""
    tokens = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    return frozenset(number for number, token in enumerate(tokens) if token and not set("]}").isdisjoint(token))


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

    A prompt that fills the model's context, or for which `chat.prompt` raises SpecialTokenError, yields a final
    Failure. Raises MachineError if the device runs out of memory.
    """
    for chunk in batches(prompts, SORTED_BATCHES * batch_size):
        encoded = []
        for number, prompt in chunk:
            try:
                ids = chat.prompt(loaded.tokenizer, prompt.instruction, prompt.shots)
            except chat.SpecialTokenError as error:
                yield number, Failure(str(error), is_final=True)
                continue
            if loaded.context is not None and len(ids) >= loaded.context:
                yield number, too_long(len(ids), loaded.context)
            else:
                encoded.append((ids, number, prompt))
        # The longest first, so that running out of memory shows at once.
        encoded.sort(key=lambda item: (-len(item[0]), item[1]))
        for batch in batches(encoded, batch_size):
            answers = answer_batch(loaded, [ids for ids, *_ in batch], [p for *_, p in batch], max_new_tokens)
            yield from zip((number for _, number, _ in batch), answers, strict=True)


def too_long(tokens: int, context: int) -> Failure:
    return Failure(f"prompt too long: {tokens:,} tokens, the model reads {context:,}", is_final=True)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yields `items` in lists of `size`. The last one may be smaller."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def answer_batch(
    loaded: Loaded, ids: Sequence[list[int]], prompts: Sequence[Prompt], max_new_tokens: int
) -> list[Answer]:
    """Returns the greedy answers to `prompts` with these token ids, each up to the end of its JSON.

    Raises MachineError if the device runs out of memory.
    """
    import torch

    longest = max(map(len, ids))
    context = loaded.context or math.inf
    rooms = [int(min(max_new_tokens, context - len(prompt))) for prompt in ids]
    pad = loaded.end_tokens[0]
    device = loaded.model.device
    padded = torch.tensor([[pad] * (longest - len(prompt)) + prompt for prompt in ids], device=device)
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in ids], device=device)
    guided = loaded.guide.processor(prompts, rooms, longest) if loaded.guide else None
    stop = Stop(loaded, rooms, longest)
    try:
        with torch.inference_mode():
            outputs = loaded.model.generate(
                input_ids=padded,
                attention_mask=mask,
                max_new_tokens=max(rooms),
                logits_processor=[guided] if guided else None,
                stopping_criteria=[stop],
            )
    except torch.OutOfMemoryError as error:
        raise MachineError(
            f"{device}: out of memory with {len(prompts)} prompts of up to {longest:,} tokens; use a smaller "
            "--batch_size; the predictions are then continued"
        ) from error
    return [
        stop.answer(tokens[:room], is_ended)
        for tokens, room, is_ended in zip(
            outputs[:, longest:].tolist(), rooms, guided.is_ended if guided else [False] * len(rooms), strict=True
        )
    ]


class Stop:
    """Called by `generate` after each step: `(token ids so far, scores) -> row → whether its answer is complete`.

    An answer is complete when the JSON object or array with which it starts is closed, or when it has as many tokens as
    there is room for: padded prompts of different length leave different room.
    """

    def __init__(self, loaded: Loaded, rooms: Sequence[int], prompt_length: int):
        self.loaded, self.rooms, self.prompt_length = loaded, rooms, prompt_length

    def __call__(self, input_ids: "torch.Tensor", scores: object, **_: object) -> "torch.Tensor":
        import torch

        length = input_ids.shape[1] - self.prompt_length
        lasts = input_ids[:, -1].tolist()
        done = [
            length >= room
            or (last in self.loaded.closing and json_end(self._text(input_ids[row, self.prompt_length :])) is not None)
            for row, (room, last) in enumerate(zip(self.rooms, lasts, strict=True))
        ]
        return torch.tensor(done, device=input_ids.device)

    def _text(self, tokens: "list[int] | torch.Tensor") -> str:
        return str(self.loaded.tokenizer.decode(tokens, skip_special_tokens=True))

    def answer(self, tokens: list[int], is_ended: bool) -> Answer:
        """`is_ended`: whether the answer was ended because there was no more room."""
        end = next((at for at, token in enumerate(tokens) if token in self.loaded.end_tokens), None)
        text = self._text(tokens[:end])
        closed = json_end(text)
        return Answer(text[:closed], cut=is_ended or (end is None and closed is None))


DECODER = json.JSONDecoder()


def json_end(text: str) -> int | None:
    """The end of the JSON object or array with which `text` starts; None if it starts with none or it is not closed."""
    start = len(text) - len(text.lstrip())
    if text[start : start + 1] not in ("{", "["):
        return None
    try:
        return DECODER.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return None
