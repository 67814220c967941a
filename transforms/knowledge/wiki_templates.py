"""Templates whose text is part of a sentence: what they show of their parameters. All other templates are left out."""

import re
from typing import NamedTuple

from mwparserfromhell.nodes import Template
from mwparserfromhell.wikicode import Wikicode

from transforms.knowledge import titles

SUPERSCRIPTS = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")

CHARACTERS = {
    **dict.fromkeys(("snd", "spnd", "spaced ndash", "spaced en dash", "–"), " – "),
    **dict.fromkeys(("ndash", "endash", "en dash"), "–"),
    **dict.fromkeys(("mdash", "mdashb", "emdash", "em dash", "—"), "—"),
    **dict.fromkeys(("nbsp", "spaces"), " "),
    **dict.fromkeys(("'", "apostrophe"), "'"),
    **dict.fromkeys(("'s", "apostrophe s"), "'s"),
    **dict.fromkeys(("·", "middot", "dot"), "·"),
}
PARAMETERS = {
    **dict.fromkeys(("nowrap", "nobr", "small", "abbr", "ruby", "unicode", "linktext", "vanchor"), "1"),
    **dict.fromkeys(("nihongo", "nihongo2", "nihongo4", "nihongo krt", "flag", "flagcountry", "country"), "1"),
    **dict.fromkeys(("lang", "langx", "transl", "transliteration"), "2"),
}
"""Template → its parameter that is the text which it shows."""

OF_A_LANGUAGE = re.compile(r"lang-[a-z]{2,3}(?:-[a-z]+)*")
LINKS = re.compile(r"(?:link-|internal link helper/|ilh/)[a-z]{2,3}|le|tsl|ill|interlanguage link|illm")
"""Templates that show a link to an article, or to one in another language if there is none."""

BETWEEN = {"to", "and", "or", "x", "by", "-", "–"}
DEGREES = {"C": "°C", "F": "°F"}
UNIT_POWER = re.compile(r"(?<=[a-z])[23]\Z")


class Shown(NamedTuple):
    """What a template shows. `title`: of the article that the text links to."""

    text: str | Wikicode
    title: str | None = None


def shown(node: Template) -> Shown | None:
    """None if the template shows nothing that belongs to a sentence, or if that is not known."""
    name = str(node.name).strip().lower().replace("_", " ")
    if name in CHARACTERS:
        return Shown(CHARACTERS[name])
    if name.startswith("formatnum:"):
        return Shown(str(node.name).partition(":")[2].strip())
    number = "1" if OF_A_LANGUAGE.fullmatch(name) else PARAMETERS.get(name)
    if number:
        return Shown(node.get(number).value) if node.has(number) else None
    if LINKS.fullmatch(name):
        return linked(node, name)
    parameters = [str(parameter.value).strip() for parameter in node.params if not parameter.showkey]
    match name:
        case "convert" | "cvt":
            text = converted(parameters)
        case "val":
            text = " ".join(filter(None, (value(node, "1"), value(node, "u") or value(node, "ul"))))
        case "as of" if value(node, "1"):
            words = "since" if node.has("since") else "as of"
            text = value(node, "alt") or f"{words if node.has('lc') else words.capitalize()} {value(node, '1')}"
        case "circa" | "c.":
            text = f"c. {parameters[0]}" if parameters else "c."
        case "bd" | "bdl":
            text = life(parameters)
        case _:
            return None
    return Shown(text) if text and "{" not in text and "[" not in text else None


def linked(node: Template, name: str) -> Shown | None:
    """What a template of LINKS shows: `{{ill|title|no|Norwegian title|lt=text}}`, `{{tsl|en|English title|title}}`,
    `{{link-en|title|English title|text}}`.
    """
    first, third = value(node, "1"), value(node, "3")
    if titles.LANGUAGE.match(first):
        first = text = third
    elif name == "le" or "/" in name or name.startswith("link-"):
        text = third or first
    else:
        text = value(node, "lt") or first
    return Shown(text, titles.normal_title(first)) if first else None


def value(node: Template, name: str) -> str:
    """The parameter as text; "" if the template does not have it, or if it contains other markup."""
    text = str(node.get(name).value).strip() if node.has(name) else ""
    return "" if re.search(r"[\[\]{}<>]", text) else text


def converted(parameters: list[str]) -> str:
    """What `{{convert|5|to|7|km|mi}}` shows of its first unit: `5 to 7 km`; "" if that is not known."""
    match parameters:
        case [low, word, high, unit, *_] if word in BETWEEN:
            amount = low + (word if word in "-–" else f" {word} ") + high
        case [amount, unit, *_]:
            pass
        case _:
            return ""
    unit = DEGREES.get(unit, unit)
    return f"{amount} {UNIT_POWER.sub(lambda power: power[0].translate(SUPERSCRIPTS), unit)}"


def life(parameters: list[str]) -> str:
    """What `{{bd|1897年|1月15日|1931年|11月19日}}` shows: `1897年1月15日－1931年11月19日`."""
    born, died = "".join(parameters[:2]), "".join(parameters[2:4])
    return f"{born}－{died}" if born and died else born
