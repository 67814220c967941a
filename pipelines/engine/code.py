"""Names of modules → a fingerprint of the code that decides their results: these modules and everything they import.

The fingerprint covers the syntax tree of a module without docstrings, comments and positions, so it changes only if the
behaviour of the code may have changed. Syntax trees differ between minor versions of Python, and so do fingerprints.
"""

import ast
import gc
import hashlib
import importlib.metadata
import json
import multiprocessing
import signal
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from schemas.command import ENDING, hold_signals
from transforms import files

ROOT = Path(__file__).parents[2]
"""The folder that contains our packages."""

PACKAGES = ("schemas", "transforms", "hard_negatives", "validation", "pipelines")

PLUMBING = ("pipelines.config", "pipelines.engine")
"""Modules and packages that are left out because they decide no result: settings count by their values, and the
engine does not depend on the data.
"""

RULES = {
    **dict.fromkeys(("mwparserfromhell", "rensa", "sentencex"), importlib.metadata.version),
    "unicodedata": lambda _: unicodedata.unidata_version,
}
"""Libraries whose rules and tables decide rows (markup, sentence ends, signatures of texts, properties of characters) →
a function that returns their version. Other libraries implement a format or an algorithm that does not change with
their version.
"""


class Module(NamedTuple):
    """The parts of a module that count for the fingerprint.

    `digest`: SHA-256 of its syntax tree, hex. `imports`: names that it imports from our packages (modules, or names in
    modules). `rules`: the libraries of RULES that it imports.
    """

    digest: str
    imports: frozenset[str]
    rules: frozenset[str]


def fingerprint(modules: Iterable[str], data: Iterable[str] = (), root: Path = ROOT) -> str:
    """SHA-256, hex, over the import closure of `modules`, the versions of RULES in it, and the files `data`.

    `data`: paths below `root`; a folder means all files in it. Raises MachineError for a file that cannot be read, and
    ModuleNotFoundError for a module that does not exist.
    """
    reached = closure(modules, root)
    content = [
        {name: module.digest for name, module in reached.items()},
        {name: RULES[name](name) for module in reached.values() for name in module.rules},
        {path: files.checksums_below(str(root / path)) for path in data},
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def checksums(root: Path = ROOT) -> dict[str, str]:
    """Path below `root` → SHA-256 of every module and data file of our packages, whatever it decides."""
    return {
        f"{package}/{name}": checksum
        for package in PACKAGES
        for name, checksum in files.checksums_below(str(root / package)).items()
        if "__pycache__/" not in name
    }


def closure(modules: Iterable[str], root: Path = ROOT) -> dict[str, Module]:
    """Name → module, for `modules` and everything that they import, at top level or in functions, except PLUMBING."""
    reached: dict[str, Module] = {}
    waiting = [part for name in modules for part in with_parents(name)]
    with gc_paused():
        while waiting:
            name = waiting.pop()
            if name not in reached and not is_plumbing(name):
                path = module_path(name, root)
                if path is None:
                    raise ModuleNotFoundError(f"no module {name} below {root}")
                reached[name] = parse(files.read_bytes(str(path)))
                parts = {part for imported in reached[name].imports for part in with_parents(imported)}
                waiting += [part for part in parts if module_path(part, root)]
    return reached


def is_plumbing(name: str) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in PLUMBING)


def with_parents(name: str) -> Iterator[str]:
    """The names of the packages that contain a module, outermost first, and its own name."""
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))


@cache
def module_path(name: str, root: Path) -> Path | None:
    """The file of a module or package; None if there is none, for instance for the name of an imported function."""
    path = root / name.replace(".", "/")
    return next((file for file in (path / "__init__.py", path.with_name(f"{path.name}.py")) if file.exists()), None)


PARSED: dict[bytes, Module] = {}
"""Source code → the module."""

AHEAD: list[Connection] = []
"""Where the process that `parse_ahead` has started sends its PARSED."""


def parse_ahead(modules: Sequence[str]) -> None:
    """Parses the import closure of `modules` in another process, for the first `fingerprint` of this one.

    Parsing takes half a second, in which this process can import Beam.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    parser = multiprocessing.get_context("fork").Process(
        target=send_parsed, args=(modules, receiver, sender), daemon=True
    )
    with hold_signals():
        parser.start()
    sender.close()
    AHEAD.append(receiver)


def send_parsed(modules: Sequence[str], receiver: Connection, sender: Connection) -> None:
    """Ends without a word if the process that has started this one does, or has no use for the result."""
    receiver.close()  # else this process would wait for itself to read
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    closure(modules)
    sender.send(PARSED)


def parse(content: bytes) -> Module:
    """The module with this source code."""
    while AHEAD:
        with AHEAD.pop() as receiver, suppress(EOFError, OSError):  # raised if that process was killed
            PARSED.update(receiver.recv())
    if content not in PARSED:
        words: list[str] = []
        names: set[str] = set()
        collect(ast.parse(content), words, names)
        PARSED[content] = Module(
            hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).hexdigest(),
            frozenset(name for name in names if name.partition(".")[0] in PACKAGES),
            frozenset(RULES.keys() & {name.partition(".")[0] for name in names}),
        )
    return PARSED[content]


def collect(node: object, words: list[str], names: set[str]) -> None:
    """Adds a syntax tree to `words`, and its imports to `names`: modules, and names in them that may be modules."""
    if isinstance(node, ast.AST):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""  # empty only in relative imports, which our packages do not use
            names.update((module, *(f"{module}.{alias.name}" for alias in node.names)))
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
    """Whether the statement is only a string: the docstring of a module, class or function, or of a constant."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


@contextmanager
def gc_paused():
    """Pauses garbage collection. The many objects of a syntax tree would trigger it often, over all objects of Beam."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
