"""Elements are distributed to the workers and gathered from them, in pipelines of Beam's own runner."""

import json

import apache_beam as beam
import pytest

from pipelines.engine import runner
from pipelines.engine.distribute import Distribute, Spread
from pipelines.engine.gather import Gather, WriteSummary
from pipelines.engine.options import parse_options


def run(transform: beam.PTransform) -> None:
    runner.run(lambda pipeline: pipeline | transform, parse_options([]), "")


@pytest.mark.parametrize("elements", [[], ["b"], ["b", "a", "b"]])
def test_a_summary_lists_all_elements_sorted_and_may_be_empty(tmp_path, elements):
    path = tmp_path / "summary.json"
    run(Distribute(elements) | WriteSummary(str(path)))
    assert json.loads(path.read_text()) == sorted(elements)


@pytest.mark.parametrize(("elements", "expected"), [([], []), ([2, 1, 2], [[1, 2, 2]])])
def test_elements_are_gathered_in_one_list_if_there_are_any(tmp_path, elements, expected):
    path = tmp_path / "summary.json"
    run(Distribute(elements) | Gather() | beam.Map(sorted) | WriteSummary(str(path)))
    assert json.loads(path.read_text()) == expected


def test_spreading_keeps_the_elements_and_their_type(tmp_path):
    path, pipeline = tmp_path / "summary.json", beam.Pipeline(runner="DirectRunner")
    spread = pipeline | beam.Create([3, 1, 3]) | Spread()
    assert spread.element_type is int
    run(Distribute([3, 1, 3]) | Spread() | WriteSummary(str(path)))
    assert json.loads(path.read_text()) == [1, 3, 3]
