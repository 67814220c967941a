"""COAE 2016 task 3: ten relations of people and organizations, two tagged mentions per sentence; held out.

The test sentences of the evaluation have no answers (`test_1_q`, `test_2_q`): they are read as unannotated, and the
labelled sentences of `train_shuffle` are the test set. `train.tsv` has the same sentences without mentions.
"""

from pipelines.sources import Form, Licence, Source, github
from schemas.label import Label
from transforms.formats import tagged_rows

SOURCE = Source(
    name="COAE2016",
    title="COAE 2016 task 3",
    tasks=("RE",),
    lang="zh",
    domain="encyclopaedia and news",
    licence=Licence.ASK,
    licence_text="none stated",
    homepage="https://github.com/Sewens/COAE2016",
    get="github.com/Sewens/COAE2016: COAE_Task3 (train_shuffle, test_1_q, test_2_q) into coae2016/ (folders may stay)",
    downloads=github("Sewens/COAE2016", ("train_shuffle", "test_1_q", "test_2_q")),
    citation="coae2016",
    forms=(Form(tagged_rows.read, include=("train_shuffle*", "test_1_q*", "test_2_q*"), splits={"*": "test"}),),
    relation_labels={
        "cr2": Label("出生日期", "人物出生的日期"),
        "cr4": Label("出生地", "人物出生的地方"),
        "cr16": Label("毕业院校", "人物毕业的学校"),
        "cr20": Label("配偶", "人物的丈夫或妻子"),
        "cr21": Label("子女", "人物的儿子或女儿"),
        "cr28": Label("高管", "组织机构的领导或高级管理人员"),
        "cr29": Label("员工数", "组织机构的员工人数"),
        "cr34": Label("创始人", "创立组织机构的人"),
        "cr35": Label("成立时间", "组织机构成立的时间"),
        "cr37": Label("总部地点", "组织机构总部所在的地方"),
    },
    held_out=True,
    one_pair=True,
)
