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
from schemas.label import Label, Role
from transforms.files import File
from transforms.formats import json_rows

VALUES = {"环节": ("筹备上市", "暂停上市", "正式上市", "终止上市")}
"""Role → its fixed values, as the published schema lists them."""

EVENT_TYPES = {  # name → description, roles with their descriptions in the order of the published schema
    "解除质押": (
        "质押的股票或资产被解除质押",
        {
            "质押方": "当初以股票或资产作质押的股东",
            "披露时间": "解除质押的消息公布的时间",
            "质权方": "当初接受质押的银行、券商等机构",
            "质押物": "被解除质押的股票、股权或资产",
            "质押股票/股份数量": "被解除质押的股票有多少股",
            "事件时间": "办理解除质押的时间",
            "质押物所属公司": "发行这些股票的公司",
            "质押物占总股比": "被解除的部分占公司总股本的比例",
            "质押物占持股比": "被解除的部分占股东自身持股的比例",
        },
    ),
    "股份回购": (
        "公司买回自己的股份",
        {
            "回购方": "买回自己股份的公司",
            "披露时间": "买回股份的消息公布的时间",
            "回购股份数量": "买回的股份有多少股",
            "每股交易价格": "买回一股的价格，可为最高价或最低价",
            "占公司总股本比例": "买回的股份在公司全部股份中占多少",
            "交易金额": "买回股份所付的总金额",
            "回购完成时间": "买回股份的日期或截止日期",
        },
    ),
    "股东减持": (
        "股东卖出所持的部分股份",
        {
            "股票简称": "股份被卖出的上市公司",
            "披露时间": "卖出股份的消息公布的时间",
            "交易股票/股份数量": "卖出的股份有多少股",
            "每股交易价格": "卖出一股的价格",
            "交易金额": "卖出股份所得的总金额",
            "交易完成时间": "卖出股份的日期或计划期限",
            "减持方": "卖出股份的股东",
            "减持部分占所持比例": "卖出的股份占股东自身持股的比例",
            "减持部分占总股本比例": "卖出的股份占公司总股本的比例",
        },
    ),
    "亏损": (
        "公司公布或预告亏损",
        {
            "公司名称": "出现亏损的公司",
            "披露时间": "业绩公布或预告的时间",
            "财报周期": "亏损属于哪个报告期，如2019年上半年",
            "净亏损": "报告期内亏损的数额",
            "亏损变化": "与上期相比的增减，如同比扩大、由盈转亏",
        },
    ),
    "中标": (
        "公司在招标中获得项目",
        {
            "中标公司": "在招标中获得项目的公司",
            "中标标的": "所获得的项目或采购",
            "中标金额": "所获项目的价款",
            "招标方": "发出招标的单位",
            "中标日期": "获得项目的时间",
            "披露日期": "获得项目的消息公布的时间",
        },
    ),
    "高管变动": (
        "公司高级管理人员任职、离职或调动",
        {
            "高管姓名": "任职、离职或调动的是谁",
            "任职公司": "变动前此人所在的公司或机构",
            "高管职位": "变动所涉及的职位，如总经理",
            "事件时间": "变动生效的时间",
            "变动类型": "变动的方式，如辞职、退休、新任",
            "披露日期": "变动的消息公布的时间",
            "变动后职位": "此人变动以后担任的职位",
            "变动后公司名称": "此人变动以后所在的公司",
        },
    ),
    "企业破产": (
        "企业申请或宣告破产",
        {
            "破产公司": "申请或被宣告破产的企业",
            "披露时间": "破产的消息公布的时间",
            "债务规模": "破产企业所欠的债务数额",
            "破产时间": "申请或宣告破产的时间",
            "债权人": "破产企业欠其债务的一方",
        },
    ),
    "股东增持": (
        "股东买入更多股份",
        {
            "股票简称": "股份被买入的上市公司",
            "披露时间": "买入股份的消息公布的时间",
            "交易股票/股份数量": "买入的股份有多少股",
            "每股交易价格": "买入一股的价格",
            "交易金额": "买入股份所付的总金额",
            "交易完成时间": "买入股份的日期或计划期限",
            "增持方": "买入股份的股东",
            "增持部分占所持比例": "买入的股份占股东自身持股的比例",
            "增持部分占总股本比例": "买入的股份占公司总股本的比例",
        },
    ),
    "被约谈": (
        "公司被监管机构约见谈话",
        {
            "公司名称": "被约见谈话的公司",
            "披露时间": "约见的消息公布的时间",
            "被约谈时间": "约见谈话进行的时间",
            "约谈机构": "约见公司的监管机构",
        },
    ),
    "企业收购": (
        "一家企业买下另一家企业或其股权",
        {
            "收购方": "买下企业或股权的一方",
            "披露时间": "买卖的消息公布的时间",
            "被收购方": "被买下或股权被买下的企业",
            "收购标的": "买下的股权比例、资产或业务",
            "交易金额": "买方支付的总价款",
            "收购完成时间": "买卖完成的时间",
        },
    ),
    "公司上市": (
        "公司筹备、完成或终止上市",
        {
            "上市公司": "股票要挂牌、已挂牌或摘牌的公司",
            "证券代码": "公司股票在交易所的代码",
            "环节": "挂牌进展到哪一步",
            "披露时间": "挂牌进展的消息公布的时间",
            "发行价格": "新股一股的售价",
            "事件时间": "挂牌、暂停或摘牌的时间",
            "市值": "公司全部股票按股价计算的总值",
            "募资金额": "通过发行新股得到的资金数额",
        },
    ),
    "企业融资": (
        "企业从投资方获得资金",
        {
            "投资方": "向企业出资的机构或个人",
            "披露时间": "获得资金的消息公布的时间",
            "被投资方": "获得资金的企业",
            "融资金额": "企业这次获得的资金数额",
            "融资轮次": "资金属于第几轮，如A轮、天使轮",
            "事件时间": "企业获得资金的时间",
            "领投方": "牵头出资的投资者",
        },
    ),
    "质押": (
        "股东以股票或资产作质押",
        {
            "质押方": "以所持股票或资产作质押的股东",
            "披露时间": "质押的消息公布的时间",
            "质权方": "接受质押的银行、券商等机构",
            "质押物": "用作质押的股票、股权或资产",
            "质押股票/股份数量": "用作质押的股票有多少股",
            "事件时间": "办理质押的时间",
            "质押物所属公司": "发行这些股票的公司",
            "质押物占总股比": "质押部分占公司总股本的比例",
            "质押物占持股比": "质押部分占股东自身持股的比例",
        },
    ),
}


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


def event_type(name: str) -> Label:
    description, roles = EVENT_TYPES[name]
    return Label(name, description, tuple(Role(role, words, VALUES.get(role, ())) for role, words in roles.items()))


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
    event_labels={name: event_type(name) for name in EVENT_TYPES},
)
