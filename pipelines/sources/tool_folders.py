"""A data root → the folders and files directly below it that annotation tools exported, as Sources.

A folder directly below the root is one source, whatever folders it contains; its key is its name. Files of the root,
and folders of the root that are named after splits or after what INCEpTION exports, are one source, whose key is the
name of the root. With a source.yaml and no schema.json in the root, all folders of the root belong to this source. A
folder with a source.yaml, a schema.json or an exported corpus in it, and the folder of a built-in source, never belong
to it. The format of the files is recognised (`user_forms`), and the labels are those that the files contain.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from pipelines import sources
from pipelines.sources import Form, Source, source_yaml, tool_records
from pipelines.sources.licences import NONE_STATED, licence_class
from pipelines.sources.reading import Unforeseen, barrier
from pipelines.sources.source import SHARES
from pipelines.sources.source_files import SourceFiles, group_by_split, matches, split_in_path, split_of
from pipelines.sources.source_yaml import SourceSettings
from pipelines.sources.user_data import SCHEMA, Folder, folder_key, key_problem, path_names, source_without_files
from pipelines.sources.user_forms import FORMS, UserForm, form_named, recognise
from schemas.errors import ConfigError, SourceError, printable
from schemas.example import RawExample
from schemas.knowledge_corpus import FILE as CORPUS
from schemas.label import Label, OpenLabels, Role
from transforms.files import File, exists, is_folder, list_folders, list_raw_files
from transforms.formats.instruction_rows import DATASET_INFO
from transforms.language import guess

PROJECT_FOLDERS = frozenset({"annotation", "curation", "source"})
"""The folders of a project that INCEpTION exported."""

BRAT = "brat"

LOOKED_AT = 200
"""Files of a suffix, spread over its files, by which the format of all of them is recognised."""

TEXTS = 100
"""Texts by which the language is detected."""


NAMED = 3
"""Files named in an error."""


def sources_below(root: str, folders: Mapping[str, Sequence[File]], taken: Container[str]) -> list[Folder]:
    """The sources at or directly below `root`, sorted by key, without those of the folders `taken`.

    `folders`: as in `registry.Listing`.
    """
    untaken = [name for name in folders if name and name not in taken]
    parts = parts_of_root(folders.get("", ()), untaken, folders.__getitem__)
    groups = {name: folders[name] for name in untaken if name not in parts}
    groups[""] = files_of_root(folders.get("", ()), parts)
    located = [folder_at(root, name, files) for name, files in groups.items()]
    return sorted((folder for folder in located if folder), key=lambda folder: folder.key)


def source_at(root: str, key: str) -> Source | None:
    """The source that `sources_below` returns for `key`; None if there is none. Raises SourceError if it has a
    problem.
    """
    for directory in (key, ""):
        if key != folder_key(root, directory):
            continue
        files = root_files(root) if not directory else raw_files(root, directory)
        folder = folder_at(root, directory, files)
        if folder and folder.problem:
            raise SourceError(f"{key}: {folder.problem}")
        if folder:
            return folder.source
    return None


def raw_files(root: str, directory: str) -> list[File]:
    path = f"{root}/{directory}"
    return list_raw_files(path, within=[root, path])[0] if is_folder(path) else []


def root_files(root: str) -> list[File]:
    """The files of the source that the root is. The root may be a single file; an `.ann` comes with its `.txt`."""
    if not is_folder(root):
        stem, _, suffix = root.rpartition(".")
        text = f"{stem}.txt"
        paths = [root, text] if suffix.lower() == "ann" and exists(text) else [root]
        return [File(path, path.rpartition("/")[2]) for path in paths]
    files, _ = list_raw_files(root, recursive=False, within=[root])
    return files_of_root(files, parts_of_root(files, list_folders(root), partial(raw_files, root)))


def files_of_root(files: Sequence[File], parts: Mapping[str, Sequence[File]]) -> list[File]:
    return [*files, *(File(file.path, f"{name}/{file.name}") for name, each in parts.items() for file in each)]


def parts_of_root(
    files: Sequence[File], folders: Iterable[str], files_in: Callable[[str], Sequence[File]]
) -> dict[str, Sequence[File]]:
    """The folders of the root that belong to the source that the root is → their files, with names relative to them.

    `files`: those of the root itself. `files_in`: the files of a folder.
    """
    names = {file.name for file in files}
    takes_all = source_yaml.FILE in names and SCHEMA not in names
    built_in = {sources.folder(key) for key in sources.keys()}
    named = (name for name in folders if takes_all or split_in_path(name) is not None or name in PROJECT_FOLDERS)
    parts = {name: files_in(name) for name in named if name not in built_in}
    return {name: each for name, each in parts.items() if not any(is_mark_of_source(file.name) for file in each)}


def is_mark_of_source(name: str) -> bool:
    """Whether a file makes the folder that it is in a source, or a folder of sources. `name`: relative to the folder.

    A source.yaml counts only directly in it: tools' exports below a folder are one source.
    """
    return name == source_yaml.FILE or name.rpartition("/")[2] in (SCHEMA, CORPUS)


def folder_at(data_root: str, directory: str, files: Sequence[File]) -> Folder | None:
    """The source of the folder `directory` ("" for the root), which contains `files`, with names relative to it.

    None if no file is in a known format. A wrong source.yaml is the folder's `problem`, also if no file has a suffix of
    its format, or no file matches one of its patterns.
    """
    key = folder_key(data_root, directory)
    settings_file = next((file for file in files if file.name == source_yaml.FILE), None)
    settings, problem, trace = SourceSettings(), "", ""
    source = source_without_files(path_names(data_root, directory)[-1])
    taken: tuple[UserForm, list[File], list[File], list[File]] | None = None
    try:
        with barrier():
            if settings_file:
                settings = source_yaml.read(settings_file, tuple(form.name for form in FORMS))
            taken = choose_form(files, settings.format)
            if taken is None and settings.format is None:
                return None
            if taken is None:
                raise ConfigError(without_format(settings, files))
            form, form_files, companions, _ = taken
            check_patterns(settings, [*form_files, *companions])
            source = as_source(path_names(data_root, directory)[-1], form, [*form_files, *companions], settings)
    except Unforeseen as error:
        problem, trace = str(error), error.trace
    except (ConfigError, SourceError) as error:
        problem = str(error)
    if taken is None:
        taken = (FORMS[0], [file for file in files if file is not settings_file], [], [])
    form, *grouped_files = taken
    form_files, companions, _ = grouped_files
    grouped = group(source_form(form, settings, [*form_files, *companions]), settings, *grouped_files)
    settings_files = (settings_file,) if settings_file else ()
    return Folder(key, source, grouped, key_problem(key) or problem, True, settings_files, trace)


def without_format(settings: SourceSettings, files: Sequence[File]) -> str:
    """The problem that none of the files has a suffix of the format in source.yaml."""
    form = form_named(settings.format or "")
    looks = ((file, recognise(file)[:1]) for file in files if file.name != source_yaml.FILE)
    hint = next(
        (f"; {file.name} looks like {each.title} (format: {each.name})" for file, forms in looks for each in forms), ""
    )
    suffixes = " or ".join(form.suffixes)
    return f"{settings.place('format')}: format is {form.name}, but no file ends with {suffixes}{hint}"


def check_patterns(settings: SourceSettings, files: Sequence[File]) -> None:
    """Raises ConfigError if a file pattern of `splits` matches none of the files, or a file fits two splits."""
    for split, each in settings.patterns.items():
        for pattern in each:
            if not any(matches(file.name, (pattern,)) for file in files):
                names = [file.name for file in files[:NAMED]]
                more = f" and {len(files) - NAMED:,} more" if len(files) > NAMED else ""
                where = settings.place("splits", split)
                raise ConfigError(f"{where}: splits: no file matches {pattern!r}; there is {', '.join(names)}{more}")
    for file in files if len(settings.patterns) > 1 else ():
        splits = [split for split, each in settings.patterns.items() if matches(file.name, each)]
        if len(splits) > 1:
            raise ConfigError(
                f"{settings.place('splits')}: splits: {printable(file.name)} fits the patterns of {splits[0]} and "
                f"{splits[1]}; change one of them"
            )


def choose_form(files: Sequence[File], name: str | None) -> tuple[UserForm, list[File], list[File], list[File]] | None:
    """The format of most of `files`, its files, their companions, and the files in other formats.

    Plain text is taken only if no file is in a format with annotations. `name`: the format that the user names. None if
    no file is in a known format.
    """
    by_form: dict[str, list[File]] = {}
    for suffix, group in by_suffix(files).items():
        for form_name, form_files in recognised(group, suffix, name).items():
            by_form.setdefault(form_name, []).extend(form_files)
    if BRAT in by_form:
        by_form = with_pairs_of_brat(by_form, files)
    if not by_form:
        return None
    order = [form.name for form in FORMS]
    rank = {each: (bool(form_named(each).layers), len(group), -order.index(each)) for each, group in by_form.items()}
    chosen = form_named(max(rank, key=rank.__getitem__))
    form_files = by_form.pop(chosen.name)
    known = {file.path for file in form_files}
    companions = [f for f in files if f.path not in known and f.name.lower().endswith(chosen.companions)]
    known |= {file.path for file in companions}
    other = [file for each in by_form.values() for file in each if file.path not in known]
    return chosen, form_files, companions, other


def with_pairs_of_brat(by_form: Mapping[str, Sequence[File]], files: Sequence[File]) -> dict[str, list[File]]:
    """`by_form`, where `X.ann` and `X.txt` are brat's, whatever each of them looks like: an `.ann` with nothing but
    broken lines becomes a reject, and a text is in no other format.
    """
    stems: dict[str, dict[str, File]] = {}
    for file in files:
        stem, _, suffix = file.name.rpartition(".")
        if suffix.lower() in ("ann", "txt"):
            stems.setdefault(stem, {})[suffix.lower()] = file
    pairs = [pair for pair in stems.values() if len(pair) == 2]
    texts = {pair["txt"].path for pair in pairs}
    kept = {name: [file for file in group if file.path not in texts] for name, group in by_form.items()}
    annotated = {file.path: file for file in (*kept[BRAT], *(pair["ann"] for pair in pairs))}
    kept[BRAT] = [file for file in files if file.path in annotated]
    return {name: group for name, group in kept.items() if group}


def by_suffix(files: Iterable[File]) -> dict[str, list[File]]:
    groups: dict[str, list[File]] = {}
    for file in files:
        if file.name != source_yaml.FILE and file.name.rpartition("/")[2] != DATASET_INFO:
            groups.setdefault(f".{file.name.rpartition('.')[2].lower()}", []).append(file)
    return groups


def recognised(files: Sequence[File], suffix: str, name: str | None) -> dict[str, list[File]]:
    """Format → those of `files`, which have this suffix, that are in it."""
    if name is not None:
        form = form_named(name)
        return {name: list(files)} if suffix in form.suffixes else {}
    if not any(suffix in form.suffixes for form in FORMS):
        return {}
    step = -(-len(files) // LOOKED_AT)
    seen = {file.path: recognise(file)[:1] for file in files[::step]}
    most = Counter(form.name for forms in seen.values() for form in forms).most_common(1)
    rest = [form_named(each) for each, _ in most]
    by_form: dict[str, list[File]] = {}
    for file in files:
        for form in seen.get(file.path, rest):
            by_form.setdefault(form.name, []).append(file)
    return by_form


def patterns(settings: SourceSettings) -> dict[str, str]:
    """File pattern → split."""
    return {pattern: split for split, each in settings.patterns.items() for pattern in each}


def source_form(form: UserForm, settings: SourceSettings, files: Sequence[File]) -> Form:
    """The form of a Source whose files, of all splits, are `files`."""
    read = partial(tool_records.records, form=form, settings=settings, all_files=files)
    return Form(read, ("*",), splits=patterns(settings), user_form=form.name, is_guess=settings.format is None)


def group(
    form: Form, settings: SourceSettings, files: Sequence[File], companions: Sequence[File], other: list[File]
) -> SourceFiles:
    """The files by split. With shares of the splits, all of them are split by a hash, and also without file patterns
    unless each name contains a split: a few names may contain such a word by chance. A companion without a split, such
    as a type system, is in every split.
    """
    splits, _, unassigned = group_by_split(form, files)
    if settings.shares or (not form.splits and unassigned):
        splits, unassigned = {"all": list(files)}, []
    for file in companions:
        split = split_of(form, file)
        for name in [split] if split in splits else splits:
            splits[name].append(file)
    return SourceFiles(form, splits, other, unassigned)


def event_labels(settings: SourceSettings) -> dict[str, Label | None]:
    """The labels of source.yaml, and the event types of its `roles`. Event types with one word share their roles."""
    labels = {raw: Label(raw.strip()) for raw in settings.roles_by_type} | dict(settings.labels)
    roles: dict[str, tuple[Role, ...]] = {}
    for raw, described in settings.roles_by_type.items():
        if label := labels[raw]:
            roles[label.name] = (*roles.get(label.name, ()), *described)
    return {raw: label and replace(label, roles=roles.get(label.name, ())) for raw, label in labels.items()}


def as_source(name: str, form: UserForm, files: Sequence[File], settings: SourceSettings) -> Source:
    """The Source of files in a tool's format. Its tasks are those of the layers that the format can annotate."""
    texts = islice((row.text for row in form.read(files) if isinstance(row, RawExample)), TEXTS)
    tool_records.options(form, settings)  # fails before the build if the format does not have them
    lang, is_sure = (settings.lang, True) if settings.lang else guess("\n".join(texts))
    layer_tasks = {"entities": ("NER",), "relations": ("RE",), "events": ("EE", "EET", "EEA")}
    tasks = settings.tasks or tuple(task for layer in form.layers for task in layer_tasks[layer])
    title = settings.name or name
    return Source(
        name=title,
        title=title,
        tasks=tasks,
        lang=lang,
        lang_is_guess=not is_sure,
        domain="",
        licence=licence_class(settings.license or ""),
        licence_text=settings.license or NONE_STATED,
        homepage="",
        get="files of the user",
        citation="",
        forms=(source_form(form, settings, files),),
        shares=settings.shares or SHARES,
        entity_labels=OpenLabels(settings.labels),
        relation_labels=OpenLabels(settings.labels),
        event_labels=OpenLabels(event_labels(settings)),
        roles=settings.roles,
    )
