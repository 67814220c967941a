"""Processes that are started later get the settings of the allocators, except those that the user has set."""

import os
import subprocess
import sys

from pipelines.engine import allocators

SHOW = f"import os; print(*(os.environ.get(name) for name in {list(allocators.ENVIRONMENT)}))"


def test_later_processes_have_the_settings_and_those_of_the_user_stay(monkeypatch):
    environment = {name: text for name, text in os.environ.items() if name not in allocators.ENVIRONMENT}
    monkeypatch.setattr(os, "environ", environment | {"MALLOC_ARENA_MAX": "7"})
    allocators.return_freed_memory()
    shown = subprocess.run([sys.executable, "-c", SHOW], env=os.environ, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["system", "7", "1048576", "1048576"]


def test_arrow_uses_the_allocator_of_the_system(monkeypatch):
    for name in allocators.ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    code = (
        "from pipelines.engine import allocators; allocators.return_freed_memory(); "
        "import pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "system"
