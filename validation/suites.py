"""The rules for the output of each stage: Great Expectations suites as plain data, with the meaning of every rule.

A fault column counts how often a row breaks a rule, as determined by `validation.profile` and `validation.wire`; the
suite expects zeros. Identity columns are checked directly.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas import language
from schemas.example import SPLITS, TASKS

LANG = f"^{language.CODE}$"
"""The pattern of a language code."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation. `name` and `settings` are those of Great Expectations; `meaning` is shown in reports.

    `culprits`: the column with the ids to show. If it is not `id`, it contains tuples of ids, and the values of
    `column` are summed instead of counting rows.
    """

    name: str
    column: str | None
    meaning: str
    settings: Mapping[str, object] = field(default_factory=dict)
    culprits: str = "id"


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite for one kind of frame. `strings`, `numbers` (int64, hence never null) and `tuples` are all columns of the
    frame.
    """

    name: str
    title: str
    strings: tuple[str, ...]
    numbers: tuple[str, ...]
    tuples: tuple[str, ...]
    rules: tuple[Rule, ...]


def not_null(*columns: str) -> list[Rule]:
    return [Rule("expect_column_values_to_not_be_null", c, f"Every row has a value in `{c}`.") for c in columns]


def string(*columns: str) -> list[Rule]:
    """Rules for columns whose values no other rule checks."""
    settings = {"type_": "str"}
    return [
        Rule("expect_column_values_to_be_of_type", c, f"Every value in `{c}` is a string.", settings) for c in columns
    ]


def one_of(column: str, values: tuple[str, ...]) -> Rule:
    meaning = f"`{column}` is one of {', '.join(values)}."
    return Rule("expect_column_values_to_be_in_set", column, meaning, {"value_set": list(values)})


def lang() -> Rule:
    meaning = "`lang` is a language code such as en."
    return Rule("expect_column_values_to_match_regex", "lang", meaning, {"regex": LANG})


def unique(column: str) -> Rule:
    return Rule("expect_column_values_to_be_unique", column, f"No two rows of one check have the same `{column}`.")


def at_least(column: str, minimum: int, meaning: str) -> Rule:
    return Rule("expect_column_values_to_be_between", column, meaning, {"min_value": minimum})


def zero(faults: Mapping[str, str], culprits: Mapping[str, str] | None = None) -> list[Rule]:
    settings = {"min_value": 0, "max_value": 0}
    return [
        Rule("expect_column_values_to_be_between", column, meaning, settings, (culprits or {}).get(column, "id"))
        for column, meaning in faults.items()
    ]


EXAMPLE_FAULTS = {
    "malformed_id": "An id is key/split/number, or key/split/number/window for a window.",
    "broken_record": "No required value is null and every layer converts to an Example.",
    "split_differs": "The split in the id equals the column `split`.",
    "chars_over_max": "No text is longer than the window (`max_chars`).",
    "unknown_tasks": "Every task of a text is a known task.",
    "blank_mentions": "No mention is empty.",
    "bad_spans": "Spans are within the text, not empty, and in order without overlap.",
    "offset_mismatches": "Every mention with offsets equals the text at these offsets.",
    "unknown_labels": "Every label is in the label set of the source and task.",
    "unknown_roles": "Every argument role is a role of its event type.",
}

LABEL_FAULTS = {
    "unnamed": "Every label has a name.",
    "repeated_name": "No two labels of a set have the same name.",
    "out_of_order": "The labels of a set are sorted by name.",
    "bad_roles": "No role of a label is empty or listed twice.",
    "wrong_typed_name": "The name of an SPO label is subjectType_predicate_objectType.",
}

HARD_NEGATIVE_FAULTS = {
    "unknown_label": "Every label with neighbours is in the label set.",
    "unknown_neighbours": "Every neighbour is in the label set.",
    "self_neighbour": "No label is its own neighbour.",
    "repeated_neighbours": "No neighbour is listed twice.",
    "neighbours_over_max": "No label has more neighbours than `max_neighbours`.",
    "scores_out_of_range": "Every score is between -1 and 1 (a cosine).",
    "scores_ascending": "Neighbours are in descending order of their scores.",
}

INSTRUCTION_FAULTS = {
    "nulls": "No required value and no element of a list is null.",
    "malformed_example_id": "An example id is key/split/number, or key/split/number/window for a window.",
    "id_outside_example": "An instruction id is <example id>/<task>/<batch>.",
    "split_differs": "The split in the example id equals the column `split`.",
    "unknown_label_set": "The task and the source key have a label set with this source name and language.",
    "unknown_labels": "Every label asked is in the label set of the source and task.",
    "repeated_labels": "No label is asked twice in a batch.",
    "repeated_predicates": "No two typed triples of a batch have the same predicate (SPO).",
    "stray_positives": "Every positive label is among the labels asked.",
    "stray_hard_negatives": "Every hard negative is among the labels asked.",
    "positive_hard_negatives": "No positive label is a hard negative.",
    "negatives_asked": "If triggers are given (EEA), only positive event types are asked.",
    "broken_prompt": "`instruction` is a JSON object.",
    "wrong_prompt_keys": "The keys of `instruction` are instruction, schema, input, in this order.",
    "wrong_prompt_values": "Instruction and input are strings that are not blank; the schema has the form of its task.",
    "schema_differs": "The schema lists exactly the labels asked, in order; it masks only names that it describes.",
    "wrong_masks": "Masks differ from each other, and occur in neither the text nor a name or description of a label.",
    "unknown_roles": "Every role or attribute in the schema belongs to its label and is listed once.",
    "wrong_hash": "`text_sha256` is the SHA-256 of the input text.",
    "misplaced_answer": "Train and validation rows have `output` and no `label`, test rows have no `output`.",
    "broken_answer": "`output` and `label` are JSON.",
    "wrong_answer_shape": "The answer has the form that the wire format prescribes for its task.",
    "unknown_form": "The form of the answer is one that serves the task.",
    "messages_differ": "The messages are the prompt and, in train and validation rows, the answer.",
    "answer_keys_differ": "The keys of the answer are exactly the labels asked, in order (SPO: their predicates).",
    "answer_roles_differ": "The arguments of an event are {} or have all roles asked; all attributes are asked (KG).",
    "repeated_answers": "No label has the same answer twice.",
    "positives_differ": "The positive labels are exactly those with an answer (train and validation).",
    "batch_out_of_bounds": "A batch asks at least one label and at most `split_num` labels plus a small rest.",
    "batch_not_full": "At most one batch of an example has fewer than `split_num` labels (except SPO).",
    "excess_negatives": "An example has at most `negative_ratio` all-negative rows per positive row, else one.",
}

CORPUS_FAULTS = {
    "altered_shards": "Every shard is byte for byte the file that its stage wrote (by SHA-256).",
    "missing_rows": "The shards contain exactly as many rows as the manifest states.",
    "repeated_ids": "No two rows in any shards have the same id.",
    "repeated_texts": "No text occurs twice in a source and split. If `clean.same_text` is `report`, no text occurs "
    "twice with the same annotations or with different labels of one span; the card counts rows that differ otherwise.",
    "leaked_texts": "No train or validation text occurs in a test split.",
    "partial_leaks": "If `clean.partial_leaks` is `drop`, no train or validation text lies within a test text, "
    "contains one or is similar to one.",
    "torn_documents": "Only documents over `max_chars` are in windows, which are parts of their text; between two "
    "consecutive windows nothing is left out.",
    "excess_negatives": "There are at most `negative_ratio` all-negative rows per row with a positive label.",
}
CORPUS_CULPRITS = {
    name: f"{name}_ids"
    for name in (
        "altered_shards",
        "repeated_ids",
        "repeated_texts",
        "leaked_texts",
        "partial_leaks",
        "torn_documents",
    )
}


def suite(
    name: str,
    title: str,
    rules: list[Rule],
    strings: tuple[str, ...],
    numbers: tuple[str, ...],
    tuples: tuple[str, ...] = (),
) -> Suite:
    """A Suite of these rules, after the rule that the frame has exactly these columns."""
    columns = {"column_set": sorted((*strings, *numbers, *tuples)), "exact_match": True}
    meaning = "The profile has exactly the columns of this suite."
    first = Rule("expect_table_columns_to_match_set", None, meaning, columns)
    return Suite(name, title, strings, numbers, tuples, (first, *rules))


SUITES = {
    item.name: item
    for item in (
        suite(
            "examples",
            "Every Example: one text with its gold entities, relations and events.",
            [
                *not_null("id", "source", "split", "lang"),
                *string("source"),
                unique("id"),
                one_of("split", SPLITS),
                lang(),
                at_least("text_chars", 1, "No text is blank."),
                at_least("task_count", 1, "Every text has a task."),
                *zero(EXAMPLE_FAULTS),
            ],
            strings=("id", "source", "split", "lang"),
            numbers=("text_chars", "task_count", "entities", "relations", "events", *EXAMPLE_FAULTS),
        ),
        suite(
            "labels",
            "Every label of every label set.",
            [
                *not_null("id", "task", "source", "lang"),
                *string("id", "source"),
                one_of("task", TASKS),
                lang(),
                *zero(LABEL_FAULTS),
            ],
            strings=("id", "task", "source", "lang"),
            numbers=("roles", "annotations", *LABEL_FAULTS),
        ),
        suite(
            "hard_negatives",
            "Every label of the hard-negative dictionaries, with the labels it is confused with.",
            [
                *not_null("id", "task", "source"),
                *string("id", "source"),
                one_of("task", TASKS),
                *zero(HARD_NEGATIVE_FAULTS),
            ],
            strings=("id", "task", "source"),
            numbers=("neighbours", *HARD_NEGATIVE_FAULTS),
        ),
        suite(
            "instructions",
            "Every Instruction: a prompt that asks for a batch of labels of one Example, and its gold answer.",
            [
                *not_null("id", "example_id", "text_sha256", "task", "source", "lang", "split"),
                *string("id", "text_sha256", "source"),
                unique("id"),
                one_of("task", TASKS),
                lang(),
                one_of("split", SPLITS),
                *zero(INSTRUCTION_FAULTS),
            ],
            strings=("id", "example_id", "text_sha256", "task", "source", "lang", "split"),
            numbers=("batch_size", "has_positive", "mentions_outside_text", *INSTRUCTION_FAULTS),
        ),
        suite(
            "corpus",
            "Every split of every source and task, over all shards.",
            [
                Rule(
                    "expect_table_row_count_to_be_between",
                    None,
                    "The corpus is not empty.",
                    {"min_value": 1},
                ),
                *not_null("id", "split"),
                *string("id"),
                unique("id"),
                one_of("split", SPLITS),
                at_least("rows", 1, "No split is empty."),
                *zero(CORPUS_FAULTS, CORPUS_CULPRITS),
            ],
            strings=("id", "split"),
            numbers=("rows", *CORPUS_FAULTS),
            tuples=tuple(CORPUS_CULPRITS.values()),
        ),
    )
}
