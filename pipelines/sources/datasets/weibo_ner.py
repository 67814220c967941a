"""Weibo NER: names and nominal mentions in microblogs, in two editions; one character per line, BIO."""

import re
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from pipelines.sources import Form, Licence, Source, github
from schemas.errors import SURROGATE
from schemas.label import Label
from transforms.formats import columns

NUMBERED = re.compile("(\ufffd\ufffd|.)[0-9]+", re.DOTALL)
HALVES = re.compile("\udced[\udca0-\udcaf][\udc80-\udcbf]\udced[\udcb0-\udcbf][\udc80-\udcbf]")


def without_positions(tokens: Sequence[str]) -> list[str | None]:
    """`科0`, `技1` → `科`, `技`: the second edition writes each character with its position in the word.

    Two replacement characters in place of a lost emoji are kept.
    """
    return [
        match[1] if (match := NUMBERED.fullmatch(token)) else token if SURROGATE.search(token) else None
        for token in tokens
    ]


def whole_emoji(tokens: Sequence[str]) -> list[str]:
    """Joins emoji that the first edition writes on two lines, as a surrogate pair with each half encoded in UTF-8
    (CESU-8). The first token becomes the emoji, the second an empty string; other tokens are unchanged.
    """
    pieces = list(tokens)
    for index, pair in enumerate(map("".join, pairwise(tokens))):
        if HALVES.fullmatch(pair):
            units = pair.encode("utf-8", "surrogateescape").decode("utf-8", "surrogatepass")
            pieces[index : index + 2] = units.encode("utf-16", "surrogatepass").decode("utf-16"), ""
    return pieces


read = partial(columns.read, columns=2, joiner="")

SOURCE = Source(
    name="WEIBONER",
    title="Weibo NER",
    tasks=("NER",),
    lang="zh",
    domain="social media",
    licence=Licence.OPEN,
    licence_text="annotations CC BY-SA 3.0; messages under the terms of Weibo",
    homepage="https://github.com/hltcoe/golden-horse",
    get="folder data of the homepage: weiboNER_2nd_conll.train, .dev, .test (or the first edition's weiboNER.conll.*) "
    "into weibo_ner/",
    downloads=github("hltcoe/golden-horse", ("weiboNER_2nd_conll.*",)),
    citation="peng2015weibo",
    forms=(
        Form(partial(read, respell=without_positions), include=("weiboNER_2nd_conll.*",)),
        Form(partial(read, respell=whole_emoji), include=("weiboNER.conll.*",)),
    ),
    entity_labels={
        "GPE.NAM": Label("地缘政治实体名", "国家、省、市等有政府的地区的名称"),
        "GPE.NOM": Label("地缘政治实体泛称", "不用名称而指国家、城市等地区的词，如“全国”"),
        "LOC.NAM": Label("地点名", "山川、道路、建筑、景点等地点的名称"),
        "LOC.NOM": Label("地点泛称", "不用名称而指地点的词，如“路口”“海边”"),
        "ORG.NAM": Label("机构名", "公司、学校、媒体、团体等机构的名称"),
        "ORG.NOM": Label("机构泛称", "不用名称而指机构的词，如“公司”“球队”"),
        "PER.NAM": Label("人名", "真实或虚构人物的姓名、昵称"),
        "PER.NOM": Label("人物泛称", "不用姓名而指人的词，如“老师”“女孩”"),
    },
    held_out=True,
)
