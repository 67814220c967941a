"""SuiteResults → one static HTML page with the meaning, number of rows and result of every expectation."""

from collections.abc import Iterable, Sequence
from html import escape

from transforms.pages.document import document
from transforms.pages.phrases import Phrase, Phrasebook, coded, html, read
from validation.check import ExpectationResult, SuiteResult
from validation.rule_words import TEMPLATES, rule_words
from validation.suites import SUITES

STYLE = """
table { width: 100%; }
th, td { padding: .45rem .6rem; }
td { overflow-wrap: anywhere; }
td a, td > code { white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; } .good, .bad { white-space: nowrap; }
tr.failed { box-shadow: inset 4px 0 var(--bad); }
ul { margin: .3rem 0 0; padding-left: 1.2rem; }
@media (max-width: 40rem) {
  thead { display: none; }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  td { display: block; border: 0; padding: .1rem .5rem; text-align: left !important; }
  td > .name { display: inline; } }
.name { display: none; color: var(--dim); }
"""

say = Phrasebook({lang: words | rule_words()[lang] for lang, words in read(TEMPLATES).items()})


def data_docs(results: Sequence[SuiteResult]) -> str:
    """The HTML page for one result per suite; equal results give equal bytes. It loads no other resources."""
    header = say.columns("suite", "about", "rows", "rules", "result")
    body = [
        f'<p><a href="../report.html" data-page>{html(say("page.report"))}</a></p>',
        f"<h1>{html(say('title'))}</h1>",
        f"<p>{verdict(results)} {html(say('about'))}</p>",
        table(header, (suite_row(result) for result in results)),
    ]
    for result in results:
        body.append(f'<h2 id="{escape(result.suite)}">{escape(result.suite)}</h2>')
        body.append(f"<p>{title(result.suite)} {html(say('suite.rows', n=result.rows))}</p>")
        broken_first = sorted(result.expectations, key=lambda expectation: expectation.success)
        rows = (expectation_row(expectation, result.rows) for expectation in broken_first)
        body.append(table(say.columns("rule", "column", "rows", "result", "examples"), rows))
    return document(say("title"), body, say.words, STYLE)


def verdict(results: Sequence[SuiteResult]) -> str:
    failed = [expectation for result in results for expectation in result.expectations if not expectation.success]
    if not failed:
        rules = sum(len(result.expectations) for result in results)
        return f'<span class="good">{html(say("verdict.passed", n=rules))}</span>'
    return f'<span class="bad">{html(say("verdict.failed", n=len(failed)))}</span>'


def title(suite: str) -> str:
    return rule(SUITES[suite].title) if suite in SUITES else ""


def rule(meaning: str) -> str:
    """A rule, or the title of a suite, as HTML."""
    return html(say(meaning)) if meaning in say.words["en"] else coded(meaning)


def suite_row(result: SuiteResult) -> str:
    failed = sum(not expectation.success for expectation in result.expectations)
    name = escape(result.suite)
    cells = [
        ("", "", f'<a href="#{name}">{name}</a>'),
        ("", "", title(result.suite)),
        ("rows", "n", f"{result.rows:,}"),
        ("rules", "n", str(len(result.expectations))),
        ("", *outcome(failed == 0, say("result.failed", n=failed))),
    ]
    return row(cells, failed > 0)


def expectation_row(expectation: ExpectationResult, rows: int) -> str:
    examples = "".join(f"<li><code>{escape(example)}</code></li>" for example in expectation.examples)
    column = escape(expectation.column) if expectation.column else html(say("column.all"))
    cells = [
        ("", "", f"{rule(expectation.meaning)}<br><small>{escape(expectation.name)}</small>"),
        ("column", "", f"<code>{column}</code>"),
        ("rows", "n", f"{rows:,}"),
        ("", *outcome(expectation.success, say("result.unexpected", n=expectation.unexpected))),
        ("", "", f"<ul>{examples}</ul>" if examples else ""),
    ]
    return row(cells, not expectation.success)


def outcome(success: bool, failure: Phrase) -> tuple[str, str]:
    return ("good", html(say("result.passed"))) if success else ("bad", html(failure))


def row(cells: Iterable[tuple[str, str, str]], failed: bool) -> str:
    """A table row. `cells`: (column whose name is shown on screens that hide the header, class, HTML)."""
    parts = []
    for column, kind, content in cells:
        name = f'<span class="name">{html(say(f"column.{column}"))} </span>' if column else ""
        parts.append(f'<td class="{kind}">{name}{content}</td>' if kind else f"<td>{name}{content}</td>")
    start = '<tr class="failed">' if failed else "<tr>"
    return start + "".join(parts) + "</tr>"


def table(header: Sequence[str], rows: Iterable[str]) -> str:
    numeric = {say("column.rows"), say("column.rules")}
    cells = "".join(f"<th{' class=n' if name in numeric else ''}>{html(name)}</th>" for name in header)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>\n" + "\n".join(rows) + "\n</tbody></table>"
