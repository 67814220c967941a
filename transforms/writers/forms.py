"""The formats into which Examples are exported: what each can carry, its rows, and the files beside them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.example import Example
from transforms.writers import brat, conll, doccano, gliner, gliner2, label_studio, spacy
from transforms.writers.fit import Capacity, Counts, Labels, fit

Layout = Literal["array", "lines", "blocks", "folder"]
"""A JSON array, JSON lines, blocks of text, or a folder of pairs of files."""


@dataclass
class Context:
    """What the rows of an export depend on besides their Example. `counts` and `labels` are filled by `rows`.

    `has_relations`: whether a source of the export is annotated with relations. `model`: the name of the model that
    predicted the annotations; None if people annotated them. `descriptions`: source → label of entities → description.
    `requested`: `entity` or `relation` → labels that the model was asked for.
    """

    has_relations: bool = False
    model: str | None = None
    descriptions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counter)
    labels: Labels = field(default_factory=Labels)
    requested: Mapping[str, Collection[str]] = field(default_factory=dict)

    def labels_of(self, key: str, example: Example) -> dict[str, str]:
        """The labels of entities that the text is annotated for → their descriptions."""
        unknown = {item.label for item in example.unknown_labels if item.layer == "entities"}
        labels = self.descriptions.get(key, {})
        return {label: text for label, text in labels.items() if label not in unknown}


Row = dict | str | tuple[str, str] | None
"""JSON, a block of text, or the content of two files; None for a text that is left out."""


@dataclass(frozen=True)
class Form:
    """`row`: (fitted Example, its position in the file, its labels → their descriptions, the context) → a row.
    `suffixes`: of the file, or of the two files of a text. `companions`: name → content of the files beside the rows.
    `after`: what to do with the export, for people; `after_relations`: the same if it has relations,
    where this differs.
    """

    title: str
    layout: Layout
    suffixes: tuple[str, ...]
    capacity: Capacity
    row: Callable[[Example, int, Mapping[str, str], Context], Row]
    after: str
    after_relations: str = field(default="", kw_only=True)
    companions: Callable[[Context], dict[str, str]] = lambda context: {}
    needs_entities: bool = False
    """Whether a text that is not annotated with entities would look like one that has none."""


FORMS: dict[str, Form] = {
    "gliner": Form(
        "training data of GLiNER",
        "array",
        (".json",),
        Capacity(relations=True, overlapping=True),
        lambda example, number, labels, context: gliner.row(example),
        "train_data = json.load(open('train.json')), for model.train_model(train_data, ...)",
        needs_entities=True,
    ),
    "gliner2": Form(
        "training data of GLiNER2",
        "lines",
        (".jsonl",),
        Capacity(relations=True, overlapping=True, unknown_labels=True, offsets=False, ends_are_entities=False),
        lambda example, number, labels, context: gliner2.row(example, labels, context.counts),
        "trainer.train(train_data='train.jsonl'), with gliner2.training.trainer.GLiNER2Trainer",
    ),
    "spacy": Form(
        "JSON training data of spaCy",
        "array",
        (".json",),
        Capacity(),
        lambda example, number, labels, context: spacy.row(example, number),
        "python -m spacy convert train.json .    writes train.spacy, for python -m spacy train --paths.train",
        needs_entities=True,
    ),
    "conll": Form(
        "CoNLL columns with BIO tags",
        "blocks",
        (".conll",),
        Capacity(respell=conll.respell),
        lambda example, number, labels, context: conll.block(example, context.counts),
        "two columns separated by a tab: word and tag; a blank line ends a text",
        needs_entities=True,
    ),
    "brat": Form(
        "brat standoff",
        "folder",
        (".txt", ".ann"),
        Capacity(
            relations=True, events=True, discontinuous=True, overlapping=True, concepts=True, respell=brat.respell
        ),
        lambda example, number, labels, context: (example.text, brat.annotations(example)),
        "copy the folder into the data folder of brat",
        lambda context: {
            "annotation.conf": brat.annotation_conf(context.labels),
            "visual.conf": brat.visual_conf(context.labels),
        },
    ),
    "label_studio": Form(
        "tasks of Label Studio",
        "array",
        (".json",),
        Capacity(relations=True, overlapping=True),
        lambda example, number, labels, context: label_studio.task(example, context.model),
        f"create a project with {label_studio.NAME} as labelling interface (Code), then import the JSON files",
        lambda context: {label_studio.NAME: label_studio.configuration(context.labels, context.requested)},
    ),
    "doccano": Form(
        "JSONL of doccano",
        "lines",
        (".jsonl",),
        Capacity(relations=True, overlapping=True),
        lambda example, number, labels, context: doccano.row(example, context.has_relations),
        "create a sequence labelling project that allows overlapping entities, without relation labelling; then import "
        "as JSONL",
        after_relations="create a sequence labelling project that allows overlapping entities, with relation "
        "labelling; then import as JSONL",
    ),
}


def rows(form: Form, examples: Iterable[tuple[str, Example]], context: Context):
    """(Example, its row) of the texts that the format can carry. `examples`: (key of the source, Example)."""
    number = 0
    for key, example in examples:
        fitted = fit(example, form.capacity, context.labels, context.counts)
        if fitted.entities is None and form.needs_entities:
            context.counts[UNANNOTATED] += 1
            continue
        row = form.row(fitted, number, context.labels_of(key, example), context)
        if row is None:
            context.counts[WITHOUT_ROW] += 1
        else:
            yield fitted, row
            number += 1


UNANNOTATED = "texts not annotated with entities"
WITHOUT_ROW = "texts without an annotation or label to learn from"
