"""BC5CDR: chemicals, diseases and which chemical induces which disease, in PubMed abstracts; PubTator or BioC XML."""

from functools import partial

from pipelines.sources import Download, Form, Licence, Source
from pipelines.sources.datasets import _mtl as mtl
from schemas.label import Label, typed_label
from transforms.formats import bioc, pubtator

CID = "chemical induced disease"

SOURCE = Source(
    name="bc5cdr",
    title="BioCreative V Chemical-Disease Relation corpus",
    tasks=("NER", "RE", "SPO"),
    lang="en",
    domain="biomedical",
    licence=Licence.OPEN,
    licence_text="public domain mark 1.0 (as listed by BigBIO; the distribution states none)",
    homepage="https://biocreative.bioinformatics.udel.edu/tasks/biocreative-v/track-3-cdr/",
    get="biocreative.bioinformatics.udel.edu, CDR.Corpus.v010516: CDR_{Training,Development,Test}Set.PubTator.txt "
    "(or .BioC.xml) into bc5cdr/",
    downloads=(
        Download(
            "https://biocreative.bioinformatics.udel.edu/media/store/files/2016/CDR_Data.zip",
            ("CDR_*Set.PubTator.txt",),
        ),
    ),
    citation="li2016bc5cdr",
    forms=(
        Form(partial(pubtator.read, vocabulary="MESH"), include=("*.PubTator.txt", "*.PubTator")),
        # A composite mention is kept as one, as in the PubTator files; its parts repeat the same words.
        Form(
            partial(
                bioc.read,
                concept="MESH",
                ends=("Chemical", "Disease"),
                drop=("CompositeRole", "IndividualMention"),
                vocabulary="MESH",
            ),
            include=("*.xml",),
        ),
        *mtl.forms(),
    ),
    entity_labels={
        "Chemical": Label("Chemical", "a drug or another chemical substance, by any of its names or abbreviations"),
        "Disease": Label("Disease", "a disease, symptom, syndrome, injury or toxic effect"),
    },
    relation_labels={
        "CID": Label(CID, "the chemical (head) brings on or worsens the disease (tail)"),
    },
    typed_labels=(typed_label("Chemical", CID, "Disease"),),
)
