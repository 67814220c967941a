"""FindVehicle: descriptions of vehicles in traffic, flat slots and overlapping vehicle types; JSONL with spans.

Each text has two rows, one per layer; they are merged.
"""

from collections.abc import Iterable, Iterator
from functools import partial

import msgspec

from pipelines.sources import Form, Licence, Source
from pipelines.sources.source import Reader
from schemas.errors import BadRecord
from schemas.example import Entity, Mention, RawExample
from schemas.label import Label
from transforms.deduplicate import unite
from transforms.files import File
from transforms.formats import columns, json_rows
from transforms.formats.offsets import Offset


class Row(msgspec.Struct):
    """`ner_label`: [label, start, end, surface, first token, last token + 1, tokens], ends exclusive."""

    data: str
    ner_label: list[tuple[str, Offset, Offset, str, Offset, Offset, list[str]]]


def to_example(place: str, row: Row) -> RawExample:
    return RawExample(
        place,
        row.data,
        tuple(Entity(label, Mention(surface, ((start, end),))) for label, start, end, surface, *_ in row.ner_label),
    )


def read(files: Iterable[File], rows: Reader) -> Iterator[RawExample | BadRecord]:
    """The records of `rows`, with one example per text of the split."""
    records = list(rows(files))
    yield from (record for record in records if isinstance(record, BadRecord))
    yield from unite(record for record in records if isinstance(record, RawExample))


def vehicle_type(name: str, description: str) -> dict[str, Label]:
    """Raw label → label of a fine type, in all spellings: how several words are joined is not documented."""
    label = Label(name, description)
    return {f"vehicle_type-{name.lower().replace(' ', joiner)}": label for joiner in (" ", "_", "-", "")}


SOURCE = Source(
    name="FindVehicle",
    title="FindVehicle",
    tasks=("NER",),
    lang="en",
    domain="traffic",
    licence=Licence.ASK,
    licence_text="none stated in the repository",
    homepage="https://github.com/GuanRunwei/FindVehicle",
    get="the download links of the homepage: FindVehicle_train.jsonl, FindVehicle_test.jsonl (or the .txt files of the "
    "same names) into findvehicle/",
    citation="guan2023findvehicle",
    forms=(
        Form(
            partial(read, rows=partial(json_rows.read, to_example=to_example, row_type=Row)),
            include=("FindVehicle*.jsonl",),
        ),
        Form(partial(read, rows=partial(columns.read, columns=2)), include=("FindVehicle*.txt",)),
    ),
    entity_labels={
        "vehicle_brand": Label("brand of vehicle", "the maker of a vehicle"),
        "vehicle_color": Label("color of vehicle", "the colour of a vehicle"),
        "vehicle_location": Label("position of vehicle", "where in the image a vehicle is"),
        "vehicle_model": Label("vehicle model", "the model of a vehicle, without its brand"),
        "vehicle_orientation": Label("orientation of vehicle", "the direction that a vehicle faces or drives in"),
        "vehicle_range": Label("vehicle range", "how far away a vehicle is"),
        "vehicle_type": Label("vehicle type", "the kind of vehicle, by a common noun"),
        "vehicle_velocity": Label("vehicle velocity", "the speed of a vehicle, with or without its unit"),
    }
    | vehicle_type("MPV", "brand and model of a people carrier")
    | vehicle_type("SUV", "brand and model of a sport utility vehicle")
    | vehicle_type("bus", "brand and model of a bus or coach")
    | vehicle_type("coupe", "brand and model of a closed car with two doors")
    | vehicle_type("estate car", "brand and model of a car with a long roof and a tailgate")
    | vehicle_type("hatchback", "brand and model of a small car with a tailgate")
    | vehicle_type("motorcycle", "brand and model of a motorcycle or scooter")
    | vehicle_type("roadster", "brand and model of an open car with two seats")
    | vehicle_type("sedan", "brand and model of a closed car with a separate boot")
    | vehicle_type("sports car", "brand and model of a car built for speed")
    | vehicle_type("truck", "brand and model of a lorry or pickup")
    | vehicle_type("van", "brand and model of a van")
    | vehicle_type("vintage car", "brand and model of an old car of collectors' value"),
    real_files_seen=False,
)
