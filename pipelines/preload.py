"""Nothing → all that a worker process needs, loaded in the process that the workers are forked from (`workers`).

It only loads: no library may have opened a channel or begun to compute when that process forks.
"""

import gc
import logging
import sys

logging.getLogger().addHandler(logging.NullHandler())  # what is said while loading, the build's own process says too

import great_expectations  # noqa: E402, F401

from pipelines import driver, sources  # noqa: E402, F401
from pipelines.engine import workers  # noqa: E402, F401

sources.keys()  # which loads them all


def report(kind, error, traceback) -> None:
    if kind is not EOFError:  # a build that ended before it had told a process what to do
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = report
gc.freeze()  # a worker's collections would write to every page that it shares with the others
