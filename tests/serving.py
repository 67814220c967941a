"""HTTP servers on loopback that speak OpenAI's protocol and fail as a test demands."""

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from schemas.answers import Answer, Prompt
from transforms.endpoint import client

Reply = tuple[int, bytes] | str
"""Status and body, or one of: "hang" (no answer until the server closes), "half" (the body breaks off)."""


def completion(text: str | None, finish: str | None = "stop") -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return json.dumps({"object": "chat.completion", "choices": [choice]}).encode()


@dataclass
class Served:
    """`reply(instruction, attempt)`: the reply to the n-th request (from 0) with an instruction. `models_status`: the
    status of the list of models. `location`: the target of a redirect (status 300 to 399); if it is set, the list of
    models redirects too.
    """

    reply: Callable[[str, int], Reply]
    models: tuple[str, ...] = ("tiny",)
    models_status: int = 200
    url: str = ""
    location: str = ""
    requests: list[dict] = field(default_factory=list)
    headers: list[dict] = field(default_factory=list)
    attempts: Counter = field(default_factory=Counter)
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving(reply: Callable[[str, int], Reply], models: tuple[str, ...] = ("tiny",)) -> Iterator[Served]:
    served = Served(reply, models)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            served.headers.append(dict(self.headers))
            if served.location:
                return self.send(302, b"")
            self.send(served.models_status, json.dumps({"data": [{"id": name} for name in served.models]}).encode())

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            instruction = body["messages"][-1]["content"]
            served.requests.append(body)
            served.headers.append(dict(self.headers))
            attempt = served.attempts[instruction]
            served.attempts[instruction] += 1
            result = served.reply(instruction, attempt)
            if result == "hang":
                served.closing.wait()
            elif result == "half":
                whole = completion("{}")
                self.send(200, whole[:20], len(whole))
            else:
                self.send(*result)

        def send(self, status: int, body: bytes, length: int | None = None):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) if length is None else length))
            if 300 <= status < 400:
                self.send_header("Location", served.location)
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield served
    finally:
        served.closing.set()
        server.shutdown()
        server.server_close()


@contextmanager
def dripping(start: bytes, drop: bytes):
    """The URL of a server that sends `start`, then a `drop` every 20 ms until the client disconnects."""
    closing = threading.Event()

    def drip(connection):
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(start)
                while not closing.wait(0.02):
                    connection.sendall(drop)
            except OSError:
                pass  # the client disconnected

    def accept(listener):
        while not closing.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            closing.set()
            listener.shutdown(socket.SHUT_RDWR)


EMPTY = Answer('{"person": []}', cut=False)
RIGHT = (200, completion('{"person": []}'))


def answers_from(served, *instructions, **settings):
    """Instruction → its answer or failure."""
    settings = {"concurrency": 2, "retries": 3, "timeout_s": 0.3, "backoff_s": 0.001, **settings}
    server = client.Endpoint(served.url, "tiny", 64, **settings)
    prompts = [(number, Prompt(instruction)) for number, instruction in enumerate(instructions)]
    return {instructions[number]: result for number, result in client.generate(server, prompts)}
