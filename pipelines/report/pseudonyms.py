"""Pseudonyms of annotators in the report of a release: names and e-mail addresses of people are not published."""

import re
from collections.abc import Callable

from msgspec.structs import replace

from schemas.agreement import Agreement, Annotators

Rename = Callable[[str], str]


def pseudonyms(annotators: Annotators) -> dict[str, str]:
    """Annotator → pseudonym, by the number of texts: `annotator 1` has most."""
    order = sorted(annotators.texts.items(), key=lambda item: (-item[1], item[0]))
    return {name: f"annotator {number}" for number, (name, _) in enumerate(order, 1)}


def renamed(annotators: Annotators) -> Annotators:
    """`annotators` with pseudonyms, also in the names of files."""
    names, in_files = pseudonyms(annotators), rename_files(annotators)

    def pair(each: Agreement) -> Agreement:
        disagreements = tuple(
            replace(one, annotator=names[one.annotator], place=in_files(one.place)) for one in each.disagreements
        )
        return replace(each, first=names[each.first], second=names[each.second], disagreements=disagreements)

    return Annotators(
        names.get(annotators.choice, annotators.choice),
        {names[name]: texts for name, texts in annotators.texts.items()},
        tuple(map(pair, annotators.pairs)),
        annotators.pair_count,
    )


def rename_files(annotators: Annotators | None) -> Rename:
    """A function that replaces the names of files that are named after annotators, as those of doccano and INCEpTION
    are: `ada.jsonl:3` becomes `annotator 1.jsonl:3`. Without annotators, it changes nothing.
    """
    names = pseudonyms(annotators) if annotators else {}
    if not names:
        return str
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    stem = re.compile(rf"(?<![^/\s,;'\"(])({'|'.join(map(re.escape, longest_first))})(?=\.[A-Za-z]\w*\b)")
    return lambda text: stem.sub(lambda match: names[match[1]], text)
