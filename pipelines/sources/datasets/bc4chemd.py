"""BC4CHEMD (CHEMDNER): chemicals in PubMed abstracts, in eight classes by the form of the name; tab-separated files."""

from pipelines.sources import Download, Form, Licence, Source
from pipelines.sources.datasets import _mtl as mtl
from schemas.label import Label
from transforms.formats import chemdner

CHEMICAL = Label("chemical", "a chemical compound, drug, element, ion or family of them, however it is named")

SOURCE = Source(
    name="bc4chemd",
    title="BioCreative IV CHEMDNER",
    tasks=("NER",),
    lang="en",
    domain="biomedical",
    licence=Licence.ASK,
    licence_text="none stated",
    homepage="https://biocreative.bioinformatics.udel.edu/resources/biocreative-iv/chemdner-corpus/",
    get="chemdner_corpus.tar.gz of the homepage: {training,development,evaluation}.abstracts.txt and .annotations.txt "
    "into bc4chemd/",
    downloads=(
        Download(
            "https://biocreative.bioinformatics.udel.edu/media/store/files/2014/chemdner_corpus.tar.gz",
            ("*.abstracts.txt", "*.annotations.txt"),
        ),
    ),
    citation="krallinger2015chemdner",
    forms=(
        Form(
            chemdner.read,
            include=tuple(
                f"{part}.{kind}.txt"
                for part in ("training", "development", "evaluation")
                for kind in ("abstracts", "annotations")
            ),
            splits={"evaluation.*": "test"},
        ),
        *mtl.forms(collapsed=True),
    ),
    entity_labels={
        "ABBREVIATION": Label("chemical abbreviation", "an abbreviation or acronym of a chemical, as DMSO"),
        "FAMILY": Label("chemical family", "a family or class of chemicals, as flavonoids"),
        "FORMULA": Label("chemical formula", "a molecular formula or a string such as SMILES"),
        "IDENTIFIER": Label("chemical identifier", "a code under which a database or a company lists a chemical"),
        "MULTIPLE": Label("several chemicals", "chemicals that share a part of their names, as vitamins A and E"),
        "NO-CLASS": Label("other chemical", "a chemical that fits none of the other classes"),
        "SYSTEMATIC": Label("systematic chemical name", "a name that tells the structure, as IUPAC's do"),
        "TRIVIAL": Label("trivial chemical name", "a common, generic or trade name of a chemical"),
        "Chemical": CHEMICAL,
    },
    collapsed=CHEMICAL,
)
