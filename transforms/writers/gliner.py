"""GLiNER's training data: a JSON array of rows with `tokenized_text` and `ner`, `[first, last, label]` in words.

`relations` (`[head, tail, label]` with the positions of its ends in `ner`) is there if the text is annotated with
relations; the GLiNER models for relations use it, the others ignore it (github.com/urchade/GLiNER, gliner 0.2.29:
gliner/data_processing/processor.py). The blanks between words are not stored, so `text` is added, which GLiNER
ignores and `transforms.formats.gliner_json` reads.
"""

from schemas.example import Example
from transforms.writers.words import gliner_words, word_range, words


def row(example: Example) -> dict:
    spans = words(example, gliner_words)
    ner: list[list[int | str]] = []
    positions: dict[str | None, int] = {}
    for entity in example.entities or ():
        first, end = word_range(spans, entity.mention.spans[0])
        positions[entity.id] = len(ner)
        ner.append([first, end - 1, entity.label])
    result = {"id": example.id, "tokenized_text": [example.text[start:end] for start, end in spans], "ner": ner}
    if example.relations is not None:
        result["relations"] = [
            [positions[relation.head_entity], positions[relation.tail_entity], relation.label]
            for relation in example.relations
        ]
    return result | {"text": example.text}
