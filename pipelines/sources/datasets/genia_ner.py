"""GENIA 3.02: proteins, DNA, RNA and cells in MEDLINE abstracts, nested and coordinated; XML."""

from pipelines.sources import Download, Form, Licence, Source
from schemas.label import Label
from transforms.formats import genia

DNA = Label("DNA", "a gene, promoter, site or other stretch or kind of DNA")
RNA = Label("RNA", "an RNA molecule, a kind of RNA or a stretch of one")
PROTEIN = Label("protein", "a protein, a family or complex of them, or a part of one")

PARTS = ("molecule", "family_or_group", "domain_or_region", "substructure", "N/A")
"""The subtypes of DNA, RNA and proteins in the corpus."""

SOURCE = Source(
    name="GENIA_NER",
    title="GENIA term corpus 3.02",
    tasks=("NER",),
    lang="en",
    domain="biomedical",
    licence=Licence.OPEN,
    licence_text="GENIA Project licence: annotations CC BY 3.0; abstracts under the terms of the NLM",
    homepage="http://www.geniaproject.org/genia-corpus/term-corpus",
    get="GENIAcorpus3.02.tgz: GENIAcorpus3.02.xml into genia_ner/ (folders may stay)",
    downloads=(
        Download(
            "http://www.nactem.ac.uk/GENIA/current/GENIA-corpus/Term/GENIAcorpus3.02.tgz", ("GENIAcorpus3.02.xml",)
        ),
    ),
    citation="kim2003genia",
    forms=(Form(genia.read, include=("GENIAcorpus3.02.xml",), splits={"*": "all"}),),
    entity_labels={
        **{f"G#DNA_{part}": DNA for part in PARTS},
        **{f"G#RNA_{part}": RNA for part in PARTS},
        **{f"G#protein_{part}": PROTEIN for part in (*PARTS, "complex", "subunit")},
        "G#cell_line": Label("cell line", "a population of cells kept in culture, as HeLa"),
        "G#cell_type": Label("cell type", "a kind of cell, as T lymphocytes"),
        # Benchmarks use the five labels above; these are the other classes of the ontology.
        "G#amino_acid_monomer": None,
        "G#atom": None,
        "G#body_part": None,
        "G#carbohydrate": None,
        "G#cell_component": None,
        "G#inorganic": None,
        "G#lipid": None,
        "G#mono_cell": None,
        "G#multi_cell": None,
        "G#nucleotide": None,
        "G#other_artificial_source": None,
        "G#other_name": None,
        "G#other_organic_compound": None,
        "G#peptide": None,
        "G#polynucleotide": None,
        "G#tissue": None,
        "G#virus": None,
    },
)
