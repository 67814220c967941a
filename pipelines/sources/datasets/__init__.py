"""The datasets that IEForge reads: one module each, holding one `SOURCE` whose key is the module's name.

A dataset that is evaluated in several cuts (FewRel's draws of unseen relations) holds `SOURCES` instead: suffix →
Source, with keys `<module>_<suffix>` (the empty suffix: `<module>`), all read from the folder `<module>`.
"""

import difflib
import importlib
import pkgutil
from functools import cache

from pipelines.sources.source import Source
from schemas.errors import ConfigError


@cache
def sources() -> dict[str, tuple[str, Source]]:
    """Every key, sorted, with its module's name and its source."""
    found = {}
    for name in (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")):
        module = importlib.import_module(f"{__name__}.{name}")
        if hasattr(module, "SOURCES"):
            found |= {f"{name}_{cut}" if cut else name: (name, source) for cut, source in module.SOURCES.items()}
        else:
            found[name] = name, module.SOURCE
    return dict(sorted(found.items()))


def keys() -> list[str]:
    """All source keys, sorted."""
    return list(sources())


def folder(key: str) -> str:
    """The folder below a data root that the files of a key in `keys()` lie in; also the name of its module."""
    return sources()[key][0]


def load(key: str) -> Source:
    """The source with this key. Raises ConfigError with the nearest names where there is none."""
    if key not in sources():
        near = ", ".join(difflib.get_close_matches(key, keys(), 3)) or ", ".join(keys())
        raise ConfigError(f"no source is called {key!r}; did you mean: {near}?")
    return sources()[key][1]
