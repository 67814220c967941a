"""The statistics of a build or of some of its sources → its dataset card: YAML for `load_dataset`, text for people."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.config import Clean
from pipelines.describe import agreement, citations, dataset_info, figures, shell
from pipelines.describe.agreement import LayerAgreement
from pipelines.describe.example_rows import ExampleRow
from pipelines.describe.form_examples import FormExample
from pipelines.describe.plural import counted
from pipelines.sources import Licence, licences
from schemas import key_list, language
from schemas.agreement import Annotators
from schemas.build_statistics import FamiliarityCounts, SplitStatistics, Statistics, total
from schemas.errors import Reason, printable
from schemas.example import SPLITS, TASKS
from schemas.manifests import LayerCounts, Losses

TEMPLATES = Path(__file__).with_name("templates")
LANGUAGES = ("en", "zh")

FOLDER = "corpus"
"""Stands for the folder of the card where no repository is known; the command that builds it again writes into it."""

SIZES = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
SIZES += [(10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M")]


@dataclass(frozen=True)
class Parts:
    """What a card shows besides the statistics. `title`: None for a general one. `place`: the argument of
    `load_dataset`, the name of the repository if the corpus has one. `is_build`: a release lacks some pages.
    `rows`: an example of each task. `forms`: the examples of the forms of answer, if the rows have several.
    `annotators`: those of sources, by key; the card does not name them.
    """

    title: str | None = None
    place: str = FOLDER
    is_build: bool = False
    rows: Sequence[ExampleRow] = ()
    forms: Sequence[FormExample] = ()
    annotators: Mapping[str, Annotators] = field(default_factory=dict)


def render(statistics: Statistics, lang: str = "en", parts: Parts = Parts()) -> str:
    """The text of README.md (`lang` en) or README_zh.md (zh, without the YAML, which the Hub reads in README.md alone).

    The text only depends on the arguments.
    """
    more = {
        "title": parts.title,
        "place": parts.place,
        "folder": FOLDER,
        "is_build": parts.is_build,
        "examples": parts.rows,
        "forms": parts.forms,
        "annotated": annotated(statistics.sources, parts.annotators),
    }
    text = template_environment().get_template(f"card.{lang}.md").render(facts(statistics) | more)
    text = "\n".join(map(printable, text.split("\n")))  # a name or label may contain control characters
    return text if lang != "en" else f"---\n{dump(metadata(statistics, parts.title))}---\n{text}"


@functools.cache
def template_environment() -> Environment:
    """The environment of the templates, which it compiles once per process."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "n": number,
        "counted": counted,
        "percent": percent,
        "cell": cell,
        "code": code,
        "flag": flag,
        "yaml": dump,
        "language": language.name,
    }
    return environment


def annotated(
    keys: Iterable[str], annotators: Mapping[str, Annotators]
) -> list[tuple[str, Annotators, list[LayerAgreement]]]:
    """The sources with several annotators, and how far these agree."""
    several = {key: annotators[key] for key in keys if key in annotators and len(annotators[key].texts) > 1}
    return [(key, each, agreement.by_layer(each)) for key, each in several.items()]


def shareable(statistics: Statistics) -> list[str]:
    """Keys of the sources whose rows a card may show: not those that must not be redistributed."""
    return [key for key, facts in statistics.about.items() if facts.licence != Licence.GATED]


def metadata(statistics: Statistics, title: str | None = None) -> dict:
    """The YAML block: one config per task, and `default` with all tasks."""
    rows = statistics.instructions
    about = list(statistics.about.values())
    configs = [config("default", "data/*", rows, TASKS) | {"default": True}]
    configs += [config(task, f"data/{task}", rows, (task,)) for task in rows]
    return {
        "pretty_name": title or "IEForge: instructions for information extraction",
        "language": sorted({facts.lang for facts in about}),
        **licences.hub_licence(about),
        "task_categories": ["text-generation", "token-classification"],
        "tags": ["information-extraction", "instruction-tuning", *topics(rows), "ieforge"],
        "size_categories": [size_category(figures.row_count(rows))],
        "configs": configs,
    }


def topics(tasks: Iterable[str]) -> list[str]:
    """Tags for the tasks of a corpus."""
    names = {"NER": "named-entity-recognition", "KG": "knowledge-graph"}
    names |= dict.fromkeys(("RE", "SPO"), "relation-extraction") | dict.fromkeys(
        ("EE", "EET", "EEA"), "event-extraction"
    )
    return sorted({names[task] for task in tasks})


def config(name: str, folder: str, rows: Mapping, tasks: Iterable[str]) -> dict:
    present = [split for split in SPLITS if any(rows.get(task, {}).get(split) for task in tasks)]
    return {
        "config_name": name,
        "data_files": [{"split": split, "path": f"{folder}/{split}-*.parquet"} for split in present],
    }


def size_category(rows: int) -> str:
    """The Hub's class for a number of rows."""
    return next((name for bound, name in SIZES if rows < bound), "100M<n<1B")


def lost_records(split: SplitStatistics) -> Losses:
    """Lost records and windows by reason, without the annotations of a text beside the one that was chosen."""
    return {reason: n for reason, n in split.rejected.items() if reason != Reason.NOT_CHOSEN}


def facts(statistics: Statistics) -> dict:
    """The variables of the templates: the statistics and values computed from them."""
    about = statistics.about
    splits = list(figures.all_splits(statistics))
    kept = total(LayerCounts, (split.kept for split in splits))
    hard = figures.hard_negatives(statistics)
    familiar = figures.familiarity(statistics)
    return {
        **msgspec.structs.asdict(statistics),
        "tasks": list(TASKS),
        "optional_columns": figures.optional_columns(statistics),
        "splits": SPLITS,
        "trained": next((task for task, rows in statistics.instructions.items() if rows.get("train")), None),
        "entry": next(
            (
                dataset_info.entry_name(task, split)
                for split in dataset_info.WITH_OUTPUT
                for task, rows in statistics.instructions.items()
                if rows.get(split)
            ),
            None,
        ),
        "rows": figures.row_count(statistics.instructions),
        "has_hard_negatives": any(task.instructions.with_hard_negatives for task in hard.values()),
        "by_split": {split: figures.row_count(statistics.instructions, split) for split in SPLITS},
        "languages": sorted({facts.lang for facts in about.values()}),
        "domains": figures.rows_by(statistics, "domain"),
        "by_language": figures.rows_by(statistics, "lang"),
        "read": sum(split.read.examples for split in splits),
        "windows": sum(split.windows for split in splits),
        "texts": kept.examples,
        "entities": kept.entities,
        "relations": kept.relations,
        "events": kept.events,
        "label_sets": sum(len(tasks) for tasks in statistics.labels.values()),
        "rejected": figures.by_frequency(lost_records(split) for split in splits),
        "not_chosen": sum(split.rejected.get(Reason.NOT_CHOSEN, 0) for split in splits),
        "lost_parts": figures.by_frequency(split.lost for split in splits),
        "leaked": figures.leaked(statistics),
        "cleaning": Clean(**statistics.build.settings.get("clean", {})),
        "same_text": sum(split.same_text for split in splits),
        "lost_most": figures.lost_most(statistics),
        "hard": hard,
        "covered": any(task.dictionaries and task.dictionaries.with_neighbours for task in hard.values()),
        "hidden": figures.hidden_annotations(statistics),
        "familiar": total(FamiliarityCounts, (counts for _, _, counts in familiar)),
        "unfamiliar": [(key, task, counts) for key, task, counts in familiar if counts.seen < counts.labels],
        "none_stated": licences.NONE_STATED,
        "terms": licences.by_terms(about),
        "zero_shot": [key for key, facts in about.items() if facts.held_out],
        "one_pair": [key for key, facts in about.items() if facts.one_pair],
        "short": {key: citations.short(facts.citation) for key, facts in about.items()},
        "bibtex": citations.bibtex([facts.citation for facts in about.values()] + ["gui2024iepile"]),
    }


def number(value: int | float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def percent(share: float, decimals: int = 1) -> str:
    return f"{share:.{decimals}%}"


def cell(text: str) -> str:
    """Text of the data for a table cell or a line, with all markup escaped."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\|`*_[]":
        text = text.replace(mark, f"\\{mark}")
    return text


def code(text: str) -> str:
    """A name as code, also in tables. Names with characters that backticks cannot contain are written as HTML."""
    text = " ".join(text.split())
    if not set(text) & set("`|\\"):
        return f"`{text}`"
    letters = (c if c.isalnum() or c in " -" else f"&#{ord(c)};" for c in text)
    return f"<code>{''.join(letters)}</code>"


def flag(keys: Iterable[str]) -> str:
    """Source keys as the value of `--sources` in a command."""
    return shell.quote(key_list.join(keys))


class OneLineDumper(yaml.SafeDumper):
    """Writes a text with line breaks on one line, so that it cannot end the code block around it."""


OneLineDumper.add_representer(
    str,
    lambda dumper, text: (
        dumper.represent_str(text)
        if text.isprintable()
        else dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
    ),
)


def dump(content: object) -> str:
    return yaml.dump(content, Dumper=OneLineDumper, allow_unicode=True, sort_keys=False, width=10**9)
