"""Licence classes and licence texts of sources → license identifiers of the Hub, and the terms of a corpus.

This interprets what the authors state and is meant for people to check; it is not legal advice.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from pipelines.sources import Licence
from schemas.manifests import SourceFacts


class Terms(StrEnum):
    """The conditions for redistributing a source, the strictest first."""

    FORBIDDEN = "forbidden"
    UNSTATED = "unstated"
    NON_COMMERCIAL_SHARE_ALIKE = "non_commercial_share_alike"
    NON_COMMERCIAL = "non_commercial"
    SHARE_ALIKE = "share_alike"
    ATTRIBUTION = "attribution"
    AS_STATED = "as_stated"


PUBLISHING = {
    Terms.FORBIDDEN: "ieforge publish never publishes this source",
    Terms.UNSTATED: "ieforge publish leaves this source out, unless you add --include_unlicensed; if you may pass the "
    "texts on, write their licence into source.yaml, such as license: CC-BY-4.0",
    Terms.NON_COMMERCIAL_SHARE_ALIKE: "may be published with attribution, not for commercial use, under the same "
    "licence",
    Terms.NON_COMMERCIAL: "may be published with attribution, not for commercial use",
    Terms.SHARE_ALIKE: "may be published with attribution, under the same licence",
    Terms.ATTRIBUTION: "may be published with attribution",
    Terms.AS_STATED: "may be published as stated",
}
"""Terms of a source → what they mean for publishing a corpus."""

NOT_KNOWN = "this is not the SPDX name of a licence that is known to allow publishing, so "
"""What comes before the terms of a licence text that nobody can interpret."""

NONE_STATED = "none stated"
"""The text of a licence that nobody stated."""

COMMON = {
    **dict.fromkeys(("MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "ODC-By-1.0"), Terms.ATTRIBUTION),
    **dict.fromkeys(("CDLA-Permissive-1.0", "CDLA-Permissive-2.0"), Terms.ATTRIBUTION),
    **dict.fromkeys(("ODbL-1.0", "CDLA-Sharing-1.0", "MPL-2.0", "EUPL-1.2", "GPL-2.0", "GPL-3.0"), Terms.SHARE_ALIKE),
    **dict.fromkeys(("LGPL-2.1", "LGPL-3.0", "AGPL-3.0"), Terms.SHARE_ALIKE),
    **dict.fromkeys(("CC0-1.0", "PDDL-1.0", "Unlicense"), Terms.AS_STATED),
}
"""SPDX names of licences that allow redistribution → their terms. Creative Commons except CC0: see CREATIVE."""

HUB = {"ODC-By-1.0": "odc-by", "ODbL-1.0": "odbl", "PDDL-1.0": "pddl"}
"""SPDX name → the Hub's identifier, where it is not the SPDX name in lower case."""

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
"""A licence's name in lower case, without punctuation and the words that `spdx` removes → SPDX name."""

CREATIVE = r"CC BY(?:-NC)?(?:-SA|-ND)?(?: \d\.\d)?"
"""A Creative Commons licence as written by `canonical`."""

NAMED = r"(?:CC[ -]BY(?:-NC)?(?:-SA|-ND)?[ -]\d\.\d|CC0[ -]1\.0|Apache-2\.0|MIT|ODC-BY|PDDL)"
"""Names in a licence text that are identifiers on the Hub once written in lower case and with hyphens."""


def canonical(text: str) -> str:
    """The text with the names of Creative Commons licences shortened: CC BY-NC-SA 4.0, CC0 1.0."""
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
    """The SPDX name of the licence in COMMON whose name is `text`; None if there is none."""
    words = re.sub(r"\b(?:the|licen[cs]e|version|public domain dedication|only|or[ -]later)\b", "", text.casefold())
    return SPELLINGS.get(re.sub(r"[\W_]|\bv(?=\d)", "", words))


def licence_class(text: str) -> Licence:
    """The class of a licence text written by a user: a class name itself, OPEN if the text names licences that allow
    redistribution, else ASK.

    Of several licences, separated by `;`, `and` or `or`, each must allow redistribution. Licences that forbid
    derivatives (ND) do not.
    """
    if text in tuple(Licence):
        return Licence(text)
    names = split_names(canonical(text))
    allowed = (spdx(name) or (re.fullmatch(CREATIVE, name) and "ND" not in name) for name in names)
    return Licence.OPEN if all(allowed) else Licence.ASK


def split_names(text: str) -> list[str]:
    """The parts of a text separated by `;`, `and` or `or`."""
    return re.split(r"\s*;\s*|\s+(?:and|or)\s+(?!later)", text.strip(), flags=re.IGNORECASE)


def identifiers(about: SourceFacts) -> list[str]:
    """The Hub's identifiers for the licences of a source: those named in the text of an open source, `other` if it
    names none or the source is gated, `unknown` if the licence is unclear.
    """
    if about.licence == Licence.ASK:
        return ["unknown"]
    if about.licence != Licence.OPEN:
        return ["other"]
    text = canonical(about.licence_text)
    names = {name.lower().replace(" ", "-") for name in re.findall(NAMED, text, re.IGNORECASE)}
    return sorted(names | {HUB.get(name, name.lower()) for name in common(text)}) or ["other"]


def common(text: str) -> list[str]:
    """The SPDX names of the licences in a text that names one or several, separated by `;`, `and` or `or`."""
    return [name for part in split_names(text) if (name := spdx(part))]


def terms(about: SourceFacts) -> Terms:
    """The strictest terms among the licences named in the text of a source."""
    if about.licence != Licence.OPEN:
        return Terms.FORBIDDEN if about.licence == Licence.GATED else Terms.UNSTATED
    text = canonical(about.licence_text).upper()
    if "BY-NC-SA" in text:
        return Terms.NON_COMMERCIAL_SHARE_ALIKE
    if "BY-NC" in text:
        return Terms.NON_COMMERCIAL
    named_terms = {COMMON[name] for name in common(canonical(about.licence_text))}
    if "BY-SA" in text or Terms.SHARE_ALIKE in named_terms:
        return Terms.SHARE_ALIKE
    if "CC BY" in text or Terms.ATTRIBUTION in named_terms:
        return Terms.ATTRIBUTION
    hub_names = identifiers(about)
    return Terms.AS_STATED if hub_names in (["other"], ["cc0-1.0"], ["pddl"], ["unlicense"]) else Terms.ATTRIBUTION


def publishing(about: SourceFacts) -> list[str]:
    """What the licence of a user's source means for publishing a corpus, as one sentence in parts."""
    is_stated = about.licence == Licence.ASK and about.licence_text not in (NONE_STATED, *Licence)
    known = spdx(canonical(about.licence_text)) or re.search(CREATIVE, canonical(about.licence_text))
    return [*([NOT_KNOWN] if is_stated and not known else []), PUBLISHING[terms(about)]]


def by_terms(about: Mapping[str, SourceFacts]) -> dict[Terms, list[str]]:
    """Terms → keys of the sources with these terms, the strictest first. `about`: key → facts.

    The strictest terms apply to a corpus as a whole.
    """
    keys: dict[Terms, list[str]] = {}
    for key, facts in about.items():
        keys.setdefault(terms(facts), []).append(key)
    return {kind: keys[kind] for kind in Terms if kind in keys}


def hub_identifiers(about: Iterable[SourceFacts]) -> list[str]:
    """The identifiers of all sources: unique, sorted."""
    return sorted({name for facts in about for name in identifiers(facts)})


def hub_licence(about: Collection[SourceFacts]) -> dict[str, str | list[str]]:
    """`license` and `license_name` of a card.

    A corpus with a source that nobody may redistribute, or whose licence is not known, is `other`: a list of the
    licences of the others would read as a permission for all of it.
    """
    classes = {facts.licence for facts in about}
    if Licence.GATED in classes:
        return {"license": "other", "license_name": "contains-sources-not-to-be-redistributed"}
    if Licence.ASK in classes:
        return {"license": "other", "license_name": "contains-sources-without-licence"}
    names = hub_identifiers(about)
    return {"license": names, **({"license_name": "per-source"} if "other" in names else {})}
