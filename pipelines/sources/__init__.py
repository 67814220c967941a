"""Sources: their definition (`source`), the datasets (`datasets`), users' folders (`user_data`), file discovery."""

from pipelines.sources.datasets import folder, keys, load, sources
from pipelines.sources.source import Download, Form, Licence, Source, files_at, github

__all__ = ["Download", "Form", "Licence", "Source", "files_at", "folder", "github", "keys", "load", "sources"]
