"""A build → pairs of a right and a wrong answer to its instructions, as Parquet shards.

Two passes over the instructions: the first notes items of each label, for answers that are not in their text, and the
relations that hold in both directions; the second makes the pairs.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
import pyarrow as pa

from hard_negatives.dictionary import as_mapping
from pipelines.build_dictionaries import dictionary_path, read_dictionary
from pipelines.exporting import Choice, answered_rows, instruction_shards, new_folder
from schemas.answer_form import DEFAULT
from schemas.arrow import MESSAGES, required
from schemas.errors import ConfigError
from schemas.example_id import ExampleId
from schemas.manifests import InstructionShard
from transforms import answer_forms, files
from transforms.draw import seed_key
from transforms.plain_schema import SHOWN, plain_schema
from transforms.render import encode
from transforms.shards import read_schema, write_shard
from transforms.wrong_answers import KINDS, Answer, Question, wrong_answer

SPLITS = ("train", "validation")
"""The splits whose instructions have an answer."""

SUMMARY = "preferences.json"
"""The file with the seed and the counts."""

ITEMS = 16
"""The number of items of a label, source and split from which those of other texts are drawn."""

COLUMNS = ("id", "task", "source", "lang", "split", "instruction", "output", "labels")
PREFERENCES = pa.schema(
    [
        *(required(name, pa.string()) for name in ("id", "kind", "task", "source", "lang", "split")),
        *(required(name, MESSAGES) for name in ("prompt", "chosen", "rejected")),
    ]
)
"""`id`: of the instruction, `/` and the kind. `prompt`, `chosen`, `rejected`: the messages of TRL's `DPOTrainer`."""


class Prompt(msgspec.Struct, frozen=True):
    """The content of the column `instruction`. The form of an element of `schema` depends on the task."""

    instruction: str
    schema: Any
    input: str


@dataclass(frozen=True, slots=True)
class AnsweredRow:
    """An instruction with its right answer. `key`: of its source; `prompt`: its `instruction`, decoded; `answer`: its
    `output`, which is in `form`, with all labels as the prompt shows them.
    """

    id: str
    key: str
    task: str
    source: str
    lang: str
    split: str
    form: str
    labels: list[str]
    instruction: str
    output: str
    prompt: Prompt
    answer: Answer


@dataclass
class Survey:
    """What the answers of a corpus have. `items`: split, task, source key and label → hash → item; `symmetric`: task,
    source key and label of the relations of which an answer has a pair in both directions.
    """

    items: dict[tuple[str, str, str, str], dict[int, Any]] = field(default_factory=lambda: defaultdict(dict))
    symmetric: set[tuple[str, str, str]] = field(default_factory=set)


@dataclass(frozen=True)
class Preferences:
    """`pairs`: kind → number of pairs; `impossible`: kind → number of instructions that allow no such mistake."""

    seed: int
    instructions: int
    pairs: dict[str, int]
    impossible: dict[str, int]


def write(choice: Choice, output: str, seed: int) -> Preferences:
    """Writes `data/<split>-NNNNN-of-NNNNN.parquet` (PREFERENCES) and SUMMARY into the new folder `output`.

    Raises ConfigError if there is no instruction with an answer.
    """
    shards = instruction_shards(choice)
    survey = surveyed(choice, shards, seed)
    pairs, impossible = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    instructions = 0

    def tables(shard: InstructionShard) -> Iterator[pa.Table]:
        nonlocal instructions
        for rows in row_batches(choice, shard):
            instructions += len(rows)
            made = []
            for row in rows:
                question = question_in(row, choice.build, survey)
                for kind in KINDS:
                    wrong = wrong_answer(kind, question, seed_key(seed, row.id, kind))
                    if wrong is None:
                        impossible[kind] += 1
                    else:
                        pairs[kind] += 1
                        made.append(preference(row, kind, rendered(wrong, row)))
            yield pa.Table.from_pylist(made, PREFERENCES)

    with new_folder(output) as folder:
        for split in choice.splits:
            parts = [shard for shard in shards if shard.split == split]
            for number, shard in enumerate(parts):
                path = f"{folder}/data/{split}-{number:05d}-of-{len(parts):05d}.parquet"
                write_shard(path, PREFERENCES, tables(shard))
        if not instructions:
            raise ConfigError(f"{choice.build}: no instruction with an answer; choose other sources")
        summary = Preferences(seed, instructions, pairs, impossible)
        files.write_text(f"{folder}/{SUMMARY}", json.dumps(msgspec.to_builtins(summary), indent=1) + "\n")
    return summary


def surveyed(choice: Choice, shards: Sequence[InstructionShard], seed: int) -> Survey:
    """Notes up to ITEMS items of each label, those whose hashes are smallest, and the symmetric relations."""
    survey = Survey()
    for row in (row for shard in shards for rows in row_batches(choice, shard) for row in rows):
        for name, value in zip(row.labels, row.answer.values(), strict=True):
            for item in dict(value).items() if row.task == "KG" else value:
                keep(survey.items[row.split, row.task, row.key, name], seed_key(seed, encode(item)), item)
            if row.task in ("RE", "SPO") and any(turned(pair) in value and turned(pair) != pair for pair in value):
                survey.symmetric.add((row.task, row.key, name))
    return survey


def turned(pair: Mapping[str, str]) -> dict[str, str]:
    return {"subject": pair["object"], "object": pair["subject"]}


def keep(sample: dict[int, Any], number: int, item: Any) -> None:
    """Adds the item to a sample of the ITEMS different items with the smallest numbers."""
    sample[number] = item
    if len(sample) > ITEMS:
        del sample[max(sample)]


def row_batches(choice: Choice, shard: InstructionShard) -> Iterator[list[AnsweredRow]]:
    """The instructions of a shard that have an answer."""
    columns = [*COLUMNS, *({"form"} & {*read_schema(f"{choice.build}/{shard.path}").names})]
    for table in answered_rows(choice, shard, columns, Counter()):
        yield [decoded(**row) for row in table.to_pylist()]


def decoded(
    example_id: str, task: str, instruction: str, output: str, form: str = DEFAULT, **columns: Any
) -> AnsweredRow:
    """The row with these columns."""
    prompt = msgspec.json.decode(instruction, type=Prompt)
    name = SHOWN.get(task)
    shown = [element[name] if name else element for element in plain_schema(prompt.schema)]
    return AnsweredRow(
        **columns,
        key=ExampleId.parse(example_id).key,
        task=task,
        form=form,
        instruction=instruction,
        output=output,
        prompt=prompt,
        answer=answer_forms.read(form, task, output, shown),
    )


def question_in(row: AnsweredRow, build: str, survey: Survey) -> Question:
    shown = dict(zip(row.labels, row.answer, strict=True))
    dictionary = neighbours(build, row.task, row.key)
    events = plain_schema(row.prompt.schema) if row.task in ("EE", "EEA") else []
    return Question(
        task=row.task,
        text=row.prompt.input,
        answer=row.answer,
        neighbours={
            label: [shown[other] for other in dictionary.get(name, ()) if other in shown]
            for name, label in shown.items()
        },
        roles={event["event_type"]: event["arguments"] for event in events},
        symmetric={label for name, label in shown.items() if (row.task, row.key, name) in survey.symmetric},
        elsewhere={
            label: list(survey.items.get((row.split, row.task, row.key, name), {}).values())
            for name, label in shown.items()
        },
    )


def rendered(answer: Answer, row: AnsweredRow) -> str:
    """The answer in the form of the row. Under every label, a mention has the places of its string in the right one."""
    text = row.prompt.input
    spans = answer_forms.places(row.output, text) if row.form == "spans" else {}
    anywhere = {(label, mention): at for label in answer for (_, mention), at in spans.items()}
    return answer_forms.write(row.form, row.task, answer, text, row.prompt.instruction, {**anywhere, **spans})


@cache
def neighbours(build: str, task: str, key: str) -> Mapping[str, Sequence[str]]:
    """Label → its hard negatives, the best first; empty if the build has no dictionary for the source."""
    path = dictionary_path(build, task, key)
    return as_mapping(read_dictionary(path)) if files.exists(path) else {}


def preference(row: AnsweredRow, kind: str, wrong: str) -> dict[str, Any]:
    """A row of PREFERENCES."""
    return {
        "id": f"{row.id}/{kind}",
        "kind": kind,
        "task": row.task,
        "source": row.source,
        "lang": row.lang,
        "split": row.split,
        "prompt": [{"role": "user", "content": row.instruction}],
        "chosen": [{"role": "assistant", "content": row.output}],
        "rejected": [{"role": "assistant", "content": wrong}],
    }
