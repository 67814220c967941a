"""MIT Movie: spoken queries about movies, simple (eng) and trivia, with different label sets; BIO, tag first.

Each half is only annotated with its own labels, so they are two sources: `mit_movie`, which is part of the published
corpora, and `mit_movie_trivia`.
"""

from functools import partial

from pipelines.sources import Form, Licence, Source, files_at
from schemas.label import Label
from transforms.formats import columns

ACTOR = Label("actor", "an actor or actress of the movie")
CHARACTER = Label("character", "a character of the movie")
DIRECTOR = Label("director", "who directed the movie")
GENRE = Label("genre", "the kind of movie, as comedy or western")
PLOT = Label("plot", "what the movie is about, in any words of the query")
YEAR = Label("year", "when the movie came out: a year, a decade or a phrase as last year")

read = partial(columns.read, columns=2, tag=None)  # some copies have the tag last

SPLITS = {"*train.*": "train", "*test.*": "test"}


def half(name: str, title: str, stem: str, entity_labels: dict[str, Label]) -> Source:
    """The source for one half. `stem`: the prefix of its file names."""
    names = [f"{stem}{split}.bio" for split in ("train", "test")]
    return Source(
        name=name,
        title=title,
        tasks=("NER",),
        lang="en",
        domain="social media",
        licence=Licence.ASK,
        licence_text="none stated (download of MIT CSAIL)",
        homepage="https://groups.csail.mit.edu/sls/downloads/movie/",
        get=f"the homepage: {', '.join(names)} into mit_movie/",
        downloads=files_at("https://groups.csail.mit.edu/sls/downloads/movie/", tuple(names)),
        citation="liu2013asgard",
        forms=(
            Form(read, include=tuple(names), splits=SPLITS),
            Form(read, include=tuple(f"{file}.txt" for file in names), splits=SPLITS),
            Form(read, include=tuple(file.replace(".bio", ".txt") for file in names), splits=SPLITS),
        ),
        entity_labels=entity_labels,
    )


SOURCES = {
    "": half(
        "mit-movie",
        "MIT Movie Corpus, simple queries (eng)",
        "eng",
        {
            "ACTOR": ACTOR,
            "CHARACTER": CHARACTER,
            "DIRECTOR": DIRECTOR,
            "GENRE": GENRE,
            "PLOT": PLOT,
            "RATING": Label("rating", "who may see the movie, as PG-13 or rated R"),
            "RATINGS_AVERAGE": Label("average ratings", "how viewers or critics rate the movie, as five stars"),
            "REVIEW": Label("review", "a request for, or words of, what is said of the movie"),
            "SONG": Label("song", "a song of the movie or who sings it"),
            "TITLE": Label("title", "the title of a movie"),
            "TRAILER": Label("trailer", "a request for the trailer or a clip of the movie"),
            "YEAR": YEAR,
        },
    ),
    "trivia": half(
        "mit-movie-trivia",
        "MIT Movie Corpus, complex queries (trivia10k13)",
        "trivia10k13",
        {
            "Actor": ACTOR,
            "Award": Label("award", "a prize that the movie, or somebody for it, won or was nominated for"),
            "Character_Name": CHARACTER,
            "Director": DIRECTOR,
            "Genre": GENRE,
            "Opinion": Label("opinion", "a judgement of the movie, as classic or critically acclaimed"),
            "Origin": Label("origin", "what the movie is made from, as a novel, a play or a true story"),
            "Plot": PLOT,
            "Quote": Label("quote", "words that are spoken in the movie"),
            "Relationship": Label("relationship", "how the movie stands to others, as a sequel, remake or trilogy"),
            "Soundtrack": Label("soundtrack", "music of the movie: a song, score or theme"),
            "Year": YEAR,
        },
    ),
}
