"""Every stage as the job that Beam's DataflowRunner would submit, without a network or the extra `gcp`.

What holds for all runners is in test_graph.py. DataflowRunner changes the graph before it submits it: it replaces side
inputs, requires keys at shuffles, packs combiners, and puts every environment into a container.
"""

import shutil
import sys
import types

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, WorkerOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.dataflow import internal
from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner

from pipelines.engine.distribute import Distribute
from tests.pipelines.stages.test_graph import IMAGE, PRIMITIVES, SIDE_INPUTS, STAGES, leaves, pardos

MIN_RAM = "beam:resources:min_ram_bytes:v1"


def job(monkeypatch, stage: str, *flags: str) -> beam_runner_api_pb2.Pipeline:
    """The graph in the job of a stage. Beam's client of the service, which needs the extra `gcp`, is replaced."""
    client = types.ModuleType("apiclient")
    client.get_container_image_from_options = lambda options: options.view_as(WorkerOptions).sdk_container_image
    client.Job = lambda options, graph: graph
    monkeypatch.setitem(sys.modules, f"{internal.__name__}.apiclient", client)
    monkeypatch.setattr(internal, "apiclient", client, raising=False)
    options = PipelineOptions([f"--sdk_container_image={IMAGE}", "--dry_run=True", *flags])
    transform, elements = STAGES[stage]
    pipeline = beam.Pipeline(runner="DirectRunner", options=options)
    shutil.rmtree(pipeline.local_tempdir)  # otherwise deleted only by a run
    pipeline | Distribute(elements) | stage >> transform
    return DataflowRunner().run_pipeline(pipeline, options).job


def environments(graph: beam_runner_api_pb2.Pipeline) -> list[beam_runner_api_pb2.Environment]:
    """The environments of the functions of a job."""
    names = {leaf.environment_id for leaf in leaves(graph) if leaf.spec.urn == "beam:transform:pardo:v1"}
    return [graph.components.environments[name] for name in names]


@pytest.mark.parametrize("stage", STAGES)
def test_a_job_has_only_primitives_in_one_container_and_nothing_staged(monkeypatch, stage):
    graph = job(monkeypatch, stage)
    assert {leaf.spec.urn for leaf in leaves(graph)} <= PRIMITIVES
    assert not graph.requirements
    assert {
        side.access_pattern.urn for payload in pardos(graph) for side in payload.side_inputs.values()
    } <= SIDE_INPUTS
    (environment,) = environments(graph)
    assert environment.urn == "beam:env:docker:v1"
    assert beam_runner_api_pb2.DockerPayload.FromString(environment.payload).container_image == IMAGE
    assert not environment.dependencies
    assert not environment.resource_hints


def test_resource_hints_reach_the_environment(monkeypatch):
    (environment,) = environments(job(monkeypatch, "instruct", "--resource_hint=min_ram=4GB"))
    assert environment.resource_hints[MIN_RAM] == b"4000000000"
