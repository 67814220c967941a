"""DuEE-Fin: 13 event types in Chinese financial news and announcements; one JSON document per line, no offsets.

Triggers and arguments are strings. The role 环节 of 公司上市 has one of four fixed values, which need not occur in the
text; some strings occur only in the title, which is not part of the text.
"""

from collections.abc import Iterable, Iterator
from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source
from schemas.errors import BadRecord
from schemas.example import Argument, Event, Mention, RawExample
from schemas.label import Label, named_roles
from transforms.files import File
from transforms.formats import json_rows

PLEDGE = "质押方 披露时间 质权方 质押物 质押股票/股份数量 事件时间 质押物所属公司 质押物占总股比 质押物占持股比"
TRADE = "股票简称 披露时间 交易股票/股份数量 每股交易价格 交易金额 交易完成时间"
EVENT_TYPES = (  # name, description, roles in the order of the published schema
    ("解除质押", "质押的股票或资产被解除质押", PLEDGE),
    (
        "股份回购",
        "公司买回自己的股份",
        "回购方 披露时间 回购股份数量 每股交易价格 占公司总股本比例 交易金额 回购完成时间",
    ),
    ("股东减持", "股东卖出所持的部分股份", f"{TRADE} 减持方 减持部分占所持比例 减持部分占总股本比例"),
    ("亏损", "公司公布或预告亏损", "公司名称 披露时间 财报周期 净亏损 亏损变化"),
    ("中标", "公司在招标中获得项目", "中标公司 中标标的 中标金额 招标方 中标日期 披露日期"),
    (
        "高管变动",
        "公司高级管理人员任职、离职或调动",
        "高管姓名 任职公司 高管职位 事件时间 变动类型 披露日期 变动后职位 变动后公司名称",
    ),
    ("企业破产", "企业申请或宣告破产", "破产公司 披露时间 债务规模 破产时间 债权人"),
    ("股东增持", "股东买入更多股份", f"{TRADE} 增持方 增持部分占所持比例 增持部分占总股本比例"),
    ("被约谈", "公司被监管机构约见谈话", "公司名称 披露时间 被约谈时间 约谈机构"),
    ("企业收购", "一家企业买下另一家企业或其股权", "收购方 披露时间 被收购方 收购标的 交易金额 收购完成时间"),
    ("公司上市", "公司筹备、完成或终止上市", "上市公司 证券代码 环节 披露时间 发行价格 事件时间 市值 募资金额"),
    ("企业融资", "企业从投资方获得资金", "投资方 披露时间 被投资方 融资金额 融资轮次 事件时间 领投方"),
    ("质押", "股东以股票或资产作质押", PLEDGE),
)


class ArgumentRow(msgspec.Struct):
    role: str
    argument: str


class EventRow(msgspec.Struct):
    event_type: str
    arguments: list[ArgumentRow]
    trigger: str | None = None


class Row(msgspec.Struct):
    """`event_list` is absent in unlabelled files, and in labelled files for documents without events."""

    text: str
    event_list: list[EventRow] | None = None


def to_example(place: str, row: Row, annotated: bool) -> RawExample:
    if not annotated:
        return RawExample(place, row.text)
    return RawExample(
        place,
        row.text,
        events=tuple(
            Event(
                event.event_type,
                Mention(event.trigger) if event.trigger else None,
                tuple(Argument(argument.role, Mention(argument.argument)) for argument in event.arguments),
            )
            for event in row.event_list or ()
        ),
    )


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """The documents of each file; a file in which no line has an `event_list` is not annotated."""
    for file in files:
        annotated = any('"event_list"' in line for _, line in file.lines())
        yield from json_rows.read([file], partial(to_example, annotated=annotated), Row)


SOURCE = Source(
    name="DuEE-fin",
    title="DuEE-Fin, document-level financial events",
    tasks=("EE", "EET", "EEA"),
    lang="zh",
    domain="finance",
    licence=Licence.ASK,
    licence_text="none in the files; participant agreement: non-commercial research and teaching, no redistribution",
    homepage="https://www.luge.ai",
    get="luge.ai (registration): duee_fin_train.json, duee_fin_dev.json, duee_fin_test*.json into duee_fin/ "
    "(folders may stay)",
    citation="han2022dueefin",
    forms=(
        Form(read, include=("duee_fin_*.json", "duee_fin_*.jsonl"), exclude=("*schema*",)),
        Form(read, include=("*.json", "*.jsonl"), exclude=("*schema*",)),  # the files of the 2021 contest
    ),
    event_labels={
        name: Label(name, description, named_roles(roles.split())) for name, description, roles in EVENT_TYPES
    },
)
