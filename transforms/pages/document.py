"""The content of a page → an HTML document that loads nothing.

Its Content Security Policy only allows its own script, by hash, so text of the data can never run.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from transforms.pages.phrases import Phrase, Words, in_all_languages

FOLDER = Path(__file__).parent / "templates"
STYLE = (FOLDER / "page.css").read_text("utf-8")
PAGE_SCRIPT = "".join((FOLDER / f"{name}.js").read_text("utf-8") for name in ("words", "view"))
"""The script of every page: `sayPage` puts its words in place, `restoreView` the view of its address."""


def document(
    title: Phrase,
    body: Iterable[str],
    words: Mapping[str, Words],
    style: str = "",
    script: str = "",
    data: Mapping | None = None,
) -> str:
    """The document. `style`: rules besides those of `page.css`. `script`: runs after the words are in place and before
    the view of the address. `data`: the content of the JSON block with the id `data`, None for none.
    """
    code = whole_script(PAGE_SCRIPT, "sayPage();\n", script, "restoreView();\n")
    blocks = [json_block("words", words), *([json_block("data", data)] if data is not None else [])]
    lines = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy(code)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title {title.attributes('say')}>{title}</title><style>{STYLE}{style}</style>",
        "<noscript><style>.scripted { display: none; }</style></noscript></head><body>",
        f'<noscript>{in_all_languages(words, "page.without_script")}</noscript><header id="languages"></header><main>',
        *body,
        "</main>",
        *blocks,
        f"<script>{code}</script></body></html>\n",
    ]
    return "\n".join(lines)


def whole_script(*scripts: str) -> str:
    """Scripts that use each other's names, as one whose names are its own."""
    return f'"use strict";\n(() => {{\n{"".join(scripts)}}})();\n'


def policy(script: str) -> str:
    """The Content Security Policy of a page with this one script."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:"


def json_block(name: str, content: Mapping) -> str:
    return f'<script type="application/json" id="{name}">{embedded(content)}</script>'


def embedded(content: Mapping) -> str:
    """JSON that is safe inside an HTML script block. `<`, `>` and `&`, which could begin or end a tag, a comment or an
    entity, are escaped, and so are U+2028 and U+2029, which are line ends in JavaScript but not in JSON.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
