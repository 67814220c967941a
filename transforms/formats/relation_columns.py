"""Token lines, a blank line, relation lines and a blank line per sentence → one RawExample per sentence.

The layout of the corpus of Roth and Yih 2004 (https://aclanthology.org/W04-2401). Token lines have nine columns, of
which four are read: entity type (1), number of the token in the sentence (2), part of speech (4) and token (5).
Relation lines have three columns: the numbers of two tokens and a label. An entity is a single token, with its words
joined by `/`.
"""

from collections.abc import Iterable, Iterator

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample, Span
from transforms.files import File
from transforms.formats.columns import DOCSTART
from transforms.formats.offsets import is_offset
from transforms.formats.token_spans import PTB_ESCAPES, sentence

TOKEN_COLUMNS, RELATION_COLUMNS = 9, 3
TYPE, NUMBER, TAG, TOKEN = 1, 2, 4, 5
ESCAPES = {**PTB_ESCAPES, "COMMA": ","}

Row = tuple[int, list[str]]
"""Line number and columns."""


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every sentence with its entities and relations. The ends of relations have the types of their tokens, if any.

    The relation lines of a sentence may be missing. A broken line makes its sentence a BadRecord.
    """
    for file in files:
        tokens: list[Row] = []
        for block in _blocks(file):
            if len(block[0][1]) == RELATION_COLUMNS:
                yield _example(file.name, tokens, block)
                tokens = []
            else:
                if tokens:
                    yield _example(file.name, tokens, [])
                tokens = block
        if tokens:
            yield _example(file.name, tokens, [])


def _blocks(file: File) -> Iterator[list[Row]]:
    block: list[Row] = []
    for number, line in file.lines():
        if line.strip() and not line.startswith(DOCSTART):
            block.append((number, line.split("\t")))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _example(name: str, tokens: list[Row], relations: list[Row]) -> RawExample | BadRecord:
    if not tokens:
        return BadRecord(f"{name}:{relations[0][0]}", Reason.BROKEN_RECORD, "relations without a sentence before them")
    words: list[str] = []
    entities: list[tuple[Span, str]] = []
    for number, columns in tokens:
        if len(columns) != TOKEN_COLUMNS:
            detail = f"{len(columns)} tab-separated columns, not the {TOKEN_COLUMNS} of a token"
            return BadRecord(f"{name}:{number}", Reason.WRONG_COLUMNS, detail)
        if columns[NUMBER] != str(len(words)) or not columns[TOKEN]:
            detail = f"token {columns[NUMBER]!r} {columns[TOKEN]!r} is not token {len(words)} of the sentence"
            return BadRecord(f"{name}:{number}", Reason.BROKEN_RECORD, detail)
        if columns[TYPE] != "O":
            entities.append(((len(words), len(words) + 1), columns[TYPE]))
        words.append(_spelled(columns[TOKEN], columns[TAG]))
    links = []
    for number, columns in relations:
        if len(columns) != RELATION_COLUMNS or not (is_offset(columns[0]) and is_offset(columns[1])):
            detail = f"{columns} is not a relation, such as `token<TAB>token<TAB>label`"
            return BadRecord(f"{name}:{number}", Reason.WRONG_COLUMNS, detail)
        head, tail = int(columns[0]), int(columns[1])
        links.append(((head, head + 1), (tail, tail + 1), columns[2]))
    return sentence(f"{name}:{tokens[0][0]}", words, entities, links, escapes={})


def _spelled(token: str, tag: str) -> str:
    """`New/York`, `NNP/NNP` → `New York`. If the numbers of words and parts of speech differ, the `/` belongs to the
    text (`Editor/Publisher`, `NNP`).
    """
    words = token.split("/")
    if len(words) != tag.count("/") + 1:
        return token
    return " ".join(ESCAPES.get(word, word) for word in words)
