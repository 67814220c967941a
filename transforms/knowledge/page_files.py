"""Files of an encyclopaedia, or of other texts → Paragraphs, with links to titles that are not resolved yet.

A file is a MediaWiki XML dump, an HTML page, the wikitext of a page, or JSON lines of paragraphs.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
from lxml import etree

from schemas.errors import BadRecord, Reason, SourceError
from schemas.knowledge import Link, Paragraph
from transforms.files import File
from transforms.knowledge import dump_files, dump_parts, html_pages, page_dumps, titles, wikitext
from transforms.knowledge.dump_parts import Part
from transforms.knowledge.page_dumps import DumpPage, Pieces, TooLarge
from transforms.knowledge.passages import Passage, pieces, tokens
from transforms.knowledge.titles import NAMESPACES
from transforms.user_files import UNREADABLE, reason

Kind = Literal["xml", "html", "wikitext", "json"]

START_BYTES = 4_096
ENDINGS = re.compile(r"(?:\.(?:gz|bz2|xml|html?|jsonl?|txt|wiki|wikitext|mediawiki))+\Z", re.IGNORECASE)
XML = re.compile(rb"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<mediawiki\b", re.DOTALL)
HTML = re.compile(
    rb"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body|article|main)\b", re.I | re.S
)
WIKITEXT = re.compile(r".*\.(?:txt|wiki|wikitext|mediawiki)(?:\.gz|\.bz2)?\Z", re.IGNORECASE | re.DOTALL)
JSON = re.compile(rb'\{\s*(?:"|\})')
QID = re.compile(r"Q([1-9]\d{0,14})")


class Redirect(NamedTuple):
    """A page that only leads to another one."""

    title: str
    target: str


Record = Paragraph | Redirect | BadRecord


def kind(file: File) -> Kind:
    """What the file is: its content tells, and for wikitext its name. Raises SourceError for other files."""
    start = b""
    for block, _ in dump_parts.pieces(dump_parts.whole(file)):
        if isinstance(block, BadRecord):
            break
        start += block
        if len(start) >= START_BYTES:
            break
    start = start[:START_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    patterns: Sequence[tuple[re.Pattern[bytes], Kind]] = ((XML, "xml"), (HTML, "html"), (JSON, "json"))
    for pattern, form in patterns:
        if pattern.match(start):
            return form
    if start and b"\0" not in start and WIKITEXT.match(file.name):
        return "wikitext"
    raise SourceError(
        f"{file.name}:1: neither a MediaWiki XML dump, an HTML page, wikitext (.txt, .wiki) nor JSON lines; "
        "leave the file out"
    )


def keys(files: Sequence[File]) -> list[tuple[str, File]]:
    """(key, file) of the files, sorted so that `<key>/…` sorts in this order. The key is the file name without endings,
    with a number if several files have the same name.
    """
    count: Counter[str] = Counter()
    keyed = []
    for file in sorted(files, key=lambda file: (file.name, file.path)):
        stem = ENDINGS.sub("", file.name.rpartition("/")[2]) or "file"
        count[stem] += 1
        keyed.append((stem if count[stem] == 1 else f"{stem}~{count[stem]}", file))
    return sorted(keyed, key=lambda each: f"{each[0]}/")


class Reader:
    """Reads one file, or a part of it. `limit`: maximum number of pages, or of rows of JSON lines.

    After reading, `pages` is the number of pages or rows that were used; `pages_left_out` and `paragraphs_left_out`
    count by reason. `lines`: number of line ends. `numbers`: by how much those in the ids of the next part are higher.

    Pages: `redirect`, `namespace` (no article), `model` (no wikitext), `disambiguation`, `list`, `too large`, `empty`.
    Paragraphs: `short`, `long` (one sentence), `markup` (not closed).
    """

    def __init__(self, lang: str, min_tokens: int, max_tokens: int, limit: int | None = None):
        self.lang, self.min_tokens, self.max_tokens, self.limit = lang, min_tokens, max_tokens, limit
        self.namespaces: Mapping[str, int] = NAMESPACES
        self.pages = self.lines = self.numbers = 0
        self.pages_left_out: Counter[str] = Counter()
        self.paragraphs_left_out: Counter[str] = Counter()

    def read(self, key: str, part: Part, form: Kind) -> Iterator[Record]:
        """The paragraphs and redirects of a part of a file: of all of it, unless it is XML or JSON lines.

        The ids are `<key>/<page or line>/<paragraph, or id of the row>`; pages and lines are counted from the start of
        the part. A page or line that cannot be read is a BadRecord. If the file is cut off, a BadRecord comes last.
        """
        if form == "html":
            return self.read_html(key, part.file)
        if form == "wikitext":
            return self.read_wikitext(key, part.file)
        return self.read_dump(key, part) if form == "xml" else self.read_json(key, part)

    def read_dump(self, key: str, part: Part) -> Iterator[Record]:
        file = part.file
        header = page_dumps.header(dump_parts.pieces(dump_parts.whole(file)))
        self.namespaces = {**NAMESPACES, **page_dumps.namespaces(header)}
        for page in page_dumps.pages(self.with_lines(dump_parts.pieces(part)), file.name):
            self.numbers += 1
            if isinstance(page, TooLarge):
                self.pages_left_out["too large"] += 1
            elif isinstance(page, BadRecord):
                yield page
            else:
                yield from self.read_page(f"{key}/{self.numbers:08d}", page)
            if self.pages == self.limit:
                return

    def with_lines(self, pieces: Pieces) -> Pieces:
        for content, is_inside in pieces:
            if is_inside and isinstance(content, bytes):
                self.lines += content.count(b"\n")
            yield content, is_inside

    def read_page(self, start: str, page: DumpPage) -> Iterator[Record]:
        title = titles.normal_title(page.title)
        target = page.redirect or wikitext.redirect(page.text)
        if page.namespace != titles.ARTICLES:
            self.pages_left_out["namespace"] += 1
        elif target is not None:
            self.pages_left_out["redirect"] += 1
            yield Redirect(title, titles.normal_title(target))
        elif page.model != "wikitext":
            self.pages_left_out["model"] += 1
        elif len(page.text.encode("utf-8", "surrogatepass")) > wikitext.MAX_BYTES:
            self.pages_left_out["too large"] += 1
        elif not title or not page.text.strip():
            self.pages_left_out["empty"] += 1
        elif wikitext.is_disambiguation(title, page.text):
            self.pages_left_out["disambiguation"] += 1
        elif wikitext.is_list(title):
            self.pages_left_out["list"] += 1
        else:
            passages, skipped = wikitext.paragraphs(page.text, self.lang, self.namespaces)
            self.paragraphs_left_out.update(skipped)
            yield from self.cut(start, passages, title, None)

    def cut(self, start: str, passages: Iterable[Passage], title: str, qid: int | None) -> Iterator[Paragraph]:
        self.pages += 1
        number = 0
        for passage in passages:
            if tokens(passage.text, self.lang) < self.min_tokens:
                self.paragraphs_left_out["short"] += 1
                continue
            parts = list(pieces(passage, self.lang, self.max_tokens))
            self.paragraphs_left_out["long"] += not parts
            for part in parts:
                if tokens(part.text, self.lang) < self.min_tokens:
                    self.paragraphs_left_out["short"] += 1
                else:
                    number += 1
                    yield Paragraph(f"{start}/{number:05d}", self.lang, part.text, title, qid, part.links)

    def read_wikitext(self, key: str, file: File) -> Iterator[Record]:
        content, damage = whole(file, wikitext.MAX_BYTES)
        if content is None:
            self.pages_left_out["too large"] += 1
            return
        title = ENDINGS.sub("", file.name.rpartition("/")[2])
        try:
            text = content.decode().removeprefix("\ufeff").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            yield BadRecord(f"{file.name}:{line}", Reason.NOT_UTF8, "the page is not valid UTF-8")
        else:
            yield from self.read_page(f"{key}/{1:08d}", DumpPage(title, titles.ARTICLES, None, "wikitext", text))
        yield from damage

    def read_html(self, key: str, file: File) -> Iterator[Record]:
        content, damage = whole(file, html_pages.MAX_BYTES)
        if content is None:
            self.pages_left_out["too large"] += 1
            return
        try:
            content.decode()
            page = html_pages.Page(content)
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            yield BadRecord(f"{file.name}:{line}", Reason.NOT_UTF8, "the page is not valid UTF-8")
        except etree.ParserError as error:
            yield BadRecord(f"{file.name}:1", Reason.BROKEN_RECORD, f"no HTML: {error}")
        else:
            title = page.title or titles.normal_title(ENDINGS.sub("", file.name.rpartition("/")[2]))
            if page.namespace != titles.ARTICLES:
                self.pages_left_out["namespace"] += 1
            elif page.is_disambiguation() or wikitext.is_disambiguation(title, ""):
                self.pages_left_out["disambiguation"] += 1
            elif wikitext.is_list(title):
                self.pages_left_out["list"] += 1
            else:
                yield from self.cut(f"{key}/{1:08d}", page.paragraphs(self.lang), title, page.qid)
        yield from damage

    def read_json(self, key: str, part: Part) -> Iterator[Record]:
        decoder = msgspec.json.Decoder(Row)
        for line in dump_parts.lines(part):
            if self.pages == self.limit:
                return
            if isinstance(line, BadRecord):
                yield line
                continue
            number, content = line
            self.lines = self.numbers = number
            if not content.strip():
                continue
            place = f"{part.file.name}:{number}"
            try:
                row = decoder.decode(content)
            except msgspec.ValidationError as error:
                why = Reason.MISSING_FIELD if "missing required" in str(error) else Reason.BROKEN_RECORD
                yield BadRecord(place, why, f"{error}: {dump_files.excerpt(content)}")
            except UNREADABLE as error:
                detail = reason(error, content)
                why = Reason.NOT_UTF8 if "UTF-8" in detail else Reason.BROKEN_JSON
                yield BadRecord(place, why, f"{detail}: {dump_files.excerpt(content)}")
            else:
                *damage, record = row.paragraph(f"{key}/{number:08d}", self.lang, place)
                yield from damage
                self.pages += isinstance(record, Paragraph)
                yield record


class RowLink(msgspec.Struct, frozen=True, gc=False):
    """A link of a Row; offsets in code points."""

    start: int
    end: int
    title: str | None = None
    qid: str | None = None


class Row(msgspec.Struct, frozen=True, gc=False):
    """A line of JSON lines: a paragraph that is used as it is. Other keys are ignored."""

    text: str
    id: str | int | None = None
    title: str | None = None
    qid: str | None = None
    links: tuple[RowLink, ...] = ()

    def paragraph(self, start: str, lang: str, place: str) -> list[Record]:
        """A BadRecord for each link that cannot be used, and last the paragraph without them, with the id
        `<start>/<id>`; or a BadRecord alone. `place`: of the line.
        """
        if not self.text.strip():
            return [BadRecord(place, Reason.EMPTY_TEXT, "the text is blank")]
        damage = []
        if self.qid is not None and item_number(self.qid) is None:
            damage.append(BadRecord(place, Reason.BROKEN_RECORD, f"{self.qid!r} is no id of an item, such as Q42"))
        end, links = 0, []
        for link in sorted(self.links, key=lambda link: (link.start, link.end)):
            if not end <= link.start < link.end <= len(self.text):
                detail = f"the link {link.start}-{link.end} is empty, outside the text or overlaps another one"
                damage.append(BadRecord(place, Reason.OFFSET_MISMATCH, detail))
            elif link.qid is not None and item_number(link.qid) is None:
                detail = f"the link {link.start}-{link.end}: {link.qid!r} is no id of an item, such as Q42"
                damage.append(BadRecord(place, Reason.BROKEN_RECORD, detail))
            else:
                end = link.end
                title = titles.normal_title(link.title) if link.title else None
                links.append(Link(link.start, end, title or None, item_number(link.qid)))
        id_ = 0 if self.id is None else self.id
        paragraph = Paragraph(
            f"{start}/{id_}", lang, self.text, self.title or None, item_number(self.qid), tuple(links)
        )
        return [*damage, paragraph]


def item_number(qid: str | None) -> int | None:
    match = QID.fullmatch(qid or "")
    return int(match[1]) if match else None


def whole(file: File, limit: int) -> tuple[bytes | None, list[BadRecord]]:
    """The content of the file, None if it has more than `limit` bytes; and a BadRecord if it is cut off."""
    parts: list[bytes] = []
    damage: list[BadRecord] = []
    for block in dump_files.blocks(file):
        if isinstance(block, BadRecord):
            damage.append(BadRecord(f"{file.name}:1", block.reason, block.detail))
        else:
            parts.append(block)
            if sum(map(len, parts)) > limit:
                return None, damage
    return b"".join(parts), damage
