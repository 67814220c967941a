"""An instruction (and its answer) → token ids, rendered with a chat template. No other module tokenizes text.

Training, `predict` and a server that loads the saved tokenizer render the same template, so their prompts are
identical. Only the template produces special tokens: the string of one (`</s>`) in an instruction or an answer is
tokenized as ordinary characters, as with transformers' `split_special_tokens`.
"""

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from schemas.answers import messages
from schemas.errors import ConfigError, MachineError, quoted
from train import hub
from train.corpus import is_repository
from train.refusals import one_line
from transforms import user_files

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PLAIN = """\
{{- bos_token -}}
{%- for message in messages -%}
{%- if message['role'] == 'assistant' -%}
{{- message['content'] + eos_token + '\\n\\n' -}}
{%- else -%}
{{- '### Instruction:\\n' + message['content'] + '\\n\\n### Answer:\\n' -}}
{%- endif -%}
{%- endfor -%}
"""
"""The template for a base model without a chat template."""

NO_THINKING = "{%- set enable_thinking = false -%}\n"
"""Prepended to the template of a reasoning model: an answer must be JSON from its first character."""

MARKS = range(0xE000, 0xF900)
"""Private-use characters. One that a conversation does not contain is inserted into the special-token strings in it,
which prevents the tokenizer from matching them."""


class SpecialTokenError(ConfigError):
    """A text contains the string of a special token, and this tokenizer cannot encode it as ordinary text."""


def load_tokenizer(
    model: str,
    *,
    adapter: str | None = None,
    chat_template: str | None = None,
    eos_token: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> "PreTrainedTokenizerBase":
    """Returns the tokenizer of `model`, or the one saved with `adapter`, with its chat template set.

    `model` and `adapter`: a folder or a Hub name. `chat_template`: a Jinja file. Raises ConfigError for an invalid
    name, an unusable template, or a tokenizer without an end-of-sequence token.
    """
    from transformers import AutoTokenizer

    origin = adapter if adapter and os.path.exists(f"{adapter}/tokenizer_config.json") else model
    check_name(origin)
    with one_line(f"{origin}: cannot load the tokenizer"):
        try:
            tokenizer = AutoTokenizer.from_pretrained(
                origin, revision=revision if origin == model else None, trust_remote_code=trust_remote_code
            )
        except OSError as error:
            if os.path.isdir(origin):
                raise
            raise MachineError(
                f"{origin}: no such folder, and no tokenizer of this name on the Hub; check the name"
            ) from error
        tokenizer("{}")
    if eos_token is not None:
        if eos_token not in tokenizer.get_vocab():
            raise ConfigError(f"eos_token {eos_token!r}: not in the vocabulary of {origin}; choose one of its tokens")
        tokenizer.eos_token = eos_token
    if tokenizer.eos_token_id is None:
        raise ConfigError(
            f"{origin}: its tokenizer has no end-of-sequence token, so no answer could end; set eos_token"
        )
    tokenizer.chat_template = template(tokenizer, chat_template)
    check_template(tokenizer, origin)  # before the model is loaded
    return tokenizer


def check_template(tokenizer: "PreTrainedTokenizerBase", name: str) -> None:
    """Raises ConfigError if the chat template does not render or drops text, or if all texts get the same ids.

    `name`: the tokenizer's folder or Hub name.
    """
    question, answer = (" ".join(f"{word} {number}" for number in range(200)) for word in ("harbour", "crate"))
    if question not in prompt_text(tokenizer, question):
        raise ConfigError("the chat template does not put the whole user message into the prompt; fix the template")
    if answer not in _render(tokenizer, [*messages(question), {"role": "assistant", "content": answer}]):
        raise ConfigError("the chat template does not put the whole answer into the training text; fix the template")
    with one_line(f"{name}: its tokenizer does not work"):
        if prompt(tokenizer, question) == prompt(tokenizer, answer):
            raise ConfigError(
                f"{name}: its tokenizer maps every text to the same tokens; check that its files are complete"
            )


def check_name(model: str) -> None:
    """Raises ConfigError for a path that is not a model folder, and the errors of `hub.check` for a Hub name."""
    if os.path.isdir(model):
        files = set(os.listdir(model))
        if not files & {"config.json", "adapter_config.json", "tokenizer_config.json"}:
            raise ConfigError(f"{model}: contains no model (no config.json); give a model folder or a Hub name")
    elif os.path.exists(model) or not is_repository(model):
        raise ConfigError(f"{model}: no such folder; give a model folder or a Hub name")
    else:
        hub.check(model, "model")


def template(tokenizer: "PreTrainedTokenizerBase", file: str | None = None) -> str:
    """The Jinja template: that of `file`, else of the model, else PLAIN. Thinking is switched off in all of them."""
    if file is None:
        source = tokenizer.chat_template
        if isinstance(source, dict):  # several by name
            source = source.get("default")
        source = source or PLAIN
        if not isinstance(source, str):
            raise ConfigError(f"the model's chat template is {quoted(source)}, not a string; pass --chat_template")
    else:
        source = read_template(file)
    return NO_THINKING + source if "enable_thinking" in source and not source.startswith(NO_THINKING) else source


def read_template(file: str) -> str:
    """The text of a Jinja file. Raises ConfigError if it cannot be read."""
    try:
        return user_files.read_text(file)
    except ConfigError as error:
        raise ConfigError(f"chat_template {file}: cannot be read ({error}); give a Jinja file") from error


def prompt(
    tokenizer: "PreTrainedTokenizerBase", instruction: str, examples: Sequence[tuple[str, str]] = ()
) -> list[int]:
    """The token ids of the prompt, up to the start of the answer. Raises SpecialTokenError."""
    turns, mark = _marked(tokenizer, messages(instruction, examples))
    return _ids(tokenizer, _render(tokenizer, turns, add_generation_prompt=True), mark)


def prompt_text(
    tokenizer: "PreTrainedTokenizerBase", instruction: str, examples: Sequence[tuple[str, str]] = ()
) -> str:
    """The rendered text of the prompt, which `prompt` tokenizes."""
    return _render(tokenizer, messages(instruction, examples), add_generation_prompt=True)


def example(tokenizer: "PreTrainedTokenizerBase", instruction: str, output: str) -> tuple[list[int], list[int]]:
    """(input_ids, completion_mask) of prompt and answer. The mask is 1 on the answer and its end-of-sequence token.

    The ids start with exactly the ids that `prompt` returns and end with the end-of-sequence token.
    Raises ConfigError for a template that does not render an answer directly after its prompt, and SpecialTokenError
    as `prompt` does.
    """
    turns, mark = _marked(tokenizer, [*messages(instruction), {"role": "assistant", "content": output}])
    before = _render(tokenizer, turns[:-1], add_generation_prompt=True)
    rendered = _render(tokenizer, turns)
    if not rendered.startswith(before):
        raise ConfigError(
            "the chat template does not render an answer directly after its prompt; use another (--chat_template)"
        )
    end = rendered.rfind(tokenizer.eos_token)
    # A template may end a turn with another token, or add a line break: the model must learn to stop at EOS.
    rendered = rendered[:end] if end >= len(before) else rendered
    start, ids = _ids(tokenizer, before, mark), _ids(tokenizer, rendered, mark)
    if ids[: len(start)] != start:  # a token spans the boundary, which never occurs in a prompt
        ids = start + _ids(tokenizer, rendered[len(before) :], mark)
    ids.append(tokenizer.eos_token_id)
    return ids, [0] * len(start) + [1] * (len(ids) - len(start))


@lru_cache(maxsize=8)
def _special(tokenizer: "PreTrainedTokenizerBase", end: str) -> re.Pattern:
    """Matches the special tokens; `end`: the end-of-sequence token, which a recipe may set after loading."""
    added = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    names = sorted({*added, *tokenizer.all_special_tokens, end}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, names)))


def _marked(
    tokenizer: "PreTrainedTokenizerBase", turns: Sequence[dict[str, str]]
) -> tuple[Sequence[dict[str, str]], str | None]:
    """Returns the turns with a mark after the first character of each special-token string, and the mark.

    The mark is None if there is no such string.
    """
    special = _special(tokenizer, tokenizer.eos_token)
    if not any(special.search(turn["content"]) for turn in turns):
        return turns, None
    used = {character for turn in turns for character in turn["content"]}
    mark = next(chr(code) for code in MARKS if chr(code) not in used)
    return [
        {**turn, "content": special.sub(lambda match: match[0][0] + mark + match[0][1:], turn["content"])}
        for turn in turns
    ], mark


def _render(tokenizer: "PreTrainedTokenizerBase", turns: Sequence[dict[str, str]], **options) -> str:
    with one_line("the chat template does not render"):
        return tokenizer.apply_chat_template(list(turns), tokenize=False, **options)


def _ids(tokenizer: "PreTrainedTokenizerBase", text: str, mark: str | None = None) -> list[int]:
    """The token ids of `text` without those of `mark`. Raises SpecialTokenError if they cannot be separated."""
    if mark is None or mark not in text:
        return tokenizer(text, add_special_tokens=False)["input_ids"]
    if not tokenizer.is_fast:
        raise SpecialTokenError(
            "a text contains the string of a special token, which only a fast tokenizer can encode as text"
        )
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    spans = encoded["offset_mapping"]
    mark_spans = {span for span in spans if mark in text[slice(*span)]}
    if len(mark_spans) != text.count(mark) or any(end - start > 1 for start, end in mark_spans):
        raise SpecialTokenError(
            "a text contains the string of a special token, which this tokenizer cannot encode as text"
        )
    return [number for number, span in zip(encoded["input_ids"], spans, strict=True) if span not in mark_spans]
