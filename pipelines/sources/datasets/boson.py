"""BosonNLP NER: six entity types over web news and microblogs; paragraphs with `{{type:text}}`, possibly nested."""

import re
from functools import partial

from pipelines.sources import Form, Licence, Source
from schemas.label import Label
from transforms.formats import inline

MARK = re.compile(r"\{\{(?P<label>[a-z_]+):|\}\}")


def respell(text: str) -> str:
    r"""The text with line breaks in place of the two characters `\n`."""
    return text.replace("\\n", "\n")


SOURCE = Source(
    name="boson",
    title="BosonNLP NER",
    tasks=("NER",),
    lang="zh",
    domain="web",
    licence=Licence.GATED,
    licence_text="BosonNLP licence: research use, no passing on to third parties",
    homepage="https://github.com/InsaneLife/ChineseNLPCorpus/tree/master/NER/boson",
    get="BosonNLP_NER_6C.txt (elsewhere origindata.txt) of the data set's own distribution into boson/",
    citation="bosonnlp2015ner",
    forms=(
        Form(
            partial(inline.read, mark=MARK, respell=respell),
            include=("BosonNLP_NER*.txt", "origindata.txt"),
            splits={"*": "all"},
        ),
    ),
    entity_labels={
        "company_name": Label("公司名", "企业、公司的名称"),
        "location": Label("地点", "国家、城市、街道、景点等地点"),
        "org_name": Label("组织机构名", "政府部门、学校、团体等非企业机构的名称"),
        "person_name": Label("人名", "人物的姓名、昵称"),
        "product_name": Label("产品名", "产品、品牌、作品、网站的名称"),
        "time": Label("时间", "日期、时刻或时间段"),
    },
    held_out=True,
    real_files_seen=False,
)
