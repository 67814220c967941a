"""BC2GM: genes and gene products in MEDLINE sentences; one file of sentences, one of mentions; offsets skip spaces."""

from functools import partial

from pipelines.sources import Form, Licence, Source
from pipelines.sources.datasets import _mtl as mtl
from schemas.label import Label
from transforms.formats import genetag

SOURCE = Source(
    name="bc2gm",
    title="BioCreative II Gene Mention (GENETAG)",
    tasks=("NER",),
    lang="en",
    domain="biomedical",
    licence=Licence.OPEN,
    licence_text="US Government work, public domain notice (NOTICE)",
    homepage="https://biocreative.bioinformatics.udel.edu/tasks/biocreative-ii/task-1a-gene-mention-tagging/",
    get="bc2GMtrain and bc2GMtest of the homepage: train/train.in, train/GENE.eval, test/test.in, test/GENE.eval into "
    "bc2gm/",
    citation="smith2008bc2gm",
    forms=(
        # ALTGENE.eval has alternative spans that an evaluation accepts for those of GENE.eval, not more mentions.
        Form(
            partial(genetag.read, label="GENE"),
            include=("train.in", "test.in", "GENE.eval"),
            splits={"*train*": "train", "*test*": "test"},
        ),
        *mtl.forms(),
    ),
    entity_labels={"GENE": Label("gene", "a gene, protein, RNA or other gene product, by name or symbol")},
)
