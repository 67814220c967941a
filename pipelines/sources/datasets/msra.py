"""MSRA NER (SIGHAN bakeoff 2006): three entity types over news; one character per line in BIO, or chunk/tag lines."""

from functools import partial

from pipelines.sources import Form, Licence, Source
from schemas.label import Label
from transforms.formats import columns, inline

LOCATION = Label("地理位置", "国家、城市、山川等地名")
ORGANIZATION = Label("组织机构", "政府、政党、公司、学校、团体等机构的名称")
PERSON = Label("人物", "真实或虚构人物的姓名")

SOURCE = Source(
    name="MSRA",
    title="MSRA NER, SIGHAN bakeoff 2006",
    tasks=("NER",),
    lang="zh",
    domain="news",
    licence=Licence.ASK,
    licence_text="research use (SIGHAN, Microsoft); copies on GitHub state Apache-2.0 without the owners' word",
    homepage="https://aclanthology.org/W06-0115",
    get="github.com/zhooufeng/Data or another copy: msra_train_bio, msra_test_bio (or train1.txt, testright1.txt) "
    "into msra/",
    citation="levow2006third",
    forms=(
        Form(partial(columns.read, columns=2, joiner=""), include=("msra_*_bio*", "*_bio.txt")),
        Form(
            partial(inline.read_chunks, labels=("nr", "ns", "nt"), outside="o"),
            include=("train1.txt", "testright1.txt"),  # test1.txt has no tags
        ),
    ),
    entity_labels={
        "LOC": LOCATION,
        "ORG": ORGANIZATION,
        "PER": PERSON,
        "ns": LOCATION,
        "nt": ORGANIZATION,
        "nr": PERSON,
    },
)
