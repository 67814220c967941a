"""A name that is not on the Hub is refused at once; a downloaded repository needs no request."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from schemas.errors import ConfigError, MachineError
from train import hub, load

pytest.importorskip("huggingface_hub")


class NoSuchRepository(BaseHTTPRequestHandler):
    """Answers as the Hub does for a repository that it does not have."""

    def do_GET(self):
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def online(monkeypatch):
    """Replaces the Hub by a server in this process; returns a function that stops it."""
    from huggingface_hub import constants

    server = ThreadingHTTPServer(("127.0.0.1", 0), NoSuchRepository)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")

    def stop():
        server.shutdown()
        server.server_close()

    yield stop
    stop()


def test_a_name_that_is_not_on_the_hub_is_refused(online):
    for kind, name in (("model", "qwenn"), ("dataset", "org/nothing"), ("model", "no name")):
        with pytest.raises(ConfigError, match=f"{name}: neither a local path nor a {kind} on the Hub"):
            hub.check(name, kind)
    online()
    with pytest.raises(MachineError, match="qwenn: no such local path, and the Hub does not answer"):
        hub.check("qwenn", "model")


def test_a_downloaded_repository_needs_no_request(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MachineError, match="the Hub does not answer"):
        hub.check("org/name", "model")
    (tmp_path / "models--org--name/snapshots/0123").mkdir(parents=True)
    hub.check("org/name", "model")


def test_a_cached_base_model_has_the_name_of_its_repository(tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "org/Model-4B"}))
    load.check_adapter(str(tmp_path), "hub/models--org--Model-4B/snapshots/0123/")
    load.check_adapter(str(tmp_path), "elsewhere/Model-4B")
    for other in ("hub/models--org--Model-8B/snapshots/0123", "org/Model"):
        with pytest.raises(ConfigError, match="an adapter for org/Model-4B, not for"):
            load.check_adapter(str(tmp_path), other)
