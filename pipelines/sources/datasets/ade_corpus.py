"""ADE corpus V2: drugs, adverse effects and dosages in MEDLINE case reports; pipe-separated, one relation per row.

A relation reads "drug has adverse effect": its head is the drug, the last column of a row. The published corpora only
have `adverse effect`. `ADE-NEG.txt` only guarantees that a sentence has no adverse effect: sentences with an amount
often contain a dosage that is not annotated, so their relations are unknown.
"""

import re
from functools import partial

from pipelines.sources import Form, Licence, Source
from schemas.label import Label
from transforms.formats import pipes

AMOUNT = re.compile(
    r"\b(?:over)?dos(?:e|es|age|ages|ing)\b|[0-9][ -]?(?:mg|g|gm|kg|mcg|microg|micrograms?|ml|IU|U|MU|units?)\b", re.I
)

SOURCE = Source(
    name="ADE_corpus",
    title="ADE Corpus V2",
    tasks=("RE", "SPO"),  # no NER: drugs and effects without a relation are not annotated
    lang="en",
    domain="biomedical",
    licence=Licence.ASK,
    licence_text="none stated (asks to cite Gurulingappa et al. 2012)",
    homepage="https://sites.google.com/site/adecorpus/",
    get="ADE-Corpus-V2.zip: DRUG-AE.rel, DRUG-DOSE.rel, ADE-NEG.txt into ade_corpus/",
    citation="gurulingappa2012ade",
    forms=(
        Form(
            partial(
                pipes.read,
                kinds={
                    "DRUG-AE": pipes.Kind("DRUG-AE", "Drug", "Adverse-Effect"),
                    "DRUG-DOSE": pipes.Kind("DRUG-DOSE", "Drug", "Dose"),
                },
                unknown=AMOUNT,
            ),
            include=("DRUG-AE.rel", "DRUG-DOSE.rel", "ADE-NEG.txt"),
            splits={"*": "all"},
        ),
    ),
    entity_labels={
        "Drug": Label("drug", "a substance given to a patient, by its generic, chemical or trade name"),
        "Adverse-Effect": Label("adverse effect", "a sign, symptom or disease that a drug has brought about"),
        "Dose": Label("dosage", "how much of a drug was given or taken"),
    },
    relation_labels={
        "DRUG-AE": Label("adverse effect", "a drug and the harm that it has done to a patient"),
        "DRUG-DOSE": Label("dosage", "a drug and the amount in which it was given or taken"),
    },
    typed_labels=(
        Label(
            "drug_adverse effect_adverse effect",
            "a drug and the harm that it has done to a patient",
            subject_type="drug",
            predicate="adverse effect",
            object_type="adverse effect",
        ),
        Label(
            "drug_dosage_dosage",
            "a drug and the amount in which it was given or taken",
            subject_type="drug",
            predicate="dosage",
            object_type="dosage",
        ),
    ),
)
