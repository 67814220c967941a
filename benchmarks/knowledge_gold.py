"""Texts with facts of Wikidata that others annotated: REBEL, Text2KGBench and KnowledgeNet, in one form.

- REBEL (https://github.com/Babelscape/rebel): JSON lines of abstracts of Wikipedia with linked mentions and triples.
  The offsets of many mentions are wrong; the occurrence of the surface form that is nearest to them counts.
- Text2KGBench (https://github.com/cenguix/Text2KGBench), wikidata_tekgen: JSON lines of sentences with one triple
  (train and validation), with several triples without ids (ground truth of the test set), or joined by sentence. UTF-8
  that was read as Latin-1 is repaired.
- KnowledgeNet (https://github.com/diffbot/knowledge-net): JSON lines of passages with the facts of the properties that
  are annotated completely in this passage, all by people.
"""

import gzip
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from schemas.errors import ConfigError
from transforms import yaml_values
from transforms.files import File

Span = tuple[int, int]


class End(msgspec.Struct, frozen=True):
    """Head or tail of a fact. `qid`: its item, if the file names one. `spans`: where the text mentions it."""

    text: str
    qid: int | None = None
    spans: tuple[Span, ...] = ()

    @property
    def key(self) -> int | str:
        return self.text.casefold() if self.qid is None else self.qid


class GoldFact(msgspec.Struct, frozen=True):
    """`named`: the text names both ends, as opposed to mentioning them by a pronoun or a description, or not at all,
    and their items are known if the set links ends to items. `is_value`: the tail is a date, quantity or string, not an
    item.
    """

    relation: str
    head: End
    tail: End
    named: bool
    is_value: bool = False


class GoldMention(msgspec.Struct, frozen=True):
    start: int
    end: int
    qid: int


class GoldText(msgspec.Struct, frozen=True):
    """`relations`: those that are annotated in this text. `group`: the part of the set that it belongs to.
    `mentions`: mentions of items, sorted; no two have the same offsets.
    """

    id: str
    text: str
    relations: frozenset[str]
    facts: tuple[GoldFact, ...]
    mentions: tuple[GoldMention, ...]
    group: str
    title: str | None = None
    page: int | None = None


class Relation(msgspec.Struct, frozen=True):
    """A relation of a set. `properties`: property → whether its statements have head and tail swapped. `head`, `tail`:
    entity types of the bundled themes; empty: any.
    """

    label: str
    properties: dict[int, bool]
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()


class Gold(msgspec.Struct, frozen=True):
    """`repaired`: number of texts with wrongly decoded characters that were repaired."""

    name: str
    relations: dict[str, Relation]
    texts: tuple[GoldText, ...]
    repaired: int = 0


class RebelEnd(msgspec.Struct):
    uri: str | None = None
    surfaceform: str | None = None
    boundaries: tuple[int, int] | None = None


class RebelTriple(msgspec.Struct):
    subject: RebelEnd
    predicate: RebelEnd
    object: RebelEnd


class RebelRow(msgspec.Struct):
    text: str
    entities: list[RebelEnd]
    triples: list[RebelTriple]
    docid: str | int = ""
    title: str | None = None
    uri: str | None = None


class SentenceTriple(msgspec.Struct):
    """A triple of Text2KGBench joined by sentence, or of its ground truth (`sub`, `rel` and `obj` are labels)."""

    sub: str | None = None
    rel: str | None = None
    obj: str | None = None
    sub_label: str | None = None
    obj_label: str | None = None
    pid: str | None = None
    both_in_text: bool | None = None


class SentenceRow(msgspec.Struct):
    """A sentence of Text2KGBench. Without `triples` it is a row of train or validation, with one triple."""

    id: str = ""
    ontology: str | None = None
    text: str | None = None
    sent: str | None = None
    triples: list[SentenceTriple] | None = None
    sub: str | None = None
    rel: str | None = None
    obj: str | None = None
    sub_label: str | None = None
    rel_label: str | None = None
    obj_label: str | None = None


class PassageFact(msgspec.Struct, rename="camel"):
    property: str
    subject_start: int
    subject_end: int
    object_start: int
    object_end: int
    subject_qid: str | None = None
    object_qid: str | None = None


class PassageRow(msgspec.Struct, rename="camel"):
    document_id: str
    passage_start: int
    text: str
    exhaustively_annotated_properties: list[str]
    facts: list[PassageFact]


PERSON, PLACE, TIME = ("human",), ("geographic_region", "architectural_structure"), ("time",)
ORGANIZATION = (
    *("organization", "architectural_structure", "geographic_region", "creative_work", "product", "event"),
    *("profession", "other"),
)
"""What organisations are in a graph: a museum is a building, a newspaper a work, an army a profession."""

KNOWLEDGENET = {
    "DATE_OF_BIRTH": Relation("date of birth", {569: False}, PERSON, TIME),
    "DATE_OF_DEATH": Relation("date of death", {570: False}, PERSON, TIME),
    "PLACE_OF_RESIDENCE": Relation("residence", {551: False}, PERSON, PLACE),
    "PLACE_OF_BIRTH": Relation("place of birth", {19: False}, PERSON, PLACE),
    "NATIONALITY": Relation("country of citizenship", {27: False}, PERSON, (*PLACE, "other")),
    "EMPLOYEE_OR_MEMBER_OF": Relation(
        "employer or member of", {108: False, 463: False, 54: False}, PERSON, ORGANIZATION
    ),
    "EDUCATED_AT": Relation("educated at", {69: False}, PERSON, ORGANIZATION),
    "POLITICAL_AFFILIATION": Relation("member of political party", {102: False}, PERSON, ORGANIZATION),
    "CHILD_OF": Relation("child of", {40: True, 22: False, 25: False}, PERSON, PERSON),
    "SPOUSE": Relation("spouse", {26: False}, PERSON, PERSON),
    "DATE_FOUNDED": Relation("inception", {571: False}, ORGANIZATION, TIME),
    "HEADQUARTERS": Relation("headquarters location", {159: False}, ORGANIZATION, PLACE),
    "SUBSIDIARY_OF": Relation("parent organization", {749: False, 355: True}, ORGANIZATION, ORGANIZATION),
    "FOUNDED_BY": Relation("founded by", {112: False}, ORGANIZATION, (*PERSON, *ORGANIZATION)),
    "CEO": Relation("chief executive officer", {169: False}, ORGANIZATION, PERSON),
}
"""The properties of KnowledgeNet and those of Wikidata that they correspond to."""

VALUES = {"DATE_OF_BIRTH", "DATE_OF_DEATH", "DATE_FOUNDED"}
"""The properties of KnowledgeNet whose tails are dates."""

REBEL = Path(__file__).with_name("rebel.yaml")
ONTOLOGIES = Path(__file__).with_name("text2kgbench.yaml")

MOJIBAKE = re.compile("[\x80-\xff]{2,}")
QID, PID = re.compile(r"Q([1-9]\d*)"), re.compile(r"P([1-9]\d*)")

DETERMINERS = {"a", "an", "the", "his", "her", "its", "their", "our", "my", "this", "that", "these", "those", "both"}
PRONOUNS = DETERMINERS.union(
    ("he", "she", "it", "they", "him", "them", "himself", "herself", "itself", "themselves", "hers", "theirs"),
    ("who", "whom", "whose", "which", "i", "we", "you", "me", "us", "mine", "ours", "one", "another", "other"),
    ("others", "here", "there"),
)


def read(name: str, path: str) -> Gold:
    """The texts of `path`, JSON lines or the same with gzip, of the set `name`.

    Raises ConfigError with the line of a bad record.
    """
    readers = {"rebel": rebel, "text2kgbench": text2kgbench, "knowledgenet": knowledgenet}
    return readers[name](path)


def rows(path: str, form: type) -> Iterator[tuple[str, object]]:
    """(`file:line`, record) of each line that is not blank."""
    data = File(path, path).read()
    lines = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig").split("\n")
    decode = msgspec.json.Decoder(form).decode
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield f"{path}:{number}", decode(line)
            except msgspec.MsgspecError as error:
                raise ConfigError(f"{path}:{number}: not a record of this set ({error}); check --gold") from error


def number(pattern: re.Pattern[str], text: str | None) -> int | None:
    """The number of an id such as Q42; None if `text` is not an id."""
    matched = pattern.fullmatch(text or "")
    return int(matched[1]) if matched else None


def unique(facts: Iterable[GoldFact]) -> tuple[GoldFact, ...]:
    """Each fact once, with all spans of its ends. It is named if one of its occurrences is."""
    by_key: dict[tuple, GoldFact] = {}
    for fact in facts:
        key = (fact.relation, fact.head.key, fact.tail.key)
        if other := by_key.get(key):
            head, tail = merge(other.head, fact.head), merge(other.tail, fact.tail)
            fact = GoldFact(fact.relation, head, tail, other.named or fact.named, fact.is_value)
        by_key[key] = fact
    return tuple(by_key.values())


def merge(end: End, other: End) -> End:
    return End(end.text, end.qid, tuple(sorted({*end.spans, *other.spans})))


def mentions_of(spans: Iterable[tuple[Span, int | None]]) -> tuple[GoldMention, ...]:
    """Mentions of items, the first of those with the same offsets, sorted."""
    by_span: dict[Span, int] = {}
    for span, qid in spans:
        if qid is not None:
            by_span.setdefault(span, qid)
    return tuple(GoldMention(*span, qid) for span, qid in sorted(by_span.items()))


def rebel(path: str) -> Gold:
    properties = msgspec.convert(yaml_values.read(REBEL, "restore it"), dict[str, list[int]])["properties"]
    wanted = {f"P{property}" for property in properties}
    labels: dict[str, str] = {}
    texts = []
    for at, (_, row) in enumerate(rows(path, RebelRow)):
        facts = []
        for triple in row.triples:
            relation = triple.predicate.uri or ""
            labels.setdefault(relation, triple.predicate.surfaceform or relation)
            if relation in wanted:
                head, tail = (rebel_end(row.text, end) for end in (triple.subject, triple.object))
                named = bool(head.spans and tail.spans)
                facts.append(GoldFact(relation, head, tail, named, tail.qid is None))
        ends = [rebel_end(row.text, end) for end in row.entities]
        texts.append(
            GoldText(
                f"{at:06d}",
                row.text,
                frozenset(wanted),
                unique(facts),
                mentions_of((span, end.qid) for end in ends for span in end.spans),
                "rebel",
                row.title,
                number(QID, row.uri),
            )
        )
    relations = {key: Relation(labels.get(key, key), {int(key[1:]): False}) for key in sorted(wanted)}
    return Gold("rebel", relations, tuple(texts))


def rebel_end(text: str, end: RebelEnd) -> End:
    """The end with the occurrence of its surface form that is nearest to its offsets."""
    surface = end.surfaceform or ""
    starts = [match.start() for match in re.finditer(re.escape(surface), text)] if surface else []
    start = min(starts, key=lambda start: abs(start - (end.boundaries or (0, 0))[0]), default=None)
    spans = () if start is None else ((start, start + len(surface)),)
    return End(surface or end.uri or "", number(QID, end.uri), spans)


@cache
def ontologies() -> dict[str, dict[str, str]]:
    """Ontology of Text2KGBench → property → label."""
    return msgspec.convert(yaml_values.read(ONTOLOGIES, "restore it"), dict[str, dict[str, str]])


def text2kgbench(path: str) -> Gold:
    labels = {pid: label for ontology in ontologies().values() for pid, label in ontology.items()}
    triples: dict[tuple[str, str], list[SentenceTriple]] = {}
    repaired: set[tuple[str, str]] = set()
    for where, row in rows(path, SentenceRow):
        raw = row.text or row.sent or ""
        name = f"{row.ontology or row.id}_"
        ontology = next((known for known in ontologies() if name.startswith(f"{known}_")), None)
        if ontology is None:
            raise ConfigError(f"{where}: {row.ontology or row.id} is not in {ONTOLOGIES.name}; check --gold")
        key = (ontology, repair(raw))
        if key[1] != raw:
            repaired.add(key)
        if row.triples is None:
            one = SentenceTriple(row.sub, row.rel_label, row.obj, row.sub_label, row.obj_label, row.rel)
            triples.setdefault(key, []).extend([one] if row.rel else [])
        else:
            triples.setdefault(key, []).extend(row.triples)
    texts = []
    for at, ((ontology, text), rows_of_text) in enumerate(triples.items()):
        facts = [fact for triple in rows_of_text if (fact := sentence_fact(text, ontology, triple))]
        ends = [end for fact in facts for end in (fact.head, fact.tail)]
        texts.append(
            GoldText(
                f"{at:06d}",
                text,
                frozenset(ontologies()[ontology]),
                unique(facts),
                mentions_of((span, end.qid) for end in ends for span in end.spans),
                ontology,
            )
        )
    relations = {key: Relation(labels[key], {int(key[1:]): False}) for key in sorted(labels)}
    return Gold("text2kgbench", relations, tuple(texts), len(repaired))


def sentence_fact(text: str, ontology: str, triple: SentenceTriple) -> GoldFact | None:
    """The fact of a triple; None if its property is not in the ontology."""
    label = (triple.rel or "").strip().casefold()
    by_label = {name.casefold(): pid for pid, name in ontologies()[ontology].items()}
    relation = triple.pid or (triple.rel if PID.fullmatch(triple.rel or "") else by_label.get(label))
    if relation not in ontologies()[ontology]:
        return None
    head = sentence_end(text, triple.sub, triple.sub_label)
    tail = sentence_end(text, triple.obj, triple.obj_label)
    named = bool(head.spans and tail.spans) if triple.both_in_text is None else triple.both_in_text
    is_value = tail.qid is None and any(character.isdigit() for character in tail.text)
    return GoldFact(relation, head, tail, named, is_value)


def sentence_end(text: str, identifier: str | None, label: str | None) -> End:
    """The end with all occurrences of its label; a date occurs where its year does."""
    qid = number(QID, identifier)
    name = repair((label or ("" if qid else identifier) or "").strip())
    spans = occurrences(text, name)
    year = re.search(r"\b\d{4}\b", name)
    if qid is None and year and not spans:
        spans = occurrences(text, year[0])
    return End(name or str(identifier), qid, spans)


def occurrences(text: str, name: str) -> tuple[Span, ...]:
    """Where `name` occurs as whole words, in any case."""
    if not name:
        return ()
    pattern = rf"(?<!\w){re.escape(name)}(?!\w)"
    return tuple(match.span() for match in re.finditer(pattern, text, re.IGNORECASE))


def repair(text: str) -> str:
    """`text` with UTF-8 that was decoded as Latin-1 decoded again."""

    def decoded(match: re.Match[str]) -> str:
        try:
            return match[0].encode("latin-1").decode("utf-8")
        except UnicodeDecodeError:
            return match[0]

    return MOJIBAKE.sub(decoded, text)


def knowledgenet(path: str) -> Gold:
    texts = []
    for at, (where, row) in enumerate(rows(path, PassageRow)):
        annotated = row.exhaustively_annotated_properties
        if unknown := {*annotated, *(fact.property for fact in row.facts)} - KNOWLEDGENET.keys():
            raise ConfigError(f"{where}: {min(unknown)} is not a property of KnowledgeNet; check --gold")
        ends = [passage_ends(row.text, fact) for fact in row.facts]
        names = {end.key for pair in ends for end in pair if is_name(end.text)}
        facts = []
        for fact, (head, tail) in zip(row.facts, ends, strict=True):
            is_value = fact.property in VALUES
            named = all(end.qid is not None and end.key in names for end in ((head,) if is_value else (head, tail)))
            facts.append(GoldFact(fact.property, head, tail, named, is_value))
        texts.append(
            GoldText(
                f"{at:06d}",
                row.text,
                frozenset(annotated),
                tuple(fact for fact in unique(facts) if fact.relation in annotated),
                mentions_of((end.spans[0], end.qid) for pair in ends for end in pair if is_name(end.text)),
                "knowledgenet",
            )
        )
    return Gold("knowledgenet", KNOWLEDGENET, tuple(texts))


def passage_ends(text: str, fact: PassageFact) -> tuple[End, End]:
    spans = (fact.subject_start, fact.subject_end), (fact.object_start, fact.object_end)
    qids = number(QID, fact.subject_qid), number(QID, fact.object_qid)
    head, tail = (End(text[slice(*span)], qid, (span,)) for span, qid in zip(spans, qids, strict=True))
    return head, tail


def is_name(text: str) -> bool:
    """Whether a mention is a name, as opposed to a pronoun or a description such as "the company"."""
    words = [word for word in re.findall(r"[^\W_]+", text) if word.casefold() not in PRONOUNS]
    return any(word[0].isupper() for word in words)
