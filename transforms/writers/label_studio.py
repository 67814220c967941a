"""Label Studio tasks: a JSON array, and the labelling configuration of a project to import them into.

https://labelstud.io/guide/task_format, https://labelstud.io/guide/predictions. Offsets count code points
(github.com/HumanSignal/label-studio-frontend/pull/308). `data` has the text, and the id, the source and the language,
which the data manager shows. A text whose layers are not annotated is a task without annotations.
"""

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import quoteattr

from schemas.example import Example
from transforms.writers.fit import END, Labels

CONTROL, TEXT = "label", "text"
"""Names of the tag with the labels and of the one with the text."""

NAME = "config.xml"


def task(example: Example, model: str | None) -> dict:
    """`model`: the name of the model that predicted the annotations; None if people annotated the text."""
    layers = (example.entities, example.relations)
    results = None if layers == (None, None) else [*map(_region, example.entities or ()), *_relations(example)]
    data = {"text": example.text, "id": example.id, "source": example.source, "lang": example.lang}
    if model is not None:
        return {"data": data, "predictions": [{"model_version": model, "score": None, "result": results or []}]}
    return {"data": data, "annotations": [] if results is None else [{"result": results}]}


def _region(entity) -> dict:
    ((start, end),) = entity.mention.spans
    value = {"start": start, "end": end, "text": entity.mention.text, "labels": [entity.label]}
    return {"id": entity.id, "from_name": CONTROL, "to_name": TEXT, "type": "labels", "value": value}


def _relations(example: Example) -> list[dict]:
    return [
        {
            "type": "relation",
            "from_id": relation.head_entity,
            "to_id": relation.tail_entity,
            "direction": "right",
            "labels": [relation.label],
        }
        for relation in example.relations or ()
    ]


def configuration(labels: Labels, requested: Mapping[str, Iterable[str]]) -> str:
    """The labelling configuration with these labels, and those that a model was asked for, which it may not have
    predicted. It has at least one label of entities, for a project without one cannot be annotated.
    """
    entities = {*labels.entities, *requested.get("entity", ())} or {END}
    relations = {*labels.relations, *requested.get("relation", ())}
    lines = ["<View>"]
    if relations:
        lines += ["  <Relations>", *_values("Relation", relations), "  </Relations>"]
    lines += [f'  <Labels name="{CONTROL}" toName="{TEXT}">', *_values("Label", entities), "  </Labels>"]
    lines += [f'  <Text name="{TEXT}" value="${TEXT}"/>', "</View>"]
    return "\n".join(lines) + "\n"


def _values(tag: str, labels: Iterable[str]) -> list[str]:
    return [f"    <{tag} value={quoteattr(label)}/>" for label in sorted(labels)]
