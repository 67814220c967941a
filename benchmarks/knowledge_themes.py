"""python -m benchmarks.knowledge_themes: measures how often Chinese paragraphs get the right theme of the twelve.

The theme is that of the item whose name opens the paragraph, after the stages entities, types, pages and link of
pipelines.knowledge. For other paragraphs, `theme_classifier` decides.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from benchmarks import knowledge_gold, knowledge_run, theme_classifier
from benchmarks.knowledge import percent
from benchmarks.theme_classifier import Names
from pipelines.knowledge import config
from schemas import command
from schemas.knowledge import LinkedParagraph, from_table
from transforms import files
from transforms.knowledge import themes
from transforms.knowledge.themes import Themes
from transforms.settings import Settings

LANG = "zh"
AFTER_A_NAME = "，,。（(、；：:》是为位在於于乃即指，又也"
"""Characters that follow the name of the subject. Another character shows that a longer name begins there."""

ITEM = "item of the opening name"


class Row(msgspec.Struct):
    """A paragraph of the Chinese test set of InstructIE (CCKS 2023) in `input`, with its theme in `cate`."""

    id: int
    cate: str
    input: str


@dataclass(frozen=True)
class Answer:
    """`rule`: what decided, ITEM or a rule of the classifier."""

    row: Row
    theme: str | None
    rule: str

    @property
    def is_right(self) -> bool:
        return self.theme == self.row.cate


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("benchmarks.knowledge_themes", __doc__)
    parser.add_argument("--texts", required=True, metavar="FILE", help="JSON lines with id, cate (theme) and input")
    parser.add_argument("--wikidata", required=True, nargs="+", metavar="FILE", help="dumps of the knowledge graph")
    parser.add_argument("--folder", metavar="DIR", help="keep the results of the stages, and resume from them")
    parser.add_argument("--workers", type=int, default=1, help="number of worker processes")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="show N errors")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, print_figures, flags)


def print_figures(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as temporary:
        figures = measure(options, options.folder or temporary)
    print(json.dumps(figures, ensure_ascii=False) if options.json else as_text(figures))
    return 0


def measure(options: argparse.Namespace, folder: str) -> dict:
    rows = [row for _, row in knowledge_gold.rows(options.texts, Row)]
    texts, output = f"{folder}/texts.jsonl", f"{folder}/stages"
    files.create_folder(folder)
    lines = [json.dumps({"id": f"{at:06d}", "text": row.input}, ensure_ascii=False) for at, row in enumerate(rows)]
    files.write_text(texts, "\n".join(lines) + "\n")
    raw = Settings(
        {
            "wikidata": [files.absolute(path) for path in options.wikidata],
            "wikipedia": [files.absolute(texts)],
            "lang": LANG,
            "pages": {"min_tokens": 0, "max_tokens": knowledge_run.MAX_TOKENS},
        }
    )
    knowledge_run.run_stages(config.check(raw), output, "link", options.workers)
    loaded = themes.load(None)
    linked = {
        knowledge_run.text_id(paragraph.paragraph.id): paragraph
        for path in sorted(Path(output, "link").glob("*.parquet"))
        for paragraph in from_table(pq.read_table(path), LinkedParagraph)
    }
    names = Names(names_by_theme(output, loaded))
    answers = [answer(row, linked[f"{at:06d}"], loaded, names) for at, row in enumerate(rows)]
    return figures_of(answers, options.errors)


def names_by_theme(output: str, loaded: Themes) -> Iterator[tuple[str, str]]:
    """(label, theme) of all items of the graph that have both."""
    for path in sorted(Path(output, "entities", "items").glob("*.parquet")):
        labels = pq.read_table(path, columns=["qid", "label"])
        types = pq.read_table(Path(output, "types", path.name), columns=["qid", "types"])
        by_id = dict(zip(types["qid"].to_pylist(), types["types"].to_pylist(), strict=True))
        for qid, label in zip(labels["qid"].to_pylist(), labels["label"].to_pylist(), strict=True):
            theme = theme_name(by_id.get(qid, ()), loaded)
            if label and theme:
                yield label, theme


def theme_name(types: Iterable[str], loaded: Themes) -> str | None:
    """The Chinese name of the theme of a page about an item of these types."""
    key = themes.theme_of_types(types, loaded)
    return loaded.themes[key].name(LANG) if key else None


def answer(row: Row, paragraph: LinkedParagraph, loaded: Themes, names: Names) -> Answer:
    theme = opening_theme(paragraph, loaded)
    return Answer(row, theme, ITEM) if theme else Answer(row, *theme_classifier.classify(row.input, names))


def opening_theme(paragraph: LinkedParagraph, loaded: Themes) -> str | None:
    """The theme of the item whose name opens the text, perhaps in 《》; None if there is none."""
    text = paragraph.paragraph.text
    for mention in paragraph.mentions:
        is_opening = mention.start == 0 or (mention.start == 1 and text[0] == "《")
        if is_opening and mention.qid is not None and text[mention.end : mention.end + 1] in AFTER_A_NAME:
            return theme_name(mention.types, loaded)
    return None


def figures_of(answers: Sequence[Answer], errors: int) -> dict:
    by_item = [answer for answer in answers if answer.rule == ITEM]
    classified = [answer for answer in answers if answer.rule != ITEM]
    wrong = [answer for answer in answers if not answer.is_right]
    step = max(1, len(wrong) // errors) if errors else 1
    return {
        "texts": len(answers),
        "accuracy": accuracy(answers),
        "accuracy_odd_ids": accuracy([answer for answer in answers if answer.row.id % 2]),
        "by_item": {"texts": len(by_item), "accuracy": accuracy(by_item)},
        "classified": {"texts": len(classified), "accuracy": accuracy(classified)},
        "by_rule": grouped(answers, [answer.rule for answer in answers]),
        "by_theme": grouped(answers, [answer.row.cate for answer in answers]),
        "confusions": [
            [*pair, count]
            for pair, count in Counter((answer.row.cate, answer.theme) for answer in wrong).most_common(12)
        ],
        "errors": [
            {"theme": a.row.cate, "answer": a.theme, "rule": a.rule, "text": a.row.input}
            for a in wrong[::step][:errors]
        ],
    }


def accuracy(answers: Sequence[Answer]) -> float | None:
    return round(sum(answer.is_right for answer in answers) / len(answers), 4) if answers else None


def grouped(answers: Sequence[Answer], keys: Sequence[str]) -> dict[str, dict]:
    groups: dict[str, list[Answer]] = {}
    for key, one in zip(keys, answers, strict=True):
        groups.setdefault(key, []).append(one)
    return {key: {"texts": len(group), "accuracy": accuracy(group)} for key, group in sorted(groups.items())}


def as_text(figures: dict) -> str:
    rows = {"all texts": figures, ITEM: figures["by_item"], "classifier": figures["classified"]}
    rows |= {f"classifier: {rule}": group for rule, group in figures["by_rule"].items() if rule != ITEM}
    rows |= figures["by_theme"]
    lines = ["| texts | number | right |", "|:--|--:|--:|"]
    lines += [f"| {name} | {group['texts']:,} | {percent(group['accuracy'])} |" for name, group in rows.items()]
    lines += ["", "| theme | answer | texts |", "|:--|:--|--:|"]
    lines += [f"| {theme} | {given or 'none'} | {count} |" for theme, given, count in figures["confusions"]]
    lines += [f"\n{e['theme']}, not {e['answer']} ({e['rule']}): {e['text']}" for e in figures["errors"]]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
