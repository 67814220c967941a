"""Wikitext → its paragraphs as plain text with links.

Templates, tables, references, lists and headings are left out. mwparserfromhell parses the sections one by one; what
must be decided before (comments, references, variants of Chinese) is done as MediaWiki's preprocessor does it.
Format: https://www.mediawiki.org/wiki/Help:Formatting
"""

import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping

import mwparserfromhell
from mwparserfromhell.nodes import Comment, ExternalLink, Heading, HTMLEntity, Node, Tag, Template, Text, Wikilink

from schemas.knowledge import Link
from transforms.knowledge import titles, wiki_templates
from transforms.knowledge.passages import HOLE, Passage, cut, substitute, tidy
from transforms.knowledge.titles import NAMESPACES
from transforms.knowledge.wiki_templates import SUPERSCRIPTS

MAX_BYTES = 2 << 20
"""The size above which MediaWiki itself does not store a page."""

MAX_UNCLOSED = 10
"""The parser reads a section again for each part of it that is opened and never closed. One with more is left out."""

REFERENCE = re.compile(r"<ref\b[^<>]*?(?:/>|>(?:(?!<ref\b).)*?</ref\s*>)", re.DOTALL | re.IGNORECASE)
HEADING = re.compile(r"^==[^\n]*==[ \t]*$", re.MULTILINE)
MAGIC_WORD = re.compile(r"__[A-Z]{3,}__|__[\u4e00-\u9fff]{2,6}__")
VARIANTS = re.compile(r"-\{((?:[^{}]|\{(?!\{)[^{}]*\})*?)\}-")
SIMPLIFIED = ("zh-hans", "zh-cn", "zh-sg", "zh-my", "zh")
VARIANT = re.compile(r"\s*(zh(?:-[a-z]+)?)\s*:(.*)", re.DOTALL)
VARIANT_START = re.compile(r";(?=\s*(?:[^;:]*=>)?\s*zh(?:-[a-z]+)?\s*:)")

DISAMBIGUATION = re.compile(
    r"\{\{\s*(?:(?:[\w-]+[ _])?disambig(?:uation)?(?:[ _]page)?|disamb|dab|[hg]ndis|geodis|numberdis|消歧[义義]頁?页?)"
    r"\s*(?:\||\}\})|__DISAMBIG__",
    re.IGNORECASE,
)
DISAMBIGUATION_TITLE = re.compile(r"[(（](?:disambiguation|消歧[义義])[)）]\Z", re.IGNORECASE)
LIST_TITLE = re.compile(r"(?:Lists? of|Index of|Outline of|Timeline of) |.*(?:列表|一[览覽]|年表)\Z")
REDIRECT = re.compile(r"\s*#(?:redirect|重定向)\s*[:：]?\s*\[\[([^\[\]|\n]+)", re.IGNORECASE)

OPENED_OR_CLOSED = re.compile(
    r"(?P<template>\{\{)|(?P<link>\[\[)|(?P<external>\[(?=https?:|//))|(?P<table>^[ :]*\{\|)"
    r"|(?P<comment><!--)|(?P<tag><(?![bh]r\b)[a-z](?![^<>]*/>))"
    r"|(?P<_template>\}\})|(?P<_link>\]\])|(?P<_external>\])|(?P<_table>^[ ]*\|\}(?!\}))|(?P<_tag></[a-z])",
    re.MULTILINE | re.IGNORECASE,
)

TABLE = re.compile(r"^[ :]*\{\|(?:[^\n]*\n(?![ :]*\{\|))+?[ ]*\|\}(?!\})", re.MULTILINE)
"""A table without another one in it."""

LEFT_OVER = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}|-\{|\}-|<!--|\[(?:https?:|//)|</?(?:ref|math|gallery)\b", re.I)
FORMATTING = re.compile(
    r"</?(?:abbr|b|bdi|big|blockquote|br|center|cite|code|dd|del|div|dl|dt|em|font|h\d|hr|i|ins|kbd|li|nowiki|"
    r"noinclude|ol|onlyinclude|p|q|s|samp|section|small|span|strong|sub|sup|tt|u|ul|var|wbr)\b[^<>]*>",
    re.IGNORECASE,
)
QUOTES = re.compile(r"'{2,}")

DROPPED = {
    *("categorytree", "ce", "chem", "code", "del", "gallery", "graph", "hiero", "imagemap", "includeonly"),
    *("indicator", "inputbox", "mapframe", "maplink", "math", "poem", "pre", "ref", "references", "s", "score"),
    *("section", "source", "strike", "style", "syntaxhighlight", "table", "templatestyles", "timeline"),
    *("ol", "ul", "dl", "li", "dd", "dt"),
}
BLOCKS = {"blockquote", "center", "div", "p"}
SUPERSCRIPT = re.compile(r"[+\-−]?\d+")
TRAIL = re.compile("[a-z]+")


def redirect(text: str) -> str | None:
    """The title that a page with this wikitext redirects to; None if it is no redirect."""
    match = REDIRECT.match(text)
    return titles.normal_title(match[1]) if match else None


def is_disambiguation(title: str, text: str) -> bool:
    return bool(DISAMBIGUATION_TITLE.search(title) or DISAMBIGUATION.search(text))


def is_list(title: str) -> bool:
    return bool(LIST_TITLE.match(title))


def paragraphs(text: str, lang: str, namespaces: Mapping[str, int] = NAMESPACES) -> tuple[list[Passage], Counter[str]]:
    """The paragraphs of a page, and reason → number of paragraphs and sections that are left out: `markup`, if markup
    that is not closed remains in the text.
    """
    kept: list[Passage] = []
    skipped: Counter[str] = Counter()
    text = REFERENCE.sub(HOLE, without_comments(text.replace(HOLE, "")))
    text = MAGIC_WORD.sub("", text)
    if lang == "zh":
        text = in_simplified(text)
    for section in HEADING.split(text):
        open_parts = unclosed(section)
        if open_parts > MAX_UNCLOSED:
            skipped["markup"] += 1
            continue
        if not open_parts:  # else a table may end elsewhere
            section = TABLE.sub(HOLE, section)  # the parser would take a quarter of its time for tables
        rendering = Rendering(lang, namespaces)
        rendering.add_nodes(mwparserfromhell.parse(section, skip_style_tags=True).nodes)
        for passage in rendering.paragraphs():
            if LEFT_OVER.search(passage.text):
                skipped["markup"] += 1
            elif passage.text:
                kept.append(passage)
    return kept, skipped


def without_comments(text: str) -> str:
    """The text without its comments; one that has no end stays."""
    parts = []
    done = 0
    while (start := text.find("<!--", done)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        parts.append(text[done:start])
        done = end + 3
    return "".join((*parts, text[done:]))


def in_simplified(text: str) -> str:
    """The text with its markup for variants of Chinese resolved, `-{zh-hans:信息;zh-hant:資訊}-` → `信息`."""
    previous = None
    for _ in range(3):  # one in another
        if text == previous:
            break
        previous, text = text, VARIANTS.sub(lambda match: simplified(match[1]), text)
    return text


def simplified(content: str) -> str:
    """The text that the `content` of `-{…}-` shows to a reader of simplified Chinese."""
    flags, bar, rest = content.partition("|")
    if bar and re.fullmatch(r"[A-Z\-;+ ]*", flags):
        if any(flag in flags for flag in "HTD-"):
            return ""
        content = rest
    elif bar and re.fullmatch(r"[a-z\-; ]+", flags):  # only for these variants
        return rest
    by_variant = {}
    for part in VARIANT_START.split(content):
        match = VARIANT.fullmatch(part)
        if match:
            by_variant[match[1]] = match[2].strip().removesuffix(";")
    if not by_variant:
        return content
    return next((by_variant[name] for name in SIMPLIFIED if name in by_variant), next(iter(by_variant.values())))


def unclosed(section: str) -> int:
    """The number of parts that are opened and not closed inside the part around them."""
    stack: list[str] = []
    depth: Counter[str] = Counter()
    count = 0
    for match in OPENED_OR_CLOSED.finditer(section):
        kind = str(match.lastgroup)
        if not kind.startswith("_"):
            stack.append(kind)
            depth[kind] += 1
        elif depth[kind[1:]]:
            while (top := stack.pop()) != kind[1:]:
                depth[top] -= 1
                count += 1
            depth[top] -= 1
    return count + len(stack)


class Rendering:
    """The text and the links of parsed wikitext."""

    def __init__(self, lang: str, namespaces: Mapping[str, int]):
        self.lang, self.namespaces = lang, namespaces
        self.parts: list[str] = []
        self.length = 0
        self.links: list[Link] = []

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)

    def add_nodes(self, nodes: list[Node]) -> None:
        trail = False
        for node in nodes:
            if isinstance(node, Text):
                text = node.value
                self.add(text)
                match = TRAIL.match(text) if trail else None
                if match:
                    *_, last = self.links
                    self.links[-1] = Link(last.start, last.end + match.end(), last.title)
            elif isinstance(node, Wikilink):
                before = len(self.links)
                self.add_link(node)
                trail = len(self.links) > before and self.lang != "zh"
                continue
            elif isinstance(node, Tag):
                self.add_tag(node)
            elif isinstance(node, Template):
                self.add_template(node)
            elif isinstance(node, HTMLEntity):
                self.add(node.normalize())
            elif isinstance(node, ExternalLink):
                if node.title is not None:
                    self.add_nodes(node.title.nodes)
                else:
                    self.add(HOLE if node.brackets else str(node.url))
            elif isinstance(node, Heading):
                self.add("\n\n")
            elif not isinstance(node, Comment):
                self.add(HOLE)
            trail = False

    def add_link(self, node: Wikilink) -> None:
        raw = str(node.title)
        target = titles.target(raw, self.namespaces)
        if target.kind == "hidden":
            self.add(HOLE)
            return
        start, before = self.length, len(self.links)
        if node.text is None:
            self.add(HOLE if "{" in raw else html.unescape(raw.strip().lstrip(":#")))
        elif str(node.text).strip():
            self.add_nodes(node.text.nodes)
        else:  # the pipe trick
            self.add(titles.without_bracket(raw.rpartition(":")[2].strip()).partition(",")[0])
        if target.kind == "page" and self.length > start and len(self.links) == before:
            self.links.append(Link(start, self.length, target.title))

    def add_tag(self, node: Tag) -> None:
        name = str(node.tag).strip().lower()
        markup = node.wiki_markup
        if markup in ("*", "#", ":", ";"):
            self.add(markup)
        elif name in DROPPED:
            self.add(HOLE)
        elif name == "br":
            self.add(" ")
        elif name == "hr":
            self.add("\n\n")
        elif name == "sup":
            text = str(node.contents)
            if SUPERSCRIPT.fullmatch(text):
                self.add(text.translate(SUPERSCRIPTS))
            else:
                self.add_nodes(node.contents.nodes)
        elif node.contents is not None:
            edge = "\n\n" if name in BLOCKS else ""
            self.add(edge)
            self.add_nodes(node.contents.nodes)
            self.add(edge)

    def add_template(self, node: Template) -> None:
        result = wiki_templates.shown(node)
        start = self.length
        if result is None:
            self.add(HOLE)
        elif isinstance(result.text, str):
            self.add(result.text)
        else:
            self.add_nodes(result.text.nodes)
        if result and result.title:
            self.links.append(Link(start, self.length, result.title))

    def paragraphs(self) -> Iterator[Passage]:
        """The paragraphs, tidied: lines without a blank line between them, except items of lists and rows of tables."""
        whole = Passage("".join(self.parts), tuple(self.links))
        start = end = position = 0
        for line in whole.text.splitlines(keepends=True):
            content = line.strip(f" \t\r\n{HOLE}")
            if content and line.lstrip(HOLE)[:1] not in "*#:;|!" and not content.startswith(("{|", "|")):
                start, end = start if end > start else position, position + len(line)
            elif end > start:
                yield plain(cut(whole, start, end))
                start = end = position
            position += len(line)
        if end > start:
            yield plain(cut(whole, start, end))


def plain(passage: Passage) -> Passage:
    """The passage without the marks of bold and italics and without stray tags, tidied."""
    if "''" in passage.text:
        passage = without_quotes(passage)
    if "<" in passage.text:
        passage = substitute(passage, FORMATTING, " ")
    return tidy(passage)


def without_quotes(passage: Passage) -> Passage:
    """The passage without `''` and `'''`. If both are unbalanced, one `'''` is an apostrophe and `''`, as in
    `''Titanic'''s`.
    """
    lengths = [len(match) for match in QUOTES.findall(passage.text)]
    shown = ["'" * (1 if length == 4 else max(length - 5, 0)) for length in lengths]
    bold = sum(length != 2 for length in lengths)
    italic = sum(length == 2 or length >= 5 for length in lengths)
    if bold % 2 and italic % 2:
        starts = [match.start() for match in QUOTES.finditer(passage.text)]
        after_word = [n for n, length in enumerate(lengths) if length == 3 and passage.text[: starts[n]][-1:].strip()]
        if after_word:
            shown[after_word[0]] = "'"
    marks = iter(shown)
    return substitute(passage, QUOTES, lambda match: next(marks))
