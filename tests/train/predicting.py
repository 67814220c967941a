"""Made-up texts with two people each, their rows, and runs of train.predict on them."""

import json
from dataclasses import asdict
from pathlib import Path

from schemas.example import Entity, Example, Mention
from schemas.label import Label
from tests.rows import instructions
from tests.serving import completion
from train import predict
from transforms.ask import AskOptions
from transforms.prompts import load

LABELS = [Label(name) for name in ("event", "person", "place", "quay", "ship", "time", "tool")]
NAMES = ("Asta", "Berg", "Ingrid Solheim", "Halden")


def example(split: str, number: int) -> Example:
    name, other = NAMES[number % 4], NAMES[(number + 1) % 4]
    text = f"On day {number} {name} met {other} at the quay."
    entities = (Entity("person", Mention(name)), Entity("person", Mention(other)))
    return Example(f"notes/{split}/{number}", "Notes", split, "en", text, ("NER",), entities, None, None)


def rows_for(split: str, numbers) -> list[dict]:
    prompts = load(None, ("NER",), ("en",))
    options = AskOptions(split_num={"NER": 4})
    result = []
    for number in numbers:
        rows, _ = instructions(example(split, number), "NER", LABELS, None, prompts, options)
        result += map(asdict, rows)
    return result


def lines(path) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def gold(instruction: str, attempt: int = 0) -> tuple[int, bytes]:
    """The reply of a server whose model answers correctly."""
    prompt = json.loads(instruction)
    people = sorted((name for name in NAMES if name in prompt["input"]), key=prompt["input"].find)
    return 200, completion(json.dumps({label: people if label == "person" else [] for label in prompt["schema"]}))


def run(*flags: str, output) -> int:
    return predict.main([*flags, "--output", str(output)])


def ask(served, data, output, *flags) -> int:
    quick = ("--backoff_s", "0.001", "--retries", "1", "--timeout_s", "5")
    return run("--endpoint", served.url, "--data", data, *quick, *flags, output=output)


def model_run(tiny, data, output, *flags) -> int:
    return run("--model", tiny, "--data", data, "--max_new_tokens", "12", *flags, output=output)
