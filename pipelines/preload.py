"""Imports everything that a worker process needs into the fork server that starts the workers (`engine.workers`).

This module must only import: no library may open a channel or start threads before the fork server forks.
"""

import gc
import logging
import sys

logging.getLogger().addHandler(logging.NullHandler())  # the process of the build logs the same messages

import great_expectations  # noqa: E402, F401

from pipelines import driver, sources  # noqa: E402, F401
from pipelines.engine import workers  # noqa: E402, F401

sources.keys()  # imports the modules of all datasets


def report_exception(kind, error, traceback) -> None:
    if kind is not EOFError:  # raised if the build ends before it has sent the process its task
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = report_exception
gc.freeze()  # else a garbage collection in a worker would write to the memory pages that the workers share
