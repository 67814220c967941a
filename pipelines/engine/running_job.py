"""The job on a cluster that writes into an output folder: a file there names it from before its start until its end.

A job outlives a command that is killed. It would write between the files of the next command, which cancels it first.
"""

import time
import uuid

import grpc
import msgspec
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions, PortableOptions
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc
from apache_beam.runners.portability.portable_runner import TERMINAL_STATES

from pipelines.engine import flink
from schemas.errors import MachineError
from transforms import files

FILE = ".job.json"

ANSWER_S = 20
"""Seconds in which a job service must answer."""

NAME_OPTION = "beam:option:job_name:v1"


class RunningJob(msgspec.Struct, frozen=True):
    """`name`: no other job has it. `flink`: the URL of Flink's REST interface; None on other engines. `job_endpoint`:
    the address of the job service; None if it ends with the command.
    """

    name: str
    flink: str | None
    job_endpoint: str | None


def create(beam_options: PipelineOptions) -> RunningJob:
    """A job that these options describe. A name from `--job_name` gets a random part, as every stage is a job."""
    prefix = beam_options.view_as(GoogleCloudOptions).job_name or "ieforge"
    endpoint = beam_options.view_as(PortableOptions).job_endpoint
    return RunningJob(
        f"{prefix}-{uuid.uuid4().hex[:12]}",
        flink.rest_address(beam_options),
        endpoint if endpoint != "embed" else None,
    )


def record(job: RunningJob, output: str) -> None:
    files.write_text(f"{output}/{FILE}", msgspec.json.encode(job).decode(), durable=True)


def forget(output: str) -> None:
    files.remove_file(f"{output}/{FILE}")


def cancel(job: RunningJob, service: beam_job_api_pb2_grpc.JobServiceStub | None) -> None:
    """Cancels the job where it runs, and waits for its end; an ended one is left alone.

    `service`: the job service that has it, None if that has ended. Raises OSError (TimeoutError if the job does not
    end) or grpc.RpcError if a server that must know the job does not answer.
    """
    ids = None
    if service is not None:
        try:
            ids = running_ids(service, job.name)
        except grpc.RpcError:
            if job.flink is None:
                raise
    is_over = job.flink is not None and flink.cancel(job.flink, job.name, may_follow=ids != [])
    if service is None or not ids:
        return
    for job_id in ids:  # after Flink: the job service deletes the staged files, without which a job fails
        service.Cancel(beam_job_api_pb2.CancelJobRequest(job_id=job_id), timeout=ANSWER_S)
    if is_over:  # if the command was killed, Beam's Java service may list the job as running for ever
        return
    started = time.monotonic()
    while running_ids(service, job.name):
        if time.monotonic() - started > flink.ENDED_S:
            raise TimeoutError(f"the job has not ended {flink.ENDED_S} s after it was cancelled")
        time.sleep(flink.POLL_S)


def running_ids(service: beam_job_api_pb2_grpc.JobServiceStub, name: str) -> list[str]:
    """The ids of the jobs of this name that have not ended. A job service may list another name than the options."""
    jobs = service.GetJobs(beam_job_api_pb2.GetJobsRequest(), timeout=ANSWER_S).job_info
    return [
        job.job_id
        for job in jobs
        if job.state not in TERMINAL_STATES and name == dict(job.pipeline_options).get(NAME_OPTION)
    ]


def cancel_earlier(output: str) -> str | None:
    """Cancels the job of a command that was killed, and returns its name; None if no command was.

    Raises MachineError if a server that must know the job does not answer.
    """
    path = f"{output}/{FILE}"
    if not files.exists(path):
        return None
    job = files.read_json(path, RunningJob, "cancel the job on the cluster, then delete this file")
    try:
        if job.job_endpoint is None:
            cancel(job, None)
        else:
            with grpc.insecure_channel(job.job_endpoint) as channel:
                cancel(job, beam_job_api_pb2_grpc.JobServiceStub(channel))
    except (grpc.RpcError, OSError) as error:
        server, cause = job.flink or job.job_endpoint, error.details() if isinstance(error, grpc.Call) else error
        raise MachineError(
            f"{path}: the job {job.name} of a command that was killed may still write here, and {server} does not "
            f"cancel it ({cause}); start that server, or end the job and delete the file"
        ) from error
    forget(output)
    return job.name
