"""CCF law: eleven event types in Chinese judgments on marriage and family; one JSON document per line, without offsets.

Triggers and arguments are strings; the text words a few of them differently. An empty string means that the role has
no argument. The contest's test file is not labelled; the type 其他 covers all other events of a case.
"""

from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source
from schemas.example import Argument, Event, Mention, RawExample
from schemas.label import Label, named_roles
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


def event_type(name: str, description: str, roles: str) -> Label:
    return Label(name, description, named_roles(ROLES[role] for role in roles.split()))


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
        "Marry": event_type("结婚", "双方登记或举行婚礼结为夫妻", "husband wife time loc"),
        "Be_Born": event_type("出生", "孩子出生或夫妻生育子女", "per time loc"),
        "Prosecute": event_type("起诉", "一方向法院提起诉讼", "prosecutor defendant reason demand time court"),
        "Separation": event_type("分居", "夫妻不再共同居住", "husband wife time loc"),
        "Cohabit": event_type("同居", "未婚双方共同生活", "husband wife time loc"),
        "Derailment": event_type("出轨", "夫妻一方与他人有婚外关系", "cheater third_person time loc"),
        "Domestic_Violence": event_type(
            "家庭暴力", "家庭成员之间殴打、虐待或辱骂", "perpetrator victim instrument time loc"
        ),
        "Raise": event_type("抚养", "抚养和照顾未成年子女", "caregiver child"),
        "Support": event_type("赡养", "赡养父母或扶养家人", "supporter dependent"),
        "Gamble": event_type("赌博", "当事人参与赌博", "gambler"),
        "Other": event_type("其他", "案件中不属于以上各类的事件", "subjec object context time loc"),
    },
    role_names=ROLES,
)
