"""Resume NER: eight entity types over résumés of listed companies' executives; one character per line, BMES."""

from functools import partial

from pipelines.sources import Form, Licence, Source, github
from schemas.label import Label
from transforms.formats import columns

SOURCE = Source(
    name="resume_ner",
    title="Resume NER",
    tasks=("NER",),
    lang="zh",
    domain="resumes",
    licence=Licence.ASK,
    licence_text="none stated in the repository",
    homepage="https://github.com/jiesutd/LatticeLSTM",
    get="folder ResumeNER of the homepage: train.char.bmes, dev.char.bmes, test.char.bmes into resume_ner/",
    downloads=github("jiesutd/LatticeLSTM", ("*/ResumeNER/*.char.bmes",)),
    citation="zhang2018lattice",
    forms=(Form(partial(columns.read, columns=2, joiner=""), include=("*.bmes",)),),
    entity_labels={
        "CONT": Label("国籍", "拥有哪国国籍，如“中国籍”"),
        "EDU": Label("学历", "教育程度或学位，如本科、硕士、博士"),
        "LOC": Label("籍贯", "籍贯所在的省、市、县，如“福建莆田人”"),
        "NAME": Label("人名", "简历中人物的姓名，“先生”“女士”之前可只有姓"),
        "ORG": Label("机构", "公司、学校、政府部门、协会等单位及其内设部门"),
        "PRO": Label("专业", "所学的学科或专业方向"),
        "RACE": Label("民族", "所属民族，如汉族、回族"),
        "TITLE": Label("职位", "职务、职称、岗位、执业资格，以及党员等身份"),
    },
)
