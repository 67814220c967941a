"""DuIE 2.0: 48 typed predicates in encyclopaedia, news and forum texts in Chinese; one JSON object per line, no
offsets.

Of an object with several slots (actor, work) the main one is kept, as in the published corpora.
"""

from pipelines.sources import Form, Licence, Source
from schemas.label import Label
from transforms.formats import spo_list

TRIPLES = (  # subject type, predicate, object type; description
    ("人物", "毕业院校", "学校", "人物毕业或就读的学校"),
    ("电视综艺", "嘉宾", "人物", "参加某期综艺节目的嘉宾"),
    ("娱乐人物", "配音", "人物", "配音演员所配的角色"),
    ("影视作品", "主题曲", "歌曲", "影视作品的主题歌曲"),
    ("企业/品牌", "代言人", "人物", "为企业或品牌做代言的人"),
    ("歌曲", "所属专辑", "音乐专辑", "收录该歌曲的专辑"),
    ("人物", "父亲", "人物", "人物的父亲"),
    ("图书作品", "作者", "人物", "写作图书的人"),
    ("影视作品", "上映时间", "Date", "影视作品公映或首播的时间"),
    ("人物", "母亲", "人物", "人物的母亲"),
    ("学科专业", "专业代码", "Text", "高校专业目录中的代码"),
    ("机构", "占地面积", "Number", "机构用地的大小"),
    ("行政区", "邮政编码", "Text", "行政区的邮编"),
    ("影视作品", "票房", "Number", "影视作品的票房收入"),
    ("企业", "注册资本", "Number", "企业登记的资本额"),
    ("文学作品", "主角", "人物", "文学作品中的主要角色"),
    ("人物", "妻子", "人物", "人物的妻子"),
    ("影视作品", "编剧", "人物", "写作剧本的人"),
    ("行政区", "气候", "气候", "行政区所属的气候类型"),
    ("歌曲", "歌手", "人物", "演唱歌曲的人"),
    ("娱乐人物", "获奖", "奖项", "演艺人员得到的奖项"),
    ("学校", "校长", "人物", "学校的校长"),
    ("企业", "创始人", "人物", "创办企业的人"),
    ("国家", "首都", "城市", "国家的首都"),
    ("人物", "丈夫", "人物", "人物的丈夫"),
    ("历史人物", "朝代", "Text", "历史人物生活的朝代"),
    ("娱乐人物", "饰演", "人物", "演员所演的角色"),
    ("行政区", "面积", "Number", "行政区的面积"),
    ("企业", "总部地点", "地点", "企业总部所在的地方"),
    ("人物", "祖籍", "地点", "人物祖辈居住的地方"),
    ("行政区", "人口数量", "Number", "行政区的人口"),
    ("影视作品", "制片人", "人物", "负责制作影视作品的人"),
    ("学科专业", "修业年限", "Number", "修完专业所需的年数"),
    ("景点", "所在城市", "城市", "景点所在的城市"),
    ("企业", "董事长", "人物", "企业董事会的负责人"),
    ("歌曲", "作词", "人物", "写歌词的人"),
    ("影视作品", "改编自", "作品", "影视作品的原著"),
    ("影视作品", "出品公司", "企业", "出品影视作品的公司"),
    ("影视作品", "导演", "人物", "执导影视作品的人"),
    ("歌曲", "作曲", "人物", "为歌曲谱曲的人"),
    ("影视作品", "主演", "人物", "影视作品的主要演员"),
    ("电视综艺", "主持人", "人物", "主持综艺节目的人"),
    ("机构", "成立日期", "Date", "机构成立的时间"),
    ("机构", "简称", "Text", "机构名称的简写"),
    ("地点", "海拔", "Number", "地点高出海平面的高度"),
    ("历史人物", "号", "Text", "历史人物名、字以外的号"),
    ("人物", "国籍", "国家", "人物所属的国家"),
    ("国家", "官方语言", "语言", "国家的官方语言"),
    ("人物", "民族", "Text", "人物所属的民族"),  # published for DuIE 2.0, though its schema file lacks it
)

SOURCE = Source(
    name="DuIE2.0",
    title="DuIE 2.0",
    tasks=("RE", "SPO"),
    lang="zh",
    domain="encyclopaedia, news and forums",
    licence=Licence.ASK,
    licence_text="none in the files; participant agreement: non-commercial research and teaching, no redistribution",
    homepage="https://www.luge.ai",
    get="luge.ai (registration): duie_train.json, duie_dev.json, duie_test*.json into duie2/ (folders may stay)",
    citation="li2019duie",
    forms=(
        Form(spo_list.read, include=("duie_*.json", "duie_*.jsonl"), exclude=("*schema*",)),
        Form(spo_list.read, include=("*.json", "*.jsonl"), exclude=("*schema*",)),  # the files of the 2020 contest
    ),
    entity_labels={
        "Date": Label("Date", "日期或时间"),
        "Number": Label("Number", "数量、金额、面积等数值"),
        "Text": Label("Text", "名称、代码等文字"),
        "人物": Label("人物", "真实或虚构的人"),
        "企业": Label("企业", "公司等营利组织"),
        "企业/品牌": Label("企业/品牌", "公司或其品牌"),
        "作品": Label("作品", "被改编的小说、漫画等作品"),
        "历史人物": Label("历史人物", "古代或近代的历史人物"),
        "国家": Label("国家", "主权国家"),
        "图书作品": Label("图书作品", "图书、小说的名称"),
        "地点": Label("地点", "国家、地区等地名"),
        "城市": Label("城市", "城市的名称"),
        "奖项": Label("奖项", "奖的名称"),
        "娱乐人物": Label("娱乐人物", "演员、歌手等演艺人员"),
        "学校": Label("学校", "大学、中小学等"),
        "学科专业": Label("学科专业", "高校的专业"),
        "影视作品": Label("影视作品", "电影、电视剧、动画"),
        "文学作品": Label("文学作品", "小说等文学作品"),
        "景点": Label("景点", "旅游景点"),
        "机构": Label("机构", "学校、研究所、企业等机构"),
        "歌曲": Label("歌曲", "歌曲的名称"),
        "气候": Label("气候", "气候类型"),
        "电视综艺": Label("电视综艺", "综艺节目"),
        "行政区": Label("行政区", "省、市、县、乡镇等"),
        "语言": Label("语言", "语言的名称"),
        "音乐专辑": Label("音乐专辑", "专辑的名称"),
    },
    relation_labels={
        f"{subject}_{predicate}_{object_}": Label(predicate, description)
        for subject, predicate, object_, description in TRIPLES
    },
    typed_labels=tuple(
        Label(
            f"{subject}_{predicate}_{object_}",
            description,
            subject_type=subject,
            predicate=predicate,
            object_type=object_,
        )
        for subject, predicate, object_, description in TRIPLES
    ),
)
