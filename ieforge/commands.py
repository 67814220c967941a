"""Runs the commands of IEForge by name: `ieforge build` is `python -m pipelines.build`."""

import argparse
import ast
import importlib
import sys
from collections.abc import Iterable, Sequence
from importlib import util
from pathlib import Path

from schemas import command
from schemas.errors import ConfigError, did_you_mean

MODULES = (
    "pipelines.build",
    "pipelines.knowledge",
    "pipelines.inspect",
    "pipelines.rejects",
    "pipelines.sources",
    "pipelines.publish",
    "pipelines.rebuild",
    "pipelines.diff",
    "pipelines.export",
    "pipelines.preferences",
    "hard_negatives.evaluate",
    "hard_negatives.describe",
    "train.sft",
    "train.tune",
    "train.predict",
    "train.score",
    "train.compare",
    "train.export",
)
"""The commands in the order of the help. Each is a module, or a package with `__main__`, that defines `main(flags)`."""

FIRST_STEPS = """

first steps:
  ieforge build --runner=DirectRunner          a corpus of the bundled samples, into build/
  ieforge inspect my_texts                     what is read of your own texts, and problems in them
  ieforge build my_texts --output corpus       a corpus of them
README.md says what to read next."""

GROUPS = ("train",)
"""Packages whose name is the first word of their commands, as in `ieforge train sft`."""


def command_name(module: str) -> str:
    package, _, name = module.rpartition(".")
    return f"{package} {name}" if package in GROUPS else name


COMMANDS = {command_name(module): module for module in MODULES}


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(parse, run, flags)


def parse(flags: Sequence[str] | None) -> argparse.Namespace:
    """All words of the command line as `words`; the command that they name parses them."""
    return argparse.Namespace(words=list(sys.argv[1:] if flags is None else flags), debug=False)


def run(arguments: argparse.Namespace) -> int:
    first, *rest = arguments.words or ["--help"]
    if first == "help":
        first, rest = (rest[0], [*rest[1:], "--help"]) if rest else ("--help", [])
    if first == "--version":
        from importlib import metadata

        print(f"{command.PROGRAM} {metadata.version('ieforge')}")
        return 0
    if first in ("-h", "--help"):
        print(overview(COMMANDS) + FIRST_STEPS)
        return 0
    if first in GROUPS:
        if not rest or rest[0] in ("-h", "--help"):
            print(overview(name for name in COMMANDS if name.startswith(f"{first} ")))
            return 0
        check_word(rest[0], ("--help",), f"the command comes first: {command.PROGRAM} {first} COMMAND")
        first, rest = f"{first} {rest[0]}", rest[1:]
    check_word(first, ("--help", "--version"), f"the command comes first: {command.PROGRAM} COMMAND")
    if first not in COMMANDS:
        hint = suggestion(first) or f"{command.PROGRAM} --help lists them"
        raise ConfigError(f"{command.PROGRAM} {first}: no such command; {hint}")
    return forward(first, rest)


def check_word(word: str, flags: Sequence[str], hint: str) -> None:
    """Raises ConfigError for a flag, which stands where a command should and is none of `flags`."""
    if word.startswith("-"):
        command.refuse_flag(word, flags, hint)


def suggestion(name: str) -> str:
    """The commands that `name` may mean; those of a group also by their last word, as `sft` and `train sft`."""
    by_word = [known for known in COMMANDS if known.split()[1:] == [name]]
    return f"did you mean {by_word[0]}?" if by_word else did_you_mean(name, [*COMMANDS, *GROUPS, "--version"])


def forward(name: str, flags: Sequence[str]) -> int:
    """Runs a command in this process, with `ieforge NAME` as the program name; returns its exit code."""
    module = COMMANDS[name]
    module = f"{module}.__main__" if source_path(module).name == "__main__.py" else module
    program, sys.argv[0] = sys.argv[0], f"{command.PROGRAM} {name}"
    try:
        return importlib.import_module(module).main(flags)
    finally:
        sys.argv[0] = program


def overview(names: Iterable[str]) -> str:
    """The help: usage, and a summary of each command from the first line of its module docstring."""
    names = list(names)
    width = max(map(len, names))
    lines = [f"  {name:<{width}}  {command.summary(docstring(COMMANDS[name]))}" for name in names]
    usage = f"usage: {command.PROGRAM} COMMAND [FLAGS]"
    return "\n".join([usage, "", "commands:", *lines, "", f"{command.PROGRAM} COMMAND --help shows the flags of one."])


def docstring(module: str) -> str:
    """A command's documentation, without importing the command."""
    path = source_path(module)
    return ast.get_docstring(ast.parse(path.read_bytes())) or ""


def source_path(module: str) -> Path:
    """The file of a command: that of its module, or the `__main__.py` of its package."""
    spec = util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no module {module}")
    return Path(spec.origin) if spec.submodule_search_locations is None else Path(spec.origin).with_name("__main__.py")
