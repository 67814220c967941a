"""CrossNER music: thirteen entity types of songs and musicians over Wikipedia; one token per line, BIO."""

from pipelines.sources.datasets._crossner import AWARD, EVENT, crossner
from schemas.label import Label

SOURCE = crossner(
    "music",
    AWARD
    | EVENT
    | {
        "album": Label("album", "the title of an album or other recording that holds several pieces"),
        "band": Label("band", "a group of musicians, a choir or an orchestra"),
        "musicalartist": Label("musical artist", "a singer, player, composer or conductor"),
        "musicalinstrument": Label("musical instrument", "an instrument or a voice that music is written for"),
        "musicgenre": Label("music genre", "a style of music, as blues or opera"),
        "song": Label("song", "the title of a song or another single piece of music"),
    },
)
