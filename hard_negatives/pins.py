"""Applies a user's pinned and forbidden pairs of labels to a hard-negative dictionary."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from schemas.errors import ConfigError, names_hint
from schemas.label import LabelSet

Pairs = Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]
"""Task → source (key or published name) → label → labels."""

EVENT_TASKS = ("EE", "EET", "EEA")
"""These tasks share one dictionary, so pairs for one of them apply to all."""


def pairs_for(pairs: Pairs, label_set: LabelSet, setting: str) -> dict[str, list[str]]:
    """Label → the labels paired with it, for one label set. `setting` names the setting in errors.

    Raises ConfigError if a label is not in the set or is paired with itself.
    """
    tasks = EVENT_TASKS if label_set.task in EVENT_TASKS else (label_set.task,)
    known = dict.fromkeys(label.name for label in label_set.labels)
    paired: dict[str, list[str]] = {}
    for task in tasks:
        for source, pairs_of_source in pairs.get(task, {}).items():
            if source not in (label_set.key, label_set.source):
                continue
            for label, others in pairs_of_source.items():
                where = f"{setting}.{task}.{source}"
                for name in (label, *others):
                    check_label(name, known, where)
                if label in others:
                    raise ConfigError(f"{where}: {label!r} is paired with itself; remove it from its list")
                merged = paired.setdefault(label, [])
                merged.extend(other for other in others if other not in merged)
    return paired


def check_label(name: str, known: Collection[str], where: str) -> None:
    """Raises ConfigError if `name` is not one of the known labels."""
    if name not in known:
        raise ConfigError(f"{where}: no label is called {name!r}; {names_hint(name, known)}")


def apply_pins(
    dictionary: Dictionary,
    pin: Mapping[str, Sequence[str]],
    forbid: Mapping[str, Sequence[str]],
    max_neighbours: int | None,
) -> Dictionary:
    """The dictionary with pinned labels as first neighbours, without scores, and without forbidden neighbours.

    Labels below the cut-off do not replace forbidden ones. If pins lead to more than `max_neighbours` (None: no limit),
    the last neighbours move below the cut-off. Raises ConfigError if a pair is both pinned and forbidden, or if more
    than `max_neighbours` are pinned to one label.
    """
    labels = dict(dictionary.labels)
    for label in sorted({*pin, *forbid}):
        pinned, forbidden = pin.get(label, ()), forbid.get(label, ())
        both = sorted(set(pinned) & set(forbidden))
        if both:
            raise ConfigError(f"mine.pin and mine.forbid both contain {label!r}: {both[0]!r}; remove it from one")
        if max_neighbours is not None and len(pinned) > max_neighbours:
            raise ConfigError(f"mine.pin: {len(pinned)} labels for {label!r}, but mine.max_neighbours={max_neighbours}")
        ranking = labels.get(label, Ranking(()))
        excluded = {*pinned, *forbidden}
        kept = [neighbour for neighbour in ranking.neighbours if neighbour.label not in excluded]
        room = len(kept) if max_neighbours is None else max_neighbours - len(pinned)
        below = tuple(neighbour for neighbour in ranking.below_cut if neighbour.label not in excluded)
        pins = [Neighbour(other) for other in pinned]
        labels[label] = Ranking((*pins, *kept[:room]), (*kept[room:], *below))
    return replace(dictionary, labels=labels)
