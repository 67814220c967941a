"""Names of modules → a fingerprint of the code that decides their results: of these modules and all that they import.

A module counts by its syntax tree without docstrings, comments and positions, so that only a change of what it does
changes the fingerprint. Trees differ between minor versions of Python, and so do fingerprints.
"""

import ast
import gc
import hashlib
import importlib.metadata
import json
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from transforms import files

ROOT = Path(__file__).parents[2]
"""The folder that holds our packages."""

PACKAGES = ("schemas", "transforms", "hard_negatives", "validation", "pipelines")

PLUMBING = ("pipelines.config", "pipelines.engine")
"""Modules and packages that decide no result: settings count by their values, and the engine knows no data."""

RULES = {"sentencex": importlib.metadata.version, "unicodedata": lambda _: unicodedata.unidata_version}
"""Libraries whose tables decide rows (where sentences end, what a character is) → how to get their version. Others
implement a format or an algorithm that does not change with their version.
"""


class Module(NamedTuple):
    """What counts of a source text: SHA-256 of its syntax tree, the names in our packages that it imports (modules, or
    names in modules), and its imports of RULES.
    """

    digest: str
    imports: frozenset[str]
    rules: frozenset[str]


def fingerprint(modules: Iterable[str], data: Iterable[str] = (), root: Path = ROOT) -> str:
    """SHA-256 over the import closure of `modules`, the versions of RULES in it, and the files `data`, hex.

    `data`: paths below `root`; a folder stands for all files in it. Raises MachineError where a file cannot be read,
    ModuleNotFoundError where there is none of one of `modules`.
    """
    read = closure(modules, root)
    content = [
        {name: module.digest for name, module in read.items()},
        {name: RULES[name](name) for module in read.values() for name in module.rules},
        {path: files.checksums_below(str(root / path)) for path in data},
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def closure(modules: Iterable[str], root: Path = ROOT) -> dict[str, Module]:
    """Name → module, of `modules` and everything that they import, at the top or in a function, without PLUMBING."""
    reached: dict[str, Module] = {}
    waiting = [part for name in modules for part in with_parents(name)]
    with no_collections():
        while waiting:
            name = waiting.pop()
            if name not in reached and not is_plumbing(name):
                path = path_of(name, root)
                if path is None:
                    raise ModuleNotFoundError(f"no module {name} below {root}")
                reached[name] = parse(files.read_bytes(str(path)))
                parts = {part for imported in reached[name].imports for part in with_parents(imported)}
                waiting += [part for part in parts if path_of(part, root)]
    return reached


def is_plumbing(name: str) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in PLUMBING)


def with_parents(name: str) -> Iterator[str]:
    """The names of the packages that a module lies in, which are imported before it, and its own."""
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))


@cache
def path_of(name: str, root: Path) -> Path | None:
    """The file of a module or package; None where there is none, as for a function that a module imports."""
    path = root / name.replace(".", "/")
    return next((file for file in (path / "__init__.py", path.with_name(f"{path.name}.py")) if file.exists()), None)


@cache
def parse(content: bytes) -> Module:
    words: list[str] = []
    names: set[str] = set()
    collect(ast.parse(content), words, names)
    return Module(
        hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).hexdigest(),
        frozenset(name for name in names if name.partition(".")[0] in PACKAGES),
        frozenset(RULES.keys() & {name.partition(".")[0] for name in names}),
    )


def collect(node: object, words: list[str], names: set[str]) -> None:
    """Adds a syntax tree to `words`, and to `names` what it imports: modules, and names that may be modules."""
    if isinstance(node, ast.AST):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update((node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))
        words.append(type(node).__name__)
        for field in node._fields:
            collect(getattr(node, field), words, names)
    elif isinstance(node, list):
        words.append("[")
        for item in node:
            if not is_docstring(item):
                collect(item, words, names)
        words.append("]")
    else:
        words.append(repr(node))


def is_docstring(statement: object) -> bool:
    """Whether it is a string by itself: the docstring of a module, class, function or of the constant before it."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


@contextmanager
def no_collections():
    """Garbage collection waits: a syntax tree is so many objects that it would run all the time, over all of Beam."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
