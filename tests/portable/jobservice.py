"""A command that submits Beam jobs → the same command with Beam's Python job service and external worker pools around.

    python -m tests.portable.jobservice --pool "PYTHON worker_pools.py BOOT" --pool ... --folder DIR -- COMMAND ...

In COMMAND, `{jobs}` and `{workers}` stand for the addresses of the job service and of the front of the pools. The
exit code is the command's; all that it says comes out on stdout, the services' own log on stderr. The workers live in
DIR, where `pools.json` tells in the end what each pool did: `{address: {"workers": n, "elements": n}}`. All processes
stay in one process group, and a worker that dies leaves its job hanging: give this a time-out and end the group.
"""

import argparse
import json
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

from apache_beam.metrics import monitoring_infos
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_job_api_pb2, beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.portability.fn_api_runner.worker_handlers import ExternalWorkerHandler, WorkerHandler
from apache_beam.runners.portability.local_job_service import BeamJob, LocalJobServicer

from tests.portable import worker_pools

ELEMENT_COUNT = common_urns.monitoring_info_specs.ELEMENT_COUNT.spec.urn

elements: Counter[str] = Counter()
"""Worker id → elements in all collections that it read or made."""


class CountedConnection:
    """The runner's end of the control stream of one worker; keeps the answers to what the worker was given to do."""

    def __init__(self, connection):
        self.connection = connection
        self.answers = []

    def push(self, request):
        answer = self.connection.push(request)
        if request.HasField("process_bundle"):
            self.answers.append(answer)
        return answer

    def close(self) -> None:
        self.connection.close()

    def elements(self) -> int:
        done = [answer.get() for answer in self.answers if answer.is_done()]  # after an error others never come
        infos = [info for answer in done for info in answer.process_bundle.monitoring_infos]
        return sum(monitoring_infos.extract_counter_value(info) for info in infos if info.urn == ELEMENT_COUNT)


@WorkerHandler.register_environment(common_urns.environments.EXTERNAL.urn, beam_runner_api_pb2.ExternalPayload)
class LoopbackWorker(ExternalWorkerHandler):
    """An external worker that is reached over the loopback, whatever this machine's name is, and counted."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.control_conn = CountedConnection(self.control_conn)

    def host_from_worker(self) -> str:
        return "localhost"

    def close(self) -> None:
        super().close()
        elements[self.worker_id] += self.control_conn.elements()


def job_on(workers: int) -> type[BeamJob]:
    """Beam's job, on so many workers instead of one: its service has no setting for that."""

    class Job(BeamJob):
        def _invoke_runner(self):
            self.set_state(beam_job_api_pb2.JobState.RUNNING)
            runner = FnApiRunner(provision_info=self._provision_info)
            runner._num_workers = workers
            return runner.run_via_runner_api(self._pipeline_proto, self.pipeline_options())

    return Job


def main() -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--pool", action="append", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    folder = arguments.folder
    environment = worker_pools.environment(folder)
    pools = [
        subprocess.Popen(shlex.split(pool), cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
        for pool in arguments.pool
    ]
    addresses = [pool.stdout.readline().strip() for pool in pools]
    if not all(addresses):
        raise RuntimeError("a worker pool has ended before it served; the log above says why")
    front = worker_pools.Front(addresses)
    _server, front_address = worker_pools.serve(front)
    jobs = LocalJobServicer(str(folder / "staging"), job_on(workers=len(pools)))
    jobs_address = f"localhost:{jobs.start_grpc_server()}"
    places = {"{jobs}": jobs_address, "{workers}": front_address}
    command = arguments.command
    for place, address in places.items():
        command = [word.replace(place, address) for word in command]
    done = subprocess.run(command, stderr=subprocess.STDOUT)
    report = {address: Counter({"workers": 0, "elements": 0}) for address in addresses}
    for worker, pool in front.pool_of.items():
        report[pool].update(workers=1, elements=elements[worker])
    (folder / "pools.json").write_text(json.dumps(report))
    for pool in pools:
        pool.terminate()
    jobs.stop()
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
