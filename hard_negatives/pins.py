"""A user's pairs (pinned, forbidden) and a dictionary → the dictionary with these neighbours in it and out of it."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from schemas.errors import ConfigError
from schemas.label import LabelSet

Pairs = Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]
"""Task → source (key or published name) → label → labels."""

EVENT_TASKS = ("EE", "EET", "EEA")
"""They share one dictionary, so pairs for one are pairs for all."""


def pairs_for(pairs: Pairs, label_set: LabelSet, setting: str) -> dict[str, list[str]]:
    """Label → the labels paired with it, for one label set. `setting` is what errors name.

    Raises ConfigError where a label is not in the set, or is paired with itself.
    """
    tasks = EVENT_TASKS if label_set.task in EVENT_TASKS else (label_set.task,)
    known = dict.fromkeys(label.name for label in label_set.labels)
    found: dict[str, list[str]] = {}
    for task in tasks:
        for source, given in pairs.get(task, {}).items():
            if source not in (label_set.key, label_set.source):
                continue
            for label, others in given.items():
                where = f"{setting}.{task}.{source}"
                for name in (label, *others):
                    check_known(name, known, where)
                if label in others:
                    raise ConfigError(f"{where}: {label!r} is paired with itself; take it out of its list")
                listed = found.setdefault(label, [])
                listed.extend(other for other in others if other not in listed)
    return found


def check_known(name: str, known: Collection[str], where: str) -> None:
    if name not in known:
        near = ", ".join(difflib.get_close_matches(name, known, 3)) or ", ".join(sorted(known)[:10])
        raise ConfigError(f"{where}: no label is called {name!r}; did you mean: {near}?")


def amended(
    dictionary: Dictionary,
    pin: Mapping[str, Sequence[str]],
    forbid: Mapping[str, Sequence[str]],
    max_neighbours: int | None,
) -> Dictionary:
    """Pinned labels are neighbours and stand first, with no score; forbidden ones are none, and the next ones in rank
    do not move up. Pins push out the last of more than `max_neighbours` (None: any number).

    Raises ConfigError where a pair is both, or more than `max_neighbours` are pinned to one label.
    """
    labels = dict(dictionary.labels)
    for label in sorted({*pin, *forbid}):
        pinned, forbidden = pin.get(label, ()), forbid.get(label, ())
        both = sorted(set(pinned) & set(forbidden))
        if both:
            raise ConfigError(f"mine.pin and mine.forbid both hold {label!r}: {both[0]!r}; take it out of one")
        if max_neighbours is not None and len(pinned) > max_neighbours:
            raise ConfigError(f"mine.pin: {len(pinned)} labels for {label!r}, but mine.max_neighbours={max_neighbours}")
        ranking = labels.get(label, Ranking(()))
        out = {*pinned, *forbidden}
        kept = [neighbour for neighbour in ranking.neighbours if neighbour.label not in out]
        room = len(kept) if max_neighbours is None else max_neighbours - len(pinned)
        below = tuple(neighbour for neighbour in ranking.below_cut if neighbour.label not in out)
        pins = [Neighbour(other) for other in pinned]
        labels[label] = Ranking((*pins, *kept[:room]), (*kept[room:], *below))
    return replace(dictionary, labels=labels)
