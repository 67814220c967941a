"""FewFC (CCKS 2020): ten event types in Chinese financial sentences; one JSON object per line, exact spans.

A role code has a different meaning for each event type (`sub`: investor, winner of a tender, seller) and thus a
different name. The file of two target types, train_trans_2_type, is part of train_trans_5_type and is not read.
"""

from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source
from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Event, Mention, RawExample
from schemas.label import Label, named_roles
from transforms.formats import json_rows
from transforms.formats.offsets import Offset

EVENT_TYPES = {  # type → description, role code → name
    "投资": ("一方出资购买或入股另一方", {"sub": "投资方", "obj": "被投资方", "money": "投资金额", "date": "日期"}),
    "股份股权转让": (
        "股份或股权从一方转到另一方",
        {
            "sub-org": "转让机构",
            "sub-per": "转让人",
            "obj-org": "受让机构",
            "obj-per": "受让人",
            "collateral": "标的物",
            "target-company": "标的公司",
            "proportion": "转让比例",
            "number": "转让数量",
            "money": "转让金额",
            "date": "日期",
        },
    ),
    "质押": (
        "以股份或资产作质押",
        {
            "sub-org": "质押机构",
            "sub-per": "质押人",
            "obj-org": "质权机构",
            "obj-per": "质权人",
            "collateral": "质押物",
            "proportion": "质押比例",
            "number": "质押数量",
            "money": "质押金额",
            "date": "日期",
        },
    ),
    "减持": (
        "股东卖出所持的部分股份",
        {
            "sub": "减持方",
            "obj": "被减持方",
            "title": "减持方身份",
            "share-org": "占总股本比例",
            "share-per": "占个人持股比例",
            "date": "日期",
        },
    ),
    "起诉": (
        "一方向法院起诉或上诉",
        {"sub-org": "原告机构", "sub-per": "原告人", "obj-org": "被告机构", "obj-per": "被告人", "date": "日期"},
    ),
    "收购": (
        "一方买下公司、股权或资产",
        {
            "sub-org": "收购机构",
            "sub-per": "收购人",
            "obj-org": "被收购机构",
            "money": "收购金额",
            "number": "收购数量",
            "proportion": "收购比例",
            "way": "收购方式",
            "date": "日期",
        },
    ),
    "判决": (
        "法院作出判决或裁定",
        {
            "institution": "判决机构",
            "sub-org": "原告机构",
            "sub-per": "原告人",
            "obj-org": "被告机构",
            "obj-per": "被告人",
            "money": "涉案金额",
            "date": "日期",
        },
    ),
    "中标": ("公司在招标中获得项目", {"sub": "中标方", "obj": "招标方", "amount": "中标金额", "date": "日期"}),
    "担保": (
        "一方为另一方的债务提供担保",
        {
            "sub-org": "担保机构",
            "sub-per": "担保人",
            "obj-org": "被担保机构",
            "amount": "担保金额",
            "way": "担保方式",
            "date": "日期",
        },
    ),
    "签署合同": (
        "双方签订合同或合作协议",
        {
            "sub-org": "签署机构",
            "sub-per": "签署人",
            "obj-org": "对方机构",
            "obj-per": "对方签署人",
            "amount": "合同金额",
            "date": "日期",
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
    citation="zhou2021fewfc",
    held_out=True,
    forms=(  # both divisions have the same sentences; each type occurs only in some files, so all are test
        Form(read, include=("*original/*.json",), exclude=SUBSETS, splits={"*": "test"}),
        Form(read, include=("*rearranged/*.json",)),
        Form(read, include=("*.json", "*.jsonl"), exclude=SUBSETS),
    ),
    event_labels={
        name: Label(name, description, named_roles(roles.values()))
        for name, (description, roles) in EVENT_TYPES.items()
    },
    role_names={f"{name}/{code}": words for name, (_, roles) in EVENT_TYPES.items() for code, words in roles.items()},
)
