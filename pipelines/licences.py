"""Licence classes and texts of sources → identifiers of the Hub, and what binds a corpus of all of them.

A reading of what the authors state, for people to check; no legal advice.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from pipelines.sources import Licence

NAMED = r"(?:CC[ -]BY(?:-NC)?(?:-SA|-ND)?[ -]\d\.\d|CC0[ -]1\.0|Apache-2\.0|MIT|ODC-BY|PDDL)"
"""Names in a source's licence text that, in small letters and with hyphens, are identifiers on the Hub."""


class Terms(StrEnum):
    """What a source asks of whoever passes it on, from the strictest to the least."""

    FORBIDDEN = "forbidden"
    UNSTATED = "unstated"
    NON_COMMERCIAL_SHARE_ALIKE = "non_commercial_share_alike"
    NON_COMMERCIAL = "non_commercial"
    SHARE_ALIKE = "share_alike"
    ATTRIBUTION = "attribution"
    AS_STATED = "as_stated"


def identifiers(about: Mapping) -> list[str]:
    """The Hub's identifiers of one source's licences: what its text names where it is open, `other` where it names
    none or forbids, `unknown` where nothing clear is stated. `about`: `licence` and `licence_text`.
    """
    if about["licence"] == Licence.ASK:
        return ["unknown"]
    names = re.findall(NAMED, about["licence_text"], re.IGNORECASE) if about["licence"] == Licence.OPEN else []
    return sorted({name.lower().replace(" ", "-") for name in names}) or ["other"]


def terms(about: Mapping) -> Terms:
    """The strictest terms among those that one source's licence text names."""
    if about["licence"] != Licence.OPEN:
        return Terms.FORBIDDEN if about["licence"] == Licence.GATED else Terms.UNSTATED
    text = about["licence_text"].upper()
    if "BY-NC-SA" in text:
        return Terms.NON_COMMERCIAL_SHARE_ALIKE
    if "BY-NC" in text:
        return Terms.NON_COMMERCIAL
    if "BY-SA" in text:
        return Terms.SHARE_ALIKE
    named = identifiers(about)
    return Terms.AS_STATED if named in (["other"], ["cc0-1.0"], ["pddl"]) else Terms.ATTRIBUTION


def by_terms(about: Mapping[str, Mapping]) -> dict[Terms, list[str]]:
    """Terms → keys of the sources under them, the strictest first: those bind the whole. `about`: key → facts."""
    found: dict[Terms, list[str]] = {}
    for key, facts in about.items():
        found.setdefault(terms(facts), []).append(key)
    return {kind: found[kind] for kind in Terms if kind in found}


def hub_identifiers(about: Iterable[Mapping]) -> list[str]:
    """The `license` list of a card: every identifier once, sorted."""
    return sorted({name for facts in about for name in identifiers(facts)})
