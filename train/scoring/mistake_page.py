"""A sample of mistakes → the part of the page of scores that shows them, with filters."""

import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from train.scoring.mistakes import Mistakes, payload

SCRIPT = Path(__file__).parent / "templates" / "mistakes.js"


def mistake_section(
    mistakes: Mistakes, files: Sequence[str], kinds: dict[str, dict[str, str]], hard_negatives: str
) -> Iterator[str]:
    """The section. `files`: the predictions of each run. `kinds`: class of error → its `colour` (a CSS class) and its
    `meaning`. `hard_negatives`: the address of the page of hard negatives, "" without one.
    """
    yield "<h2 id=mistakes>Mistakes</h2>"
    if not mistakes.texts:
        yield "<p>None.</p>"
        return
    yield from pair_table(mistakes, hard_negatives)
    yield (
        "<p>Texts with a mistake: <mark class=gold>mentions of the gold</mark>, <mark class=given>mentions of wrong "
        "predictions</mark>; ✓ right, ✗ wrong, ○ missed.</p>"
    )
    yield '<div class=filters role=search aria-label="Filter the texts">'
    for name, title in (("kind", "class of error"), ("source", "source"), ("task", "task"), ("label", "label")):
        yield f"<label>{title}<select id=mistakes-{name}><option value=''>all</option></select></label>"
    yield '<label>search<input type=search id=mistakes-search placeholder="words of a text, or an id"></label>'
    if len(files) > 1:
        yield "<label class=check><input type=checkbox id=mistakes-differs> only where the files differ</label>"
    yield "<button type=button id=mistakes-pair hidden></button>"
    yield "<span id=mistakes-count class=dim aria-live=polite></span></div>"
    yield "<div id=mistakes-list></div><p><button type=button id=mistakes-more>more</button></p>"
    content = payload(mistakes) | {"files": list(files), "kinds": kinds}
    encoded = json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
    yield f'<script type="application/json" id="mistakes-data">{encoded}</script>'
    yield f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>"


def pair_table(mistakes: Mistakes, hard_negatives: str) -> Iterator[str]:
    """The labels that are confused most often. A button shows the texts of a pair, a link the hard negatives of its
    source.
    """
    if not mistakes.pairs:
        return
    yield "<h3>Labels that are confused most often</h3>"
    head = "<th>right label<th>given label<th class=n>times<th>source<th>task"
    yield f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>"
    for number, pair in enumerate(mistakes.pairs):
        source = escape(pair.source)
        if hard_negatives and pair.key:
            source = f'<a href="{escape(hard_negatives)}#{escape(quote(f"{pair.task}/{pair.key}"))}">{source}</a>'
        yield (
            f"<tr><td><button type=button class=link data-pair={number}>{escape(pair.gold)}</button>"
            f"<td>{escape(pair.given)}<td class=n>{pair.times:,}<td>{source}<td>{pair.task}</tr>"
        )
    yield "</tbody></table></div>"
