"""CrossNER natural science: seventeen entity types from enzymes to stars over Wikipedia; one token per line, BIO."""

from pipelines.sources.datasets._crossner import AWARD, EVENT, crossner
from schemas.label import Label

SOURCE = crossner(
    "science",
    AWARD
    | EVENT
    | {
        "academicjournal": Label("academic journal", "a journal in which research is published"),
        "astronomicalobject": Label("astronomical object", "a star, planet, moon, asteroid, galaxy or the like"),
        "chemicalcompound": Label("chemical compound", "a substance made of several elements, a drug among them"),
        "chemicalelement": Label("chemical element", "an element, its ion or its isotope"),
        "discipline": Label("discipline", "a branch of science, as organic chemistry"),
        "enzyme": Label("enzyme", "a protein that drives a reaction, by its name or class"),
        "protein": Label("protein", "a protein that is no enzyme, as a hormone or a receptor"),
        "scientist": Label("scientist", "a person who does or did research"),
        "theory": Label("theory", "a law, theory, hypothesis or model, as general relativity"),
        "university": Label("university", "a university or college"),
    },
)
