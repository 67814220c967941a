"""CoNLL-2003 English: four entity types over Reuters news; four columns, tagged in IOB1 (original) or IOB2 (copies)."""

from functools import partial

from pipelines.sources import Form, Licence, Source
from schemas.label import Label
from transforms.formats import columns

read = partial(columns.read, columns=4, token=0, tag=3)

SOURCE = Source(
    name="CoNLL2003",
    title="CoNLL-2003 English",
    tasks=("NER",),
    lang="en",
    domain="news",
    licence=Licence.GATED,
    licence_text="Reuters text: research licence from NIST/Reuters, not redistributable",
    homepage="https://www.clips.uantwerpen.be/conll2003/ner/",
    get=(
        "the words come with a research licence from trec.nist.gov/data/reuters/reuters.html, the tags and the script "
        "that joins both in ner.tgz from the homepage: the joined eng.train, eng.testa, eng.testb (or train.txt, "
        "valid.txt, test.txt in the same four columns) into conll2003/; tags.eng alone has no words and is not readable"
    ),
    citation="tjongkimsang2003conll",
    forms=(
        Form(read, include=("eng.train", "eng.testa", "eng.testb"), splits={"eng.testa": "validation"}),
        Form(read, include=("train*.txt", "valid*.txt", "dev*.txt", "test*.txt")),
    ),
    entity_labels={
        "LOC": Label("location", "a country, city, region, river, mountain, or a named building or venue"),
        "MISC": Label("else", "another proper name or its adjective: a nationality, event, work, product or language"),
        "ORG": Label("organization", "a company, agency, party, team, newspaper or other named body"),
        "PER": Label("person", "a real or fictional person's name, without the title before it"),
    },
)
