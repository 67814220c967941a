"""A YAML file of instruction texts → the prompts from which instruction rows draw.

The file has, by task, a list of texts for each language (form `iepile`) and, for each other form of answer, again a
list for each language: task → language → texts, task → form → language → texts. Under a task, a key with a list is a
language and a key with a mapping is a form (`nan` is the code of a language, too).
"""

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path

from schemas import language
from schemas.answer_form import DEFAULT, forms_of
from schemas.errors import ConfigError, quoted
from schemas.example import TASKS
from transforms import yaml_values
from transforms.phrasings import PHRASINGS, shown_phrasing

Prompts = dict[str, dict[str, tuple[str, ...]]]

BUNDLED = Path(__file__).with_name("prompts.yaml")
BUNDLED_LANGS = ("en", "zh")


def load(
    path: str | Path | None = None,
    tasks: Iterable[str] = TASKS,
    langs: Iterable[str] = BUNDLED_LANGS,
    form: str = DEFAULT,
) -> Prompts:
    """task → lang → texts that ask for an answer in `form`, from the file at `path` (None: the bundled file, which has
    English and Chinese). Tasks that the form does not serve are left out.

    A language that the file does not have for a task gets its English texts. Raises ConfigError if the file cannot be
    read or has another structure, contains an unknown task or form or a language that is no code, or has neither texts
    in one of `langs` nor in English for one of `tasks`.
    """
    document = _read(path) if path else _bundled()
    if not isinstance(document.value, dict):
        raise ConfigError(f"{document.place()}: expected a mapping task → language → list of texts")
    for task, value in document.value.items():
        if task not in TASKS:
            place = document.place([task])
            raise ConfigError(f"{place}: unknown task {quoted(str(task))}; tasks are {', '.join(TASKS)}")
        for key in value if isinstance(value, dict) else ():
            if isinstance(value[key], dict) and key not in forms_of(task)[1:]:
                place, forms = document.place([task, key]), ", ".join(forms_of(task)[1:]) or "no other"
                raise ConfigError(
                    f"{place}: {task} has no form {quoted(str(key))}; it has {forms}, and {DEFAULT}, whose lists of "
                    "texts are under the task itself"
                )
    keys = {task: [task] if form == DEFAULT else [task, form] for task in tasks if form in forms_of(task)}
    by_task = {task: _by_language(document, at) for task, at in keys.items()}
    return {
        task: {lang: _texts(document, keys[task], lang, by_lang) for lang in langs} for task, by_lang in by_task.items()
    }


def _read(path: str | Path) -> yaml_values.Document:
    return yaml_values.read_document(path, "--prompts takes a YAML file")


@functools.cache
def _bundled() -> yaml_values.Document:
    """The bundled file, which takes a tenth of a second to parse."""
    return _read(BUNDLED)


def _by_language(document: yaml_values.Document, keys: list[str]) -> dict[str, tuple[str, object]]:
    """Language code → key of the file below `keys`, such as `zh-Hant` for `zh`, and its value."""
    value = document.value
    for part in keys:
        value = value.get(part) if isinstance(value, dict) else None
    by_lang: dict[str, tuple[str, object]] = {}
    for key, texts in value.items() if isinstance(value, dict) else ():
        if isinstance(texts, dict) and len(keys) == 1:  # the texts of another form
            continue
        lang = language.code(str(key))
        place = document.place([*keys, key])
        if lang is None:
            raise ConfigError(f"{place}: {language.problem('the key', key)}")
        if lang in by_lang:
            raise ConfigError(f"{place}: {quoted(key)} and {quoted(by_lang[lang][0])} are one language; keep one")
        by_lang[lang] = key, texts
    return by_lang


def _texts(
    document: yaml_values.Document, keys: list[str], lang: str, by_lang: Mapping[str, tuple[str, object]]
) -> tuple[str, ...]:
    key, texts = by_lang.get(lang) or by_lang.get(language.DEFAULT) or (lang, None)
    place = document.place([*keys, key])
    if not texts:
        either = "" if lang == language.DEFAULT else f" or {language.DEFAULT!r}"
        form = "".join(f" in the form {form}" for form in keys[1:])
        raise ConfigError(
            f"{place}: no prompt for task {keys[0]}{form} in language {lang!r}{either}; add a list of texts under it"
        )
    name = ".".join([*keys, key])
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ConfigError(f"{place}: {name} must be a list of texts, none of them empty")
    for number, text in enumerate(texts):
        if "sentences" in keys and shown_phrasing(text) is None:
            raise ConfigError(
                f"{document.place([*keys, key, number])}: a text of {name} must show the sentence to write; one of "
                + "; ".join(phrasing.shown[0] for phrasing in PHRASINGS)
            )
    return tuple(text.strip() for text in texts)
