"""NCBI Disease: diseases in PubMed abstracts, in four classes by the form of the mention; PubTator."""

from functools import partial

from pipelines.sources import Download, Form, Licence, Source
from pipelines.sources.datasets import _mtl as mtl
from schemas.label import Label
from transforms.formats import pubtator

DISEASE = Label("disease", "a disease, syndrome, disorder or class of them, by any name")

SOURCE = Source(
    name="ncbi",
    title="NCBI Disease corpus",
    tasks=("NER",),
    lang="en",
    domain="biomedical",
    licence=Licence.OPEN,
    licence_text="US Government work, public domain notice (LICENSE)",
    homepage="https://www.ncbi.nlm.nih.gov/CBBresearch/Dogan/DISEASE/",
    get="the homepage: NCBItrainset_corpus.txt, NCBIdevelopset_corpus.txt, NCBItestset_corpus.txt into ncbi_disease/",
    downloads=tuple(
        Download(f"https://www.ncbi.nlm.nih.gov/CBBresearch/Dogan/DISEASE/NCBI{part}set_corpus.zip", ("*.txt",))
        for part in ("train", "develop", "test")
    ),
    citation="dogan2014ncbi",
    forms=(
        Form(
            partial(pubtator.read, vocabulary="MESH"),
            include=("NCBI*set_corpus.txt",),
            splits={"*trainset*": "train", "*developset*": "validation", "*testset*": "test"},
        ),
        *mtl.forms(collapsed=True),
    ),
    entity_labels={
        "CompositeMention": Label("composite disease mention", "a phrase that names several diseases at once"),
        "DiseaseClass": Label("disease class", "a family of diseases, as skin tumours"),
        "Modifier": Label("disease modifier", "a disease's name that modifies another noun, as in cancer patients"),
        "SpecificDisease": Label("specific disease", "a particular disease, as Wilson disease"),
        "Disease": DISEASE,
    },
    collapsed=DISEASE,
)
