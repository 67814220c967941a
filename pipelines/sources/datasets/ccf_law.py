"""CCF law: eleven event types in Chinese judgments on marriage and family; one JSON document per line, without offsets.

Triggers and arguments are strings; the text words a few of them differently. An empty string means that the role has
no argument. The contest's test file is not labelled; the type 其他 covers all other events of a case.
"""

from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source
from schemas.example import Argument, Event, Mention, RawExample
from schemas.label import Label, described_roles
from transforms.formats import json_rows

ROLES = {
    "caregiver": "抚养人",
    "cheater": "出轨方",
    "child": "子女",
    "context": "内容",
    "court": "法院",
    "defendant": "被告",
    "demand": "诉求",
    "dependent": "被赡养人",
    "gambler": "赌博者",
    "husband": "丈夫",
    "instrument": "工具",
    "loc": "地点",
    "man": "丈夫",
    "object": "客体",
    "per": "出生者",
    "perpetrator": "施暴者",
    "prosecutor": "原告",
    "reason": "原因",
    "subjec": "主体",
    "supporter": "赡养人",
    "third_person": "第三者",
    "time": "时间",
    "victim": "受害者",
    "wife": "妻子",
    "woman": "妻子",
}


class EventRow(msgspec.Struct):
    """`argument` has one object, role → string."""

    trigger: str
    event_type: str
    argument: list[dict[str, str]]


class Row(msgspec.Struct):
    """`event_chain` is absent in the unlabelled test file."""

    text: str
    event_chain: list[EventRow] | None = None


def to_example(place: str, row: Row) -> RawExample:
    if row.event_chain is None:
        return RawExample(place, row.text)
    return RawExample(
        place,
        row.text,
        events=tuple(
            Event(
                event.event_type,
                Mention(event.trigger.strip()) if event.trigger.strip() else None,
                tuple(
                    Argument(role, Mention(value.strip()))
                    for roles in event.argument
                    for role, value in roles.items()
                    if value.strip()
                ),
            )
            for event in row.event_chain
        ),
    )


def event_type(name: str, description: str, /, **roles: str) -> Label:
    """`roles`: role in the files → description."""
    return Label(name, description, described_roles({ROLES[role]: words for role, words in roles.items()}))


SOURCE = Source(
    name="ccf_law",
    title="CCF law, events in judgments on marriage and family",
    tasks=("EE", "EET", "EEA"),
    lang="zh",
    domain="law",
    licence=Licence.ASK,
    licence_text="none stated (contest data)",
    homepage="https://aistudio.baidu.com/projectdetail/4201483",
    get="the contest's files: train_dataset.json, dev_dataset.json, test_dataset.json into ccf_law/",
    citation="ccf2022law",
    held_out=True,
    forms=(
        Form(
            partial(json_rows.read, to_example=to_example, row_type=Row),
            include=("*.json", "*.jsonl"),
            exclude=("*submit*", "*schema*"),
            splits={"*": "test"},  # the test file of the contest has no labels
        ),
    ),
    event_labels={
        "Marry": event_type(
            "结婚",
            "双方登记或举行婚礼结为夫妻",
            husband="结婚的男方",
            wife="结婚的女方",
            time="登记或举行婚礼的时间",
            loc="登记的民政机关或举行婚礼的地方",
        ),
        "Be_Born": event_type(
            "出生",
            "孩子出生或夫妻生育子女",
            per="生下的孩子，姓名或称呼",
            time="孩子出生的日期",
            loc="孩子出生的地方",
        ),
        "Prosecute": event_type(
            "起诉",
            "一方向法院提起诉讼",
            prosecutor="提起诉讼的一方",
            defendant="被诉至法院的一方",
            reason="提起诉讼的理由，如夫妻感情破裂",
            demand="请求法院判令的事项，如离婚",
            time="提起诉讼的时间",
            court="受理诉讼的法院",
        ),
        "Separation": event_type(
            "分居",
            "夫妻不再共同居住",
            husband="不再同住的夫妻中的男方",
            wife="不再同住的夫妻中的女方",
            time="夫妻分开居住的起始或持续时间",
            loc="分开后一方居住的地方",
        ),
        "Cohabit": event_type(
            "同居",
            "未婚双方共同生活",
            husband="未婚共同生活的男方",
            wife="未婚共同生活的女方",
            time="开始共同生活的时间",
            loc="共同生活的地方",
        ),
        "Derailment": event_type(
            "出轨",
            "夫妻一方与他人有婚外关系",
            cheater="有婚外关系的丈夫或妻子",
            third_person="与已婚一方有婚外关系的人",
            time="婚外关系发生或被发现的时间",
            loc="婚外关系发生或被发现的地方",
        ),
        "Domestic_Violence": event_type(
            "家庭暴力",
            "家庭成员之间殴打、虐待或辱骂",
            perpetrator="殴打、虐待或辱骂家人的人",
            victim="被殴打、虐待或辱骂的家人",
            instrument="施暴所用的器物或身体部位",
            time="暴力发生的时间",
            loc="暴力发生的地方",
        ),
        "Raise": event_type(
            "抚养",
            "抚养和照顾未成年子女",
            caregiver="照顾子女的父母或其他亲属",
            child="受照顾的未成年子女",
        ),
        "Support": event_type(
            "赡养",
            "赡养父母或扶养家人",
            supporter="供养父母或家人的人",
            dependent="受供养的父母或家人",
        ),
        "Gamble": event_type("赌博", "当事人参与赌博", gambler="参与赌博的当事人"),
        "Other": event_type(
            "其他",
            "案件中不属于以上各类的事件",
            subjec="做出行为的人",
            object="行为所针对的人或物",
            context="行为的起因、经过或结果",
            time="事件发生的时间",
            loc="事件发生的地方或机构",
        ),
    },
    role_names=ROLES,
)
