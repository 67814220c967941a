"""Themes files: YAML → the themes, their relations with head and tail types, and the classes of all entity types.

A file of one theme:

    types: {chess player: [Q10873124]}
    themes:
      Chess:
        pages: [chess player]
        relations:
          country: {properties: [P1532, P27], head: [chess player], tail: [geographic_region]}

`types` adds entity types to the bundled ones of types.yaml, or replaces them. The value is a list of root classes: an
item has the type if one of its classes (P31) is a root, or leads to one by subclass of (P279).

`pages`: the types of the pages that belong to the theme. Where several themes fit, the first of the file applies. A
theme without `pages` is used only if it is named (`match.theme`).

A relation has these keys; only `properties`, `head` and `tail` are required:

- `properties`: `P22` is a statement of the head about the tail; `^P40` is one of the tail about the head.
- `head`, `tail`: entity types. Values have the types `time`, `measure` and `text`; a head is always an item.
- `names` and `descriptions`, by language. The name in a language without one is the relation's key.
- `aliases: true`: another name of the head in the text is a tail, too.
- `dimension`: what numbers the tail may be: `length` and the other dimensions of units.yaml, or `count` for numbers
  without a unit. Without it, any number may be one.
- `transitive: true`: of A → B, B → C and A → C in one text, A → C is dropped.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path

from schemas.errors import ConfigError, did_you_mean, quoted
from transforms import yaml_values
from transforms.knowledge.quantities import dimensions
from transforms.yaml_values import Document

BUNDLED = Path(__file__).with_name("themes.yaml")
BUNDLED_TYPES = Path(__file__).with_name("types.yaml")
VALUE_TYPES = frozenset({"time", "measure", "text"})
PROPERTY = re.compile(r"(\^?)P([1-9][0-9]{0,8})", re.ASCII)
CLASS = re.compile(r"Q([1-9][0-9]{0,17})", re.ASCII)
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]+)*", re.ASCII)

TYPE_KEYS = ("names", "classes", "of_classes")
THEME_KEYS = ("names", "pages", "relations")
RELATION_KEYS = ("names", "descriptions", "properties", "head", "tail", "dimension", "aliases", "transitive")


@dataclass(frozen=True)
class EntityType:
    """`classes`: Q numbers of the root classes; none for a type of values only. `of_classes`: whether the classes below
    them have the type, too, and not only their instances.
    """

    key: str
    names: Mapping[str, str]
    classes: tuple[int, ...]
    of_classes: bool = False

    def name(self, lang: str) -> str:
        return self.names.get(lang, self.key)


@dataclass(frozen=True)
class Relation:
    """`properties`: (P number, whether head and tail are swapped in the graph)."""

    key: str
    names: Mapping[str, str]
    descriptions: Mapping[str, str]
    properties: tuple[tuple[int, bool], ...]
    head: tuple[str, ...]
    tail: tuple[str, ...]
    dimension: str | None = None
    aliases: bool = False
    transitive: bool = False

    def name(self, lang: str) -> str:
        return self.names.get(lang, self.key)


@dataclass(frozen=True)
class Theme:
    """`types`: the types of the pages that select the theme."""

    key: str
    names: Mapping[str, str]
    types: tuple[str, ...]
    relations: tuple[Relation, ...]

    def name(self, lang: str) -> str:
        return self.names.get(lang, self.key)

    @cached_property
    def by_property(self) -> Mapping[tuple[int, bool], tuple[Relation, ...]]:
        """(P number, swapped) → the relations that it states."""
        relations: dict[tuple[int, bool], list[Relation]] = {}
        for relation in self.relations:
            for key in relation.properties:
                relations.setdefault(key, []).append(relation)
        return {key: tuple(stated) for key, stated in relations.items()}


@dataclass(frozen=True)
class Themes:
    """`themes`, `types`: by key, in the order of the file. `path`: of the file with the themes."""

    themes: Mapping[str, Theme]
    types: Mapping[str, EntityType]
    path: str = field(compare=False)

    @cached_property
    def type_classes(self) -> Mapping[str, tuple[int, ...]]:
        """Entity type → Q numbers of its root classes."""
        return {key: kind.classes for key, kind in self.types.items() if kind.classes}

    @cached_property
    def types_of_classes(self) -> tuple[str, ...]:
        """The entity types that classes may have, sorted."""
        return tuple(sorted(key for key, kind in self.types.items() if kind.of_classes))

    def properties(self) -> frozenset[int]:
        """All properties that state a relation of a theme."""
        relations = [relation for theme in self.themes.values() for relation in theme.relations]
        return frozenset(number for relation in relations for number, _ in relation.properties)


def theme_of_types(types: Iterable[str], themes: Themes) -> str | None:
    """The first theme whose pages have one of these types; None if no theme fits."""
    present = set(types)
    return next((theme.key for theme in themes.themes.values() if not present.isdisjoint(theme.types)), None)


@lru_cache(maxsize=10_000)
def fits(types: tuple[str, ...], allowed: tuple[str, ...]) -> bool:
    """Whether an item with these types may be the end of a relation. An item without types, of which the graph knows no
    class, may be any item.
    """
    return any(kind in allowed for kind in types) if types else not VALUE_TYPES.issuperset(allowed)


def load(path: str | Path | None = None) -> Themes:
    """The themes in the file at `path` (None: the bundled twelve).

    Raises ConfigError with file and line if the file cannot be read, has another structure, or names a type, property
    or class that cannot exist.
    """
    return read_themes(path) if path else bundled()


@cache
def bundled() -> Themes:
    """The bundled twelve themes, which are read once."""
    return read_themes(BUNDLED)


def read_themes(path: str | Path) -> Themes:
    """The themes in the file at `path`. Raises ConfigError as `load` does."""
    types = read_types(yaml_values.read_document(BUNDLED_TYPES, "install IEForge again"), ())
    document = yaml_values.read_document(path, "match.themes takes a YAML file of themes")
    content = mapping(document, (), ("types", "themes"))
    types |= read_types(document, ("types",)) if "types" in content else {}
    themes = {}
    for key in entries(document, ("themes",), "theme"):
        themes[key] = read_theme(document, ("themes", key), types)
    return Themes(themes, types, str(path))


def uses(path: str | Path | None, numbers: Iterable[int]) -> list[str]:
    """`file:line: property (relation)` for each place of the file of themes (as in `load`) with these properties."""
    document = yaml_values.read_document(path or BUNDLED, "match.themes takes a YAML file of themes")
    wanted, places = frozenset(numbers), []
    for theme in load(path).themes.values():
        for relation in theme.relations:
            for position, (number, _) in enumerate(relation.properties):
                if number in wanted:
                    keys = ("themes", theme.key, "relations", relation.key, "properties", position)
                    places.append(f"{document.place(keys)}: P{number} ({relation.key})")
    return places


def read_types(document: Document, keys: tuple[str, ...]) -> dict[str, EntityType]:
    types = {}
    for key in entries(document, keys, "type"):
        path = (*keys, key)
        names, path_of_classes, of_classes = {}, path, False
        if isinstance(at(document, path), dict):
            of_classes = flag(document, path, mapping(document, path, TYPE_KEYS), "of_classes")
            names, path_of_classes = texts(document, (*path, "names")), (*path, "classes")
        if key in VALUE_TYPES and document.origin != str(BUNDLED_TYPES):
            raise problem(document, path, f"{key} is the type of values; choose another name")
        classes = strings(document, path_of_classes, "classes such as Q5", required=key not in VALUE_TYPES)
        for number, name in enumerate(classes):
            if not CLASS.fullmatch(name):
                raise problem(document, (*path_of_classes, number), f"not a class such as Q5: {quoted(name)}")
        types[key] = EntityType(key, names, tuple(int(name[1:]) for name in classes), of_classes)
    return types


def read_theme(document: Document, path: tuple[str, ...], types: Mapping[str, EntityType]) -> Theme:
    mapping(document, path, THEME_KEYS)
    relations = [
        read_relation(document, (*path, "relations", key), types)
        for key in entries(document, (*path, "relations"), "relation")
    ]
    check_labels(document, path, relations)
    pages = type_names(document, (*path, "pages"), types, values=False, required=False)
    return Theme(path[-1], texts(document, (*path, "names")), pages, tuple(relations))


def check_labels(document: Document, path: tuple[str, ...], relations: Iterable[Relation]) -> None:
    """Raises ConfigError if two relations of a theme have the same label in a language."""
    relations = list(relations)
    for lang in sorted({lang for relation in relations for lang in relation.names} or {"en"}):
        labels: dict[str, str] = {}
        for relation in relations:
            first = labels.setdefault(relation.name(lang), relation.key)
            if first != relation.key:
                keys = (*path, "relations", relation.key, *(("names", lang) if lang in relation.names else ()))
                label = quoted(relation.name(lang))
                raise problem(document, keys, f"{label} is also the label of the relation {quoted(first)}; change one")


def read_relation(document: Document, path: tuple[str, ...], types: Mapping[str, EntityType]) -> Relation:
    content = mapping(document, path, RELATION_KEYS)
    flags = {name: flag(document, path, content, name) for name in ("aliases", "transitive")}
    dimension = content.get("dimension")
    if dimension is not None and dimension not in dimensions():
        known = ", ".join(sorted(dimensions()))
        raise problem(document, (*path, "dimension"), f"unknown dimension {quoted(dimension)}; dimensions are {known}")
    properties = []
    for number, name in enumerate(strings(document, (*path, "properties"), "properties such as P19")):
        match = PROPERTY.fullmatch(name)
        if not match:
            wrong = f"not a property such as P19, or ^P40 if head and tail are swapped: {quoted(name)}"
            raise problem(document, (*path, "properties", number), wrong)
        if (int(match[2]), bool(match[1])) in properties:
            raise problem(document, (*path, "properties", number), f"{name} is listed twice; remove one")
        properties.append((int(match[2]), bool(match[1])))
    head = type_names(document, (*path, "head"), types, values=False)
    tail = type_names(document, (*path, "tail"), types, values=True)
    if any(swapped for _, swapped in properties) and VALUE_TYPES.issuperset(tail):
        raise problem(document, (*path, "tail"), "a swapped property needs a tail that is an item, not a value")
    names, descriptions = (texts(document, (*path, key)) for key in ("names", "descriptions"))
    return Relation(path[-1], names, descriptions, tuple(properties), head, tail, dimension, **flags)


def flag(document: Document, path: tuple[str, ...], content: Mapping, name: str) -> bool:
    """The value of a key in the mapping at `path`; false if there is none."""
    value = content.get(name, False)
    if not isinstance(value, bool):
        raise problem(document, (*path, name), f"{name} must be true or false, not {quoted(value)}")
    return value


def type_names(
    document: Document, path: tuple[str, ...], types: Mapping[str, EntityType], values: bool, required: bool = True
) -> tuple[str, ...]:
    """The entity types in the list at `path`. `values`: whether types that only values have are allowed."""
    names = strings(document, path, "types", required)
    for number, name in enumerate(names):
        if name not in types:
            hint = did_you_mean(name, types) or f"types are {', '.join(types)}"
            raise problem(document, (*path, number), f"unknown type {quoted(name)}; {hint}")
        if not values and not types[name].classes:
            raise problem(document, (*path, number), f"{name} is a type of values; {path[-1]} takes types of items")
    return tuple(dict.fromkeys(names))


def problem(document: Document, path: tuple[str | int, ...], message: str) -> ConfigError:
    return ConfigError(f"{document.place(path)}: {message}")


def at(document: Document, path: tuple[str, ...]) -> object:
    """The value at a path; None if there is none."""
    value = document.value
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def where(path: tuple[str, ...]) -> str:
    return ".".join(path) or "the file"


def mapping(document: Document, path: tuple[str, ...], keys: tuple[str, ...]) -> dict:
    """The mapping at a path, which may have these keys only."""
    value = at(document, path)
    if not isinstance(value, dict):
        raise problem(document, path, f"{where(path)} must be a mapping of {', '.join(keys)}")
    for key in value:
        if key not in keys:
            hint = did_you_mean(str(key), keys) or f"known keys: {', '.join(keys)}"
            raise problem(document, (*path, key), f"unknown key {quoted(key)}; {hint}")
    return value


def entries(document: Document, path: tuple[str, ...], kind: str) -> list[str]:
    """The keys of a mapping that is not empty. Raises ConfigError for a key that is not a text."""
    value = at(document, path)
    if not isinstance(value, dict) or not value:
        raise problem(document, path, f"{where(path)} must be a mapping with at least one {kind}")
    for key in value:
        if not isinstance(key, str) or not key.strip():
            raise problem(document, (*path, key), f"the name of a {kind} must be a text, not {quoted(key)}")
    return list(value)


def strings(document: Document, path: tuple[str, ...], what: str, required: bool = True) -> list[str]:
    """The list of texts at a path. Not required: empty if there is none."""
    value = at(document, path)
    if value is None and not required:
        return []
    if not isinstance(value, list) or not (value or not required) or not all(isinstance(name, str) for name in value):
        state = "is missing" if value is None else "must not be empty" if value == [] else "is not a list of texts"
        raise problem(document, path, f"{where(path)} {state}; write a list of {what}")
    return value


def texts(document: Document, path: tuple[str, ...]) -> dict[str, str]:
    """Language → text; empty if there is nothing at the path."""
    value = at(document, path)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise problem(document, path, f"{where(path)} must be a mapping of languages to texts")
    for lang, text in value.items():
        if not isinstance(lang, str) or not LANGUAGE.fullmatch(lang):
            raise problem(document, (*path, lang), f"not a language code such as en: {quoted(lang)}")
        if not isinstance(text, str) or not text.strip() or len(text.splitlines()) > 1:
            raise problem(document, (*path, lang), f"{where((*path, lang))} must be one line of text")
    return {lang: text.strip() for lang, text in value.items()}
