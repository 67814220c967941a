"""The summary of a training → the model card (README.md) of its adapter, its model, or an export of them.

The metadata at its top are those of the Hub (https://huggingface.co/docs/hub/model-cards). The licence is left to
whoever publishes the model: it follows from those of the base model and the data, which the card names.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from schemas.build_statistics import Statistics
from schemas.errors import ConfigError, printable
from schemas.manifests import SourceFacts
from train.corpus import is_repository
from train.notes import note
from train.tuning.output_folder import SUMMARY
from train.tuning.recipe import Recipe
from transforms import files, yaml_values

if TYPE_CHECKING:
    from train.aligning.recipe import TuneRecipe
    from train.scoring.aggregate import Report

CARD, SCORES = "README.md", "scores.json"
"""Files of the folder: the card, and the scores that it shows, which `train.score --card` writes."""

LOCAL_KEYS = {"model", "data", "output", "adapter", "chat_template", "checkpoints"}
"""Keys of a recipe that are paths or do not affect the weights."""

UNSHOWN = ("gold", "pred", "right", "macro-F1", "overlap-F1", "ROUGE-2", "F1+R2")
"""Columns of the table of scores that the card leaves out."""

WEIGHTS = {
    "adapter": "a LoRA adapter",
    "model": "a fully fine-tuned model",
    "merged": "a LoRA adapter merged into its base",
}
"""Kind of a folder → what its weights are."""


def source_facts(data: str) -> dict[str, SourceFacts]:
    """Published name → description of the sources of a build. Empty for other data, which do not record licences."""
    if not os.path.isdir(data):
        return {}
    try:
        statistics = files.read_json(f"{data}/reports/stats.json", Statistics, "build the corpus again")
    except ConfigError as error:
        note(f"the model card will name no licences: {error}")
        return {}
    return {facts.name: facts for facts in statistics.about.values()}


def recipe_facts(recipe: "Recipe | TuneRecipe") -> dict[str, Any]:
    """The settings that were given, without local paths and without defaults."""
    given = recipe.model_dump(mode="json", exclude_defaults=True)
    return {key: value for key, value in given.items() if key not in LOCAL_KEYS}


def data_facts(names: list[str], data: str) -> list[dict[str, str | None]]:
    """For each source (its published name): name, language, licence and homepage, None where they are not recorded."""
    about = source_facts(data)
    fields = {"language": "lang", "licence": "licence_text", "homepage": "homepage"}
    return [
        {"name": name, **{key: getattr(about.get(name), field, None) for key, field in fields.items()}}
        for name in names
    ]


def check(folder: str) -> None:
    """Raises ConfigError for a folder of `--card` that is not that of a finished training."""
    if not os.path.exists(f"{folder}/{SUMMARY}"):
        raise ConfigError(
            f"--card {folder}: not the folder of a finished training (no {SUMMARY}); give that of train.sft"
        )


def add_scores(folder: str, report: "Report") -> None:
    """Writes the first table of scores into the folder of a training, and its card again."""
    from train.scoring import table

    header, rows = table.score_cells(report.tables[0])
    kept = [at for at, name in enumerate(header) if name not in UNSHOWN]
    content = {"match": report.match, "table": [[line[at] for at in kept] for line in (header, *rows)]}
    with open(f"{folder}/{SCORES}", "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
    write(folder, folder, "adapter" if os.path.exists(f"{folder}/adapter_config.json") else "model")


def write(folder: str, trained: str, kind: str, more: Sequence[str] = ()) -> None:
    """Writes the card into `folder`, from the summary of the training in the folder `trained`, with its scores, if
    there are any, or with the lines `more` on a training after it. Without a summary, or with one of an earlier
    version, the folder has no card: that of peft or trl is removed.
    """
    with contextlib.suppress(FileNotFoundError):
        os.remove(f"{folder}/{CARD}")
    path, scores = f"{trained}/{SUMMARY}", f"{trained}/{SCORES}"
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        summary = json.load(file)
    if not more and os.path.exists(scores):
        with open(scores, encoding="utf-8") as file:
            more = list(score_lines(json.load(file)))
    if "sources" in summary:
        with open(f"{folder}/{CARD}", "w", encoding="utf-8") as file:
            file.write(text(summary, kind, more))


def text(summary: Mapping[str, Any], kind: str, more: Sequence[str] = ()) -> str:
    """The card. `summary`: the content of sft.json; `kind`: a key of WEIGHTS; `more`: its last lines."""
    lines = [printable(line) for line in (*body(summary, kind), *more)]
    return f"---\n{yaml_values.render(metadata(summary, kind))}---\n" + "\n".join(lines) + "\n"


def metadata(summary: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The YAML block. A base model or data that are local are not named there: the Hub would look for them."""
    model, data = summary["model"], summary["data"]
    languages = sorted({source["language"] for source in summary["sources"] if source["language"]})
    tasks = sorted({each["task"].lower() for each in summary["lengths"]})
    values = {
        "base_model": model if is_hub_name(model) else None,
        "base_model_relation": {"adapter": "adapter", "model": "finetune", "merged": "merge"}[kind],
        "datasets": [data] if is_hub_name(data) else None,
        "language": languages,
        "library_name": "peft" if kind == "adapter" else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["information-extraction", *(["lora"] if kind == "adapter" else []), *tasks, "ieforge"],
    }
    if values["base_model"] is None:
        del values["base_model_relation"]
    return {key: value for key, value in values.items() if value}


def is_hub_name(name: str) -> bool:
    """Whether `name` is that of a Hub repository, `org/name`, and not of a local file or folder."""
    return "/" in name and is_repository(name) and not os.path.exists(name)


def body(summary: Mapping[str, Any], kind: str) -> Iterator[str]:
    base = summary["model"] if is_hub_name(summary["model"]) else os.path.basename(os.path.abspath(summary["model"]))
    rows = summary["rows"]
    yield f"# Information extraction with {base}"
    yield ""
    yield (
        f"The weights are {WEIGHTS[kind]}: `{base}`, trained with IEForge to answer instructions for information "
        "extraction in JSON. Prompts must be rendered with the chat template of this folder."
    )
    yield from ("", "## Data", "")
    yield (
        f"{rows['train']:,} rows ({summary['tokens']:,} tokens were trained on) and {rows['validation']:,} validation "
        "rows. The licence of this model has to respect the licence of the base model and those of the data:"
    )
    yield from ("", "| source | language | licence | homepage |", "|---|---|---|---|")
    for source in summary["sources"]:
        cells = (
            source["name"],
            source["language"] or "–",
            source["licence"] or "not recorded",
            source["homepage"] or "–",
        )
        yield table_row(*cells)
    if summary["lengths"]:
        yield from ("", "| task | source | rows | tokens p50 | p95 | max | left out as too long | trained on |")
        yield "|---|---|--:|--:|--:|--:|--:|--:|"
        for each in summary["lengths"]:
            figures = [each[key] for key in ("rows", "median", "p95", "longest", "too_long", "trained")]
            yield table_row(each["task"], each["source"], *map("{:,}".format, figures))
    yield from ("", "## Training", "", "```yaml", *yaml_values.render(summary["recipe"]).splitlines(), "```", "")
    yield (
        f"{summary['steps']:,} steps ({summary['epochs']:.2f} epochs) on {summary['device']} in {summary['dtype']}; "
        f"the weights are those of step {summary['saved_step']:,}."
    )
    yield from ("", "| measured | value |", "|---|--:|")
    names = {
        "train_loss": "training loss, all steps",
        "validation_loss": "validation loss",
        "f1": "F1 on a sample of validation texts",
    }
    for key, name in names.items():
        if summary[key] is not None:
            yield f"| {name} | {summary[key]:.4f} |"


def score_lines(scores: Mapping[str, Any]) -> Iterator[str]:
    """The section on scores, from the content of scores.json."""
    yield from ("", "## Scores", "")
    yield f"Precision, recall and F1 in per cent by `train.score --match {scores['match']}`, F1 with its 95 % interval:"
    header, *rows = scores["table"]
    yield from ("", table_row(*header), f"|{'---|' * len(header)}")
    for row in rows:
        yield table_row(*row)


def table_row(*cells: str) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
