"""The schema of an instruction → the JSON Schema of its answers, and generation restricted to it (llguidance)."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from schemas.answer_form import DEFAULT
from schemas.errors import MachineError
from train.parse import NAN
from transforms.answer_forms import CONTEXT

if TYPE_CHECKING:
    import torch

STRING = {"type": "string"}
STRINGS = {"type": "array", "items": STRING}
VALUE = {"anyOf": [STRING, {**STRINGS, "minItems": 2}]}


def json_schema(task: str, schema: Sequence, form: str = DEFAULT) -> dict | None:
    """The JSON Schema (draft 2020-12) of answers in `form` to an instruction of `task` with the given `schema`; None
    for `sentences`, the form that is not JSON.

    The keys are the requested labels, all of them in this order, as in the wire format. Mentions are free text. The
    triggers of EEA are those in the prompt. Triples may come in any order.
    """
    match form:
        case "sentences":
            return None
        case "triples":
            return {"type": "array", "items": {"anyOf": _triples(task, schema)}}
        case "spans":
            mentions = {"type": "array", "items": {"anyOf": [STRING, _object(dict.fromkeys(CONTEXT, STRING))]}}
            return _object(dict.fromkeys(schema, mentions))
        case "nan":
            properties = _object_schema(task, schema)["properties"]
            return _object(
                {label: {"anyOf": [{"const": NAN}, _not_empty(value)]} for label, value in properties.items()}
            )
    return _object_schema(task, schema)


def _triples(task: str, schema: Sequence) -> list[dict]:
    if task == "KG":
        kinds = [({"head_type": {"const": item["entity_type"]}}, item["attributes"]) for item in schema]
    else:
        kinds = [({}, [item["predicate"] if task == "SPO" else item for item in schema])]
    return [
        _object({"head": STRING, **head_type, "relation": {"enum": relations}, "tail": STRING})
        for head_type, relations in kinds
    ]


def _not_empty(value: dict) -> dict:
    """The value of a label without `[]`."""
    return value["anyOf"][1] if "anyOf" in value else {**value, "minItems": 1}


def _object_schema(task: str, schema: Sequence) -> dict:
    match task:
        case "NER" | "EET":
            return _object(dict.fromkeys(schema, STRINGS))
        case "RE":
            return _object({label: _pairs() for label in schema})
        case "SPO":
            return _object({item["predicate"]: _pairs() for item in schema})
        case "KG":
            return _object({item["entity_type"]: _attributes(item["attributes"]) for item in schema})
        case _:
            return _object({item["event_type"]: _events(item) for item in schema})


def _object(properties: dict, required: bool = True) -> dict:
    names = list(properties) if required else []
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


def _pairs() -> dict:
    return {"type": "array", "items": _object({"subject": STRING, "object": STRING})}


def _events(item: dict) -> dict:
    """The events of a type: `arguments` has all roles or is {}. EEA prompts of IEPile's test rows have no triggers."""
    triggers = item.get("trigger", True)
    trigger = STRING if triggers is True else {"enum": list(dict.fromkeys([*triggers, NAN]))}
    filled = _object(dict.fromkeys(item["arguments"], VALUE))
    arguments = {"anyOf": [filled, _object({})]} if item["arguments"] else filled
    return {"type": "array", "items": _object({"trigger": trigger, "arguments": arguments})}


def _attributes(attributes: Sequence[str]) -> dict:
    filled = {"type": "object", "additionalProperties": _object(dict.fromkeys(attributes, VALUE), required=False)}
    return {"anyOf": [{"type": "array", "maxItems": 0}, filled]}


WIRE_SEPARATORS = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False}
"""The JSON format of `json.dumps` and of our corpora, the only one that a model trained on them has seen."""


class Guide:
    """Creates logits processors that allow only the tokens of an answer's JSON Schema.

    `tokenizer`: a fast one. `vocabulary_size`: the width of the model's scores.
    Raises MachineError if llguidance is not installed.
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

    def processor(self, schemas: Sequence[dict | None], prompt_length: int) -> "Processor":
        """The logits processor of one batch: row n follows `schemas[n]`, or is free if it is None. Prompts are padded
        to `prompt_length` tokens.
        """
        matchers = [
            None if schema is None else self.matcher(self.vocabulary, self.grammar(json.dumps(schema)))
            for schema in schemas
        ]
        for matcher in matchers:
            if matcher is not None and matcher.is_error():
                raise ValueError(matcher.get_error())
        return Processor(matchers, prompt_length)


class Processor:
    """Called by `generate` at each step: `(token ids so far, scores) -> scores`, with forbidden tokens at -inf."""

    def __init__(self, matchers: Sequence, prompt_length: int):
        self.matchers, self.seen = matchers, prompt_length

    def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        import numpy as np
        import torch

        for tokens, matcher in zip(input_ids[:, self.seen :].tolist(), self.matchers, strict=True):
            if matcher is not None and not matcher.is_stopped():
                matcher.consume_tokens(tokens)
        self.seen = input_ids.shape[1]
        allowed = np.ones((len(self.matchers), scores.shape[1]), bool)
        for row, matcher in zip(allowed, self.matchers, strict=True):
            if matcher is not None:
                row[:] = np.frombuffer(matcher.compute_logit_bias(), np.uint8)[: scores.shape[1]] > 0
        mask = torch.from_numpy(allowed).to(scores.device)
        return scores.masked_fill(~mask, float("-inf"))
