"""The manifests of a build → `reports/stats.json`: what was read, kept and dropped, and what came of it.

The file is one object; `KEY` is a source key, `TASK` one of `schemas.example.TASKS`, `SPLIT` a split:

- `build`: `version` of IEForge, `sources` (every KEY that was built), `samples` (whether it read the bundled samples),
  `settings` (what differs from the defaults, without paths). It stays whole in the statistics of a part.
- `sources`: KEY → SPLIT → `read` and `kept` (each `examples`, `entities`, `relations`, `events`), `windows`,
  `rejected`, `lost` and `crosses_window` (each what → number), `same_text`.
- `about`: KEY → `name`, `title`, `lang`, `domain`, `tasks`, `licence` (class), `licence_text`, `homepage`, `citation`
  (BibTeX key), `held_out`, `one_pair`.
- `labels`: KEY → TASK → names of its label set.
- `failed`: KEY → why it is missing.
- `instructions`: TASK → SPLIT → rows.
- `instructions_by_source`: KEY → TASK → SPLIT → `instructions`, `examples`, `all_negative`, `with_hard_negatives`,
  `cut`, `neighbour_pairs`, `neighbours_together`.
- `leakage`: KEY/SPLIT → KEY of a test split → texts dropped from the first because they occur in the second.
- `hard_negatives`: `hard_negatives` (mine, none or a file's name), `model`, and `by_source`: KEY → TASK → `labels`,
  `with_neighbours` (labels that have one), `neighbours` (all together).
- `tokens`: null, or what `pipelines.stages.tokens` and `pipelines.describe.token_estimate` say:
  - `tokenizer`, `in_full` (every row was counted), `contexts` (lengths in tokens), `edges` (upper ends of the
    histogram's bins; a last bin has none);
  - `by_source`: KEY → TASK → SPLIT → `rows`, `counted` (of these), `prompt` and `answer` (estimated tokens, all rows
    together), `variance` (of the estimate of both), `longest` (of the rows counted), `histogram` (estimated rows a
    bin), `above` (context → estimated rows longer than it), `above_variance`;
  - `tasks`: TASK → SPLIT → the summary of its rows, and `total`, of all: `rows`, `counted`, `tokens`, `margin` (half of
    the 95 % interval), `prompt`, `answer`, `mean`, `longest`, `histogram`, `above` (context → `share` and `margin`).
"""

from collections import Counter

from pipelines.describe.figures import instructions, token_totals
from pipelines.engine import gather
from pipelines.stages.labels import read_label_set
from pipelines.stages.mine import dictionary_path, label_sets_to_mine, read_dictionary
from schemas.example import SPLITS
from transforms import files

COUNTED = ("examples", "entities", "relations", "events")


def stats(output: str, build: dict) -> dict:
    """Everything that the module's docstring lists. `build`: as there, without `sources`.

    `read` counts what the files have (entities, relations and events of the records that could be read), `windows`
    what came of documents, `kept` what is in clean/, `rejected` every record or window lost, by reason, `lost` what
    records lost that were kept, by reason. `crosses_window` counts annotations that no window holds, `same_text` the
    rows that were kept beside others of the same text that annotate different things (`clean.same_text: report`).
    """
    ingest, clean = gather.manifest(output, "examples"), gather.manifest(output, "clean")
    tasks = gather.manifest(output, "labels")["tasks"]
    sources: dict[str, dict[str, dict]] = {}
    for part in sorted(ingest["splits"], key=lambda part: (part["key"], SPLITS.index(part["split"]))):
        sources.setdefault(part["key"], {})[part["split"]] = {
            "read": {name: part["read"][name] for name in COUNTED},
            "windows": 0,
            "kept": dict.fromkeys(COUNTED, 0),
            "rejected": Counter(part["rejected"]),
            "lost": Counter(part["lost"]),
            "crosses_window": Counter(),
            "same_text": 0,
        }
    leakage: dict[str, Counter] = {}
    for part in clean["shards"]:
        counts = sources[part["key"]][part["split"]]
        counts["windows"] += part["windows"]
        counts["kept"] = {name: n + part["kept"][name] for name, n in counts["kept"].items()}
        counts["rejected"].update(part["rejected"])
        counts["crosses_window"].update(part["crosses_window"])
        counts["same_text"] += part["same_text"]
        leakage.setdefault(f"{part['key']}/{part['split']}", Counter()).update(part["leaks_into"])
    by_source: dict[str, dict[str, dict[str, Counter]]] = {}
    for part in gather.manifest(output, "data")["shards"]:
        for key, counts in part["sources"].items():
            by_source.setdefault(key, {}).setdefault(part["task"], {}).setdefault(part["split"], Counter()).update(
                counts
            )
    return {
        "build": {**build, "sources": list(sources)},
        "sources": sources,
        "about": {key: ingest["sources"][key] for key in sources},
        "labels": {
            key: {task: [label.name for label in read_label_set(output, task, key).labels] for task in of}
            for key, of in tasks.items()
        },
        "failed": ingest["failed"],
        "instructions": instructions(by_source.values()),
        "instructions_by_source": by_source,
        "leakage": {pair: into for pair, into in sorted(leakage.items()) if into},
        "hard_negatives": {
            **{key: gather.manifest(output, "hard_negatives")[key] for key in ("hard_negatives", "model")},
            "by_source": dictionaries(output, tasks),
        },
        "tokens": token_totals(gather.manifest(output, "tokens")["tokens"]),
    }


def dictionaries(output: str, tasks: dict[str, list[str]]) -> dict[str, dict[str, dict[str, int]]]:
    """How large each dictionary of the build is. `tasks`: source key → its tasks."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for task, key in label_sets_to_mine(tasks):
        path = dictionary_path(output, task, key)
        if files.exists(path):
            neighbours = [len(ranking.neighbours) for ranking in read_dictionary(path).labels.values()]
            found.setdefault(key, {})[task] = {
                "labels": len(read_label_set(output, task, key).labels),
                "with_neighbours": sum(map(bool, neighbours)),
                "neighbours": sum(neighbours),
            }
    return found
