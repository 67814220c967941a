"""source.yaml: what a user says about a folder of their own data. Every key may be left out.

name: contracts
format: label_studio              # of pipelines.sources.user_forms; else recognised by looking at the files
task: [NER, RE]
lang: de
license: CC-BY-4.0
labels:                           # label in the files: word in prompts; null leaves the label out
  PER: person
  ORG: {name: organisation, description: a company or an authority, not its building}
  MISC: null
roles:                            # of all event types, or by event type in the files: role → description
  date: the day on which it happens
  sale: {buyer: who gets the goods}
complete: [PER, ORG]              # the labels that were annotated in every text; others are unknown where absent
splits: {train: "batch1/*", test: ["batch2/*"]}        # file patterns, or shares such as {train: 0.8, test: 0.2}
group_by: contract_id             # texts with the same value of this field stay in one split
annotators: majority              # or gold (the default), all, first, or the name of one annotator
min_annotators: 2                 # for majority; else more than half of those who annotated the text
predictions: true                 # read the predictions of a model instead of annotations
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from schemas import language
from schemas.errors import ConfigError, did_you_mean, quoted
from schemas.example import SPLITS, TASKS
from schemas.label import Label, Role, described_roles
from transforms import yaml_values
from transforms.files import File

FILE = "source.yaml"

TEXT = "a text (put a number in quotes)"
ROLES = "a map from roles to descriptions, or from event types to such maps"


@dataclass(frozen=True)
class SourceSettings:
    """The values of a source.yaml; None and empty values are not set.

    `labels`: label in the files → Label of the prompts; None leaves it out. `roles`: of all event types.
    `roles_by_type`: event type in the files → its roles. `patterns`: split → file patterns. `shares`: split → its share
    of the texts, 1 in all. `min_annotators`: None for more than half of them. `document`: the file, for errors that
    only its source's files reveal.
    """

    name: str | None = None
    format: str | None = None
    tasks: tuple[str, ...] = ()
    lang: str | None = None
    license: str | None = None
    labels: Mapping[str, Label | None] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()
    roles_by_type: Mapping[str, tuple[Role, ...]] = field(default_factory=dict)
    complete: tuple[str, ...] | None = None
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    group_by: str | None = None
    annotators: str = "gold"
    min_annotators: int | None = None
    predictions: bool = False
    document: yaml_values.Document = field(default=yaml_values.Document(FILE, None), compare=False, repr=False)

    def place(self, *keys: str | int) -> str:
        """`file:line` of a key, or of a part of its value."""
        return self.document.place(keys)


def read(file: File, forms: Sequence[str]) -> SourceSettings:
    """The settings of a file. `forms`: the names that `format` may have.

    Raises ConfigError with file and line for an unknown key or a wrong value, SourceError if it cannot be read.
    """
    document = yaml_values.document(file.read(), file.path)
    content = {} if document.value is None else document.value  # empty, or comments only
    if not isinstance(content, dict):
        raise ConfigError(f"{document.place()}: expected the keys {', '.join(KEYS)}")
    settings = SourceSettings(document=document)
    for key, value in content.items():
        if key not in KEYS:
            hint = did_you_mean(str(key), KEYS) or f"known keys: {', '.join(KEYS)}"
            raise ConfigError(f"{document.place([key])}: unknown key {quoted(key)}; {hint}")
        try:
            settings = KEYS[key](settings, value)
        except _Wrong as error:
            place = document.place([key, *error.keys])
            raise ConfigError(f"{place}: {key} is {quoted(value)}; it must be {error}") from error
    if settings.format and settings.format not in forms:
        hint = did_you_mean(settings.format, forms) or f"known formats: {', '.join(forms)}"
        raise ConfigError(f"{document.place(['format'])}: unknown format {quoted(settings.format)}; {hint}")
    if settings.min_annotators is not None and settings.annotators != "majority":
        raise ConfigError(f"{document.place(['min_annotators'])}: min_annotators needs annotators: majority")
    return settings


class _Wrong(Exception):
    """A value is not what it must be. `keys`: the path to the wrong part."""

    def __init__(self, expected: str, *keys: str):
        super().__init__(expected)
        self.keys = keys


def text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _Wrong(TEXT)
    return value


def lang(value: object) -> str:
    """The code in a language tag."""
    code = language.code(value) if isinstance(value, str) else None
    if code is None:
        raise _Wrong(language.expected(value))
    return code


def tasks(value: object) -> tuple[str, ...]:
    """One task or a list of tasks."""
    names = value if isinstance(value, list) else [value]
    if not names or any(name not in TASKS for name in names):
        raise _Wrong(f"one of {', '.join(TASKS)}, or a list of them")
    return tuple(dict.fromkeys(names))


def labels(value: object) -> dict[str, Label | None]:
    if not isinstance(value, dict):
        raise _Wrong("a map from labels in the files to words in prompts")
    parsed: dict[str, Label | None] = {}
    for raw, word in value.items():
        match word:
            case None:
                parsed[str(raw)] = None
            case str() if word.strip():
                parsed[str(raw)] = Label(word.strip())
            case {"name": str(name), "description": str(description), **rest} if name.strip() and not rest:
                parsed[str(raw)] = Label(name.strip(), description)
            case {"name": str(name), **rest} if name.strip() and not rest:
                parsed[str(raw)] = Label(name.strip())
            case {"description": str(description), **rest} if not rest:
                parsed[str(raw)] = Label(str(raw), description)
            case _:
                raise _Wrong("a word, null, or {name: WORD, description: TEXT}", raw)
    return parsed


def with_roles(settings: SourceSettings, value: object) -> SourceSettings:
    """Descriptions of roles, of all event types or by event type."""
    if not isinstance(value, dict):
        raise _Wrong(ROLES)
    common = {role: words for role, words in value.items() if not isinstance(words, dict)}
    by_type = {event_type: words for event_type, words in value.items() if isinstance(words, dict)}
    return replace(
        settings,
        roles=role_descriptions(common),
        roles_by_type={str(event_type): role_descriptions(words, event_type) for event_type, words in by_type.items()},
    )


def role_descriptions(value: Mapping[str, object], *keys: str) -> tuple[Role, ...]:
    """`keys`: the path to `value`."""
    descriptions: dict[str, str] = {}
    for role, words in value.items():
        if not isinstance(words, str) or not words.strip():
            raise _Wrong(ROLES, *keys, role)
        descriptions[str(role)] = words
    return described_roles(descriptions)


def names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise _Wrong("a list of labels, as in the files")
    return tuple(value)


def with_splits(settings: SourceSettings, value: object) -> SourceSettings:
    """Shares or file patterns by split."""
    if not isinstance(value, dict) or not value or any(split not in SPLITS for split in value):
        raise _Wrong(f"a map of some of {', '.join(SPLITS)} to file patterns or to shares")
    numbers = [share for share in value.values() if isinstance(share, int | float) and not isinstance(share, bool)]
    if len(numbers) == len(value):
        if min(numbers) < 0 or abs(sum(numbers) - 1) > 1e-6:
            raise _Wrong("shares that are 1 in all")
        return replace(settings, shares={split: float(value.get(split, 0)) for split in SPLITS})
    patterns = {split: tuple(each) if isinstance(each, list) else (each,) for split, each in value.items()}
    for split, each in patterns.items():
        if not each or not all(isinstance(pattern, str) and pattern for pattern in each):
            raise _Wrong("file patterns such as batch1/*, or shares such as 0.8", split)
    return replace(settings, patterns=patterns)


def count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _Wrong("a number of at least 1")
    return value


def switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("true or false")
    return value


KEYS: dict[str, Callable[[SourceSettings, object], SourceSettings]] = {
    "name": lambda settings, value: replace(settings, name=text(value)),
    "format": lambda settings, value: replace(settings, format=text(value)),
    "task": lambda settings, value: replace(settings, tasks=tasks(value)),
    "lang": lambda settings, value: replace(settings, lang=lang(value)),
    "license": lambda settings, value: replace(settings, license=text(value)),
    "labels": lambda settings, value: replace(settings, labels=labels(value)),
    "roles": with_roles,
    "complete": lambda settings, value: replace(settings, complete=names(value)),
    "splits": with_splits,
    "group_by": lambda settings, value: replace(settings, group_by=text(value)),
    "annotators": lambda settings, value: replace(settings, annotators=text(value)),
    "min_annotators": lambda settings, value: replace(settings, min_annotators=count(value)),
    "predictions": lambda settings, value: replace(settings, predictions=switch(value)),
}
"""Key of source.yaml → the settings with its value."""
