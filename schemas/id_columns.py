"""Columns of Example ids → their keys, numbers and windows: `schemas.example_id` for whole Arrow columns."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.example import SPLITS
from schemas.example_id import LIMIT, NUMBER

AFTER_KEY = rf"/({'|'.join(SPLITS)})/({NUMBER})(/({NUMBER}))?$"


def source_keys(ids: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The key of each Example id; a text that is not an Example id is returned unchanged."""
    return pc.replace_substring_regex(ids, AFTER_KEY, "")


def positions(ids: pa.Array | pa.ChunkedArray, prefix: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Numbers and windows (-1: a whole Example) of the Examples of one source and split: (rows,), int64 each.

    `prefix`: their `ExampleId.prefix`. Returns None if a row is null, has another prefix or is not an Example id.
    """
    if ids.null_count or not pc.all(pc.starts_with(ids, f"{prefix}/"), min_count=0).as_py():
        return None
    parts = pc.split_pattern(pc.utf8_slice_codeunits(ids, len(prefix) + 1), "/")
    if isinstance(parts, pa.ChunkedArray):
        parts = parts.combine_chunks()
    lengths, digits = pc.list_value_length(parts).to_numpy(), parts.flatten()
    try:
        numbers = digits.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    if not numbers.cast(pa.string()).equals(digits):  # a sign or leading zeros
        return None
    values, ends = numbers.to_numpy(), np.cumsum(lengths)
    if len(values) and (values.min() < 0 or values.max() >= LIMIT or lengths.max() > 2):
        return None
    return values[ends - lengths], np.where(lengths == 2, values[ends - 1], -1)
