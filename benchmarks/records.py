"""Generates records of a task with distinct texts in the unified format, from a seed."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

SYLLABLES = ("ba", "chi", "dor", "el", "fu", "gan", "hi", "jor", "ka", "lun", "mi", "nor", "o", "pra", "qui", "ren")
CHARACTERS = "天地人山水火木金土日月春秋东西南北风云江河湖海林石路桥城市村镇国家学校公司银行医院书店车站机场"
LANGS = ("en", "zh")
MAX_POSITIVES = 6
ROLES = ("agent", "object", "time", "place", "price", "reason")
FEWEST_ROLES = 4
LAYERS = {"NER": "entity", "RE": "relation", "EE": "event"}
DEV_EVERY = 50
"""Every 50th record is a validation record."""


def label_names(task: str, lang: str, count: int) -> list[str]:
    """`count` names of a length that is typical of labels: about 14 letters, or about 4 Chinese characters."""
    random = Random(f"{task} {lang}")
    names: dict[str, None] = {}
    while len(names) < count:
        names[" ".join(words(random, lang, 1 if lang == "zh" else 2, 3 if lang == "zh" else 2))] = None
    return sorted(names)


def words(random: Random, lang: str, count: int, pieces: int) -> list[str]:
    parts = SYLLABLES if lang == "en" else CHARACTERS
    return ["".join(random.choices(parts, k=random.randint(pieces - 1, pieces + 1))) for _ in range(count)]


def records(task: str, lang: str, labels: list[str], count: int, seed: int) -> Iterator[dict]:
    """Records with 0 to MAX_POSITIVES annotations. English texts have 120 to 400 characters, Chinese 40 to 140."""
    random = Random(f"{task} {lang} {seed}")
    vocabulary = words(random, lang, 5_000, 2)
    glue, end = (" ", ".") if lang == "en" else ("", "。")
    for number in range(count):
        tokens = random.choices(vocabulary, k=random.randint(24, 70))
        text = glue.join((*tokens, f"{number}{end}"))
        annotations = [annotation(task, random, labels, tokens) for _ in range(random.randint(0, MAX_POSITIVES))]
        yield {"text": text, LAYERS[task]: annotations}


def annotation(task: str, random: Random, labels: list[str], tokens: list[str]) -> dict:
    label, first, second = random.choice(labels), random.choice(tokens), random.choice(tokens)
    if task == "NER":
        return {"entity": first, "entity_type": label}
    if task == "RE":
        return {"head": first, "relation": label, "tail": second}
    roles = random.sample(ROLES[:FEWEST_ROLES], 2)
    arguments = [{"argument": random.choice(tokens), "role": role} for role in roles]
    return {"event_trigger": first, "event_type": label, "arguments": arguments}


def schema(task: str, labels: list[str]) -> str:
    """The three lines of schema.json."""
    lines = {
        "NER": [labels, [], {}],
        "RE": [[], labels, {}],
        "EE": [labels, ROLES, {label: ROLES[: FEWEST_ROLES + number % 3] for number, label in enumerate(labels)}],
    }[task]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def write(folder: Path, task: str, count: int, label_count: int, seed: int = 42) -> None:
    """Writes `count` records below `folder`, half English, half Chinese: `IE-en/RE/made/train.json` and so on."""
    for lang in LANGS:
        lang_count = count // 2 + (count % 2 if lang == LANGS[0] else 0)
        labels = label_names(task, lang, label_count)
        place = folder / f"IE-{lang}" / task / "made"
        place.mkdir(parents=True)
        (place / "schema.json").write_text(schema(task, labels), encoding="utf-8")
        with (
            (place / "train.json").open("w", encoding="utf-8") as train,
            (place / "dev.json").open("w", encoding="utf-8") as dev,
        ):
            for number, record in enumerate(records(task, lang, labels, lang_count, seed)):
                file = dev if number % DEV_EVERY == DEV_EVERY - 1 else train
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
