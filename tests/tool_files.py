"""Files of annotation tools for tests: written from values or text, and real ones if they are beside the checkout."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT
from transforms.files import File
from transforms.formats.head import Head

FORMATS = ROOT.parent / "shared" / "formats"


def tool_file(folder: Path, content: object, name: str = "a.json") -> File:
    """A file with these bytes, this text, or the JSON of this value."""
    text = content if isinstance(content, str | bytes) else json.dumps(content, ensure_ascii=False)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return File(str(folder / name), name)


def read_tool_file(read: Callable, folder: Path, content: object, name: str = "a.json", **options) -> list:
    return list(read([tool_file(folder, content, name)], **options))


def head_of(folder: Path, content: object, name: str = "a.json") -> Head:
    return Head(tool_file(folder, content, name))
