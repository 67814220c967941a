"""The barrier around a source: unexpected errors fail that source, errors of the machine pass through."""

import errno

import pytest

from pipelines.sources import Form, Licence, Source, reading
from pipelines.sources.reading import Unforeseen, barrier
from schemas.errors import ConfigError, MachineError, SourceError
from schemas.example import RawExample
from transforms.files import File


def source(read) -> Source:
    return Source("n", "t", ("NER",), "en", "d", Licence.OPEN, "l", "h", "g", "c", (Form(read, ("*",)),))


def read_by(read) -> list:
    made = source(read)
    return list(reading.records(made, made.forms[0], [File("/there/train.txt", "train.txt")]))


def failing(error):
    def read(files):
        for file in files:
            yield RawExample(f"{file.name}:1", "A text.", entities=())
            raise error

    return read


@pytest.mark.parametrize(
    "error",
    [ValueError("digits\nin two lines"), RecursionError(), KeyError("k"), AssertionError(), OSError(errno.ELOOP, "x")],
)
def test_an_unexpected_error_fails_the_source_and_names_its_file(error):
    with pytest.raises(Unforeseen) as raised:
        read_by(failing(error))
    line = str(raised.value)
    assert line.startswith("train.txt: ") and type(error).__name__ in line and "\n" not in line
    assert isinstance(raised.value, SourceError)
    assert "Traceback" in raised.value.trace and "in read" in raised.value.trace


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), SystemExit(), MemoryError(), OSError(errno.ENOSPC, "x"), OSError(errno.EMFILE, "x"),
     SourceError("expected"), MachineError("disk"), ConfigError("flag")],
)  # fmt: skip
def test_other_errors_pass_through(error):
    with pytest.raises(type(error)) as raised:
        read_by(failing(error))
    assert raised.value is error


def test_the_line_is_named_if_it_is_known():
    def read(files):
        for file in files:
            place = f"{file.name}:7"
            raise ValueError(place and "x")
            yield

    with pytest.raises(Unforeseen, match=r"^train.txt:7: "):
        read_by(read)


def test_errors_of_the_consumer_pass_through():
    made = source(lambda files: iter([RawExample("f:1", "A text.", entities=())]))
    with pytest.raises(ZeroDivisionError):
        for _ in reading.records(made, made.forms[0], []):
            1 / 0  # noqa: B018


def test_the_barrier_does_not_change_results():
    with barrier():
        done = True
    assert done
