"""Titles of MediaWiki pages: their normal form, their namespaces, and the targets of links.

Format: https://www.mediawiki.org/wiki/Help:Links, https://www.mediawiki.org/wiki/Help:Namespaces
"""

import html
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple
from urllib.parse import unquote

ARTICLES, MEDIA, FILES, CATEGORIES, OTHER = 0, -2, 6, 14, 4

NAMESPACES: Mapping[str, int] = {
    **dict.fromkeys(("media", "媒体", "媒體"), MEDIA),
    **dict.fromkeys(("file", "image", "文件", "档案", "檔案", "图像", "圖像"), FILES),
    **dict.fromkeys(("category", "分类", "分類"), CATEGORIES),
    **dict.fromkeys(
        (
            *("special", "talk", "user", "user talk", "wikipedia", "wp", "project", "mediawiki", "template", "help"),
            *("portal", "draft", "module", "book", "timedtext", "mos", "template talk", "category talk"),
            *("特殊", "用户", "用戶", "使用者", "维基百科", "維基百科", "模板", "样板", "樣板", "帮助", "幫助", "说明"),
            *("說明", "主题", "主題", "模块", "模組"),
        ),
        OTHER,
    ),
}
"""Name of a namespace in English or Chinese, lower case → its number, of which only 0, -2, 6 and 14 matter."""

INTERWIKI = {
    *("b", "c", "d", "m", "n", "q", "s", "v", "w", "mw", "voy", "wikt", "commons", "meta", "metawiki", "species"),
    *("wikibooks", "wikidata", "wikinews", "wikipedia", "wikiquote", "wikisource", "wikispecies", "wikiversity"),
    *("wikivoyage", "wiktionary", "doi", "hdl"),
}
LANGUAGE = re.compile(r"(?:[a-z]{2,3}(?:-[a-z]{2,})*|simple)\Z")

BRACKETED = re.compile(r"\s*[(（][^()（）]*[)）]\Z")


class Target(NamedTuple):
    """Where a link leads. `page`: to the article `title`. `text`: elsewhere, so that only its text matters. `hidden`:
    it is not part of the text (a file, a category, the same page in another language).
    """

    kind: Literal["page", "text", "hidden"]
    title: str | None = None


def normal_title(raw: str) -> str:
    """The title as MediaWiki stores it, with blanks instead of underscores, without the fragment; "" if none is left.

    `a%20b_c#d` → `A b c`.
    """
    decoded = html.unescape(unquote(raw) if "%" in raw else raw)
    return upper_first(" ".join(decoded.partition("#")[0].replace("_", " ").split()))


def upper_first(title: str) -> str:
    first = title[:1].upper()
    return first + title[1:] if len(first) == 1 else title


def without_bracket(title: str) -> str:
    """`Mercury (planet)` → `Mercury`; the title itself if nothing would be left."""
    return BRACKETED.sub("", title) or title


def target(raw: str, namespaces: Mapping[str, int] = NAMESPACES) -> Target:
    """The target of the wikilink `[[raw]]`."""
    visible = raw.lstrip().startswith(":")
    written = raw.strip().removeprefix(":").strip()
    prefix, colon, _ = written.partition(":")
    if colon:
        name = " ".join(prefix.replace("_", " ").split())
        number = namespaces.get(name.lower(), ARTICLES)
        if number in (FILES, MEDIA, CATEGORIES):
            return Target("text" if visible else "hidden")
        if number != ARTICLES or name.lower() in INTERWIKI:
            return Target("text")
        if LANGUAGE.match(name):
            return Target("text" if visible else "hidden")
    title = normal_title(written)
    return Target("page", title) if title and not title.startswith("/") else Target("text")
