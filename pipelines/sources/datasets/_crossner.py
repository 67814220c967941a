"""The labels of a CrossNER domain → its Source, with the parts shared by all five domains (Liu et al. 2021)."""

from collections.abc import Mapping
from functools import partial

from pipelines.sources import Form, Licence, Source
from schemas.label import Label
from transforms.formats import columns

EVERYWHERE = {
    "country": Label("country", "a sovereign state, present or past"),
    "location": Label("location", "a place that is no country: a city, region, river, mountain, building or venue"),
    "misc": Label("miscellaneous", "a proper name, or its adjective, that fits no other type"),
    "organisation": Label("organisation", "a company, institute, agency, team or other body that fits no other type"),
    "person": Label("person", "a person's name, where no narrower type fits"),
}
AWARD = {"award": Label("award", "a prize, medal, title or other honour")}
EVENT = {"event": Label("event", "a named happening: a war, festival, congress, campaign or competition")}


def crossner(domain: str, labels: Mapping[str, Label]) -> Source:
    """The Source of a domain (a folder name in the repository). `labels`: the labels that not all domains share."""
    key = f"crossner_{domain}"
    return Source(
        name={"ai": "CrossNER_AI"}.get(domain, f"CrossNER_{domain}"),
        title=f"CrossNER, domain {domain}",
        tasks=("NER",),
        lang="en",
        domain={"ai": "science"}.get(domain, domain),
        licence=Licence.OPEN,
        licence_text="MIT (LICENSE of the repository); text from Wikipedia",
        homepage="https://github.com/zliucr/CrossNER",
        get=f"folder ner_data/{domain} of the homepage: train.txt, dev.txt, test.txt into {key}/",
        citation="liu2021crossner",
        forms=(Form(partial(columns.read, columns=2), include=("train.txt", "dev.txt", "test.txt")),),
        entity_labels=EVERYWHERE | labels,
        held_out=True,
    )
