"""HTML pages of an encyclopaedia, as MediaWiki serves them → their paragraphs as plain text with links.

Only `<p>` counts: lists, tables, references, notes and boxes are left out, as with wikitext.
"""

import re
from collections.abc import Iterator, Set
from urllib.parse import unquote, urlsplit

from lxml import etree, html

from schemas.knowledge import Link
from transforms.knowledge import titles
from transforms.knowledge.passages import HOLE, Passage, tidy
from transforms.knowledge.wiki_templates import SUPERSCRIPTS
from transforms.knowledge.wikitext import SUPERSCRIPT

MAX_BYTES = 16 << 20

CONTENT = (
    "//div[contains(concat(' ', @class, ' '), ' mw-parser-output ')]",
    "//*[@id='mw-content-text']",
    "//*[@id='bodyContent']",
    "//main",
    "//body",
)
LEFT_OUT_TAGS = (
    *("aside", "dl", "figure", "footer", "form", "header", "math", "nav", "noscript", "ol", "pre", "script", "style"),
    *("table", "ul"),
)
LEFT_OUT_CLASSES = (
    *("error", "gallery", "hatnote", "infobox", "metadata", "mw-editsection", "mwe-math-element", "navbox"),
    *("noprint", "reference", "thumb", "toc", "Inline-Template", "mw-empty-elt"),
)
LEFT_OUT = etree.XPath(
    " | ".join(
        [
            *(f".//{tag}" for tag in LEFT_OUT_TAGS),
            *(f".//*[contains(concat(' ', @class, ' '), ' {name} ')]" for name in LEFT_OUT_CLASSES),
            ".//*[contains(translate(@style, ' ', ''), 'display:none')]",
        ]
    )
)
DISAMBIGUATION = etree.XPath(
    "boolean(//*[@id='disambigbox'] | //*[contains(@class, 'dmbox-disambig')] | //*[@id='setindexbox'])"
)
ENTITY = re.compile(rb'"wgWikibaseItemId":\s*"Q([1-9]\d{0,14})"|/(?:Special:EntityPage|entity)/Q([1-9]\d{0,14})\b')
NAMESPACE = re.compile(rb'"wgNamespaceNumber":\s*(-?\d+)')
SITE = re.compile(r"\s+[-–—|]\s+[^-–—|]*(?:wiki|维基|維基)[^|]*\Z", re.IGNORECASE)
PAGE_PATH = re.compile(r"(?:.*/)?(?:wiki|zh|zh-(?:hans|hant|cn|tw|hk|mo|sg|my))/(.+)|\./(.+)", re.DOTALL)


class Page:
    """A parsed page. `number`: of its namespace. `qid`: its item if the page names it."""

    def __init__(self, content: bytes):
        """Raises etree.ParserError for an empty page."""
        self.root = html.document_fromstring(content, parser=html.HTMLParser(encoding="utf-8"))
        self.title = self._title()
        entity = ENTITY.search(content)
        self.qid = int(entity[1] or entity[2]) if entity else None
        namespace = NAMESPACE.search(content)
        self.namespace = int(namespace[1]) if namespace else titles.ARTICLES

    def _title(self) -> str | None:
        """From the first heading, else from <title> without the name of the site."""
        for path in ("//h1[@id='firstHeading']", "//h1", "//title"):
            for element in self.root.xpath(path):
                text = " ".join(element.text_content().split())
                text = SITE.sub("", text) if path == "//title" else text
                if text:
                    return titles.upper_first(text)
        return None

    def is_disambiguation(self) -> bool:
        return DISAMBIGUATION(self.root)

    def paragraphs(self, lang: str) -> Iterator[Passage]:
        """The paragraphs of the main content that have text, tidied."""
        content = next((element for path in CONTENT for element in self.root.xpath(path)), None)
        if content is None:
            return
        left_out = set(LEFT_OUT(content))
        for paragraph in content.iter("p"):
            if paragraph in left_out or not left_out.isdisjoint(paragraph.iterancestors()):
                continue
            rendering = Rendering(lang, left_out)
            rendering.add_children(paragraph)
            passage = tidy(Passage("".join(rendering.parts), tuple(rendering.links)))
            if passage.text:
                yield passage


class Rendering:
    """The text and the links of an element."""

    def __init__(self, lang: str, left_out: Set[html.HtmlElement]):
        self.lang, self.left_out = lang, left_out
        self.parts: list[str] = []
        self.length = 0
        self.links: list[Link] = []

    def add(self, text: str | None) -> None:
        if text:
            self.parts.append(text)
            self.length += len(text)

    def add_children(self, element: html.HtmlElement) -> None:
        self.add(element.text)
        for child in element:
            start, before = self.length, len(self.links)
            if child in self.left_out:
                self.add(HOLE)
            elif child.tag == "br":
                self.add(" ")
            elif child.tag == "sup" and not len(child) and SUPERSCRIPT.fullmatch(child.text or ""):
                self.add(child.text.translate(SUPERSCRIPTS))
            elif isinstance(child.tag, str):
                self.add_children(child)
            if child.tag == "a" and self.length > start and len(self.links) == before:
                title = linked_title(child, self.lang)
                if title:
                    self.links.append(Link(start, self.length, title))
            self.add(child.tail)


def linked_title(anchor: html.HtmlElement, lang: str) -> str | None:
    """The title of the article that the anchor leads to; None if it leads elsewhere or to a page that is missing."""
    if "new" in (anchor.get("class") or "").split():
        return None
    try:
        url = urlsplit(anchor.get("href") or "")
    except ValueError:
        return None
    if url.netloc and not url.netloc.startswith((f"{lang}.wikipedia.", f"{lang}.m.wikipedia.")):
        return None
    match = PAGE_PATH.fullmatch(url.path)
    return titles.target(unquote(match[1] or match[2])).title if match else None
