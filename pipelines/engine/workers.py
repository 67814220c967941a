"""Worker processes for Beam, forked from a process that has already imported all modules.

Beam would start a new Python process for every worker of every pipeline, which takes a second of imports each time, and
would wait forever for a worker that was killed. `command_line.loading` starts the fork server of `multiprocessing`.
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

WORKER_DIED = signal.SIGUSR1
"""The signal that tells the main thread that a worker died, even while it is waiting."""


def register() -> None:
    """Makes `--direct_running_mode=multi_processing` fork its workers. Must be called in the main thread."""
    WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)(lambda command, *rest: ForkedWorker(*rest))
    signal.signal(WORKER_DIED, exit_on_dead_worker)
    threading.excepthook = report_exception


def exit_on_dead_worker(signum, frame) -> None:
    signal.signal(WORKER_DIED, signal.SIG_IGN)
    for worker in multiprocessing.active_children():
        worker.kill()
    sys.exit("error: a worker process died, perhaps out of memory; run the same command again to resume")


def report_exception(raised: threading.ExceptHookArgs) -> None:
    if not issubclass(raised.exc_type, grpc.RpcError):  # raised in Beam's threads when a worker or a job service ends
        threading.__excepthook__(raised)


class ForkedWorker(GrpcWorkerHandler):
    """The runner's handle of one worker process, which serves one pipeline."""

    def start_worker(self) -> None:
        environment = {
            **os.environ,
            "WORKER_ID": self.worker_id,
            "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(self.control_api_service_descriptor()),
            "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(self.logging_api_service_descriptor()),
            "PIPELINE_OPTIONS": json_format.MessageToJson(self.provision_info.provision_info.pipeline_options),
        }
        context = multiprocessing.get_context("forkserver")
        self.process = context.Process(target=run_worker, args=(environment,), name=self.worker_id, daemon=True)
        with no_main_module():
            self.process.start()
        self.watch = threading.Thread(target=self.wait, daemon=True)
        self.watch.start()

    def wait(self) -> None:
        """Waits until the process has ended, and signals WORKER_DIED if it failed: the runner would wait forever."""
        self.process.join()
        if self.process.exitcode:
            signal.pthread_kill(threading.main_thread().ident, WORKER_DIED)

    def stop_worker(self) -> None:
        self.watch.join()


@contextmanager
def no_main_module():
    """Hides the main module: `multiprocessing` would import it in the worker and start the build of a script again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def run_worker(environment: dict[str, str]) -> None:
    """Runs Beam's worker in this process until the pipeline or the process of the build ends."""
    os.environ.update(environment)
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - Beam also reports to the runner the errors that it prints
    threading.Thread(target=end_with_build, daemon=True).start()
    sdk_worker_main.main([])


def end_with_build() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
