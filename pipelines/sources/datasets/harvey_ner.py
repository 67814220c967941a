"""HarveyNER: locations, coarse and exact, in tweets about Hurricane Harvey in Houston; one token per line, BIO."""

from functools import partial

from pipelines.sources import Form, Licence, Source, github
from schemas.label import Label
from transforms.formats import columns

SOURCE = Source(
    name="HarveyNER",
    title="HarveyNER",
    tasks=("NER",),
    lang="en",
    domain="social media",
    licence=Licence.ASK,
    licence_text="none stated in the repository; tweets under the terms of Twitter",
    homepage="https://github.com/brickee/HarveyNER",
    get="folder data of the homepage: tweets.train.bio, tweets.dev.bio, tweets.test.bio into harvey_ner/",
    downloads=github("brickee/HarveyNER", ("tweets.train.bio", "tweets.dev.bio", "tweets.test.bio")),
    citation="chen2022harveyner",
    forms=(
        Form(
            partial(columns.read, columns=2),
            include=("tweets.train.bio", "tweets.dev.bio", "tweets.test.bio"),
            exclude=("*easy_hard*/*",),  # subsets of the test file
        ),
    ),
    entity_labels={
        "AREA": Label("area", "a city, neighbourhood, subdivision or other stretch of land"),
        "POINT": Label("exact location", "a building, landmark, crossing or address: a place with exact coordinates"),
        "RIVER": Label("river", "a river, bayou, creek or a section of one"),
        "ROAD": Label("road", "a street, avenue, motorway or a section of one"),
    },
)
