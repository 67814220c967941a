"""Writes a line for each label of a build that tells it from its neighbours; people can edit the file."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hard_negatives import contrast, contrast_file, contrast_prompts
from hard_negatives.contrast import Basis
from hard_negatives.contrast_file import Contrast, Contrasts, Key
from hard_negatives.dictionary import FALLBACK_TASK, load
from schemas import command
from schemas.answers import Failure, Prompt
from schemas.errors import ConfigError, MachineError, printable, quoted
from schemas.label import LabelSet
from transforms import files
from transforms.endpoint import client, flags

EPILOG = """\
examples:
  %(prog)s --output build                                            lines of the template
  %(prog)s --output build --endpoint http://localhost:8000/v1        lines of a model
  %(prog)s --output build --endpoint URL --file contrasts.json --dry_run

Lines of the file that a person edited stay as they are. A model is asked only for lines that are missing or were made
for other neighbours; after an interruption, run the same command again to resume.
Exit codes: 1 the machine or labels without an answer, 2 configuration, 130 interrupted.
"""

TEMPLATE = "template"
"""The `model` of an entry that is a line of the template."""

SAVE_S = 20.0
"""Seconds between two writes of the file while answers arrive."""

BAD_SHOWN = 10
"""The most bad answers that are printed."""

REMEDY = "run the build again"


@dataclass(frozen=True, slots=True)
class Target:
    """A label whose line is to be written."""

    key: Key
    basis: Basis
    labels: LabelSet

    def entry(self, line: str, model: str) -> Contrast:
        return contrast_file.signed(Contrast(line, self.basis.description, self.basis.neighbours, model))

    def from_template(self) -> dict[Key, Contrast]:
        """The entry with the line of the template; none if no neighbour has a description."""
        line = contrast.line(self.basis, self.labels.lang)
        return {self.key: self.entry(line, TEMPLATE)} if line else {}


@dataclass(frozen=True, slots=True)
class Plan:
    """`targets`: the labels to write. `kept`: the number of the others, by the reason why they keep their line."""

    targets: list[Target]
    kept: Counter[str]


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("hard_negatives.describe", __doc__, EPILOG, "hard_negatives.md")
    parser.add_argument("--output", required=True, metavar="DIR", help="a build")
    parser.add_argument("--file", metavar="FILE", help="the file of lines; default: contrasts.json in the build")
    parser.add_argument("--dry_run", action="store_true", help="only print how many lines would be written")
    endpoint = parser.add_argument_group("endpoint", flags.ABOUT)
    endpoint.add_argument("--model", metavar="NAME", help="default: the endpoint's only model")
    flags.add(endpoint)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, describe, arguments, after_interrupt=command.RESUME_HINT)


def describe(arguments: argparse.Namespace) -> int:
    """Writes the lines and returns the exit code 0. Raises MachineError if labels remain without an answer."""
    flags.check_ranges(arguments, flags.RANGES)
    if not arguments.endpoint and arguments.model:
        raise ConfigError("--model is a model of --endpoint, which is missing; pass both, or none for the template")
    if arguments.endpoint:
        client.check_url(arguments.endpoint)
        flags.request_keys(arguments.request)
    output = arguments.output.rstrip("/") or "/"
    path = arguments.file or f"{output}/contrasts.json"
    if "://" in path:
        raise ConfigError(f"{path}: not a file of this machine; pass one with --file")
    written = contrast_file.read(path) if files.exists(path) else {}
    plan = make_plan(targets(output), written, bool(arguments.endpoint))
    if arguments.dry_run:
        log(f"{path}: {len(plan.targets):,} lines would be written{kept(plan)}")
        return 0
    if not plan.targets:
        log(f"{path}: no line to write{kept(plan)}")
    elif arguments.endpoint:
        write_with_model(path, plan, flags.server(arguments, contrast_prompts.MAX_NEW_TOKENS))
    else:
        lines = (target.from_template() for target in plan.targets)
        contrast_file.update(path, {key: entry for each in lines for key, entry in each.items()})
        log(f"{path}: {len(plan.targets):,} lines of the template written{kept(plan)}")
    return 0


def targets(output: str) -> Iterator[Target]:
    """The labels with neighbours of all dictionaries of the build. Raises ConfigError if it has no dictionaries."""
    folder = f"{output}/hard_negatives"
    if not files.exists(folder):
        raise ConfigError(f"{output}: no hard_negatives/ in it; pass the folder of a build with hard negatives")
    for dictionary in load(folder):
        tasks = [dictionary.task, *(task for task, fallback in FALLBACK_TASK.items() if fallback == dictionary.task)]
        paths = [f"{output}/labels/{task}/{dictionary.key}.json" for task in tasks]
        path = next(filter(files.exists, paths), paths[0])
        labels = files.read_json(path, LabelSet, REMEDY)
        for label, basis in contrast.bases(labels, dictionary).items():
            if basis.opposites:
                yield Target((dictionary.task, dictionary.key, label), basis, labels)


def make_plan(candidates: Iterator[Target], written: Contrasts, has_model: bool) -> Plan:
    """The lines that are missing, or were made for another description or other neighbours. Lines of the template are
    written anew by a model, but not lines of a model by the template.
    """
    plan = Plan([], Counter())
    for target in candidates:
        entry = written.get(target.key)
        can_write = has_model or bool(target.from_template())
        if entry is None:
            if can_write:
                plan.targets.append(target)
            continue
        is_current = (entry.description, entry.neighbours) == (target.basis.description, target.basis.neighbours)
        is_of_model = entry.model != TEMPLATE
        if entry.is_edited:
            plan.kept["edited by hand"] += 1
        elif is_current and (is_of_model or not has_model):
            plan.kept["up to date"] += 1
        elif is_of_model and not has_model:
            plan.kept["of a model and made for other neighbours (--endpoint writes them anew)"] += 1
        elif can_write:
            plan.targets.append(target)
    return plan


def kept(plan: Plan) -> str:
    """The end of a message: how many lines stay as they are, and why."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(plan.kept.items()))
    return f"; kept: {reasons}" if reasons else ""


def write_with_model(path: str, plan: Plan, server: client.Endpoint) -> None:
    """Asks the server for the lines. A bad answer is reported, and the label gets the line of the template, which the
    next run asks for again. Raises MachineError if labels remain without an answer, after writing the others.
    """
    prompts = (
        (number, Prompt(contrast_prompts.prompt(target.basis, target.labels)))
        for number, target in enumerate(plan.targets)
    )
    bad: list[str] = []
    failures: dict[int, str] = {}
    unsaved: dict[Key, Contrast] = {}
    saved = time.monotonic()
    try:
        for number, result in client.generate(server, prompts):
            target = plan.targets[number]
            if isinstance(result, Failure):
                failures[number] = result.reason
                continue
            line = result.text.strip()
            if reason := problem(line, result.cut, target):
                bad.append(f"{' '.join(target.key)}: {reason}: {quoted(line)}")
            unsaved |= target.from_template() if reason else {target.key: target.entry(line, server.model)}
            if time.monotonic() - saved > SAVE_S:
                contrast_file.update(path, unsaved)
                unsaved, saved = {}, time.monotonic()
    finally:
        contrast_file.update(path, unsaved)
        for line in sorted(bad)[:BAD_SHOWN]:
            log(f"warning: the template replaces a bad answer: {line}")
        if len(bad) > BAD_SHOWN:
            log(f"warning: the template replaces {len(bad) - BAD_SHOWN:,} more bad answers")
    if failures:
        first = min(failures)
        raise MachineError(
            f"{path}: {len(failures):,} of {len(plan.targets):,} labels have no answer (first: "
            f"{' '.join(plan.targets[first].key)}: {failures[first]}); run the same command again to retry them"
        )
    good = len(plan.targets) - len(bad)
    log(f"{path}: {good:,} lines of {server.model} written, {len(bad):,} of the template for bad answers{kept(plan)}")


def problem(line: str, cut: bool, target: Target) -> str:
    """Why an answer cannot be the line of a label; empty if it can."""
    return "reached the token limit" if cut else contrast_prompts.problem(line, target.basis, target.labels)


def log(line: str) -> None:
    print(printable(line), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
