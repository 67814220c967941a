"""Runs the transform of a stage on its elements in a Beam pipeline, with progress on stderr."""

from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.engine import runner
from pipelines.engine.progress import stage_progress


def run_pipeline(
    stage: str,
    elements: Sequence,
    transform: beam.PTransform,
    options: PipelineOptions,
    output: str,
    folder: str,
    expected: int | None = None,
) -> None:
    """Applies `transform` to `elements` and waits for the end of the pipeline.

    Progress counts the files below `output`/`folder`, of `expected` (None: unknown). Raises the errors of `runner.run`.
    """
    with stage_progress(stage, output, folder, expected):
        runner.run(lambda pipeline: pipeline | "List" >> beam.Create(elements) | stage >> transform, options)
