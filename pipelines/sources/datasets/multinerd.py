"""MultiNERD, English: fifteen and more entity types over Wikipedia and WikiNews; numbered tokens in TSV, or JSONL."""

from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source, files_at
from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from schemas.label import Label
from transforms.formats import columns, json_rows
from transforms.formats.offsets import Offset
from transforms.formats.token_spans import sentence

NUMBERED = "PER ORG LOC ANIM BIO CEL DIS EVE FOOD INST MEDIA MYTH PLANT TIME VEHI"
TAGS = ("O", *(f"{prefix}-{label}" for label in NUMBERED.split() for prefix in "BI"))
"""Index in the JSONL rows → tag."""

MYTH = Label("mythical figure", "a god, hero or creature of myth, legend or religion")


class Row(msgspec.Struct):
    tokens: list[str]
    ner_tags: list[Offset]


def to_example(place: str, row: Row) -> RawExample | BadRecord:
    if len(row.tokens) != len(row.ner_tags) or not all(0 <= tag < len(TAGS) for tag in row.ner_tags):
        detail = f"{len(row.tokens)} tokens need as many tags, numbers from 0 to {len(TAGS) - 1}"
        return BadRecord(place, Reason.BROKEN_RECORD, detail)
    entities = [((first, end), label) for label, first, end in columns.decode([TAGS[tag] for tag in row.ner_tags])]
    return sentence(place, row.tokens, entities, None, {})


SOURCE = Source(
    name="MultiNERD",
    title="MultiNERD English",
    tasks=("NER",),
    lang="en",
    domain="Wikipedia",
    licence=Licence.OPEN,
    licence_text="CC BY-NC-SA 4.0",
    homepage="https://github.com/Babelscape/multinerd",
    get="the homepage: train_en.tsv, dev_en.tsv, test_en.tsv (or the .jsonl files of "
    "huggingface.co/datasets/Babelscape/multinerd) into multinerd/",
    downloads=files_at(
        "https://huggingface.co/datasets/Babelscape/multinerd/resolve/main/",
        ("train/train_en.jsonl", "val/val_en.jsonl", "test/test_en.jsonl"),
    ),
    citation="tedeschi2022multinerd",
    forms=(
        # index, token, tag; entity rows also have ids in three knowledge bases
        Form(partial(columns.read, columns=3, token=1, tag=2, separator="\t", more=True), include=("*_en.tsv",)),
        Form(partial(json_rows.read, to_example=to_example, row_type=Row), include=("*_en.jsonl",)),
    ),
    entity_labels={
        "ANIM": Label("animal", "an animal, its species or breed"),
        "BIO": Label("biology", "a living thing that is no animal or plant, as a fungus, or a part of one"),
        "CEL": Label("astronomical object", "a planet, star, galaxy or other celestial body"),
        "DIS": Label("disease", "an illness, disorder or injury"),
        "EVE": Label("event", "a war, tournament, festival or other named event"),
        "FOOD": Label("food", "a dish, drink or ingredient"),
        "INST": Label("instrument", "a tool, device or technology"),
        "LOC": Label("location", "a country, city, building, river or other place"),
        "MEDIA": Label("media", "a film, book, song, game, newspaper or other work"),
        "MYTH": MYTH,
        "ORG": Label("organization", "a company, party, club, institution or band"),
        "PER": Label("person", "a person's name"),
        "PHY": Label("geographical phenomenon", "a natural or physical phenomenon, as a storm or a current"),
        "PLANT": Label("plant", "a tree, flower, fruit or other plant"),
        "SUPER": MYTH,
        "TIME": Label("time", "a named period, era or day"),
        "VEHI": Label("vehicle", "a car, ship, aircraft or other vehicle, by name or make"),
    },
    real_files_seen=False,
)
