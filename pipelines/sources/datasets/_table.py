"""The tables of label names and descriptions beside the modules of datasets."""

from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one written in C, which PyYAML lacks if it was built without libyaml, is ten times as fast."""


def read(module: str) -> Any:
    """The content of the YAML file beside a module with this path, which has the same name."""
    return yaml.load(Path(module).with_suffix(".yaml").read_text("utf-8"), LOADER)
