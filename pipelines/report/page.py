"""A validated build → `reports/report.html`: a self-contained page that works offline.

Text of the data is only in one JSON block, escaped so that it cannot end the block, and the scripts only insert it as
text nodes. The Content Security Policy of the page only allows its own script, by hash.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pipelines.report.payload import payload
from schemas.build_statistics import Statistics

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = (
    "draw",
    "words",
    "filter",
    "charts",
    "treemap",
    "flow",
    "checks",
    "graph",
    "marks",
    "answer",
    "browser",
    "difference",
    "rejects",
    "sources",
    "main",
)
"""`report_<name>.js`, in the order of the page: each script uses the earlier ones."""

LANGUAGES = ("en", "zh")
"""The languages of the page; `words.<language>.json` has what the page itself says in it: key → text, or its forms for
one and for other numbers. `{name}` stands for a value. The page chooses by the settings of the browser.
"""

Words = dict[str, str | dict[str, str]]


def page(output: str, statistics: Statistics, pseudonymous: bool = False) -> str:
    """The report on the sources in `statistics` of the build in `output`. `pseudonymous`: without the names of
    annotators.
    """
    return html(payload(output, statistics, pseudonymous))


def html(content: Mapping) -> str:
    scripts = "\n".join((TEMPLATES / f"report_{name}.js").read_text("utf-8") for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{scripts}}})();\n'
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = {
        "policy": f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:",
        "style": (TEMPLATES / "report.css").read_text("utf-8"),
        "data": embedded({"words": words(), **content}),
        "script": script,
    }
    text = (TEMPLATES / "report.html").read_text("utf-8")
    pieces = text.split("@@")  # every second piece is the name of a part, so parts are never searched for names
    return "".join(parts[piece] if n % 2 else piece for n, piece in enumerate(pieces))


def words() -> dict[str, Words]:
    """Language → what the page says in it."""
    return {
        lang: msgspec.json.decode((TEMPLATES / f"words.{lang}.json").read_bytes(), type=Words) for lang in LANGUAGES
    }


def embedded(content: Mapping) -> str:
    """JSON that is safe inside an HTML script block. `<`, `>` and `&`, which could begin or end a tag, a comment or an
    entity, are escaped, and so are U+2028 and U+2029, which are line ends in JavaScript but not in JSON.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
