"""python -m benchmarks.score: measures time and memory of train.score on generated predictions with errors."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from benchmarks import measure, records
from schemas.example_id import ExampleId, InstructionId

LABELS = {"NER": 18, "RE": 12, "EE": 12}
SPLIT_NUM = {"NER": 6, "RE": 4, "EE": 4}
SOURCES = 10
"""Number of sources per task and language."""

RIGHT, CUT, OTHER_LABEL = 0.7, 0.8, 0.9
"""Cumulative shares of annotations that are answered correctly, with a truncated mention, or with another label. The
rest is missing from the answers."""

BROKEN = 0.01
"""Share of truncated answers."""


def rows(count: int, seed: int = 42) -> Iterator[dict]:
    """`count` predicted rows: a third each of NER, RE and EE, and half of each in English, half in Chinese."""
    random = Random(seed)
    for task in LABELS:
        for lang in records.LANGS:
            labels = records.label_names(task, lang, LABELS[task])
            left = count // (len(LABELS) * len(records.LANGS))
            for number, record in enumerate(records.records(task, lang, labels, left, seed)):
                for batch in range(len(labels) // SPLIT_NUM[task]):
                    if left:
                        left -= 1
                        yield row(task, lang, number, batch, labels, record, random)


def row(task: str, lang: str, number: int, batch: int, labels: Sequence[str], record: dict, random: Random) -> dict:
    requested = labels[batch * SPLIT_NUM[task] : (batch + 1) * SPLIT_NUM[task]]
    example = ExampleId(f"made_{lang}_{number % SOURCES}", "test", number)
    schema = [{"event_type": name, "trigger": True, "arguments": records.ROLES} for name in requested]
    prompt = {"instruction": "Extract.", "schema": schema if task == "EE" else requested, "input": record["text"]}
    output = answer(task, requested, labels, record[records.LAYERS[task]], random)
    return {
        "id": str(InstructionId(example, task, batch)),
        "example_id": str(example),
        "task": task,
        "source": f"made {lang} {number % SOURCES}",
        "lang": lang,
        "split": "test",
        "instruction": json.dumps(prompt, ensure_ascii=False),
        "labels": requested,
        "label": json.dumps(record[records.LAYERS[task]], ensure_ascii=False),
        "output": output[: len(output) // 2] if random.random() < BROKEN else output,
    }


def answer(task: str, requested: Sequence[str], labels: Sequence[str], annotations: list[dict], random: Random) -> str:
    items: dict[str, list] = {label: [] for label in requested}
    for annotation in annotations:
        label = annotation.get("entity_type") or annotation.get("relation") or annotation["event_type"]
        fate = random.random()
        cut = slice(0, -1) if RIGHT <= fate < CUT else slice(None)
        if CUT <= fate < OTHER_LABEL:
            label = random.choice(labels)
        if label not in items or fate >= OTHER_LABEL:
            continue
        if task == "NER":
            items[label].append(annotation["entity"][cut])
        elif task == "RE":
            items[label].append({"subject": annotation["head"][cut], "object": annotation["tail"]})
        else:
            arguments = {argument["role"]: argument["argument"] for argument in annotation["arguments"]}
            items[label].append({"trigger": annotation["event_trigger"][cut], "arguments": arguments})
    return json.dumps(items, ensure_ascii=False)


def measure_scoring(count: int, folder: Path) -> dict:
    predictions = folder / "predictions.jsonl"
    with predictions.open("w", encoding="utf-8") as file:
        for prediction in rows(count):
            file.write(json.dumps(prediction, ensure_ascii=False) + "\n")
    command = [sys.executable, "-m", "train.score", "--predictions", str(predictions), "--html", str(folder / "p.html")]
    samples = measure.run([*command, "--by", "source", "--by", "label"], folder / "score.log")
    return {
        "rows": count,
        "wall_s": round(samples[-1].time - samples[0].time, 2),
        "processor_s": round(samples[-1].processor, 2),
        "peak_gb": round(max(sample.memory for sample in samples) / 1e9, 3),
    }


def main(flags: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="number of predictions (default 100,000)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(flags)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure_scoring(arguments.rows, Path(folder))
    line = "{rows:,} predictions scored by source and by label, with intervals and the page: {wall_s} s"
    line += " (processor {processor_s} s), peak {peak_gb} GB"
    print(json.dumps(figures) if arguments.json else line.format(**figures))


if __name__ == "__main__":
    main()
