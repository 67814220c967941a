"""spaCy's binary training data (`.spacy`, `DocBin`) → one RawExample per document, without spaCy.

https://spacy.io/api/docbin: zlib-compressed msgpack with the attributes of all tokens in one array of numbers. A string
is represented by its number in spaCy's table of symbols, or else by its hash (MurmurHash64A with seed 1), so that the
strings in the file give the words back. Entities are those of `ents`; if nobody set them, the spans of all span groups.
The place of a document is its number in the file, which is read whole.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from struct import unpack
from typing import Any

import msgspec
import numpy as np

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Span
from transforms.files import File
from transforms.formats.head import Head
from transforms.formats.lost_parts import ignored
from transforms.joining import join_tokens

LIMIT = 2 << 30
"""Bytes of a file after decompression: a small file could decompress to any size."""

ORTH, ENT_IOB, ENT_TYPE, ENT_KB_ID = 65, 77, 78, 452
MISSING, INSIDE, OUTSIDE, BEGIN = range(4)
"""The values of ENT_IOB."""

SYMBOLS = {
    1: "IS_ALPHA IS_ASCII IS_DIGIT IS_LOWER IS_PUNCT IS_SPACE IS_TITLE IS_UPPER LIKE_URL LIKE_NUM LIKE_EMAIL IS_STOP",
    14: "IS_BRACKET IS_QUOTE IS_LEFT_PUNCT IS_RIGHT_PUNCT IS_CURRENCY",
    64: "ID ORTH LOWER NORM SHAPE PREFIX SUFFIX LENGTH CLUSTER LEMMA POS TAG DEP ENT_IOB ENT_TYPE HEAD SENT_START",
    81: "SPACY PROB LANG ADJ ADP ADV AUX CONJ CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X EOL SPACE",
    380: "PERSON NORP FACILITY ORG GPE LOC PRODUCT EVENT WORK_OF_ART LANGUAGE LAW DATE TIME PERCENT MONEY QUANTITY",
    396: "ORDINAL CARDINAL acomp advcl advmod agent amod appos attr aux auxpass cc ccomp complm conj cop csubj",
    413: "csubjpass dep det dobj expl hmod hyph infmod intj iobj mark meta neg nmod nn npadvmod nsubj nsubjpass",
    431: "num number oprd obj obl parataxis partmod pcomp pobj poss possessive preconj prep prt",
    445: "punct quantmod relcl rcmod root xcomp acl ENT_KB_ID MORPH ENT_ID IDX _",
}
"""Number of the first → the words that spaCy represents by numbers instead of hashes."""


class Content(msgspec.Struct):
    """`tokens`: an unsigned 64-bit number per token and attribute. `spaces`: a byte per token. `lengths`: a signed
    32-bit number per document.
    """

    attrs: list[int]
    tokens: bytes
    spaces: bytes
    lengths: bytes
    strings: list[str]
    cats: list[dict[str, Any]] = []
    flags: list[dict[str, Any]] = []
    span_groups: list[bytes] = []


def recognises(head: Head) -> bool:
    """Whether the file starts like compressed data."""
    return bool(head.lines) and head.lines[0].startswith("x")


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every document. A file that is not a DocBin is one BadRecord."""
    for file in files:
        content = _content(file.read())
        if isinstance(content, str):
            yield BadRecord(f"{file.name}:1", Reason.BROKEN_RECORD, content)
        else:
            yield from _documents(file.name, content)


def _content(data: bytes) -> Content | str:
    """The content of a file, or why it has none."""
    decompressor = zlib.decompressobj()
    try:
        packed = decompressor.decompress(data, LIMIT)
        if decompressor.unconsumed_tail:
            return f"more than {LIMIT:,} bytes after decompression; split it into several files"
        if not decompressor.eof:
            return "the file is truncated; save it again"
        content = msgspec.msgpack.decode(packed, type=Content)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"not a DocBin of spaCy 3 ({error}); save it with DocBin.to_disk"
    lengths = np.frombuffer(content.lengths[: len(content.lengths) // 4 * 4], "<i4")
    total = int(lengths.sum(dtype=np.int64))
    sizes_fit = len(content.tokens) == 8 * total * len(content.attrs) and len(content.spaces) == total
    if not sizes_fit or (lengths < 0).any() or not {ORTH, ENT_IOB, ENT_TYPE} <= set(content.attrs):
        return "the tokens do not have the attributes ORTH, ENT_IOB and ENT_TYPE; save it with all attributes"
    return content


def _documents(name: str, content: Content) -> Iterator[RawExample | BadRecord]:
    words = {number + at: word for number, line in SYMBOLS.items() for at, word in enumerate(line.split())}
    known = set(words.values())
    words[0] = ""
    words |= {hash_string(string): string for string in content.strings if string not in known}
    tokens = np.frombuffer(content.tokens, "<u8").reshape(-1, len(content.attrs))
    end = 0
    for number, length in enumerate(np.frombuffer(content.lengths, "<i4").tolist()):
        start, end = end, end + length
        columns = {attr: tokens[start:end, at].tolist() for at, attr in enumerate(content.attrs)}
        flags = content.flags[number] if number < len(content.flags) else {}
        spaces = None if flags.get("has_unknown_spaces") else [bool(byte) for byte in content.spaces[start:end]]
        groups = content.span_groups[number] if number < len(content.span_groups) else b""
        categories = content.cats[number] if number < len(content.cats) else {}
        try:
            yield _document(f"{name}:{number + 1}", columns, spaces, groups, words, len(categories))
        except KeyError as missing:
            detail = f"the file has no string for the number {missing}; save it again with spaCy 3"
            yield BadRecord(f"{name}:{number + 1}", Reason.BROKEN_RECORD, detail)


def _document(
    place: str,
    columns: dict[int, list[int]],
    spaces: Sequence[bool] | None,
    groups: bytes,
    words: dict[int, str],
    categories: int,
) -> RawExample:
    """A document. Raises KeyError for a number without a string."""
    tokens = [words[number] for number in columns[ORTH]]
    text, spans = join_tokens(tokens) if spaces is None else _spaced(tokens, spaces)

    def entity(label: int, first: int, last: int, concept: int = 0) -> Entity:
        start, end = spans[first][0], spans[last][1]
        concepts = (words[concept],) if words[concept] else ()
        return Entity(words[label], Mention(text[start:end], ((start, end),)), concepts=concepts)

    tags, concepts = columns[ENT_IOB], columns.get(ENT_KB_ID, [0] * len(tokens))
    starts = [at for at, tag in enumerate(tags) if tag == BEGIN]
    marked: list[Entity] = []
    for first in starts:
        last = first
        while last + 1 < len(tags) and tags[last + 1] == INSIDE:
            last += 1
        marked.append(entity(columns[ENT_TYPE][first], first, last, concepts[first]))
    grouped = _grouped(groups)
    lost: list[BadRecord] = []
    entities: list[Entity] | None = marked
    if MISSING in tags:
        entities = None
        if starts or OUTSIDE in tags:
            detail = f"the entities of {tags.count(MISSING)} of {len(tags)} tokens are unknown"
            lost.append(BadRecord(place, Reason.MISSING_FIELD, detail))
        elif grouped is not None:
            entities = [
                entity(label, first, end - 1) for label, first, end in grouped if 0 <= first < end <= len(tokens)
            ]
            grouped = None
    counts = {"spans of a span group": len(grouped or ()), "categories": categories}
    lost += ignored(place, {kind: count for kind, count in counts.items() if count})
    return RawExample(place, text, None if entities is None else tuple(entities), lost=tuple(lost))


def _spaced(tokens: Sequence[str], spaces: Sequence[bool]) -> tuple[str, list[Span]]:
    """The text and the span of each token. `spaces`: whether a blank follows the token."""
    spans, at = [], 0
    for token, space in zip(tokens, spaces, strict=True):
        spans.append((at, at + len(token)))
        at += len(token) + space
    return "".join(token + " " * space for token, space in zip(tokens, spaces, strict=True)), spans


def _grouped(groups: bytes) -> list[tuple[int, int, int]] | None:
    """(number of the label, first token, last + 1) of each span of the span groups; None if there are none, or they
    cannot be read. A group without spans is an annotation.
    """
    try:
        packed = msgspec.msgpack.decode(groups, type=dict[bytes, Any] | list[Any]) if groups else {}
        spans = [
            span
            for group in packed
            for span in msgspec.msgpack.decode(group)["spans"]
            if isinstance(group, bytes) and len(span) >= 32
        ]
        # A span ends with its label, its tokens and its characters, big-endian.
        return [unpack(">Qll", span[-24:-8]) for span in spans] if packed else None
    except (msgspec.DecodeError, KeyError, TypeError, RecursionError):
        return None


def hash_string(string: str) -> int:
    """MurmurHash64A of the UTF-8 bytes with seed 1; https://github.com/aappleby/smhasher/blob/master/src/MurmurHash2.cpp."""
    mask, multiplier = (1 << 64) - 1, 0xC6A4A7935BD1E995
    data = string.encode()
    whole = len(data) // 8 * 8
    result = 1 ^ (len(data) * multiplier & mask)
    for block in (data[at : at + 8] for at in range(0, whole, 8)):
        mixed = int.from_bytes(block, "little") * multiplier & mask
        mixed = (mixed ^ mixed >> 47) * multiplier & mask
        result = (result ^ mixed) * multiplier & mask
    if whole < len(data):
        result = (result ^ int.from_bytes(data[whole:], "little")) * multiplier & mask
    result = (result ^ result >> 47) * multiplier & mask
    return result ^ result >> 47
