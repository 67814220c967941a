"""A YAML file of instruction texts (task → lang → list of texts) → the prompts that instruction rows draw from."""

from collections.abc import Iterable
from pathlib import Path

from schemas.errors import ConfigError, quoted
from schemas.example import TASKS
from transforms import yaml_values

Prompts = dict[str, dict[str, tuple[str, ...]]]

BUNDLED = Path(__file__).with_name("prompts.yaml")
LANGS = ("en", "zh")


def load(path: str | Path | None = None, tasks: Iterable[str] = TASKS, langs: Iterable[str] = LANGS) -> Prompts:
    """task → lang → texts, from the file at `path` (None: the bundled one).

    Raises ConfigError where the file cannot be read or is no such YAML, names an unknown task, or has no text for
    one of `tasks` in one of `langs`.
    """
    path = path or BUNDLED
    content = yaml_values.read(path, "--prompts takes a YAML file")
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a map task → lang → list of texts")
    unknown = [str(task) for task in content if task not in TASKS]
    if unknown:
        raise ConfigError(f"{path}: unknown task {quoted(unknown[0])}; tasks are {', '.join(TASKS)}")
    return {task: {lang: _texts(path, content, task, lang) for lang in langs} for task in tasks}


def _texts(path: str | Path, content: dict, task: str, lang: str) -> tuple[str, ...]:
    of_task = content.get(task)
    texts = of_task.get(lang) if isinstance(of_task, dict) else None
    if not texts:
        raise ConfigError(f"{path}: no prompt for task {task} in language {lang!r}; add a list of texts under it")
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ConfigError(f"{path}: {task}.{lang} must be a list of texts, none of them empty")
    return tuple(text.strip() for text in texts)
