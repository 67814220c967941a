"""CMeIE: typed triples of paediatrics and medical textbooks in Chinese; one JSON object per line, no offsets.

The text keeps its title (`病名@...`): more than half of the subjects of such texts occur only there.
"""

from pipelines.sources import Form, Licence, Source
from schemas.label import Label
from transforms.formats import spo_list

TRIPLES = (  # subject type, predicate, object type; description
    ("疾病", "预防", "其他", "防止疾病发生的措施或疫苗"),
    ("疾病", "阶段", "其他", "疾病的分期、分级或病程阶段"),
    ("疾病", "就诊科室", "其他", "诊治该疾病的医院科室"),
    ("其他", "同义词（其他）", "其他", "其他类术语的别名、简称或外文名"),
    ("疾病", "辅助治疗", "其他治疗", "药物和手术以外的配合性治疗，如吸氧、护理"),
    ("疾病", "化疗", "其他治疗", "用于该疾病的化学治疗方案"),
    ("疾病", "放射治疗", "其他治疗", "用于该疾病的放疗方法"),
    ("其他治疗", "同义词（其他治疗）", "其他治疗", "某种治疗方法的别名、简称或外文名"),
    ("疾病", "手术治疗", "手术治疗", "治疗该疾病的手术或有创操作"),
    ("手术治疗", "同义词（手术治疗）", "手术治疗", "手术名称的别名、简称或外文名"),
    ("疾病", "实验室检查", "检查", "血、尿、生化、病原学等化验项目"),
    ("疾病", "影像学检查", "检查", "X线、CT、磁共振、超声等成像检查"),
    ("疾病", "辅助检查", "检查", "心电图、肺功能等其他辅助性检查"),
    ("疾病", "组织学检查", "检查", "活检、病理切片等组织检查"),
    ("检查", "同义词（检查）", "检查", "检查项目的别名、简称或外文名"),
    ("疾病", "内窥镜检查", "检查", "胃镜、支气管镜等内镜检查"),
    ("疾病", "筛查", "检查", "在尚无症状的人群中发现该疾病的检查"),
    ("疾病", "多发群体", "流行病学", "容易患该疾病的人群"),
    ("疾病", "发病率", "流行病学", "人群中患该疾病的比例"),
    ("疾病", "发病年龄", "流行病学", "疾病常见的起病年龄"),
    ("疾病", "多发地区", "流行病学", "疾病高发的国家或地区"),
    ("疾病", "发病性别倾向", "流行病学", "男女患病的差别"),
    ("疾病", "死亡率", "流行病学", "因该疾病死亡的比例"),
    ("疾病", "多发季节", "流行病学", "疾病高发的季节或月份"),
    ("疾病", "传播途径", "流行病学", "病原体由一人传给另一人的方式"),
    ("流行病学", "同义词（流行病学）", "流行病学", "流行病学术语的别名、简称或外文名"),
    ("疾病", "同义词（疾病）", "疾病", "疾病的别名、简称或外文名"),
    ("疾病", "并发症", "疾病", "在该疾病过程中继发的另一疾病"),
    ("疾病", "病理分型", "疾病", "疾病按病理或临床划分的类型"),
    ("疾病", "相关（导致）", "疾病", "一种疾病引起另一种疾病"),
    ("疾病", "鉴别诊断", "疾病", "诊断时需要与之区分的疾病"),
    ("疾病", "相关（转化）", "疾病", "一种疾病发展转变为另一种疾病"),
    ("疾病", "相关（症状）", "疾病", "一种疾病作为另一种疾病的表现"),
    ("疾病", "临床表现", "症状", "患者出现的症状和体征"),
    ("疾病", "治疗后症状", "症状", "治疗之后出现的症状"),
    ("疾病", "侵及周围组织转移的症状", "症状", "病变侵犯邻近组织或转移后引起的症状"),
    ("症状", "同义词（症状）", "症状", "症状的别名、简称或外文名"),
    ("疾病", "病因", "社会学", "引起疾病的原因，如病原体、外伤"),
    ("疾病", "高危因素", "社会学", "使患病危险明显升高的因素"),
    ("疾病", "风险评估因素", "社会学", "判断患病或预后风险时考虑的因素"),
    ("疾病", "病史", "社会学", "与该疾病有关的既往史、接触史或用药史"),
    ("疾病", "遗传因素", "社会学", "与疾病有关的基因、染色体或遗传方式"),
    ("社会学", "同义词（社会学）", "社会学", "病因、机制类术语的别名、简称或外文名"),
    ("疾病", "发病机制", "社会学", "疾病发生发展的原理"),
    ("疾病", "病理生理", "社会学", "疾病中机体结构和功能的改变"),
    ("疾病", "药物治疗", "药物", "治疗该疾病的药物"),
    ("药物", "同义词（药物）", "药物", "药物的别名、商品名或外文名"),
    ("疾病", "发病部位", "部位", "病变所在的器官或部位"),
    ("疾病", "转移部位", "部位", "肿瘤等病变转移到的部位"),
    ("疾病", "外侵部位", "部位", "病变直接侵犯的邻近部位"),
    ("部位", "同义词（部位）", "部位", "身体部位的别名、简称或外文名"),
    ("疾病", "预后状况", "预后", "疾病的转归和长期结果"),
    ("疾病", "预后生存率", "预后", "患者在一定期限后存活的比例"),
)


def raw_predicate(predicate: str) -> str:
    """The predicate in the data. They have one predicate 同义词; the published schema has one per subject type."""
    return "同义词" if predicate.startswith("同义词（") else predicate


SOURCE = Source(
    name="CMeIE",
    title="CMeIE",
    tasks=("RE", "SPO"),
    lang="zh",
    domain="biomedical",
    licence=Licence.ASK,
    licence_text="none stated (CBLUE, registration with Tianchi)",
    homepage="https://github.com/CBLUEbenchmark/CBLUE",
    get="CBLUE on tianchi.aliyun.com (registration): CMeIE_train.json, CMeIE_dev.json, CMeIE_test.json into cmeie/",
    citation="guan2020cmeie",
    forms=(
        Form(
            spo_list.read,
            include=("*.json", "*.jsonl"),
            exclude=("*schema*", "example_*"),
        ),
    ),
    entity_labels={
        "其他": Label("其他", "不属于另外各类的医学术语，如科室、分期"),
        "其他治疗": Label("其他治疗", "药物和手术以外的治疗方法"),
        "手术治疗": Label("手术治疗", "手术或有创操作"),
        "检查": Label("检查", "诊断疾病的化验、影像等项目"),
        "流行病学": Label("流行病学", "发病的人群、地区、季节和比例"),
        "疾病": Label("疾病", "疾病、综合征或损伤的名称"),
        "症状": Label("症状", "患者的症状和体征"),
        "社会学": Label("社会学", "病因、机制和危险因素"),
        "药物": Label("药物", "药品、疫苗或药物类别"),
        "部位": Label("部位", "身体的器官、组织或区域"),
        "预后": Label("预后", "疾病的转归和生存情况"),
    },
    relation_labels={
        f"{subject}_{raw_predicate(predicate)}_{object_}": Label(predicate, description)
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
