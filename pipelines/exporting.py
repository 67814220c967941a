"""A build or a file of predictions → the rows of an export, and its files."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import build_folder
from schemas import manifest_file
from schemas.arrow import table_to_examples
from schemas.errors import ConfigError, names_hint
from schemas.example import Example
from schemas.example_id import ExampleId
from schemas.id_columns import source_keys
from schemas.manifests import Cleaned, Ingested, Instructed, InstructionShard, Labelled, Result, SourceFacts, Validated
from transforms import files
from transforms.formats.instruction_rows import DATASET_INFO
from transforms.shards import read_batches
from transforms.writers import chat, predicted
from transforms.writers.fit import ADDED, CUT, RESPELLED, UNKNOWN_LABELS, Counts
from transforms.writers.forms import FORMS, Context, Layout, Row, rows

FILE_NAMES = {"train": "train", "validation": "dev", "test": "test"}
"""Split → the name of its file or folder, without a suffix."""

ROWS_PER_TABLE = 1_000
"""Rows in memory at a time."""

WITHOUT_ANSWER = "instructions without an answer (test rows and texts whose annotations are unknown)"

CHANGES = (ADDED, CUT, RESPELLED, UNKNOWN_LABELS)
"""Kinds of counts that are no losses."""

CHAT = {"messages": chat.messages, "alpaca": chat.alpaca, "sharegpt": chat.sharegpt}


@dataclass(frozen=True)
class Choice:
    """What is exported of a build. `sources`: key → facts, of those that are chosen."""

    build: str
    splits: Sequence[str]
    sources: dict[str, SourceFacts]


@dataclass(frozen=True)
class Exported:
    """An export that is not written yet.

    `parts`: name of a file or folder → its rows, each with the name of its files (only used in folders). `unit`: what
    the rows are, in the plural. `companions`: number of rows by part → name → content of the other files; called last.
    `counts`: what the rows cannot carry; complete after the rows have been read. `after`: what to do next.
    """

    layout: Layout
    suffixes: tuple[str, ...]
    parts: dict[str, Iterator[tuple[str, Row]]]
    unit: str
    companions: Callable[[dict[str, int]], dict[str, str]]
    counts: Counts
    after: str


def check_output(output: str, build: str | None) -> None:
    """Raises ConfigError for an output that is not a new or an empty folder of this machine, or inside the build."""
    if "://" in output:
        raise ConfigError(f"--output {output}: choose a folder on this machine, and copy it")
    if files.exists(output) and (not files.is_folder(output) or os.listdir(output)):
        raise ConfigError(f"--output {output}: exists; choose a new folder")
    if build is not None and f"{files.absolute(output)}/".startswith(f"{files.absolute(build).rstrip('/')}/"):
        raise ConfigError(f"--output {output}: is inside the build {build}; choose a folder outside it")


def choose(build: str, splits: Sequence[str], names: Sequence[str] | None) -> Choice:
    """`names`: keys or published names of sources; None: all. Raises ConfigError for an unknown source or build."""
    build = build.rstrip("/") or "/"
    if build_folder.read_record(build) is None:
        raise ConfigError(f"{build}: not made by a build (no {build_folder.MARKER}); give the folder of a build")
    sources = read(build, Ingested).sources
    if names is None:
        return Choice(build, splits, sources)
    for name in names:
        if name not in sources and all(facts.name != name for facts in sources.values()):
            known = {*sources, *(facts.name for facts in sources.values())}
            raise ConfigError(f"--sources {name}: no such source in {build}; {names_hint(name, known)}")
    chosen = {key: facts for key, facts in sources.items() if key in names or facts.name in names}
    return Choice(build, splits, chosen)


def read(build: str, form: type[Result]) -> Result:
    """The result of a stage. Raises ConfigError if the build has not got there."""
    if not files.exists(manifest_file.path(build, form)):
        advice = f"finish it with python -m pipelines.build --output {build}"
        raise ConfigError(f"{build}: the stage {form.stage} is missing; {advice}")
    return build_folder.read_result(build, form)


def texts(name: str, choice: Choice) -> Exported:
    """The chosen texts after cleaning, in the form `name`."""
    shards = [shard for shard in read(choice.build, Cleaned).shards if shard.key in choice.sources]
    has_relations = any(shard.kept.relations for shard in shards if shard.split in choice.splits)
    context = Context(has_relations, None, descriptions(choice) if name == "gliner2" else {})

    def examples(split: str) -> Iterator[tuple[str, Example]]:
        for shard in shards:
            if shard.split == split:
                for table in read_batches(f"{choice.build}/{shard.path}", ROWS_PER_TABLE):
                    for example in table_to_examples(table):
                        yield shard.key, example

    return annotated(name, {FILE_NAMES[split]: examples(split) for split in choice.splits}, context)


def annotated(name: str, parts: Mapping[str, Iterable[tuple[str, Example]]], context: Context) -> Exported:
    """Texts with their annotations in the form `name`. `parts`: name of the part → (key of the source, Example)."""
    form = FORMS[name]

    def named(examples: Iterable[tuple[str, Example]]) -> Iterator[tuple[str, Row]]:
        for example, row in rows(form, examples, context):
            yield file_name(example.id), row

    return Exported(
        form.layout,
        form.suffixes,
        {part: named(examples) for part, examples in parts.items()},
        "texts",
        lambda _: form.companions(context),
        context.counts,
        form.after_relations if context.has_relations and form.after_relations else form.after,
    )


def descriptions(choice: Choice) -> dict[str, dict[str, str]]:
    """Key of a source → its labels of entities, with their descriptions."""
    tasks = read(choice.build, Labelled).tasks
    return {
        key: {label.name: label.description for label in build_folder.read_label_set(choice.build, "NER", key).labels}
        for key in choice.sources
        if "NER" in tasks.get(key, ())
    }


def file_name(example_id: str) -> str:
    """The path of the files of a text in a folder, without their suffixes: a folder for each source."""
    parsed = ExampleId.match(example_id)
    if parsed is None:
        name = quote(example_id, safe=" ").replace(".", "%2E")
        return name if len(name) <= MAX_NAME else hashlib.sha256(example_id.encode()).hexdigest()
    window = "" if parsed.window is None else f"-{parsed.window:03d}"
    return f"{parsed.key}/{parsed.number:06d}{window}"


MAX_NAME = 200
"""Characters of a file name; file systems have limits."""


def predictions(name: str, path: str) -> Exported:
    """The texts in a file of predictions with what the model predicted, in the form `name`."""
    counts: Counts = Counter()
    index = predicted.index(path)
    context = Context(index.has_relations, predicted.model_name(path), {}, counts, requested=index.labels)
    examples = ((example.source, example) for example in predicted.read(index, counts))
    return annotated(name, {"predictions": examples}, context)


def instructions(name: str, choice: Choice) -> Exported:
    """The chosen instructions that have an answer, as rows of chat data."""
    shards = instruction_shards(choice)
    counts: Counts = Counter()
    columns = ["task", "instruction", "output"]

    def answered(split: str) -> Iterator[tuple[str, Row]]:
        for shard in shards:
            if shard.split == split:
                for table in answered_rows(choice, shard, columns, counts):
                    values = (table[column].to_pylist() for column in columns)
                    yield from (("", CHAT[name](*row)) for row in zip(*values, strict=True))

    layout: Layout = "lines" if name == "messages" else "array"
    suffix = ".jsonl" if name == "messages" else ".json"
    parts = {FILE_NAMES[split]: answered(split) for split in choice.splits}
    if name == "messages":
        after = "SFTTrainer(train_dataset=load_dataset('json', data_files='train.jsonl')['train'], ...)"
        return Exported(layout, (suffix,), parts, "rows", lambda _: {}, counts, after)
    after = "llamafactory-cli train: dataset_dir: this folder, dataset: ieforge_train, eval_dataset: ieforge_dev"
    return Exported(layout, (suffix,), parts, "rows", lambda made: dataset_info(name, made, suffix), counts, after)


def instruction_shards(choice: Choice) -> list[InstructionShard]:
    """The shards of the chosen splits. Raises ConfigError if the build has not passed validation."""
    read(choice.build, Validated)
    return [shard for shard in read(choice.build, Instructed).shards if shard.split in choice.splits]


def answered_rows(
    choice: Choice, shard: InstructionShard, columns: Sequence[str], counts: Counts
) -> Iterator[pa.Table]:
    """The columns of the instructions of a shard that have an answer, of the chosen sources."""
    keys = pa.array(sorted(choice.sources), pa.string())
    for table in read_batches(f"{choice.build}/{shard.path}", ROWS_PER_TABLE, ["example_id", *columns]):
        table = table.filter(pc.is_in(source_keys(table["example_id"]), keys))
        counts[WITHOUT_ANSWER] += table["output"].null_count
        yield table.filter(pc.is_valid(table["output"]))


def dataset_info(name: str, made: Iterable[str], suffix: str) -> dict[str, str]:
    """The file by which LLaMA-Factory finds the parts `made` (data/README.md of its repository)."""
    columns = {"messages": "conversations"}
    if name == "alpaca":
        columns = {"prompt": "instruction", "query": "input", "response": "output"}
    entries = {
        f"ieforge_{part}": {"file_name": f"{part}{suffix}", "formatting": name, "columns": columns} for part in made
    }
    return {DATASET_INFO: json.dumps(entries, indent=2) + "\n"}


def count(exported: Exported) -> dict[str, int]:
    """Part → number of its rows, of those that have any."""
    numbers = {name: sum(1 for _ in part) for name, part in exported.parts.items()}
    return {name: number for name, number in numbers.items() if number}


def write(exported: Exported, output: str) -> dict[str, int]:
    """Writes the folder `output` and returns what `count` does. The folder gets its name when it is complete."""
    with new_folder(output) as folder:
        made = {}
        for part, part_rows in exported.parts.items():
            number = WRITERS[exported.layout](f"{folder}/{part}", exported.suffixes, part_rows)
            if number:
                made[part] = number
        if not made:
            raise ConfigError("nothing to export: no row of this form; choose other splits or sources")
        for name, text in exported.companions(made).items():
            files.write_text(f"{folder}/{name}", text)
    return made


@contextmanager
def new_folder(output: str) -> Iterator[str]:
    """A folder to write into, which gets the name `output` when the block ends without an error."""
    target = files.absolute(output).rstrip("/")
    parent, _, name = target.rpartition("/")
    temporary = f"{parent}/.{name}.{os.getpid()}.tmp"
    try:
        files.create_folder(temporary)
        yield temporary
        with files.machine_errors(output):
            os.rename(os.fsencode(temporary), os.fsencode(target))
    finally:
        files.remove_tree(temporary)


def write_array(path: str, suffixes: Sequence[str], part: Iterable[tuple[str, Row]]) -> int:
    return write_stream(path + suffixes[0], part, msgspec.json.encode, (b"[\n", b",\n", b"\n]\n"))


def write_lines(path: str, suffixes: Sequence[str], part: Iterable[tuple[str, Row]]) -> int:
    return write_stream(path + suffixes[0], part, msgspec.json.encode, (b"", b"\n", b"\n"))


def write_blocks(path: str, suffixes: Sequence[str], part: Iterable[tuple[str, Row]]) -> int:
    return write_stream(path + suffixes[0], part, encode_text, (b"", b"", b""))


def write_stream(
    path: str, part: Iterable[tuple[str, Row]], encode: Callable[[Row], bytes], marks: tuple[bytes, bytes, bytes]
) -> int:
    """Writes a file if there is a row. `marks`: what stands before, between and after the rows."""
    iterator = iter(part)
    first = next(iterator, None)
    if first is None:
        return 0
    before, between, after = marks
    number = 1
    with files.atomic_write(path) as stream:
        stream.write(before + encode(first[1]))
        for _, row in iterator:
            stream.write(between + encode(row))
            number += 1
        stream.write(after)
    return number


def encode_text(row: Row) -> bytes:
    assert isinstance(row, str)
    return row.encode()


def write_folder(path: str, suffixes: Sequence[str], part: Iterable[tuple[str, Row]]) -> int:
    number = 0
    for name, contents in part:
        assert isinstance(contents, tuple)
        for suffix, content in zip(suffixes, contents, strict=True):
            files.write_text(f"{path}/{name}{suffix}", content)
        number += 1
    return number


WRITERS = {"array": write_array, "lines": write_lines, "blocks": write_blocks, "folder": write_folder}


def losses(counts: Counts) -> tuple[dict[str, int], dict[str, int]]:
    """Kind → number of what is not carried, and of what is changed; without those that did not happen."""
    happened = {kind: number for kind, number in sorted(counts.items()) if number}
    return (
        {kind: number for kind, number in happened.items() if kind not in CHANGES},
        {kind: number for kind, number in happened.items() if kind in CHANGES},
    )
