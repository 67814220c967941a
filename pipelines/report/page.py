"""A validated build → `reports/report.html`: one file that shows it to a person, offline.

Text of the data meets the page in one place, a JSON block in which no character can end it; the scripts put it there
as text nodes alone. The page's policy (Content Security Policy) runs our script by its hash and nothing else.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pipelines.report.payload import payload
from schemas.build_statistics import Statistics

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("draw", "filter", "treemap", "flow", "charts", "checks", "graph", "browser", "rejects", "main")
"""`report_<name>.js`, in the order in which they stand in the page: each uses what comes before it."""


def page(output: str, statistics: Statistics) -> str:
    """The report of the build in `output`, on the sources in `statistics` alone."""
    return html(payload(output, statistics))


def html(content: Mapping) -> str:
    scripts = "\n".join((TEMPLATES / f"report_{name}.js").read_text("utf-8") for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{scripts}}})();\n'
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = {
        "policy": f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:",
        "style": (TEMPLATES / "report.css").read_text("utf-8"),
        "data": embedded(content),
        "script": script,
    }
    text = (TEMPLATES / "report.html").read_text("utf-8")
    pieces = text.split("@@")  # every second one names a part: no part is searched for the names of others
    return "".join(parts[piece] if n % 2 else piece for n, piece in enumerate(pieces))


def embedded(content: Mapping) -> str:
    """JSON that may stand in an HTML script block: `<` and `>`, with which a tag or a comment would begin or end, `&`,
    and the two line ends that JavaScript knows beside JSON's are written as escapes.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
