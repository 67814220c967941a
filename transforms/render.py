"""JSON strings of a corpus, and string columns that are concatenated from pieces.

The JSON has the form of IEPile, with non-ASCII characters unescaped and the separators of `json.dumps`.
"""

import json
from collections.abc import Sequence
from json.encoder import encode_basestring

import numpy as np
import pyarrow as pa

from schemas.label import Label

NAN = "NAN"
"""The value of a role without arguments, and the trigger in the answer for an event without one."""

encode = json.JSONEncoder(ensure_ascii=False).encode
encode_string = encode_basestring
"""A string as JSON, with non-ASCII characters unescaped; much faster than `encode`."""


def schema_item(task: str, label: Label, triggers: Sequence[str] = ()) -> str:
    """One element of the `schema` list of a prompt, as JSON. `triggers`: those of the event type (EEA only)."""
    item: object
    match task:
        case "SPO":
            item = {"subject_type": label.subject_type, "predicate": label.predicate, "object_type": label.object_type}
        case "EE":
            item = {"event_type": label.name, "trigger": True, "arguments": label.role_names}
        case "EEA":
            item = {"event_type": label.name, "trigger": triggers, "arguments": label.role_names}
        case "KG":
            item = {"entity_type": label.name, "attributes": label.role_names}
        case _:
            item = label.name
    return encode(item)


def answer_key(label: Label) -> str:
    """The key of a label in an answer: the predicate of a typed triple, else the name."""
    return label.predicate or label.name


def gather(pieces: pa.StringArray, numbers: np.ndarray, lengths: np.ndarray) -> pa.StringArray:
    """One string per element of `lengths`: the concatenation of that many pieces. `numbers`: the pieces of all strings.

    `take` writes the pieces into one buffer, so the strings are this buffer with fewer offsets.
    """
    taken = pieces.take(pa.array(numbers))
    offsets = np.frombuffer(taken.buffers()[1], np.int32, len(taken) + 1)
    starts = np.ascontiguousarray(offsets[np.r_[0, np.cumsum(lengths)]])
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(starts), taken.buffers()[2])
