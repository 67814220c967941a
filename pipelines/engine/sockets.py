"""Beam's gRPC servers in this process → Unix sockets that no other user can open, and ports of the loopback.

Whoever reaches one of these servers may have the build run any code: they ask nobody who they are. Beam binds them to
all interfaces and has no setting for it.
"""

import itertools
from multiprocessing import util
from types import SimpleNamespace

import grpc
from apache_beam.runners.portability import abstract_job_service, local_job_service
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.worker import worker_pool_main

NAMES = itertools.count()
"""Names of the sockets, in the folder (of mode 700) where `multiprocessing` has its own."""


def keep_private() -> None:
    """From now on, what workers connect to is a Unix socket, what a job service embedded here offers is a port of the
    loopback. Servers that are no part of Beam stay as they are asked for.
    """
    worker_handlers.grpc = with_server(private_server)
    for handler in (worker_handlers.GrpcWorkerHandler, worker_handlers.ExternalWorkerHandler):
        handler.host_from_worker = lambda self: "unix"  # of the address `unix:path`
    for module in (abstract_job_service, local_job_service, worker_pool_main):
        module.grpc = with_server(loopback_server)


def with_server(server) -> SimpleNamespace:
    """The module `grpc` with another function that makes servers."""
    return SimpleNamespace(**{**vars(grpc), "server": server})


def private_server(*arguments, **options) -> grpc.Server:
    """A server that, asked for a port, listens on a socket; its path stands where Beam has the port's number."""
    server = grpc.server(*arguments, **options)
    bind = server.add_insecure_port

    def listen(address: str) -> str:
        path = f"{util.get_temp_dir()}/{next(NAMES)}"
        bind(f"unix:{path}")
        return path

    server.add_insecure_port = listen
    return server


def loopback_server(*arguments, **options) -> grpc.Server:
    """A server whose ports can be reached from this machine alone, where Beam has its clients look for it anyway."""
    server = grpc.server(*arguments, **options)
    bind = server.add_insecure_port
    server.add_insecure_port = lambda address: bind(f"localhost:{address.rpartition(':')[2]}")
    return server
