"""A row → the prompt that a backend answers, with the grammar of its answers if decoding is guided."""

import glob
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from schemas.answers import Prompt
from schemas.example_id import ExampleId
from schemas.label import Label, LabelSet
from train.corpus import row_form
from train.prediction.answer_grammar import json_grammar, sentences_grammar
from train.prediction.answer_schema import NO_VALUES, Values, ending, json_schema
from train.prediction.shots import Shots
from transforms import files
from transforms.phrasings import shown_phrasing
from transforms.plain_schema import plain_schema, true_names
from transforms.scripts import token_spans


@dataclass(frozen=True)
class Guidance:
    """`max_items`: the maximum number of items in a list of an answer. `values`: row → the closed values of its roles,
    by the event types' own names.
    """

    max_items: int
    values: Callable[[Mapping], Values]


def closed_values(labels: Iterable[Label]) -> Values:
    return {(label.name, role.name): role.values for label in labels for role in label.roles if role.values}


def values_in_build(folder: str) -> Callable[[Mapping], Values]:
    """Row of a build → the closed values of the roles of its source, from the label sets of the build."""
    by_source: dict[tuple[str, str], Values] = {}
    for task in ("EE", "EEA"):
        for path in glob.glob(f"{glob.escape(folder)}/labels/{task}/**/*.json", recursive=True):
            label_set = files.read_json(path, LabelSet, "run the build again")
            if values := closed_values(label_set.labels):
                by_source[task, label_set.key] = values

    def values_for(row: Mapping) -> Values:
        example = ExampleId.match(row["example_id"] or "")
        return by_source.get((row["task"], example.key), NO_VALUES) if example else NO_VALUES

    return values_for


def prompt(row: Mapping, examples: Shots | None, guidance: Guidance | None) -> Prompt:
    """The prompt of a row, with `examples` drawn for it. Without `guidance`, answers are free."""
    solved = examples.draw(row) if examples else ()
    if guidance is None:
        return Prompt(row["instruction"], solved)
    content, task, form = json.loads(row["instruction"]), row["task"], row_form(row)
    entries, text = plain_schema(content["schema"]), content["input"]
    max_items = max(1, min(guidance.max_items, len(token_spans(text))))
    schema = json_schema(task, entries, form, max_items, shown_values(row, entries, guidance.values(row)))
    if schema is None:  # sentences
        phrasing = shown_phrasing(content["instruction"])
        if phrasing is None:
            return Prompt(row["instruction"], solved)
        labels = [entry["predicate"] if task == "SPO" else entry for entry in entries]
        grammar = sentences_grammar(labels, phrasing, text, max_items * len(labels))
        longest = dict.fromkeys(("subject", "object"), "") | {"relation": max(labels, key=len)}
        return Prompt(row["instruction"], solved, None, grammar, phrasing.sentence(longest))
    return Prompt(row["instruction"], solved, schema, json_grammar(schema, text), ending(schema))


def shown_values(row: Mapping, entries: list, values: Values) -> Values:
    """`values` by the names of event types that the prompt of the row shows."""
    if not values:
        return values
    names = true_names(row["task"], entries, row["labels"])
    return {
        (shown, role): values[names.get(shown, shown), role]
        for shown, roles in ((entry["event_type"], entry["arguments"]) for entry in entries)
        for role in roles
        if (names.get(shown, shown), role) in values
    }
