"""Runs the transform of a stage on its elements in a Beam pipeline, with progress on stderr."""

import time
from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.engine import runner
from pipelines.engine.distribute import Distribute
from pipelines.engine.options import ClusterOptions
from pipelines.engine.progress import stage_progress
from schemas.errors import MachineError
from transforms import files

LOOK_S = 10
"""Seconds between two counts of the files of a job on a cluster."""


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
    stalled = StallWatch(f"{output}/{folder}", options.view_as(ClusterOptions).stall_timeout)
    with stage_progress(stage, output, folder, expected):
        runner.run(
            lambda pipeline: pipeline | "List" >> Distribute(elements) | stage >> transform, options, output, stalled
        )


class StallWatch:
    """Says why a job is given up if no file has appeared in `folder` for so many minutes; else None."""

    def __init__(self, folder: str, minutes: float):
        self.folder, self.minutes = folder, minutes
        self.count, self.since = 0, time.monotonic()
        self.next_look = self.since

    def __call__(self) -> str | None:
        now = time.monotonic()
        if now < self.next_look:
            return None
        self.next_look = now + LOOK_S
        try:
            count = len(files.list_files(self.folder)) if files.is_folder(self.folder) else 0
        except MachineError:  # may pass, as in an object store; if it does not, the time runs out
            count = self.count
        if count != self.count:
            self.count, self.since = count, now
        if now - self.since < self.minutes * 60:
            return None
        return (
            f"no new file in {self.folder} for {self.minutes:g} minutes, so the job was cancelled; see the page of the "
            "runner, and run the same command again to resume (--stall_timeout=MINUTES waits longer)"
        )
