"""An instruction (and its answer) → token ids by one chat template: the only place where text becomes tokens.

Training, `predict` and a server that loads the saved tokenizer render the same template, so that they cannot differ.
Special tokens are the template's alone: where an instruction or an answer spells one out (`</s>`), it becomes the
tokens of these characters, as with transformers' `split_special_tokens`.
"""

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

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
"""For a base model that has no chat template of its own."""

NO_THINKING = "{%- set enable_thinking = false -%}\n"
"""Before the template of a model that reasons first: an answer is JSON from its first character."""

MARKS = range(0xE000, 0xF900)
"""Private-use characters. One that a conversation does not hold keeps the special tokens spelled out in it apart."""


class SpecialTokenError(ConfigError):
    """A text spells out a special token that this tokenizer cannot be made to read as text."""


def load_tokenizer(
    model: str,
    *,
    adapter: str | None = None,
    chat_template: str | None = None,
    eos_token: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> "PreTrainedTokenizerBase":
    """The tokenizer of `model`, or the one that was saved with `adapter`, with the chat template to be used.

    `model` and `adapter`: a folder or a Hub name. `chat_template`: a Jinja file. Raises ConfigError for a name that
    is none, a template that cannot be used, and a tokenizer without an end-of-sequence token.
    """
    from transformers import AutoTokenizer

    origin = adapter if adapter and os.path.exists(f"{adapter}/tokenizer_config.json") else model
    check_name(origin)
    with one_line(f"{origin}: holds no tokenizer that loads"):
        try:
            tokenizer = AutoTokenizer.from_pretrained(
                origin, revision=revision if origin == model else None, trust_remote_code=trust_remote_code
            )
        except OSError as error:
            if os.path.isdir(origin):
                raise
            raise MachineError(
                f"{origin}: no such folder, and the Hub gives no tokenizer for it; check the name"
            ) from error
        tokenizer("{}")
    if eos_token is not None:
        if eos_token not in tokenizer.get_vocab():
            raise ConfigError(f"eos_token {eos_token!r}: not in the vocabulary of {origin}; name one of its tokens")
        tokenizer.eos_token = eos_token
    if tokenizer.eos_token_id is None:
        raise ConfigError(
            f"{origin}: its tokenizer has no end-of-sequence token, so no answer could end; name one with eos_token"
        )
    tokenizer.chat_template = template(tokenizer, chat_template)
    check_template(tokenizer, origin)  # before anything is loaded
    return tokenizer


def check_template(tokenizer: "PreTrainedTokenizerBase", name: str) -> None:
    """Raises ConfigError where the chat template does not render or loses text, or where all texts have the same ids.

    `name`: the tokenizer's folder or Hub name.
    """
    asked, answer = (" ".join(f"{word} {number}" for number in range(200)) for word in ("harbour", "crate"))
    if asked not in prompt_text(tokenizer, asked):
        raise ConfigError("the chat template does not put the whole of what the user says into the prompt; mend it")
    if answer not in _render(tokenizer, [*messages(asked), {"role": "assistant", "content": answer}]):
        raise ConfigError("the chat template does not put the whole answer into the text to train on; mend it")
    with one_line(f"{name}: its tokenizer does not work"):
        if prompt(tokenizer, asked) == prompt(tokenizer, answer):
            raise ConfigError(f"{name}: its tokenizer reads every text as the same; are its files there?")


def check_name(model: str) -> None:
    """Raises ConfigError for a path that is no folder of a model, and as `hub.check` for a name of the Hub."""
    if os.path.isdir(model):
        files = set(os.listdir(model))
        if not files & {"config.json", "adapter_config.json", "tokenizer_config.json"}:
            raise ConfigError(f"{model}: holds no model (no config.json); name a model's folder or its Hub name")
    elif os.path.exists(model) or not is_repository(model):
        raise ConfigError(f"{model}: no such folder; name a model's folder or its Hub name")
    else:
        hub.check(model, "model")


def template(tokenizer: "PreTrainedTokenizerBase", file: str | None = None) -> str:
    """The Jinja template to use: of `file`, else the model's own, else PLAIN. It never asks a model to reason first."""
    if file is None:
        own = tokenizer.chat_template
        if isinstance(own, dict):  # several by name
            own = own.get("default")
        own = own or PLAIN
        if not isinstance(own, str):
            raise ConfigError(f"the model's chat template is {quoted(own)}, no text; give one (--chat_template)")
    else:
        own = read_template(file)
    return NO_THINKING + own if "enable_thinking" in own and not own.startswith(NO_THINKING) else own


def read_template(file: str) -> str:
    """A Jinja file's text. Raises ConfigError where it cannot be read."""
    try:
        return user_files.read_text(file)
    except ConfigError as error:
        raise ConfigError(f"chat_template {file}: cannot be read ({error}); name a Jinja file") from error


def messages(instruction: str, examples: Sequence[tuple[str, str]] = ()) -> list[dict[str, str]]:
    """The turns of a prompt: solved `examples` (instruction, answer) first, then the instruction."""
    turns = []
    for asked, answer in examples:
        turns += [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    return [*turns, {"role": "user", "content": instruction}]


def prompt(
    tokenizer: "PreTrainedTokenizerBase", instruction: str, examples: Sequence[tuple[str, str]] = ()
) -> list[int]:
    """Token ids up to the place where the answer starts. Raises SpecialTokenError."""
    turns, mark = _marked(tokenizer, messages(instruction, examples))
    return _ids(tokenizer, _render(tokenizer, turns, add_generation_prompt=True), mark)


def prompt_text(
    tokenizer: "PreTrainedTokenizerBase", instruction: str, examples: Sequence[tuple[str, str]] = ()
) -> str:
    """What `prompt` turns into token ids."""
    return _render(tokenizer, messages(instruction, examples), add_generation_prompt=True)


def example(tokenizer: "PreTrainedTokenizerBase", instruction: str, output: str) -> tuple[list[int], list[int]]:
    """(input_ids, completion_mask): prompt and answer; the mask is 1 on the answer and the token that ends it.

    The ids start with exactly what `prompt` gives, and the last of them is the end-of-sequence token.
    Raises ConfigError for a template that renders an answer otherwise than after its own prompt, SpecialTokenError as
    `prompt` does.
    """
    turns, mark = _marked(tokenizer, [*messages(instruction), {"role": "assistant", "content": output}])
    before = _render(tokenizer, turns[:-1], add_generation_prompt=True)
    whole = _render(tokenizer, turns)
    if not whole.startswith(before):
        raise ConfigError(
            "the chat template does not put an answer right behind its own prompt; give one that does (--chat_template)"
        )
    end = whole.rfind(tokenizer.eos_token)
    # a template's end of a turn may be another token, or a line break may follow: the model learns to stop at EOS
    whole = whole[:end] if end >= len(before) else whole
    start, ids = _ids(tokenizer, before, mark), _ids(tokenizer, whole, mark)
    if ids[: len(start)] != start:  # a token across the border is one that a prompt never ends with
        ids = start + _ids(tokenizer, whole[len(before) :], mark)
    ids.append(tokenizer.eos_token_id)
    return ids, [0] * len(start) + [1] * (len(ids) - len(start))


@lru_cache(maxsize=8)
def _special(tokenizer: "PreTrainedTokenizerBase", end: str) -> re.Pattern:
    """Matches the special tokens; `end`: the end-of-sequence token, which a recipe may have named after loading."""
    added = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    names = sorted({*added, *tokenizer.all_special_tokens, end}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, names)))


def _marked(
    tokenizer: "PreTrainedTokenizerBase", turns: Sequence[dict[str, str]]
) -> tuple[Sequence[dict[str, str]], str | None]:
    """The turns with a mark behind the first character of every special token in them, and that mark; None: without."""
    special = _special(tokenizer, tokenizer.eos_token)
    if not any(special.search(turn["content"]) for turn in turns):
        return turns, None
    written = {character for turn in turns for character in turn["content"]}
    mark = next(chr(code) for code in MARKS if chr(code) not in written)
    return [
        {**turn, "content": special.sub(lambda match: match[0][0] + mark + match[0][1:], turn["content"])}
        for turn in turns
    ], mark


def _render(tokenizer: "PreTrainedTokenizerBase", turns: list[dict[str, str]], **options) -> str:
    with one_line("the chat template does not render"):
        return tokenizer.apply_chat_template(turns, tokenize=False, **options)


def _ids(tokenizer: "PreTrainedTokenizerBase", text: str, mark: str | None = None) -> list[int]:
    """The token ids of `text`, those of `mark` left out. Raises SpecialTokenError where it has no tokens of its own."""
    if mark is None or mark not in text:
        return tokenizer(text, add_special_tokens=False)["input_ids"]
    if not tokenizer.is_fast:
        raise SpecialTokenError("a text spells out a special token, which only a fast tokenizer can read as text")
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    spans = encoded["offset_mapping"]
    of_mark = {span for span in spans if mark in text[slice(*span)]}
    if len(of_mark) != text.count(mark) or any(end - start > 1 for start, end in of_mark):
        raise SpecialTokenError("a text spells out a special token, which this tokenizer cannot read as text")
    return [number for number, span in zip(encoded["input_ids"], spans, strict=True) if span not in of_mark]
