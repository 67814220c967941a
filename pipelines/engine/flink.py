"""Cancels jobs on Flink: Beam's job server only stops to wait for a job, which goes on writing and keeps its slots.

https://nightlies.apache.org/flink/flink-docs-stable/docs/ops/rest_api/
"""

import time
import urllib.request

import msgspec
from apache_beam.options.pipeline_options import FlinkRunnerOptions, PipelineOptions

ANSWER_S = 10
"""Seconds in which Flink must answer a request."""

SUBMITTED_S = 30
"""Seconds in which a job that was handed to the job server appears on Flink: the server first uploads its jars."""

ENDED_S = 60
"""Seconds that the tasks of a cancelled job may take to end."""

POLL_S = 0.5

ENDED = {"FINISHED", "FAILED", "CANCELED", "SUSPENDED"}


class Job(msgspec.Struct, frozen=True, rename={"start_ms": "start-time"}):
    """A job as Flink lists it."""

    jid: str
    name: str
    state: str
    start_ms: int


class Jobs(msgspec.Struct, frozen=True):
    jobs: list[Job]


def rest_address(beam_options: PipelineOptions) -> str | None:
    """The URL of Flink's REST interface; None if `--flink_master` does not name it."""
    master = beam_options.view_as(FlinkRunnerOptions).flink_master
    if master.startswith("["):  # [auto], [local]: only the job server knows
        return None
    return (master if "://" in master else f"http://{master}").rstrip("/")


def cancel(address: str, name: str) -> None:
    """Cancels the newest job of this name, if it is on Flink, and waits for the end of its tasks.

    Raises OSError if Flink cannot be reached, TimeoutError if the tasks do not end.
    """
    started = time.monotonic()
    is_cancelled = False
    while time.monotonic() - started < (ENDED_S if is_cancelled else SUBMITTED_S):
        overview = msgspec.json.decode(request(f"{address}/jobs/overview"), type=Jobs)
        jobs = [job for job in overview.jobs if job.name == name]
        if jobs:
            job = max(jobs, key=lambda job: job.start_ms)
            if job.state in ENDED:
                return
            if not is_cancelled:
                request(f"{address}/jobs/{job.jid}?mode=cancel", "PATCH")
                is_cancelled = True
        time.sleep(POLL_S)
    if is_cancelled:
        raise TimeoutError(f"the job {name} has not ended {ENDED_S} s after it was cancelled")


def request(url: str, method: str = "GET") -> bytes:
    """The answer of Flink."""
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=ANSWER_S) as answer:
        return answer.read()
