"""The elements of a stage and its transform → a Beam pipeline that is run to its end, with progress on stderr."""

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
    """Applies `transform` to `elements`. Progress counts the files that appear below `output`/`folder`, of the number
    `expected` (None: not known). Raises what `runner.run` raises.
    """
    with stage_progress(stage, output, folder, expected):
        runner.run(lambda pipeline: pipeline | "List" >> beam.Create(elements) | stage >> transform, options)
