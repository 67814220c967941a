"""The barrier around a source: what nobody foresaw costs that source, what is the machine's fault passes through."""

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
def test_what_nobody_foresaw_costs_the_source_in_one_line_with_its_file(error):
    with pytest.raises(Unforeseen) as raised:
        read_by(failing(error))
    line = str(raised.value)
    assert line.startswith("train.txt: ") and type(error).__name__ in line and "\n" not in line
    assert isinstance(raised.value, SourceError)
    assert "Traceback" in raised.value.trace and "in read" in raised.value.trace


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), SystemExit(), MemoryError(), OSError(errno.ENOSPC, "x"), OSError(errno.EMFILE, "x"),
     SourceError("foreseen"), MachineError("disk"), ConfigError("flag")],
)  # fmt: skip
def test_what_is_no_fault_of_the_source_passes_through(error):
    with pytest.raises(type(error)) as raised:
        read_by(failing(error))
    assert raised.value is error


def test_a_place_is_more_than_a_file():
    def read(files):
        for file in files:
            place = f"{file.name}:7"
            raise ValueError(place and "x")
            yield

    with pytest.raises(Unforeseen, match=r"^train.txt:7: "):
        read_by(read)


def test_a_fault_of_the_consumer_is_not_the_sources():
    made = source(lambda files: iter([RawExample("f:1", "A text.", entities=())]))
    with pytest.raises(ZeroDivisionError):
        for _ in reading.records(made, made.forms[0], []):
            1 / 0  # noqa: B018


def test_the_barrier_lets_results_through():
    with barrier():
        done = True
    assert done
