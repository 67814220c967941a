"""CoNLL04: four entity types and five relations between them in news sentences; SpERT JSON or the corpus's columns.

The JSON files are preferred: they contain the 1,441 sentences that have a relation, in the splits used by all published
results. The corpus file contains 5,516 sentences without splits, which would spread the published test set over all
splits. It is read, and split by hash, only if the JSON files are missing.
"""

from pipelines.sources import Form, Licence, Source, files_at
from schemas.label import Label, typed_label
from transforms.formats import relation_columns, spert

SOURCE = Source(
    name="conll04",
    title="CoNLL04 (Roth and Yih)",
    tasks=("NER", "RE", "SPO"),
    lang="en",
    domain="news",
    licence=Licence.ASK,
    licence_text="none stated",
    homepage="https://cogcomp.seas.upenn.edu/page/resource_view/43",
    get=(
        "the files that SpERT distributes (github.com/lavis-nlp/spert, scripts/fetch_datasets.sh): "
        "conll04_{train,dev,test}.json; or conll04.corp from the homepage; into conll2004/ (folders may stay)"
    ),
    downloads=files_at(
        "http://lavis.cs.hs-rm.de/storage/spert/public/datasets/conll04/",
        tuple(f"conll04_{split}.json" for split in ("train", "dev", "test")),
    ),
    citation="roth2004linear",
    forms=(
        Form(spert.read, include=("conll04_train.json", "conll04_dev.json", "conll04_test.json")),
        Form(relation_columns.read, include=("*.corp", "corp.tsv"), splits={"*": "all"}),
    ),
    entity_labels={
        "Loc": Label("location", "a country, city, region, river or another named place"),
        "Org": Label("organization", "a company, agency, party, paper or another named body"),
        "Other": Label("other", "another name or a date, number, event or work"),
        "Peop": Label("people", "a person's name"),
    },
    relation_labels={
        "Kill": Label("kill", "a person (head) kills another person"),
        "Live_In": Label("live in", "a person lives in or comes from a place"),
        "Located_In": Label("located in", "a place lies within another place"),
        "OrgBased_In": Label("organization based in", "an organization has its seat in a place"),
        "Work_For": Label("work for", "a person works for or leads an organization"),
    },
    typed_labels=(
        typed_label("people", "kill", "people"),
        typed_label("people", "live in", "location"),
        typed_label("location", "located in", "location"),
        typed_label("organization", "organization based in", "location"),
        typed_label("people", "work for", "organization"),
    ),
)
