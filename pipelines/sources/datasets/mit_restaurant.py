"""MIT Restaurant: eight slots of spoken queries about restaurants; one token per line, BIO, tag first."""

from collections.abc import Iterable, Iterator

from pipelines.sources import Form, Licence, Source, files_at
from schemas.errors import BadRecord
from schemas.example import RawExample
from schemas.label import Label
from transforms.files import File
from transforms.formats import columns


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Reads the `.bio` files of a split, or else copies in other layouts (common for the test file)."""
    files = list(files)
    originals = [file for file in files if file.name.lower().endswith(".bio")]
    return columns.read(originals or files, columns=2, tag=None)


SPLITS = {"*train.*": "train", "*valid.*": "validation", "*test.*": "test"}

SOURCE = Source(
    name="mit-restaurant",
    title="MIT Restaurant Corpus",
    tasks=("NER",),
    lang="en",
    domain="social media",
    licence=Licence.ASK,
    licence_text="none stated (download of MIT CSAIL)",
    homepage="https://groups.csail.mit.edu/sls/downloads/restaurant/",
    get="the homepage: restauranttrain.bio, restauranttest.bio into mit_restaurant/",
    downloads=files_at(
        "https://groups.csail.mit.edu/sls/downloads/restaurant/", ("restauranttrain.bio", "restauranttest.bio")
    ),
    citation="liu2013asgard",
    forms=(
        Form(read, include=("restauranttrain.bio", "restauranttest.bio"), exclude=("*resplit*/*",), splits=SPLITS),
        Form(read, include=("train.txt", "test.txt"), exclude=("*resplit*/*",), splits=SPLITS),
        # A copy with the test file split in two.
        Form(read, include=("restauranttrain.bio", "restaurantvalid.bio", "restauranttest.bio"), splits=SPLITS),
    ),
    entity_labels={
        "Amenity": Label("Amenity", "what a place offers besides food, as parking, a patio or live music"),
        "Cuisine": Label("Cuisine", "a style or origin of cooking, as Thai or vegetarian"),
        "Dish": Label("Dish", "a dish, drink or ingredient"),
        "Hours": Label("Hours", "when a place is open or somebody wants to eat"),
        "Location": Label("Location", "where a place is: a town, a street, nearby, within a distance"),
        "Price": Label("Price", "how much a place costs, as cheap or under ten dollars"),
        "Rating": Label("Rating", "how good a place is held to be, as five star or highly rated"),
        "Restaurant_Name": Label("Restaurant Name", "the name of a restaurant, cafe, bar or chain"),
    },
)
