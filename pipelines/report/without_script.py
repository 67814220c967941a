"""The content of the report → what the page shows without JavaScript: its notices and headline figures, as text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

import msgspec

from schemas.example import SPLITS
from transforms.pages.phrases import LANGUAGES, Phrase, Phrasebook, Words, coded


class Examples(msgspec.Struct):
    examples: int = 0


class Counts(msgspec.Struct):
    instructions: int = 0


class Split(msgspec.Struct):
    kept: Examples
    read: int
    rejected: dict[str, int]
    dropped: dict[str, int]


class Source(msgspec.Struct, rename={"tasks": "asked"}):
    licence: str
    splits: dict[str, Split]
    tasks: dict[str, dict[str, Counts]]


class Build(msgspec.Struct):
    samples: bool


class Content(msgspec.Struct):
    """The parts of the content that this text needs."""

    build: Build
    pages: dict[str, str]
    sources: dict[str, Source]
    failed: dict[str, str]

    @property
    def only_losses(self) -> bool:
        """Whether the build has no instructions, and so no other pages and no stats.json."""
        return not self.pages


def without_script(content: Mapping, words: Mapping[str, Words]) -> str:
    """The HTML in all languages. `words`: those of the report."""
    read = msgspec.convert(content, Content)
    return "".join(f'<div lang="{lang}">{"".join(summary(read, Phrasebook(words, lang)))}</div>' for lang in LANGUAGES)


def summary(content: Content, say: Phrasebook) -> list[str]:
    """Title, notices, the table of figures and the links to other pages, in the language of `say`."""
    notices = [say("page.without_script"), *licence_notices(content, say)]
    notices += [say("notice.missing", source=key, reason=reason) for key, reason in content.failed.items()]
    if content.build.samples:
        notices.append(say("notice.samples"))
    card = "README.md" if say.language == "en" else f"README_{say.language}.md"
    links = (
        f'<li><a href="{escape(f"../{card}" if name == "card" else link)}">{coded(say(f"related.{name}"))}</a></li>'
        for name, link in content.pages.items()
    )
    return [
        f"<h1>{coded(say('page.title'))}</h1>",
        *(f'<p class="notice">{notice.html}</p>' for notice in notices),
        f"<p>{coded(say('headline.nothing') if content.only_losses else say('page.all_figures'))}</p>",
        f"<p>{coded(say('headline.sources', n=len(content.sources)))}</p>",
        *(losses if content.only_losses else figures)(content.sources, say),
        f"<ul>{''.join(links)}</ul>",
    ]


def licence_notices(content: Content, say: Phrasebook) -> list[Phrase]:
    """What the licences of the sources forbid; a build of samples has no text of theirs, and one without instructions
    has no corpus to publish.
    """
    keys = {
        licence: [key for key, source in content.sources.items() if source.licence == licence]
        for licence in (("gated",) if content.only_losses else ("gated", "ask"))
    }
    comma = say("list.comma")
    named = {licence: comma.join(of_licence) for licence, of_licence in keys.items() if of_licence}
    return [] if content.build.samples else [say(f"notice.{licence}", keys=them) for licence, them in named.items()]


def figures(sources: Mapping[str, Source], say: Phrasebook) -> list[str]:
    """A table of the texts and, by task, the instructions of each split."""
    rows: dict[str, Counter] = {say("column.texts"): Counter()}
    for source in sources.values():
        rows[say("column.texts")].update({split: counts.kept.examples for split, counts in source.splits.items()})
        for task, by_split in source.tasks.items():
            name = f"{say('column.instructions')}: {task}"
            counts = {split: counts.instructions for split, counts in by_split.items()}
            rows.setdefault(name, Counter()).update(counts)
    return table(sorted(rows.items()), say)


def losses(sources: Mapping[str, Source], say: Phrasebook) -> list[str]:
    """A table of the texts that were read, and of what was left out of each split by reason."""
    read: Counter[str] = Counter()
    by_reason: dict[str, Counter[str]] = {}
    for source in sources.values():
        for split, counts in source.splits.items():
            read[split] += counts.read
            for reason, number in (Counter(counts.rejected) + Counter(counts.dropped)).items():
                by_reason.setdefault(reason, Counter())[split] += number
    most = sorted(by_reason.items(), key=lambda item: (-item[1].total(), item[0]))
    return table([(say("column.texts"), read), *((say(f"reason.{reason}"), counts) for reason, counts in most)], say)


def table(rows: Sequence[tuple[str, Mapping[str, int]]], say: Phrasebook) -> list[str]:
    """A table with a column for each split."""
    lines: list[tuple[str, list[str]]] = [("", [say(f"split.{split}") for split in SPLITS])]
    lines += [(name, [f"{counts.get(split, 0):,}" for split in SPLITS]) for name, counts in rows]
    cells = (
        f"<th>{escape(name)}</th>" + "".join(f"<td class=n>{escape(cell)}</td>" for cell in row) for name, row in lines
    )
    return ["<table>", *(f"<tr>{cell}</tr>" for cell in cells), "</table>"]
