"""Warnings about the first answers of a run, while there is still time to stop it."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tqdm import tqdm

from schemas.answers import Answer
from train.corpus import row_form
from train.prediction.answer_schema import json_schema
from transforms.plain_schema import plain_schema

ENDLESS = 32
"""If all of the first ENDLESS answers reach the token limit, the user is warned."""

UNGUIDED = 8
"""If none of the first UNGUIDED answers that a server was to restrict has the form asked for, the user is warned."""


def warn_if_endless(results: Iterable) -> Iterator:
    """Yields `results`. Warns once if the first ENDLESS answers all reach the token limit."""
    cut = 0
    for seen, (number, result) in enumerate(results, 1):
        yield number, result
        cut += isinstance(result, Answer) and result.cut
        if seen == cut == ENDLESS:
            tqdm.write(
                f"note: the first {ENDLESS} answers all reached the token limit: this model does not end them "
                "(untrained, or another chat template than in training); a lower --max_new_tokens is faster",
                file=sys.stderr,
            )


def warn_if_unguided(results: Iterable, rows: Sequence[Mapping]) -> Iterator:
    """Yields `results`, the answers of a server to `rows` by number. Warns once if none of the first UNGUIDED complete
    answers has the keys of its JSON Schema. Rows in the form `sentences`, which has no schema, do not count.
    """
    seen = 0
    for number, result in results:
        yield number, result
        if seen == UNGUIDED or not isinstance(result, Answer) or result.cut or row_form(rows[number]) == "sentences":
            continue
        seen = UNGUIDED + 1 if has_keys(rows[number], result.text) else seen + 1
        if seen == UNGUIDED:
            tqdm.write(
                f"warning: none of the first {UNGUIDED} answers follows the JSON Schema of --guided: this server "
                "ignores response_format; start it with structured outputs, or remove --guided",
                file=sys.stderr,
            )


def has_keys(row: Mapping, answer: str) -> bool:
    """Whether an answer is a JSON object with the labels that the row asks for, or an array in the form `triples`."""
    schema = json_schema(row["task"], plain_schema(json.loads(row["instruction"])["schema"]), row_form(row))
    try:
        decoded = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    if schema is None or schema["type"] == "array":
        return isinstance(decoded, list)
    return isinstance(decoded, dict) and decoded.keys() == schema["properties"].keys()
