import socket

import pytest

from pipelines.sources.fetching.transfer import TransferError, download
from tests.pipelines.sources.fetching.server import serving

BODY = bytes(range(256)) * 2_000
PATH = "/data/train.txt"


@pytest.fixture
def server():
    with serving({PATH: BODY}) as server:
        yield server


def get(server, folder) -> bytes:
    download(server.url + PATH, folder / "train.txt", first_pause=0)
    return (folder / "train.txt").read_bytes()


def test_a_file_is_downloaded_and_nothing_else_is_left(server, tmp_path):
    assert get(server, tmp_path) == BODY
    assert [path.name for path in tmp_path.iterdir()] == ["train.txt"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_temporary_failure_is_tried_again(server, tmp_path, status):
    server.faults = [status, status]
    assert get(server, tmp_path) == BODY
    assert len(server.requests) == 3


def test_a_cut_connection_goes_on_where_it_stopped(server, tmp_path):
    server.faults = ["cut:1000", "cut:2000"]
    assert get(server, tmp_path) == BODY
    assert [wanted for _, wanted in server.requests] == [None, "bytes=1000-", "bytes=3000-"]


def test_a_later_call_goes_on_where_the_first_one_stopped(server, tmp_path):
    server.faults = ["cut:1000"] + [503] * 3
    with pytest.raises(TransferError, match=r"HTTP 503 \(4 attempts\); what was transferred is kept"):
        get(server, tmp_path)
    assert get(server, tmp_path) == BODY
    assert server.requests[-1] == (PATH, "bytes=1000-")


def test_a_file_that_has_changed_meanwhile_starts_again(server, tmp_path):
    server.faults = ["cut:1000"] + [503] * 3
    with pytest.raises(TransferError):
        get(server, tmp_path)
    server.files[PATH] = BODY[::-1]
    assert get(server, tmp_path) == BODY[::-1]


@pytest.mark.parametrize("lacks", ["ranges", "validators"])
def test_a_server_that_cannot_resume_starts_again(server, tmp_path, lacks):
    setattr(server, lacks, False)
    server.faults = ["cut:1000"]
    assert get(server, tmp_path) == BODY


def test_a_complete_part_is_taken(server, tmp_path):
    server.faults = ["cut:1000"] + [503] * 3
    with pytest.raises(TransferError):
        get(server, tmp_path)
    (tmp_path / "train.txt.part").write_bytes(BODY)
    assert get(server, tmp_path) == BODY
    assert len(server.requests) == 5  # not one byte more


def test_a_part_longer_than_the_file_starts_again(server, tmp_path):
    server.faults = ["cut:1000"] + [503] * 3
    with pytest.raises(TransferError):
        get(server, tmp_path)
    (tmp_path / "train.txt.part").write_bytes(BODY + b"more")
    assert get(server, tmp_path) == BODY


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_final_failure_is_one_line_at_once(server, tmp_path, status):
    server.faults = [status]
    with pytest.raises(TransferError, match=rf"/data/train.txt: HTTP {status}; the address may have changed"):
        get(server, tmp_path)
    assert len(server.requests) == 1


def test_a_server_that_is_not_there(tmp_path):
    with serving({}) as server:
        pass
    with pytest.raises(TransferError, match=r"train.txt: .*refused.* \(4 attempts\)"):
        get(server, tmp_path)


def test_a_host_without_an_address_is_one_line_at_once(tmp_path, monkeypatch):
    questions = []

    def no_address(host, *_, **__):
        questions.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_address)
    with pytest.raises(TransferError, match=r"harbour\.invalid/x: there is no such host"):
        download("http://harbour.invalid/x", tmp_path / "x", first_pause=0)
    assert len(questions) == 1


def test_a_wrong_address(tmp_path):
    with pytest.raises(TransferError, match="ftp://"):
        download("ftp://127.0.0.1/x", tmp_path / "x", first_pause=0)


def test_a_proxy_that_cannot_be_used(tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", "gopher://127.0.0.1:1")
    with pytest.raises(TransferError, match=r"^http://a\.example/b: the proxy .*: Unknown scheme for proxy URL"):
        download("http://a.example/b", tmp_path / "b")
