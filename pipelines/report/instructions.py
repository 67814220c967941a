"""A build → a bounded sample of its instructions with the gold of their texts, in the compact form of the report."""

from collections.abc import Collection, Iterable

import msgspec
import pyarrow as pa

from pipelines.report.gold import compact
from pipelines.report.instruction_draw import Address, draw, ordered
from pipelines.report.lookup import examples_by_id
from pipelines.report.samples import TEXT_CHARS, in_turn, label_name, short, size
from schemas.example_id import InstructionId
from schemas.manifests import ExampleShard, InstructionShard
from transforms.shards import read_group, read_schema

SAMPLE_BYTES = 8_000_000
"""Size as JSON over all sources. A source with fewer labels leaves its part to the others."""

PLAIN_SCHEMA = 0
"""What stands for a schema that is the list of the labels."""

COLUMNS = ["id", "example_id", "instruction", "output", "label"]
LISTS = [f"{name}.list.element" for name in ("labels", "positives", "hard_negatives")]


class Prompt(msgspec.Struct, frozen=True):
    """The JSON of a prompt."""

    instruction: str
    schema: list | dict
    input: str


PROMPT = msgspec.json.Decoder(Prompt)


def instructions(
    output: str, rows: Iterable[InstructionShard], clean: Iterable[ExampleShard], keys: Collection[str]
) -> dict:
    """`prompts`: the texts that ask. `texts`: source key → examples (`gold.compact`). `rows`: source key → rows
    [number of the text, task, batch, number of the prompt, form, labels, roles, schema, answer]. `roles` has a letter
    for each label: p (positive), h (hard negative) or o. `answer` is that of the row, or in test the gold of the whole
    text; a string if it is not JSON, or too long; null if nobody annotated the text.

    `rows`, `clean`: the shards of data/ and clean/.
    """
    drawn = draw(output, rows, keys)
    by_source: dict[str, list[list[Address]]] = {}
    for key, task in sorted(drawn):
        by_source.setdefault(key, []).append(ordered(drawn[key, task]))
    addresses = {key: list(in_turn(of_task)) for key, of_task in by_source.items()}
    contents = read_addresses(address for of_source in addresses.values() for address in of_source)
    places = sorted((s.key, s.split, f"{output}/{s.path}") for s in clean if s.key in keys)
    examples = examples_by_id(places, {row["example_id"] for row in contents.values()})
    sample = Sample()
    for key, address in in_turn([(key, address) for address in of_source] for key, of_source in addresses.items()):
        row = contents[address]
        sample.add(key, row, compact(examples[row["example_id"]]))
    return {"prompts": list(sample.prompts), "texts": sample.texts, "rows": sample.rows}


def read_addresses(addresses: Iterable[Address]) -> dict[Address, dict]:
    """The rows at the addresses. Each row group is read once."""
    groups: dict[tuple[str, int], list[Address]] = {}
    for address in sorted(set(addresses)):
        groups.setdefault((address.path, address.group), []).append(address)
    contents: dict[Address, dict] = {}
    for (path, number), here in groups.items():
        columns = [*COLUMNS, *LISTS, *({"form"} & set(read_schema(path).names))]
        taken = read_group(path, number, columns).take(pa.array([address.row for address in here]))
        contents.update(zip(here, taken.to_pylist(), strict=True))
    return contents


class Sample:
    """Rows with their texts, as many as fit into SAMPLE_BYTES in the order in which they are added."""

    def __init__(self) -> None:
        self.prompts: dict[str, int] = {}
        self.texts: dict[str, list[list]] = {}
        self.rows: dict[str, list[list]] = {}
        self.numbers: dict[str, int] = {}
        self.left = SAMPLE_BYTES

    def add(self, key: str, row: dict, example: list) -> None:
        at, prompt = InstructionId.parse(row["id"]), PROMPT.decode(row["instruction"])
        number = self.numbers.get(row["example_id"], len(self.texts.get(key, [])))
        shown = [
            number,
            at.task,
            at.batch,
            self.prompts.get(prompt.instruction, len(self.prompts)),
            *content(row, prompt),
        ]
        cost = size(shown) + 2
        cost += size(example) + 2 if row["example_id"] not in self.numbers else 0
        cost += size(prompt.instruction) + 2 if prompt.instruction not in self.prompts else 0
        if cost <= self.left:
            self.left -= cost
            self.prompts.setdefault(prompt.instruction, len(self.prompts))
            if row["example_id"] not in self.numbers:
                self.numbers[row["example_id"]] = number
                self.texts.setdefault(key, []).append(example)
            self.rows.setdefault(key, []).append(shown)


def content(row: dict, prompt: Prompt) -> list:
    """Form, labels, roles, schema and answer of a row."""
    positives, hard = set(row["positives"]), set(row["hard_negatives"])
    roles = "".join("p" if label in positives else "h" if label in hard else "o" for label in row["labels"])
    labels = [label_name(label) for label in row["labels"]]
    schema = PLAIN_SCHEMA if prompt.schema == labels else prompt.schema
    return [row.get("form", ""), labels, roles, schema, answer(row)]


def answer(row: dict) -> dict | list | str | None:
    text = row["output"] or row["label"] or "null"
    if len(text) > TEXT_CHARS:
        return short(text, TEXT_CHARS)
    try:
        return msgspec.json.decode(text, type=dict | list | None)
    except msgspec.DecodeError:  # in the form `sentences`
        return text
