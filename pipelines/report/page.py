"""A validated build → `reports/report.html`: a self-contained page that works offline.

Text of the data is only in one JSON block, escaped so that it cannot end the block, and the scripts only insert it as
text nodes. The Content Security Policy of the page only allows its own script, by hash.
"""

from collections.abc import Mapping
from pathlib import Path

from pipelines.report.payload import payload
from pipelines.report.sentences import sentence_words
from pipelines.report.without_script import without_script
from schemas.build_statistics import Statistics
from transforms.pages import phrases
from transforms.pages.document import PAGE_SCRIPT, embedded, policy, whole_script
from validation.rule_words import rule_words

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = (
    "draw",
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


def page(output: str, statistics: Statistics, pseudonymous: bool = False) -> str:
    """The report on the sources in `statistics` of the build in `output`. `pseudonymous`: without the names of
    annotators.
    """
    return html(payload(output, statistics, pseudonymous))


def html(content: Mapping) -> str:
    scripts = ((TEMPLATES / f"report_{name}.js").read_text("utf-8") for name in SCRIPTS)
    script = whole_script(PAGE_SCRIPT, *scripts)
    sentences, rules = sentence_words(), rule_words()
    words = {lang: each | sentences[lang] | rules[lang] for lang, each in phrases.read(TEMPLATES).items()}
    parts = {
        "policy": policy(script),
        "style": (TEMPLATES / "report.css").read_text("utf-8"),
        "words": embedded(words),
        "data": embedded(content),
        "script": script,
        "without_script": without_script(content, words),
    }
    text = (TEMPLATES / "report.html").read_text("utf-8")
    pieces = text.split("@@")  # every second piece is the name of a part, so parts are never searched for names
    return "".join(parts[piece] if n % 2 else piece for n, piece in enumerate(pieces))
