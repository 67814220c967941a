"""Prompts and answers → the turns of a chat, the form of data that trainers of chat models read."""

import numpy as np
import pyarrow as pa

from schemas.arrow import MESSAGES, strings

ROLES = ("user", "assistant")


def messages(instruction: pa.StringArray, output: pa.StringArray) -> pa.ListArray:
    """The column `messages` of rows with these columns: the prompt and, unless it is null, the answer."""
    answered = output.is_valid().to_numpy(zero_copy_only=False)
    ends = np.cumsum(1 + answered)
    turn = np.zeros(int(ends[-1]) if len(ends) else 0, np.int64)
    turn[ends[answered] - 1] = 1
    row = np.repeat(np.arange(len(answered)), 1 + answered)
    contents = pa.concat_arrays([instruction, output]).take(pa.array(row + turn * len(answered)))
    turns = pa.StructArray.from_arrays(
        [strings(ROLES).take(pa.array(turn)), contents], fields=list(MESSAGES.value_type)
    )
    return pa.ListArray.from_arrays(pa.array(np.r_[0, ends], pa.int32()), turns, type=MESSAGES)
