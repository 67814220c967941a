"""A data root → the folders at or below it that `pipelines.knowledge` exported, as Sources.

Such a folder contains knowledge.json and any of train.jsonl, validation.jsonl and test.jsonl. Its key is its path below
the data root; the key of the root is its name.
"""

import json
import re
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import product

import msgspec

from pipelines.sources import Form, Source
from pipelines.sources.licences import licence_class
from pipelines.sources.reading import Unforeseen, barrier
from pipelines.sources.source_files import find
from pipelines.sources.user_data import Folder, folder_key, key_problem, path_names, source_without_files
from schemas import json_values
from schemas.errors import ConfigError, SourceError
from schemas.example import SPLITS
from schemas.knowledge_corpus import FILE, TASKS, Dump, EntityType, KnowledgeCorpus
from schemas.label import Label, described_roles, typed_label
from transforms import yaml_values
from transforms.files import File, exists, list_raw_files
from transforms.formats import knowledge

DATA_FILES = tuple(f"{split}.jsonl" for split in SPLITS)
NAMES = frozenset((FILE, *DATA_FILES))
"""The names of all files of such a folder."""

MANIFEST = "manifest.json"
"""The manifest of the stage that exports, beside the folders."""

REMEDY = "export the corpus again with python -m pipelines.knowledge"


def sources_below(data_root: str, listed_files: Sequence[File]) -> list[Folder]:
    """The exported folders at or below `data_root`, sorted by key. `listed_files`: the files of
    `list_files(data_root)`, at least those with a name in NAMES. A broken knowledge.json is the folder's `problem`.
    """
    directories: dict[str, list[File]] = {}
    for file in listed_files:
        directory, _, name = file.name.rpartition("/")
        if name in NAMES:
            directories.setdefault(directory, []).append(File(file.path, name))
    folders = (folder(data_root, directory, files) for directory, files in sorted(directories.items()))
    return [folder for folder in folders if folder]


def source_at(data_root: str, key: str) -> Source | None:
    """The source that `sources_below` returns for `key`; None if there is none. Raises SourceError if it has a
    problem.
    """
    for directory, path in ((key, f"{data_root}/{key}"), ("", data_root)):
        if key == folder_key(data_root, directory) and exists(f"{path}/{FILE}"):
            within = [data_root, f"{data_root}/{directory.partition('/')[0]}"]
            raw_files, _ = list_raw_files(path, recursive=False, within=within)
            exported = folder(data_root, directory, [file for file in raw_files if file.name in NAMES])
            if exported and exported.problem:
                raise SourceError(f"{key}: {exported.problem}")
            if exported:
                return exported.source
    return None


def folder(data_root: str, directory: str, files: Sequence[File]) -> Folder | None:
    """The folder with these files; None if it has no knowledge.json or no rows. A problem is kept in the result."""
    about = next((file for file in files if file.name == FILE), None)
    data_files = [file for file in files if file.name in DATA_FILES]
    if about is None or not data_files:
        return None
    key = folder_key(data_root, directory)
    problem = trace = ""
    source = source_without_files(path_names(data_root, directory)[-1])
    try:
        with barrier():
            source = as_source(read_description(about))
    except Unforeseen as error:
        problem, trace = str(error), error.trace
    except SourceError as error:
        problem = str(error)
    grouped = find(source, data_files)
    if grouped is None:
        return None
    return Folder(key, source, grouped, key_problem(key) or problem, True, (about,), trace)


def read_description(file: File) -> KnowledgeCorpus:
    """Raises SourceError, with file and line, for a file that is not a valid description."""
    content = file.read()
    try:
        corpus = msgspec.json.decode(content, type=KnowledgeCorpus)
    except msgspec.ValidationError as error:
        difference = json_values.difference(error)
        keys = [int(key) if key.isdecimal() else key for key in KEY.findall(difference.partition(" ")[0])]
        raise SourceError(
            f"{place(file, content, keys)}: made by another version of IEForge, or damaged ({difference}); {REMEDY}"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        at = AT_BYTE.search(str(error))
        line = content.count(b"\n", 0, int(at[1]) if at else len(content)) + 1
        raise SourceError(f"{file.name}:{line}: invalid JSON ({error}); {REMEDY}") from error
    types = {kind.key for kind in corpus.entity_types}
    for number, relation in enumerate(corpus.relations):
        for end in ("head_types", "tail_types"):
            for position, kind in enumerate(getattr(relation, end)):
                if kind not in types:
                    wrong = place(file, content, ["relations", number, end, position])
                    raise SourceError(f"{wrong}: {kind!r} of the relation {relation.key!r} is no entity type; {REMEDY}")
    for part, items in (("entity_types", corpus.entity_types), ("relations", corpus.relations)):
        for field in ("key", "name"):
            values: set[str] = set()
            for number, item in enumerate(items):
                value = getattr(item, field)
                if value in values:
                    wrong = place(file, content, [part, number, field])
                    raise SourceError(f"{wrong}: two of the {part} have the {field} {value!r}; {REMEDY}")
                values.add(value)
    return corpus


KEY = re.compile(r"\w+")
AT_BYTE = re.compile(r"byte (\d+)")


def place(file: File, content: bytes, keys: Sequence[str | int]) -> str:
    """`file:line` of a value in the JSON `content`, which is also YAML, or of the innermost part around it."""
    try:
        return yaml_values.document(content, file.name).place(keys)
    except ConfigError:  # JSON that is not YAML, such as one with tabs
        return f"{file.name}:1"


def as_source(corpus: KnowledgeCorpus) -> Source:
    return Source(
        name=corpus.name,
        title=title(corpus),
        tasks=TASKS,
        lang=corpus.lang,
        domain=corpus.theme,
        theme=corpus.theme,
        licence=licence_class(corpus.licence),
        licence_text=f"{corpus.licence} (texts); CC0-1.0 (facts)",
        homepage="",
        get="export of python -m pipelines.knowledge",
        citation="gui2023instructie",
        forms=(Form(partial(knowledge.read, relations=corpus.relations), include=DATA_FILES, exclude=("*/*",)),),
        entity_labels={kind.key: Label(kind.name, kind.description) for kind in corpus.entity_types},
        relation_labels={relation.key: Label(relation.name, relation.description) for relation in corpus.relations},
        typed_labels=tuple(typed_labels(corpus)),
        graph_labels=tuple(graph_labels(corpus)),
    )


def title(corpus: KnowledgeCorpus) -> str:
    """The title with what the corpus was made from, for the dataset card."""
    scores = "the built-in lexical score" if corpus.scorer == "lexical" else corpus.scorer
    settings = "".join(f", {key} {json.dumps(value)}" for key, value in corpus.settings.items())
    return (
        f"{corpus.title}: texts of {named(corpus.wikipedia)}, facts of {named(corpus.wikidata)}, "
        f"scored by {scores}, at least {corpus.min_score:g}{settings}"
    )


def named(dumps: Iterable[Dump]) -> str:
    """The files with their dates. Of many files with the same date, such as the parts of a dump, only the first is
    named; knowledge.json has them all.
    """
    names_by_date: dict[str | None, list[str]] = {}
    for dump in dumps:
        names_by_date.setdefault(dump.date, []).append(dump.name)
    return ", ".join(
        (" and ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} other files")
        + (f" of {date}" if date else " (undated)")
        for date, names in names_by_date.items()
    )


def typed_labels(corpus: KnowledgeCorpus) -> Iterable[Label]:
    """The SPO labels: each relation with each pair of types of its ends."""
    names = type_names(corpus.entity_types)
    for relation in corpus.relations:
        for head, tail in product(relation.head_types, relation.tail_types):
            label = typed_label(names[head], relation.name, names[tail])
            yield Label(label.name, relation.description, (), names[head], relation.name, names[tail])


def graph_labels(corpus: KnowledgeCorpus) -> Iterable[Label]:
    """The KG labels: each type that is the head of a relation, with these relations as attributes."""
    for kind in corpus.entity_types:
        relations = [relation for relation in corpus.relations if kind.key in relation.head_types]
        attributes = described_roles({relation.name: relation.description for relation in relations})
        if attributes:
            yield Label(kind.name, kind.description, attributes)


def type_names(types: Iterable[EntityType]) -> dict[str, str]:
    return {kind.key: kind.name for kind in types}
