"""The schema of an instruction → the JSON Schema of its answers, and generation that cannot leave it (llguidance)."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from schemas.errors import MachineError
from train.parse import NAN

if TYPE_CHECKING:
    import torch

STRING = {"type": "string"}
STRINGS = {"type": "array", "items": STRING}
VALUE = {"anyOf": [STRING, {**STRINGS, "minItems": 2}]}


def json_schema(task: str, asked: Sequence) -> dict:
    """The JSON Schema (draft 2020-12) of answers to an instruction of `task` whose key `schema` holds `asked`.

    Keys are the labels asked, all of them and in this order, as the wire format has them; what is found under a label
    is free text. EEA's triggers are those that the prompt names.
    """
    match task:
        case "NER" | "EET":
            return _object(dict.fromkeys(asked, STRINGS))
        case "RE":
            return _object({label: _pairs() for label in asked})
        case "SPO":
            return _object({item["predicate"]: _pairs() for item in asked})
        case "KG":
            return _object({item["entity_type"]: _attributes(item["attributes"]) for item in asked})
        case _:
            return _object({item["event_type"]: _events(item) for item in asked})


def _object(properties: dict, required: bool = True) -> dict:
    names = list(properties) if required else []
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


def _pairs() -> dict:
    return {"type": "array", "items": _object({"subject": STRING, "object": STRING})}


def _events(item: dict) -> dict:
    """Every role is answered, or `arguments` is {}. In IEPile's own EEA prompts for test rows no triggers stand."""
    triggers = item.get("trigger", True)
    trigger = STRING if triggers is True else {"enum": list(dict.fromkeys([*triggers, NAN]))}
    filled = _object(dict.fromkeys(item["arguments"], VALUE))
    arguments = {"anyOf": [filled, _object({})]} if item["arguments"] else filled
    return {"type": "array", "items": _object({"trigger": trigger, "arguments": arguments})}


def _attributes(attributes: Sequence[str]) -> dict:
    found = {"type": "object", "additionalProperties": _object(dict.fromkeys(attributes, VALUE), required=False)}
    return {"anyOf": [{"type": "array", "maxItems": 0}, found]}


WIRE_SEPARATORS = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False}
"""JSON as `json.dumps` and our corpora write it; a model that was trained on them has seen no other."""


class Guide:
    """Keeps the tokens that an answer's JSON Schema allows; one for a tokenizer.

    `tokenizer`: a fast one. `vocabulary_size`: the width of the model's scores. Raises MachineError without llguidance.
    """

    def __init__(self, tokenizer, vocabulary_size: int, end_tokens: Sequence[int]):
        try:
            import llguidance
            import llguidance.hf
        except ImportError as error:
            raise MachineError("--guided needs llguidance: pip install -c constraints.txt -e '.[train]'") from error
        self.matcher = llguidance.LLMatcher
        self.vocabulary = llguidance.hf.from_tokenizer(
            tokenizer, n_vocab=vocabulary_size, eos_token=list(end_tokens), slices=None
        )
        self.grammar = lru_cache(maxsize=4096)(self._grammar)

    def _grammar(self, schema: str) -> str:
        return self.matcher.grammar_from_json_schema(schema, overrides=WIRE_SEPARATORS)

    def processor(self, schemas: Sequence[dict], prompt_length: int) -> "Processor":
        """The logits processor of one batch: row n follows `schemas[n]`; prompts are padded to `prompt_length`."""
        matchers = [self.matcher(self.vocabulary, self.grammar(json.dumps(schema))) for schema in schemas]
        for matcher in matchers:
            if matcher.is_error():
                raise ValueError(matcher.get_error())
        return Processor(matchers, prompt_length)


class Processor:
    """What `generate` calls at each step: `(token ids so far, scores) -> scores` with forbidden tokens at -inf."""

    def __init__(self, matchers: Sequence, prompt_length: int):
        self.matchers, self.seen = matchers, prompt_length

    def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        import numpy as np
        import torch

        for tokens, matcher in zip(input_ids[:, self.seen :].tolist(), self.matchers, strict=True):
            if not matcher.is_stopped():
                matcher.consume_tokens(tokens)
        self.seen = input_ids.shape[1]
        allowed = np.stack([np.frombuffer(matcher.compute_logit_bias(), np.uint8) for matcher in self.matchers])
        mask = torch.from_numpy(allowed[:, : scores.shape[1]] > 0).to(scores.device)
        return scores.masked_fill(~mask, float("-inf"))
