"""Restricts Beam's gRPC servers in this process to private Unix sockets and to the loopback interface.

The servers have no authentication, so anyone who can connect to one can run code in the build. Beam binds them to all
interfaces and has no setting to change this.
"""

import itertools
from multiprocessing import util
from types import SimpleNamespace

import grpc
from apache_beam.runners.portability import abstract_job_service, local_job_service
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.worker import worker_pool_main

NAMES = itertools.count()
"""Names of the sockets. They are in the temporary folder of `multiprocessing`, which has mode 700."""


def keep_private() -> None:
    """Makes Beam's servers for workers listen on Unix sockets, and its embedded job services on the loopback interface.

    It affects servers that are created afterwards, and only those of Beam.
    """
    worker_handlers.grpc = with_server(private_server)
    for handler in (worker_handlers.GrpcWorkerHandler, worker_handlers.ExternalWorkerHandler):
        handler.host_from_worker = lambda self: "unix"  # first part of the address `unix:path`
    for module in (abstract_job_service, local_job_service, worker_pool_main):
        module.grpc = with_server(loopback_server)


def with_server(server) -> SimpleNamespace:
    """The module `grpc` with another `server` function."""
    return SimpleNamespace(**{**vars(grpc), "server": server})


def private_server(*arguments, **options) -> grpc.Server:
    """A server that listens on a Unix socket; Beam gets the path of the socket in place of a port number."""
    server = grpc.server(*arguments, **options)
    bind = server.add_insecure_port

    def listen(address: str) -> str:
        path = f"{util.get_temp_dir()}/{next(NAMES)}"
        bind(f"unix:{path}")
        return path

    server.add_insecure_port = listen
    return server


def loopback_server(*arguments, **options) -> grpc.Server:
    """A server that only this machine can connect to. Beam's clients connect to localhost anyway."""
    server = grpc.server(*arguments, **options)
    bind = server.add_insecure_port
    server.add_insecure_port = lambda address: bind(f"localhost:{address.rpartition(':')[2]}")
    return server
