"""Small corpora in the unified format, for tests that need special texts."""

import json
from pathlib import Path


def write_source(folder: Path, task: str, schema: tuple, lang: str = "en", **splits: list[dict]) -> None:
    """`schema` is the three lines of schema.json; `splits` are train=, dev=, test= lists of records."""
    folder.mkdir(parents=True)
    (folder / "schema.json").write_text("".join(json.dumps(line) + "\n" for line in schema))
    (folder / "source.yaml").write_text(f"task: {task}\nlang: {lang}\n")
    for split, records in splits.items():
        (folder / f"{split}.json").write_text("".join(json.dumps(record) + "\n" for record in records))


def ner(text: str, **entities: str | list[str]) -> dict:
    """A NER record: type=mention or type=[mentions]."""
    pairs = [(kind, m) for kind, given in entities.items() for m in ([given] if isinstance(given, str) else given)]
    return {"text": text, "entity": [{"entity": mention, "entity_type": kind} for kind, mention in pairs]}


NER_SCHEMA = (["person", "place", "thing"], [], {})
