"""Sources: their definition (`source`), the datasets (`datasets`), users' folders (`user_data`), file discovery."""

from pipelines.sources.datasets import folder, keys, load, sources
from pipelines.sources.source import Form, Licence, Source

__all__ = ["Form", "Licence", "Source", "folder", "keys", "load", "sources"]
