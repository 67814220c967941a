"""External worker pools: each starts workers in its own Python; a front distributes a runner's requests to them.

As a script it is one pool: `python worker_pools.py BOOT` prints the pool's address and serves until it is ended. It
is what `apache_beam.runners.worker.worker_pool_main` is, on the loopback alone and on a port of the system's choice.
"""

import itertools
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from apache_beam.portability.api import beam_fn_api_pb2_grpc
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer


class Front(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """A pool that has other pools start its workers. `pool_of`: worker id → address of the pool that has it."""

    def __init__(self, pools: list[str]):
        stub = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub
        self.stubs = {pool: stub(grpc.insecure_channel(pool)) for pool in pools}
        self.turn = itertools.cycle(pools)
        self.pool_of: dict[str, str] = {}

    def StartWorker(self, request, context):
        pool = self.pool_of[request.worker_id] = next(self.turn)
        return self.stubs[pool].StartWorker(request)

    def StopWorker(self, request, context):
        return self.stubs[self.pool_of[request.worker_id]].StopWorker(request)


def environment(folder: Path) -> dict[str, str]:
    """The environment of a pool and its workers: no path to this project or a package index; temporary files in
    `folder`.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return inherited | {"TMPDIR": str(folder), "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def serve(pool: beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer) -> tuple[grpc.Server, str]:
    """Serves the pool on a free port of the loopback: the server, which lives while it is referred to, its address."""
    server = grpc.server(ThreadPoolExecutor(4))
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    return server, f"localhost:{port}"


if __name__ == "__main__":
    server, address = serve(BeamFnExternalWorkerPoolServicer(use_process=True, container_executable=sys.argv[1]))
    print(address, flush=True)
    threading.Event().wait()
