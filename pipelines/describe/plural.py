"""Numbers with nouns: `1 text`, `2 texts`."""

SINGULAR = {
    "annotations": "annotation",
    "answers": "answer",
    "arguments": "argument",
    "concepts": "concept",
    "cuts": "cut",
    "entities": "entity",
    "events": "event",
    "examples": "example",
    "facts": "fact",
    "files": "file",
    "instructions": "instruction",
    "labels": "label",
    "mentions": "mention",
    "pairs": "pair",
    "records": "record",
    "relations": "relation",
    "rows": "row",
    "scores": "score",
    "sources": "source",
    "texts": "text",
    "themes": "theme",
    "windows": "window",
}


def counted(number: int, phrase: str) -> str:
    """The number and the phrase, whose first word is a plural in SINGULAR."""
    noun, blank, rest = phrase.partition(" ")
    return f"{number:,} {SINGULAR[noun] if number == 1 else noun}{blank}{rest}"
