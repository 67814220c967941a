"""MediaWiki XML dumps → their pages. Format: https://www.mediawiki.org/wiki/Help:Export

A dump is not parsed as one document: its pages are cut out and parsed one by one, so that a broken page costs only
itself, and memory does not grow with the dump.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lxml import etree

from schemas.errors import BadRecord, Reason
from transforms.knowledge import titles, wikitext

MAX_PAGE_BYTES = 4 * wikitext.MAX_BYTES
"""The maximum size of the XML of a page with all its revisions. Larger ones are not read into memory."""

MAX_HEADER_BYTES = 1 << 20
BEGIN, END = b"<page>", b"</page>"
NAMESPACE = re.compile(rb'<namespace key="(-?\d+)"[^>]*>([^<]+)</namespace>')
PARSER = {"resolve_entities": False, "no_network": True, "huge_tree": True}


class DumpPage(NamedTuple):
    """A page with its latest text. `redirect`: the title that it redirects to, as the dump says."""

    title: str
    namespace: int
    redirect: str | None
    model: str
    text: str

    @classmethod
    def read(cls, page: etree._Element) -> "DumpPage":
        redirect = page.find("redirect")
        revisions = page.findall("revision")
        revision = revisions[-1] if revisions else page
        return cls(
            page.findtext("title") or "",
            int(number) if (number := page.findtext("ns") or "").removeprefix("-").isdecimal() else titles.ARTICLES,
            redirect.get("title") if redirect is not None else None,
            revision.findtext("model") or "wikitext",
            revision.findtext("text") or "",
        )


class PagePart(NamedTuple):
    """The XML of a page, which starts at `line`."""

    content: bytes
    line: int


class TooLarge(NamedTuple):
    """A page of more than MAX_PAGE_BYTES, which starts at `line`."""

    line: int


Pieces = Iterable[tuple[bytes | BadRecord, bool]]
"""Content of a file in order, and whether it belongs to the part of the file that is read: `dump_parts.pieces`."""


def pages(pieces: Pieces, name: str) -> Iterator["DumpPage | TooLarge | BadRecord"]:
    """The pages that begin in a part of a dump. `name`: of the file, for errors. Lines count from that of `pieces`.

    A page that is broken or has no end is a BadRecord, and so is a damaged piece, which also costs the page around it,
    and a file that is cut off.
    """
    parser = etree.XMLParser(**PARSER)
    for part in split_pages(pieces, name):
        if not isinstance(part, PagePart):
            yield part
            continue
        try:
            yield DumpPage.read(etree.fromstring(part.content, parser))
        except etree.XMLSyntaxError as error:
            line = part.line + (error.lineno or 1) - 1
            yield BadRecord(f"{name}:{line}", Reason.BROKEN_RECORD, f"broken XML: {error.msg}")


def split_pages(pieces: Pieces, name: str) -> Iterator[PagePart | TooLarge | BadRecord]:
    """The XML of each page, as `pages`."""
    buffer = b""
    offset = inside = 0  # of the start of the buffer and of the end of the part, from the start of the pieces
    line = 1  # of the start of the buffer
    is_begun = too_large = False  # the buffer starts inside a page; its start has been dropped
    for content, is_inside in pieces:
        if isinstance(content, BadRecord):
            if not is_inside:
                return
            line += buffer.count(b"\n")
            yield BadRecord(f"{name}:{line}", content.reason, content.detail)
            offset, buffer, is_begun, too_large = offset + len(buffer), b"", False, False
            continue
        buffer += content
        if is_inside:
            inside = offset + len(buffer)
        at = 0
        while True:
            if not is_begun:
                begin = buffer.find(BEGIN, at)
                keep = begin if begin >= 0 else max(at, len(buffer) - len(BEGIN) + 1)
                if offset + keep >= inside and not is_inside:
                    return
                if begin < 0:
                    break
                line += buffer.count(b"\n", at, begin)
                at, is_begun = begin, True
            end = buffer.find(END, at)
            following = buffer.find(BEGIN, at + 1, end if end >= 0 else len(buffer))
            if following >= 0:
                no_end = BadRecord(f"{name}:{line}", Reason.BROKEN_RECORD, "the page has no end")
                yield TooLarge(line) if too_large else no_end
                end = following
            elif end >= 0:
                end += len(END)
                yield TooLarge(line) if too_large else PagePart(buffer[at:end], line)
            else:
                too_large = too_large or len(buffer) - at > MAX_PAGE_BYTES
                keep = max(at, len(buffer) - len(END)) if too_large else at
                break
            line += buffer.count(b"\n", at, end)
            at, is_begun, too_large = end, False, False
        line += buffer.count(b"\n", at, keep)
        offset, buffer = offset + keep, buffer[keep:]
    if is_begun:
        yield BadRecord(f"{name}:{line}", Reason.BROKEN_RECORD, "the file is cut off inside a page")


def header(pieces: Pieces) -> bytes:
    """What comes before the first page of a dump; empty if it is implausibly long."""
    content = b""
    for block, _ in pieces:
        if isinstance(block, BadRecord):
            break
        content += block
        before, begin, _ = content.partition(BEGIN)
        if begin:
            return before
        if len(content) > MAX_HEADER_BYTES:
            return b""
    return content


def namespaces(header: bytes) -> dict[str, int]:
    """Lower-case name of a namespace → its number, from the header of a dump."""
    return {name.decode("utf-8", "replace").lower(): int(key) for key, name in NAMESPACE.findall(header)}
