"""InstructIE: relations of twelve themes of Wikipedia texts in Chinese and English; one JSON object per line.

A text is only annotated with the relations of its theme, so each theme and language is a separate source, read from the
same files. The rows contain the types of head and tail, which are the same for a relation throughout a theme, with `/`
between alternatives. The lists below are those of schema_zh.json and schema_en.json; these files are not needed.
"""

from collections.abc import Iterable, Iterator
from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source, files_at
from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation
from schemas.label import Label
from transforms.files import File
from transforms.formats import json_rows
from transforms.formats.unified import RelationItem

RELATIONS = (  # name in Chinese, name in English, description in Chinese, description in English
    ("产品", "product or material produced", "组织生产或提供的东西", "what an organization makes or offers"),
    ("产地", "country of origin", "东西或作品产自的国家或地区", "the country or region that a thing comes from"),
    ("伤亡人数", "casualties", "事件造成的死伤人数", "how many people an event killed or hurt"),
    ("传播方式", "disease transmission process", "疾病传播的途径", "the way in which a disease spreads"),
    ("位于", "located in", "所在的地方", "the place where something lies"),
    ("作品", "work", "人物创作或参与的作品", "a work that a person made or took part in"),
    ("作曲者", "composer", "为作品谱曲的人", "who wrote the music of a work"),
    ("作者", "author", "写作作品的人", "who wrote a work"),
    ("作词者", "lyrics by", "为作品写词的人", "who wrote the words of a song"),
    ("兄弟姊妹", "sibling", "人物的兄弟姐妹", "a person's brother or sister"),
    ("出版商", "publisher", "出版或发行作品的机构", "who brings out a work"),
    ("出版时间", "publication date", "作品发表、上映或发行的时间", "when a work came out"),
    ("出生地点", "place of birth", "人物出生的地方", "where a person was born"),
    ("出生日期", "date of birth", "人物出生的日期", "when a person was born"),
    ("分布", "distribution", "生物分布的地区", "where a living thing is found"),
    ("创办者", "founded by", "创办组织的人或组织", "who founded an organization"),
    ("创建时间", "creation time", "建筑建成或始建的时间", "when a building was built"),
    ("创建者", "creator", "设计或建造建筑的人或组织", "who designed or built a building"),
    ("别名", "alternative name", "同一对象的另一个名称", "another name of the same thing"),
    ("制作商", "production company", "制作作品的公司", "the company that produced a work"),
    ("制片人", "producer", "负责制作作品的人", "the person who produced a work"),
    ("制造商", "manufacturer", "生产物品的公司", "the company that makes a thing"),
    ("参与者", "participant", "参加事件的人或组织", "who took part in an event"),
    ("发现时间", "time of discovery", "天体被发现的时间", "when a celestial object was discovered"),
    ("发现者或发明者", "discoverer or inventor", "首先发现或发明的人或组织", "who first found or invented something"),
    ("发生地点", "scene", "事件发生的地方", "where an event took place"),
    ("发生时间", "occurrence time", "事件发生的时间", "when an event took place"),
    ("发病部位", "pathogenic site", "疾病发生的身体部位", "the part of the body that a disease affects"),
    ("可能后果", "possible consequences", "疾病可能造成的后果", "what a disease may lead to"),
    ("名称由来", "named after", "名称的来源", "where a name comes from"),
    ("品牌", "brand", "物品的品牌", "the brand of a thing"),
    ("国籍", "country of citizenship", "人物所属的国家", "the country whose citizen a person is"),
    ("子组织", "has subsidiary", "组织下属的组织", "an organization that belongs to another"),
    ("学名", "taxon name", "生物的拉丁文学名", "the scientific name of a living thing"),
    ("宽度", "width", "宽的尺寸", "how wide something is"),
    ("导演", "director", "执导作品的人", "who directed a work"),
    ("导致", "has effect", "事件带来的结果", "what an event brought about"),
    ("属于", "of", "天体所属的星座、星系等", "the constellation or larger object that something belongs to"),
    ("平台", "platform", "作品播出或运行的平台", "the platform that carries a work"),
    ("开发者", "developer", "开发作品的人或组织", "who developed a work"),
    ("开通时间", "date of official opening", "线路或车站启用的时间", "when a line or station was opened"),
    ("成员", "member", "组织的成员", "a member of an organization"),
    ("成就", "achievement", "获得的奖项或荣誉", "a prize, title or honour that was won"),
    ("成立或创建时间", "inception", "线路或设施建立的时间", "when a line or facility was set up"),
    ("成立时间", "date of incorporation", "组织成立的时间", "when an organization was founded"),
    ("所属组织", "member of", "人物加入或任职的组织", "an organization that a person belongs to"),
    ("所获奖项", "awards", "在事件中颁发或获得的奖项", "a prize that an event awards or wins"),
    ("改编自", "based on", "作品的原著", "the work that another adapts"),
    ("时长", "duration", "作品的长度", "how long a work lasts"),
    ("曲目", "tracklist", "专辑收录的歌曲", "a song on an album"),
    ("材料", "made from material", "制作物品的材料", "what a thing is made of"),
    ("死亡地点", "place of death", "人物去世或安葬的地方", "where a person died or is buried"),
    ("死亡日期", "date of death", "人物去世的日期", "when a person died"),
    ("海拔", "elevation above sea level", "高出海平面的高度", "how high a place lies above the sea"),
    ("演员", "cast member", "出演作品的人", "an actor in a work"),
    ("父母", "parent", "人物的父亲或母亲", "a person's father or mother"),
    ("父级分类单元", "parent taxon", "生物上一级的分类", "the group next above in the classification"),
    ("生成物", "product", "反应或过程产生的物质", "what a process or substance yields"),
    ("用药", "drug or therapy used for treatment", "治疗疾病的药物", "a drug that treats a disease"),
    ("用途", "has use", "物质或物品的用处", "what something is used for"),
    ("疗法", "possible treatment", "治疗疾病的方法", "a way to treat a disease"),
    ("病因", "etiology", "引起疾病的原因", "what causes a disease"),
    ("症状", "symptoms and signs", "疾病的表现", "how a disease shows itself"),
    ("直径", "diameter", "天体直径的大小", "how large a celestial object is across"),
    ("票房", "box office", "作品的票房收入", "what a film took at the box office"),
    ("籍贯", "ancestral home", "人物祖辈居住的地方", "the place that a person's family comes from"),
    ("线路", "connecting line", "经过车站的线路", "a line that serves a station"),
    ("组成", "composition", "物质的成分", "what a substance consists of"),
    ("绝对星等", "absolute magnitude", "天体的绝对亮度", "the true brightness of a celestial object"),
    ("编剧", "screenwriter", "写作剧本的人", "who wrote the script of a work"),
    ("职业", "occupation", "人物从事的职业", "what a person does for a living"),
    ("职务", "position held", "人物担任的职位", "an office or rank that a person holds"),
    ("获胜者", "winner", "在事件中获胜的人或组织", "who won"),
    ("行政中心", "capital", "地区的首府或政府所在地", "the seat of a region's government"),
    ("表演者", "performer", "演唱、演奏或表演作品的人", "who performs a work"),
    ("解散时间", "dissolution time", "组织解散的时间", "when an organization ceased to exist"),
    ("质量", "mass", "天体质量的大小", "how much matter a celestial object holds"),
    ("赞助者", "sponsor", "赞助事件的人或组织", "who sponsors an event"),
    ("起因", "has cause", "引起事件的原因", "what brought an event about"),
    ("车站等级", "class of station", "车站的级别", "the rank of a station"),
    ("途经", "pass", "线路经过的地方", "a place that a line passes through"),
    ("配偶", "spouse", "人物的丈夫或妻子", "a person's husband or wife"),
    ("重量", "weight", "生物的体重", "how heavy a living thing is"),
    ("长度", "length", "长的尺寸", "how long something is"),
    ("面积", "area", "面积的大小", "how large an area is"),
    ("首播电视台", "original broadcaster", "最早播出作品的电视台", "the channel that first showed a work"),
    ("高度", "height", "高的尺寸", "how high something is"),
    ("主办方", "organizer", "举办事件的组织", "the organization that holds an event"),
    ("主要食物来源", "main food source", "生物主要的食物", "what a living thing mainly eats"),
    ("人口", "population", "地区的人口", "how many people live in a place"),
)
THEMES = (  # key, names in Chinese, name in English, relations
    (
        "person",
        ("人物",),
        "Person",
        "别名 出生地点 出生日期 死亡地点 国籍 职业 作品 成就 籍贯 职务 配偶 父母 所属组织 死亡日期 兄弟姊妹",
    ),
    ("location", ("地理地区",), "Geographic Location", "位于 别名 人口 行政中心 面积 长度 宽度 海拔"),
    (
        "building",
        ("建筑结构", "建筑"),
        "Building",
        "位于 别名 创建时间 宽度 长度 创建者 高度 面积 成就 名称由来",
    ),
    (
        "works",
        ("作品",),
        "Works",
        "作者 出版时间 别名 产地 改编自 演员 出版商 成就 表演者 导演 制片人 编剧 曲目 作曲者 首播电视台 开发者 "
        "作词者 制作商 票房 时长 平台",
    ),
    ("creature", ("生物",), "Creature", "分布 父级分类单元 长度 别名 学名 重量 宽度 高度 主要食物来源"),
    ("artifact", ("人造物件",), "Artificial Object", "别名 长度 宽度 品牌 材料 产地 制造商 发现者或发明者"),
    ("science", ("自然科学",), "Natural Science", "别名 组成 生成物 产地 发现者或发明者 名称由来 用途"),
    ("organization", ("组织",), "Organization", "位于 别名 子组织 成立时间 产品 成员 创办者 解散时间"),
    (
        "transport",
        ("运输",),
        "Transport",
        "位于 成立或创建时间 线路 开通时间 途经 面积 别名 长度 宽度 车站等级",
    ),
    (
        "event",
        ("事件",),
        "Event",
        "参与者 发生地点 发生时间 别名 赞助者 伤亡人数 起因 导致 主办方 所获奖项 获胜者",
    ),
    ("astronomy", ("天文对象",), "Astronomy", "别名 属于 发现时间 发现者或发明者 名称由来 绝对星等 直径 质量"),
    ("medicine", ("医学",), "Medicine", "症状 别名 发病部位 可能后果 病因 用药 疗法 传播方式"),
)
TYPES = (  # as RELATIONS
    ("人物", "human", "真实或虚构的人", "a real or fictional person"),
    ("地理地区", "geographic region", "国家、城市、山川等地方", "a country, town, river or another place"),
    ("事件", "event", "战争、比赛、会议等事件", "a war, match, meeting or another event"),
    ("组织", "organization", "公司、学校、团体等组织", "a company, school, group or another body"),
    ("生物", "organism", "动物、植物等生物", "an animal, plant or another living thing"),
    ("产品", "product", "作品、物品或物质", "a work, object or substance"),
    ("医学", "medicine", "疾病、症状、药物等", "a disease, symptom, drug or treatment"),
    ("运输", "transport", "交通线路、车站等", "a line, station or another part of transport"),
    ("建筑结构", "architectural structure", "建筑物、桥梁等", "a building, bridge or another structure"),
    ("时间", "time", "日期或时间", "a date or time"),
    ("天文对象类型", "astronomical object type", "恒星、星系等天体", "a star, galaxy or another celestial object"),
    ("专业", "profession", "职业、职务或奖项", "an occupation, office or prize"),
    ("度量", "measure", "数量、尺寸等数值", "a number or size with its unit"),
    ("文本", "text", "文中的一段话", "a stretch of text"),
    ("其他", "other", "其他对象", "anything else"),
)
ALTERNATIVES = (
    ("组织/人物", "organization/human", "人或组织", "a person or an organization"),
    ("组织/地理地区", "organization/geographic region", "组织或地方", "an organization or a place"),
    ("运输/地理地区", "transport/geographic region", "交通设施或地方", "a part of transport or a place"),
    ("建筑结构/地理地区", "architectural structure/geographic region", "建筑或地方", "a structure or a place"),
)
LANGS = {"zh": ("Chinese", 0, 2), "en": ("English", 1, 3)}
"""Code → (language, columns of the names and of the descriptions in the tables above)."""


class Row(msgspec.Struct):
    """`cate` is the theme. `relation` is absent if a text is not annotated.

    The types of a triple may be absent or empty, as in the first release; such a triple is not used for SPO.
    """

    text: str
    cate: str
    relation: list[RelationItem] | None = None


def read(files: Iterable[File], theme: frozenset[str], themes: frozenset[str]) -> Iterator[RawExample | BadRecord]:
    """The texts whose theme is in `theme`; the other themes in `themes` belong to other sources."""

    def example(place: str, row: Row) -> RawExample | BadRecord | None:
        name = row.cate.replace("_", " ")
        if name not in themes:
            return BadRecord(place, Reason.UNKNOWN_LABEL, f"{row.cate!r} is not one of the themes")
        if name not in theme:
            return None
        if row.relation is None:
            return RawExample(place, row.text)
        relations = (
            Relation(
                item.relation, Mention(item.head), Mention(item.tail), item.head_type or None, item.tail_type or None
            )
            for item in row.relation
        )
        return RawExample(place, row.text, relations=tuple(relations))

    return (record for record in json_rows.read(files, example, Row) if record is not None)


def theme_names(lang: str, chinese: tuple[str, ...], english: str) -> frozenset[str]:
    return frozenset(chinese if lang == "zh" else (english,))


def source(lang: str, chinese: tuple[str, ...], english: str, relations: str) -> Source:
    """One theme in one language. `relations`: the Chinese names of its relations."""
    language, name, description = LANGS[lang]
    labels = {row[0]: Label(row[name], row[description]) for row in RELATIONS}
    types = {row[name]: Label(row[name], row[description]) for row in TYPES + ALTERNATIVES}
    swapped = {"/".join(reversed(raw.split("/"))): label for raw, label in types.items()}
    title = chinese[0] if lang == "zh" else english
    form = partial(
        read,
        theme=theme_names(lang, chinese, english),
        themes=frozenset().union(*(theme_names(lang, *names) for _, *names, _ in THEMES)),
    )
    return Source(
        name=f"InstructIE_{title.replace(' ', '_')}",
        title=f"InstructIE, {language}, {title}",
        tasks=("RE", "SPO"),
        lang=lang,
        domain="Wikipedia",
        licence=Licence.OPEN,
        licence_text="MIT (its page); CC BY-NC-SA 4.0 (its paper); the text is Wikipedia's (CC BY-SA)",
        homepage="https://huggingface.co/datasets/zjunlp/InstructIE",
        get=(
            f"huggingface.co/datasets/zjunlp/InstructIE: train_{lang}.json, dev_{lang}.json, test_{lang}.json "
            "into instructie/"
        ),
        downloads=files_at(
            "https://huggingface.co/datasets/zjunlp/InstructIE/resolve/main/",
            tuple(f"{split}_{lang}.json" for lang in ("en", "zh") for split in ("train", "dev", "test")),
        ),
        citation="gui2023instructie",
        forms=(
            Form(form, include=tuple(f"{split}_{lang}.json" for split in ("train", "dev", "valid", "test"))),
            Form(form, include=(f"train_{lang}_plus.json",)),
        ),
        entity_labels=swapped | types,
        relation_labels={labels[raw].name: labels[raw] for raw in relations.split()},
        theme=title,
    )


SOURCES = {
    f"{lang}_{key}": source(lang, chinese, english, relations)
    for lang in LANGS
    for key, chinese, english, relations in THEMES
}
