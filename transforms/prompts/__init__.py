"""A YAML file of instruction texts (task → lang → list of texts) → the prompts from which instruction rows draw."""

from collections.abc import Iterable
from pathlib import Path

from schemas.errors import ConfigError, quoted
from schemas.example import TASKS
from transforms import yaml_values

Prompts = dict[str, dict[str, tuple[str, ...]]]

BUNDLED = Path(__file__).with_name("prompts.yaml")
LANGS = ("en", "zh")


def load(path: str | Path | None = None, tasks: Iterable[str] = TASKS, langs: Iterable[str] = LANGS) -> Prompts:
    """task → lang → texts, from the file at `path` (None: the bundled file).

    Raises ConfigError if the file cannot be read or has another structure, contains an unknown task, or has no text for
    one of `tasks` in one of `langs`.
    """
    path = path or BUNDLED
    document = yaml_values.read_document(path, "--prompts takes a YAML file")
    if not isinstance(document.value, dict):
        raise ConfigError(f"{document.place()}: expected a mapping task → language → list of texts")
    for task in document.value:
        if task not in TASKS:
            place = document.place([task])
            raise ConfigError(f"{place}: unknown task {quoted(str(task))}; tasks are {', '.join(TASKS)}")
    return {task: {lang: _texts(document, task, lang) for lang in langs} for task in tasks}


def _texts(document: yaml_values.Document, task: str, lang: str) -> tuple[str, ...]:
    by_lang = document.value.get(task)
    texts = by_lang.get(lang) if isinstance(by_lang, dict) else None
    place = document.place([task, lang])
    if not texts:
        raise ConfigError(f"{place}: no prompt for task {task} in language {lang!r}; add a list of texts under it")
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ConfigError(f"{place}: {task}.{lang} must be a list of texts, none of them empty")
    return tuple(text.strip() for text in texts)
