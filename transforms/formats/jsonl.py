"""JSON lines: one object a line → (place, object) or BadRecord; what an object holds is the source's to say."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File


def read(
    files: Iterable[File], to_example: Callable[[str, object], RawExample], row_type: type = dict
) -> Iterator[RawExample | BadRecord]:
    """Every line as `row_type` (a msgspec Struct or dict) through `to_example(place, row)`; blank lines are skipped."""
    decoder = msgspec.json.Decoder(row_type)
    for file in files:
        for number, line in file.lines():
            if not line.strip():
                continue
            place = f"{file.name}:{number}"
            try:
                row = decoder.decode(line.encode("utf-8", "surrogateescape"))
            except UnicodeDecodeError as error:
                yield BadRecord(place, Reason.NOT_UTF8, str(error))
            except msgspec.ValidationError as error:
                yield BadRecord(place, Reason.MISSING_FIELD, str(error))
            except msgspec.DecodeError as error:
                yield BadRecord(place, Reason.BROKEN_JSON, str(error))
            else:
                yield to_example(place, row)
