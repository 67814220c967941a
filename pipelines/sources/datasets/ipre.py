"""IPRE: 34 relations between two persons in segmented web sentences, files of sentences and of relations; held out."""

import re
from collections.abc import Iterable, Iterator

from pipelines.sources import Form, Licence, Source, github
from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation
from schemas.label import Label
from transforms.files import File
from transforms.formats.joined import Text, join

SEGMENTS = re.compile(r"(?<![0-9A-Za-z]) +| +(?![0-9A-Za-z])")
"""The spaces between words, except between two Latin words or numbers."""


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Reads every sentence of the `sent_` files, unsegmented, with its relations from the `sent_relation_` files.

    A line of these files lists all relation ids of a sentence; a sentence without a line is not annotated.
    """
    files = list(files)
    relations = [file for file in files if file.name.rsplit("/", 1)[-1].lower().startswith("sent_relation")]
    for sentence in join([file for file in files if file not in relations], relations, ("\t", "\t")):
        yield sentence if isinstance(sentence, BadRecord) else to_example(sentence)


def to_example(sentence: Text) -> RawExample | BadRecord:
    columns = sentence.rest.split("\t")
    if len(columns) != 3:
        detail = f"{len(columns) + 1} columns; expected id, head, tail, sentence"
        return BadRecord(sentence.place, Reason.WRONG_COLUMNS, detail)
    head, tail, text = (SEGMENTS.sub("", column.strip()) for column in columns)
    if not sentence.annotations:
        return RawExample(sentence.place, text)
    ids = [label for _, line in sentence.annotations for label in line.partition("\t")[2].split()]
    if not ids:
        place, line = sentence.annotations[0]
        return BadRecord(place, Reason.WRONG_COLUMNS, f"{line[:80]!r} has no relation id")
    ends = Mention(head), Mention(tail)
    return RawExample(sentence.place, text, relations=tuple(Relation(label, *ends) for label in ids))


RELATIONS = (  # in the order of relation2id.txt, from 1
    ("现夫", "前者现在的丈夫是后者"),
    ("前夫", "前者以前的丈夫是后者"),
    ("未婚夫", "与前者订婚的男方是后者"),
    ("现妻", "前者现在的妻子是后者"),
    ("前妻", "前者以前的妻子是后者"),
    ("未婚妻", "与前者订婚的女方是后者"),
    ("爷爷", "前者父亲的父亲是后者"),
    ("奶奶", "前者父亲的母亲是后者"),
    ("外公", "前者母亲的父亲是后者"),
    ("生父", "前者的亲生父亲是后者"),
    ("生母", "前者的亲生母亲是后者"),
    ("儿子", "前者的儿子是后者"),
    ("女儿", "前者的女儿是后者"),
    ("孙子", "前者的孙子是后者"),
    ("孙女", "前者的孙女是后者"),
    ("哥哥", "前者的哥哥是后者"),
    ("弟弟", "前者的弟弟是后者"),
    ("姐姐", "前者的姐姐是后者"),
    ("妹妹", "前者的妹妹是后者"),
    ("叔伯", "前者父亲的兄弟是后者"),
    ("舅舅", "前者母亲的兄弟是后者"),
    ("姑妈", "前者父亲的姐妹是后者"),
    ("侄子", "前者兄弟的儿子是后者"),
    ("侄女", "前者兄弟的女儿是后者"),
    ("儿媳", "前者儿子的妻子是后者"),
    ("女婿", "前者女儿的丈夫是后者"),
    ("嫂子", "前者哥哥的妻子是后者"),
    ("公公", "前者丈夫的父亲是后者"),
    ("岳父", "前者妻子的父亲是后者"),
    ("朋友", "前者与后者是朋友"),
    ("喜欢", "前者爱慕后者"),
    ("恋人", "前者与后者相恋"),
    ("老师", "前者的老师是后者"),
    ("学生", "前者的学生是后者"),
)

SOURCE = Source(
    name="IPRE",
    title="IPRE (CCKS 2019 task 3)",
    tasks=("RE",),
    lang="zh",
    domain="web",
    licence=Licence.ASK,
    licence_text="none stated",
    homepage="https://github.com/SUDA-HLT/IPRE",
    get=(
        "github.com/SUDA-HLT/IPRE: data/ with sent_*.txt and sent_relation_*.txt of train, dev and test into ipre/ "
        "(the bag_relation files and relation2id.txt are not needed)"
    ),
    downloads=github("SUDA-HLT/IPRE", ("*/data/*/sent_*.txt",)),
    citation="wang2019ipre",
    forms=(Form(read, include=("sent_*.txt",), needs=("sent_train*.txt", "sent_dev*.txt", "sent_test*.txt")),),
    relation_labels={"0": None, **{str(number): Label(*relation) for number, relation in enumerate(RELATIONS, 1)}},
    held_out=True,
    one_pair=True,
)
