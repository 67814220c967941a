"""Files of an annotation tool → the records that the user wants of them, as source.yaml says."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from pipelines.sources.agreement import Comparison
from pipelines.sources.annotators import choose
from pipelines.sources.source_yaml import SourceSettings
from pipelines.sources.user_forms import UserForm
from schemas.errors import BadRecord, ConfigError, SourceError, did_you_mean, quoted
from schemas.example import LAYER, RawExample
from schemas.label import UnknownLabel
from transforms.files import File

LAYERS = ("entities", "relations", "events")

Inventory = Mapping[str, Sequence[str]]
"""Layer → its labels, sorted."""


def records(
    files: Sequence[File],
    form: UserForm,
    settings: SourceSettings,
    all_files: Sequence[File],
    comparison: Comparison | None = None,
) -> Iterator[RawExample | BadRecord]:
    """The records of the files of one split, with raw labels. `all_files`: those of all splits. `comparison`: what
    compares the annotators of each text.

    Raises SourceError if the files lack the field `group_by`, a label of `complete` or `labels`, the predictions that
    are to be read, the annotations for a task of `task`, or the annotator that `annotators` names.
    """
    rows = choose(partial(read, files, form, settings), settings, form.adjacent, comparison)
    rows = check_tasks(rows, settings, partial(read, all_files, form, settings))
    if settings.predictions:
        rows = check_predictions(rows, partial(read, all_files, form, settings), settings.place("predictions"))
    if settings.labels:
        rows = check_labels(rows, partial(read, all_files, form, settings), settings)
    if settings.roles or settings.roles_by_type:
        rows = check_roles(rows, partial(read, all_files, form, settings), settings)
    if settings.complete is None:
        return rows
    labels = inventory(read(all_files, form, settings))
    check_complete(labels, settings)
    return mark_unknown(rows, settings.complete, labels)


def read(files: Iterable[File], form: UserForm, settings: SourceSettings) -> Iterator[RawExample | BadRecord]:
    """All records of the files."""
    rows = form.read(files, **options(form, settings))
    return rows if settings.group_by is None else check_groups(rows, settings)


def options(form: UserForm, settings: SourceSettings) -> dict[str, object]:
    """The options of the reader that are set. Raises ConfigError if the reader of this format does not have them."""
    given: dict[str, object] = {"group_by": settings.group_by, "predictions": settings.predictions or None}
    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        if name not in inspect.signature(form.read).parameters:
            place = settings.place(name)
            raise ConfigError(f"{place}: {name} is not possible for files in the format {form.title}; remove it")
    return given


def check_groups(rows: Iterable[RawExample | BadRecord], settings: SourceSettings) -> Iterator[RawExample | BadRecord]:
    """`rows`. Raises SourceError after them if there are texts, but none of them has the field `group_by`."""
    texts = grouped = False
    for row in rows:
        if isinstance(row, RawExample):
            texts, grouped = True, grouped or row.document is not None
        yield row
    if texts and not grouped:
        raise SourceError(
            f"{settings.place('group_by')}: group_by is {quoted(settings.group_by)}, but no record has this field; "
            "name one that it has"
        )


def check_tasks(
    rows: Iterable[RawExample | BadRecord],
    settings: SourceSettings,
    all_rows: Callable[[], Iterable[RawExample | BadRecord]],
) -> Iterator[RawExample | BadRecord]:
    """`rows`. Raises SourceError after them if some are annotated, but neither they nor `all_rows`, the records of all
    splits, are annotated for one of the tasks.
    """
    missing = {LAYER[task] for task in settings.tasks}
    annotated = False
    for row in rows:
        if missing and isinstance(row, RawExample):
            layers = [layer for layer in LAYERS if getattr(row, layer) is not None]
            annotated = annotated or bool(layers)
            missing.difference_update(layers)
        yield row
    if not annotated or not missing:
        return
    for row in all_rows():
        if isinstance(row, RawExample):
            missing = {layer for layer in missing if getattr(row, layer) is None}
    for task in settings.tasks:
        if LAYER[task] in missing:
            raise SourceError(
                f"{settings.place('task')}: task: {task} needs {LAYER[task]}, but no text is annotated with them; "
                f"remove {task}"
            )


def check_predictions(
    rows: Iterable[RawExample | BadRecord], read_all: Callable[[], Iterable[RawExample | BadRecord]], place: str
) -> Iterator[RawExample | BadRecord]:
    """`rows`, those of one split. Raises SourceError after them if no record, of all splits, has a prediction."""
    predicted = False
    for row in rows:
        predicted = predicted or has_prediction(row)
        yield row
    if not predicted and not any(map(has_prediction, read_all())):
        raise SourceError(f"{place}: predictions: no record has any; remove it to read annotations")


def has_prediction(row: RawExample | BadRecord) -> bool:
    return isinstance(row, RawExample) and (bool(row.lost) or any(getattr(row, layer) is not None for layer in LAYERS))


def check_labels(
    rows: Iterable[RawExample | BadRecord],
    read_all: Callable[[], Iterable[RawExample | BadRecord]],
    settings: SourceSettings,
) -> Iterator[RawExample | BadRecord]:
    """`rows`, those of one split. Raises SourceError after them if a label of `labels` occurs nowhere, in all splits,
    but a label with a similar name does, which `labels` does not have.

    A label that is only not used yet is no error: its description may be written before its first annotation.
    """
    missing = set(settings.labels)
    for row in rows:
        if missing and isinstance(row, RawExample):
            missing -= {item.label for layer in LAYERS for item in getattr(row, layer) or ()}
        yield row
    if not missing:
        return
    occurring = set().union(*inventory(read_all()).values())
    for label in settings.labels:
        if label not in occurring and (hint := did_you_mean(label, occurring - settings.labels.keys())):
            place = settings.place("labels", label)
            raise SourceError(f"{place}: labels: no annotation has the label {quoted(label)}; {hint}")


def check_roles(
    rows: Iterable[RawExample | BadRecord],
    read_all: Callable[[], Iterable[RawExample | BadRecord]],
    settings: SourceSettings,
) -> Iterator[RawExample | BadRecord]:
    """`rows`, those of one split. Raises SourceError after them as `check_labels` does, for the roles and event types
    of `roles`.
    """
    described: list[tuple[tuple[str, ...], str]] = [(("role",), role.name) for role in settings.roles]
    for event_type, roles in settings.roles_by_type.items():
        described += [(("event type",), event_type), *((("role", event_type), role.name) for role in roles)]
    missing = set(described)
    for row in rows:
        missing.difference_update(event_names(row))
        yield row
    if not missing:
        return
    occurring = {pair for row in read_all() for pair in event_names(row)}
    for group, name in described:
        others = {other for its_group, other in occurring.difference(described) if its_group == group}
        if (group, name) not in occurring and (hint := did_you_mean(name, others)):
            kind, *path = group
            place = settings.place("roles", *path, name)
            raise SourceError(f"{place}: roles: no annotation has the {kind} {quoted(name)}; {hint}")


def event_names(row: RawExample | BadRecord) -> Iterator[tuple[tuple[str, ...], str]]:
    """(group, name) of the event types and roles of a record. The groups are ("event type",), ("role",) for the roles
    of all events, and ("role", event type).
    """
    for event in (row.events or ()) if isinstance(row, RawExample) else ():
        event_type = event.label.strip()
        yield ("event type",), event_type
        for argument in event.arguments:
            yield ("role",), argument.role
            yield ("role", event_type), argument.role


def inventory(rows: Iterable[RawExample | BadRecord]) -> Inventory:
    """The labels of each layer, also those of lost parts."""
    layers: dict[str, set[str]] = {layer: set() for layer in LAYERS}
    for row in rows:
        if isinstance(row, RawExample):
            for layer in LAYERS:
                layers[layer].update(item.label for item in getattr(row, layer) or ())
            for unknown in (*row.unknown_labels, *(label for part in row.lost for label in part.unknown)):
                layers[unknown.layer].add(unknown.label)
    return {layer: sorted(labels) for layer, labels in layers.items()}


def check_complete(labels: Inventory, settings: SourceSettings) -> None:
    """Raises SourceError if a label of `complete` is not among `labels` or those of source.yaml."""
    known = set().union(*labels.values(), settings.labels)
    for number, label in enumerate(settings.complete or ()):
        if label not in known:
            hint = did_you_mean(label, known) or "remove it"
            place = settings.place("complete", number)
            raise SourceError(f"{place}: complete: no annotation has the label {quoted(label)}; {hint}")


def mark_unknown(
    rows: Iterable[RawExample | BadRecord], complete: Sequence[str], labels: Inventory
) -> Iterator[RawExample | BadRecord]:
    """`rows`; in each text, the labels that are neither in `complete` nor occur in the text become unknown labels."""
    known = {*complete, *(label.strip() for label in complete)}
    partial = {layer: [name for name in names if not {name, name.strip()} & known] for layer, names in labels.items()}
    for row in rows:
        if isinstance(row, RawExample):
            unknown = []
            for layer, names in partial.items():
                items = getattr(row, layer)
                if items is not None:
                    present = {item.label.strip() for item in items}
                    unknown += [UnknownLabel(layer, name) for name in names if name.strip() not in present]
            row = replace(row, unknown_labels=tuple(dict.fromkeys((*row.unknown_labels, *unknown))))
        yield row
