"""doccano's JSONL: `label` as `[start, end, label]` for sequence labelling, `entities` and `relations` with relations.

https://doccano.github.io/doccano/tutorial, github.com/doccano/doccano: backend/data_import, backend/data_export.
Offsets count code points, as in a project that does not count grapheme clusters as one character.
"""

from typing import Any

from schemas.example import Example


def row(example: Example, relations: bool) -> dict:
    """`relations`: for a project with relations (a choice in the settings of a sequence labelling project)."""
    result: dict[str, Any] = {"id": example.id, "text": example.text, "source": example.source, "lang": example.lang}
    entities = [(number, entity) for number, entity in enumerate(example.entities or (), 1)]
    if not relations:
        return result | {"label": [[*entity.mention.spans[0], entity.label] for _, entity in entities]}
    numbers = {entity.id: number for number, entity in entities}
    result["entities"] = [
        {
            "id": number,
            "label": entity.label,
            "start_offset": entity.mention.spans[0][0],
            "end_offset": entity.mention.spans[0][1],
        }
        for number, entity in entities
    ]
    result["relations"] = [
        {
            "id": number,
            "from_id": numbers[relation.head_entity],
            "to_id": numbers[relation.tail_entity],
            "type": relation.label,
        }
        for number, relation in enumerate(example.relations or (), 1)
    ]
    return result
