"""FewRel 1.0: 80 Wikidata relations in Wikipedia sentences, 700 each; five draws of unseen relations, held out.

Names are in lower case in the files, so a mention consists of the tokens at the given indices. Of several occurrences
the first is used.
"""

from collections.abc import Iterable, Iterator
from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source, github
from pipelines.sources.datasets._wikidata import LABELS, draw
from schemas.errors import BadRecord
from schemas.example import RawExample
from transforms.files import File
from transforms.formats import json_groups, token_pairs
from transforms.formats.offsets import Offset

TRAIN_WIKI = (
    "P931 P4552 P140 P1923 P150 P6 P27 P449 P1435 P175 P1344 P39 P527 P740 P706 P84 P495 P123 P57 P22 P178 P241 P403 "
    "P1411 P135 P991 P156 P176 P31 P1877 P102 P1408 P159 P3373 P1303 P17 P106 P551 P937 P355 P710 P137 P674 P466 P136 "
    "P306 P127 P400 P974 P1346 P460 P86 P118 P264 P750 P58 P3450 P105 P276 P101 P407 P1001 P800 P131"
)
VAL_WIKI = "P177 P364 P2094 P361 P641 P59 P413 P206 P412 P155 P26 P410 P25 P463 P40 P921"
RELATIONS = frozenset(TRAIN_WIKI.split() + VAL_WIKI.split())

Mention = tuple[str, str, list[list[Offset]]]
"""Name, Wikidata id, the token indices of each occurrence."""


class Row(msgspec.Struct):
    tokens: list[str]
    h: Mention
    t: Mention


def read(files: Iterable[File], unseen: frozenset[str]) -> Iterator[RawExample | BadRecord]:
    """The sentences of the relations in `unseen`; other relations belong to other draws."""

    def example(place: str, relation: str, row: Row) -> RawExample | BadRecord | None:
        head, tail = (occurrences[0] if occurrences else () for _, _, occurrences in (row.h, row.t))
        return token_pairs.to_example(place, row.tokens, [(head, tail, relation)], unseen, RELATIONS)

    return json_groups.read(files, example, Row)


def source(number: int) -> Source:
    """The source for draw `number` of the relations."""
    unseen = draw(RELATIONS, "fewrel", number)
    return Source(
        name=f"fewrel_{number}",
        title=f"FewRel 1.0, draw {number}",
        tasks=("RE",),
        lang="en",
        domain="Wikipedia",
        licence=Licence.OPEN,
        licence_text="MIT",
        homepage="https://github.com/thunlp/FewRel",
        get=(
            "github.com/thunlp/FewRel, data: train_wiki.json, val_wiki.json into fewrel/ (one is enough); or from "
            "github.com/declare-lab/RelationPrompt, data for zero_rte: a folder fewrel/unseen_10_seed_0"
        ),
        downloads=github("thunlp/FewRel", ("*/data/train_wiki.json", "*/data/val_wiki.json")),
        citation="han2018fewrel",
        forms=(
            Form(partial(read, unseen=unseen), include=("train_wiki.json", "val_wiki.json")),
            Form(
                partial(token_pairs.read, labels=unseen, known=RELATIONS),
                include=("*unseen_*_seed_*/*.jsonl",),
                splits={"*": "test"},
            ),
        ),
        relation_labels={relation: LABELS[relation] for relation in sorted(unseen)},
        held_out=True,
        one_pair=True,
    )


SOURCES = {str(number): source(number) for number in range(5)}
