"""SuiteResults → one static HTML page with the meaning, number of rows and result of every expectation."""

from collections.abc import Iterable, Sequence
from html import escape

from validation.check import ExpectationResult, SuiteResult
from validation.suites import SUITES

STYLE = """
:root { color-scheme: light dark; --line: #d0d7de; --dim: #57606a; --good: #1a7f37; --bad: #b3261e; --tint: #fdecea;
  --code: #f3f4f6; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --dim: #9da7b3; --good: #57c26e; --bad: #ff8a80; --tint: #3a1d1d; --code: #24292f; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; }
td { overflow-wrap: anywhere; }
td a, td > code { white-space: nowrap; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
small { color: var(--dim); }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; } .good, .bad { white-space: nowrap; }
tr.failed { background: var(--tint); }
code { background: var(--code); padding: .1em .3em; border-radius: 3px; font-size: .9em; }
ul { margin: .3rem 0 0; padding-left: 1.2rem; }
@media (max-width: 40rem) {
  thead { display: none; }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  td { display: block; border: 0; padding: .1rem .5rem; text-align: left !important; }
  td[data-name]::before { content: attr(data-name) ": "; color: var(--dim); } }
"""


def data_docs(results: Sequence[SuiteResult]) -> str:
    """The HTML page for one result per suite; equal results give equal bytes. It contains no scripts and loads no other
    resources.
    """
    body = [
        '<p><a href="../report.html">Report of the build</a></p>',
        "<h1>Validation</h1>",
        f"<p>{verdict(results)} Every rule below was checked on all rows, without sampling.</p>",
        table(("Suite", "What it checks", "Rows", "Rules", "Result"), (suite_row(result) for result in results)),
    ]
    for result in results:
        body.append(f'<h2 id="{escape(result.suite)}">{escape(result.suite)}</h2>')
        body.append(f"<p>{escape(title(result.suite))} {result.rows:,} rows.</p>")
        broken_first = sorted(result.expectations, key=lambda expectation: expectation.success)
        rows = (expectation_row(expectation, result.rows) for expectation in broken_first)
        body.append(table(("Rule", "Column", "Rows", "Result", "Examples"), rows))
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Validation</title><style>{STYLE}</style></head><body>",
            *body,
            "</body></html>\n",
        ]
    )


def verdict(results: Sequence[SuiteResult]) -> str:
    failed = [expectation for result in results for expectation in result.expectations if not expectation.success]
    if not failed:
        rules = sum(len(result.expectations) for result in results)
        return f'<span class="good">✓ All {rules} rules passed.</span>'
    return f'<span class="bad">✗ {len(failed)} {"rule" if len(failed) == 1 else "rules"} failed.</span>'


def title(suite: str) -> str:
    return SUITES[suite].title if suite in SUITES else ""


def suite_row(result: SuiteResult) -> str:
    failed = sum(not expectation.success for expectation in result.expectations)
    name = escape(result.suite)
    cells = [
        ("", "", f'<a href="#{name}">{name}</a>'),
        ("", "", escape(title(result.suite))),
        ("Rows", "n", f"{result.rows:,}"),
        ("Rules", "n", str(len(result.expectations))),
        ("", *outcome(failed == 0, f"{failed} failed")),
    ]
    return row(cells, failed > 0)


def expectation_row(expectation: ExpectationResult, rows: int) -> str:
    examples = "".join(f"<li><code>{escape(example)}</code></li>" for example in expectation.examples)
    cells = [
        ("", "", f"{code_marks(expectation.meaning)}<br><small>{escape(expectation.name)}</small>"),
        ("Column", "", f"<code>{escape(expectation.column or 'all')}</code>"),
        ("Rows", "n", f"{rows:,}"),
        ("", *outcome(expectation.success, f"{expectation.unexpected:,} unexpected")),
        ("", "", f"<ul>{examples}</ul>" if examples else ""),
    ]
    return row(cells, not expectation.success)


def outcome(success: bool, failure: str) -> tuple[str, str]:
    return ("good", "✓ passed") if success else ("bad", f"✗ {failure}")


def code_marks(text: str) -> str:
    """The escaped text with the parts between backticks as <code>."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def row(cells: Iterable[tuple[str, str, str]], failed: bool) -> str:
    """A table row. `cells`: (name shown on screens that hide the header, class, HTML)."""
    parts = []
    for name, kind, html in cells:
        attributes = (f' data-name="{name}"' if name else "") + (f' class="{kind}"' if kind else "")
        parts.append(f"<td{attributes}>{html}</td>")
    start = '<tr class="failed">' if failed else "<tr>"
    return start + "".join(parts) + "</tr>"


def table(header: Sequence[str], rows: Iterable[str]) -> str:
    cells = "".join(f"<th{' class=n' if name in ('Rows', 'Rules') else ''}>{name}</th>" for name in header)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>\n" + "\n".join(rows) + "\n</tbody></table>"
