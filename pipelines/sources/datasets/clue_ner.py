"""CLUENER2020: ten fine-grained entity types over Sina news; one JSON object per line, inclusive ends."""

from functools import partial

import msgspec

from pipelines.sources import Download, Form, Licence, Source
from schemas.example import Entity, Mention, RawExample
from schemas.label import Label
from transforms.formats import json_rows
from transforms.formats.offsets import Offset


class Row(msgspec.Struct):
    """`label`: type → surface → [[start, end], ...], ends inclusive; absent in the unlabelled test file."""

    text: str
    label: dict[str, dict[str, list[tuple[Offset, Offset]]]] | None = None


def to_example(place: str, row: Row) -> RawExample:
    if row.label is None:
        return RawExample(place, row.text)
    return RawExample(
        place,
        row.text,
        entities=tuple(
            Entity(label, Mention(surface, ((start, end + 1),)))
            for label, surfaces in row.label.items()
            for surface, spans in surfaces.items()
            for start, end in spans
        ),
    )


SOURCE = Source(
    name="clue",
    title="CLUENER2020",
    tasks=("NER",),
    lang="zh",
    domain="news",
    licence=Licence.ASK,
    licence_text="none stated (CLUE benchmark, research)",
    homepage="https://github.com/CLUEbenchmark/CLUENER2020",
    get="github.com/CLUEbenchmark/CLUENER2020: train.json, dev.json, test.json into clue_ner/",
    downloads=(
        Download(
            "https://storage.googleapis.com/cluebenchmark/tasks/cluener_public.zip",
            ("train.json", "dev.json", "test.json"),
        ),
    ),
    citation="xu2020cluener",
    forms=(Form(partial(json_rows.read, to_example=to_example, row_type=Row), include=("*.json", "*.jsonl")),),
    entity_labels={
        "address": Label("地址", "省、市、区、街道等行政或地理地址"),
        "book": Label("书名", "小说、杂志、教材等出版物的名称"),
        "company": Label("公司", "以营利为目的的企业、银行、证券公司等"),
        "game": Label("游戏", "电子游戏或桌面游戏的名称"),
        "government": Label("政府", "中央或地方的行政机关、军队和司法机关"),
        "movie": Label("电影", "电影或纪录片的名称"),
        "name": Label("姓名", "真实或虚构人物的姓名、称号"),
        "organization": Label("组织机构", "球队、学校、社团等非营利组织"),
        "position": Label("职位", "官职、头衔和工作岗位"),
        "scene": Label("景点", "公园、山川、名胜等旅游地点"),
    },
)
