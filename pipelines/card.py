"""The manifests of a build → its dataset card: YAML that `load_dataset` reads, and tables for people."""

import json
from collections.abc import Iterable, Sequence

import yaml

from pipelines.config import Config
from pipelines.registry import Located
from pipelines.sources import Licence
from schemas.example import SPLITS, TASKS
from transforms import files

LICENCE_MEANING = {
    Licence.OPEN: "redistribution allowed under the stated terms",
    Licence.ASK: "no licence stated, or research only: do not redistribute without asking",
    Licence.GATED: "must not be redistributed",
}


def card(output: str, config: Config, located: Sequence[Located]) -> str:
    """The text of README.md for a validated build."""
    counts = json.loads(files.read_text(f"{output}/reports/stats.json"))
    built = [source for source in located if source.key in counts["sources"]]
    head = yaml.safe_dump(metadata(counts, built), allow_unicode=True, sort_keys=False)
    return f"---\n{head}---\n{body(counts, config, built)}"


def metadata(counts: dict, built: Sequence[Located]) -> dict:
    """The YAML block: one config a task, and `default` with all of them."""
    instructions = counts["instructions"]
    total = sum(n for splits in instructions.values() for n in splits.values())
    configs = [config_of("default", "data/*", instructions, TASKS) | {"default": True}]
    configs += [config_of(task, f"data/{task}", instructions, (task,)) for task in TASKS if task in instructions]
    return {
        "language": sorted({source.source.lang for source in built}),
        "license": "other",
        "license_name": "per-source",
        "task_categories": ["text-generation", "token-classification"],
        "tags": ["information-extraction", "instruction-tuning", "ieforge"],
        "size_categories": [size_category(total)],
        "configs": configs,
    }


def config_of(name: str, folder: str, instructions: dict, tasks: Iterable[str]) -> dict:
    present = [split for split in SPLITS if any(instructions.get(task, {}).get(split) for task in tasks)]
    return {
        "config_name": name,
        "data_files": [{"split": split, "path": f"{folder}/{split}-*.parquet"} for split in present],
    }


def size_category(rows: int) -> str:
    """The Hub's class for a number of rows."""
    bounds = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    bounds += [(10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M")]
    return next((name for bound, name in bounds if rows < bound), "100M<n<1B")


def table(header: Sequence[str], rows: Iterable[Sequence]) -> str:
    """A Markdown table; whole numbers are grouped by thousands and set to the right."""
    rows = [list(row) for row in rows]
    numeric = [all(isinstance(row[n], int) for row in rows) for n in range(len(header))]
    cells = [
        [f"{cell:,}" if isinstance(cell, int) else cell.replace("|", "\\|") for cell in row] for row in (header, *rows)
    ]
    lines = [cells[0], ["--:" if right else ":--" for right in numeric], *cells[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def body(counts: dict, config: Config, built: Sequence[Located]) -> str:
    parts = [
        "# Information-extraction instructions\n",
        "Schema-based instructions for extracting entities, relations and events, built by IEForge from the original "
        "files of the sources below. Every row asks for a batch of labels over one text; every shard has passed the "
        "validation suites (`reports/data_docs/index.html`).\n",
        *failures(counts),
        "## Loading\n",
        "```python\nfrom datasets import load_dataset\n\n"
        'load_dataset("PATH")                  # all tasks\n'
        f'load_dataset("PATH", "{next(iter(counts["instructions"]))}", streaming=True)\n```\n',
        "## Instructions\n",
        table(
            ["task", *SPLITS], ([task, *(of.get(s, 0) for s in SPLITS)] for task, of in counts["instructions"].items())
        ),
        "`instruction`, `output` and `label` are JSON strings. `output` is the gold answer of train and validation "
        "rows; test rows carry `label`, the gold of the whole text, and rows of one text share `example_id`.\n",
        "## Sources\n",
        table(
            ["source", "name", "dataset", "language", "domain", "tasks", "licence"],
            (
                [
                    s.key,
                    s.source.name,
                    s.source.title,
                    s.source.lang,
                    s.source.domain,
                    ", ".join(s.source.tasks),
                    f"{s.source.licence} ({s.source.licence_text})",
                ]
                for s in built
            ),
        ),
        "Licence classes: " + "; ".join(f"**{kind}**: {means}" for kind, means in LICENCE_MEANING.items()) + ".\n",
        "## Counts\n",
        table(
            ["source", "split", "examples read", "entities", "relations", "events", "windows", "kept", "rejected"],
            (
                [key, split, *of["read"].values(), of["windows"], of["kept"]["examples"], reasons(of["rejected"])]
                for key, splits in counts["sources"].items()
                for split, of in in_order(splits)
            ),
        ),
        "*Windows* are the sentences or parts of documents that the examples read were cut into.\n",
        *crossings(counts),
        *leaks(counts),
        *pairs(built),
        "## Hard negatives\n",
        hard_negatives(counts, config),
    ]
    return "\n".join(parts)


def in_order(splits: dict) -> list[tuple[str, dict]]:
    return [(split, splits[split]) for split in SPLITS if split in splits]


def reasons(rejected: dict[str, int]) -> str:
    return ", ".join(f"{reason} {n:,}" for reason, n in sorted(rejected.items())) or "none"


def failures(counts: dict) -> list[str]:
    if not counts["failed"]:
        return []
    lines = [f"- `{key}`: {reason}" for key, reason in counts["failed"].items()]
    return ["> **Incomplete.** These sources failed and are missing:\n", "\n".join(lines) + "\n"]


def crossings(counts: dict) -> list[str]:
    rows = [
        [key, split, of["crosses_window"]]
        for key, splits in counts["sources"].items()
        for split, of in splits.items()
        if of["crosses_window"]
    ]
    if not rows:
        return []
    lost = "; ".join(
        f"{key}/{split} " + ", ".join(f"{n:,} {what}" for what, n in of.items()) for key, split, of in rows
    )
    return [f"Annotations lost because no window holds all of them: {lost}.\n"]


def leaks(counts: dict) -> list[str]:
    rows = [[pair, f"{into}/test", n] for pair, of in counts["leakage"].items() for into, n in of.items()]
    if not rows:
        return ["No train or validation text occurred in a test split.\n"]
    text = "Train and validation texts that occurred in a test split were dropped:\n"
    return ["## Leakage removed\n", text, table(["dropped from", "occurs in", "texts"], rows)]


def pairs(built: Sequence[Located]) -> list[str]:
    names = [source.key for source in built if source.source.one_pair]
    if not names:
        return []
    return [f"One pair a sentence is annotated in {', '.join(names)}: other related pairs there may go unlabelled.\n"]


def hard_negatives(counts: dict, config: Config) -> str:
    chosen, model = counts["hard_negatives"]["hard_negatives"], counts["hard_negatives"]["model"]
    if chosen == "none":
        return "None were used: every instruction draws its negative labels at random.\n"
    if chosen != "mine":
        return f"Taken from a given dictionary (`{chosen.rsplit('/', 1)[-1]}`).\n"
    if model == "lexical":
        return (
            "Mined from label names with the built-in `lexical` encoder (character n-grams), which knows no meaning: "
            "expect neighbours that are spelt alike. A sentence-embedding model (`--embedding_model`) does better.\n"
        )
    return f"Mined from label names and descriptions with the sentence-embedding model `{model}`.\n"
