"""The labels of a CrossNER domain → its Source, with the parts shared by all five domains (Liu et al. 2021)."""

from collections.abc import Mapping
from functools import partial

from pipelines.sources import Form, Licence, Source, files_at
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

CHECKSUMS = {
    "ai": {
        "train.txt": "484217a660f52927bd5157507c22fc103b36306364329f62f80fc8acb897b187",
        "dev.txt": "b47ffda6de5901a454a873feac1bebe782e54ce7edf9deb729cab3d769212eee",
    },
    "literature": {
        "train.txt": "0647e403a85040742c2f4041cf002146a81aa2e13adda19d0e82a8bcd493c18b",
        "dev.txt": "99281a51943cf7e3c2a58b3dc45c0e5ab6d329624ebf2ba6b4801c428396162f",
    },
    "science": {
        "train.txt": "8f6a26096cc7be6790b5790bf5f5b5c8928d8b73d4632e7d45dc8bffad0504ac",
        "dev.txt": "87ec141c7b41b3b52ec861737c4030d65c6e53954ed3d8106baca8603bbf8f24",
    },
}
"""Domain → SHA-256 of the files that the counts and labels here were checked on."""


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
        downloads=files_at(
            f"https://raw.githubusercontent.com/zliucr/CrossNER/HEAD/ner_data/{domain}/",
            ("train.txt", "dev.txt", "test.txt"),
            CHECKSUMS.get(domain),
        ),
        citation="liu2021crossner",
        forms=(Form(partial(columns.read, columns=2), include=("train.txt", "dev.txt", "test.txt")),),
        entity_labels=EVERYWHERE | labels,
        held_out=True,
    )
