"""Strings of a corpus as JSON, and columns of strings that are put together from pieces.

The shapes are IEPile's, non-ASCII characters kept, separators as `json.dumps` writes them.
"""

import json
from collections.abc import Sequence
from json.encoder import encode_basestring

import numpy as np
import pyarrow as pa

from schemas.label import Label

NAN = "NAN"
"""A role without a value; the trigger of an event without one."""

encode = json.JSONEncoder(ensure_ascii=False).encode
encode_string = encode_basestring
"""A string as JSON, non-ASCII characters kept; much faster than `encode`."""


def schema_item(task: str, label: Label, triggers: Sequence[str] = ()) -> str:
    """One element of the list `schema` of a prompt, as JSON. `triggers`: of the event type in the text, for EEA."""
    match task:
        case "SPO":
            item = {"subject_type": label.subject_type, "predicate": label.predicate, "object_type": label.object_type}
        case "EE":
            item = {"event_type": label.name, "trigger": True, "arguments": label.roles}
        case "EEA":
            item = {"event_type": label.name, "trigger": triggers, "arguments": label.roles}
        case "KG":
            item = {"entity_type": label.name, "attributes": label.roles}
        case _:
            item = label.name
    return encode(item)


def answer_key(label: Label) -> str:
    """The key of the label's answer: a typed triple answers under its predicate."""
    return label.predicate or label.name


def gathered(pieces: pa.StringArray, numbers: np.ndarray, lengths: np.ndarray) -> pa.StringArray:
    """One string for each of `lengths`: that many of the pieces `numbers` names, one after the other.

    Arrow's `take` lays the pieces end to end; the strings are that buffer with fewer offsets.
    """
    taken = pieces.take(pa.array(numbers))
    offsets = np.frombuffer(taken.buffers()[1], np.int32, len(taken) + 1)
    starts = np.ascontiguousarray(offsets[np.r_[0, np.cumsum(lengths)]])
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(starts), taken.buffers()[2])
