"""CrossNER literature: twelve entity types of books and writers over Wikipedia; one token per line, BIO."""

from pipelines.sources.datasets._crossner import AWARD, EVENT, crossner
from schemas.label import Label

SOURCE = crossner(
    "literature",
    AWARD
    | EVENT
    | {
        "book": Label("book", "the title of a novel, play, collection or other book"),
        "literarygenre": Label("literary genre", "a kind of writing, as tragedy or science fiction"),
        "magazine": Label("magazine", "a magazine, newspaper or journal"),
        "poem": Label("poem", "the title of a poem"),
        "writer": Label("writer", "an author, poet, playwright or essayist"),
    },
)
