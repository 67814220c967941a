"""Whether a server can be asked for models."""

import http.server
import socket
import threading

from transforms import model_hub
from transforms.model_hub import reachable


class StatusOfPath(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_error(int(self.path[1:]))

    def log_message(self, *_):
        pass


def test_a_server_is_reachable_if_it_answers_without_5xx(monkeypatch):
    monkeypatch.setattr(model_hub, "TIMEOUT_S", 1)
    with http.server.HTTPServer(("127.0.0.1", 0), StatusOfPath) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert reachable(f"http://127.0.0.1:{server.server_port}/404")
        assert not reachable(f"http://127.0.0.1:{server.server_port}/503")
        server.shutdown()
    assert not reachable(f"http://127.0.0.1:{server.server_port}")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not reachable(f"http://127.0.0.1:{silent.getsockname()[1]}")
