"""NYT11-HRL: 12 Freebase relations in New York Times sentences, manual test set; JSON, triples without offsets."""

from dataclasses import replace

from pipelines.sources import Form, Licence, Source
from pipelines.sources.datasets import nyt
from schemas.label import Label
from transforms.formats import triples

NAMES = {
    "/business/company/founders": "company founders",
    "/business/person/company": "company",
    "/location/administrative_division/country": "administrative division of country",
    "/location/country/administrative_divisions": "country of administrative divisions",
    "/location/country/capital": "country capital",
    "/location/location/contains": "location contains",
    "/location/neighborhood/neighborhood_of": "neighborhood of",
    "/people/deceased_person/place_of_death": "place of death",
    "/people/person/children": "children",
    "/people/person/nationality": "nationality",
    "/people/person/place_lived": "place lived",
    "/people/person/place_of_birth": "place of birth",
}
"""The published names. Two differ from those of `nyt`, with the same meaning."""


def rename(path: str, name: str) -> Label:
    """The label of `nyt` for the Freebase path, with another name."""
    label = nyt.SOURCE.relation_labels[path]
    assert label is not None, path
    return replace(label, name=name)


SOURCE = Source(
    name="NYT11",
    title="NYT11-HRL",
    tasks=("RE",),
    lang="en",
    domain="news",
    licence=Licence.GATED,
    licence_text="none stated; the text is that of LDC2008T19 (New York Times Annotated Corpus)",
    homepage="https://github.com/truthless11/HRL-RE",
    get=(
        "the NYT11 data linked from github.com/truthless11/HRL-RE (train.json, test.json), or their triple form "
        "(train_triples.json, dev_triples.json, test_triples.json), into nyt11_hrl/"
    ),
    citation="takanobu2019hierarchical",
    forms=(
        Form(triples.read, include=("train.json", "dev.json", "valid.json", "test.json")),
        Form(triples.read, include=nyt.TRIPLE_FILES),
    ),
    relation_labels={**{path: rename(path, name) for path, name in NAMES.items()}, "None": None},
)
