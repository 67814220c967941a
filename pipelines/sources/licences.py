"""Licence classes and texts of sources → identifiers of the Hub, and what binds a corpus of all of them.

A reading of what the authors state, for people to check; no legal advice.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from pipelines.sources import Licence
from schemas.manifests import SourceFacts


class Terms(StrEnum):
    """What a source asks of whoever passes it on, from the strictest to the least."""

    FORBIDDEN = "forbidden"
    UNSTATED = "unstated"
    NON_COMMERCIAL_SHARE_ALIKE = "non_commercial_share_alike"
    NON_COMMERCIAL = "non_commercial"
    SHARE_ALIKE = "share_alike"
    ATTRIBUTION = "attribution"
    AS_STATED = "as_stated"


COMMON = {
    **dict.fromkeys(("MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "ODC-By-1.0"), Terms.ATTRIBUTION),
    **dict.fromkeys(("CDLA-Permissive-1.0", "CDLA-Permissive-2.0"), Terms.ATTRIBUTION),
    **dict.fromkeys(("ODbL-1.0", "CDLA-Sharing-1.0", "MPL-2.0", "EUPL-1.2", "GPL-2.0", "GPL-3.0"), Terms.SHARE_ALIKE),
    **dict.fromkeys(("LGPL-2.1", "LGPL-3.0", "AGPL-3.0"), Terms.SHARE_ALIKE),
    **dict.fromkeys(("CC0-1.0", "PDDL-1.0", "Unlicense"), Terms.AS_STATED),
}
"""SPDX names of licences that allow to pass data on → what they ask. Those of Creative Commons but CC0 are CREATIVE."""

HUB = {"ODC-By-1.0": "odc-by", "ODbL-1.0": "odbl", "PDDL-1.0": "pddl"}
"""SPDX name → the Hub's identifier, where it is not the same in small letters."""

SPELLINGS = {
    "apache": "Apache-2.0",
    "cc0": "CC0-1.0",
    "cczero": "CC0-1.0",
    "cc010universal": "CC0-1.0",
    "expat": "MIT",
    "odbl": "ODbL-1.0",
    "opendatabase": "ODbL-1.0",
    "odcby": "ODC-By-1.0",
    "opendatacommonsattribution": "ODC-By-1.0",
    "pddl": "PDDL-1.0",
    **{plain: name for name in COMMON for plain in (re.sub(r"[\W_]", "", name).casefold(),)},
}
"""A licence's name in small letters, without marks and the words that `plain` leaves out → SPDX name."""

CREATIVE = r"CC BY(?:-NC)?(?:-SA|-ND)?(?: \d\.\d)?"
"""A licence of Creative Commons as `canonical` writes it."""

NAMED = r"(?:CC[ -]BY(?:-NC)?(?:-SA|-ND)?[ -]\d\.\d|CC0[ -]1\.0|Apache-2\.0|MIT|ODC-BY|PDDL)"
"""Names in a source's licence text that, in small letters and with hyphens, are identifiers on the Hub."""


def canonical(text: str) -> str:
    """The text with licences of Creative Commons by their short names: CC BY-NC-SA 4.0, CC0 1.0."""
    text = re.sub(r"https?://creativecommons\.org/publicdomain/zero/1\.0[\w/.]*", "CC0 1.0", text)
    text = re.sub(r"https?://creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)[\w/.]*", r"CC \1 \2", text)
    for words, short in (
        (r"Creative[ -]Commons", "CC"),
        (r"Attribution", "BY"),
        (r"Non-?Commercial", "NC"),
        (r"Share-?Alike", "SA"),
        (r"No-?Deriv(?:ative)?s?(?: Works)?", "ND"),
    ):
        text = re.sub(rf"\b{words}\b", short, text, flags=re.IGNORECASE)
    parts = r"\bCC[ _-]*BY((?:[ _-]+(?:NC|SA|ND))*)\b(?:[ _-]*(?:version |v)?(\d\.\d))?"
    ending = r"(?: (?:International|Unported))?(?: Licen[cs]e)?"
    return re.sub(parts + ending, short_name, text, flags=re.IGNORECASE)


def short_name(match: re.Match) -> str:
    kinds = [kind for kind in ("NC", "SA", "ND") if kind in match[1].upper()]
    return "-".join(["CC BY", *kinds]) + (f" {match[2]}" if match[2] else "")


def spdx(text: str) -> str | None:
    """The SPDX name of the one licence of COMMON that a text is the name of."""
    words = re.sub(r"\b(?:the|licen[cs]e|version|public domain dedication|only|or[ -]later)\b", "", text.casefold())
    return SPELLINGS.get(re.sub(r"[\W_]|\bv(?=\d)", "", words))


def licence_class(text: str) -> Licence:
    """What a user's own words say: a class itself, the names of licences that allow to pass data on, or nothing clear.

    Of several, which `;`, `and` or `or` part, each must allow it. Licences that forbid to pass on what was made of the
    data (ND) do not.
    """
    if text in tuple(Licence):
        return Licence(text)
    names = parted(canonical(text))
    allowed = (spdx(name) or (re.fullmatch(CREATIVE, name) and "ND" not in name) for name in names)
    return Licence.OPEN if all(allowed) else Licence.ASK


def parted(text: str) -> list[str]:
    """The parts of a text between `;`, `and` and `or`."""
    return re.split(r"\s*;\s*|\s+(?:and|or)\s+(?!later)", text.strip(), flags=re.IGNORECASE)


def identifiers(about: SourceFacts) -> list[str]:
    """The Hub's identifiers of one source's licences: what its text names where it is open, `other` where it names
    none or forbids, `unknown` where nothing clear is stated.
    """
    if about.licence == Licence.ASK:
        return ["unknown"]
    if about.licence != Licence.OPEN:
        return ["other"]
    text = canonical(about.licence_text)
    names = {name.lower().replace(" ", "-") for name in re.findall(NAMED, text, re.IGNORECASE)}
    return sorted(names | {HUB.get(name, name.lower()) for name in common(text)}) or ["other"]


def common(text: str) -> list[str]:
    """The SPDX names among the licences that a text names, one or several with `;`, `and` or `or` between."""
    return [name for part in parted(text) if (name := spdx(part))]


def terms(about: SourceFacts) -> Terms:
    """The strictest terms among those that one source's licence text names."""
    if about.licence != Licence.OPEN:
        return Terms.FORBIDDEN if about.licence == Licence.GATED else Terms.UNSTATED
    text = canonical(about.licence_text).upper()
    if "BY-NC-SA" in text:
        return Terms.NON_COMMERCIAL_SHARE_ALIKE
    if "BY-NC" in text:
        return Terms.NON_COMMERCIAL
    asked = {COMMON[name] for name in common(canonical(about.licence_text))}
    if "BY-SA" in text or Terms.SHARE_ALIKE in asked:
        return Terms.SHARE_ALIKE
    if "CC BY" in text or Terms.ATTRIBUTION in asked:
        return Terms.ATTRIBUTION
    named = identifiers(about)
    return Terms.AS_STATED if named in (["other"], ["cc0-1.0"], ["pddl"], ["unlicense"]) else Terms.ATTRIBUTION


def by_terms(about: Mapping[str, SourceFacts]) -> dict[Terms, list[str]]:
    """Terms → keys of the sources under them, the strictest first: those bind the whole. `about`: key → facts."""
    found: dict[Terms, list[str]] = {}
    for key, facts in about.items():
        found.setdefault(terms(facts), []).append(key)
    return {kind: found[kind] for kind in Terms if kind in found}


def hub_identifiers(about: Iterable[SourceFacts]) -> list[str]:
    """The `license` list of a card: every identifier once, sorted."""
    return sorted({name for facts in about for name in identifiers(facts)})
