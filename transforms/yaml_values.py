"""YAML from users and untrusted authors → plain values of bounded size, with the types of YAML 1.2; and back.

A date, a time, `no` and `on` are strings, and 2e-4 is a number. Errors are: a repeated key, a value that contains
itself, and a document that is larger than `MAX_CHARS` after its aliases are expanded.
"""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from yaml.reader import ReaderError

from schemas.errors import ConfigError

MAX_CHARS = 10_000_000
MAX_DEPTH = 50
PROBLEM_CHARS = 200

CORE = {kind: f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map", "merge")}
LINE_ENDS = re.compile("[\x85\u2028\u2029]")
NO_TEXT = re.compile("[\0\ud800-\udfff]")


class Dumper(yaml.SafeDumper):
    """PyYAML's dumper. It quotes strings that YAML 1.1 or 1.2 would read as another type or as several lines."""

    def represent_text(self, text: str) -> yaml.Node:
        return self.represent_scalar(CORE["str"], text, style='"' if LINE_ENDS.search(text) else None)


class Loader(yaml.SafeLoader):
    """PyYAML's loader, with the types of YAML 1.2 only."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own registry
    yaml_constructors = {  # noqa: RUF012
        None: yaml.SafeLoader.construct_undefined,
        **{CORE[kind]: yaml.SafeLoader.yaml_constructors[CORE[kind]] for kind in ("null", "str", "seq", "map")},
    }


for kind, pattern, first in (
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?$", list("-+.0123456789")),
    ("float", r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", list("-+.")),
    ("merge", r"<<$", ["<"]),
):
    Loader.add_implicit_resolver(CORE[kind], re.compile(pattern, re.ASCII), first)
    Dumper.add_implicit_resolver(CORE[kind], re.compile(pattern, re.ASCII), first)
Dumper.add_representer(str, Dumper.represent_text)


def number(kind: type, spelt: dict[str, str]):
    """A constructor of int or float, which raises an error with the line of an invalid number."""

    def construct(loader: Loader, node: yaml.Node):
        text = loader.construct_scalar(node)
        try:
            return kind(spelt.get(text.lower().lstrip("+"), text))
        except ValueError as error:  # a wrong tag, or thousands of digits
            raise problem_at(node, f"not a valid {kind.__name__}: {text}") from error

    return construct


def boolean(loader: Loader, node: yaml.Node) -> bool:
    text = loader.construct_scalar(node).lower()
    if text not in ("true", "false"):
        raise problem_at(node, f"neither true nor false: {text}")
    return text == "true"


Loader.add_constructor(CORE["bool"], boolean)
Loader.add_constructor(CORE["int"], number(int, {}))
Loader.add_constructor(CORE["float"], number(float, {".inf": "inf", "-.inf": "-inf", ".nan": "nan"}))


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML document: its value, and its nodes with their lines. `origin` names the document in errors."""

    origin: str
    value: object
    root: yaml.Node | None = None

    def place(self, keys: Sequence[str | int] = ()) -> str:
        """`origin:line` of the key or list item at a path or, if it is absent, of the innermost part around it."""
        node, line = self.root, self.root.start_mark.line if self.root else 0
        for key in keys:
            items = node.value if isinstance(node, yaml.CollectionNode) else []
            if isinstance(node, yaml.MappingNode):
                start, node = next((item for item in items if item[0].value == str(key)), (None, None))
            else:
                start = node = items[key] if isinstance(key, int) and key < len(items) else None
            if start is None:
                break
            line = start.start_mark.line
        return f"{self.origin}:{line + 1}"


def read(path: str | Path, hint: str) -> object:
    """The value in a local YAML file. Raises ConfigError as `read_document` does."""
    return read_document(path, hint).value


def read_document(path: str | Path, hint: str) -> Document:
    """A local YAML file. Raises ConfigError as `document` does, and with `hint` if the file cannot be read."""
    try:
        with open(str(path).encode("utf-8", "surrogateescape"), "rb") as file:
            content = file.read(MAX_CHARS + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; {hint}") from error
    return document(content, str(path))


def render(value: object) -> str:
    """Plain values as a YAML document with keys in their order. `parse` and YAML 1.1 readers return the same values."""
    return yaml.dump(value, Dumper=Dumper, allow_unicode=True, sort_keys=False)


def parse(content: bytes, origin: str) -> object:
    """The value of a YAML document. Raises ConfigError as `document` does."""
    return document(content, origin).value


def document(content: bytes, origin: str) -> Document:
    """A YAML document in UTF-8, or in UTF-16 with a byte order mark.

    Raises ConfigError with `origin`, the line and the problem.
    """
    line = 1
    try:
        if len(content) > MAX_CHARS:
            raise ValueError(f"longer than {MAX_CHARS:,} bytes")
        encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
        text = content.decode(encoding)
        loader = Loader(text)
        node = loader.get_single_node()
        if node is None:
            return Document(origin, None)
        measure(node, {})
        return Document(origin, loader.construct_document(node), node)
    except UnicodeDecodeError as error:
        line += content.count(b"\n", 0, error.start)
        problem = f"not valid {encoding.removesuffix('-sig').upper()}; save the file as UTF-8"
    except ReaderError as error:
        line += text.count("\n", 0, error.position)
        problem = f"the character U+{error.character:04X} is not allowed in YAML"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line += mark.line if mark else 0
        problem = " ".join(str(error.problem).split())
    except ValueError as error:
        problem = str(error)
    except RecursionError:
        problem = f"nested more than {MAX_DEPTH} deep"
    raise ConfigError(f"{origin}:{line}: invalid YAML: {problem[:PROBLEM_CHARS]}")


def measure(node: yaml.Node, known: dict[int, tuple[int, int] | None]) -> tuple[int, int]:
    """Characters and depth of a node with its aliases expanded. `known`: results by node id, None for a node that is
    being measured.

    Raises MarkedYAMLError if the node is too large or too deep, contains itself, or repeats a key.
    """
    if id(node) in known:
        measured = known[id(node)]
        if measured is None:
            raise problem_at(node, "an alias refers to a value that contains it")
        return measured
    known[id(node)] = None
    parts: list[tuple[int, int]] = []
    if isinstance(node, yaml.ScalarNode):
        if NO_TEXT.search(node.value):
            raise problem_at(node, "a null character or an unpaired surrogate is not text")
        parts.append((len(node.value), 0))
    elif isinstance(node, yaml.SequenceNode):
        parts += (measure(item, known) for item in node.value)
    else:
        keys = set()
        for key, value in node.value:
            parts += (measure(key, known), measure(value, known))
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in keys:
                    raise problem_at(key, f"the key {key.value} occurs twice")
                keys.add((key.tag, key.value))
    size = 1 + sum(size for size, _ in parts)
    depth = 1 + max((depth for _, depth in parts), default=0)
    if size > MAX_CHARS:
        raise problem_at(node, f"more than {MAX_CHARS:,} characters after its aliases are expanded")
    if depth > MAX_DEPTH:
        raise problem_at(node, f"nested more than {MAX_DEPTH} deep")
    known[id(node)] = size, depth
    return size, depth


def problem_at(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
