"""python -m benchmarks.fuzz: reads mutated files with every form of every source, and reports violated guarantees.

The seeds are the bundled samples and some rows of a user's data. A reader may yield RawExamples and BadRecords or raise
a SourceError of one line (for a user's source.yaml: a ConfigError), within limits of time and memory. Every mention
must equal the text at its offsets after `normalize`, and examples and rejects must be writable. Variant n of a seed is
the same on every run. Exit code 1 if a variant failed; failing inputs are written to the folder of --failures.
"""

import argparse
import json
import multiprocessing
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import pipelines
from benchmarks.mutations import mutated
from pipelines import sources
from pipelines.sources import Source, user_data
from pipelines.sources.source_files import group_by_split, matches
from schemas.arrow import examples_to_table, rejects_to_table
from schemas.errors import BadRecord, ConfigError, Reason, Reject, SourceError
from schemas.example import Example, RawExample, mentions
from schemas.example_id import format_id
from transforms.files import File, list_files
from transforms.normalize import normalize, spelled

SAMPLES = Path(pipelines.__file__).with_name("samples")
PROJECT = SAMPLES.parent.parent
PROCESSOR_S = 5.0
"""Limit of a variant: its files have about ten kilobytes, and readers process megabytes per second."""
WALL_S = 120.0
"""Time after which a process that ignores PROCESSOR_S is killed; long enough for a busy machine."""
MEMORY_BYTES = 1 << 30
"""Limit of the memory that a process allocates after its start."""
KEPT_PER_KIND = 3
"""Maximum number of failing inputs that are written per kind of failure."""

USER_DATA = "own"
"""The key of a user's data in --sources."""
TEXT = "Ada Marrow left Coal Quay on 3 May."
USER_ROWS = {
    "NER": (["person", "place"], [], {}, "entity", {"entity": "Coal Quay", "entity_type": "place"}),
    "RE": ([], ["left"], {}, "relation", {"head": "Ada Marrow", "relation": "left", "tail": "Coal Quay"}),
    "SPO": (
        *(["person_left_place"], ["left"], {}, "relation"),
        {"head": "Ada Marrow", "relation": "left", "tail": "Coal Quay", "head_type": "person", "tail_type": "place"},
    ),
    "EE": (
        *(["departure"], ["agent"], {"departure": ["agent"]}, "event"),
        {
            "event_trigger": "left",
            "event_type": "departure",
            "arguments": [{"argument": "Ada Marrow", "role": "agent"}],
        },
    ),
}
"""Task → the lines of schema.json, the layer and an item of it."""


@dataclass(frozen=True)
class Case:
    """Files that a form of a source reads as a split (`form` -1: a folder of a user's data)."""

    key: str
    form: int
    split: str
    files: tuple[tuple[str, bytes], ...]

    @property
    def name(self) -> str:
        return f"{self.key}, form {self.form + 1}, {self.split}"


@dataclass
class Outcome:
    """The result of a variant. `failure`: kind and traceback. `files`: the input, if it failed."""

    number: int
    name: str
    examples: int = 0
    bad_records: int = 0
    source_errors: int = 0
    failure: tuple[str, str] | None = None
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Totals:
    counts: Counter = field(default_factory=Counter)
    kinds: Counter = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        self.counts["variants"] += 1
        for name in ("examples", "bad_records", "source_errors"):
            self.counts[name] += getattr(outcome, name)
        if outcome.failure:
            kind, _ = outcome.failure
            self.counts["failures"] += 1
            self.kinds[kind] += 1
            self.first.setdefault(kind, f"variant {outcome.number} ({outcome.name})")


class TimeIsUp(BaseException):
    """The time limit is exceeded. Not an Exception, so that no reader handles it as an error of its file."""


class ViolationError(Exception):
    """A reader violated a guarantee."""


def cases(keys: Sequence[str]) -> dict[str, list[Case]]:
    """Folder → cases of every form and split. A form without files in the sample gets the files of another form."""
    by_folder: dict[str, list[Case]] = {}
    for key in keys:
        folder = USER_DATA if key == USER_DATA else sources.folder(key)
        by_folder.setdefault(folder, []).extend(user_cases() if key == USER_DATA else source_cases(key))
    return by_folder


def source_cases(key: str) -> Iterator[Case]:
    all_files = list_files(str(SAMPLES / sources.folder(key)))
    for number, form in enumerate(sources.load(key).forms):
        included = [f for f in all_files if matches(f.name, form.include) and not matches(f.name, form.exclude)]
        splits, _, _ = group_by_split(form, included)
        for split, files in (splits or {"train": all_files[:4]}).items():
            yield Case(key, number, split, tuple((file.name, file.read()) for file in files))


def user_cases() -> Iterator[Case]:
    for path in sorted(SAMPLES.rglob(user_data.SCHEMA)):
        samples = tuple((file.name, file.read_bytes()) for file in sorted(path.parent.iterdir()))
        yield Case(USER_DATA, -1, path.parent.parent.name, samples)
    for task, (*schema, layer, item) in USER_ROWS.items():
        rows = [{"text": TEXT, layer: [item]}, {"text": TEXT, layer: []}, {"text": f"{TEXT} {TEXT}", layer: [item] * 2}]
        files = {
            user_data.SCHEMA: "".join(json.dumps(line) + "\n" for line in schema),
            user_data.SETTINGS: f"name: harbour\ntask: {task}\nlang: en\nlicense: open\n",
            "train.json": "".join(json.dumps(row) + "\n" for row in rows),
            "test.jsonl": json.dumps({"text": TEXT}) + "\n",
        }
        yield Case(USER_DATA, -1, task, tuple((name, content.encode()) for name, content in files.items()))


def variant(by_folder: dict[str, list[Case]], seed: int, number: int) -> Case:
    """A random case with one or two of its files mutated."""
    random = Random(f"{seed} {number}")
    case = random.choice(by_folder[random.choice(sorted(by_folder))])
    files = dict(case.files)
    for name in random.sample(sorted(files), min(len(files), random.choice((1, 1, 1, 2)))):
        files[name] = mutated(files[name], random)
    return Case(case.key, case.form, case.split, tuple(files.items()))


def readings(case: Case, folder: Path) -> Iterator[tuple[Source, Iterable[RawExample | BadRecord]]]:
    """The sources in the files, each with its records. Raises SourceError and ConfigError."""
    root = folder / "IE" / case.split if case.key == USER_DATA else folder
    for name, content in case.files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if case.key != USER_DATA:
        source = sources.load(case.key)
        yield source, source.forms[case.form].read([File(str(root / name), name) for name, _ in case.files])
        return
    for located in user_data.sources_below(str(folder)):
        if located.problem:
            raise SourceError(located.problem)
        for split in located.files.splits:
            yield located.source, located.files.read(split)


def check(case: Case, folder: Path, outcome: Outcome) -> None:
    """Reads the files and counts their records. Raises ViolationError, or an exception that a reader must not raise."""
    examples: list[Example] = []
    bad: list[BadRecord] = []
    try:
        for source, records in readings(case, folder):
            maps = source.entity_labels, source.relation_labels, source.event_labels, source.role_names
            for record in records:
                if not isinstance(record, RawExample | BadRecord):
                    raise ViolationError(f"a reader yields a {type(record).__name__}")
                if isinstance(record, RawExample):
                    record = normalize(record, *maps)
                if isinstance(record, BadRecord):
                    bad.append(record)
                else:
                    bad.extend(record.lost)
                    examples.append(as_example(case, source, record, len(examples)))
    except (SourceError, ConfigError) as error:
        if isinstance(error, ConfigError) and case.key != USER_DATA:
            raise
        outcome.source_errors = 1
        if len(f"{error} ".splitlines()) > 1:
            raise ViolationError("the message of an error has several lines") from error
        str(error).encode()
    outcome.examples, outcome.bad_records = len(examples), len(bad)
    examples_to_table(examples).validate(full=True)
    rejects = [
        Reject("ingest", case.key, case.split, "", record.place, Reason(record.reason), record.detail) for record in bad
    ]
    rejects_to_table(rejects).validate(full=True)


def as_example(case: Case, source: Source, record: RawExample, number: int) -> Example:
    for mention in mentions(record):
        if mention.spans and not spelled(record.text, mention):
            raise ViolationError("a mention differs from the text at its offsets")
    split = "train" if case.split not in ("train", "validation", "test") else case.split
    layers = record.entities, record.relations, record.events
    return Example(
        format_id(case.key, split, number), source.name, split, source.lang, record.text, source.tasks, *layers
    )


def run_case(case: Case, number: int, folder: Path) -> Outcome:
    """The outcome of a variant within the limit of processor time."""
    outcome = Outcome(number, case.name)
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_S)
    try:
        check(case, folder, outcome)
    except (Exception, TimeIsUp) as error:  # any exception is a failure of the reader
        signal.setitimer(signal.ITIMER_PROF, 0)
        outcome.failure = failure_kind(error), traceback.format_exc(limit=-12)
        outcome.files = case.files
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return outcome


def failure_kind(error: BaseException) -> str:
    """The exception class and the innermost line of this project: `ValueError at transforms/formats/brat.py:177`."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PROJECT)]
    inner = [frame for frame in ours if not frame.filename.endswith("benchmarks/fuzz.py")] or ours
    place = f"{Path(inner[-1].filename).relative_to(PROJECT)}:{inner[-1].lineno}"
    return f"{type(error).__name__} at {place}" + (f" ({error})" if isinstance(error, ViolationError) else "")


def work(connection: Connection, keys: Sequence[str], seed: int, start: int) -> None:
    """Sends the outcomes of the variants from `start` on, until the process is killed."""

    def end(*_) -> None:
        raise TimeIsUp(f"more than {PROCESSOR_S} processor seconds")

    by_folder = cases(keys)
    signal.signal(signal.SIGPROF, end)
    used_bytes = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used_bytes + MEMORY_BYTES,) * 2)
    while True:
        case = variant(by_folder, seed, start)
        with tempfile.TemporaryDirectory() as folder:
            outcome = run_case(case, start, Path(folder))
        connection.send(outcome)
        start += 1


def outcomes(keys: Sequence[str], seed: int) -> Iterator[Outcome]:
    """The outcomes of variants 0, 1, ... A variant that kills its process or never ends is a failure too."""
    context = multiprocessing.get_context("spawn")
    number = 0
    while True:
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, keys, seed, number), daemon=True)
        process.start()
        theirs.close()
        try:
            while ours.poll(WALL_S):
                yield ours.recv()
                number += 1
            problem = f"no answer within {WALL_S:.0f} s"
        except EOFError:
            process.join()
            problem = f"the process ended with {process.exitcode}"
        finally:
            process.kill()
            process.join()
        case = variant(cases(keys), seed, number)
        yield Outcome(number, case.name, failure=(f"{problem}, {case.name}", problem), files=case.files)
        number += 1


def keep(outcome: Outcome, folder: Path) -> None:
    """Writes a failing input and its traceback."""
    place = folder / f"{outcome.number}"
    shutil.rmtree(place, ignore_errors=True)
    for name, content in outcome.files:
        path = place / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    report = "\n\n".join(outcome.failure or ())
    (place / "failure.txt").write_text(f"{outcome.name}\n{report}", encoding="utf-8", errors="backslashreplace")


def fuzz(keys: Sequence[str], seed: int, variants: int | None, minutes: float, folder: Path | None) -> Totals:
    """Runs `variants` variants, or as many as fit into `minutes` if it is None."""
    totals, end = Totals(), time.monotonic() + 60 * minutes
    for outcome in outcomes(keys, seed):
        totals.add(outcome)
        if outcome.failure and folder and totals.kinds[outcome.failure[0]] <= KEPT_PER_KIND:
            keep(outcome, folder)
        if totals.counts["variants"] == variants or (variants is None and time.monotonic() > end):
            return totals
    raise AssertionError("variants do not end")


def main(flags: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--variants", type=int, help="number of variants, instead of --minutes")
    parser.add_argument(
        "--sources", default="", metavar="KEY,...", help=f"only these sources ({USER_DATA}: a user's data)"
    )
    parser.add_argument("--failures", type=Path, metavar="DIR", help="folder for failing inputs")
    arguments = parser.parse_args(flags)
    keys = arguments.sources.split(",") if arguments.sources else [*sources.keys(), USER_DATA]
    totals = fuzz(keys, arguments.seed, arguments.variants, arguments.minutes, arguments.failures)
    names = ("variants", "examples", "bad_records", "source_errors", "failures")
    print(", ".join(f"{name.replace('_', ' ')} {totals.counts[name]:,}" for name in names))
    for kind, count in totals.kinds.most_common():
        print(f"{count:,} × {kind}; first {totals.first[kind]}")
    return 1 if totals.kinds else 0


if __name__ == "__main__":
    sys.exit(main())
