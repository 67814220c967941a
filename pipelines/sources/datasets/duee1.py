"""DuEE 1.0: 65 event types of Chinese news, headlines to paragraphs; one JSON object per line, exact offsets."""

from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source
from schemas.example import Argument, Event, Mention, RawExample
from schemas.label import Label, named_roles
from transforms.formats import json_rows
from transforms.formats.offsets import Offset

EVENT_TYPES = (  # name, description, roles in the order of the published schema
    ("财经/交易-出售/收购", "一方把公司、股份或资产卖给另一方", "时间 出售方 交易物 出售价格 收购方"),
    ("财经/交易-跌停", "股票跌到当日允许的最低价", "时间 跌停股票"),
    ("财经/交易-加息", "央行等机构提高利率", "时间 加息幅度 加息机构"),
    ("财经/交易-降价", "商品或服务的价格下调", "时间 降价方 降价物 降价幅度"),
    ("财经/交易-降息", "央行等机构降低利率", "时间 降息幅度 降息机构"),
    ("财经/交易-融资", "企业从投资方获得资金", "时间 跟投方 领投方 融资轮次 融资金额 融资方"),
    ("财经/交易-上市", "企业的股票在交易所挂牌", "时间 地点 上市企业 融资金额"),
    ("财经/交易-涨价", "商品或服务的价格上调", "时间 涨价幅度 涨价物 涨价方"),
    ("财经/交易-涨停", "股票涨到当日允许的最高价", "时间 涨停股票"),
    ("产品行为-发布", "推出新的产品、作品或服务", "时间 发布产品 发布方"),
    ("产品行为-获奖", "人物、机构或作品得到奖项", "时间 获奖人 奖项 颁奖机构"),
    ("产品行为-上映", "影视作品开始公映或播出", "时间 上映方 上映影视"),
    ("产品行为-下架", "产品或应用被撤下不再提供", "时间 下架产品 被下架方 下架方"),
    ("产品行为-召回", "厂商收回有缺陷的产品", "时间 召回内容 召回方"),
    ("交往-道歉", "一方向另一方认错致歉", "时间 道歉对象 道歉者"),
    ("交往-点赞", "公开称赞或在网上点赞", "时间 点赞方 点赞对象"),
    ("交往-感谢", "一方向另一方表达谢意", "时间 致谢人 被感谢人"),
    ("交往-会见", "官员或名人正式见面", "时间 地点 会见主体 会见对象"),
    ("交往-探班", "到工作现场看望某人", "时间 探班主体 探班对象"),
    ("竞赛行为-夺冠", "参赛者取得第一名", "时间 冠军 夺冠赛事"),
    ("竞赛行为-晋级", "参赛者进入下一轮比赛", "时间 晋级方 晋级赛事"),
    ("竞赛行为-禁赛", "参赛者被禁止参加比赛", "时间 禁赛时长 被禁赛人员 禁赛机构"),
    ("竞赛行为-胜负", "比赛分出胜方和败方", "时间 败者 胜者 赛事名称"),
    ("竞赛行为-退赛", "参赛者中途退出比赛", "时间 退赛赛事 退赛方"),
    ("竞赛行为-退役", "运动员结束职业生涯", "时间 退役者"),
    ("人生-产子/女", "某人生下孩子", "时间 产子者 出生者"),
    ("人生-出轨", "某人对伴侣不忠", "时间 出轨方 出轨对象"),
    ("人生-订婚", "两人约定将来结婚", "时间 订婚主体"),
    ("人生-分手", "恋人结束恋爱关系", "时间 分手双方"),
    ("人生-怀孕", "某人有了身孕", "时间 怀孕者"),
    ("人生-婚礼", "举行结婚仪式", "时间 地点 参礼人员 结婚双方"),
    ("人生-结婚", "两人结为夫妻", "时间 结婚双方"),
    ("人生-离婚", "夫妻解除婚姻", "时间 离婚双方"),
    ("人生-庆生", "为某人庆祝生日", "时间 生日方 生日方年龄 庆祝方"),
    ("人生-求婚", "某人请求与对方结婚", "时间 求婚者 求婚对象"),
    ("人生-失联", "某人失去联系、下落不明", "时间 地点 失联者"),
    ("人生-死亡", "某人去世", "时间 地点 死者年龄 死者"),
    ("司法行为-罚款", "机构对个人或企业处以罚款", "时间 罚款对象 执法机构 罚款金额"),
    ("司法行为-拘捕", "警方拘留或逮捕某人", "时间 拘捕者 被拘捕者"),
    ("司法行为-举报", "揭发他人的违规或违法行为", "时间 举报发起方 举报对象"),
    ("司法行为-开庭", "法院开庭审理案件", "时间 开庭法院 开庭案件"),
    ("司法行为-立案", "机关对案件立案调查", "时间 立案机构 立案对象"),
    ("司法行为-起诉", "一方把另一方告上法庭", "时间 被告 原告"),
    ("司法行为-入狱", "某人被判刑或关进监狱", "时间 入狱者 刑期"),
    ("司法行为-约谈", "监管机构约见当事方谈话", "时间 约谈对象 约谈发起方"),
    ("灾害/意外-爆炸", "发生爆炸事故", "时间 地点 死亡人数 受伤人数"),
    ("灾害/意外-车祸", "发生道路交通事故", "时间 地点 死亡人数 受伤人数"),
    ("灾害/意外-地震", "发生地震", "时间 死亡人数 震级 震源深度 震中 受伤人数"),
    ("灾害/意外-洪灾", "发生洪水灾害", "时间 地点 死亡人数 受伤人数"),
    ("灾害/意外-起火", "发生火灾或物体着火", "时间 地点 死亡人数 受伤人数"),
    ("灾害/意外-坍/垮塌", "建筑物、桥梁或山体倒塌", "时间 坍塌主体 死亡人数 受伤人数"),
    ("灾害/意外-袭击", "人或设施遭到暴力袭击", "时间 地点 袭击对象 死亡人数 袭击者 受伤人数"),
    ("灾害/意外-坠机", "飞机或直升机坠毁", "时间 地点 死亡人数 受伤人数"),
    ("组织关系-裁员", "机构裁减员工", "时间 裁员方 裁员人数"),
    ("组织关系-辞/离职", "某人离开原来的职位", "时间 离职者 原所属组织"),
    ("组织关系-加盟", "某人或机构加入一个组织", "时间 加盟者 所加盟组织"),
    ("组织关系-解雇", "雇主辞退员工", "时间 解雇方 被解雇人员"),
    ("组织关系-解散", "团体或机构不再存在", "时间 解散方"),
    ("组织关系-解约", "双方或一方终止合同", "时间 被解约方 解约方"),
    ("组织关系-停职", "某人被暂停职务", "时间 所属组织 停职人员"),
    ("组织关系-退出", "成员离开所在的组织", "时间 退出方 原所属组织"),
    ("组织行为-罢工", "员工集体停止工作以示抗议", "时间 所属组织 罢工人数 罢工人员"),
    ("组织行为-闭幕", "会议、展览或赛事结束", "时间 地点 活动名称"),
    ("组织行为-开幕", "会议、展览或赛事开始", "时间 地点 活动名称"),
    ("组织行为-游行", "人群结队上街表达诉求", "时间 地点 游行组织 游行人数"),
)


class ArgumentRow(msgspec.Struct):
    role: str
    argument: str
    argument_start_index: Offset


class EventRow(msgspec.Struct):
    event_type: str
    trigger: str
    trigger_start_index: Offset
    arguments: list[ArgumentRow]


class Row(msgspec.Struct):
    """`event_list` is absent in the unlabelled test files."""

    text: str
    event_list: list[EventRow] | None = None


def mention(text: str, start: int) -> Mention:
    return Mention(text, ((start, start + len(text)),))


def to_example(place: str, row: Row) -> RawExample:
    if row.event_list is None:
        return RawExample(place, row.text)
    return RawExample(
        place,
        row.text,
        events=tuple(
            Event(
                event.event_type,
                mention(event.trigger, event.trigger_start_index),
                tuple(Argument(a.role, mention(a.argument, a.argument_start_index)) for a in event.arguments),
            )
            for event in row.event_list
        ),
    )


read = partial(json_rows.read, to_example=to_example, row_type=Row)

SOURCE = Source(
    name="DuEE1.0",
    title="DuEE 1.0",
    tasks=("EE", "EET", "EEA"),
    lang="zh",
    domain="news",
    licence=Licence.ASK,
    licence_text="none in the files; participant agreement: non-commercial research and teaching, no redistribution",
    homepage="https://www.luge.ai",
    get="luge.ai (registration): duee_train.json, duee_dev.json, duee_test*.json into duee1/ (folders may stay)",
    citation="li2020duee",
    forms=(
        Form(read, include=("duee_*.json", "duee_*.jsonl"), exclude=("*schema*",)),
        Form(read, include=("*.json", "*.jsonl"), exclude=("*schema*",)),  # the files of the 2020 contest
    ),
    event_labels={
        name: Label(name, description, named_roles(roles.split())) for name, description, roles in EVENT_TYPES
    },
)
