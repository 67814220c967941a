"""GENIA term XML (GPML), terms nested in sentences → one RawExample per sentence.

Format: Kim et al. 2003, https://doi.org/10.1093/bioinformatics/btg1023, and the `gpml.dtd` of GENIA 3.02. A term is
`<cons lex= sem=>`, its type `G#class`. A coordination has one class per conjunct and lists the conjuncts in its lex.
Fragments without `sem`, whose lex ends or starts with a star, mark the pieces of the conjuncts:

    <cons lex="(AND B_cell T_cell)" sem="(AND G#cell_type G#cell_type)"><cons lex="B*">B</cons> and
    <cons lex="T*">T</cons> <cons lex="*cell">cells</cons></cons>
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from io import BytesIO

from lxml import etree

from schemas.errors import BadRecord, Reason, SourceError
from schemas.example import Entity, Mention, RawExample, Span, surface
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats.inline import trimmed

MAX_FRAGMENTS = 64
"""The conjuncts of a coordination with more fragments than this are lost. The largest one of GENIA 3.02 has 8."""

CLASS = re.compile(r"(?:^|\s)([^\s()]+)")
"""A class in the `sem` of a coordination. Operators do not match: they directly follow a parenthesis."""

Fragment = tuple[str, Span]
"""A piece of a coordination: its lex in lower case without star and spaces, and its span."""


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every sentence of every article, with all terms in the order of their start tags, outer before inner.

    The conjuncts of a coordination take its place, as mentions of several spans ("B ... cells") or of one ("T cells").
    A conjunct whose lex cannot be composed of the fragments is lost alone; of nested coordinations all conjuncts are
    lost. Neither the DTD nor external entities are loaded. If the XML is broken, one BadRecord reports the rest of the
    file. A file that is not UTF-8 is a SourceError.
    """
    for file in files:
        data = file.read()
        try:
            data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise SourceError(
                f"{file.name}:{line}: byte 0x{data[error.start]:02x} is not valid UTF-8; re-encode it"
            ) from error
        sentences = etree.iterparse(
            BytesIO(data),
            tag="sentence",
            load_dtd=False,
            resolve_entities=False,
            no_network=True,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            for _, element in sentences:
                yield _example(f"{file.name}:{element.sourceline}", element)
                element.clear()
        except etree.XMLSyntaxError as error:
            yield BadRecord(
                f"{file.name}:{error.lineno or 1}",
                Reason.BROKEN_RECORD,
                f"broken XML, the rest is not read: {error.msg}",
            )


def _example(place: str, element: etree._Element) -> RawExample:
    pieces: list[str] = []
    spans: dict[etree._Element, Span] = {}

    def walk(node: etree._Element, start: int) -> int:
        pieces.append(node.text or "")
        end = start + len(pieces[-1])
        for child in node:
            end = walk(child, end)
            pieces.append(child.tail or "")
            end += len(pieces[-1])
        spans[node] = (start, end)
        return end

    walk(element, 0)
    text = "".join(pieces)
    entities = []
    lost: list[BadRecord] = []
    for term in element.iter("cons"):
        meaning = term.get("sem", "")
        if meaning.startswith("("):
            for conjunct in _conjuncts(place, term, text, spans):
                if isinstance(conjunct, BadRecord):
                    lost.append(conjunct)
                else:
                    label, conjunct_spans = conjunct
                    entities.append(Entity(label, Mention(surface(text, conjunct_spans), conjunct_spans)))
        elif meaning:
            span = trimmed(text, spans[term])
            entities.append(Entity(meaning, Mention(text[slice(*span)], (span,))))
    return RawExample(place, text, tuple(entities), lost=tuple(lost))


def _conjuncts(
    place: str, term: etree._Element, text: str, spans: dict
) -> Iterator[tuple[str, tuple[Span, ...]] | BadRecord]:
    """(class, spans) of each conjunct, or a BadRecord if the fragments do not spell it. A conjunct whose lex has a star
    is skipped, since it is a fragment of an outer coordination.
    """
    classes, lexes = (_operands(term.get(name, "")) for name in ("sem", "lex"))
    if len(classes) != len(lexes) or not lexes:
        detail = f"{term.get('lex', '')[:80]!r} and its classes are not the conjuncts of one coordination; left out"
        unknown = tuple(UnknownLabel("entities", label) for label in CLASS.findall(term.get("sem", "")))
        yield BadRecord(place, Reason.BROKEN_RECORD, detail, unknown)
        return
    starred = [part for part in term.iter("cons") if _is_piece(part.get("lex", ""))]
    outer = {part for inner in starred for part in inner.iterancestors()}
    leaves = [part for part in starred if part not in outer]
    readable = len(leaves) <= MAX_FRAGMENTS
    fragments = [(_bare(part.get("lex")), trimmed(text, spans[part])) for part in leaves] if readable else []
    for label, lex in zip(classes, lexes, strict=True):
        if not _is_piece(lex):
            matching = _find_spans(_bare(lex), fragments)
            if matching:
                yield label, _merge_adjacent(text, matching)
            else:
                why = "its fragments do not spell it" if readable else f"it has more than {MAX_FRAGMENTS} fragments"
                detail = f"conjunct {lex[:80]!r} is left out: {why}"
                yield BadRecord(place, Reason.MENTION_NOT_IN_TEXT, detail, (UnknownLabel("entities", label),))


def _is_piece(lex: str) -> bool:
    return lex.startswith("*") or lex.endswith("*")


def _operands(expression: str) -> list[str]:
    """`(AND B_cell T_cell)` → both operands; none if one of them is an expression."""
    operands = expression.removeprefix("(").removesuffix(")").split()[1:]
    return [] if any(operand.startswith("(AND") or operand.startswith("(OR") for operand in operands) else operands


def _bare(lex: str) -> str:
    return re.sub(r"[*_\\\s]", "", lex).lower()


def _find_spans(lex: str, fragments: Sequence[Fragment]) -> tuple[Span, ...] | None:
    """The spans of the first sequence of fragments, in text order, that spells `lex`; None if there is none."""

    @cache  # without it, the time is exponential for repeated fragments
    def from_place(at: int, first: int) -> tuple[Span, ...] | None:
        for index in range(first, len(fragments)):
            piece, span = fragments[index]
            # A lex should be singular, but some are not.
            if abs(len(lex) - at - len(piece)) <= 1 and piece.removesuffix("s") == lex[at:].removesuffix("s"):
                return (span,)
            if piece and lex.startswith(piece, at):
                rest = from_place(at + len(piece), index + 1)
                if rest is not None:
                    return (span, *rest)
        return None

    return from_place(0, 0)


def _merge_adjacent(text: str, spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans, with those merged that only whitespace separates."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and not text[merged[-1][1] : start].strip():
            start = merged.pop()[0]
        merged.append((start, end))
    return tuple(merged)
