"""spaCy's JSON training format, which `python -m spacy convert` makes a `.spacy` file of; spacy.io/api/data-formats.

One document per text: `raw`, the `entities` as offsets in code points, and all tokens in one sentence, with `ner` tags
in BILUO. `space` and tokens of blanks keep the text exactly. Entities that overlap do not fit into `Doc.ents`.
"""

from schemas.example import Example
from transforms.writers.words import tags, words


def row(example: Example, number: int) -> dict:
    """`number`: the position of the text in its file."""
    text, spans = example.text, words(example)
    ner = tags(example, spans, "BILUO") if example.entities is not None else [None] * len(spans)
    tokens: list[dict] = []
    at = 0
    for (start, end), tag in zip([*spans, (len(text), len(text))], [*ner, None], strict=True):
        gap = text[at:start]
        if tokens and gap.startswith(" "):
            tokens[-1]["space"], gap = " ", gap[1:]
        if gap:
            inside = tag is not None and tag[0] in "IL"
            tokens.append(_token(len(tokens), gap, f"I-{tag[2:]}" if inside else tag and "O"))
        if start < end:
            tokens.append(_token(len(tokens), text[start:end], tag))
        at = end
    entities = [[*entity.mention.spans[0], entity.label] for entity in example.entities or ()]
    paragraph = {"raw": text, "entities": entities, "sentences": [{"tokens": tokens, "brackets": []}]}
    return {"id": number, "paragraphs": [paragraph]}


def _token(number: int, orth: str, tag: str | None) -> dict:
    return {"id": number, "orth": orth, "space": "", **({} if tag is None else {"ner": tag})}
