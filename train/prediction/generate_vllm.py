"""Prompts → answers of vLLM's offline engine, for a CUDA machine with the extra `serve`.

Based on the documentation of vLLM 0.32. The tests of this project do not run it, since they have no GPU: compare a few
answers with those of the transformers backend before you rely on it.
"""

from collections.abc import Iterable, Iterator

from schemas.answers import Answer, Failure, Prompt
from schemas.errors import ConfigError, MachineError
from train import chat
from train.gguf_files import header
from train.prediction.generate import batches, too_long

PROMPTS_PER_CALL = 4096
"""The engine forms its own batches. Answers are written after each call."""


def generate(
    model: str,
    tokenizer,
    prompts: Iterable[tuple[int, Prompt]],
    max_new_tokens: int,
    *,
    adapter: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> Iterator[tuple[int, Answer | Failure]]:
    """Yields (number, answer) for (number, prompt). Token ids come from `chat.prompt`, as in the other backends.

    Raises ConfigError for a GGUF file, MachineError if vLLM is not installed.
    """
    if header.locate(model):
        raise ConfigError(f"--backend vllm: {model} is a GGUF file; pass the folder that train.export writes from it")
    try:
        from vllm import LLM, SamplingParams
        from vllm.lora.request import LoRARequest
        from vllm.sampling_params import StructuredOutputsParams
    except ImportError as error:
        raise MachineError("--backend vllm needs vLLM: pip install -c constraints-serve.txt -e '.[serve]'") from error

    lora = {} if adapter is None else {"enable_lora": True, "max_lora_rank": lora_rank(adapter)}
    engine = LLM(model, revision=revision, trust_remote_code=trust_remote_code, **lora)
    context = engine.llm_engine.model_config.max_model_len
    request = None if adapter is None else LoRARequest("adapter", 1, adapter)
    for chunk in batches(prompts, PROMPTS_PER_CALL):
        numbers, ids, settings = [], [], []
        for number, prompt in chunk:
            try:
                tokens = chat.prompt(tokenizer, prompt.instruction, prompt.shots)
            except chat.SpecialTokenError as error:
                yield number, Failure(str(error), is_final=True)
                continue
            if len(tokens) >= context:
                yield number, too_long(len(tokens), context)
                continue
            guided = None if prompt.schema is None else StructuredOutputsParams(json=prompt.schema)
            numbers.append(number)
            ids.append({"prompt_token_ids": tokens})
            settings.append(
                SamplingParams(
                    temperature=0,
                    max_tokens=max_new_tokens,
                    stop_token_ids=[tokenizer.eos_token_id],
                    structured_outputs=guided,
                )
            )
        for number, result in zip(numbers, engine.generate(ids, settings, lora_request=request), strict=True):
            first = result.outputs[0]
            yield number, Answer(first.text, cut=first.finish_reason == "length")


LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)


def lora_rank(adapter: str) -> int:
    """The smallest value of vLLM's `max_lora_rank` that is at least the adapter's rank."""
    from peft import PeftConfig

    rank = PeftConfig.from_pretrained(adapter).r
    return next((size for size in LORA_RANKS if rank <= size), LORA_RANKS[-1])
