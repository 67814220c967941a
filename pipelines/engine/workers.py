"""A worker that Beam asks for → a process forked from one that has all modules loaded, instead of a new Python.

Beam starts a Python for each worker of each pipeline, which costs a second of imports every time, and it waits for ever
for one that was killed. `pipelines.build` starts the fork server of `multiprocessing` before it loads Beam itself.
"""

import multiprocessing
import os
import signal
import sys
import threading
from contextlib import contextmanager
from types import ModuleType

import grpc
from apache_beam.portability import python_urns
from apache_beam.runners.portability.fn_api_runner.worker_handlers import GrpcWorkerHandler, WorkerHandler
from apache_beam.runners.worker import sdk_worker_main
from google.protobuf import json_format, text_format

DIED = signal.SIGUSR1
"""How the main thread is told that a worker died, whatever it waits for."""


def register() -> None:
    """From now on, `--direct_running_mode=multi_processing` forks its workers. To be called in the main thread."""
    WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)(lambda command, *rest: ForkedWorker(*rest))
    signal.signal(DIED, end)
    threading.excepthook = report


def end(signum, frame) -> None:
    signal.signal(DIED, signal.SIG_IGN)
    for worker in multiprocessing.active_children():
        worker.kill()
    sys.exit("error: a worker process died; was there memory enough for it? The same command goes on from here")


def report(raised: threading.ExceptHookArgs) -> None:
    if not issubclass(raised.exc_type, grpc.RpcError):  # raised by Beam's threads where a worker is ended
        threading.__excepthook__(raised)


class ForkedWorker(GrpcWorkerHandler):
    """The runner's end of one worker process, which serves one pipeline."""

    def start_worker(self) -> None:
        environment = {
            **os.environ,
            "WORKER_ID": self.worker_id,
            "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(self.control_api_service_descriptor()),
            "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(self.logging_api_service_descriptor()),
            "PIPELINE_OPTIONS": json_format.MessageToJson(self.provision_info.provision_info.pipeline_options),
        }
        context = multiprocessing.get_context("forkserver")
        self.process = context.Process(target=work, args=(environment,), name=self.worker_id, daemon=True)
        with no_main_module():
            self.process.start()
        self.watch = threading.Thread(target=self.wait, daemon=True)
        self.watch.start()

    def wait(self) -> None:
        """Until the process has ended. The runner would wait for ever for what a dead one had to do."""
        self.process.join()
        if self.process.exitcode:
            signal.pthread_kill(threading.main_thread().ident, DIED)

    def stop_worker(self) -> None:
        self.watch.join()


@contextmanager
def no_main_module():
    """`multiprocessing` would have a worker load the main module, so run the build in it that a script asks for."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def work(environment: dict[str, str]) -> None:
    """What a worker process of Beam's own does, until the pipeline ends, or the build in whatever way."""
    os.environ.update(environment)
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - what Beam prints there of an error, it also tells the runner
    threading.Thread(target=end_with_build, daemon=True).start()
    sdk_worker_main.main([])


def end_with_build() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
