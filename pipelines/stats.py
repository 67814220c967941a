"""The manifests of a build → `reports/stats.json`: what was read, kept and dropped, and what came of it."""

from collections import Counter

from pipelines import summary
from schemas.example import SPLITS, TASKS

COUNTED = ("examples", "entities", "relations", "events")


def in_order(by_split: dict) -> dict:
    """The same with train, validation and test in this order."""
    return {split: by_split[split] for split in SPLITS if split in by_split}


def stats(output: str) -> dict:
    """Counts by source and split, instructions by task and split, which source leaks into which test split.

    `read` counts what the files have (entities, relations and events of the records that could be read), `windows`
    what came of documents, `kept` what is in clean/, `rejected` every record or window lost, by reason.
    `crosses_window` counts annotations that no window holds.
    """
    ingest, clean = summary.manifest(output, "examples"), summary.manifest(output, "clean")
    sources: dict[str, dict[str, dict]] = {}
    for part in sorted(ingest["splits"], key=lambda part: (part["key"], SPLITS.index(part["split"]))):
        sources.setdefault(part["key"], {})[part["split"]] = {
            "read": {name: part["read"][name] for name in COUNTED},
            "windows": 0,
            "kept": dict.fromkeys(COUNTED, 0),
            "rejected": Counter(part["rejected"]),
            "crosses_window": Counter(),
        }
    leakage: dict[str, Counter] = {}
    for part in clean["shards"]:
        counts = sources[part["key"]][part["split"]]
        counts["windows"] += part["windows"]
        counts["kept"] = {name: n + part["kept"][name] for name, n in counts["kept"].items()}
        counts["rejected"].update(part["rejected"])
        counts["crosses_window"].update(part["crosses_window"])
        leakage.setdefault(f"{part['key']}/{part['split']}", Counter()).update(part["leaks_into"])
    instructions: dict[str, Counter] = {}
    by_source: dict[str, dict[str, dict[str, Counter]]] = {}
    for part in summary.manifest(output, "data")["shards"]:
        instructions.setdefault(part["task"], Counter())[part["split"]] += part["rows"]
        for key, counts in part["sources"].items():
            by_source.setdefault(key, {}).setdefault(part["task"], {}).setdefault(part["split"], Counter()).update(
                counts
            )
    instructions = {task: in_order(instructions[task]) for task in TASKS if task in instructions}
    return {
        "sources": sources,
        "failed": ingest["failed"],
        "instructions": instructions,
        "instructions_by_source": by_source,
        "leakage": {pair: into for pair, into in sorted(leakage.items()) if into},
        "hard_negatives": {key: summary.manifest(output, "hard_negatives")[key] for key in ("hard_negatives", "model")},
    }
