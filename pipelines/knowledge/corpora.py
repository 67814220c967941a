"""Settings and themes → the descriptions of the corpora that are exported (`knowledge.json`)."""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import PurePosixPath

from pipelines.knowledge.config import Config
from schemas.errors import ConfigError
from schemas.knowledge_corpus import Dump, EntityType, KnowledgeCorpus, RelationType
from transforms.knowledge import themes
from validation import entailment

LANGUAGES = {"en": "English", "zh": "Chinese"}
SHOWN_SETTINGS = {
    "pages": ("min_tokens", "max_tokens", "limit"),
    "link": ("mentions", "max_name_tokens"),
    "match": ("themes", "theme", "coarse_dates"),
    "export": ("alpha", "without_facts", "validation_share", "test_share"),
}
"""Section → its settings that affect the rows, but for those that are fields of KnowledgeCorpus."""

UNSAFE = re.compile(r"[^\w-]+")
"""Characters of the name of a theme that its folder does not have."""


def describe(config: Config) -> dict[str, KnowledgeCorpus]:
    """Theme → the description of its corpus. Raises ConfigError for wrong themes."""
    all_themes = themes.load(config.match.themes)
    names: dict[str, str] = {}
    for key in all_themes.themes:
        name = f"{config.lang}_{UNSAFE.sub('_', key)}"
        if name in names:
            raise ConfigError(f"the themes {names[name]!r} and {key!r} have the same folder {name}; rename one of them")
        names[name] = key
    lang, scorer = config.lang, entailment.display_name(config.score.model)
    return {
        key: KnowledgeCorpus(
            version=1,
            name=name,
            title=f"{all_themes.themes[key].name('en')}, {LANGUAGES[lang]}",
            lang=lang,
            theme=key,
            licence=config.export.licence,
            wikidata=dumps(config.wikidata),
            wikipedia=dumps(config.wikipedia),
            scorer=scorer,
            min_score=config.export.min_score,
            entity_types=tuple(EntityType(kind.key, kind.name(lang)) for kind in all_themes.types.values()),
            relations=tuple(
                RelationType(
                    relation.key,
                    relation.name(lang),
                    relation.descriptions.get(lang, ""),
                    relation.head,
                    # With several types, the same name would be no answer to the label of another type
                    ("text",) if relation.aliases else relation.tail,
                )
                for relation in all_themes.themes[key].relations
            ),
            settings=changed_settings(config),
        )
        for name, key in names.items()
        if config.match.theme in (None, key)
    }


def changed_settings(config: Config) -> dict[str, str | int | float | bool | None]:
    """`KnowledgeCorpus.settings`. A file of themes is named without its folder."""
    changed: dict[str, str | int | float | bool | None] = {"seed": config.seed}
    for section, keys in SHOWN_SETTINGS.items():
        values, defaults = getattr(config, section), Config.model_fields[section].default
        for key in keys:
            if (value := getattr(values, key)) != getattr(defaults, key):
                changed[f"{section}.{key}"] = PurePosixPath(value).name if key == "themes" else value
    return changed


DATE = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


def dumps(paths: Iterable[str]) -> tuple[Dump, ...]:
    """The names of the files, with the date in each, as in `enwiki-20240101-pages-articles.xml.bz2`; sorted."""
    return tuple(
        sorted({Dump(name, date_in(name)) for name in (PurePosixPath(path).name for path in paths)}, key=by_name)
    )


def by_name(dump: Dump) -> str:
    return dump.name


def date_in(name: str) -> str | None:
    """The first date in the name of a file, as YYYY-MM-DD."""
    for match in DATE.finditer(name):
        try:
            return date(*map(int, match.groups())).isoformat()
        except ValueError:  # digits that are no date
            continue
    return None
