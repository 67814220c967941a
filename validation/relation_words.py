"""relation_words.yaml: the words by which texts state relations, and templates that put a fact into words."""

import re
from functools import cache
from pathlib import Path

import msgspec

from transforms import yaml_values
from validation.claims import Claim

WORDS = Path(__file__).with_name("relation_words.yaml")

DEFAULT_TEMPLATES = {"en": "The {name} of {head} is {tail}.", "zh": "{head}的{name}是{tail}。"}


class Cues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of `cues`; relation_words.yaml describes the keys."""

    properties: tuple[int, ...]
    en: tuple[str, ...]
    zh: tuple[str, ...]
    relations: tuple[str, ...]
    often: bool = True
    rivals: str | None = None

    @property
    def name(self) -> str:
        return self.relations[0]


class RelationWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cues: tuple[Cues, ...]
    templates: dict[str, dict[str, str]]


@cache
def relation_words() -> RelationWords:
    return msgspec.convert(yaml_values.read(WORDS, "install IEForge again"), RelationWords)


@cache
def entry(property: int, relation: str) -> Cues | None:
    """The words of a property or, if no entry has it, of a relation."""
    all_cues = relation_words().cues
    by_property = (cues for cues in all_cues if property in cues.properties)
    return next(by_property, None) or next((cues for cues in all_cues if relation in cues.relations), None)


@cache
def rivals(cues: Cues) -> tuple[Cues, ...]:
    """The entries of the other relations with tails of the same kind."""
    all_cues = relation_words().cues
    return tuple(other for other in all_cues if cues.rivals and other.rivals == cues.rivals and other != cues)


@cache
def pattern(cues: Cues, lang: str) -> re.Pattern[str]:
    """Matches any of the words of an entry in texts of this language."""
    if lang == "zh":
        return re.compile("|".join(re.escape(word) for word in sorted(cues.zh, key=len, reverse=True)))
    words = [re.escape(word).replace(r"\*", r"\w*") for word in sorted(cues.en, key=len, reverse=True)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


def in_words(claim: Claim) -> str:
    """The fact of a claim as a sentence in the language of the text."""
    lang = claim.lang if claim.lang in DEFAULT_TEMPLATES else "en"
    template = relation_words().templates.get(claim.relation, {}).get(lang, DEFAULT_TEMPLATES[lang])
    head, tail = claim.text[slice(*claim.head)], claim.text[slice(*claim.tail)]
    return template.format(head=head, tail=tail, name=claim.name)
