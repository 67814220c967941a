"""FewFC (CCKS 2020): ten event types in Chinese financial sentences; one JSON object per line, exact spans.

A role code has a different meaning for each event type (`sub`: investor, winner of a tender, seller) and thus a
different name. The file of two target types, train_trans_2_type, is part of train_trans_5_type and is not read.
"""

from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source, github
from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Event, Mention, RawExample
from schemas.label import Label, Role
from transforms.formats import json_rows
from transforms.formats.offsets import Offset

EVENT_TYPES = {  # type → description, role code → role
    "投资": (
        "一方出资购买或入股另一方",
        {
            "sub": Role("投资方", "出资购买或入股的一方"),
            "obj": Role("被投资方", "接受出资或被入股的公司或项目"),
            "money": Role("投资金额", "投入的资金数额"),
            "date": Role("日期", "出资发生的时间"),
        },
    ),
    "股份股权转让": (
        "股份或股权从一方转到另一方",
        {
            "sub-org": Role("转让机构", "转出股份或股权的公司或机构"),
            "sub-per": Role("转让人", "转出股份或股权的个人"),
            "obj-org": Role("受让机构", "取得股份或股权的公司或机构"),
            "obj-per": Role("受让人", "取得股份或股权的个人"),
            "collateral": Role("标的物", "被转让的权益，如股份、股权"),
            "target-company": Role("标的公司", "股份或股权被转让的公司"),
            "proportion": Role("转让比例", "转让部分占公司股本的比例"),
            "number": Role("转让数量", "转让的股份有多少股"),
            "money": Role("转让金额", "转让的总价款"),
            "date": Role("日期", "股份或股权转手的时间"),
        },
    ),
    "质押": (
        "以股份或资产作质押",
        {
            "sub-org": Role("质押机构", "以所持股份或资产作质押的公司或机构"),
            "sub-per": Role("质押人", "以所持股份或资产作质押的个人"),
            "obj-org": Role("质权机构", "接受质押的银行、券商等机构"),
            "obj-per": Role("质权人", "接受质押的个人"),
            "collateral": Role("质押物", "用作质押的股份、股权或其他资产"),
            "proportion": Role("质押比例", "质押部分占所持股份或总股本的比例"),
            "number": Role("质押数量", "质押的股份有多少股"),
            "money": Role("质押金额", "质押所涉及的融资额或担保额"),
            "date": Role("日期", "办理质押的时间"),
        },
    ),
    "减持": (
        "股东卖出所持的部分股份",
        {
            "sub": Role("减持方", "卖出所持股份的股东"),
            "obj": Role("被减持方", "股份被卖出的公司"),
            "title": Role("减持方身份", "卖出者与公司的关系，如股东、董事"),
            "share-org": Role("占总股本比例", "卖出部分占公司总股本的比例"),
            "share-per": Role("占个人持股比例", "卖出部分占股东自身持股的比例"),
            "date": Role("日期", "卖出股份的时间或计划期限"),
        },
    ),
    "起诉": (
        "一方向法院起诉或上诉",
        {
            "sub-org": Role("原告机构", "提起诉讼的公司或机构"),
            "sub-per": Role("原告人", "提起诉讼的个人"),
            "obj-org": Role("被告机构", "被诉至法院的公司或机构"),
            "obj-per": Role("被告人", "被诉至法院的个人"),
            "date": Role("日期", "提起诉讼的时间"),
        },
    ),
    "收购": (
        "一方买下公司、股权或资产",
        {
            "sub-org": Role("收购机构", "买下公司、股权或资产的公司或机构"),
            "sub-per": Role("收购人", "买下公司、股权或资产的个人"),
            "obj-org": Role("被收购机构", "被买下的公司或资产"),
            "money": Role("收购金额", "买方支付的价款"),
            "number": Role("收购数量", "买下的股份有多少股"),
            "proportion": Role("收购比例", "买下部分占目标公司股权的比例"),
            "way": Role("收购方式", "支付或筹资的方式，如现金、发行股份"),
            "date": Role("日期", "买下公司、股权或资产的时间"),
        },
    ),
    "判决": (
        "法院作出判决或裁定",
        {
            "institution": Role("判决机构", "作出判决或裁定的法院或其他机关"),
            "sub-org": Role("原告机构", "提起诉讼的公司或机构"),
            "sub-per": Role("原告人", "提起诉讼的个人"),
            "obj-org": Role("被告机构", "被诉的公司或机构"),
            "obj-per": Role("被告人", "被诉或被判刑罚的个人"),
            "money": Role("涉案金额", "判决所涉及的赔偿、罚金或欠款数额"),
            "date": Role("日期", "作出判决或裁定的时间"),
        },
    ),
    "中标": (
        "公司在招标中获得项目",
        {
            "sub": Role("中标方", "在招标中获得项目的公司"),
            "obj": Role("招标方", "发出招标的单位或其项目"),
            "amount": Role("中标金额", "所获项目的价款"),
            "date": Role("日期", "获得项目的时间"),
        },
    ),
    "担保": (
        "一方为另一方的债务提供担保",
        {
            "sub-org": Role("担保机构", "为别人的债务作保的公司或机构"),
            "sub-per": Role("担保人", "为别人的债务作保的个人"),
            "obj-org": Role("被担保机构", "债务得到担保的公司或机构"),
            "amount": Role("担保金额", "所担保的债务数额"),
            "way": Role("担保方式", "作保的形式，如连带责任保证、抵押"),
            "date": Role("日期", "提供担保的时间"),
        },
    ),
    "签署合同": (
        "双方签订合同或合作协议",
        {
            "sub-org": Role("签署机构", "签订合同的公司或机构"),
            "sub-per": Role("签署人", "代表签订方或亲自签约的个人"),
            "obj-org": Role("对方机构", "与签订方立约的公司或机构"),
            "obj-per": Role("对方签署人", "与签订方立约的个人或其代表"),
            "amount": Role("合同金额", "合同约定的价款"),
            "date": Role("日期", "签订合同的时间"),
        },
    ),
}


class Part(msgspec.Struct):
    """The trigger (role `trigger`) or an argument."""

    word: str
    span: tuple[Offset, Offset]
    role: str

    def mention(self) -> Mention:
        return Mention(self.word, (self.span,))


class EventRow(msgspec.Struct):
    type: str
    mentions: list[Part]


class Row(msgspec.Struct):
    content: str
    events: list[EventRow] | None = None


def to_example(place: str, row: Row) -> RawExample | BadRecord:
    if row.events is None:
        return RawExample(place, row.content)
    events = []
    for event in row.events:
        triggers = [part for part in event.mentions if part.role == "trigger"]
        if len(triggers) != 1:
            return BadRecord(place, Reason.BROKEN_RECORD, f"{len(triggers)} triggers in one event of {event.type}")
        arguments = (Argument(f"{event.type}/{p.role}", p.mention()) for p in event.mentions if p.role != "trigger")
        events.append(Event(event.type, triggers[0].mention(), tuple(arguments)))
    return RawExample(place, row.content, events=tuple(events))


read = partial(json_rows.read, to_example=to_example, row_type=Row)
SUBSETS = ("*train_trans_2_type*",)

SOURCE = Source(
    name="FewFC",
    title="FewFC, few-shot Chinese financial events (CCKS 2020)",
    tasks=("EE", "EET", "EEA"),
    lang="zh",
    domain="finance",
    licence=Licence.OPEN,
    licence_text="CC BY-SA 4.0",
    homepage="https://github.com/TimeBurningFish/FewFC",
    get="github.com/TimeBurningFish/FewFC: original/*.json into fewfc/ (failing that rearranged/*.json)",
    downloads=github("TimeBurningFish/FewFC", ("*/original/*.json",)),
    citation="zhou2021fewfc",
    held_out=True,
    forms=(  # both divisions have the same sentences; each type occurs only in some files, so all are test
        Form(read, include=("*original/*.json",), exclude=SUBSETS, splits={"*": "test"}),
        Form(read, include=("*rearranged/*.json",)),
        Form(read, include=("*.json", "*.jsonl"), exclude=SUBSETS),
    ),
    event_labels={
        name: Label(name, description, tuple(roles.values())) for name, (description, roles) in EVENT_TYPES.items()
    },
    role_names={
        f"{name}/{code}": role.name for name, (_, roles) in EVENT_TYPES.items() for code, role in roles.items()
    },
)
