"""A sample of mistakes → the part of the page of scores that shows them, with filters."""

from collections.abc import Iterator
from html import escape
from urllib.parse import quote

from train.scoring.mistakes import Mistakes
from train.scoring.words import TEMPLATES, say
from transforms.pages.phrases import element, html, in_all_languages, visible

SCRIPT = (TEMPLATES / "mistakes.js").read_text(encoding="utf-8")
"""Draws the texts from the data of the page: the payload of the mistakes, `files` (the predictions of each run), and
`colours` (class of error → CSS class).
"""


def mistake_section(mistakes: Mistakes, runs: int, hard_negatives: str) -> Iterator[str]:
    """The section. `hard_negatives`: the address of the page of hard negatives, "" without one."""
    yield element("h2", say("mistakes.title"), "id=mistakes")
    if not mistakes.texts:
        yield element("p", say("scores.none"))
        return
    yield from pair_table(mistakes, hard_negatives)
    yield f"<noscript>{in_all_languages(say.words, 'mistakes.without_script')}</noscript>"
    marks = (element("mark", say(f"mistakes.{kind}_mark"), f"class={kind}") for kind in ("gold", "given"))
    yield f"<p class='marks scripted'>{html(say('mistakes.about'))} {' '.join(marks)}</p>"
    yield f"<div class='filters scripted' role=search {say('mistakes.filter').label('aria-label')}>"
    for name in ("pair", "kind", "source", "task", "label"):
        every = element("option", say("mistakes.all"), "value=''")
        yield f"<label>{html(say(f'mistakes.{name}'))}<select id=mistakes-{name}>{every}</select></label>"
    search = say("mistakes.search_for").label("placeholder")
    yield f"<label>{html(say('mistakes.search'))}<input type=search id=mistakes-search {search}></label>"
    if runs > 1:
        differs = html(say("mistakes.differs"))
        yield f"<label class=check><input type=checkbox id=mistakes-differs> {differs}</label>"
    yield "<input type=hidden id=mistakes-shown>"
    yield "<span id=mistakes-count class=dim role=status aria-live=polite></span></div>"
    more = element("button", say("mistakes.more"), "type=button id=mistakes-more")
    yield f"<div id=mistakes-list></div><p class=scripted>{more}</p>"


def pair_table(mistakes: Mistakes, hard_negatives: str) -> Iterator[str]:
    """The labels that are confused most often. A button shows the texts of a pair, a link the hard negatives of its
    source.
    """
    if not mistakes.pairs:
        return
    yield element("h3", say("mistakes.confused"), "id=confused")
    gold, given, times, source, task = map(html, say.columns("right label", "given label", "times", "source", "task"))
    head = f"<th>{gold}<th>{given}<th class=n>{times}<th>{source}<th>{task}"
    yield f"<div class=wide tabindex=0><table class=pairs><thead><tr>{head}</tr></thead><tbody>"
    for number, pair in enumerate(mistakes.pairs):
        source = escape(visible(pair.source))
        if hard_negatives and pair.key:
            address = f"{escape(hard_negatives)}#{escape(quote(f'{pair.task}/{pair.key}'))}"
            source = f'<a href="{address}" data-page>{source}</a>'
        yield (
            f"<tr><td><button type=button class=link data-pair={number}>{escape(visible(pair.gold))}</button>"
            f"<td>{escape(visible(pair.given))}<td class=n>{pair.times:,}<td>{source}<td>{pair.task}</tr>"
        )
    yield "</tbody></table></div>"
