"""Tests. Their environment, also that of the many Python processes that they start, is set before any import."""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else every process compiles all modules again
sys.dont_write_bytecode = False
os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of tests that run side by side only wait for each other
