"""GLiNER2's training data: JSON lines with `input`, and `output` with `entities` and `relations` as strings.

`entities` lists all labels that the text is annotated with, also those that it has no mention of: they are what the
model is asked for (github.com/fastino-ai/GLiNER2, gliner2 2.1.0: gliner2/training/data.py).
"""

from collections.abc import Mapping

from schemas.example import Example
from transforms.writers import fit


def row(example: Example, descriptions: Mapping[str, str], counts: fit.Counts) -> dict | None:
    """The row, or None if the text has no annotations to learn from. `descriptions`: the labels of entities that it is
    annotated with → their descriptions, which may be empty.
    """
    output: dict = {}
    if example.entities is not None:
        mentions: dict[str, dict[str, None]] = {label: {} for label in descriptions}
        for entity in example.entities:
            strings = mentions.setdefault(entity.label, {})
            counts[fit.REPEATED] += entity.mention.text in strings
            strings[entity.mention.text] = None
        output["entities"] = {label: list(strings) for label, strings in mentions.items()}
        described = {label: text for label, text in descriptions.items() if text}
        output |= {"entity_descriptions": described} if described else {}
    if example.relations:
        triples = dict.fromkeys(
            (relation.label, relation.head.text, relation.tail.text) for relation in example.relations
        )
        counts[fit.REPEATED] += len(example.relations) - len(triples)
        output["relations"] = [{label: {"head": head, "tail": tail}} for label, head, tail in triples]
    if not output.get("entities") and not output.get("relations"):
        return None
    return {"input": example.text, "output": output}
