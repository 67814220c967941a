"""Prepares the fork server that starts the workers (`engine.workers`): imports what the workers need.

A fork of the build's process has imported nearly all of it. This module must only import: no library may open a channel
or start threads before the fork server forks.
"""

import gc
import logging
import os
import signal
import sys

from schemas import command

signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited by the workers, which the run ends itself
signal.pthread_sigmask(signal.SIG_UNBLOCK, command.ENDING)
logging.basicConfig(handlers=[logging.NullHandler()], force=True)  # the process of the build logs the same messages

from pipelines import driver, sources  # noqa: E402, F401
from pipelines.engine import workers  # noqa: E402, F401
from validation.expectations import load_expectations  # noqa: E402

LATER_S = 0.3
"""Seconds after the start of the first worker until the fork server, which has nothing to do while the first stage
runs, imports what only the last stages need. It starts no worker meanwhile.
"""

sources.keys()  # imports the modules of all datasets
gc.freeze()  # else a garbage collection in a worker would write to the memory pages that the workers share


is_first = True


def wait_after_first() -> None:
    """Sets the timer after the first fork only: stages that take less than LATER_S would put it off again and again."""
    global is_first
    if is_first:
        is_first = False
        signal.setitimer(signal.ITIMER_REAL, LATER_S)


def import_later(signum, frame) -> None:
    """Imports what only validate needs, between two forks. A worker does not inherit the timer."""
    load_expectations()
    gc.freeze()


def report_exception(kind, error, traceback) -> None:
    if kind is not EOFError:  # raised if the build ends before it has sent the process its task
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = report_exception
signal.signal(signal.SIGALRM, import_later)
os.register_at_fork(after_in_parent=wait_after_first)
