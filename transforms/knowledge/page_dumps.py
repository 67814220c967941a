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


class Header(NamedTuple):
    """What comes before the first page of a dump."""

    content: bytes


class PagePart(NamedTuple):
    """The XML of a page, which starts at `line`."""

    content: bytes
    line: int


class TooLarge(NamedTuple):
    """A page of more than MAX_PAGE_BYTES, which starts at `line`."""

    line: int


def pages(blocks: Iterable[bytes | BadRecord], name: str) -> Iterator["Header | DumpPage | TooLarge | BadRecord"]:
    """The header of a dump and its pages. `name`: of the file, for errors.

    A page that is broken or has no end is a BadRecord, and so is a file that is cut off.
    """
    parser = etree.XMLParser(**PARSER)
    for part in split_pages(blocks, name):
        if not isinstance(part, PagePart):
            yield part
            continue
        try:
            yield DumpPage.read(etree.fromstring(part.content, parser))
        except etree.XMLSyntaxError as error:
            line = part.line + (error.lineno or 1) - 1
            yield BadRecord(f"{name}:{line}", Reason.BROKEN_RECORD, f"broken XML: {error.msg}")


def split_pages(blocks: Iterable[bytes | BadRecord], name: str) -> Iterator[Header | PagePart | TooLarge | BadRecord]:
    """The header and the XML of each page, as `pages`."""
    buffer = b""
    line = 1  # of the start of the buffer
    header = True
    too_large = False  # the start of the page has been dropped
    damage: BadRecord | None = None
    for block in blocks:
        if isinstance(block, BadRecord):
            damage = block
            break
        buffer += block
        at = 0
        while True:
            if not too_large:
                begin = buffer.find(BEGIN, at)
                if header and (begin >= 0 or len(buffer) > MAX_HEADER_BYTES):
                    header = False
                    yield Header(buffer[: max(begin, 0)])
                if begin < 0:
                    keep = at if header else max(at, len(buffer) - len(BEGIN))
                    break
                line += buffer.count(b"\n", at, begin)
                at = begin
            end = buffer.find(END, at)
            if end < 0:
                if len(buffer) - at > MAX_PAGE_BYTES or too_large:
                    too_large = True
                    keep = max(at, len(buffer) - len(END))
                else:
                    keep = at
                break
            end += len(END)
            if too_large:
                yield TooLarge(line)
            else:
                last = buffer.rfind(BEGIN, at, end)
                if last > at:
                    yield BadRecord(f"{name}:{line}", Reason.BROKEN_RECORD, "the page has no end")
                    line += buffer.count(b"\n", at, last)
                    at = last
                yield PagePart(buffer[at:end], line)
            too_large = False
            line += buffer.count(b"\n", at, end)
            at = end
        line += buffer.count(b"\n", at, keep)
        buffer = buffer[keep:]
    if damage is not None:
        yield BadRecord(f"{name}:{line}", damage.reason, damage.detail)
    elif too_large or BEGIN in buffer:
        yield BadRecord(f"{name}:{line}", Reason.BROKEN_RECORD, "the file is cut off inside a page")


def namespaces(header: bytes) -> dict[str, int]:
    """Lower-case name of a namespace → its number, from the header of a dump."""
    return {name.decode("utf-8", "replace").lower(): int(key) for key, name in NAMESPACE.findall(header)}
