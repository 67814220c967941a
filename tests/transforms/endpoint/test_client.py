"""Answers over HTTP from a server on loopback that fails in many ways."""

import json
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.answers import Answer, Failure, Prompt
from schemas.errors import ConfigError, MachineError
from tests.serving import EMPTY, RIGHT, answers_from, completion, dripping, serving
from transforms.endpoint import client


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
def test_a_request_that_fails_once_is_repeated(first):
    with serving(lambda instruction, attempt: first if attempt == 0 else RIGHT) as served:
        assert answers_from(served, "a") == {"a": EMPTY}
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
def test_a_row_that_keeps_failing_does_not_stop_the_others(reply, reason):
    with serving(lambda instruction, attempt: reply if instruction == "bad" else RIGHT) as served:
        answers = answers_from(served, "a", "bad", "b")
        assert answers["bad"] == Failure(reason)
        assert isinstance(answers["a"], Answer) and isinstance(answers["b"], Answer)
        assert served.attempts["bad"] == 4


def test_an_invalid_request_is_not_repeated():
    with serving(lambda *_: (400, b'{"error": {"message": "prompt too long"}}')) as served:
        assert answers_from(served, "a") == {"a": Failure("HTTP 400: prompt too long", is_final=True)}
        assert served.attempts["a"] == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_rows_that_can_never_be_answered_do_not_stop_the_run(status):
    names = [str(number) for number in range(50)]
    with serving(lambda instruction, _: RIGHT if instruction == "49" else (status, b"")) as served:
        answers = answers_from(served, *names)
    assert isinstance(answers.pop("49"), Answer)
    assert all(result.is_final for result in answers.values())


@pytest.mark.parametrize(("status", "advice"), [(401, "set OPENAI_API_KEY"), (403, "OPENAI_API_KEY"), (404, "/v1")])
def test_a_server_that_refuses_everything_stops_the_run(status, advice):
    with serving(lambda *_: (status, b"no")) as served, pytest.raises(ConfigError, match=advice):
        answers_from(served, "a", "b")


def test_consecutive_failures_stop_the_run():
    names = [str(number) for number in range(100)]
    with (
        serving(lambda *_: (500, b"")) as served,
        pytest.raises(MachineError, match="20 consecutive rows failed"),
    ):
        answers_from(served, *names, retries=0)
    assert len(served.attempts) < 30


def test_failures_between_answers_do_not_stop_the_run():
    names = [str(number) for number in range(60)]
    with serving(lambda instruction, _: RIGHT if instruction.endswith("7") else (400, b"")) as served:
        answers = answers_from(served, *names)
    assert sum(isinstance(result, Answer) for result in answers.values()) == 6


def test_an_answer_at_the_token_limit_is_marked():
    with serving(lambda *_: (200, completion('{"per', "length"))) as served:
        assert answers_from(served, "a") == {"a": Answer('{"per', cut=True)}


def test_requests_are_concurrent():
    barrier = threading.Barrier(8, timeout=10)  # broken if fewer requests are concurrent

    def reply(instruction, attempt):
        barrier.wait()
        return RIGHT

    with serving(reply) as served:
        assert answers_from(served, *"abcdefgh", concurrency=8, timeout_s=20, retries=0) == dict.fromkeys(
            "abcdefgh", EMPTY
        )


def test_a_request_has_examples_schema_and_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    schema = {"type": "object"}
    with serving(lambda *_: RIGHT) as served:
        server = client.Endpoint(served.url, "tiny", 64, extra={"chat_template_kwargs": {"enable_thinking": False}})
        list(client.generate(server, [(0, Prompt("港?", (("a?", "{}"),), schema))]))
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


def test_the_only_model_of_a_server_needs_no_name(capsys):
    with serving(lambda *_: RIGHT) as served:
        assert client.model_name(served.url, None) == "tiny"
        assert client.model_name(served.url, "tiny") == "tiny"
        assert capsys.readouterr().err == ""
        assert client.model_name(served.url, "other") == "other"  # transformers serves folders that it does not list
        assert "does not list the model 'other' (it has tiny)" in capsys.readouterr().err
    with serving(lambda *_: RIGHT, models=("a", "b:latest")) as served:
        assert client.model_name(served.url, "b") == "b"
        with pytest.raises(ConfigError, match="no model chosen"):
            client.model_name(served.url, None)


def test_a_url_without_a_server_is_refused():
    with serving(lambda *_: RIGHT) as served:
        stopped = served.url
    for url, reason in (
        (stopped, "does not answer"),
        ("localhost:1", "does not start with http"),
        ("x", "does not start"),
    ):
        with pytest.raises(ConfigError, match=reason):
            client.model_name(url, "tiny")


def test_a_server_without_models_is_refused():
    with serving(lambda *_: RIGHT) as served:
        served.models = ()
        with pytest.raises(ConfigError, match="it has none"):
            client.model_name(served.url, None)
        assert client.model_name(served.url, "tiny") == "tiny"
        for status in (404, 500):
            served.models_status = status
            with pytest.raises(ConfigError):
                client.model_name(served.url, None)
            assert client.model_name(served.url, "tiny") == "tiny"
        served.models_status = 401
        with pytest.raises(ConfigError, match="set OPENAI_API_KEY"):
            client.model_name(served.url, "tiny")


def test_a_file_url_is_refused(tmp_path):
    (tmp_path / "models").write_text('{"data": [{"id": "tiny"}]}')
    with pytest.raises(ConfigError, match="does not start with http"):
        client.model_name(f"file://{tmp_path}", "tiny")


HOSTILE = st.sampled_from(
    [b"[" * 100_000, b"9" * 5000, b'{"choices": [' + b"9" * 5000 + b"]}", b"\xff\xfe{", b'{"choices": 3}', b"null", b""]
) | st.binary(max_size=60)


@given(st.sampled_from([200, 204, 300, 400, 418, 429, 500, 999]), HOSTILE)
def test_any_invalid_response_is_a_failure(status, body):
    with serving(lambda *_: (status, body)) as served:
        answers = answers_from(served, "a", retries=0, concurrency=1)
    assert isinstance(answers["a"], Failure)


def test_an_unpaired_surrogate_in_an_answer_is_replaced():
    from train.prediction import resume

    row = dict.fromkeys(resume.COLUMNS, "") | {"label": None, "output": None}
    text = "\ud83d"
    with serving(lambda *_: (200, completion(text))) as served:
        answer = answers_from(served, "a")["a"]
    assert b'"output": "?"' in resume.line(row, answer.text, answer.cut)


@pytest.mark.parametrize("where", ["instruction", "request", "model"])
def test_an_unpaired_surrogate_in_a_request_is_sent_escaped(where):
    surrogate = "a\ud800"
    with serving(lambda *_: RIGHT) as served:
        model, extra = surrogate if where == "model" else "tiny", {"x": surrogate} if where == "request" else {}
        server = client.Endpoint(served.url, model, 64, extra=extra)
        prompt = Prompt(surrogate if where == "instruction" else "a")
        assert list(client.generate(server, [(0, prompt)])) == [(0, EMPTY)]
        assert surrogate in json.dumps(served.requests[0], ensure_ascii=False)


@pytest.mark.parametrize("extra", [{"x": {1}}, {"x": b""}, {(): 1}], ids=["set", "bytes", "key"])
@pytest.mark.timeout(20)
def test_an_exception_in_a_thread_is_raised_to_the_caller(extra):
    with serving(lambda *_: RIGHT) as served, pytest.raises(TypeError):
        answers_from(served, *"abcdefgh", extra=extra)


def test_an_invalid_model_name_is_refused():
    with serving(lambda *_: RIGHT, models=("a\ud800",)) as served:
        with pytest.raises(ConfigError, match=r"only model: 'a\\ud800' is not valid UTF-8"):
            client.model_name(served.url, None)
        with pytest.raises(ConfigError, match=r"--model: 'a\\udcff' is not valid UTF-8"):
            client.model_name(served.url, "a\udcff")
        for names in ([1], [None], [["tiny"]], [{"id": "tiny"}]):
            served.models = names
            with pytest.raises(ConfigError, match="it lists no models"):
                client.model_name(served.url, None)


@pytest.mark.parametrize(("backoff_s", "longest_s"), [(0, 0), (1e-300, 60), (1.0, 60), (1e300, 60)])
def test_no_wait_between_retries_exceeds_a_minute(backoff_s, longest_s):
    server = client.Endpoint("http://127.0.0.1:1/v1", "tiny", 64, retries=1100, backoff_s=backoff_s)
    waits = []

    class Stopped:
        def wait(self, seconds):
            waits.append(seconds)

    assert isinstance(client.answer(server, Prompt("a"), Stopped()), Failure)
    assert (
        len(waits) == 1100
        and waits == sorted(waits)
        and waits[-1] <= longest_s == client.LONGEST_WAIT_S * bool(backoff_s)
    )


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
def test_a_slow_response_does_not_exceed_the_time_limit(slow):
    with dripping(*slow) as url:
        began = time.monotonic()
        server = client.Endpoint(url, "tiny", 64, concurrency=1, retries=0, timeout_s=0.2)
        [(_, result)] = client.generate(server, [(0, Prompt("a"))])
        assert isinstance(result, Failure) and result.reason in ("no answer in time", "HTTP 500: No")
        with pytest.raises(ConfigError, match=r"does not answer|HTTP 500"):
            client.models(url, timeout_s=0.2)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("place", ["127.0.0.1:74333", "127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:-1", ":80", "", "[::1"])
def test_an_invalid_address_is_refused(place):
    with pytest.raises(ConfigError, match="not a valid URL"):
        client.check_url(f"http://{place}/v1")
