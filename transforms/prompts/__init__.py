"""A YAML file of instruction texts (task → lang → list of texts) → the prompts from which instruction rows draw."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from schemas import language
from schemas.errors import ConfigError, quoted
from schemas.example import TASKS
from transforms import yaml_values

Prompts = dict[str, dict[str, tuple[str, ...]]]

BUNDLED = Path(__file__).with_name("prompts.yaml")
BUNDLED_LANGS = ("en", "zh")


def load(path: str | Path | None = None, tasks: Iterable[str] = TASKS, langs: Iterable[str] = BUNDLED_LANGS) -> Prompts:
    """task → lang → texts, from the file at `path` (None: the bundled file, which has English and Chinese).

    A language that the file does not have for a task gets its English texts. Raises ConfigError if the file cannot be
    read or has another structure, contains an unknown task or a language that is no code, or has neither texts in one
    of `langs` nor in English for one of `tasks`.
    """
    path = path or BUNDLED
    document = yaml_values.read_document(path, "--prompts takes a YAML file")
    if not isinstance(document.value, dict):
        raise ConfigError(f"{document.place()}: expected a mapping task → language → list of texts")
    for task in document.value:
        if task not in TASKS:
            place = document.place([task])
            raise ConfigError(f"{place}: unknown task {quoted(str(task))}; tasks are {', '.join(TASKS)}")
    by_task = {task: _by_language(document, task, document.value.get(task)) for task in tasks}
    return {task: {lang: _texts(document, task, lang, by_lang) for lang in langs} for task, by_lang in by_task.items()}


def _by_language(document: yaml_values.Document, task: str, value: object) -> dict[str, tuple[str, object]]:
    """Language code → key of the file, such as `zh-Hant` for `zh`, and its value."""
    by_lang: dict[str, tuple[str, object]] = {}
    for key, texts in value.items() if isinstance(value, dict) else ():
        lang = language.code(str(key))
        place = document.place([task, key])
        if lang is None:
            raise ConfigError(f"{place}: {language.problem('the key', key)}")
        if lang in by_lang:
            raise ConfigError(f"{place}: {quoted(key)} and {quoted(by_lang[lang][0])} are one language; keep one")
        by_lang[lang] = key, texts
    return by_lang


def _texts(
    document: yaml_values.Document, task: str, lang: str, by_lang: Mapping[str, tuple[str, object]]
) -> tuple[str, ...]:
    key, texts = by_lang.get(lang) or by_lang.get(language.DEFAULT) or (lang, None)
    place = document.place([task, key])
    if not texts:
        either = "" if lang == language.DEFAULT else f" or {language.DEFAULT!r}"
        raise ConfigError(
            f"{place}: no prompt for task {task} in language {lang!r}{either}; add a list of texts under it"
        )
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ConfigError(f"{place}: {task}.{key} must be a list of texts, none of them empty")
    return tuple(text.strip() for text in texts)
