"""Answers over HTTP from a real server on loopback that fails in every way a server does."""

import json
import socket
import threading
import time
import traceback
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigError, MachineError
from tests.train.serving import completion, serving
from train.prediction import endpoint, transport
from train.prediction.answers import Answer, Failure, Prompt

EMPTY = Answer('{"person": []}', cut=False)
RIGHT = (200, completion('{"person": []}'))


def requested(served, *instructions, **settings):
    """Instruction → what came of it."""
    settings = {"concurrency": 2, "retries": 3, "timeout_s": 0.3, "backoff_s": 0.001, **settings}
    server = endpoint.Endpoint(served.url, "tiny", 64, **settings)
    prompts = [(number, Prompt(instruction)) for number, instruction in enumerate(instructions)]
    return {instructions[number]: result for number, result in endpoint.generate(server, prompts)}


@pytest.mark.parametrize(
    "first",
    [
        (500, b"internal error"),
        (502, b"<html>bad gateway</html>"),
        (429, b'{"error": {"message": "slow down"}}'),
        "hang",
        "half",
        (200, b'{"choices": [{"mess'),
        (200, b"[]"),
        (200, b'{"choices": []}'),
        (200, completion(None)),
        (200, completion('{"person":', finish=None)),
    ],
    ids=["500", "502", "429", "hang", "half", "broken", "list", "nothing", "null", "unfinished"],
)
def test_a_request_that_fails_once_is_sent_again(first):
    with serving(lambda instruction, attempt: first if attempt == 0 else RIGHT) as served:
        assert requested(served, "a") == {"a": EMPTY}
        assert served.attempts == {"a": 2}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ((500, b'{"error": {"message": "out of\\n memory"}}'), "HTTP 500: out of memory"),
        ("hang", "no answer in time"),
        ("half", "the response is incomplete"),
        ((200, b"{"), "the response is not JSON"),
    ],
)
def test_a_row_that_keeps_failing_is_a_failure_and_the_others_go_on(reply, reason):
    with serving(lambda instruction, attempt: reply if instruction == "bad" else RIGHT) as served:
        found = requested(served, "a", "bad", "b")
        assert found["bad"] == Failure(reason)
        assert isinstance(found["a"], Answer) and isinstance(found["b"], Answer)
        assert served.attempts["bad"] == 4


def test_a_request_that_is_wrong_is_not_sent_again():
    with serving(lambda *_: (400, b'{"error": {"message": "prompt too long"}}')) as served:
        assert requested(served, "a") == {"a": Failure("HTTP 400: prompt too long")}
        assert served.attempts["a"] == 1


@pytest.mark.parametrize(("status", "advice"), [(401, "set OPENAI_API_KEY"), (403, "OPENAI_API_KEY"), (404, "/v1")])
def test_a_server_that_refuses_everything_stops_the_run(status, advice):
    with serving(lambda *_: (status, b"no")) as served, pytest.raises(ConfigError, match=advice):
        requested(served, "a", "b")


def test_a_server_that_goes_away_stops_the_run():
    names = [str(number) for number in range(100)]
    with (
        serving(lambda *_: (500, b"")) as served,
        pytest.raises(MachineError, match="20 consecutive rows failed"),
    ):
        requested(served, *names, retries=0)
    assert len(served.attempts) < 30


def test_failures_between_answers_do_not_stop_the_run():
    names = [str(number) for number in range(60)]
    with serving(lambda instruction, _: RIGHT if instruction.endswith("7") else (400, b"")) as served:
        found = requested(served, *names)
    assert sum(isinstance(result, Answer) for result in found.values()) == 6


def test_an_answer_at_the_token_limit_is_marked():
    with serving(lambda *_: (200, completion('{"per', "length"))) as served:
        assert requested(served, "a") == {"a": Answer('{"per', cut=True)}


def test_requests_run_side_by_side():
    together = threading.Barrier(8, timeout=10)  # breaks where fewer are asked at a time

    def reply(instruction, attempt):
        together.wait()
        return RIGHT

    with serving(reply) as served:
        assert requested(served, *"abcdefgh", concurrency=8, timeout_s=20, retries=0) == dict.fromkeys(
            "abcdefgh", EMPTY
        )


def test_the_request_is_greedy_and_carries_examples_schema_and_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    schema = {"type": "object"}
    with serving(lambda *_: RIGHT) as served:
        server = endpoint.Endpoint(served.url, "tiny", 64, extra={"chat_template_kwargs": {"enable_thinking": False}})
        list(endpoint.generate(server, [(0, Prompt("港?", (("a?", "{}"),), schema))]))
    assert served.headers[0]["Authorization"] == "Bearer sesame"
    assert served.requests == [
        {
            "model": "tiny",
            "messages": [
                {"role": "user", "content": "a?"},
                {"role": "assistant", "content": "{}"},
                {"role": "user", "content": "港?"},
            ],
            "temperature": 0,
            "max_tokens": 64,
            "chat_template_kwargs": {"enable_thinking": False},
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": schema},
            },
        }
    ]


def test_the_only_model_of_a_server_needs_no_name():
    with serving(lambda *_: RIGHT) as served:
        assert endpoint.model_name(served.url, None) == "tiny"
        assert endpoint.model_name(served.url, "tiny") == "tiny"
        with pytest.raises(ConfigError, match="no model 'other' on this server; it has tiny"):
            endpoint.model_name(served.url, "other")
    with serving(lambda *_: RIGHT, models=("a", "b:latest")) as served:
        assert endpoint.model_name(served.url, "b") == "b"
        with pytest.raises(ConfigError, match="no model chosen"):
            endpoint.model_name(served.url, None)


def test_a_url_where_nothing_answers_is_named():
    with serving(lambda *_: RIGHT) as served:
        gone = served.url
    for url, reason in (
        (gone, "does not answer"),
        ("localhost:1", "does not start with http"),
        ("x", "does not start"),
    ):
        with pytest.raises(ConfigError, match=reason):
            endpoint.model_name(url, "tiny")


def test_a_server_without_models_is_named():
    with serving(lambda *_: RIGHT) as served:
        served.models = ()
        with pytest.raises(ConfigError, match="it has none"):
            endpoint.model_name(served.url, None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(monkeypatch, status):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    with serving(lambda *_: RIGHT) as other, serving(lambda *_: (status, b"")) as served:
        for location in (
            f"{other.url}/chat/completions",
            f"{served.url}/models",
            "http://[",
            "file:///etc/hosts",
        ):
            served.location = location
            with pytest.raises(ConfigError, match=f"HTTP {status}.*another address, which is not followed"):
                requested(served, "a")
        with pytest.raises(ConfigError, match=r"HTTP 302.*not followed"):
            endpoint.model_name(served.url, "tiny")
        assert other.headers == [] and other.requests == []
        assert set(served.attempts.values()) == {4}  # no GET came of a POST


@pytest.mark.parametrize("key", ["sesame\n", " sesame\r\n", "sesame"])
def test_a_line_end_behind_the_key_is_not_sent(monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with serving(lambda *_: RIGHT) as served:
        assert requested(served, "a") == {"a": EMPTY}
        assert endpoint.model_name(served.url, None) == "tiny"
    assert {headers["Authorization"] for headers in served.headers} == {"Bearer sesame"}


@pytest.mark.parametrize("key", ["open\nsesame", "open sesame", "ses\u00e4me", "sesame\x1b[2J", "s\udce4same"])
def test_a_key_that_is_none_is_refused_and_not_shown(monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with serving(lambda *_: RIGHT) as served:
        for ask in (lambda: requested(served, "a"), lambda: endpoint.model_name(served.url, None)):
            with pytest.raises(ConfigError, match="OPENAI_API_KEY: contains characters that no key has") as error:
                ask()
            assert "same" not in str(error.value)
    assert served.headers == []


def test_a_server_that_repeats_the_key_does_not_get_it_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    refusal = (401, b'{"error": {"message": "wrong key: Bearer sesame"}}')
    with serving(lambda *_: refusal) as served, pytest.raises(ConfigError, match=r"wrong key: Bearer \*\*\*"):
        requested(served, "a")
    with serving(lambda *_: (400, b"Bearer sesame")) as served:
        assert requested(served, "a") == {"a": Failure("HTTP 400: Bearer ***")}


def test_a_password_in_the_url_is_refused_and_not_shown():
    for url in ("http://ada:sesame@localhost:1/v1", "http://sesame@[::1/v1"):
        with pytest.raises(ConfigError, match="without a user and a password") as error:
            endpoint.model_name(url, "tiny")
        assert "sesame" not in str(error.value)


def test_no_file_is_read_in_place_of_a_server(tmp_path):
    (tmp_path / "models").write_text('{"data": [{"id": "tiny"}]}')
    with pytest.raises(ConfigError, match="does not start with http"):
        endpoint.model_name(f"file://{tmp_path}", "tiny")


HOSTILE = st.sampled_from(
    [b"[" * 100_000, b"9" * 5000, b'{"choices": [' + b"9" * 5000 + b"]}", b"\xff\xfe{", b'{"choices": 3}', b"null", b""]
) | st.binary(max_size=60)


@given(st.sampled_from([200, 204, 300, 400, 418, 429, 500, 999]), HOSTILE)
def test_whatever_a_server_answers_is_an_answer_or_a_failure(status, body):
    with serving(lambda *_: (status, body)) as served:
        found = requested(served, "a", retries=0, concurrency=1)
    assert isinstance(found["a"], Failure)


def test_half_a_surrogate_pair_in_an_answer_is_replaced_when_it_is_written():
    from train.prediction import resume

    row = dict.fromkeys(resume.COLUMNS, "") | {"label": None, "output": None}
    text = "\ud83d"
    with serving(lambda *_: (200, completion(text))) as served:
        found = requested(served, "a")["a"]
    assert b'"output": "?"' in resume.line(row, found.text, found.cut)


@pytest.mark.parametrize("where", ["instruction", "request", "model"])
def test_half_a_surrogate_pair_is_sent_escaped_and_never_hangs(where):
    half = "a\ud800"
    with serving(lambda *_: RIGHT) as served:
        model, extra = half if where == "model" else "tiny", {"x": half} if where == "request" else {}
        server = endpoint.Endpoint(served.url, model, 64, extra=extra)
        prompt = Prompt(half if where == "instruction" else "a")
        assert list(endpoint.generate(server, [(0, prompt)])) == [(0, EMPTY)]
        assert half in json.dumps(served.requests[0], ensure_ascii=False)


@pytest.mark.parametrize("extra", [{"x": {1}}, {"x": b""}, {(): 1}], ids=["set", "bytes", "key"])
@pytest.mark.timeout(20)
def test_whatever_a_thread_raises_is_raised_where_answers_are_awaited(extra):
    with serving(lambda *_: RIGHT) as served, pytest.raises(TypeError):
        requested(served, *"abcdefgh", extra=extra)


def test_a_name_of_a_model_that_is_no_text_is_refused():
    with serving(lambda *_: RIGHT, models=("a\ud800",)) as served:
        with pytest.raises(ConfigError, match=r"only model: 'a\\ud800' is not valid UTF-8"):
            endpoint.model_name(served.url, None)
        with pytest.raises(ConfigError, match=r"--model: 'a\\udcff' is not valid UTF-8"):
            endpoint.model_name(served.url, "a\udcff")
        for names in ([1], [None], [["tiny"]], [{"id": "tiny"}]):
            served.models = names
            with pytest.raises(ConfigError, match="it lists no models"):
                endpoint.model_name(served.url, None)


@pytest.mark.parametrize(("backoff_s", "longest_s"), [(0, 0), (1e-300, 60), (1.0, 60), (1e300, 60)])
def test_the_thousandth_try_waits_no_longer_than_a_minute(backoff_s, longest_s):
    server = endpoint.Endpoint("http://127.0.0.1:1/v1", "tiny", 64, retries=1100, backoff_s=backoff_s)
    waits = []

    class Stopped:
        def wait(self, seconds):
            waits.append(seconds)

    assert isinstance(endpoint.answer(server, Prompt("a"), Stopped()), Failure)
    assert (
        len(waits) == 1100
        and waits == sorted(waits)
        and waits[-1] <= longest_s == endpoint.LONGEST_WAIT_S * bool(backoff_s)
    )


@contextmanager
def dripping(start: bytes, drop: bytes):
    """The URL of a server that sends `start`, then a `drop` every 20 ms for as long as somebody listens."""
    closing = threading.Event()

    def drip(connection):
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(start)
                while not closing.wait(0.02):
                    connection.sendall(drop)
            except OSError:
                pass  # it has been left

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


SLOW = {
    "a long body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
    "a body without length": (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a long header": (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "a long status": (b"HTTP/1.1 200 ", b"x"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "an error": (b"HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n", b" "),
    "nothing": (b"", b""),
}


@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW.keys())
@pytest.mark.timeout(20)
def test_a_request_takes_no_longer_than_its_time_however_a_server_stretches_it(slow):
    with dripping(*slow) as url:
        began = time.monotonic()
        server = endpoint.Endpoint(url, "tiny", 64, concurrency=1, retries=0, timeout_s=0.2)
        [(_, result)] = endpoint.generate(server, [(0, Prompt("a"))])
        assert isinstance(result, Failure) and result.reason in ("no answer in time", "HTTP 500: No")
        with pytest.raises(ConfigError, match=r"does not answer|HTTP 500"):
            endpoint.models(url, timeout_s=0.2)
        assert time.monotonic() - began < 5


SECRET = 'sk-se"cr\\et/0'
FORMS = [
    SECRET,
    json.dumps(SECRET)[1:-1],
    json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
    "".join(f"\\u{ord(character):04x}" for character in SECRET),
    "".join(f"\\\\u{ord(character):04X}" for character in SECRET),
    SECRET.replace("/", "\\/"),
]


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_that_repeats_the_key_does_not_get_it_written(monkeypatch, form):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with serving(lambda *_: (200, completion(f'{{"person": ["{form}", "Ada"]}}'))) as served:
        found = requested(served, "a")["a"].text
    assert found == '{"person": ["***", "Ada"]}'
    with serving(lambda *_: (400, json.dumps({"error": {"message": f"no {form}!"}}).encode())) as served:
        assert requested(served, "a") == {"a": Failure("HTTP 400: no ***!")}


def test_a_placeholder_for_a_key_may_stand_in_answers(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with serving(lambda *_: (200, completion('{"person": ["none"]}'))) as served:
        assert requested(served, "a")["a"].text == '{"person": ["none"]}'


def test_a_name_that_holds_the_key_is_refused_and_not_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sesame")
    with serving(lambda *_: RIGHT, models=("m-sk-sesame",)) as served:
        for ask in (
            lambda: endpoint.model_name(served.url, None),
            lambda: endpoint.model_name(served.url, "other"),
            lambda: endpoint.model_name(served.url, "m-sk-sesame"),
            lambda: endpoint.model_name(served.url, "sk-sesame\udcff"),
            lambda: endpoint.model_name(f"{served.url}/sk-sesame", None),
        ):
            with pytest.raises(ConfigError, match=r"contains the key|it has m-\*\*\*") as error:
                ask()
            assert "sesame" not in str(error.value)


@pytest.mark.parametrize("status", [b"HTTP/1.1 401 sk-sesame\r\n\r\n", b"sk-sesame\r\n\r\n"])
def test_no_traceback_shows_the_key_that_a_server_repeats(monkeypatch, status):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sesame")
    with dripping(status, b"") as url, pytest.raises(ConfigError) as error:
        endpoint.models(url, timeout_s=0.2)
    assert "sesame" not in "".join(traceback.format_exception(error.value))


@pytest.mark.parametrize("place", ["127.0.0.1:74333", "127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:-1", ":80", "", "[::1"])
def test_a_place_that_is_none_is_refused_before_it_is_asked(place):
    with pytest.raises(ConfigError, match="not a valid URL"):
        endpoint.check_url(f"http://{place}/v1")


def test_a_proxy_of_the_environment_is_not_sent_the_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(lambda *_: RIGHT) as proxy, serving(lambda *_: RIGHT) as served:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        assert endpoint.model_name(served.url, None) == "tiny"
        assert requested(served, "a") == {"a": EMPTY}
        with pytest.raises(ConfigError, match="does not answer"):
            endpoint.models("http://no-such-host.invalid/v1")
        assert proxy.headers == []


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://models.example/v1", True),
        ("http://models.example/v1", False),
        ("https://localhost:8000/v1", False),
        ("https://LOCALHOST./v1", False),
        ("https://a.localhost/v1", False),
        ("https://127.9.9.9/v1", False),
        ("https://[::1]:8000/v1", False),
        ("https://[::ffff:127.0.0.1]/v1", False),
        ("https://0.0.0.0/v1", False),
    ],
)
def test_only_what_a_proxy_cannot_read_goes_through_one(url, may):
    assert transport.may_use_proxy(url) is may
