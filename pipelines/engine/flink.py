"""Cancels jobs on Flink: Beam's job server only stops to wait for a job, which goes on writing and keeps its slots.

https://nightlies.apache.org/flink/flink-docs-stable/docs/ops/rest_api/
"""

import re
import time
import urllib.request

import msgspec
from apache_beam.options.pipeline_options import FlinkRunnerOptions, PipelineOptions

ANSWER_S = 10
"""Seconds in which Flink must answer a request."""

SUBMITTED_S = 30
"""Seconds in which a job that was handed to the job server appears on Flink: the server first uploads its jars."""

ENDED_S = 240
"""Seconds that the tasks of a cancelled job may take to end. Flink ends a TaskManager whose task goes on for 180 s
(`task.cancellation.timeout`), and a task that misses the first interrupt gets the next one after 30 s.
"""

POLL_S = 0.5

ENDED = {"FINISHED", "FAILED", "CANCELED", "SUSPENDED"}


class Job(msgspec.Struct, frozen=True):
    """A job as Flink lists it."""

    jid: str
    name: str
    state: str


class Jobs(msgspec.Struct, frozen=True):
    jobs: list[Job]


def rest_address(beam_options: PipelineOptions) -> str | None:
    """The URL of Flink's REST interface; None if `--flink_master` does not name it."""
    master = beam_options.view_as(FlinkRunnerOptions).flink_master
    if re.fullmatch(r"\[[a-z]+\]", master):  # [auto], [local]: only the job server knows
        return None
    return (master if "://" in master else f"http://{master}").rstrip("/")


def jobs(address: str) -> list[Job]:
    """All jobs that Flink knows. Raises OSError if it cannot be reached."""
    return msgspec.json.decode(request(f"{address}/jobs/overview"), type=Jobs).jobs


def cancel(address: str, name: str, may_follow: bool) -> bool:
    """Cancels the job of this name, if it is on Flink, and waits for the end of its tasks; returns whether it is there.

    `may_follow`: the job server may still be about to submit it. Raises OSError if Flink cannot be reached,
    TimeoutError if the tasks do not end.
    """
    job = find(address, name)
    end = time.monotonic() + SUBMITTED_S
    while job is None and may_follow and time.monotonic() < end:
        time.sleep(POLL_S)
        job = find(address, name)
    if job is None or job.state in ENDED:
        return job is not None
    request(f"{address}/jobs/{job.jid}?mode=cancel", "PATCH")
    end = time.monotonic() + ENDED_S
    while (job := find(address, name)) and job.state not in ENDED:
        if time.monotonic() > end:
            raise TimeoutError(f"the job {name} has not ended {ENDED_S} s after it was cancelled")
        time.sleep(POLL_S)
    return True


def find(address: str, name: str) -> Job | None:
    """The job of this name. Raises OSError if Flink cannot be reached."""
    return next((job for job in jobs(address) if job.name == name), None)


def request(url: str, method: str = "GET") -> bytes:
    """The answer of Flink."""
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=ANSWER_S) as answer:
        return answer.read()
