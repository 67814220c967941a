"""A loopback server of files whose answers can fail, also as a proxy: it serves any host's paths alike."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Server:
    """`files`: path → content. `faults`: for the next requests, one each, how they fail: a status code, or a number of
    bytes after which the connection is closed, as "cut:N". `requests`: (path, value of Range) so far.
    """

    files: dict[str, bytes]
    faults: list[int | str] = field(default_factory=list)
    ranges: bool = True  # whether it knows range requests
    validators: bool = True  # whether it sends an ETag
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Server]:
    server = Server(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, server)

        def log_message(self, *arguments) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()


def answer(request: BaseHTTPRequestHandler, server: Server) -> None:
    path, wanted = urlsplit(request.path).path, request.headers.get("Range")
    server.requests.append((path, wanted))
    fault = server.faults.pop(0) if server.faults else None
    if isinstance(fault, int) or path not in server.files:
        request.send_error(fault or 404)
        return
    body = server.files[path]
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    start = 0
    if wanted and server.ranges and request.headers.get("If-Range") == etag:
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(body):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(body)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
    request.send_response(206 if start else 200)
    request.send_header("Content-Length", str(len(body) - start))
    if server.validators:
        request.send_header("ETag", etag)
    request.end_headers()
    end = start + int(fault.removeprefix("cut:")) if fault else len(body)
    request.wfile.write(body[start:end])
