"""CrossNER politics: nine entity types of parties, elections and candidates; one token per line, BIO."""

from pipelines.sources.datasets._crossner import EVENT, crossner
from schemas.label import Label

SOURCE = crossner(
    "politics",
    EVENT
    | {
        "election": Label("election", "an election, referendum or other vote, with its year where it stands there"),
        "politicalparty": Label("political party", "a party, or an alliance or movement that stands for office"),
        "politician": Label("politician", "a person who holds or seeks political office, or held it"),
    },
)
