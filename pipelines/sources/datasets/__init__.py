"""The datasets that IEForge reads: one module per dataset, which defines a `SOURCE`. Its key is the module's name.

A dataset that is evaluated in several subsets (FewRel's draws of unseen relations) defines `SOURCES` instead: suffix →
Source, with keys `<module>_<suffix>` (empty suffix: `<module>`), all read from the folder `<module>`.
"""

import importlib
import pkgutil
from functools import cache

from pipelines.sources.source import Source
from schemas.errors import ConfigError, names_hint


@cache
def sources() -> dict[str, tuple[str, Source]]:
    """Key → (name of its module, source), sorted by key."""
    by_key = {}
    for name in (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")):
        module = importlib.import_module(f"{__name__}.{name}")
        if hasattr(module, "SOURCES"):
            by_key |= {
                f"{name}_{suffix}" if suffix else name: (name, source) for suffix, source in module.SOURCES.items()
            }
        else:
            by_key[name] = name, module.SOURCE
    return dict(sorted(by_key.items()))


def keys() -> list[str]:
    """All source keys, sorted."""
    return list(sources())


def folder(key: str) -> str:
    """The folder below a data root with the files of a key in `keys()`; also the name of its module."""
    return sources()[key][0]


def load(key: str) -> Source:
    """The source with this key. Raises ConfigError with the closest keys if there is none."""
    if key not in sources():
        raise ConfigError(f"no source is called {key!r}; {names_hint(key, keys())}")
    return sources()[key][1]
