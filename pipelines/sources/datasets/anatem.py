"""AnatEM: anatomical structures from cell parts to whole systems, and what grows wrong in them; brat standoff."""

from functools import partial

from pipelines.sources import Download, Form, Licence, Source
from pipelines.sources.datasets import _mtl as mtl
from schemas.errors import BadRecord
from schemas.example import RawExample
from schemas.label import Label
from transforms.formats import brat, columns

ANATOMY = Label("anatomy", "a part or substance of the body at any scale, healthy or diseased")


def to_example(place: str, document: brat.Document) -> RawExample | BadRecord:
    """The document as an example, or its first T line with wrong offsets as the reason to reject the document."""
    if document.misplaced:
        return next(iter(document.misplaced.values()))
    return RawExample(place, document.text, entities=tuple(document.mentions.values()))


SECOND_COPY = ("all/*", "*/all/*")
"""The distribution contains every document twice; this folder mixes the splits."""

SOURCE = Source(
    name="AnatEM",
    title="AnatEM, the extended Anatomical Entity Mention corpus",
    tasks=("NER",),
    lang="en",
    domain="biomedical",
    licence=Licence.OPEN,
    licence_text="annotations CC BY-SA 3.0; abstracts under the terms of the NLM, full texts per article",
    homepage="http://nactem.ac.uk/anatomytagger/#AnatEM",
    get="nactem.ac.uk/anatomytagger, AnatEM-1.0.2: its folders standoff/train, devel and test into anatem/",
    downloads=(Download("http://nactem.ac.uk/anatomytagger/AnatEM-1.0.2.tar.gz", ("*/standoff/*",)),),
    citation="pyysalo2014anatem",
    forms=(
        Form(partial(brat.read, to_example=to_example), include=("*.ann", "*.txt"), exclude=SECOND_COPY),
        Form(partial(columns.read, columns=2, separator="\t"), include=("*.conll",), exclude=SECOND_COPY),
        *mtl.forms(collapsed=True),
    ),
    entity_labels={
        "Anatomical_system": Label("anatomical system", "organs that work together, as the immune system"),
        "Cancer": Label("cancer", "a malignant tumour or other cancerous growth, by name"),
        "Cell": Label("cell", "a kind of cell, also a cell line"),
        "Cellular_component": Label("cellular component", "a part of a cell, as the nucleus or its membrane"),
        "Developing_anatomical_structure": Label(
            "developing anatomical structure", "a structure of the embryo or fetus, as the neural tube"
        ),
        "Immaterial_anatomical_entity": Label(
            "immaterial anatomical entity", "a space, line or surface of the body that has no mass of its own"
        ),
        "Multi-tissue_structure": Label(
            "multi-tissue structure", "a part of an organ made of several tissues, as a vessel or a gland's duct"
        ),
        "Organ": Label("organ", "a whole organ, as the kidney, the skin or a bone"),
        "Organism_subdivision": Label("organism subdivision", "a region of the whole body, as the head or a limb"),
        "Organism_substance": Label("organism substance", "a fluid or other substance of the body, as blood or urine"),
        "Pathological_formation": Label(
            "pathological formation", "an abnormal structure that is not called a cancer, as a lesion or a plaque"
        ),
        "Tissue": Label("tissue", "cells of like kind that form a fabric, as epithelium or bone marrow"),
        "Anatomy": ANATOMY,
    },
    collapsed=ANATOMY,
)
