"""Imports Great Expectations without what the suites do not need."""

import gc
import sys
from types import ModuleType
from typing import Any

DEFERRED = ("altair", "scipy.stats")
"""Modules that only expectations about distributions use. They take half of the time of the import."""


class Deferred(ModuleType):
    """Stands for a module that is imported when one of its names is used.

    importlib.util.LazyLoader serves Python 3.12 and later only: before, it imports the module at once.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # looked up by those who list all modules
            raise AttributeError(name)
        __import__(self.__name__)
        return getattr(sys.modules[self.__name__], name)


def load_expectations() -> None:
    """Imports Great Expectations; the modules DEFERRED follow when they are used."""
    deferred = {name: Deferred(name) for name in DEFERRED if name not in sys.modules}
    gc.disable()  # an import creates no garbage, and collecting takes a fifth of its time
    sys.modules.update(deferred)
    import great_expectations  # noqa: F401

    for name in deferred:
        del sys.modules[name]
    gc.enable()
