"""The tables and values of a stage → flat pandas frames with one row per record, which the suites check.

Identity columns are copied; all other columns are int64 counts, most of them counts of faults (see
`validation.suites`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from schemas.arrow import EXAMPLES, has_forbidden_nulls, instruction_schema, table_to_examples
from schemas.errors import SuiteError
from schemas.example import LAYER, SPLITS, TASKS, Example, Mention, mentions, surface
from schemas.example_id import ExampleId, InstructionId
from schemas.label import LabelSet, typed_label
from validation import batches, wire
from validation.suites import CORPUS_CULPRITS, EXAMPLE_FAULTS, INSTRUCTION_FAULTS, LANG, SUITES

BATCH_ROWS = 5_000
"""Rows converted to Python objects at a time."""

identity = itemgetter(*SUITES["instructions"].strings)


def frame(suite: str, identities: Mapping[str, Sequence[Any]], counts: Iterable[Mapping[str, int]]) -> pd.DataFrame:
    """A frame of identity columns and int64 columns. `counts`: one mapping per row; missing counts are 0.

    Raises KeyError for a count without a column in the suite.
    """
    strings = {name: pd.Series(identities[name], dtype="str") for name in SUITES[suite].strings}
    return pd.DataFrame(strings | count_columns(suite, len(identities["id"]), counts))


def count_columns(suite: str, rows: int, counts: Iterable[Mapping[str, int]]) -> dict[str, np.ndarray]:
    columns = {name: np.zeros(rows, np.int64) for name in SUITES[suite].numbers}
    for number, row in enumerate(counts):
        for name, count in row.items():
            if count:
                columns[name][number] = count
    return columns


def identity_columns(suite: str, table: pa.Table) -> dict[str, pd.Series]:
    return {name: table[name].to_pandas().astype("str") for name in SUITES[suite].strings}


def check_schema(suite: str, schema: pa.Schema, table: pa.Table) -> None:
    """Raises SuiteError if the columns of `table` are not those of `schema`."""
    if not table.schema.equals(schema):
        wrong = [name for name in schema.names if name not in table.schema.names]
        wrong += [field.name for field in table.schema if field not in schema]
        raise SuiteError(
            f"suite {suite}: the table does not match the schema "
            f"({', '.join(wrong) or 'columns repeated or out of order'}); "
            f"write it as schemas.arrow.{suite.upper()}"
        )


def examples_profile(table: pa.Table, label_sets: Mapping[str, LabelSet], max_chars: int | None) -> pd.DataFrame:
    """One row per Example of `table` (schema EXAMPLES), in its order.

    `label_sets`: task → label set, of the source of the table; layers of other tasks are not compared with labels.
    `max_chars`: the maximum length of a window in code points; None before windows are cut.
    """
    check_schema("examples", EXAMPLES, table)
    names = {task: {label.name: label.role_names for label in labels.labels} for task, labels in label_sets.items()}
    if has_forbidden_nulls(table):
        rows = (row for batch in table.to_batches(BATCH_ROWS) for row in batch.to_pylist())
        counts = (row_counts(row, names, max_chars) for row in rows)
    else:
        counts = (example_counts(example, names, max_chars) for example in table_to_examples(table))
    numbers = count_columns("examples", table.num_rows, counts)
    return pd.DataFrame(identity_columns("examples", table) | numbers)


def row_counts(
    row: dict[str, Any], names: Mapping[str, Mapping[str, Sequence[str]]], max_chars: int | None
) -> Counter[str]:
    """Like `example_counts`, for a row that may not be a valid Example."""
    missing = {name: "" for name in SUITES["examples"].strings if row[name] is None}  # checked by other rules
    try:
        counts = example_counts(msgspec.convert(row | missing, Example), names, max_chars)
    except msgspec.ValidationError:
        counts = Counter(text_chars=len((row["text"] or "").strip()), task_count=len(row["tasks"] or ()))
        counts += id_faults(row["id"] or "", row["split"])
        counts["broken_record"] = 1
    if row["id"] is None:
        counts["malformed_id"] = 0
    return counts


def id_faults(id_: str, split: str | None) -> Counter[str]:
    parsed = ExampleId.match(id_)
    return Counter(
        malformed_id=parsed is None, split_differs=parsed is not None and split in SPLITS and parsed.split != split
    )


def example_counts(
    example: Example, names: Mapping[str, Mapping[str, Sequence[str]]], max_chars: int | None
) -> Counter[str]:
    counts = id_faults(example.id, example.split)
    counts.update(text_chars=len(example.text.strip()), task_count=len(example.tasks))
    for layer in ("entities", "relations", "events"):
        counts[layer] = len(getattr(example, layer) or ())
    if max_chars is not None:
        counts["chars_over_max"] = max(0, len(example.text) - max_chars)
    counts["unknown_tasks"] = len(set(example.tasks) - set(TASKS))
    for mention in mentions(example):
        fault = mention_fault(example.text, mention)
        if fault:
            counts[fault] += 1
    for task, known in names.items():
        for item in getattr(example, LAYER[task]) or ():
            counts.update(label_faults(task, item, known))
    return counts


def rows_to_check(profile: pd.DataFrame, first: int) -> pd.DataFrame:
    """The `first` rows and all rows that may fail an expectation: rows with faults, and rows whose identity is null,
    unknown or not unique.

    Great Expectations takes longer to check zeros than this takes to find the other rows.
    """
    name = "instructions" if "task" in profile else "examples"
    faults = INSTRUCTION_FAULTS if name == "instructions" else EXAMPLE_FAULTS
    selected = profile["id"].duplicated(keep=False).to_numpy(copy=True)
    for column in faults:
        selected |= profile[column].to_numpy() != 0
    for column in SUITES[name].strings:
        selected |= profile[column].isna().to_numpy()
    for column, values in (("split", SPLITS), ("task", TASKS)):
        if column in profile:
            selected |= ~profile[column].isin(values).to_numpy()
    selected |= ~profile["lang"].astype(str).str.match(LANG).to_numpy()
    if name == "examples":
        selected |= (profile[["text_chars", "task_count"]] < 1).any(axis=1).to_numpy()
    selected[:first] = True
    return profile[selected]


def mention_fault(text: str, mention: Mention) -> str | None:
    """The fault of a mention, named as in `suites.EXAMPLE_FAULTS`; None if it has none."""
    if not mention.text.strip():
        return "blank_mentions"
    end_before = 0
    for start, end in mention.spans:
        if not end_before <= start < end <= len(text):
            return "bad_spans"
        end_before = end
    return "offset_mismatches" if mention.spans and surface(text, mention.spans) != mention.text else None


def label_faults(task: str, item: Any, known: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """The faults of an entity, relation or event, compared with a label set (name → roles)."""
    name: str | None = item.label
    roles: Sequence[str] = ()
    if task == "SPO":
        if item.head_label is None or item.tail_label is None:  # an untyped relation is not a triple
            return
        name = typed_label(item.head_label, item.label, item.tail_label).name
    elif task == "KG":
        name, roles = item.head_label, [item.label]
    elif task in ("EE", "EEA"):
        roles = [argument.role for argument in item.arguments]
    if name is None:  # KG: an untyped relation is an attribute of any entity type
        yield from () if any(item.label in attributes for attributes in known.values()) else ["unknown_roles"]
    elif name not in known:
        yield "unknown_labels"
    else:
        yield from ("unknown_roles" for role in roles if role not in known[name])


def labels_profile(label_sets: Iterable[LabelSet]) -> pd.DataFrame:
    """One row per label of every set. `annotations`: how many annotations of it the clean stage kept in all splits."""
    columns: dict[str, list[str]] = {"id": [], "task": [], "source": [], "lang": []}
    counts = []
    for labels in label_sets:
        names = [label.name for label in labels.labels]
        for number, label in enumerate(labels.labels):
            row = (f"{labels.task}/{labels.key}/{label.name}", labels.task, labels.source, labels.lang)
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
            counts.append(
                {
                    "roles": len(label.roles),
                    "annotations": sum(labels.counts.get(label.name, {}).values()),
                    "unnamed": not label.name.strip(),
                    "repeated_name": label.name in names[:number],
                    "out_of_order": number > 0 and label.name < names[number - 1],
                    "bad_roles": len(label.roles) - len({name for name in label.role_names if name.strip()}),
                    "wrong_typed_name": labels.task == "SPO" and label.name != label.typed_name,
                }
            )
    return frame("labels", columns, counts)


def hard_negatives_profile(
    dictionary: Mapping[str, Sequence[tuple[str, float | None]]], labels: LabelSet, max_neighbours: int | None
) -> pd.DataFrame:
    """One row per label of `dictionary` (label → neighbours with scores, best first), compared with `labels`.

    A score is None if a user gave the pair. `max_neighbours` is None if there is no limit.
    """
    known = {label.name for label in labels.labels}
    counts = []
    for label, neighbours in dictionary.items():
        names = [name for name, _ in neighbours]
        scores = [score for _, score in neighbours if score is not None]
        counts.append(
            {
                "neighbours": len(names),
                "unknown_label": label not in known,
                "unknown_neighbours": sum(name not in known for name in names),
                "self_neighbour": label in names,
                "repeated_neighbours": len(names) - len(set(names)),
                "neighbours_over_max": 0 if max_neighbours is None else max(0, len(names) - max_neighbours),
                "scores_out_of_range": sum(not -1 <= score <= 1 for score in scores),
                "scores_ascending": sum(before < after for before, after in pairwise(scores)),
            }
        )
    columns = {
        "id": [f"{labels.task}/{labels.key}/{label}" for label in dictionary],
        "task": [labels.task] * len(dictionary),
        "source": [labels.source] * len(dictionary),
    }
    return frame("hard_negatives", columns, counts)


def instructions_profile(
    table: pa.Table, label_sets: Iterable[LabelSet], split_num: Mapping[str, int], negative_ratio: float
) -> pd.DataFrame:
    """One row per Instruction of `table` (schema INSTRUCTIONS, perhaps with optional columns), in its order.

    `label_sets`: those of all tasks and sources in the table. `split_num`: task → labels per batch (-1: all in one).
    `negative_ratio`: all-negative rows that an Example may keep per row with a positive label. The table must contain
    all rows of an Example and task, because the rules on batches and negatives apply to all of them.
    """
    vocabularies = {(labels.task, labels.key): wire.Vocabulary.from_label_set(labels) for labels in label_sets}
    check_schema("instructions", instruction_schema(table.column_names), table)
    rows = (row for batch in table.to_batches(BATCH_ROWS) for row in batch.to_pylist())
    numbers = count_columns("instructions", table.num_rows, (instruction_counts(row, vocabularies) for row in rows))
    profile = pd.DataFrame(identity_columns("instructions", table) | numbers)
    batch_faults(profile, split_num)
    profile["excess_negatives"] = excess_negatives(profile, negative_ratio)
    return profile


def instruction_counts(row: dict[str, Any], vocabularies: Mapping[tuple[str, str], wire.Vocabulary]) -> dict[str, int]:
    counts = {"batch_size": len(row["labels"] or ()), "has_positive": bool(row["positives"])}
    lists = (row["labels"], row["positives"], row["hard_negatives"])
    nulls = sum(values is None or None in values for values in lists) + (row["instruction"] is None)
    if nulls:
        return counts | {"nulls": nulls}
    if None in identity(row) or row["task"] not in TASKS or row["split"] not in SPLITS:
        return counts  # checked by other rules
    example, instruction = ExampleId.match(row["example_id"]), InstructionId.match(row["id"])
    if example is None:
        return counts | {"malformed_example_id": 1}
    counts["id_outside_example"] = instruction is None or (instruction.example, instruction.task) != (
        example,
        row["task"],
    )
    counts["split_differs"] = example.split != row["split"]
    vocabulary = vocabularies.get((row["task"], example.key))
    if vocabulary is None or (vocabulary.source, vocabulary.lang) != (row["source"], row["lang"]):
        return counts | {"unknown_label_set": 1}
    faults, counts["mentions_outside_text"] = wire.faults(row, vocabulary)
    for fault in faults:
        counts[fault] = counts.get(fault, 0) + 1
    return counts


def by_example(profile: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """An order in which the rows of an example and task are consecutive, and the first row of each in this order."""
    group = profile.groupby(["example_id", "task"], sort=False).ngroup().to_numpy()
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    return order, np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(order)])


def batch_faults(profile: pd.DataFrame, split_num: Mapping[str, int]) -> None:
    """Sets the columns `batch_out_of_bounds` and `batch_not_full` of `profile`."""
    order, starts = by_example(profile)
    full = profile["task"].map(split_num).fillna(0).astype(np.int64).to_numpy()[order]
    batch = profile["batch_size"].to_numpy()[order], full, (profile["task"] == "SPO").to_numpy()[order], starts
    for column, rule in (("batch_out_of_bounds", batches.out_of_bounds), ("batch_not_full", batches.not_full)):
        faults = np.zeros(len(order), np.int64)
        faults[order] = rule(*batch)
        profile[column] = faults


def excess_negatives(profile: pd.DataFrame, negative_ratio: float) -> pd.Series:
    """1 for the all-negative rows of an Example beyond the ratio, else 0 (train and validation rows only)."""
    order, starts = by_example(profile)
    excess = np.zeros(len(order), np.int64)
    excess[order] = batches.excess_negatives(profile["has_positive"].to_numpy()[order] > 0, starts, negative_ratio)
    return pd.Series(excess, profile.index).where(profile["split"].isin(SPLITS[:2]), 0)


def negative_counts(profile: pd.DataFrame) -> tuple[int, int]:
    """(all-negative rows of Examples that also have positive rows, rows with a positive label) of an instructions
    frame.
    """
    order, starts = by_example(profile)
    return batches.negative_counts(profile["has_positive"].to_numpy()[order] > 0, starts)


@dataclass(frozen=True, slots=True)
class Culprits:
    """The number of records or shards with a fault, and the ids of up to three of them."""

    count: int = 0
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """The facts of a split in a folder, over all its shards. `id`: its name in reports (`clean/conll2003/train`).

    `negatives` and `positives` are sums of `negative_counts`. They and `negative_ratio` are only set for train and
    validation instructions.
    """

    id: str
    split: str
    manifest_rows: int
    rows: int
    altered_shards: Culprits = Culprits()
    repeated_ids: Culprits = Culprits()
    repeated_texts: Culprits = Culprits()
    leaked_texts: Culprits = Culprits()
    partial_leaks: Culprits = Culprits()
    torn_documents: Culprits = Culprits()
    negatives: int = 0
    positives: int = 0
    negative_ratio: float = 0.0


def corpus_profile(facts: Iterable[SplitFacts]) -> pd.DataFrame:
    """One row per split of a source (Examples) or of a task (Instructions)."""
    facts = list(facts)
    columns = {"id": [fact.id for fact in facts], "split": [fact.split for fact in facts]}
    counts = [
        {
            "rows": fact.rows,
            "missing_rows": abs(fact.manifest_rows - fact.rows),
            **{name: getattr(fact, name).count for name in CORPUS_CULPRITS},
            "excess_negatives": max(0, int(np.ceil(fact.negatives - fact.negative_ratio * fact.positives))),
        }
        for fact in facts
    ]
    culprits = {column: [getattr(fact, name).ids for fact in facts] for name, column in CORPUS_CULPRITS.items()}
    return frame("corpus", columns, counts).assign(**culprits)
