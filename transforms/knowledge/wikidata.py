"""Lines of a Wikidata JSON dump → items with their names, classes and statements.

A dump is a JSON list with one entity per line, or has one entity per line without the brackets
(https://doc.wikimedia.org/Wikibase/master/php/docs_topics_json.html). Rules:

- An entity that is not an item (a property, a lexeme, media) is counted and skipped.
- Lists stand for empty objects in old dumps: `"claims": []`.
- A line `{"entity": "Q1", "redirect": "Q2"}`, a key `redirects` of an entity, and a `title` that is another item's id
  say that an item was merged into another one.
- Deprecated statements and those without a value (`novalue`) are dropped, and repeated ones are kept once.
- Dates have years of at least four digits; older dumps pad them to eleven. A minus marks the years before our era.
- The value of a quantity is its amount. The unit `1` means that it has none.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from schemas.errors import BadRecord, Reason, quoted
from transforms.knowledge.dump_files import excerpt

INSTANCE_OF, SUBCLASS_OF = "P31", "P279"

VARIANTS = {
    "en": ("en", "en-gb", "en-ca", "en-us", "mul"),
    "zh": ("zh", "zh-hans", "zh-hant", "zh-cn", "zh-sg", "zh-tw", "zh-hk", "zh-mo", "zh-my", "mul"),
}
"""Language → the codes of its names, in order of preference. `mul`: a name in all languages."""

ITEM_ID = re.compile(r"Q([1-9][0-9]{0,17})", re.ASCII)
UNIT = re.compile(r".*/Q([1-9][0-9]{0,17})", re.ASCII)
YEAR = re.compile(r"([+-])0*([0-9]{4,})(-.*)", re.ASCII)
BRACKETS = re.compile(r"(.+?)\s*[(（][^()（）]*[)）]")

PRECISIONS = range(15)
"""Of times: from a billion years to a second."""

UNUSED_DATATYPES = frozenset({"commonsMedia", "geo-shape", "tabular-data", "musical-notation"})
"""Types of strings that no text states: names of files, and notes."""

StatementRow = tuple[int, str, int | None, str | None, int | None, int | None]
"""The fields of `schemas.knowledge.Statement`."""


class ItemRow(NamedTuple):
    """A row of ITEMS. `kinds`: the NameKind of each name. `revision`: of the item, 0 if the dump does not tell."""

    qid: int
    revision: int
    label: str | None
    names: list[str]
    kinds: list[str]
    classes: list[int]
    superclasses: list[int]
    statements: list[StatementRow]
    neighbours: list[int]


class Merged(NamedTuple):
    """The item `qid` was merged into the item `target`."""

    qid: int
    target: int


EmptyList = Annotated[list, Meta(max_length=0)]


class Term(msgspec.Struct, gc=False):
    value: str


class Page(msgspec.Struct, gc=False):
    title: str


class Value(msgspec.Struct, gc=False):
    """The fields of all types of values that are objects: an entity, a time, a quantity, or a text with a language."""

    id: str | None = None
    numeric_id: Annotated[int, Meta(gt=0, lt=10**18)] | None = msgspec.field(name="numeric-id", default=None)
    entity_type: str | None = msgspec.field(name="entity-type", default=None)
    time: str | None = None
    precision: int | float | None = None  # a float in coordinates
    amount: str | None = None
    unit: str = "1"
    text: str | None = None
    language: str | None = None


class DataValue(msgspec.Struct, gc=False):
    type: str
    value: Value | str


class Snak(msgspec.Struct, gc=False):
    snaktype: str
    datavalue: DataValue | None = None
    datatype: str | None = None


class Claim(msgspec.Struct, gc=False):
    mainsnak: Snak
    rank: str = "normal"


class Redirect(msgspec.Struct, gc=False, rename={"source": "from", "target": "to"}):
    source: str
    target: str


def by_key(name: str, keys: Iterable[str], kind: Any) -> type:
    """A struct type with optional fields `f0`, `f1`, ... for these JSON keys: other keys are not decoded."""
    fields = [(f"f{n}", kind | None, msgspec.field(name=key, default=None)) for n, key in enumerate(keys)]
    return msgspec.defstruct(name, fields, gc=False)


class Reader:
    """Reads the lines of a dump for texts in `lang`; keeps statements of `properties`.

    `counts`: the number of items, items without names (`unnamed`), entities of other types (`skipped.<type>`),
    dropped statements (`deprecated`, `novalue`, `repeated`), and statements of the kind `unknown`.
    `lines`: the number of the last line. `used`: those of `properties` that have a statement; `declared`: those of
    which the dump has the entity. `is_opened`: a line was `[`. `is_closed`: the last line was `]`, or a BadRecord among
    the lines.
    """

    def __init__(self, lang: str, properties: frozenset[int]):
        self.languages = VARIANTS.get(lang, (lang, "mul"))
        self.properties = {f"P{number}": number for number in properties}
        self.counts: Counter[str] = Counter()
        self.used: set[int] = set()
        self.declared: set[int] = set()
        self.lines = 0
        self.is_opened = self.is_closed = False
        fields: list[tuple[str, Any, Any]] = [
            ("id", str | None, None),
            ("type", str | None, None),
            ("title", str | None, None),
            ("lastrevid", Annotated[int, Meta(ge=0, le=2**53)], 0),
            ("labels", by_key("Labels", self.languages, Term) | EmptyList, []),
            ("aliases", by_key("Aliases", self.languages, list[Term]) | EmptyList, []),
            ("sitelinks", by_key("Sitelinks", [f"{lang}wiki"], Page) | EmptyList, []),
            ("redirects", Redirect | EmptyList | None, None),
            ("entity", str | None, None),
            ("redirect", str | None, None),
        ]
        decoders = [
            msgspec.json.Decoder(msgspec.defstruct("Entity", [*fields, ("claims", claims | EmptyList, [])], gc=False))
            for claims in (dict[str, list[Claim]], dict[str, list[msgspec.Raw]])
        ]
        self.decode, self.decode_with_raw_claims = (decoder.decode for decoder in decoders)
        self.decode_claim = msgspec.json.Decoder(Claim).decode

    def read(self, lines: Iterable[tuple[int, bytes] | BadRecord], name: str) -> Iterator[ItemRow | Merged | BadRecord]:
        """The items of the dump called `name`, or of a part of it, from lines as `dump_files.lines` yields them."""
        for line in lines:
            if isinstance(line, BadRecord):
                self.is_closed = True
                yield line
                continue
            self.lines, content = line
            content = content.strip(b" \t\r,")
            if not content:
                continue
            self.is_closed = content == b"]"
            if content in (b"[", b"]"):
                self.is_opened = self.is_opened or content == b"["
                continue
            place = f"{name}:{self.lines}"
            malformed: list[BadRecord] = []
            try:
                try:
                    entity = self.decode(content)
                except msgspec.ValidationError:
                    entity, malformed = self.without_malformed_claims(content, place)
                rows = self.rows(entity)
                yield from malformed if rows else ()
                yield from rows
            except (ValueError, RecursionError) as error:
                yield BadRecord(place, bad_reason(error), f"{error}: {excerpt(content)}")

    def without_malformed_claims(self, content: bytes, place: str) -> tuple[Any, list[BadRecord]]:
        """The entity without the statements that do not have the form of one, and these. Raises ValueError for other
        faults.
        """
        entity: Any = self.decode_with_raw_claims(content)
        malformed: list[BadRecord] = []
        if isinstance(entity.claims, dict):
            for key, raw_claims in entity.claims.items():
                claims = entity.claims[key] = []
                for claim in raw_claims:
                    try:
                        claims.append(self.decode_claim(claim))
                    except msgspec.ValidationError as error:
                        detail = f"a statement of {quoted(key)} of {quoted(entity.id)}: {error}"
                        malformed.append(BadRecord(place, Reason.BROKEN_RECORD, detail))
        return entity, malformed

    def rows(self, entity: Any) -> list[ItemRow | Merged]:
        """The item of a line, and the items merged into it. Raises ValueError for an id that is not that of an item."""
        if entity.redirect is not None:
            return [Merged(item_number(entity.entity), item_number(entity.redirect))]
        kind = entity.type or ("property" if (entity.id or "").startswith("P") else "item")
        if kind != "item":
            self.counts[f"skipped.{kind}"] += 1
            if kind == "property" and (number := self.properties.get(entity.id)) is not None:
                self.declared.add(number)
            return []
        qid = item_number(entity.id)
        rows: list[ItemRow | Merged] = [self.item(qid, entity)]
        if isinstance(entity.redirects, Redirect):
            rows.append(Merged(item_number(entity.redirects.source), item_number(entity.redirects.target)))
        if entity.title and entity.title != entity.id and (title := ITEM_ID.fullmatch(entity.title)):
            rows.append(Merged(int(title[1]), qid))
        return rows

    def item(self, qid: int, entity: Any) -> ItemRow:
        label, kinds = self.names(entity)
        claims = entity.claims if isinstance(entity.claims, dict) else {}
        statements: dict[StatementRow, None] = {}
        classes: dict[int, None] = {}
        superclasses: dict[int, None] = {}
        neighbours: set[int] = set()
        counts = self.counts
        for key, group in claims.items():
            number = self.properties.get(key)
            if number is not None and group:
                self.used.add(number)
            distinct = classes if key == INSTANCE_OF else superclasses if key == SUBCLASS_OF else None
            for claim in group:
                if claim.rank == "deprecated":
                    counts["deprecated"] += 1
                    continue
                snak = claim.mainsnak
                target = None
                if snak.datavalue is not None and snak.datavalue.type == "wikibase-entityid":
                    target = item_value(snak.datavalue.value)
                    if target is not None:
                        neighbours.add(target)
                        if distinct is not None:
                            distinct[target] = None
                if number is None:
                    continue
                if target is not None:
                    row: StatementRow = (number, "item", target, None, None, None)
                elif snak.snaktype == "novalue":
                    counts["novalue"] += 1
                    continue
                else:
                    row = self.value(number, snak)
                    counts["unknown"] += row[1] == "unknown"
                counts["repeated"] += row in statements
                statements[row] = None
        counts["items"] += 1
        counts["unnamed"] += not kinds
        return ItemRow(
            qid,
            entity.lastrevid,
            label,
            list(kinds),
            list(kinds.values()),
            list(classes),
            list(superclasses),
            list(statements),
            sorted(neighbours),
        )

    def names(self, entity: Any) -> tuple[str | None, dict[str, str]]:
        """The label, and name → kind of all names in order: the label, the title of the page, the title without its
        bracketed part, labels in other variants, and aliases.

        A label that is also the title has the kind `title`.
        """
        labels = [tidy(term.value) for term in msgspec.structs.astuple(entity.labels) if term] if entity.labels else []
        labels = [name for name in labels if name]
        kinds = dict.fromkeys(labels[:1], "label")
        if entity.sitelinks and (page := entity.sitelinks.f0):
            title = tidy(page.title)
            if title:
                kinds[title] = "title"
                if short := BRACKETS.fullmatch(title):
                    kinds.setdefault(short[1], "alias" if short[1] not in labels else "label")
        for name in labels[1:]:
            kinds.setdefault(name, "label")
        if entity.aliases:
            for term in chain.from_iterable(filter(None, msgspec.structs.astuple(entity.aliases))):
                if name := tidy(term.value):
                    kinds.setdefault(name, "alias")
        return (labels[0] if labels else None), kinds

    def value(self, number: int, snak: Snak) -> StatementRow:
        """The statement of a property with a value that is not an item."""
        unknown = (number, "unknown", None, None, None, None)
        if snak.snaktype != "value" or snak.datavalue is None:
            return unknown
        kind, value = snak.datavalue.type, snak.datavalue.value
        if isinstance(value, str):
            text = tidy(value)
            usable = text and kind == "string" and snak.datatype not in UNUSED_DATATYPES
            return (number, "string", None, text, None, None) if usable else unknown
        if kind == "time" and value.time and (match := YEAR.fullmatch(value.time)):
            precision = value.precision if isinstance(value.precision, int) else None
            known = precision if precision in PRECISIONS else None
            return (number, "time", None, "".join(match.groups()), None, known)
        if kind == "quantity" and value.amount:
            if value.unit == "1":
                return (number, "quantity", None, value.amount, None, None)
            if unit := UNIT.fullmatch(value.unit):
                return (number, "quantity", None, value.amount, int(unit[1]), None)
        if kind == "monolingualtext" and value.language in self.languages and (text := tidy(value.text or "")):
            return (number, "string", None, text, None, None)
        return unknown


def bad_reason(error: Exception) -> Reason:
    """Why a line is not an entity, from the error of decoding it. The errors of msgspec are ValueErrors."""
    if isinstance(error, UnicodeDecodeError):
        return Reason.NOT_UTF8
    if isinstance(error, RecursionError) or type(error) is msgspec.DecodeError:
        return Reason.BROKEN_JSON
    return Reason.BROKEN_RECORD


def item_value(value: Value | str) -> int | None:
    """The number of the item that is a value; None for another entity. Old dumps have only `numeric-id`, and later
    ones may have only `id`.
    """
    if isinstance(value, str):
        return None
    if value.entity_type == "item" and value.numeric_id is not None:
        return value.numeric_id
    match = ITEM_ID.fullmatch(value.id or "")
    return int(match[1]) if match else None


def item_number(text: str | None) -> int:
    """42 for Q42. Raises ValueError for another id."""
    match = ITEM_ID.fullmatch(text or "")
    if match is None:
        raise ValueError(f"{quoted(text)} is not the id of an item, such as Q42")
    return int(match[1])


def tidy(name: str) -> str:
    """`name` with single spaces."""
    return " ".join(name.split())
