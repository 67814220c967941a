"""Wiki-ZSL: 113 Wikidata relations in Wikipedia sentences, distantly supervised; five draws of unseen ones, held out.

Forms: the original token lists with edges, the triplets that RelationPrompt derived from them, and a question
answering table derived from them, which only has strings.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source
from pipelines.sources.datasets._wikidata import LABELS, draw
from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation
from transforms.files import File
from transforms.formats import json_rows, token_pairs
from transforms.formats.delimited import csv_rows
from transforms.formats.offsets import Offset

PROPERTY_IDS = (
    "P17 P19 P20 P22 P25 P26 P27 P30 P31 P36 P37 P39 P40 P47 P50 P53 P54 P57 P58 P59 P69 P81 P86 P101 P102 P106 "
    "P108 P112 P118 P121 P123 P127 P131 P135 P136 P138 P140 P144 P150 P155 P159 P161 P162 P166 P170 P175 P176 P178 "
    "P179 P186 P190 P206 P241 P264 P272 P276 P279 P355 P360 P361 P364 P366 P376 P397 P400 P403 P412 P413 P425 P449 "
    "P452 P460 P461 P463 P466 P495 P530 P551 P569 P570 P571 P577 P607 P641 P647 P674 P676 P706 P734 P735 P737 P800 "
    "P802 P840 P921 P937 P991 P1001 P1056 P1080 P1269 P1303 P1344 P1346 P1365 P1408 P1412 P1435 P1552 P1589 P1889 "
    "P2389 P2416"
)
RELATIONS = frozenset(PROPERTY_IDS.split())
IDS = {LABELS[relation].name: relation for relation in RELATIONS} | {
    "original broadcaster": "P449",
    "original language of work": "P364",
}
"""Name in the table → property id. Two properties had other names."""

NO_RELATION = "P0"
MARK = "</s>"


class Edge(msgspec.Struct):
    """`left` and `right`: the token indices of head and tail."""

    relation: str = msgspec.field(name="kbID")
    left: list[Offset]
    right: list[Offset]


class Row(msgspec.Struct):
    tokens: list[str]
    edges: list[Edge] = msgspec.field(name="edgeSet")


def read_graphs(files: Iterable[File], unseen: frozenset[str]) -> Iterator[RawExample | BadRecord]:
    """The sentences with edges whose relations are in `unseen`, with these edges only."""

    def example(place: str, row: Row) -> RawExample | BadRecord | None:
        pairs = [(edge.left, edge.right, edge.relation) for edge in row.edges]
        return token_pairs.to_example(place, row.tokens, pairs, unseen, RELATIONS | {NO_RELATION})

    return (record for record in json_rows.read(files, example, Row) if record is not None)


def read_table(files: Iterable[File], unseen: frozenset[str]) -> Iterator[RawExample | BadRecord]:
    """The rows whose relation is in `unseen`. Columns: sentence; head; head and relation; tail and `</s>`."""
    for row in csv_rows(files, ("passages", "entities", "entity_relations", "answers")):
        if isinstance(row, BadRecord):
            yield row
            continue
        place, (text, head, statement, tail) = row
        name = statement.removeprefix(head).strip()
        if name not in IDS:
            yield BadRecord(place, Reason.UNKNOWN_LABEL, f"{name!r} is not a relation of Wiki-ZSL")
        elif IDS[name] in unseen:
            object_ = tail.strip().removesuffix(MARK).strip()
            relation = Relation(IDS[name], Mention(first_mention(text, head)), Mention(first_mention(text, object_)))
            yield RawExample(place, text, relations=(relation,))


def first_mention(text: str, string: str) -> str:
    """The longest prefix of `string`, in whole words, that occurs in `text`: the table joins all mentions of an entity
    (`guitar guitar`). Empty if there is none.
    """
    ends = [*(match.start() for match in re.finditer(" ", string)), len(string)]
    # Every shorter prefix of an occurring prefix occurs too, so bisection finds the longest.
    return string[: ([0, *ends])[bisect_left(ends, True, key=lambda end: string[:end] not in text)]]


def source(number: int) -> Source:
    """The source for draw `number` of the relations."""
    unseen = draw(RELATIONS, "wiki_zsl", number)
    return Source(
        name=f"wiki_{number}",
        title=f"Wiki-ZSL, draw {number}",
        tasks=("RE",),
        lang="en",
        domain="Wikipedia",
        licence=Licence.OPEN,
        licence_text="Apache-2.0 (UKPLab/emnlp2017-relation-extraction); the text is Wikipedia's (CC BY-SA)",
        homepage="https://github.com/dinobby/ZS-BERT",
        get=(
            "the data linked from github.com/dinobby/ZS-BERT: wiki_train_new.json into wiki_zsl/; or from "
            "github.com/declare-lab/RelationPrompt, data for zero_rte: a folder wiki/unseen_10_seed_0; or the tables "
            "val_data_*.csv of QA-ZRE"
        ),
        citation="chen2021zsbert",
        forms=(
            Form(partial(read_graphs, unseen=unseen), include=("wiki_train_new.json",)),
            Form(
                partial(token_pairs.read, labels=unseen, known=RELATIONS),
                include=("*unseen_*_seed_*/*.jsonl",),
                splits={"*": "test"},
            ),
            Form(partial(read_table, unseen=unseen), include=("*_data_*.csv",)),
        ),
        relation_labels={relation: LABELS[relation] for relation in sorted(unseen)},
        held_out=True,
        one_pair=True,
    )


SOURCES = {str(number): source(number) for number in range(5)}
