"""Elements in turn to all workers, as Beam's Create and Reshuffle do, in half as many steps.

Each step costs time on every runner: when the pipeline is built, submitted and run. Beam's steps also keep timestamps
and windows, which our elements do not have.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam


class Distribute(beam.PTransform):
    """A list → its elements, in turn to all workers."""

    def __init__(self, elements: Sequence):
        super().__init__()
        self.elements = elements

    def expand(self, pbegin):
        return pbegin | beam.Impulse() | "Elements" >> beam.FlatMap(each, self.elements) | Spread()


def each(_: bytes, elements: Sequence) -> Iterator:
    yield from elements


class Spread(beam.Reshuffle):
    """Elements → the same elements, in turn to all workers. Runners that reshuffle in their own way still do so."""

    def expand(self, pcoll):
        return (
            pcoll
            | "Key" >> beam.Map(with_random_key).with_output_types(tuple[int, Any])
            | beam.GroupByKey()
            | "Values" >> beam.FlatMapTuple(values).with_output_types(pcoll.element_type)
        )


def with_random_key(element: Any) -> tuple[int, Any]:
    return random.getrandbits(32), element


def values(key: int, elements: Iterable) -> Iterable:
    return elements
