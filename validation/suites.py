"""What each stage's output must fulfil: the Great Expectations suites as plain data, every rule in words.

A fault column counts in how many ways a row breaks one rule (0: in none), as `validation.profile` and
`validation.wire` find it; the suite expects zeros. Identity columns are checked as they stand in the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.example import SPLITS, TASKS

LANGS = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation: `name` and `settings` are Great Expectations' own, `meaning` is for the reader.

    `culprits` names the column that tells which ids to show. Where it is not `id`, it holds tuples of ids, and the
    values of `column` (not its rows) are counted.
    """

    name: str
    column: str | None
    meaning: str
    settings: Mapping[str, object] = field(default_factory=dict)
    culprits: str = "id"


@dataclass(frozen=True, slots=True)
class Suite:
    """`strings`, `numbers` (int64, hence never null) and `tuples` are the frame's columns, no more and no fewer."""

    name: str
    title: str
    strings: tuple[str, ...]
    numbers: tuple[str, ...]
    tuples: tuple[str, ...]
    rules: tuple[Rule, ...]


def not_null(*columns: str) -> list[Rule]:
    return [Rule("expect_column_values_to_not_be_null", c, f"Every row has a value in `{c}`.") for c in columns]


def string(*columns: str) -> list[Rule]:
    """For columns whose values no other rule looks into."""
    settings = {"type_": "str"}
    return [
        Rule("expect_column_values_to_be_of_type", c, f"Every value in `{c}` is a string.", settings) for c in columns
    ]


def one_of(column: str, values: tuple[str, ...]) -> Rule:
    meaning = f"`{column}` is one of {', '.join(values)}."
    return Rule("expect_column_values_to_be_in_set", column, meaning, {"value_set": list(values)})


def unique(column: str) -> Rule:
    return Rule(
        "expect_column_values_to_be_unique", column, f"No two rows that are checked together share their `{column}`."
    )


def at_least(column: str, minimum: int, meaning: str) -> Rule:
    return Rule("expect_column_values_to_be_between", column, meaning, {"min_value": minimum})


def zero(faults: Mapping[str, str], culprits: Mapping[str, str] | None = None) -> list[Rule]:
    settings = {"min_value": 0, "max_value": 0}
    return [
        Rule("expect_column_values_to_be_between", column, meaning, settings, (culprits or {}).get(column, "id"))
        for column, meaning in faults.items()
    ]


EXAMPLE_FAULTS = {
    "malformed_id": "An id is key/split/number, a window's key/split/number/window.",
    "broken_record": "No required value is null and every layer converts to an Example.",
    "split_differs": "The split in the id is the one in the column `split`.",
    "chars_over_max": "No text is longer than the window (`max_chars`).",
    "unknown_tasks": "Every task that the text is used for is a known one.",
    "blank_mentions": "No mention is empty.",
    "bad_spans": "Spans lie within the text, are not empty and stand in order without overlap.",
    "offset_mismatches": "Every mention with offsets spells what the text has there.",
    "unknown_labels": "Every label is in the label set of the source and task.",
    "unknown_roles": "Every argument role is one of its event type's.",
}

LABEL_FAULTS = {
    "unnamed": "Every label has a name.",
    "repeated_name": "No two labels of a set share a name.",
    "out_of_order": "The labels of a set are sorted by name.",
    "bad_roles": "No role of a label is empty or named twice.",
    "wrong_typed_name": "An SPO label is named subjectType_predicate_objectType after its three parts.",
}

HARD_NEGATIVE_FAULTS = {
    "unknown_label": "Every label with neighbours is in the label set.",
    "unknown_neighbours": "Every neighbour is in the label set.",
    "self_neighbour": "No label is its own neighbour.",
    "repeated_neighbours": "No neighbour is named twice.",
    "neighbours_over_max": "No label has more neighbours than `max_neighbours`.",
    "scores_out_of_range": "Every score lies between -1 and 1, as a cosine does.",
    "scores_ascending": "The nearest neighbour comes first: scores never rise.",
}

INSTRUCTION_FAULTS = {
    "nulls": "No required value is null, nor any element of its lists.",
    "malformed_example_id": "An example's id is key/split/number, a window's key/split/number/window.",
    "id_outside_example": "An instruction's id is <its example's id>/<its task>/<batch>.",
    "split_differs": "The split in the example's id is the one in the column `split`.",
    "unknown_label_set": "There is a label set for the task and the source's key, with this source name and language.",
    "unknown_labels": "Every label asked is in the label set of the source and task.",
    "repeated_labels": "No label is asked twice in a batch.",
    "repeated_predicates": "No two typed triples of a batch share their predicate (SPO).",
    "stray_positives": "Every positive label is among the labels asked.",
    "stray_hard_negatives": "Every hard negative is among the labels asked.",
    "positive_hard_negatives": "No positive label is called a hard negative.",
    "negatives_asked": "Where triggers are given (EEA), only positive event types are asked.",
    "broken_prompt": "`instruction` is a JSON object.",
    "wrong_prompt_keys": "The keys of `instruction` are instruction, schema, input, in this order.",
    "wrong_prompt_values": "Instruction and input are strings with content, the schema has the shape of its task.",
    "schema_differs": "The schema names exactly the labels asked, in order.",
    "unknown_roles": "Every role or attribute that the schema asks is one of its label's, once.",
    "wrong_hash": "`text_sha256` is the SHA-256 of the input text.",
    "misplaced_answer": "Train and validation rows have `output` and no `label`, test rows have no `output`.",
    "broken_answer": "`output` and `label` are JSON.",
    "wrong_answer_shape": "The answer has the shape that the wire format gives it for its task.",
    "answer_keys_differ": "The keys of the answer are exactly the labels asked, in order (SPO: their predicates).",
    "answer_roles_differ": "An event's arguments are {} or answer every role asked; attributes are asked ones (KG).",
    "repeated_answers": "No answer is given twice under a label.",
    "positives_differ": "The positive labels are exactly those with an answer (train and validation).",
    "batch_out_of_bounds": "A batch asks at least one label and no more than `split_num` and a rest allow.",
    "batch_not_full": "Only one batch of an example is not full (`split_num` labels); SPO excepted.",
    "excess_negatives": "Per row with a positive, an example keeps at most `negative_ratio` rows without; else one.",
}

CORPUS_FAULTS = {
    "altered_shards": "Every shard is, byte for byte, the file that its stage wrote (by its SHA-256).",
    "missing_rows": "The shards hold exactly the rows that the manifest names.",
    "repeated_ids": "No two rows of any shards share their id.",
    "repeated_texts": "No text occurs twice in a source and split; where `clean.same_text` is `report`, none does with "
    "the same annotations or with different labels at one place, and the card says how many rows differ elsewhere.",
    "leaked_texts": "No train or validation text occurs in a test split.",
    "excess_negatives": "There are no more all-negative rows than `negative_ratio` for each row with a positive.",
}
CORPUS_CULPRITS = {name: f"{name}_ids" for name in ("altered_shards", "repeated_ids", "repeated_texts", "leaked_texts")}


def suite(
    name: str,
    title: str,
    rules: list[Rule],
    strings: tuple[str, ...],
    numbers: tuple[str, ...],
    tuples: tuple[str, ...] = (),
) -> Suite:
    """With the rule that comes first everywhere: the frame has these columns and no others."""
    columns = {"column_set": sorted((*strings, *numbers, *tuples)), "exact_match": True}
    meaning = "The profile has exactly the columns that this suite knows."
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
                one_of("lang", LANGS),
                at_least("text_chars", 1, "No text is blank."),
                at_least("task_count", 1, "Every text is used for some task."),
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
                one_of("lang", LANGS),
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
            "Every Instruction: a prompt that asks a batch of labels over one Example, and its gold answer.",
            [
                *not_null("id", "example_id", "text_sha256", "task", "source", "lang", "split"),
                *string("id", "text_sha256", "source"),
                unique("id"),
                one_of("task", TASKS),
                one_of("lang", LANGS),
                one_of("split", SPLITS),
                *zero(INSTRUCTION_FAULTS),
            ],
            strings=("id", "example_id", "text_sha256", "task", "source", "lang", "split"),
            numbers=("batch_size", "has_positive", "mentions_outside_text", *INSTRUCTION_FAULTS),
        ),
        suite(
            "corpus",
            "Every split of every source and task, over all shards together.",
            [
                Rule(
                    "expect_table_row_count_to_be_between",
                    None,
                    "There is an instruction.",
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
